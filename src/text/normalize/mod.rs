//! Written signs to spoken words: numbers, dates, money, measures, abbreviations, addresses, emoji.
//!
//! Each family of rules is a table of patterns in its own file; here is only their order. What
//! comes out holds letters and punctuation, no digits. Knows nothing of phonemes.

mod addresses;
mod clean;
mod code;
mod dates;
mod money;
pub mod numbers;
mod plain;
mod quantities;
mod roman;
mod rule;
pub(super) mod say_as;
mod signs;
mod telephone;
mod titles;
mod units;
mod words;

use std::sync::OnceLock;

use crate::error::Result;
use rule::Rule;

/// Rules that the same signs call for, compiled when they first do.
struct Family {
    build: fn() -> Result<Vec<Rule>>,
    rules: OnceLock<Vec<Rule>>,
}

/// Spells out everything in a sentence that is not a word.
pub struct Normalizer {
    /// Addresses, telephone numbers, code: a sign or a dot inside a word calls for them.
    names: Family,
    /// Abbreviations, titles, Roman numerals: any text may have them.
    words: Family,
    /// Dates, money, measures, plain numbers: a digit calls for them.
    numbers: Family,
    /// What is left of signs.
    signs: Family,
}

impl Normalizer {
    /// A normalizer whose rules are compiled at their first use.
    pub fn new() -> Self {
        Self {
            names: Family::new(|| join([signs::first_rules(), addresses::rules(), telephone::rules(), code::rules()])),
            words: Family::new(|| join([words::numbered_rules(), roman::rules(), titles::rules(), words::rules()])),
            numbers: Family::new(|| {
                let compound = [dates::rules(), money::rules(), quantities::rules(), units::rules()];
                join(compound.into_iter().chain([dates::year_rules(), plain::rules()]))
            }),
            signs: Family::new(signs::last_rules),
        }
    }

    /// The sentence as it is spoken, in words.
    pub fn speak(&self, sentence: &str) -> Result<String> {
        let mut text = without_bullet(&clean::clean(sentence)?);
        let signs = text.contains(|c| !is_plain(c))
            || ["..", "--", " -", " :", " ;", "- "].iter().any(|marks| text.contains(marks));
        let dotted = text.split_whitespace().any(|word| word.trim_end_matches('.').contains('.'));
        let called_for = [
            (signs || dotted, &self.names),
            (true, &self.words),
            (text.contains(is_numeric), &self.numbers),
            (signs, &self.signs),
        ];
        for (_, family) in called_for.iter().filter(|(called_for, _)| *called_for) {
            for rule in family.rules()? {
                text = rule.apply(text);
            }
        }
        Ok(tidy(&text))
    }
}

impl Default for Normalizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Family {
    fn new(build: fn() -> Result<Vec<Rule>>) -> Self {
        Self { build, rules: OnceLock::new() }
    }

    fn rules(&self) -> Result<&[Rule]> {
        if self.rules.get().is_none() {
            let rules = (self.build)()?;
            self.rules.get_or_init(|| rules);
        }
        Ok(self.rules.get().map(Vec::as_slice).unwrap_or_default())
    }
}

fn join(tables: impl IntoIterator<Item = Result<Vec<Rule>>>) -> Result<Vec<Rule>> {
    let tables: Vec<Vec<Rule>> = tables.into_iter().collect::<Result<_>>()?;
    Ok(tables.into_iter().flatten().collect())
}

/// Whether a character has no meaning beyond letters and punctuation.
fn is_plain(c: char) -> bool {
    c.is_alphabetic() || c.is_whitespace() || "',.;:!?\"“”‘’—–-()…".contains(c)
}

/// A list item without its mark; `3)` becomes `3.`
fn without_bullet(text: &str) -> String {
    let Some((mark, rest)) = text.split_once(' ') else {
        return text.to_string();
    };
    match mark.strip_suffix(')') {
        _ if matches!(mark, "-" | "–" | "*" | "+" | "•" | "‣" | "◦") => rest.to_string(),
        Some(number) if number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty() => {
            format!("{number}. {rest}")
        }
        _ => text.to_string(),
    }
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || "²³½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞".contains(c)
}

/// Single spaces, none before punctuation that closes.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let closes = word.chars().all(|c| ",.;:!?)”’".contains(c));
        if !tidied.is_empty() && !closes {
            tidied.push(' ');
        }
        tidied.push_str(word);
    }
    tidied
}
