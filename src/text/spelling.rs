//! What the letters of a word tell: whether it is said or spelled, and the names of letters.

/// Names of the letters `a` to `z`, weakly stressed: the last one of a row becomes strong.
#[rustfmt::skip]
const LETTER_NAMES: [&str; 26] = [
    "ˌA", "bˌi", "sˌi", "dˌi", "ˌi", "ˌɛf", "ʤˌi", "ˌAʧ", "ˌI", "ʤˌA", "kˌA", "ˌɛl", "ˌɛm", "ˌɛn",
    "ˌO", "pˌi", "kjˌu", "ˌɑɹ", "ˌɛs", "tˌi", "jˌu", "vˌi", "dˌʌbᵊlju", "ˌɛks", "wˌI", "zˌi",
];

/// The names of a word's letters as one word, the last one stressed.
pub fn spell(word: &str) -> String {
    let letters = word.chars().filter(char::is_ascii_alphabetic);
    let names: String = letters.map(|c| LETTER_NAMES[(c.to_ascii_lowercase() as u8 - b'a') as usize]).collect();
    match names.rfind('ˌ') {
        Some(at) => format!("{}ˈ{}", &names[..at], &names[at + 'ˌ'.len_utf8()..]),
        None => names,
    }
}

/// Whether a word is written in capitals, two or more.
pub fn is_capitals(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase())
}

/// Whether a reader would try to say a word rather than spell it.
pub fn is_pronounceable(word: &str) -> bool {
    const OPENINGS: &[&str] = &[
        "bl", "br", "ch", "cl", "cr", "cz", "dh", "dr", "dw", "fj", "fl", "fr", "gh", "gl", "gn", "gr", "gw", "kh",
        "kl", "kn", "kr", "kw", "ll", "ly", "mc", "my", "ng", "ph", "pf", "pl", "pn", "pr", "ps", "rh", "sc", "sh",
        "sj", "sk", "sl", "sm", "sn", "sp", "sq", "sr", "st", "sv", "sw", "sz", "th", "tr", "ts", "tw", "tz", "vl",
        "vr", "wh", "wr", "zh", "zw",
    ];
    let is_vowel = |c: char| "aeiouy".contains(c);
    let letters: Vec<char> = word.chars().filter(char::is_ascii_alphabetic).collect();
    let longest_run = letters.split(|&c| is_vowel(c)).map(<[char]>::len).max().unwrap_or(0);
    let opening: String = letters.iter().take(2).collect();
    let vowels = letters.iter().filter(|&&c| is_vowel(c)).count();
    // Mbappé and Zverev are said, however they begin.
    let is_name_like = letters.len() >= 5 && 4 * vowels >= letters.len();
    let opens_well =
        letters.iter().take(2).any(|&c| is_vowel(c)) || OPENINGS.contains(&opening.as_str()) || is_name_like;
    letters.len() > 1 && vowels > 0 && longest_run <= 5 && opens_well
}

/// `Sooooo` as `So`, `Aaargh` as `Argh`: a letter written three times or more is written once.
pub fn without_drawl(word: &str) -> Option<String> {
    let letters: Vec<char> = word.chars().collect();
    let drawn = |i: usize| letters[i..].iter().take_while(|c| c.eq_ignore_ascii_case(&letters[i])).count();
    let (mut short, mut i) = (String::new(), 0);
    while i < letters.len() {
        short.push(letters[i]);
        let length = drawn(i);
        if length == 2 {
            short.push(letters[i + 1]);
        }
        i += length;
    }
    (short.len() > 1 && short.len() < word.len()).then_some(short)
}

/// A word with straight apostrophes.
pub fn straight(word: &str) -> String {
    word.replace(['‘', '’'], "'")
}
