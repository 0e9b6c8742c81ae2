//! Telephone and card numbers.

use super::numbers::{code, digits};
use super::rule::{Found, Rule};
use crate::error::Result;

/// The rules, in the order they apply.
pub fn rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        (r"\b(?:\d{4}[ -]){3}\d{4}\b", |f| Some(groups(f.group(0)))),
        (r"(\+\d{1,3}[ .-]?|\b1[ .-])\(?(\d{2,4})\)?[ .-](\d{3,4})[ .-](\d{3,4})\b", |f| phone(f, &[1, 2, 3, 4])),
        (r"\(?\b(\d{3})\)?[ .-](\d{3})[.-](\d{4})\b", |f| phone(f, &[1, 2, 3])),
        (r"\b0\d{2,4} \d{3,4} \d{3,4}\b", |f| Some(groups(f.group(0)))),
        (r"\((0\d{2,4})\) ?(\d{3,4}[ -]\d{3,4})\b", |f| {
            Some(format!("{}, {}", digits(f.group(1)), groups(f.group(2))))
        }),
        (r"(\+\d{1,3}) ?\((0)\) ?(\d{1,4}(?:[ .-]\d{2,4}){1,4})\b", |f| {
            Some(format!("plus {}, zero, {}", digits(f.group(1)), groups(f.group(3))))
        }),
        (r"(\+\d{1,3})((?:[ .-]\d{2,4}){2,5})\b", |f| {
            Some(format!("plus {}, {}", digits(f.group(1)), groups(f.group(2))))
        }),
        (r"\+(\d{7,15})\b", |f| Some(format!("plus {}", digits(f.group(1))))),
        (r"\b(\d{3})-(\d{4})\b", |f| phone(f, &[1, 2])),
        (r"(?i)\b(call|dial|calling|dialed|dialing) (\d{3})\b", |f| {
            Some(format!("{} {}", f.group(1), digits(f.group(2))))
        }),
        (r"\b911\b", |f| (f.stands_alone() && f.word_before() != "Porsche").then(|| digits("911"))),
    ])
}

fn phone(f: &Found, parts: &[usize]) -> Option<String> {
    let touched = f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | '$' | ','));
    let longer = f.after.starts_with(['-', '/']) || f.after.starts_with(|c: char| c.is_alphanumeric());
    let plus = if f.group(1).starts_with('+') { "plus " } else { "" };
    let said = |i: &usize| {
        if matches!(f.group(*i), "800" | "900") { code(f.group(*i)) } else { digits(f.group(*i)) }
    };
    (!touched && !longer).then(|| format!("{plus}{}", parts.iter().map(said).collect::<Vec<_>>().join(", ")))
}

/// Digits group by group.
pub fn groups(written: &str) -> String {
    written.split([' ', '.', '-']).filter(|part| !part.is_empty()).map(digits).collect::<Vec<_>>().join(", ")
}
