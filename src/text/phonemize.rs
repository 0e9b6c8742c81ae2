//! Words to phonemes, after misaki's English rules: dictionary, part of speech, and what follows.
//!
//! How a word that is made of parts is stressed and how context travels from right to left is done
//! here, so that unknown words take part in it. Expects words: digits and symbols are spelled out
//! before. Knows nothing of sentences.

use misaki_rs::lexicon::TokenContext;

use super::homographs;
use super::line::{Line, Word};
use super::pronounce::{Pronouncer, with_plural};
use super::tokens::{Given, Part, Tokenizer, merged, sound, written};
use super::vocab::{CONSONANTS, VOWELS};

/// Reads words aloud, as phonemes.
pub struct Phonemizer {
    tokenizer: Tokenizer,
    pronouncer: Pronouncer,
}

impl Phonemizer {
    /// Compiles the tokenizer's patterns; dictionaries and tagger lie ready.
    pub fn new() -> Self {
        Self { tokenizer: Tokenizer::new(), pronouncer: Pronouncer::new() }
    }

    /// Phonemes of a sentence and where each of its words lies in them.
    pub fn read(&self, sentence: &str, given: &[Given]) -> (String, Vec<Word>) {
        let mut words = self.tokenizer.words(sentence, given);
        homographs::settle(&mut words);
        let mut context = TokenContext::default();
        for word in words.iter_mut().rev() {
            self.resolve(word, &mut context);
        }
        let mut line = Line::default();
        for word in &words {
            line.push(&written(word, given), &sound(word));
            if word.last().is_some_and(|part| part.spaced) {
                line.space();
            }
        }
        line.finish(sentence)
    }

    /// Finds the phonemes of a word, right to left: the longest runs of its parts that the
    /// dictionary knows, then each part by itself.
    fn resolve(&self, word: &mut [Part], context: &mut TokenContext) {
        if let [part] = word {
            let phonemes = part.phonemes.get_or_insert_with(|| self.pronouncer.read(&part.text, &part.tag, context));
            *context = follow(context, phonemes, &part.text, &part.tag);
            return;
        }
        let (mut left, mut right) = (0, word.len());
        while left < right {
            let (text, tag) = merged(&word[left..right]);
            let free = word[left..right].iter().all(|part| part.phonemes.is_none());
            let known = if free { self.pronouncer.known(&text, &tag, context) } else { None };
            let alone = left + 1 == right;
            if !alone && known.is_none() {
                left += 1;
                continue;
            }
            let phonemes = match (word[left].phonemes.take(), known) {
                (Some(given), _) | (None, Some(given)) => given,
                (None, None) => self.pronouncer.read(&text, &tag, context),
            };
            *context = follow(context, &phonemes, &text, &tag);
            word[left].phonemes = Some(phonemes);
            for part in &mut word[left + 1..right] {
                part.phonemes = Some(String::new());
            }
            (right, left) = (left, 0);
        }
        join_plural(word);
        balance_stress(word, &self.pronouncer);
    }
}

/// What the word to the left needs to know of a word with these phonemes.
fn follow(context: &TokenContext, phonemes: &str, text: &str, tag: &str) -> TokenContext {
    let telling = |c: &char| VOWELS.contains(*c) || CONSONANTS.contains(*c) || ";:,.!?—…".contains(*c);
    let future_vowel = match phonemes.chars().find(telling) {
        None => context.future_vowel,
        Some(c) if VOWELS.contains(c) => Some(true),
        Some(c) if CONSONANTS.contains(c) => Some(false),
        Some(_) => None,
    };
    let future_to = matches!(text, "to" | "To") || text == "TO" && matches!(tag, "TO" | "IN");
    TokenContext { future_vowel, future_to }
}

/// Lets a last `'s` agree with the sound before it.
fn join_plural(word: &mut [Part]) {
    let [.., stem, quote, ending] = word else {
        return;
    };
    let heard = quote.phonemes.as_deref().is_some_and(|phonemes| !phonemes.is_empty());
    let possessive =
        heard && matches!(quote.text.as_str(), "'" | "‘" | "’") && matches!(ending.text.as_str(), "s" | "S");
    if let Some(phonemes) = stem.phonemes.take_if(|phonemes| possessive && !phonemes.is_empty()) {
        stem.phonemes = Some(with_plural(&phonemes));
        quote.phonemes = Some(String::new());
        ending.phonemes = Some(String::new());
    }
}

/// Weakens the lighter half of a compound's parts when too many carry primary stress.
fn balance_stress(word: &mut [Part], pronouncer: &Pronouncer) {
    let weight = |phonemes: &str| phonemes.chars().map(|c| if "AIOQWYʤʧ".contains(c) { 2 } else { 1 }).sum::<usize>();
    let mut spoken: Vec<(bool, usize, usize)> = word
        .iter()
        .enumerate()
        .filter_map(|(i, part)| {
            part.phonemes.as_deref().filter(|p| !p.is_empty()).map(|p| (p.contains('ˈ'), weight(p), i))
        })
        .collect();
    let stressed = spoken.iter().filter(|(primary, ..)| *primary).count();
    let weakened: Vec<usize> = match spoken.as_slice() {
        [first, second] if word[first.2].text.chars().count() == 1 => vec![second.2],
        _ if spoken.len() < 2 || stressed <= spoken.len().div_ceil(2) => return,
        _ => {
            spoken.sort();
            spoken[..spoken.len() / 2].iter().map(|&(_, _, i)| i).collect()
        }
    };
    for i in weakened {
        word[i].phonemes = word[i].phonemes.take().map(|p| pronouncer.weaken(&p));
    }
}
