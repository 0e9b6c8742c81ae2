//! Numbers that no other rule took, alone or next to letters and signs.

use super::numbers::{code, digits, number};
use super::rule::{Found, Rule};
use super::words::letter;
use crate::error::Result;

/// Signs between two numbers or names.
#[rustfmt::skip]
const OPERATORS: &[(&str, &str)] = &[
    ("!=", "is not equal to"), ("==", "equals"), ("<=", "is at most"), (">=", "is at least"),
    ("≤", "is at most"), ("≥", "is at least"), ("≠", "is not equal to"), ("≈", "is about"),
    ("=", "equals"), ("+", "plus"), ("×", "times"), ("*", "times"), ("÷", "divided by"),
    ("<", "is less than"), (">", "is greater than"), ("±", "plus or minus"), ("−", "minus"),
    ("-", "minus"), ("^", "to the power of"),
];

/// Words whose numbers of three or four digits are names: "room four oh four".
const NUMBERED: &str = concat!(
    r"\b([Rr]oom|[Ff]light|[Rr]oute|[Hh]ighway|Interstate|[Ss]uite|[Gg]ate|[Bb]us|Boeing|Airbus|",
    r"Porsche|[Ee]rror|[Ee]xit|HTTP|Area) ((?:[A-Z]{1,3} ?)?)(\d{3,4})\b",
);

/// The rules, in the order they apply; they come last of those for numbers.
pub fn rules() -> Result<Vec<Rule>> {
    Rule::table(&[
        (r"(\w)\^2\b", |f| f.expand("$1 squared")),
        (r"(\w)\^3\b", |f| f.expand("$1 cubed")),
        (r"(\w)\^[-−](\w+)", |f| f.expand("$1 to the minus $2")),
        (r"(^|\s):(\d)", |f| f.expand("${1}colon $2")),
        (r"([\d.)a-zA-Z]) ?(!=|==|<=|>=|[≤≥≠≈=×÷±]) ?([-−]?[\d.(a-zA-Z√π])", operator),
        (r"(\d) ?([+*^]) ?([\d(])", operator),
        (r"(\d) ([<>]|-|−) (\d)", operator),
        (r"(^|[ (])(?:~|≈) ?(\d)", |f| f.expand("${1}about $2")),
        (r"(^|[ (])< ?(\d)", |f| f.expand("${1}less than $2")),
        (r"(^|[ (])> ?(\d)", |f| f.expand("${1}more than $2")),
        (r"(^|[ (])±", |f| f.expand("${1}plus or minus ")),
        (r"(\w)²", |f| f.expand("$1 squared")),
        (r"(\w)³", |f| f.expand("$1 cubed")),
        (NUMBERED, |f| Some(format!("{} {} {}", f.group(1), f.group(2), code(f.group(3))))),
        (r"\b([A-Z]{1,5})-(\d+)\b", |f| Some(format!("{} {}", letter(f.group(1)), code(f.group(2))))),
        (r"\b\d+(?:-\d+){2,}\b", groups),
        (r"\b(\d+(?:\.\d+)?)[eE]([+-]?)(\d{1,3})\b", scientific),
        (r#"(^|[\s(“"'‘\[])[-−](\.?\d)"#, |f| f.expand("${1}minus $2")),
        (r#"(^|[\s(“"'‘\[])\+(\.?\d)"#, |f| f.expand("${1}plus $2")),
        (r"({N})([A-Za-z]{1,4})\b", decimal_and_letters),
        (r"([a-z]):(\d)", |f| f.expand("$1 $2")),
        (r"[A-Za-z]*(?:\d[\d,]*[A-Za-z]+|[A-Za-z]+\d)[A-Za-z\d]*", mixture),
        (r"(\d),(\d{1,2}\b)", |f| f.expand("$1, $2")),
        (r"({N})", |f| Some(spaced(f, &number(f.group(1))))),
    ])
}

fn operator(f: &Found) -> Option<String> {
    let words = OPERATORS.iter().find(|(sign, _)| *sign == f.group(2)).map(|(_, words)| words)?;
    Some(format!("{} {words} {}", f.group(1), f.group(3)))
}

/// `1.5e-6` as `one point five times ten to the minus six`.
pub fn scientific(f: &Found) -> Option<String> {
    let sign = if f.group(2) == "-" { "minus " } else { "" };
    Some(format!("{} times ten to the {sign}{}", number(f.group(1)), number(f.group(3))))
}

/// `978-3-16`: digits, group by group.
fn groups(f: &Found) -> Option<String> {
    let parts: Vec<String> = f.group(0).split('-').map(digits).collect();
    Some(parts.join(", "))
}

/// `2.5k` as `two point five k`.
fn decimal_and_letters(f: &Found) -> Option<String> {
    let decimal = f.group(1).contains('.');
    decimal.then(|| format!("{} {}", number(f.group(1)), letter(f.group(2))))
}

/// Letters and digits in one word: `MP3`, `H2O`, `A380`, `4K`.
fn mixture(f: &Found) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in f.group(0).chars().filter(|c| *c != ',') {
        match parts.last_mut().filter(|part| part.ends_with(|last: char| last.is_ascii_digit() == c.is_ascii_digit())) {
            Some(part) => part.push(c),
            None => parts.push(c.to_string()),
        }
    }
    let word = |part: &String| {
        if part.starts_with(|c: char| c.is_ascii_digit()) { code(part) } else { letter(part).to_string() }
    };
    Some(parts.iter().map(word).collect::<Vec<_>>().join(" "))
}

/// Words with spaces where letters touch.
fn spaced(f: &Found, words: &str) -> String {
    let front = if f.before.ends_with(char::is_alphanumeric) { " " } else { "" };
    let back = if f.after.starts_with(char::is_alphanumeric) { " " } else { "" };
    format!("{front}{words}{back}")
}
