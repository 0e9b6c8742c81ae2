//! Dates, clock times, years and decades.

use super::numbers::{cardinal, decade, ordinal, year};
use super::rule::{Found, Rule};
use crate::error::Result;

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];

/// Months, spelled out or cut to three or four letters.
const MONTH: &str = concat!(
    "(January|February|March|April|May|June|July|August|September|October|November|December|",
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)",
);

/// Words before a number with a slash that make it a date.
const BEFORE_DATE: [&str; 9] = ["on", "by", "until", "till", "since", "from", "before", "after", "dated"];

/// Words before four digits that make them a year.
const BEFORE_YEAR: [&str; 9] = ["in", "since", "by", "of", "until", "from", "year", "before", "after"];

/// The rules, in the order they apply.
pub fn rules() -> Result<Vec<Rule>> {
    let month_first =
        format!(r"\b{MONTH} (\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(\d{{1,2}})(?:st|nd|rd|th)?)?(,? \d{{4}}\b)?");
    let day_first = format!(r"\b(the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH}(,? \d{{4}}\b)?");
    let month_year = format!(r"\b{MONTH},? (\d{{4}})\b");
    Rule::table(&[
        (r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(Z)?)?", iso),
        (r"\b(\d{1,2})([/-])(\d{1,2})[/-](\d{4}|\d{2})\b", month_day_year),
        (r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b", day_month_year),
        (&month_first, month_day),
        (&day_first, day_month),
        (&month_year, |f| Some(format!("{} {}", month_name(f.group(1))?, year(f.value(2)?)))),
        (r"\b(\d{1,2})/(\d{1,2})\b", short_date),
        (
            r"(\d{1,2}(?::\d{2})?(?: ?[AaPp]\.?[Mm]\.?)?) ?[-–—] ?(\d{1,2}(?::\d{2})? ?[AaPp]\.?[Mm]\b\.?|\d{1,2}:\d{2})",
            |f| Some(format!("{} to {}", f.group(1), f.group(2))),
        ),
        (r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AaPp])\.?[Mm]\b(\.)?)?", clock),
        (r"\b(\d{1,2}) ?([AaPp])\.?[Mm]\b(\.)?", hour),
        (r"\b(\d{1,3}):(\d{1,3})\b", |f| f.stands_alone().then(|| ratio(f))?),
        (r"(['‘’]?)\b(\d{2}|\d{4})['’]?s\b", |f| Some(decade(f.value(2)?)).filter(|_| f.group(2).ends_with('0'))),
        (r"['‘’](\d{2})\b", |f| {
            f.stands_alone().then(|| year(1900 + f.value(1)?).split_once(' ').map(|(_, y)| y.to_string()))?
        }),
        (r"\b(Q[1-4]) (\d{4})\b", |f| Some(format!("{} {}", f.group(1), year(f.value(2)?)))),
        (r"\b(\d{3,4})( ?(?:BC|AD|BCE|CE))\b", |f| Some(format!("{}{}", year(f.value(1)?), f.group(2)))),
    ])
}

/// The rule for years alone; it comes after ranges and measures.
pub fn year_rules() -> Result<Vec<Rule>> {
    Rule::table(&[(r"\b(\d{4})\b", plain_year)])
}

fn month_name(written: &str) -> Option<&'static str> {
    let start = written.get(..3)?;
    MONTHS.iter().find(|month| month.starts_with(start)).copied()
}

/// A date, unless there is no such month or day.
pub fn full(month: u64, day: u64, of_year: Option<u64>) -> Option<String> {
    let name = month_of_year(month, None)?;
    let day = (1..=31).contains(&day).then(|| ordinal(day))?;
    Some(of_year.map_or_else(|| format!("{name} {day}"), |y| format!("{name} {day}, {}", year(y))))
}

/// `December`, `December twenty nineteen`.
pub fn month_of_year(month: u64, of_year: Option<u64>) -> Option<String> {
    let name = MONTHS.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    Some(of_year.map_or_else(|| name.to_string(), |y| format!("{name} {}", year(y))))
}

/// The year that digits mean: `19` for 2019, `85` for 1985.
pub fn full_year(digits: &str) -> Option<u64> {
    Some(match digits.parse().ok()? {
        y @ 0..=49 if digits.len() == 2 => 2000 + y,
        y @ 50..=99 if digits.len() == 2 => 1900 + y,
        y => y,
    })
}

/// `2019-12-03`, with or without a time.
fn iso(f: &Found) -> Option<String> {
    let date = full(f.value(2)?, f.value(3)?, f.value(1)).filter(|_| f.stands_alone())?;
    Some(match f.group(4) {
        "" => date,
        time => format!("{date}, {time}{}", if f.has(5) { " UTC" } else { "" }),
    })
}

/// `12/3/2019`: month first, unless only the second number can be a month.
fn month_day_year(f: &Found) -> Option<String> {
    let (a, b) = (f.value(1)?, f.value(3)?);
    let (month, day) = if a > 12 { (b, a) } else { (a, b) };
    full(month, day, full_year(f.group(4))).filter(|_| f.stands_alone())
}

/// `3.12.2019`: day first.
fn day_month_year(f: &Found) -> Option<String> {
    full(f.value(2)?, f.value(1)?, f.value(3)).filter(|_| f.stands_alone())
}

/// `March 3rd, 2020`, `Dec. 3`, `May 5-7`.
fn month_day(f: &Found) -> Option<String> {
    if f.after.starts_with([':', '%', '/']) || f.after.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let day = f.value(2).filter(|day| (1..=31).contains(day))?;
    let last = f.value(3).map_or(String::new(), |day| format!(" to {}", ordinal(day)));
    Some(format!("{} {}{last}{}", month_name(f.group(1))?, ordinal(day), year_after(f.group(4))))
}

/// `3 December 2019`, `the 3rd of May`.
fn day_month(f: &Found) -> Option<String> {
    let day = f.value(2).filter(|day| (1..=31).contains(day) && !f.before.ends_with([':', '.', ',', '$', '£', '€']))?;
    Some(format!("the {} of {}{}", ordinal(day), month_name(f.group(3))?, year_after(f.group(4))))
}

fn year_after(written: &str) -> String {
    let digits = written.trim_start_matches([',', ' ']);
    digits.parse().map_or(String::new(), |n| format!(", {}", year(n)))
}

/// `12/25` after a word like "on".
fn short_date(f: &Found) -> Option<String> {
    let dated = BEFORE_DATE.contains(&f.word_before().to_lowercase().as_str()) && f.stands_alone();
    match (f.group(1), f.group(2)) {
        ("9", "11") => Some("nine eleven".to_string()),
        ("24", "7") => Some("twenty four seven".to_string()),
        _ if dated => full(f.value(1)?, f.value(2)?, None),
        _ => None,
    }
}

/// `10:30`, `5:00`, `17:05`, `10:30:15 pm`.
fn clock(f: &Found) -> Option<String> {
    let (hour, minute, second) = (f.value(1)?, f.value(2)?, f.value(3));
    let touched = f.before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '.'))
        || f.after.starts_with(|c: char| c.is_ascii_digit());
    if minute > 59 || second.is_some_and(|s| s > 59) || touched {
        return None;
    }
    let half = if f.has(4) { format!(" {}.M.", f.group(4).to_uppercase()) } else { String::new() };
    let rest = match (minute, second) {
        (0, None) if f.has(4) => String::new(),
        (0, None) if hour <= 12 && hour > 0 => " o'clock".to_string(),
        (0, None) => " hundred".to_string(),
        (0..10, _) => format!(" oh {}", cardinal(minute)),
        _ => format!(" {}", cardinal(minute)),
    };
    let seconds = second
        .map_or(String::new(), |s| if s < 10 { format!(" oh {}", cardinal(s)) } else { format!(" {}", cardinal(s)) });
    Some(format!("{}{rest}{seconds}{half}", cardinal(hour)))
}

/// `5pm`, `11 a.m.`
fn hour(f: &Found) -> Option<String> {
    let hour = f.value(1).filter(|hour| *hour <= 24 && !f.before.ends_with(['.', ':', ',']))?;
    Some(format!("{} {}.M.", cardinal(hour), f.group(2).to_uppercase()))
}

/// `16:9` as `sixteen to nine`.
fn ratio(f: &Found) -> Option<String> {
    Some(format!("{} to {}", cardinal(f.value(1)?), cardinal(f.value(2)?)))
}

/// Four digits alone: a year, unless they count something.
fn plain_year(f: &Found) -> Option<String> {
    let named = f.word_before().eq_ignore_ascii_case("year");
    let n = f.value(1).filter(|n| (if named { 1000 } else { 1100 }..2100).contains(n) && f.stands_alone())?;
    let counted = f.word_after().ends_with('s')
        && f.word_after().starts_with(char::is_lowercase)
        && !f.after.starts_with([',', '.', ';']);
    let function_word = matches!(f.word_after(), "was" | "is" | "has" | "as" | "its" | "his" | "this" | "versus");
    let dated = BEFORE_YEAR.contains(&f.word_before().to_lowercase().as_str());
    let amount = f.before.ends_with(['$', '£', '€', '¥', '-', '+', '#']) || f.before.ends_with("No. ");
    let unit = f.after.starts_with([' ', '%', '°'])
        && matches!(
            f.word_after(),
            "percent" | "kg" | "km" | "m" | "ml" | "mm" | "cm" | "g" | "W" | "MB" | "GB" | "Hz"
        );
    (!amount && !unit && !f.after.starts_with('%') && (dated || !counted || function_word)).then(|| year(n))
}
