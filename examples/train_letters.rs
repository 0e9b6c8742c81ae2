//! Trains the letter-to-sound model on the dictionaries and measures it on words held out.
//!
//! `cargo run --release --example train_letters -- OUT.bin` holds out every 40th word of misaki's
//! hand-checked dictionary, prints the error rates on them, then trains on everything and writes OUT.bin.

#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;

use misaki_rs::data::{load_us_gold, load_us_silver};
use misaki_rs::lexicon::PhonemeEntry;
use tts::text::letters::LetterModel;
use tts::text::letters::train::{Options, train};

const NAMES: &str = include_str!("../src/text/data/cmudict.tsv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("usage: train_letters OUT.bin")?;
    let (gold, all) = dictionaries();
    let held: Vec<_> = gold.iter().filter(|(word, _)| word.len() >= 4).step_by(40).collect();
    let rest: Vec<_> = all.iter().filter(|(word, _)| !held.iter().any(|(w, _)| w == word)).cloned().collect();
    eprintln!("{} words to learn from, {} held out", rest.len(), held.len());
    let say = |epoch, right| eprintln!("epoch {epoch}: {:.1} % right", right * 100.0);
    measure(&train(&rest, Options::default(), say), &held);
    std::fs::write(out, train(&all, Options::default(), say).to_bytes())?;
    Ok(())
}

type Pairs = Vec<(String, String)>;

/// Misaki's hand-checked words, and all words; each once, in lower case, without acronyms.
fn dictionaries() -> (Pairs, Pairs) {
    let gold: BTreeMap<_, _> = load_us_gold().into_iter().filter_map(plain).collect();
    let mut all: BTreeMap<_, _> = load_us_silver().into_iter().filter_map(plain).collect();
    let names = NAMES.lines().filter_map(|line| line.split_once('\t')).map(|(w, p)| (w.to_string(), p.to_string()));
    all.extend(names.filter(|(word, _)| word.bytes().all(|b| b.is_ascii_lowercase())));
    all.extend(gold.clone());
    (gold.into_iter().collect(), all.into_iter().collect())
}

fn plain((word, entry): (String, PhonemeEntry)) -> Option<(String, String)> {
    let phonemes = match entry {
        PhonemeEntry::Simple(phonemes) => phonemes,
        PhonemeEntry::Tagged(by_tag) => by_tag.get("DEFAULT")?.clone()?,
    };
    let letters = word.bytes().all(|b| b.is_ascii_alphabetic());
    let acronym = word.len() > 1 && word.bytes().skip(1).all(|b| b.is_ascii_uppercase());
    let fits = letters && !acronym && word.len() > 1 && phonemes.contains(['ˈ', 'ˌ']) && !phonemes.contains(' ');
    fits.then(|| (word.to_lowercase(), phonemes.replace('ɾ', "T").replace('ʔ', "t")))
}

fn measure(model: &LetterModel, held: &[&(String, String)]) {
    let (mut wrong_words, mut errors, mut plain_errors, mut count, mut plain_count) = (0, 0, 0, 0, 0);
    for (i, (word, right)) in held.iter().enumerate() {
        let read = model.read(word);
        let bare = |s: &str| s.replace(['ˈ', 'ˌ'], "");
        wrong_words += usize::from(read != *right);
        errors += distance(&sounds(&read), &sounds(right));
        count += sounds(right).len();
        plain_errors += distance(&sounds(&bare(&read)), &sounds(&bare(right)));
        plain_count += sounds(&bare(right)).len();
        if i % 40 == 0 {
            eprintln!("{word}\t{right}\t{read}");
        }
    }
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    eprintln!(
        "phoneme error rate {:.2} % with stress, {:.2} % without; words wrong {:.1} %",
        percent(errors, count),
        percent(plain_errors, plain_count),
        percent(wrong_words, held.len())
    );
}

fn sounds(phonemes: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for c in phonemes.chars() {
        match found.last_mut().filter(|sound| sound.ends_with(['ˈ', 'ˌ'])) {
            Some(sound) => sound.push(c),
            None => found.push(c.to_string()),
        }
    }
    found
}

fn distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}
