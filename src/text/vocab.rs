//! The alphabet between text and models: phoneme symbols and their ids.
//!
//! Symbols are those of the misaki alphabet that American English needs, each one `char`. The order
//! is part of every trained model: append, never reorder. Knows nothing of words or spelling.

use crate::error::{Error, Result};

/// Every symbol that a model is trained on, in the order of its id. The first one has id 3.
const SYMBOLS: &str = " ;:,.!?—…“”()ˈˌAIOWYiuæɐɑəɛɜɪɔʊʌᵊᵻbdfhjklmnpstvwzðŋɡɹθʃʒʤʧT";

/// Symbols that sound as a vowel (diphthongs included).
pub const VOWELS: &str = "AIOWYiuæɑəɛɜɪɔʊʌᵻ";

/// Symbols that sound as a consonant.
pub const CONSONANTS: &str = "bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ";

/// Symbols that are heard as a pause or a change of tone, or not at all.
pub const PUNCTUATION: &str = ";:,.!?—…“”()";

/// Usual IPA and what the alphabet writes for it, longest first.
#[rustfmt::skip]
const IPA: &[(&str, &str)] = &[
    ("t͡ʃ", "ʧ"), ("d͡ʒ", "ʤ"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"),
    ("oʊ", "O"), ("əʊ", "O"), ("ɔɪ", "Y"), ("l̩", "ᵊl"), ("n̩", "ᵊn"), ("ɝ", "ɜɹ"), ("ɚ", "əɹ"),
    ("g", "ɡ"), ("r", "ɹ"), ("ɫ", "l"), ("ɾ", "T"), ("ʔ", "t"), ("ʍ", "w"), ("ɒ", "ɑ"), ("x", "k"),
    ("a", "ɑ"), ("e", "ɛ"), ("o", "O"), ("ː", ""), ("ˑ", ""), ("'", "ˈ"), ("ʼ", "ˈ"),
];

/// Maps phoneme symbols to the ids that models read, and back.
///
/// ```
/// use tts::text::Vocab;
/// let ids = Vocab::encode("həlˈO.").unwrap();
/// assert_eq!(Vocab::decode(&ids).unwrap(), "həlˈO.");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Vocab;

impl Vocab {
    /// Fills a batch; never spoken.
    pub const PAD: i64 = 0;
    /// Silence before the first phoneme.
    pub const BEGIN: i64 = 1;
    /// Silence after the last phoneme.
    pub const END: i64 = 2;
    const FIRST_SYMBOL: i64 = 3;

    /// Number of ids, the reserved ones included.
    pub fn len() -> i64 {
        Self::FIRST_SYMBOL + SYMBOLS.chars().count() as i64
    }

    /// Every symbol in the order of its id.
    pub fn symbols() -> impl Iterator<Item = char> {
        SYMBOLS.chars()
    }

    /// Whether a model can be given this symbol.
    pub fn contains(symbol: char) -> bool {
        SYMBOLS.contains(symbol)
    }

    /// Whether a symbol is heard by itself, as stress marks, spaces and punctuation are not.
    pub fn is_sound(symbol: char) -> bool {
        Self::contains(symbol) && !PUNCTUATION.contains(symbol) && !matches!(symbol, ' ' | 'ˈ' | 'ˌ')
    }

    /// Ids of a phoneme string, one a `char`, without `BEGIN` and `END`.
    pub fn encode(phonemes: &str) -> Result<Vec<i64>> {
        phonemes.chars().map(Self::id).collect()
    }

    /// Ids of all that is spoken of an utterance: `BEGIN`, its phonemes, `END`.
    pub fn encode_utterance(phonemes: &str) -> Result<Vec<i64>> {
        let ids = [Ok(Self::BEGIN)].into_iter().chain(phonemes.chars().map(Self::id)).chain([Ok(Self::END)]);
        ids.collect()
    }

    /// The phoneme string of `ids`; reserved ids stand for silence and are left out.
    pub fn decode(ids: &[i64]) -> Result<String> {
        ids.iter().filter(|&&id| !(Self::PAD..Self::FIRST_SYMBOL).contains(&id)).map(|&id| Self::symbol(id)).collect()
    }

    /// Phonemes that a person wrote, in this alphabet: diphthongs and affricates of usual IPA
    /// become one symbol, and stress marks move to right before their vowel. An unknown symbol is
    /// named.
    pub fn from_ipa(written: &str) -> Result<String> {
        let replaced = IPA.iter().fold(written.trim().to_string(), |text, (ipa, ours)| text.replace(ipa, ours));
        Self::encode(&replaced)?;
        let (mut phonemes, mut stress) = (String::new(), None);
        for symbol in replaced.chars() {
            match symbol {
                'ˈ' | 'ˌ' => stress = Some(symbol),
                _ if VOWELS.contains(symbol) => phonemes.extend(stress.take().into_iter().chain([symbol])),
                _ => phonemes.push(symbol),
            }
        }
        Ok(phonemes)
    }

    fn id(symbol: char) -> Result<i64> {
        let position = SYMBOLS.chars().position(|s| s == symbol);
        position.map(|p| p as i64 + Self::FIRST_SYMBOL).ok_or_else(|| {
            Error::Text(format!(
                "expected phonemes out of `{}`, found `{}`",
                SYMBOLS.trim_start(),
                symbol.escape_debug()
            ))
        })
    }

    fn symbol(id: i64) -> Result<char> {
        let position = usize::try_from(id - Self::FIRST_SYMBOL).ok();
        position
            .and_then(|p| SYMBOLS.chars().nth(p))
            .ok_or_else(|| Error::Text(format!("expected a phoneme id from 0 to {}, found {id}", Self::len() - 1)))
    }
}
