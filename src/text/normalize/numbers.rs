//! Numbers as words, American style. Knows nothing of what is counted.

#[rustfmt::skip]
const ONES: [&str; 20] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
];

const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

const SCALES: [&str; 6] = ["", " thousand", " million", " billion", " trillion", " quadrillion"];

const IRREGULAR_ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

/// Numbers with more digits are read digit by digit.
const LONGEST_CARDINAL: usize = 15;

/// `1234` as `one thousand two hundred thirty four`.
pub fn cardinal(n: u64) -> String {
    if n == 0 {
        return ONES[0].to_string();
    }
    let groups: Vec<u64> =
        std::iter::successors(Some(n), |n| Some(n / 1000)).take_while(|&n| n > 0).map(|n| n % 1000).collect();
    let words = groups.iter().enumerate().rev().filter(|(_, n)| **n > 0);
    words
        .map(|(i, n)| below_thousand(*n as usize) + SCALES.get(i).copied().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ")
}

fn below_thousand(n: usize) -> String {
    match n {
        0..20 => ONES[n].to_string(),
        20..100 if n.is_multiple_of(10) => TENS[n / 10].to_string(),
        20..100 => format!("{} {}", TENS[n / 10], ONES[n % 10]),
        _ if n.is_multiple_of(100) => format!("{} hundred", ONES[n / 100 % 10]),
        _ => format!("{} hundred {}", ONES[n / 100 % 10], below_thousand(n % 100)),
    }
}

/// `23` as `twenty third`.
pub fn ordinal(n: u64) -> String {
    to_ordinal(&cardinal(n))
}

fn to_ordinal(cardinal: &str) -> String {
    let (head, last) = cardinal.rsplit_once(' ').map_or(("", cardinal), |(head, last)| (head, last));
    let irregular = IRREGULAR_ORDINALS.iter().find(|(word, _)| *word == last).map(|(_, ordinal)| ordinal.to_string());
    let last = irregular.unwrap_or_else(|| match last.strip_suffix('y') {
        Some(stem) => format!("{stem}ieth"),
        None => format!("{last}th"),
    });
    if head.is_empty() { last } else { format!("{head} {last}") }
}

/// `1905` as `nineteen oh five`, `2019` as `twenty nineteen`, `2005` as `two thousand five`.
pub fn year(n: u64) -> String {
    let (century, rest) = (n / 100, n % 100);
    match rest {
        _ if !(1000..10_000).contains(&n) || century.is_multiple_of(10) && rest < 10 => cardinal(n),
        0 => format!("{} hundred", cardinal(century)),
        1..10 => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// `1990` as `nineteen nineties`, `1800` as `eighteen hundreds`, `90` as `nineties`.
pub fn decade(n: u64) -> String {
    let words = year(n);
    match words.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{words}s"),
    }
}

/// Digits one by one; other characters are passed over.
pub fn digits(text: &str) -> String {
    let words = text.chars().filter_map(|c| c.to_digit(10)).map(|d| ONES[d as usize]);
    words.collect::<Vec<_>>().join(" ")
}

/// A number as written, with commas, a decimal point or leading zeros: `1,234.50`, `007`, `.5`.
pub fn number(text: &str) -> String {
    let text = text.replace(',', "");
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let padded = whole.len() > 1 && whole.starts_with('0') || whole.len() > LONGEST_CARDINAL;
    let words = match whole.parse() {
        _ if whole.is_empty() => String::new(),
        Ok(n) if !padded => cardinal(n),
        _ => digits(whole),
    };
    match fraction {
        Some(fraction) if !fraction.is_empty() => {
            format!("{words} point {}", digits(fraction)).trim_start().to_string()
        }
        _ => words,
    }
}

/// Digits as people read codes and house numbers: `380` as `three eighty`, `1080` as `ten eighty`.
pub fn code(text: &str) -> String {
    let pairs = |n: u64| match n % 100 {
        0 => format!("{} hundred", cardinal(n / 100)),
        rest @ 1..10 => format!("{} oh {}", cardinal(n / 100), cardinal(rest)),
        rest => format!("{} {}", cardinal(n / 100), cardinal(rest)),
    };
    match text.parse::<u64>() {
        Ok(n) if text.len() <= 2 && !text.starts_with('0') || n == 0 && text.len() == 1 => cardinal(n),
        Ok(n) if matches!(text.len(), 3 | 4) && !text.starts_with('0') => {
            if n.is_multiple_of(1000) {
                cardinal(n)
            } else {
                pairs(n)
            }
        }
        _ => digits(text),
    }
}

/// `3/4` as `three quarters`.
pub fn fraction(top: u64, bottom: u64) -> String {
    let part = match bottom {
        2 => "half".to_string(),
        4 => "quarter".to_string(),
        _ => ordinal(bottom),
    };
    match (top, bottom) {
        (1, _) => format!("one {part}"),
        (_, 2) => format!("{} halves", cardinal(top)),
        _ => format!("{} {part}s", cardinal(top)),
    }
}

/// The value of a Roman numeral in capitals; `None` unless written the usual way.
pub fn roman(text: &str) -> Option<u64> {
    const VALUES: [(&str, u64); 13] = [
        ("M", 1000),
        ("CM", 900),
        ("D", 500),
        ("CD", 400),
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ];
    let (mut rest, mut value) = (text, 0);
    for (symbol, worth) in VALUES {
        let mut times = 0;
        while let Some(shorter) = rest.strip_prefix(symbol) {
            (rest, value, times) = (shorter, value + worth, times + 1);
            if symbol.len() == 2 || times > 3 {
                break;
            }
        }
        if times > 3 {
            return None;
        }
    }
    (rest.is_empty() && value > 0).then_some(value)
}

/// Whether a number as written takes the singular.
pub fn is_one(text: &str) -> bool {
    matches!(text.trim_start_matches(['-', '−']), "1" | "1.0" | "one")
}
