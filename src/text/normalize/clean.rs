//! Characters: one kind of space, composed accents, other scripts in Latin letters, emoji as words.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};
use crate::text::tokens::is_given_mark;

/// Quotation marks, brackets and dashes that have a usual form in English.
#[rustfmt::skip]
const USUAL: &[(char, &str)] = &[
    ('«', "“"), ('»', "”"), ('„', "“"), ('‟', "“"), ('‹', "‘"), ('›', "’"), ('‚', "‘"), ('‛', "‘"),
    ('「', "“"), ('」', "”"), ('『', "“"), ('』', "”"), ('`', ""), ('´', "'"), ('ʼ', "’"), ('‐', "-"),
    ('‑', "-"), ('‒', "–"), ('―', "—"), ('⸺', "—"), ('【', "("), ('】', ")"), ('、', ", "),
    ('。', ". "), ('·', " "), ('¿', ""), ('¡', ""), ('‥', "…"), ('∶', ":"), ('⁄', "/"), ('∕', "/"),
    ('∞', " infinity "), ('π', " pi "), ('∑', " sum "), ('∗', "*"), ('⋅', " times "), ('←', " "),
    ('↑', " "), ('↓', " "), ('⁻', "^-"),
];

/// Signs that later rules read.
const KEPT: &str = "“”‘’–—…°′″×÷±≠≈≤≥−√²³½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞£€¥₹₽₩₿¢‰§¶©®™†‡•‣◦№µ℃℉→";

/// Names of HTML for characters, `&` last.
const ENTITIES: &[(&str, &str)] = &[
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&mdash;", "—"),
    ("&ndash;", "–"),
    ("&hellip;", "…"),
    ("&amp;", "&"),
];

/// A mark that is repeated more often says no more.
const MOST_MARKS: usize = 6;

/// Longer words are cut, so that reading them takes no longer than reading others.
const LONGEST_WORD: usize = 150;

/// A sentence in characters that the rules and dictionaries know.
pub fn clean(text: &str) -> Result<String> {
    let mut cleaned = String::with_capacity(text.len());
    let composed: String = without_entities(text).nfc().collect();
    for (at, c) in composed.char_indices() {
        if !c.is_alphanumeric()
            && cleaned.chars().rev().take(MOST_MARKS).filter(|&last| last == c).count() == MOST_MARKS
        {
            continue;
        }
        push(&mut cleaned, c, &composed[at + c.len_utf8()..])?;
    }
    Ok(cleaned.split_whitespace().flat_map(short_pieces).collect::<Vec<_>>().join(" "))
}

/// The characters that names of HTML stand for.
fn without_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') || !text.contains(';') {
        return text.into();
    }
    ENTITIES.iter().fold(text.into(), |text: Cow<str>, (name, c)| text.replace(name, c).into())
}

/// A word, cut where it is longer than any word is.
fn short_pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(LONGEST_WORD).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn push(out: &mut String, c: char, after: &str) -> Result<()> {
    if let Some((_, usual)) = USUAL.iter().find(|(odd, _)| *odd == c) {
        out.push_str(usual);
    } else if c.is_ascii_graphic() || is_latin(c) || KEPT.contains(c) || is_given_mark(c) {
        out.push(c);
    } else if c.is_whitespace() || c.is_control() {
        out.push(' ');
    } else if let Some(wide) = compatible(c) {
        out.push_str(&wide);
    } else if !is_invisible(c) {
        transliterate(out, c, after)?;
    }
    Ok(())
}

/// Letters of European languages; they are read without accents if need be.
fn is_latin(c: char) -> bool {
    matches!(c, 'À'..='ɏ' | 'Ḁ'..='ỿ') && c.is_alphabetic()
}

/// The plain form of full-width letters, ligatures, and letters in fancy type.
fn compatible(c: char) -> Option<String> {
    let plain: String = std::iter::once(c).nfkc().collect();
    (plain.is_ascii() && plain.chars().all(|p| p.is_ascii_graphic())).then_some(plain)
}

/// Joiners, variation selectors, skin tones, accents that found no letter.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e007f}' | '\u{fffd}' | '\u{20e3}')
}

/// Adds the Latin reading of a letter, or the name of an emoji: a phrase of its own where no word
/// follows.
fn transliterate(out: &mut String, c: char, after: &str) -> Result<()> {
    let latin = deunicode::deunicode_char(c).filter(|latin| !latin.trim().is_empty());
    match latin {
        Some(latin) if c.is_alphabetic() => out.push_str(latin),
        Some(latin) if c.is_numeric() && latin.bytes().all(|b| b.is_ascii_digit()) => out.push_str(latin),
        Some(name) if name.bytes().any(|b| b.is_ascii_alphabetic()) => {
            let within = after
                .trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c))
                .starts_with(char::is_alphanumeric);
            let apart = if !within && out.trim_end().ends_with(char::is_alphanumeric) { ", " } else { " " };
            out.truncate(out.trim_end().len());
            out.push_str(&format!("{apart}{} ", name.trim().replace(['_', '-'], " ")));
        }
        None if c.is_alphabetic() => {
            let code = u32::from(c);
            return Err(Error::Text(format!(
                "expected letters that can be read in English, found `{c}` (U+{code:04X})"
            )));
        }
        _ => out.push(' '),
    }
    Ok(())
}
