//! Words that are written alike and sound different, told apart by the words around them. Where a part of speech tells them apart, misaki's
//! dictionaries do.

use super::tokens::Part;

/// A line for each reading: word, phonemes, and the words of which one must be near.
const HOMOGRAPHS: &str = include_str!("data/homographs.tsv");

/// Words on either side that are near.
const REACH: usize = 2;

/// Gives homographs the phonemes that the words around them call for.
pub fn settle(words: &mut [Vec<Part>]) {
    let text = |word: &Vec<Part>| word.iter().map(|part| part.text.to_lowercase()).collect::<String>();
    let texts: Vec<String> = words.iter().map(text).collect();
    for (at, word) in words.iter_mut().enumerate() {
        if let [part] = word.as_mut_slice() {
            let near = &texts[at.saturating_sub(REACH)..(at + REACH + 1).min(texts.len())];
            part.phonemes = part.phonemes.take().or_else(|| reading(&texts[at], near));
        }
    }
}

fn reading(word: &str, near: &[String]) -> Option<String> {
    HOMOGRAPHS.lines().find_map(|line| {
        let (_, rest) = line.split_once('\t').filter(|(homograph, _)| *homograph == word)?;
        let (phonemes, tellers) = rest.split_once('\t')?;
        tellers.split(' ').any(|teller| near.iter().any(|word| word == teller)).then(|| phonemes.to_string())
    })
}
