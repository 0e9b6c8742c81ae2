//! Sentences to words, and words to the parts that a dictionary may know.
//!
//! Tokens and their parts of speech are spaCy's, the former through `misaki_rs`; how tokens are cut into parts
//! and gathered into words follows misaki. Knows nothing of how words sound, but for punctuation.

use misaki_rs::norms;
use misaki_rs::spacy_tagger::hash_string;
use misaki_rs::spacy_tokenizer::SpacyTokenizer;

use super::tagger::Tagger;

/// Tags of tokens that are punctuation and not part of a word.
const PUNCTUATION_TAGS: [&str; 11] = [".", ",", "-LRB-", "-RRB-", "``", "\"\"", "''", ":", "$", "#", "NFP"];

/// Marks that reach the phonemes as they are.
const SPOKEN_MARKS: &str = ";:,.!?—…\"“”";

/// A word that the text gives phonemes for; see [`given_mark`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The word as written.
    pub text: String,
    pub phonemes: String,
}

const FIRST_MARK: u32 = 0xE000;
const LAST_MARK: u32 = 0xF8FF;

/// The private-use character that stands for given word number `index` in a sentence.
pub fn given_mark(index: usize) -> Option<char> {
    let code = FIRST_MARK.checked_add(u32::try_from(index).ok()?)?;
    char::from_u32(code).filter(|&c| is_given_mark(c))
}

/// Whether a character can stand for a given word.
pub fn is_given_mark(c: char) -> bool {
    (FIRST_MARK..=LAST_MARK).contains(&u32::from(c))
}

/// A token, or the part of one between hyphens, apostrophes or capitals.
pub struct Part {
    pub text: String,
    /// Penn Treebank tag.
    pub tag: String,
    /// Whether white space follows.
    pub spaced: bool,
    /// Known from the start for punctuation and given words.
    pub phonemes: Option<String>,
}

/// Cuts sentences into tagged parts.
pub struct Tokenizer {
    tokenizer: SpacyTokenizer,
    tagger: Tagger,
}

impl Tokenizer {
    /// Compiles the tokenizer's patterns.
    pub fn new() -> Self {
        Self { tokenizer: SpacyTokenizer::new(), tagger: Tagger::new() }
    }

    /// The words of a sentence, each as its parts.
    pub fn words(&self, sentence: &str, given: &[Given]) -> Vec<Vec<Part>> {
        let norm = |text: &str| norms::norm_of(text, hash_string);
        let tokens = self.tokenizer.tokenize(sentence).into_iter();
        let tagged: Vec<(String, String, bool)> = tokens
            .map(|t| {
                let norm = t.norm.unwrap_or_else(|| norm(&t.text));
                (t.text, norm, !t.whitespace.is_empty())
            })
            .collect();
        let tags = self.tagger.tag(&tagged);
        let mut parts = Vec::new();
        for ((text, _, spaced), tag) in tagged.iter().zip(tags) {
            let pieces = split_token(text);
            let last = pieces.len().saturating_sub(1);
            parts.extend(pieces.iter().enumerate().map(|(i, piece)| Part {
                phonemes: given_phonemes(piece, given).or_else(|| mark_phonemes(piece, tag)),
                text: piece.to_string(),
                tag: tag.to_string(),
                spaced: *spaced && i == last,
            }));
        }
        group(parts)
    }
}

/// Text and tag of a run of parts; the tag of the part with most letters, capitals counting twice.
pub fn merged(parts: &[Part]) -> (String, String) {
    let weight = |part: &&Part| part.text.chars().map(|c| if c.is_uppercase() { 2 } else { 1 }).sum::<usize>();
    let heaviest = parts.iter().rev().max_by_key(weight);
    (parts.iter().map(|part| part.text.as_str()).collect(), heaviest.map(|part| part.tag.clone()).unwrap_or_default())
}

/// A word as written, without the full stop that stays at a given word.
pub fn written(word: &[Part], given: &[Given]) -> String {
    let is_given = word.iter().any(|part| part.text.starts_with(is_given_mark));
    let word = match word {
        [rest @ .., stop] if is_given && stop.text == "." => rest,
        _ => word,
    };
    let text = |part: &Part| {
        let mark = part.text.chars().next().filter(|&c| is_given_mark(c));
        let word = mark.and_then(|c| given.get((u32::from(c) - FIRST_MARK) as usize));
        word.map_or_else(|| part.text.clone(), |word| word.text.clone())
    };
    word.iter().map(text).collect()
}

/// The phonemes of a word.
pub fn sound(word: &[Part]) -> String {
    word.iter().filter_map(|part| part.phonemes.as_deref()).collect()
}

/// Parts of a token as misaki cuts them: at hyphens, before capitals inside a word, around
/// apostrophes that do not join two letters.
fn split_token(token: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = token.char_indices().collect();
    let at = |i: usize| chars.get(i).map(|&(_, c)| c);
    let is_letter = |i: usize| at(i).is_some_and(char::is_alphabetic);
    let is_upper = |i: usize| at(i).is_some_and(char::is_uppercase);
    let is_lower = |i: usize| at(i).is_some_and(char::is_lowercase);
    let is_quote = |i: usize| at(i).is_some_and(|c| matches!(c, '\'' | '‘' | '’'));
    let mut cuts = vec![0];
    for (i, &(at_byte, _)) in chars.iter().enumerate().skip(1) {
        let joined = match () {
            _ if is_letter(i - 1) && is_letter(i) => {
                !(is_lower(i - 1) && is_upper(i) || is_upper(i - 1) && is_upper(i) && is_lower(i + 1))
            }
            _ if is_letter(i - 1) && is_quote(i) => is_letter(i + 1),
            _ if is_quote(i - 1) && is_letter(i) => i >= 2 && is_letter(i - 2),
            _ => is_quote(i - 1) && is_quote(i) || matches!((at(i - 1), at(i)), (Some('-' | '_'), Some('-' | '_'))),
        };
        if !joined {
            cuts.push(at_byte);
        }
    }
    cuts.push(token.len());
    cuts.windows(2).map(|cut| &token[cut[0]..cut[1]]).collect()
}

fn given_phonemes(piece: &str, given: &[Given]) -> Option<String> {
    let mark = piece.chars().next().filter(|&c| is_given_mark(c))?;
    given.get((u32::from(mark) - FIRST_MARK) as usize).map(|word| word.phonemes.clone())
}

/// What a punctuation token sounds like; `None` for a word.
fn mark_phonemes(text: &str, tag: &str) -> Option<String> {
    if tag == ":" && matches!(text, "-" | "–") {
        return Some("—".to_string());
    }
    if !PUNCTUATION_TAGS.contains(&tag) || text.chars().all(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    Some(match tag {
        "-LRB-" => "(".to_string(),
        "-RRB-" => ")".to_string(),
        "``" => "“".to_string(),
        "\"\"" | "''" => "”".to_string(),
        _ => text.chars().filter(|&c| SPOKEN_MARKS.contains(c)).collect(),
    })
}

/// Gathers parts into words: those that no white space and no punctuation keeps apart.
fn group(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut words: Vec<Vec<Part>> = Vec::new();
    let mut open = false;
    for part in parts {
        let alone = part.phonemes.is_some() && !part.text.starts_with(is_given_mark);
        let spaced = part.spaced;
        match words.last_mut().filter(|_| open && !alone) {
            Some(word) => word.push(part),
            None => words.push(vec![part]),
        }
        open = !alone && !spaced;
    }
    words
}
