//! The user's own pronunciations, read from a file.

use std::collections::HashMap;
use std::path::Path;

use super::vocab::Vocab;
use crate::error::{Error, Result};

/// How the user wants a word to sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pronunciation {
    /// Phonemes of the misaki alphabet.
    Phonemes(String),
    /// Words that sound the same: `Siobhan` as `shiv awn`.
    Respelling(String),
}

/// Words and how they sound. A word in lower case stands for every casing, any other for itself
/// alone.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    words: HashMap<String, Pronunciation>,
}

impl Lexicon {
    /// Reads a file of `word<TAB>/phonemes/` or `word<TAB>respelling` lines; `#` starts a comment
    /// line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |line, reason: String| Error::Lexicon { path: path.to_path_buf(), line, reason };
        let text = std::fs::read_to_string(path).map_err(|e| failed(0, e.to_string()))?;
        let mut lexicon = Self::default();
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let (word, pronunciation) = parse(line).map_err(|reason| failed(number + 1, reason))?;
            lexicon.words.insert(word, pronunciation);
        }
        Ok(lexicon)
    }

    /// How a word sounds, if the user said so.
    pub fn get(&self, word: &str) -> Option<&Pronunciation> {
        self.words.get(word).or_else(|| self.words.get(&word.to_lowercase()))
    }

    /// The word of the lexicon in a run of text without spaces: where it begins, the word, its
    /// phonemes. Marks around it and a possessive ending do not count.
    pub(super) fn find_in<'a>(&self, run: &'a str) -> Option<(usize, &'a str, &str)> {
        if self.words.is_empty() {
            return None;
        }
        let start = run.find(|c: char| !"(\"“‘'[".contains(c))?;
        let mut word = run[start..].trim_end();
        while !word.is_empty() {
            let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
            let found = [word, stem].into_iter().find_map(|word| Some((word, self.get(word)?)));
            if let Some((word, Pronunciation::Phonemes(phonemes))) = found {
                return Some((start, word, phonemes));
            }
            word = word.strip_suffix(|c: char| !c.is_alphanumeric())?;
        }
        None
    }

    /// Every word and its pronunciation.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Pronunciation)> {
        self.words.iter().map(|(word, pronunciation)| (word.as_str(), pronunciation))
    }

    /// Adds a word or replaces what was said of it.
    pub fn insert(&mut self, word: &str, pronunciation: Pronunciation) {
        self.words.insert(word.to_string(), pronunciation);
    }
}

fn parse(line: &str) -> std::result::Result<(String, Pronunciation), String> {
    let Some((word, sounds)) = line.split_once('\t') else {
        return Err(format!("expected `word<TAB>/phonemes/` or `word<TAB>respelling`, found `{line}`"));
    };
    let (word, sounds) = (word.trim(), sounds.trim());
    if word.is_empty() || word.contains(char::is_whitespace) {
        return Err(format!("expected one word before the tab, found `{word}`"));
    }
    let slashes = sounds.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let pronunciation = match slashes {
        Some(phonemes) => Pronunciation::Phonemes(Vocab::from_ipa(phonemes).map_err(|e| e.to_string())?),
        None if sounds.contains(char::is_alphabetic) && !sounds.contains('/') => {
            Pronunciation::Respelling(sounds.to_string())
        }
        None => {
            return Err(format!("expected `/phonemes/` or a respelling after the tab, found `{sounds}`"));
        }
    };
    Ok((word.to_string(), pronunciation))
}
