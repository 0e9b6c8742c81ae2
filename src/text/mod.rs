//! Written English to phonemes: sentences, words as spoken, phonemes with stress.
//!
//! `markup` and `ssml` find pauses and marks, `split` finds sentences, `normalize` puts signs into
//! words, `phonemize` reads words aloud with the help of `homographs` and `pronounce`, and `vocab` numbers the
//! phonemes. Knows nothing of models or sound.

mod dictionary;
mod homographs;
pub mod letters;
mod lexicon;
mod line;
pub mod markup;
pub mod normalize;
mod phonemize;
mod pronounce;
mod spelling;
pub mod split;
pub mod ssml;
mod table;
mod tagger;
mod tokens;
mod vocab;

pub use lexicon::{Lexicon, Pronunciation};
pub use line::Word;
pub use vocab::Vocab;

use std::iter;

use crate::error::{Error, Result};
use markup::{End, Part, Passage, Prosody};
use normalize::Normalizer;
use phonemize::Phonemizer;
use tokens::{Given, given_mark, is_given_mark};

/// A stretch of what is to be heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Utterance(Utterance),
    /// Silence, in seconds.
    Pause(f64),
    /// A named place between utterances.
    Mark(String),
}

/// A named place in an utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub name: String,
    /// Number of words before it.
    pub word: usize,
}

/// A sentence ready to be spoken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Utterance {
    /// The sentence as written, without the brackets around given phonemes.
    pub text: String,
    /// The words as spoken.
    pub spoken: String,
    /// Phonemes with stress and punctuation, ready for [`Vocab::encode`].
    pub phonemes: String,
    pub words: Vec<Word>,
    pub marks: Vec<Mark>,
    pub prosody: Prosody,
    /// Whether its sentence ends with it, and does not go on after a pause.
    pub ends_sentence: bool,
    /// Whether a longer pause is due after it.
    pub ends_paragraph: bool,
}

impl Utterance {
    /// Itself or, where nothing is spoken, its marks.
    fn items(self) -> Vec<Item> {
        if !self.words.is_empty() {
            return vec![Item::Utterance(self)];
        }
        self.marks.into_iter().map(|mark| Item::Mark(mark.name)).collect()
    }
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
    /// Compiles rules.
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

    /// The utterances of a text, in order; at least one. Pauses and marks between them are left out.
    pub fn read(&self, text: &str) -> Result<Vec<Utterance>> {
        let spoken = self.items(text)?.filter_map(|item| match item {
            Ok(Item::Utterance(utterance)) => Some(Ok(utterance)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        let utterances: Vec<Utterance> = spoken.collect::<Result<_>>()?;
        if utterances.is_empty() { Err(nothing_to_speak(text)) } else { Ok(utterances) }
    }

    /// The phonemes of all utterances of a text, a space between.
    pub fn phonemes(&self, text: &str) -> Result<String> {
        let utterances = self.read(text)?;
        Ok(utterances.iter().map(|utterance| utterance.phonemes.as_str()).collect::<Vec<_>>().join(" "))
    }

    /// What is to be heard of a text (see [`markup`]), one by one: a sentence is read when it is asked for, so that the
    /// first one of a book does not wait for the others. No utterance if there is nothing to speak.
    pub fn items(&self, text: &str) -> Result<impl Iterator<Item = Result<Item>> + use<'_>> {
        let parts = markup::parts(text)?;
        Ok(parts.into_iter().flat_map(|part| -> Box<dyn Iterator<Item = Result<Item>>> {
            match part {
                Part::Pause(seconds) => Box::new(iter::once(Ok(Item::Pause(seconds)))),
                Part::Mark(name) => Box::new(iter::once(Ok(Item::Mark(name)))),
                Part::Text(passage) => Box::new(self.passage(passage)),
            }
        }))
    }

    /// A passage sentence by sentence.
    fn passage(&self, passage: Passage) -> impl Iterator<Item = Result<Item>> + use<'_> {
        let sentences = passage.sentences();
        let silent = if sentences.is_empty() { passage.marks } else { Vec::new() };
        let spoken = sentences.into_iter().flat_map(|sentence| match self.read_sentence(sentence) {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        silent.into_iter().map(|(_, name)| Ok(Item::Mark(name))).chain(spoken)
    }

    /// A sentence as one utterance or, if it is long, as several.
    fn read_sentence(&self, sentence: Passage) -> Result<Vec<Item>> {
        let end = sentence.end;
        let (mut utterances, mut open) = (Vec::new(), vec![sentence]);
        while let Some(passage) = open.pop() {
            let whole = if passage.text.len() > MOST_BYTES { None } else { self.read_whole(&passage)? };
            let fits = |utterance: &Utterance| utterance.phonemes.chars().count() <= MOST_PHONEMES;
            match whole.filter(fits) {
                Some(utterance) => utterances.push(utterance),
                None => open.extend(passage.halves().into_iter().flatten().rev()),
            }
        }
        if let Some(last) = utterances.iter_mut().rev().find(|utterance| !utterance.words.is_empty()) {
            last.ends_sentence = end >= End::Sentence;
            last.ends_paragraph = end == End::Paragraph;
        }
        Ok(utterances.into_iter().flat_map(Utterance::items).collect())
    }

    /// The passage as one utterance, unless its words are too many.
    fn read_whole(&self, passage: &Passage) -> Result<Option<Utterance>> {
        let Some((spoken, phonemes, words)) = self.sound(&passage.text)? else { return Ok(None) };
        let mut marks = Vec::new();
        for (at, name) in &passage.marks {
            // Read by itself what stands before the mark has as many words as it has in its sentence, or nearly.
            let before = if *at == 0 { None } else { self.sound(&passage.text[..*at])? };
            let word = before.map_or(0, |(_, _, before)| before.len().min(words.len()));
            marks.push(Mark { name: name.clone(), word });
        }
        let (text, prosody) = (without_brackets(&passage.text), passage.prosody);
        Ok(Some(Utterance { text, spoken, phonemes, words, marks, prosody, ..Default::default() }))
    }

    /// A text in words, their phonemes and where they lie, unless its words are too many.
    fn sound(&self, text: &str) -> Result<Option<(String, String, Vec<Word>)>> {
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
        Ok(Some((spoken, phonemes, words)))
    }

    /// Puts a mark in place of each `[[phonemes]]` or `[[word|phonemes]]` and each word of the lexicon.
    fn mark_given(&self, text: &str) -> Result<(String, Vec<Given>)> {
        let (mut marked, mut given, mut rest) = (String::new(), Vec::new(), text);
        while let Some((before, (word, phonemes), after)) = next_phonemes(rest) {
            self.mark_lexicon(before, &mut marked, &mut given)?;
            push_mark(&mut marked, &mut given, word, Vocab::from_ipa(phonemes)?)?;
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

/// The text before the next `[[phonemes]]`, the word that they stand for and they themselves, and the text after.
fn next_phonemes(text: &str) -> Option<(&str, (&str, &str), &str)> {
    let (before, rest) = text.split_once("[[")?;
    let (given, after) = rest.split_once("]]")?;
    Some((before, given.split_once('|').unwrap_or((given, given)), after))
}

/// The text with the words in place of `[[word|phonemes]]`.
fn without_brackets(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, (word, _), after)) = next_phonemes(rest) {
        plain.extend([before, word]);
        rest = after;
    }
    plain + rest
}

/// For a text without a single word.
pub fn nothing_to_speak(text: &str) -> Error {
    let shown: String = text.trim().chars().take(40).collect();
    Error::Text(format!("expected text with at least one word to speak, found `{}`", shown.escape_debug()))
}
