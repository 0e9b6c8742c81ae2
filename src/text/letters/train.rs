//! Finds the weights of the letter-to-sound model: an averaged perceptron over beam search,
//! updated as soon as the right row of chunks falls out of the beam (Collins & Roark 2004).

use super::align::{Aligned, align};
use super::features::{History, history_features, letter_features, slot};
use super::{BEAM, Chunks, LetterModel, Path, step};

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub epochs: usize,
    /// Number of weights, a power of two.
    pub size: usize,
    pub seed: u64,
    /// Chunks that fewer letters speak are not learnt.
    pub rare: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { epochs: 12, size: 1 << 21, seed: 1, rare: 8.0 }
    }
}

/// Weights while they are learnt.
struct Learner {
    chunks: Chunks,
    weights: Vec<f32>,
    /// Sum of updates times the moment they came at, to average over all moments.
    lag: Vec<f64>,
    moment: f64,
}

/// Learns from `(word, phonemes)` pairs; `report` is told the share of words read right in each
/// epoch.
pub fn train(pairs: &[(String, String)], options: Options, mut report: impl FnMut(usize, f64)) -> LetterModel {
    let aligned = align(pairs, 6, options.rare);
    let mut learner = Learner::new(&aligned, options.size);
    let mut order: Vec<usize> = (0..aligned.len()).collect();
    let mut seed = options.seed;
    for epoch in 0..options.epochs {
        shuffle(&mut order, &mut seed);
        let right = order.iter().filter(|&&i| learner.learn(&aligned[i])).count();
        report(epoch, right as f64 / aligned.len().max(1) as f64);
    }
    learner.finish()
}

impl Learner {
    fn new(aligned: &[Aligned], size: usize) -> Self {
        let mut chunks = Chunks::default();
        for (letter, sound) in aligned.iter().flat_map(|a| a.letters.iter().zip(&a.chunks)) {
            let id = chunks.id(sound);
            let choices = &mut chunks.of_letter[usize::from(*letter)];
            if !choices.contains(&id) {
                choices.push(id);
            }
        }
        Self { chunks, weights: vec![0.0; size], lag: vec![0.0; size], moment: 1.0 }
    }

    /// Reads one word and mends the weights if the reading is wrong; whether it was right.
    fn learn(&mut self, word: &Aligned) -> bool {
        let target: Vec<u16> = word.chunks.iter().map(|sound| self.chunks.id(sound)).collect();
        let mut paths = vec![Path::default()];
        self.moment += 1.0;
        for at in 0..target.len() {
            paths = step(&word.letters, at, &self.chunks, self.weights.as_slice(), &paths, BEAM);
            let last = at + 1 == target.len();
            let lost = !paths.iter().any(|path| path.chunks == target[..=at]);
            let wrong = last && paths.first().is_none_or(|path| path.chunks != target);
            if lost || wrong {
                let guess = paths.first().map(|path| path.chunks.clone()).unwrap_or_default();
                self.update(&word.letters, &target[..=at], 1.0);
                self.update(&word.letters, &guess, -1.0);
                return false;
            }
        }
        true
    }

    fn update(&mut self, letters: &[u8], row: &[u16], by: f32) {
        let mut history = History::default();
        for (at, &id) in row.iter().enumerate() {
            let seen = letter_features(letters, at);
            for feature in seen.into_iter().chain(history_features(letters, at, &history)) {
                let slot = slot(feature, id, self.weights.len());
                self.weights[slot] += by;
                self.lag[slot] += f64::from(by) * self.moment;
            }
            history = history.with(id, &self.chunks.sounds[usize::from(id)]);
        }
    }

    /// Averages the weights and rounds them to bytes.
    fn finish(self) -> LetterModel {
        let average = |(w, lag): (&f32, &f64)| f64::from(*w) - lag / self.moment;
        let averaged: Vec<f64> = self.weights.iter().zip(&self.lag).map(average).collect();
        let mut sizes: Vec<f64> = averaged.iter().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
        sizes.sort_by(f64::total_cmp);
        let large = sizes.get(sizes.len() * 999 / 1000).copied().unwrap_or(1.0);
        let weights = averaged.iter().map(|w| (w / large * 127.0).round().clamp(-127.0, 127.0) as i8).collect();
        LetterModel { chunks: self.chunks, weights }
    }
}

/// Shuffles in place (Fisher & Yates) with a xorshift generator.
fn shuffle(order: &mut [usize], seed: &mut u64) {
    for i in (1..order.len()).rev() {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        order.swap(i, (*seed % (i as u64 + 1)) as usize);
    }
}
