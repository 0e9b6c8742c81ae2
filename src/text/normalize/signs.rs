//! Marks without sound, and signs that stand for words.

use super::rule::Rule;
use crate::error::Result;

/// Rules for marks that would mislead others; they come first.
pub fn first_rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        // Emoticons, curses in symbols, references.
        (r"(^|\s)(?:[:;=]-?[)(DPpO/|]+|</?3|[xX]D+|\^_*\^)(\s|$)", |f| f.expand("$1$2")),
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
