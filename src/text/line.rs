//! A phoneme string while it grows, and where its words lie in it.

use std::ops::Range;

use super::vocab::Vocab;

/// A spoken word and where it lies in the phonemes of its utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word as spoken, or as written where the text itself gives phonemes.
    pub text: String,
    /// Positions in `char`s of the utterance's phonemes, stress marks included.
    pub phonemes: Range<usize>,
}

/// Collects phonemes so that neither spaces nor full stops are doubled.
#[derive(Debug, Default)]
pub struct Line {
    phonemes: String,
    length: usize,
    words: Vec<Word>,
}

impl Line {
    /// Adds a word or a mark.
    pub fn push(&mut self, text: &str, phonemes: &str) {
        let start = self.length;
        phonemes.chars().for_each(|symbol| self.symbol(symbol));
        if phonemes.contains(Vocab::is_sound) {
            self.words.push(Word { text: text.to_string(), phonemes: start..self.length });
        }
    }

    /// Adds a space where one may stand.
    pub fn space(&mut self) {
        self.symbol(' ');
    }

    /// The phonemes and words of `sentence`, closed by a full stop if the sentence is.
    pub fn finish(mut self, sentence: &str) -> (String, Vec<Word>) {
        if ends_with_stop(sentence) && !ends_with_stop(&self.phonemes) && !self.words.is_empty() {
            self.phonemes.truncate(self.phonemes.trim_end().len());
            self.symbol('.');
        }
        self.phonemes.truncate(self.phonemes.trim_end().len());
        (self.phonemes, self.words)
    }

    fn symbol(&mut self, symbol: char) {
        let symbol = match symbol {
            'ɾ' => 'T',
            'ʔ' => 't',
            other => other,
        };
        let last = self.phonemes.chars().next_back();
        match (last, symbol) {
            (None | Some(' '), ' ') | (Some('…' | '.'), '.') => {}
            _ if Vocab::contains(symbol) => {
                self.phonemes.push(symbol);
                self.length += 1;
            }
            _ => {}
        }
    }
}

/// Whether a sentence or its phonemes close with a mark that ends sentences.
pub fn ends_with_stop(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '’', '\'', ')', ']', ' ']).ends_with(['.', '!', '?', '…'])
}
