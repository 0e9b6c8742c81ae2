//! Marks without sound, and signs that stand for words.

use super::rule::Rule;
use crate::error::Result;

/// Tags of HTML that people type into texts.
const TAG: &str = concat!(
    r"</?(?:a|b|i|u|s|em|strong|span|div|p|br|hr|code|pre|sup|sub|li|ul|ol|h[1-6]|td|tr|th|table|img|small|font|center|",
    r"blockquote)(?:\s[^<>]*)?/?>",
);

/// Words for persons between which a stroke is an "or".
const OF_PERSONS: &str = concat!(
    r"(?i)\b(?:he|she|they|his|hers|her|him|their|theirs|them)",
    r"(?:/(?:he|she|they|his|hers|her|him|their|theirs|them))+\b",
);

/// Rules for marks that would mislead others; they come first.
pub fn first_rules() -> Result<Vec<Rule>> {
    let emoticon = r"(?:[:;=]-?[)(DPpO/|]+|</?3|[xX]D+|\^_*\^)";
    let emoticons = format!(r"(^|\s){emoticon}(?:\s+{emoticon})*(\s|$)");
    Rule::table(&[
        // Emoticons, links, boxes to tick, tags, persons, options of commands, marks, curses in symbols, references.
        (&emoticons, |f| f.expand("$1$2")),
        (r"\[([^\[\]]+)\]\([^()\s]+\)", |f| f.expand("$1")),
        (r"\[[ xX]?\]", |_| Some(String::new())),
        (TAG, |_| Some(" ".into())),
        (OF_PERSONS, |f| Some(f.group(0).replace('/', " or "))),
        (r"\b([Ee]ither)/(or)\b", |f| f.expand("$1 $2")),
        (r"(^|\s)--([a-z])", |f| f.expand("${1}dash dash $2")),
        (r"(^|\s)-([A-Za-z])\b", |f| f.expand("${1}dash $2")),
        (r"\b(an|a|got|[Gg]rade) ([A-F])-([\s.,;!?)]|$)", |f| f.expand("$1 $2 minus$3")),
        (r"[@#$%&*!?]{3,}", |f| f.group(0).contains(['@', '#', '$', '%', '&']).then(String::new)),
        (r" ?\[\d+(?:[,–-] ?\d+)*\]", |f| (!f.before.is_empty()).then(String::new)),
    ])
}

/// Rules for signs that are left once numbers are words.
pub fn last_rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        (r" ?& ?", |f| f.expand(" and ")),
        (r" ?%", |f| f.expand(" percent")),
        (r"(^|[\s\w])\+($|[\s\w])", |f| f.expand("$1 plus $2")),
        (r" = ", |f| f.expand(" equals ")),
        (r"@", |f| f.expand(" at ")),
        (r"°", |f| f.expand(" degrees ")),
        (r"√ ?", |f| f.expand(" the square root of ")),
        (r"\b([A-Z]{1,4})/([A-Z]{1,4})\b", |f| f.expand("$1 $2")),
        (r"\bkm/h\b", |f| f.expand("kilometers per hour")),
        (r"([A-Za-z])/([A-Za-z])", |f| f.expand("$1 slash $2")),
        (r"…|\.{3,}|(?:\. ){2,}\.", |f| {
            f.expand(if f.after.starts_with(char::is_alphanumeric) { "… " } else { "…" })
        }),
        (r" ?-{2,3} ?", |f| f.expand(" — ")),
        (r"(\w)[*_~`]+(\W|$)", |f| f.expand("$1$2")),
        (r"(^|\W)[*_~`•‣◦]+ ?", |f| f.expand("$1")),
        (r"[\[{]", |f| f.expand("(")),
        (r"[\]}]", |f| f.expand(")")),
        (r"[<>\\^/|=#+*_~`$£€¥§¶©®™†‡]", |f| f.expand(" ")),
    ])
}
