//! Numbers in pairs: ordinals, fractions, ranges, sizes, factors.

use super::numbers::{cardinal, code, fraction, number, ordinal, year};
use super::plain::scientific;
use super::rule::{Found, Rule};
use crate::error::Result;

/// Fractions that are one character.
#[rustfmt::skip]
const VULGAR: &[(char, &str)] = &[
    ('½', "1/2"), ('⅓', "1/3"), ('⅔', "2/3"), ('¼', "1/4"), ('¾', "3/4"), ('⅕', "1/5"),
    ('⅖', "2/5"), ('⅗', "3/5"), ('⅘', "4/5"), ('⅙', "1/6"), ('⅚', "5/6"), ('⅛', "1/8"),
    ('⅜', "3/8"), ('⅝', "5/8"), ('⅞', "7/8"),
];

/// Rules for numbers that other marks belong to; they come before measures.
pub fn rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        (r"\b(\d{1,3}(?:,\d{3})+|\d+)(st|nd|rd|th)\b", |f| Some(ordinal(f.group(1).replace(',', "").parse().ok()?))),
        (r"(\d+ )?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])", vulgar),
        (r"\b(\d+) (\d{1,2})/(\d{1,3})\b", |f| {
            mixed(f.group(1), f.value(2)?, f.value(3)?).filter(|_| f.stands_alone())
        }),
        (r"\b(\d{1,3})/(\d{1,3})(?:rds?|ths?|nds?)\b", |f| Some(fraction(f.value(1)?, f.value(2)?))),
        (r"\b(\d+\.\d+)/(5|10|20|100)\b", |f| Some(format!("{} out of {}", number(f.group(1)), number(f.group(2))))),
        (r"\b((?:19|20)\d{2})/(\d{2})\b", season),
        (r"\b(\d{1,4})/(\d{1,4})\b", slash),
        (r"\b({N}) ?[x×] ?10\^([-−]?)(\d+)", scientific),
        (r"\b(\d)[x×](\d+)m\b", |f| f.expand("$1 by ${2}m")),
        (r#"\b({N})(?:["″]|'')? ?[x×] ?({N})(["″])?(?: ?[x×] ?({N})(["″])?)?"#, by),
        (r"\b(\d+)[x×]", |f| {
            (f.stands_alone() && !f.after.starts_with(char::is_alphanumeric))
                .then(|| format!("{} times", number(f.group(1))))
        }),
        (r"({N})(%|°|°C|°F)? ?[-–—] ?({N})", range),
        (r"\b({N}) ?(bn|mn|tn|M|B|T)\b", |f| scaled(f).filter(|_| f.stands_alone())),
    ])
}

fn vulgar(f: &Found) -> Option<String> {
    let sign = f.group(2).chars().next()?;
    let (_, written) = VULGAR.iter().find(|(c, _)| *c == sign)?;
    let (top, bottom) = written.split_once('/')?;
    let attached = f.before.chars().rev().take_while(char::is_ascii_digit).count();
    let parts = fraction(top.parse().ok()?, bottom.parse().ok()?);
    match f.group(1).trim() {
        "" if attached > 0 => Some(format!(" and {}", after_whole(&parts))),
        "" => Some(parts),
        whole => Some(format!("{} and {}", number(whole), after_whole(&parts))),
    }
}

fn after_whole(parts: &str) -> String {
    parts.strip_prefix("one ").map_or_else(|| parts.to_string(), |part| format!("a {part}"))
}

fn mixed(whole: &str, top: u64, bottom: u64) -> Option<String> {
    (top < bottom).then(|| format!("{} and {}", number(whole), after_whole(&fraction(top, bottom))))
}

/// `2019/20`: a year that ends in the next.
fn season(f: &Found) -> Option<String> {
    let (first, last) = (f.value(1)?, f.value(2)?);
    ((first + 1) % 100 == last && f.stands_alone()).then(|| format!("{} {}", year(first), cardinal(last)))
}

/// `3/4` as a fraction, `8/10` as a mark, `120/80` as one over the other.
fn slash(f: &Found) -> Option<String> {
    let (a, b) = (f.value(1)?, f.value(2)?);
    if !f.stands_alone() || f.before.ends_with('/') || f.after.starts_with('/') {
        return None;
    }
    Some(match b {
        2..=9 | 16 | 32 | 64 if a < b => fraction(a, b),
        100 | 1000 | 10_000 if a == 1 => fraction(a, b),
        10 | 100 | 20 if a <= b => format!("{} out of {}", cardinal(a), cardinal(b)),
        _ if a == b => format!("{} {}", cardinal(a), cardinal(b)),
        _ => format!("{} over {}", cardinal(a), cardinal(b)),
    })
}

/// `1920x1080`, `2 x 4`; `3 × 4 = 12`.
fn by(f: &Found) -> Option<String> {
    let summed =
        f.after.trim_start().starts_with(['=', '+', '−', '÷']) || f.before.trim_end().ends_with(['=', '+', '−', '÷']);
    let word = if summed { "times" } else { "by" };
    let side = |written: &str| {
        if written.len() > 2 && written.parse::<u64>().is_ok() { code(written) } else { written.to_string() }
    };
    let third = if f.has(4) { format!(" {word} {}", side(f.group(4))) } else { String::new() };
    let inches = if f.has(3) || f.has(5) { " inches" } else { "" };
    f.stands_alone().then(|| format!("{} {word} {}{third}{inches}", side(f.group(1)), side(f.group(2))))
}

/// `3–5`, `1990-1995`, `3-5%`: the numbers themselves are read later. `747-400` is no range.
fn range(f: &Found) -> Option<String> {
    let equation = f.after.trim_start().starts_with('=') || f.before.trim_end().ends_with(['+', '*', '×', '=']);
    let touched = f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | '_'));
    let longer = f.after.starts_with(['-', '–', '_', '/']) && !f.after.starts_with("- ");
    let (a, b) = (f.group(1), f.group(3));
    if a.len() == 3 && b.len() == 3 && a > b && !equation && !touched {
        return Some(format!("{} {}", code(a), code(b)));
    }
    let word = if equation { "minus" } else { "to" };
    (!touched && !longer).then(|| format!("{}{} {word} {}", f.group(1), f.group(2), f.group(3)))
}

/// `5M people` as `five million people`, `7.9bn` as `seven point nine billion`; `221B` keeps its
/// letter.
fn scaled(f: &Found) -> Option<String> {
    let counted = f.after.strip_prefix(' ').is_some_and(|after| after.starts_with(char::is_lowercase));
    let scale = match f.group(2) {
        "mn" => "million",
        "bn" => "billion",
        "tn" => "trillion",
        "M" if counted => "million",
        "B" if counted => "billion",
        "T" if counted => "trillion",
        _ => return None,
    };
    Some(format!("{} {scale}", number(f.group(1))))
}
