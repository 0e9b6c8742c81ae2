//! How one word sounds: exceptions, the dictionary, names, parts of known words, letters, and for
//! what is left the letter-to-sound model. Every word that has a letter gets a reading.
//!
//! Knows nothing of the words around beyond misaki's context.

use misaki_rs::lexicon::TokenContext;

use super::dictionary::{CAP_STRESSES, in_gold, is_entry, lexicon_for, rules};
use super::letters::LetterModel;
use super::spelling::{is_capitals, is_pronounceable, spell, straight, without_drawl};
use super::table;

/// Words that the dictionaries lack or misread, ours to edit.
const EXCEPTIONS: &str = include_str!("data/exceptions.tsv");

/// Names and rarer words out of the CMU Pronouncing Dictionary, in the misaki alphabet.
const NAMES: &str = include_str!("data/cmudict.tsv");

/// Endings: letters, what may replace them to spell the stem, and sounds after the stem's.
/// No sounds: the ending agrees with the stem.
#[rustfmt::skip]
const ENDINGS: &[(&str, &[&str], &str)] = &[
    ("'s", &[""], ""), ("s'", &["s", ""], ""), ("'d", &[""], "d"), ("'ll", &[""], "əl"),
    ("'ve", &[""], "əv"), ("'re", &[""], "əɹ"), ("ies", &["y"], ""), ("es", &["e", ""], ""),
    ("s", &[""], ""), ("ied", &["y"], "d"), ("ed", &["e", "", "-"], "d"),
    ("ing", &["", "e", "-"], "ɪŋ"), ("ier", &["y"], "əɹ"), ("er", &["e", "", "-"], "əɹ"),
    ("iest", &["y"], "əst"), ("est", &["e", "", "-"], "əst"), ("ily", &["y"], "əli"),
    ("ly", &["", "le"], "li"), ("iness", &["y"], "inəs"), ("ness", &[""], "nəs"),
    ("less", &[""], "ləs"), ("fully", &[""], "fəli"), ("ful", &[""], "fəl"),
    ("able", &["", "e"], "əbᵊl"), ("ment", &[""], "mənt"), ("ship", &[""], "ʃˌɪp"),
    ("hood", &[""], "hˌʊd"), ("ish", &["", "e"], "ɪʃ"), ("isation", &["ization"], ""),
    ("ise", &["ize"], ""), ("ised", &["ized"], ""), ("ising", &["izing"], ""),
    ("yse", &["yze"], ""), ("our", &["or"], ""),
];

/// Beginnings that leave the rest of the word as it sounds alone.
#[rustfmt::skip]
const BEGINNINGS: &[(&str, &str)] = &[
    ("un", "ˌʌn"), ("re", "ɹˌi"), ("non", "nˌɑn"), ("pre", "pɹˌi"), ("mis", "mˌɪs"),
    ("dis", "dˌɪs"), ("over", "ˌOvəɹ"), ("under", "ˌʌndəɹ"), ("anti", "ˌænti"), ("super", "sˌupəɹ"),
    ("inter", "ˌɪntəɹ"), ("micro", "mˌIkɹO"), ("multi", "mˌʌlti"), ("semi", "sˌɛmi"),
    ("cyber", "sˌIbəɹ"),
];

/// Marks that are heard even where they are part of a word.
const PAUSES: &str = ";:!?—…";

/// Longer words are read in pieces, so that reading them stays quick.
const LONGEST_WORD: usize = 40;

/// Reads single words.
pub struct Pronouncer {
    letters: LetterModel,
}

impl Pronouncer {
    /// A pronouncer that looks words up in the dictionaries before it puts them together.
    pub fn new() -> Self {
        Self { letters: LetterModel::new() }
    }

    /// A reading of a word that dictionaries know, whole or inflected.
    pub fn known(&self, word: &str, tag: &str, context: &TokenContext) -> Option<String> {
        let mut word = straight(word);
        let lower = word.to_lowercase();
        if word.starts_with('\'') {
            word.clone_from(&lower);
        }
        if let Some(phonemes) = inflected(&lower, |word| table::find(EXCEPTIONS, word)) {
            return Some(phonemes);
        }
        if !word.is_ascii() || word.len() > LONGEST_WORD {
            return None;
        }
        if is_capitals(&word) && !in_gold(&word) && !in_gold(&lower) {
            return (word.len() >= 4).then(|| table::find(NAMES, &lower).map(str::to_string))?;
        }
        if tag == "NNP"
            && let Some(phonemes) = inflected(&lower, name)
        {
            return Some(phonemes);
        }
        let stress = match () {
            _ if word == lower => None,
            _ if word == word.to_uppercase() => Some(CAP_STRESSES.1),
            _ => Some(CAP_STRESSES.0),
        };
        let found = lexicon_for(&word).get_word(&word, tag, stress, Some(context)).map(|(phonemes, _)| phonemes);
        found.or_else(|| table::find(NAMES, &lower).map(str::to_string))
    }

    /// A reading of any word. One without letters sounds like the marks in it that make a pause.
    pub fn read(&self, word: &str, tag: &str, context: &TokenContext) -> String {
        if !word.contains(char::is_alphabetic) {
            return word.chars().filter(|&c| PAUSES.contains(c)).collect();
        }
        if let Some(phonemes) = self.known(word, tag, context) {
            return phonemes;
        }
        if !word.is_ascii()
            && let Some(phonemes) = self.derived(&straight(word).to_lowercase(), 0)
        {
            return phonemes;
        }
        let plain: String =
            deunicode::deunicode(&straight(word)).chars().filter(|c| c.is_ascii_alphabetic() || *c == '\'').collect();
        if plain != word
            && let Some(phonemes) = self.known(&plain, tag, context)
        {
            return phonemes;
        }
        if plain.len() > LONGEST_WORD {
            let (first, rest) = plain.split_at(LONGEST_WORD);
            return format!("{} {}", self.read(first, tag, context), self.read(rest, tag, context));
        }
        if let Some(shorter) = without_drawl(&plain) {
            return self.read(&shorter, tag, context);
        }
        let initials = is_capitals(&plain) && (plain.len() < 5 || !is_pronounceable(&plain.to_lowercase()));
        let lower = plain.to_lowercase();
        match self.derived(&lower, 0).filter(|_| !initials) {
            Some(phonemes) => phonemes,
            None if initials || !is_pronounceable(&lower) => spell(&plain),
            None => {
                Some(self.letters.read(&lower)).filter(|phonemes| !phonemes.is_empty()).unwrap_or_else(|| spell(&plain))
            }
        }
    }

    /// Turns strong stress into weak.
    pub fn weaken(&self, phonemes: &str) -> String {
        rules().apply_stress(phonemes, Some(-0.5))
    }

    /// A reading put together from known parts.
    fn derived(&self, word: &str, depth: usize) -> Option<String> {
        if depth > 2 || word.len() < 3 || word.len() > LONGEST_WORD {
            return None;
        }
        let part = |part: &str| self.base(part).or_else(|| self.derived(part, depth + 1));
        self.with_ending(word, &part).or_else(|| self.with_beginning(word)).or_else(|| self.compound(word))
    }

    fn with_ending(&self, word: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        ENDINGS.iter().find_map(|(ending, stems, sounds)| {
            let rest = word.strip_suffix(ending).filter(|rest| rest.len() >= 2)?;
            stems.iter().find_map(|&stem| {
                let stem = if stem == "-" { undouble(rest)?.to_string() } else { format!("{rest}{stem}") };
                let phonemes = read(&stem)?;
                Some(match (*ending, *sounds) {
                    ("'s" | "s'" | "s" | "es" | "ies", _) => with_plural(&phonemes),
                    ("ied" | "ed", _) => rules().append_ed(&phonemes),
                    ("ing", _) => rules().append_ing(&phonemes)?,
                    (_, sounds) => format!("{phonemes}{sounds}"),
                })
            })
        })
    }

    fn with_beginning(&self, word: &str) -> Option<String> {
        BEGINNINGS.iter().find_map(|(beginning, sounds)| {
            let rest = word.strip_prefix(beginning).filter(|rest| rest.len() >= 4)?;
            Some(format!("{sounds}{}", self.common(rest)?))
        })
    }

    /// Two common words written as one, the second one weakened: the cut nearest to the middle.
    fn compound(&self, word: &str) -> Option<String> {
        let mut cuts: Vec<usize> = (3..word.len().saturating_sub(2)).filter(|&at| word.is_char_boundary(at)).collect();
        cuts.sort_by_key(|&at| at.abs_diff(word.len() - at));
        cuts.into_iter().filter(|_| word.len() >= 7).find_map(|at| {
            let (first, second) = (self.common(&word[..at])?, self.common(&word[at..])?);
            Some(first + &self.weaken(&second))
        })
    }

    /// A stem's reading from any dictionary.
    fn base(&self, word: &str) -> Option<String> {
        let exception = table::find(EXCEPTIONS, word).or_else(|| table::find(NAMES, word)).map(str::to_string);
        exception.or_else(|| {
            let lexicon = lexicon_for(word);
            lexicon.is_known(word, "NN").then(|| lexicon.lookup(word, "NN", None, None))?.map(|(p, _)| p)
        })
    }

    /// A stressed reading out of the hand-checked part of the dictionary.
    fn common(&self, word: &str) -> Option<String> {
        let known = word.is_ascii() && in_gold(word);
        known.then(|| lexicon_for(word).lookup(word, "NN", None, None))?.map(|(p, _)| p).filter(|p| p.contains('ˈ'))
    }
}

/// A name that only the table of names holds whole: misaki finds an angel in "Angeles", and a jar in "Jared".
fn name(word: &str) -> Option<&'static str> {
    table::find(NAMES, word).filter(|_| !is_entry(word))
}

/// What `find` says of a word, or of what the word is the possessive of.
fn inflected(word: &str, find: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let owner = || word.strip_suffix("'s").and_then(&find).map(with_plural);
    find(word).map(str::to_string).or_else(owner)
}

/// A word's sound with the plural or possessive ending that agrees with it.
pub fn with_plural(stem: &str) -> String {
    match stem.chars().next_back() {
        Some(last) if "ptkfθ".contains(last) => format!("{stem}s"),
        Some(last) if "szʃʒʧʤ".contains(last) => format!("{stem}ᵻz"),
        _ => format!("{stem}z"),
    }
}

/// `stopp` to `stop`.
fn undouble(word: &str) -> Option<&str> {
    let mut end = word.chars().rev();
    let (last, before) = (end.next()?, end.next()?);
    (last == before && "bcdgklmnprstvz".contains(last)).then(|| &word[..word.len() - 1])
}
