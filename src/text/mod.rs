//! Written English to phonemes: sentences, words as spoken, phonemes with stress.
//!
//! `split` finds sentences, `normalize` puts signs into words, `phonemize` reads words aloud with
//! the help of `pronounce`, and `vocab` numbers the phonemes. Knows nothing of models or sound.

pub mod letters;
mod lexicon;
mod line;
pub mod normalize;
mod phonemize;
mod pronounce;
mod spelling;
pub mod split;
mod table;
mod tokens;
mod vocab;

pub use lexicon::{Lexicon, Pronunciation};
pub use line::Word;
pub use vocab::Vocab;

use crate::error::{Error, Result};
use normalize::Normalizer;
use phonemize::Phonemizer;
use split::{Sentence, halve, sentences};
use tokens::{Given, given_mark, is_given_mark};

/// A sentence ready to be spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// The sentence as written.
    pub text: String,
    /// The words as spoken.
    pub spoken: String,
    /// Phonemes with stress and punctuation, ready for [`Vocab::encode`].
    pub phonemes: String,
    pub words: Vec<Word>,
    /// Whether a longer pause is due after it.
    pub ends_paragraph: bool,
}

/// Sentences with more phonemes are cut in two.
const MOST_PHONEMES: usize = 250;

/// Sentences with more bytes, as written or in words, are surely too long: they are cut before more
/// work goes into them.
const MOST_BYTES: usize = 600;

/// Reads text. Loading takes a while: do it once and share it.
pub struct FrontEnd {
    normalizer: Normalizer,
    phonemizer: Phonemizer,
    lexicon: Lexicon,
}

impl FrontEnd {
    /// Loads dictionaries and rules.
    pub fn new() -> Result<Self> {
        Ok(Self { normalizer: Normalizer::new(), phonemizer: Phonemizer::new(), lexicon: Lexicon::default() })
    }

    /// Reads the lexicon's words as the user wants them.
    pub fn with_lexicon(mut self, lexicon: Lexicon) -> Result<Self> {
        for (word, pronunciation) in lexicon.iter() {
            let phonemes = match pronunciation {
                Pronunciation::Phonemes(phonemes) => phonemes.clone(),
                Pronunciation::Respelling(words) => self.phonemizer.read(&self.normalizer.speak(words)?, &[]).0,
            };
            self.lexicon.insert(word, Pronunciation::Phonemes(phonemes));
        }
        Ok(self)
    }

    /// The utterances of a text, in order; at least one.
    pub fn read(&self, text: &str) -> Result<Vec<Utterance>> {
        let utterances: Vec<Utterance> = self.utterances(text).collect::<Result<_>>()?;
        if utterances.is_empty() { Err(nothing_to_speak(text)) } else { Ok(utterances) }
    }

    /// The utterances of a text one by one, each read when it is asked for: the first sentence of a
    /// book does not wait for the others. None if there is nothing to speak.
    pub fn utterances<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Result<Utterance>> + use<'a> {
        sentences(text).into_iter().flat_map(|sentence| match self.read_sentence(sentence) {
            Ok(utterances) => utterances.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// A sentence as one utterance or, if it is long, as several.
    fn read_sentence(&self, sentence: Sentence) -> Result<Vec<Utterance>> {
        let (mut utterances, mut parts) = (Vec::new(), vec![sentence.text]);
        while let Some(part) = parts.pop() {
            let whole = if part.len() > MOST_BYTES { None } else { self.read_whole(part)? };
            let fits = |utterance: &Utterance| utterance.phonemes.chars().count() <= MOST_PHONEMES;
            match (whole.filter(fits), halve(part)) {
                (Some(utterance), _) => utterances.push(utterance),
                (None, Some((first, second))) => parts.extend([second, first]),
                (None, None) => {}
            }
        }
        utterances.retain(|utterance| !utterance.words.is_empty());
        if let Some(last) = utterances.last_mut() {
            last.ends_paragraph = sentence.ends_paragraph;
        }
        Ok(utterances)
    }

    /// The text as one utterance, unless its words are too many.
    fn read_whole(&self, text: &str) -> Result<Option<Utterance>> {
        let (marked, given) = self.mark_given(text)?;
        let spoken = self.normalizer.speak(&marked)?;
        if spoken.len() > MOST_BYTES {
            return Ok(None);
        }
        let (phonemes, words) = self.phonemizer.read(&spoken, &given);
        let spoken = given.iter().enumerate().fold(spoken, |spoken, (i, word)| match given_mark(i) {
            Some(mark) => spoken.replace(mark, &word.text),
            None => spoken,
        });
        Ok(Some(Utterance { text: text.to_string(), spoken, phonemes, words, ends_paragraph: false }))
    }

    /// Puts a mark in place of each `[[phonemes]]` and each word of the lexicon.
    fn mark_given(&self, text: &str) -> Result<(String, Vec<Given>)> {
        let (mut marked, mut given, mut rest) = (String::new(), Vec::new(), text);
        while let Some((before, phonemes, after)) = next_phonemes(rest) {
            self.mark_lexicon(before, &mut marked, &mut given)?;
            push_mark(&mut marked, &mut given, phonemes, Vocab::from_ipa(phonemes)?)?;
            rest = after;
        }
        self.mark_lexicon(rest, &mut marked, &mut given)?;
        Ok((marked, given))
    }

    fn mark_lexicon(&self, text: &str, marked: &mut String, given: &mut Vec<Given>) -> Result<()> {
        let text = text.replace(is_given_mark, " ");
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '—' | '–' | '/')) {
            match self.lexicon.find_in(piece) {
                Some((at, word, phonemes)) => {
                    marked.push_str(&piece[..at]);
                    push_mark(marked, given, word, phonemes.to_string())?;
                    marked.push_str(&piece[at + word.len()..]);
                }
                None => marked.push_str(piece),
            }
        }
        Ok(())
    }
}

fn push_mark(marked: &mut String, given: &mut Vec<Given>, text: &str, phonemes: String) -> Result<()> {
    let mark = given_mark(given.len())
        .ok_or_else(|| Error::Text(format!("expected at most {} given pronunciations in a sentence", given.len())))?;
    marked.push(mark);
    given.push(Given { text: text.to_string(), phonemes });
    Ok(())
}

/// The text before the next `[[phonemes]]`, the phonemes, and the text after.
fn next_phonemes(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("[[")?;
    let (phonemes, after) = rest.split_once("]]")?;
    Some((before, phonemes, after))
}

/// For a text without a single word.
pub fn nothing_to_speak(text: &str) -> Error {
    let shown: String = text.trim().chars().take(40).collect();
    Error::Text(format!("expected text with at least one word to speak, found `{}`", shown.escape_debug()))
}
