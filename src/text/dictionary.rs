//! misaki's dictionaries of US English, looked up where they lie in the program (`build.rs` writes them): nothing is loaded.
//!
//! misaki reads a word with a [`Lexicon`] of all entries; here it gets one with the few that it can ask for.

use std::collections::HashMap;

use misaki_rs::lexicon::PhonemeEntry;
use misaki_rs::{Language, Lexicon};

use super::table;

/// Entries that were checked by hand.
const GOLD: &str = include_str!(concat!(env!("OUT_DIR"), "/gold.tsv"));

/// Entries that were not.
const SILVER: &str = include_str!(concat!(env!("OUT_DIR"), "/silver.tsv"));

/// What a word with capitals is stressed by: one that starts with them, one of nothing else.
pub const CAP_STRESSES: (f64, f64) = (0.5, 2.0);

/// What may be cut off a word's end and put there instead to find its stem.
const STEMS: [(usize, &str); 8] = [(0, ""), (1, ""), (2, ""), (2, "'s"), (3, ""), (3, "y"), (3, "e"), (4, "")];

/// Signs and short forms that are read as another word.
const NAMED: [(&str, &str); 8] = [
    (".", "dot"),
    ("/", "slash"),
    ("%", "percent"),
    ("&", "and"),
    ("+", "plus"),
    ("@", "at"),
    ("vs", "versus"),
    ("vs.", "versus"),
];

/// misaki's rules alone, without any entry.
pub fn rules() -> Lexicon {
    let (golds, silvers) = (HashMap::new(), HashMap::new());
    Lexicon { lang: Language::EnglishUS, cap_stresses: CAP_STRESSES, golds, silvers }
}

/// misaki's rules with every entry that they can ask for to read this word.
pub fn lexicon_for(word: &str) -> Lexicon {
    let mut lexicon = rules();
    for form in forms(word) {
        for (table, entries) in [(GOLD, &mut lexicon.golds), (SILVER, &mut lexicon.silvers)] {
            if let Some(found) = table::find(table, &form) {
                entries.insert(form.clone(), entry(found));
            }
        }
    }
    lexicon
}

/// Whether the checked dictionary has a word, written small or capitalized.
pub fn in_gold(word: &str) -> bool {
    lexicon_of(GOLD, word).in_gold(word)
}

/// Whether a dictionary has a word as it stands, written small or capitalized: not only its stem.
pub fn is_entry(word: &str) -> bool {
    cases(word).iter().any(|form| [GOLD, SILVER].iter().any(|table| table::find(table, form).is_some()))
}

fn lexicon_of(table: &str, word: &str) -> Lexicon {
    let mut lexicon = rules();
    let cases = cases(word).into_iter().filter_map(|form| table::find(table, &form).map(|found| (form, entry(found))));
    lexicon.golds = cases.collect();
    lexicon
}

/// The word and its possible stems in all cases, its letters, and what it may stand for.
fn forms(word: &str) -> Vec<String> {
    let lower = word.to_lowercase();
    let mut forms: Vec<String> = word.chars().map(|c| c.to_uppercase().to_string()).collect();
    forms.extend(NAMED.iter().filter(|(name, _)| *name == lower).map(|(_, word)| word.to_string()));
    for whole in [word, &lower] {
        for (cut, ending) in STEMS {
            let stem = whole.len().checked_sub(cut).and_then(|end| whole.get(..end));
            forms.extend(stem.into_iter().flat_map(|stem| cases(&format!("{stem}{ending}"))));
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// A word as it stands, in small letters, and capitalized.
fn cases(word: &str) -> [String; 3] {
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let capitalized = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
    [word.to_string(), lower, capitalized.unwrap_or_default()]
}

fn entry(found: &str) -> PhonemeEntry {
    if !found.contains('=') {
        return PhonemeEntry::Simple(found.to_string());
    }
    let readings = found.split(' ').filter_map(|reading| reading.split_once('='));
    let phonemes = |phonemes: &str| Some(phonemes.to_string()).filter(|phonemes| !phonemes.is_empty());
    PhonemeEntry::Tagged(readings.map(|(tag, reading)| (tag.to_string(), phonemes(reading))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hold_what_misaki_holds() {
        for (table, whole) in [(GOLD, misaki_rs::data::load_us_gold()), (SILVER, misaki_rs::data::load_us_silver())] {
            assert_eq!(table.lines().count(), whole.len());
            for (word, expected) in whole {
                let found = entry(table::find(table, &word).unwrap_or_else(|| panic!("{word} is missing")));
                assert_eq!(format!("{:?}", sorted(found)), format!("{:?}", sorted(expected)), "{word}");
            }
        }
    }

    fn sorted(entry: PhonemeEntry) -> Vec<(String, Option<String>)> {
        let mut readings: Vec<_> = match entry {
            PhonemeEntry::Simple(phonemes) => vec![(String::new(), Some(phonemes))],
            PhonemeEntry::Tagged(readings) => readings.into_iter().collect(),
        };
        readings.sort();
        readings
    }

    #[test]
    fn a_word_is_read_as_with_all_entries() {
        let whole = Lexicon::new(Language::EnglishUS);
        let words = GOLD.lines().chain(SILVER.lines()).step_by(200).filter_map(|line| line.split('\t').next());
        let known = ["a", "AM", "To", "used", "vs.", "%", "U.S.", "iPhone", "PDFs", "running", "zzyzxing", "cities'"];
        for word in words.chain(known) {
            let endings = ["", "s", "'s", "es", "ies", "d", "ed", "ing", "ming", "s'", "'"];
            for word in endings.map(|ending| format!("{word}{ending}")) {
                for word in [word.to_uppercase(), word.to_lowercase(), word] {
                    let few = lexicon_for(&word);
                    assert_eq!(few.in_gold(&word), whole.in_gold(&word), "{word}");
                    assert_eq!(in_gold(&word), whole.in_gold(&word), "{word}");
                    for tag in ["NN", "NNP", "VBD", "IN"] {
                        let read = |lexicon: &Lexicon| {
                            let read = lexicon.get_word(&word, tag, Some(0.5), None);
                            (read, lexicon.is_known(&word, tag), lexicon.lookup(&word, tag, None, None))
                        };
                        assert_eq!(read(&few), read(&whole), "{word} as {tag}");
                    }
                }
            }
        }
    }
}
