//! Versions, file names, names out of programs.

use super::addresses::{is_said, spelled, unjoined};
use super::numbers::number;
use super::rule::{Found, Rule};
use crate::error::Result;

/// Last parts of file names.
const EXTENSIONS: &str = concat!(
    "rs|py|js|ts|jsx|tsx|c|h|cpp|hpp|java|go|rb|php|html|htm|css|json|yaml|yml|toml|md|txt|csv|tsv|",
    "pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|flac|ogg|zip|tar|gz|exe|dll|so|sh|bat|log|",
    "xml|sql|ini|cfg|conf|lock|onnx|safetensors|ipynb|epub",
);

/// The rules, in the order they apply; they come after addresses.
pub fn rules() -> Result<Vec<Rule>> {
    let file = format!(r"([\w-]+(?:\.[\w-]+)*)\.({EXTENSIONS})\b");
    Rule::table(&[
        (r"\b([vV])\.? ?(\d+(?:\.\d+)*)(-[a-z]+(?:\.?\d+)?)?\b", |f| {
            let said = f.word_before().eq_ignore_ascii_case("version");
            let numbers = version(f.group(2), f.group(3));
            Some(if said { numbers } else { format!("version {numbers}") })
        }),
        (r"\b(\d+(?:\.\d+){2,})(-[a-z]+(?:\.?\d+)?)?\b", |f| {
            (f.stands_alone() && !is_date(f.group(1))).then(|| version(f.group(1), f.group(2)))
        }),
        (&file, file_name),
        (r#"(^|[\s(“"'‘])\.([a-zA-Z][\w-]+)"#, |f| Some(format!("{}dot {}", f.group(1), unjoined(f.group(2))))),
        (r"\b([A-Z])\+\+", |f| f.expand("$1 plus plus")),
        (r"\b([A-Z])#", |f| f.expand("$1 sharp")),
        (r"\b(\w+)\(\)", |f| Some(unjoined(f.group(1)))),
        (r"\b[A-Za-z0-9]+(?:_+[A-Za-z0-9]+)+\b", |f| Some(unjoined(f.group(0)))),
        (r" ?(?:->|=>|→) ?", |f| f.expand(" to ")),
        (r"&&", |f| f.expand(" and ")),
        (r" ?\|+ ?", |f| f.expand(", ")),
    ])
}

/// `31.12.2019`
fn is_date(numbers: &str) -> bool {
    let parts: Vec<u64> = numbers.split('.').filter_map(|part| part.parse().ok()).collect();
    matches!(parts[..], [1..=31, 1..=12, 1900..2100])
}

/// `2.11.0-beta` as `two point eleven point zero beta`.
fn version(numbers: &str, stage: &str) -> String {
    let parts: Vec<String> = numbers.split('.').map(number).collect();
    let stage = unjoined(&stage.trim_start_matches('-').replace('.', " "));
    format!("{} {stage}", parts.join(" point ")).trim_end().to_string()
}

fn file_name(f: &Found) -> Option<String> {
    let (stem, ending) = (f.group(1), f.group(2));
    let sentence_end = ending.len() == 1 && f.after.is_empty();
    if sentence_end
        || f.before.ends_with(['/', '\\'])
        || f.after.starts_with(['/', '\\'])
        || !stem.contains(char::is_alphabetic)
    {
        return None;
    }
    let said = if is_said(ending) { ending.to_string() } else { spelled(ending) };
    Some(format!("{} dot {said}", stem.split('.').map(unjoined).collect::<Vec<_>>().join(" dot ")))
}
