//! Where one spoken sentence ends and the next begins.
//!
//! Works on the written text, before numbers and abbreviations are spelled out, so that each piece
//! is still a slice of what the user wrote. Knows nothing of pronunciation.

/// Abbreviations that a sentence goes on after: a name, a number or the rest of a phrase follows.
#[rustfmt::skip]
const BEFORE_NAME: &[&str] = &[
    "mr", "mrs", "ms", "mx", "dr", "prof", "gen", "gov", "sen", "rep", "rev", "hon", "pres", "capt",
    "lt", "col", "sgt", "cpl", "maj", "cmdr", "adm", "supt", "fr", "msgr", "messrs", "st", "mt",
    "ft", "vs", "v", "e.g", "i.e", "cf", "viz", "approx", "fig", "figs", "vol", "vols", "ch", "sec",
    "art", "p", "pp", "eq", "ca", "dept", "univ", "assn", "bros", "apt", "rm", "ste", "bldg", "a.k.a",
];

/// Abbreviations that may end a sentence: it ends if a word follows that often opens one.
#[rustfmt::skip]
const MAYBE_LAST: &[&str] = &[
    "inc", "ltd", "co", "corp", "jr", "sr", "ave", "blvd", "rd", "est", "jan", "feb", "mar", "apr",
    "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu",
    "thurs", "fri", "sat", "sun", "al", "ed", "calif", "mses", "hrs", "mins", "secs", "lbs", "oz", "qts", "tsp",
    "tbsp",
];

/// Abbreviations that only a number follows within a sentence.
const BEFORE_NUMBER: &[&str] = &["no", "nos", "art", "op", "ext", "tel", "c", "b", "d", "r", "min", "max", "est"];

/// Words that often open a sentence and seldom follow an abbreviation or an initial.
#[rustfmt::skip]
const OPENERS: &[&str] = &[
    "the", "a", "an", "this", "that", "these", "those", "there", "it", "he", "she", "we", "they",
    "you", "i", "his", "her", "its", "our", "their", "my", "your", "in", "on", "at", "for", "from",
    "with", "by", "as", "if", "when", "while", "after", "before", "but", "and", "so", "then", "yet",
    "or", "however", "what", "why", "how", "who", "where", "now", "no", "yes", "all", "some",
    "many", "most", "one", "is", "are", "was", "were", "do", "does", "did", "let", "please",
];

/// Words before which a long sentence may be cut when it has no punctuation.
#[rustfmt::skip]
const CONJUNCTIONS: &[&str] = &[
    "and", "but", "or", "nor", "so", "yet", "because", "although", "though", "while", "when",
    "where", "which", "who", "that", "if", "unless", "until", "since", "after", "before", "whereas",
    "than", "as", "with", "for", "to", "of", "in",
];

/// Verbs that follow a quotation within its sentence: “Why?” Paul asked.
#[rustfmt::skip]
const SPEECH_VERBS: &[&str] = &[
    "said", "says", "asked", "asks", "cried", "cries", "replied", "replies", "answered",
    "exclaimed", "shouted", "called", "whispered", "muttered", "murmured", "demanded", "inquired",
    "enquired", "repeated", "returned", "continued", "added", "laughed", "wondered", "thought",
    "screamed", "yelled", "begged", "pleaded", "remarked", "observed", "interrupted",
];

/// Signs that are words even where they stand alone.
const SPOKEN: &str = "&@%+=";

/// A slice of the text that is spoken in one breath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence<'a> {
    pub text: &'a str,
    /// Whether a blank line or the end of the text follows.
    pub ends_paragraph: bool,
}

/// The sentences of a text, trimmed; those that hold nothing but punctuation are left out.
pub fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    for paragraph in paragraphs(text) {
        for block in blocks(paragraph) {
            let pieces = split_block(block);
            found.extend(pieces.into_iter().map(|text| Sentence { text, ends_paragraph: false }));
        }
        if let Some(last) = found.last_mut() {
            last.ends_paragraph = true;
        }
    }
    found
}

/// Cuts a sentence that is too long to be spoken at once, near its middle: after `;` `:` or a dash,
/// else after a comma, else before a conjunction, else at any white space, else between two
/// letters. `None` for a single character.
pub fn halve(sentence: &str) -> Option<(&str, &str)> {
    let cut = spaces(sentence)
        .filter(|&at| !inside_phonemes(&sentence[..at]))
        .filter_map(|at| Some((rank(&sentence[..at], sentence[at..].trim_start())?, at)))
        .min_by_key(|&(rank, at)| (rank, at.abs_diff(sentence.len() / 2)))
        .map(|(_, at)| at)
        .or_else(|| middle(sentence))?;
    Some((sentence[..cut].trim(), sentence[cut..].trim()))
}

fn middle(sentence: &str) -> Option<usize> {
    let count = sentence.chars().count();
    (count > 1).then(|| sentence.char_indices().nth(count / 2).map(|(at, _)| at))?
}

/// How good a cut between two parts is (lower is better); none if one side would be a scrap.
fn rank(before: &str, after: &str) -> Option<u8> {
    let shorter = before.len().min(after.len());
    let next = after.split_whitespace().next().unwrap_or_default();
    let good = shorter * 5 >= before.len() + after.len();
    match before.chars().next_back()? {
        ';' | ':' | '—' | '–' if good => Some(0),
        ',' | '…' | ')' if good => Some(1),
        _ if good && CONJUNCTIONS.contains(&next) => Some(2),
        _ if shorter > 0 => Some(3),
        _ => None,
    }
}

/// Byte positions where white space begins.
fn spaces(text: &str) -> impl Iterator<Item = usize> {
    let starts_space = |(at, c): &(usize, char)| c.is_whitespace() && !text[..*at].ends_with(char::is_whitespace);
    text.char_indices().filter(starts_space).map(|(at, _)| at)
}

/// Byte positions where a sentence may end: at white space, or where its space was forgotten, as in `Stop!Look!`.
fn gaps(text: &str) -> impl Iterator<Item = usize> {
    let forgotten = |at: usize| {
        let before = text[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = before.trim_end_matches(['!', '?']);
        word.len() < before.len() && !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "'’".contains(c))
    };
    let starts = move |(at, c): &(usize, char)| match c.is_whitespace() {
        true => !text[..*at].ends_with(char::is_whitespace),
        false => c.is_uppercase() && forgotten(*at),
    };
    text.char_indices().filter(starts).map(|(at, _)| at)
}

/// Parts of the text between blank lines.
fn paragraphs(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            found.push(text[start..at].trim());
            start = at + line.len();
        }
        at += line.len();
    }
    found.push(text[start..].trim());
    found.retain(|p| !p.is_empty());
    found
}

/// Parts of a paragraph that line breaks keep apart: list items, headings, short unfinished lines.
fn blocks(paragraph: &str) -> Vec<&str> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    let mut lines = paragraph.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        at += line.len();
        if lines.peek().is_some_and(|next| breaks_between(line.trim(), next.trim())) {
            found.push(paragraph[start..at].trim());
            start = at;
        }
    }
    found.push(paragraph[start..].trim());
    found
}

fn breaks_between(line: &str, next: &str) -> bool {
    const FULL_LINE: usize = 45;
    let unfinished = line.ends_with(|c: char| c.is_alphanumeric()) && line.chars().count() < FULL_LINE;
    let heading = unfinished && next.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    heading || is_list_item(next)
}

fn is_list_item(line: &str) -> bool {
    let Some((marker, _)) = line.split_once(' ') else {
        return false;
    };
    let number = marker.trim_end_matches(['.', ')']);
    matches!(marker, "-" | "*" | "•" | "–" | "‣" | "◦" | "+")
        || number.len() < marker.len() && number.len() <= 3 && number.chars().all(|c| c.is_ascii_digit())
}

fn split_block(block: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    let has_capitals = block.contains(char::is_uppercase);
    for at in gaps(block) {
        if at > start && ends_sentence(&block[start..at], block[at..].trim_start(), has_capitals) {
            found.push(block[start..at].trim());
            start = at;
        }
    }
    found.push(block[start..].trim());
    found.retain(|s| s.contains(|c: char| c.is_alphanumeric() || !c.is_ascii() || SPOKEN.contains(c)));
    found
}

/// Whether a sentence ends between `before` and `after`, which white space separates.
fn ends_sentence(before: &str, after: &str, has_capitals: bool) -> bool {
    let closed = before.trim_end_matches(['"', '\'', '”', '’', ')', ']', '}', '»']);
    let Some(mark) = closed.chars().next_back() else {
        return false;
    };
    if !matches!(mark, '.' | '!' | '?' | '…') || inside_phonemes(before) {
        return false;
    }
    let next = after.trim_start_matches(|c: char| !c.is_alphanumeric());
    let Some(first) = next.chars().next() else {
        return after.starts_with("[[");
    };
    if closed.len() < before.len() && mark != '.' && names_speaker(next) {
        return false;
    }
    if first.is_lowercase() {
        let quoted = closed.len() < before.len();
        return !quoted && mark != '…' && !has_capitals && !ends_abbreviated(closed, next);
    }
    mark != '.' || closed.ends_with("..") || !ends_abbreviated(closed, next)
}

/// Whether words after a quotation tell who spoke it: `Paul asked`, `the old man cried`.
fn names_speaker(next: &str) -> bool {
    let clause = next.split(|c: char| !c.is_alphanumeric() && c != ' ').next().unwrap_or_default();
    clause.split(' ').take(4).any(|word| SPEECH_VERBS.contains(&word))
}

/// Whether the last `[[` has not been closed yet.
fn inside_phonemes(before: &str) -> bool {
    before.rfind("[[").is_some_and(|open| !before[open..].contains("]]"))
}

/// Whether the full stop at the end of `sentence` belongs to an abbreviation, given what follows
/// it.
fn ends_abbreviated(sentence: &str, next: &str) -> bool {
    let sentence = sentence.trim_end_matches('.');
    let last = sentence.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = last.trim_start_matches(|c: char| !c.is_alphanumeric());
    let lower = word.to_lowercase();
    let next_word = next.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let opener = OPENERS.contains(&next_word.to_lowercase().as_str());
    let next_is_initial = next_word.chars().count() == 1 && next[next_word.len()..].starts_with('.');
    if BEFORE_NAME.contains(&lower.as_str()) && (word.len() > 1 || word == lower) {
        return !(opener && lower == "st");
    }
    if BEFORE_NUMBER.contains(&lower.as_str()) && (word.len() > 1 || word == lower) {
        return next.starts_with(|c: char| c.is_ascii_digit());
    }
    let goes_on = next.starts_with(char::is_lowercase);
    match lower.as_str() {
        "a.m" | "p.m" | "etc" if goes_on => true,
        "a.m" | "p.m" => next_word.chars().count() > 1 && next_word.chars().all(char::is_uppercase),
        "etc" | "am" | "pm" => false,
        "i" => next_is_initial,
        _ if MAYBE_LAST.contains(&lower.as_str()) || is_initials(word) => !opener || next_is_initial,
        _ => last.len() == sentence.len() && !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()),
    }
}

/// Whether a word is an initial or a chain of them: `J`, `J.K`, `U.S`, `Ph.D`.
fn is_initials(word: &str) -> bool {
    let capital = word.starts_with(char::is_uppercase);
    capital
        && word.split('.').all(|part| matches!(part.chars().count(), 1 | 2))
        && (word.contains('.') || word.chars().count() == 1)
}
