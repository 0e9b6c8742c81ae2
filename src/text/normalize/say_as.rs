//! Words for text whose kind is told, as SSML's `say-as` does (W3C note "SSML 1.0 say-as attribute values").

use super::addresses::sign;
use super::dates::{full, full_year, month_of_year};
use super::numbers::{cardinal, digits, number, ordinal, roman, year};
use super::telephone::groups;
use super::words::letter;

const KINDS: &str = "cardinal, ordinal, digits, telephone, characters, spell-out, date, time, currency";
const DATES: [&str; 10] = ["mdy", "dmy", "ymd", "md", "dm", "ym", "my", "y", "m", "d"];
const TIMES: [&str; 2] = ["hms12", "hms24"];

/// Words for `text`, or text that the rules put in the right words anyway. `Err` says what was expected.
pub fn speak(text: &str, kind: &str, format: Option<&str>) -> Result<String, String> {
    let text = text.trim();
    let formats: &[&str] = match kind {
        "date" => &DATES,
        "time" => &TIMES,
        _ => &[],
    };
    if let Some(format) = format.filter(|format| !formats.contains(format)) {
        let known = if formats.is_empty() { "no format".to_string() } else { formats.join(", ") };
        return Err(format!("say-as {kind}: expected {known}, found the format {format}"));
    }
    let spoken = match kind {
        "cardinal" => signed(text).ok_or("a number"),
        "ordinal" => nth(text).ok_or("a whole number"),
        "digits" => Some(digits(text)).filter(|words| !words.is_empty()).ok_or("digits"),
        "telephone" => telephone(text).ok_or("digits"),
        "characters" | "spell-out" => Ok(spelled(text)),
        "date" => format.map_or_else(|| Ok(text.to_string()), |format| date(text, format).ok_or("numbers of a date")),
        "time" | "currency" => Ok(text.to_string()),
        _ => return Err(format!("say-as: expected one of {KINDS} in interpret-as, found {kind}")),
    };
    spoken.map_err(|expected| format!("say-as {kind}: expected {expected}, found `{text}`"))
}

fn signed(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("minus ", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let is_number =
        rest.contains(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || ",.".contains(c));
    let words = if is_number && rest.matches('.').count() < 2 { Some(number(rest)) } else { roman(rest).map(cardinal) };
    Some(format!("{sign}{}", words?))
}

fn nth(text: &str) -> Option<String> {
    let whole = text.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == '.').replace(',', "");
    whole.parse().ok().or_else(|| roman(text)).map(ordinal)
}

fn telephone(text: &str) -> Option<String> {
    let plus = if text.starts_with('+') { "plus " } else { "" };
    let apart: String = text.chars().map(|c| if c.is_ascii_digit() { c } else { ' ' }).collect();
    let words = groups(&apart);
    (!words.is_empty()).then(|| format!("{plus}{words}"))
}

/// The name of each letter, digit and sign.
fn spelled(text: &str) -> String {
    let name = |c: char| match c {
        '0'..='9' => Some(digits(&c.to_string())),
        _ if c.is_alphabetic() => Some(letter(&c.to_uppercase().to_string()).to_string()),
        _ => sign(c).map(str::to_string),
    };
    text.chars().filter_map(name).collect::<Vec<_>>().join(" ")
}

/// Numbers in the order of `format`.
fn date(text: &str, format: &str) -> Option<String> {
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let part = |name: char| numbers.get(format.find(name)?)?.parse::<u64>().ok();
    let of_year = format.find('y').and_then(|at| full_year(numbers.get(at)?));
    if numbers.len() != format.len() {
        return None;
    }
    match (part('m'), part('d'), of_year) {
        (Some(month), Some(day), of_year) => full(month, day, of_year),
        (Some(month), None, of_year) => month_of_year(month, of_year),
        (None, Some(day), _) => (1..=31).contains(&day).then(|| ordinal(day)),
        (None, None, of_year) => of_year.map(year),
    }
}
