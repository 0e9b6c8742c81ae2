//! Amounts of money.

use super::numbers::{is_one, number};
use super::rule::{Found, Rule};
use crate::error::Result;

/// Sign or code, one, many, one hundredth, hundredths.
#[rustfmt::skip]
const CURRENCIES: &[(&[&str], [&str; 4])] = &[
    (&["US$", "USD", "$"], ["dollar", "dollars", "cent", "cents"]),
    (&["C$", "CA$", "CAD"], ["Canadian dollar", "Canadian dollars", "cent", "cents"]),
    (&["A$", "AU$", "AUD"], ["Australian dollar", "Australian dollars", "cent", "cents"]),
    (&["£", "GBP"], ["pound", "pounds", "penny", "pence"]),
    (&["€", "EUR"], ["euro", "euros", "cent", "cents"]),
    (&["¥", "JPY"], ["yen", "yen", "sen", "sen"]),
    (&["₹", "INR"], ["rupee", "rupees", "paisa", "paise"]),
    (&["₽", "RUB"], ["ruble", "rubles", "kopeck", "kopecks"]),
    (&["₩", "KRW"], ["won", "won", "jeon", "jeon"]),
    (&["₿", "BTC"], ["bitcoin", "bitcoins", "", ""]),
    (&["CHF"], ["Swiss franc", "Swiss francs", "centime", "centimes"]),
    (&["CNY", "RMB"], ["yuan", "yuan", "fen", "fen"]),
];

const SCALES: &[(&[&str], &str)] = &[
    (&["k", "K", "thousand"], "thousand"),
    (&["m", "M", "mn", "mm", "MM", "million"], "million"),
    (&["b", "B", "bn", "billion"], "billion"),
    (&["t", "T", "tn", "trillion"], "trillion"),
];

/// Words before an amount that describes what follows: "a $20 bill".
const DETERMINERS: [&str; 10] = ["a", "an", "the", "this", "that", "another", "his", "her", "my", "their"];

/// Words that no amount describes.
#[rustfmt::skip]
const NO_NOUNS: [&str; 30] = [
    "in", "on", "is", "was", "and", "or", "for", "to", "per", "of", "from", "at", "by", "with",
    "he", "she", "they", "we", "you", "i", "it", "that", "will", "has", "had", "would", "went",
    "goes", "each", "more",
];

const SIGN: &str = r"(US\$|C\$|CA\$|A\$|AU\$|\$|£|€|¥|₹|₽|₩|₿)";
const CODE: &str = r"(USD|CAD|AUD|GBP|EUR|JPY|INR|RUB|KRW|BTC|CHF|CNY|RMB)";
const SCALE: &str = r"(?:[ -]?(thousand|million|billion|trillion|[kKmMbBtT]|mn|bn|tn|MM)\b)?";

/// The rules, in the order they apply.
pub fn rules() -> Result<Vec<Rule>> {
    let range = format!(r"{SIGN} ?({{N}}){SCALE} ?(?:-|–|—| to ) ?{SIGN}? ?({{N}}){SCALE}");
    let signed = format!(r"([-−–])?{SIGN} ?({{N}}){SCALE}");
    let coded = format!(r"\b{CODE} ?({{N}}){SCALE}");
    let followed = format!(r"({{N}}){SCALE} ?(€|£|¥|₹|₽|₩|{}\b)", &CODE[1..CODE.len() - 1]);
    Rule::table(&[
        (&range, between),
        (&signed, |f| {
            let minus = if f.has(1) && !f.before.ends_with(char::is_alphanumeric) { "minus " } else { "" };
            Some(format!("{minus}{}", amount(f, f.group(2), f.group(3), f.group(4))?))
        }),
        (&coded, |f| amount(f, f.group(1), f.group(2), f.group(3))),
        (&followed, |f| {
            amount(f, f.group(3), f.group(1), f.group(2)).filter(|_| !f.before.ends_with(char::is_alphanumeric))
        }),
        (r"({N}) ?¢", |f| {
            Some(format!("{} {}", number(f.group(1)), if is_one(f.group(1)) { "cent" } else { "cents" }))
        }),
    ])
}

/// `$5-10`, `£3m–£4m`.
fn between(f: &Found) -> Option<String> {
    let scale = if f.has(3) { f.group(3) } else { f.group(6) };
    let [_, many, ..] = units(f.group(1))?;
    let first = if f.has(3) { scaled(f.group(2), f.group(3))? } else { number(f.group(2)) };
    Some(format!("{first} to {} {many}", scaled(f.group(5), if f.has(6) { f.group(6) } else { scale })?))
}

fn amount(f: &Found, sign: &str, written: &str, scale: &str) -> Option<String> {
    let [one, many, ..] = units(sign)?;
    let determined = DETERMINERS.contains(&f.word_before().to_lowercase().as_str());
    let noun = f.word_after().starts_with(char::is_lowercase)
        && !NO_NOUNS.contains(&f.word_after())
        && f.after.starts_with([' ', '-']);
    let describes = determined && noun;
    let unit = if describes || is_one(written) && scale.is_empty() { one } else { many };
    if !scale.is_empty() {
        return Some(format!("{} {unit}", scaled(written, scale)?));
    }
    match written.split_once('.') {
        Some((whole, cents)) if cents.len() == 2 => coins(whole, cents, sign),
        _ => Some(format!("{} {unit}", number(written))),
    }
}

/// `5.20` as `five dollars and twenty cents`.
fn coins(whole: &str, cents: &str, sign: &str) -> Option<String> {
    let [one, many, cent, many_cents] = units(sign)?;
    let large = format!("{} {}", number(whole), if is_one(whole) { one } else { many });
    let small = format!("{} {}", number(cents.trim_start_matches('0')), if cents == "01" { cent } else { many_cents });
    Some(match (whole, cents) {
        (_, "00") => large,
        ("" | "0", _) => small,
        _ => format!("{large} and {small}"),
    })
}

fn scaled(written: &str, scale: &str) -> Option<String> {
    let word = SCALES.iter().find(|(signs, _)| signs.contains(&scale)).map(|(_, word)| *word);
    Some(word.map_or_else(|| number(written), |word| format!("{} {word}", number(written))))
}

fn units(sign: &str) -> Option<[&'static str; 4]> {
    CURRENCIES.iter().find(|(signs, _)| signs.contains(&sign)).map(|(_, units)| *units)
}
