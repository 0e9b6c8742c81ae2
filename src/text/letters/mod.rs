//! Letters to sounds for words that no dictionary has.
//!
//! Each letter of a word speaks a *chunk* of no, one or a few phonemes. A linear model over the
//! letters around and the chunks before scores the chunks, and a beam search finds the best row of
//! them with one main stress (after Jiampojamarn & Kondrak 2008, "Joint processing and
//! discriminative training for letter-to-phoneme conversion"). Weights are hashed into one table
//! of bytes. Knows nothing of how the weights are found: see [`train`] and [`align`].

pub mod align;
pub mod features;
pub mod train;

use features::{History, history_features, letter_features, slot};

/// Weights and chunks of the model that ships with the crate.
const MODEL: &[u8] = include_bytes!("../data/letters.bin");

/// Rows of chunks kept while reading a word.
pub const BEAM: usize = 6;

/// A scorer of chunks; training uses `f32`, reading bytes.
pub trait Weights {
    /// The weight at a hashed place.
    fn at(&self, slot: usize) -> f32;
    /// Number of places, a power of two.
    fn size(&self) -> usize;
}

impl Weights for [i8] {
    fn at(&self, slot: usize) -> f32 {
        f32::from(self[slot])
    }

    fn size(&self) -> usize {
        self.len()
    }
}

impl Weights for [f32] {
    fn at(&self, slot: usize) -> f32 {
        self[slot]
    }

    fn size(&self) -> usize {
        self.len()
    }
}

/// What letters may sound like.
#[derive(Debug, Clone, Default)]
pub struct Chunks {
    /// Phonemes of each chunk, stress mark included.
    pub sounds: Vec<String>,
    /// The chunks that each letter `a` to `z` may speak.
    pub of_letter: [Vec<u16>; 26],
}

/// One way to read the letters so far.
#[derive(Debug, Clone, Default)]
pub struct Path {
    pub chunks: Vec<u16>,
    pub score: f32,
    pub history: History,
}

/// A trained model.
pub struct LetterModel {
    chunks: Chunks,
    weights: Vec<i8>,
}

impl LetterModel {
    /// The model that ships with the crate.
    pub fn new() -> Self {
        Self::from_bytes(MODEL)
    }

    /// Reads what [`LetterModel::to_bytes`] wrote: a line of all chunks, a line of numbers of
    /// chunks for each letter, an empty line, weights.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(0);
        let header = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = header.lines();
        let sounds: Vec<String> = lines.next().unwrap_or_default().split('|').map(str::to_string).collect();
        let mut chunks = Chunks { sounds, ..Chunks::default() };
        for (of_letter, line) in chunks.of_letter.iter_mut().zip(lines) {
            let ids = line.split(' ').filter_map(|id| id.parse::<u16>().ok());
            of_letter.extend(ids.filter(|&id| usize::from(id) < chunks.sounds.len()));
        }
        let weights = bytes.get(end + 2..).unwrap_or_default().iter().map(|&b| b as i8).collect();
        Self { chunks, weights }
    }

    /// The file that [`LetterModel::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let line = |ids: &Vec<u16>| ids.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
        let letters = self.chunks.of_letter.iter().map(line).collect::<Vec<_>>().join("\n");
        let header = format!("{}\n{letters}\n\n", self.chunks.sounds.join("|"));
        header.bytes().chain(self.weights.iter().map(|&w| w as u8)).collect()
    }

    /// Phonemes of a word of letters `a` to `z`; other characters are passed over.
    pub fn read(&self, word: &str) -> String {
        let letters = letters(word);
        let best = beam(&letters, &self.chunks, self.weights.as_slice(), BEAM).into_iter().next().unwrap_or_default();
        stressed(undoubled(best.chunks.iter().flat_map(|&id| self.chunks.sounds[usize::from(id)].chars())))
    }
}

impl Default for LetterModel {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunks {
    /// The id of a chunk, a new one if it has none.
    pub fn id(&mut self, sound: &str) -> u16 {
        let known = self.sounds.iter().position(|s| s == sound);
        let id = known.unwrap_or_else(|| {
            self.sounds.push(sound.to_string());
            self.sounds.len() - 1
        });
        id as u16
    }
}

/// The letters of a word as numbers from 0 to 25.
pub fn letters(word: &str) -> Vec<u8> {
    word.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase() - b'a').collect()
}

/// The best rows of chunks for `letters`, best first.
pub fn beam<W: Weights + ?Sized>(letters: &[u8], chunks: &Chunks, weights: &W, width: usize) -> Vec<Path> {
    let mut paths = vec![Path::default()];
    for at in 0..letters.len() {
        paths = step(letters, at, chunks, weights, &paths, width);
    }
    paths
}

/// The best rows of chunks up to and with the letter `at`, grown from `paths`.
pub fn step<W: Weights + ?Sized>(
    letters: &[u8],
    at: usize,
    chunks: &Chunks,
    weights: &W,
    paths: &[Path],
    width: usize,
) -> Vec<Path> {
    let choices = &chunks.of_letter[usize::from(letters[at])];
    let seen = letter_features(letters, at);
    let score =
        |features: &[u32], id: u16| features.iter().map(|&f| weights.at(slot(f, id, weights.size()))).sum::<f32>();
    let base: Vec<f32> = choices.iter().map(|&id| score(&seen, id)).collect();
    let mut grown: Vec<(f32, usize, u16)> = Vec::with_capacity(paths.len() * choices.len());
    for (from, path) in paths.iter().enumerate() {
        let remembered = history_features(letters, at, &path.history);
        for (&id, base) in choices.iter().zip(&base) {
            if !path.history.stressed || !chunks.sounds[usize::from(id)].contains('ˈ') {
                grown.push((path.score + base + score(&remembered, id), from, id));
            }
        }
    }
    grown.sort_by(|a, b| b.0.total_cmp(&a.0));
    grown.truncate(width);
    grown.into_iter().map(|(score, from, id)| paths[from].with(id, score, &chunks.sounds[usize::from(id)])).collect()
}

impl Path {
    /// This row with one chunk more.
    pub fn with(&self, id: u16, score: f32, sound: &str) -> Self {
        let mut chunks = self.chunks.clone();
        chunks.push(id);
        Self { chunks, score, history: self.history.with(id, sound) }
    }
}

/// Phonemes in which a double letter's consonant is heard once.
fn undoubled(phonemes: impl Iterator<Item = char>) -> String {
    let is_consonant = |c| crate::text::vocab::CONSONANTS.contains(c);
    phonemes.fold(String::new(), |mut heard, c| {
        if !(is_consonant(c) && heard.ends_with(c)) {
            heard.push(c);
        }
        heard
    })
}

/// Gives a word without main stress one on its first weakly stressed vowel, else on its first
/// vowel.
fn stressed(phonemes: String) -> String {
    if phonemes.contains('ˈ') {
        return phonemes;
    }
    if phonemes.contains('ˌ') {
        return phonemes.replacen('ˌ', "ˈ", 1);
    }
    match phonemes.find(|c| crate::text::vocab::VOWELS.contains(c)) {
        Some(at) => format!("{}ˈ{}", &phonemes[..at], &phonemes[at..]),
        None => phonemes,
    }
}
