//! A pattern and how what it finds is spoken.

use regex::{Captures, Regex};

use crate::error::{Error, Result};

/// A number as written: `5`, `1,234`, `3.14`.
pub const NUMBER: &str = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)";

/// What a rule found, and the text around it.
pub struct Found<'a> {
    captures: Captures<'a>,
    pub before: &'a str,
    pub after: &'a str,
}

/// Words for what was found; `None` leaves it as it is.
pub type Speak = fn(&Found) -> Option<String>;

/// A pattern and the words for it.
pub struct Rule {
    pattern: Regex,
    speak: Speak,
}

impl Rule {
    /// Compiles a pattern, in which `{N}` stands for [`NUMBER`] and digits are ASCII.
    pub fn new(pattern: &str, speak: Speak) -> Result<Self> {
        let pattern = pattern.replace("{N}", NUMBER).replace(r"\d", "[0-9]").replace(r"\w", "[0-9A-Za-z_À-ɏ]");
        let regex =
            Regex::new(&pattern).map_err(|e| Error::Text(format!("expected a pattern, found `{pattern}`: {e}")))?;
        Ok(Self { pattern: regex, speak })
    }

    /// Compiles a table of rules.
    pub fn table(rules: &[(&str, Speak)]) -> Result<Vec<Self>> {
        rules.iter().map(|(pattern, speak)| Self::new(pattern, *speak)).collect()
    }

    /// The text with all that the pattern finds put in words.
    pub fn apply(&self, text: String) -> String {
        let (mut spoken, mut done) = (String::new(), 0);
        for captures in self.pattern.captures_iter(&text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            let found = Found { before: &text[..whole.start()], after: &text[whole.end()..], captures };
            if let Some(words) = (self.speak)(&found) {
                spoken.push_str(&text[done..whole.start()]);
                spoken.push_str(&words);
                done = whole.end();
            }
        }
        if done == 0 {
            return text;
        }
        spoken.push_str(&text[done..]);
        spoken
    }
}

impl<'a> Found<'a> {
    /// What group `index` holds, nothing if it took no part.
    pub fn group(&self, index: usize) -> &'a str {
        self.captures.get(index).map_or("", |group| group.as_str())
    }

    /// Words in which `$1` stands for group 1.
    pub fn expand(&self, words: &str) -> Option<String> {
        let mut expanded = String::new();
        self.captures.expand(words, &mut expanded);
        Some(expanded)
    }

    /// A group as a whole number.
    pub fn value(&self, index: usize) -> Option<u64> {
        self.group(index).parse().ok()
    }

    /// Whether a group took part.
    pub fn has(&self, index: usize) -> bool {
        self.captures.get(index).is_some()
    }

    /// Whether no letter or digit touches what was found, nor a mark that would make it part of a
    /// longer number or name.
    pub fn stands_alone(&self) -> bool {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@');
        let before = self.before.chars().next_back();
        let mut after = self.after.chars();
        let (next, second) = (after.next(), after.next());
        let longer = matches!(next, Some('.' | ',' | ':' | '/' | '-')) && second.is_some_and(|c| c.is_ascii_digit());
        !before.is_some_and(|c| joins(c) || matches!(c, '.' | ',')) && !next.is_some_and(joins) && !longer
    }

    /// The word before, without what stands between.
    pub fn word_before(&self) -> &'a str {
        let trimmed = self.before.trim_end();
        trimmed.rsplit(|c: char| !c.is_alphanumeric() && c != '\'').next().unwrap_or_default()
    }

    /// The word after, without what stands between.
    pub fn word_after(&self) -> &'a str {
        let trimmed = self.after.trim_start();
        trimmed.split(|c: char| !c.is_alphanumeric() && c != '\'').next().unwrap_or_default()
    }
}
