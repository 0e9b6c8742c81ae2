//! Addresses of pages, people and files, hashtags and mentions.

use super::numbers::{code, digits, number};
use super::rule::{Found, Rule};
use super::words::letter;
use crate::error::Result;

/// Last parts of addresses that are seen without `www` or `https`.
const DOMAINS: &str =
    concat!("com|org|net|edu|gov|mil|io|ai|dev|app|co|uk|de|fr|eu|info|tv|ly|rs|xyz|jp|cn|ca|au|nz|nl|ch|", "fm|gg",);

/// Endings of names that are said as words; other short ones are spelled.
#[rustfmt::skip]
const SAID_ENDINGS: [&str; 29] = [
    "com", "co", "org", "net", "gov", "mil", "dev", "app", "info", "json", "toml", "yaml", "java",
    "doc", "zip", "tar", "log", "lock", "conf", "bat", "gif", "wav", "go", "safetensors", "docx",
    "onnx", "bash", "jpeg", "epub",
];

/// Signs in addresses.
#[rustfmt::skip]
const SIGNS: &[(char, &str)] = &[
    ('.', "dot"), ('/', "slash"), ('-', "dash"), ('_', "underscore"), ('?', "question mark"),
    ('=', "equals"), ('&', "and"), ('#', "hash"), ('%', "percent"), ('+', "plus"), ('@', "at"),
    (':', "colon"), ('~', "tilde"), ('\\', "backslash"),
];

/// The rules, in the order they apply.
pub fn rules() -> Result<Vec<Rule>> {
    let bare = format!(r"\b[a-zA-Z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{DOMAINS})\b(?:/[^\s<>“”]*)?");
    Rule::table(&[
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", |f| Some(address(f.group(0)))),
        (r"(?:https?://|ftp://|www\.)[^\s<>“”]+", |f| Some(link(f.group(0)))),
        (&bare, |f| (!f.before.ends_with(['.', '@', '/', '_'])).then(|| link(f.group(0)))),
        (r"\b(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?::(\d+)|/(\d{1,2}))?\b", ip_address),
        (r#"(^|[\s(“"'‘])((?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w.-]+(?:[/\\][\w.-]*)*)"#, |f| {
            Some(format!("{}{}", f.group(1), link(f.group(2))))
        }),
        (r"\b[\w.-]+(?:/[\w.-]+){2,}/?", |f| f.group(0).contains(char::is_alphabetic).then(|| link(f.group(0)))),
        (r"#(\d*[A-Za-z]\w*)", |f| Some(format!("hashtag {}", unjoined(f.group(1))))),
        (r#"(^|[\s(“"'‘.,])@(\w+)"#, |f| Some(format!("{}at {}", f.group(1), unjoined(f.group(2))))),
    ])
}

fn ip_address(f: &Found) -> Option<String> {
    let parts: Vec<String> = f.group(1).split('.').map(digits).collect();
    let port = if f.has(2) { format!(" port {}", code(f.group(2))) } else { String::new() };
    let block = if f.has(3) { format!(" slash {}", number(f.group(3))) } else { String::new() };
    f.stands_alone().then(|| parts.join(" dot ") + &port + &block)
}

/// An address without its scheme; marks that close the sentence stay outside.
fn link(written: &str) -> String {
    let kept = written.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '"', '’']);
    let bare = kept.split_once("://").map_or(kept, |(_, rest)| rest);
    let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/');
    address(bare) + &written[kept.len()..]
}

/// The name of a sign.
pub fn sign(c: char) -> Option<&'static str> {
    SIGNS.iter().find(|(sign, _)| *sign == c).map(|(_, name)| *name)
}

/// Every part and every sign of an address.
fn address(written: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut part = String::new();
    let after_dot = |words: &[String]| words.last().is_some_and(|last| last == "dot");
    for c in written.chars() {
        match sign(c) {
            Some(word) => {
                words.extend(part_words(&part, after_dot(&words)));
                words.push(word.to_string());
                part.clear();
            }
            None => part.push(c),
        }
    }
    words.extend(part_words(&part, after_dot(&words)));
    words.join(" ")
}

fn part_words(part: &str, after_dot: bool) -> Option<String> {
    let unsayable = part.len() <= 2 || part == "edu" || !part.contains(['a', 'e', 'i', 'o', 'u']);
    let short = after_dot && part.len() <= 3 && part.chars().all(|c| c.is_ascii_lowercase());
    match part {
        "" => None,
        _ if short && unsayable && !is_said(part) => Some(spelled(part)),
        _ => Some(unjoined(part)),
    }
}

/// Whether the last part of a name is said as a word.
pub fn is_said(ending: &str) -> bool {
    SAID_ENDINGS.contains(&ending)
}

/// Letters to be named one by one: `uk` as `U.K`.
pub fn spelled(letters: &str) -> String {
    let names: Vec<String> = letters
        .chars()
        .map(|c| if c.is_ascii_digit() { code(&c.to_string()) } else { c.to_uppercase().to_string() })
        .collect();
    names.join(if letters.contains(|c: char| c.is_ascii_digit()) { " " } else { "." })
}

/// The words of a name in which capitals, digits or underscores stand for spaces.
pub fn unjoined(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let camel = before.is_some_and(char::is_lowercase) && c.is_uppercase();
        let digit = before.is_some_and(|b| b.is_ascii_digit() != c.is_ascii_digit());
        if (camel || digit) && !words.ends_with(' ') {
            words.push(' ');
        }
        words.push(if matches!(c, '_' | '-') { ' ' } else { c });
    }
    let word = |word: &str| {
        if word.chars().all(|c| c.is_ascii_digit()) { code(word) } else { letter(word).to_string() }
    };
    words.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}
