//! Which letter speaks which phonemes: expectation maximisation over a pronouncing dictionary.

use std::collections::HashMap;

/// Letters and, for each of them, the phonemes it speaks.
#[derive(Debug, Clone)]
pub struct Aligned {
    pub letters: Vec<u8>,
    pub chunks: Vec<String>,
}

/// A dictionary entry cut into letters and sounds (a stress mark belongs to the sound after it).
struct Entry {
    letters: Vec<u8>,
    sounds: Vec<String>,
}

/// Most sounds that one letter speaks.
const MOST: usize = 3;

type Costs = HashMap<(u8, String), f64>;

/// Aligns `(word, phonemes)` pairs; those that no alignment fits are left out. Chunks seen less
/// than `rare` times are not used.
pub fn align(pairs: &[(String, String)], rounds: usize, rare: f64) -> Vec<Aligned> {
    let entries: Vec<Entry> = pairs.iter().map(|(word, phonemes)| Entry::new(word, phonemes)).collect();
    let mut costs = first_guess(&entries);
    for _ in 0..rounds {
        costs = to_costs(&count(&entries, &costs), 0.5);
    }
    let mut used = Costs::new();
    for aligned in entries.iter().filter_map(|entry| entry.best(&costs)) {
        for (&letter, chunk) in aligned.letters.iter().zip(aligned.chunks) {
            *used.entry((letter, chunk)).or_default() += 1.0;
        }
    }
    let costs = to_costs(&used, rare);
    entries.iter().filter_map(|entry| entry.best(&costs)).collect()
}

impl Entry {
    fn new(word: &str, phonemes: &str) -> Self {
        let mut sounds: Vec<String> = Vec::new();
        for c in phonemes.chars() {
            match sounds.last_mut().filter(|sound| sound.ends_with(['ˈ', 'ˌ'])) {
                Some(sound) => sound.push(c),
                None => sounds.push(c.to_string()),
            }
        }
        Self { letters: super::letters(word), sounds }
    }

    /// Costs of reaching each `(letters, sounds)` from the start.
    fn forward(&self, costs: &Costs, join: fn(f64, f64) -> f64) -> Vec<Vec<f64>> {
        let (rows, columns) = (self.letters.len() + 1, self.sounds.len() + 1);
        let mut table = vec![vec![f64::INFINITY; columns]; rows];
        table[0][0] = 0.0;
        for (i, j, k, cost) in self.edges(costs) {
            table[i + 1][j + k] = join(table[i + 1][j + k], table[i][j] + cost);
        }
        table
    }

    /// Every way that one letter speaks `k` sounds from sound `j` on, in order of letters.
    fn edges<'a>(&'a self, costs: &'a Costs) -> impl DoubleEndedIterator<Item = (usize, usize, usize, f64)> + 'a {
        let cells = (0..self.letters.len()).flat_map(move |i| (0..=self.sounds.len()).map(move |j| (i, j)));
        let ways = cells.flat_map(move |(i, j)| (0..=MOST.min(self.sounds.len() - j)).map(move |k| (i, j, k)));
        ways.filter_map(move |(i, j, k)| {
            let cost = costs.get(&(self.letters[i], self.sounds[j..j + k].concat()))?;
            Some((i, j, k, *cost))
        })
    }

    fn best(&self, costs: &Costs) -> Option<Aligned> {
        let table = self.forward(costs, f64::min);
        let (mut j, mut chunks) = (self.sounds.len(), Vec::new());
        for i in (0..self.letters.len()).rev() {
            let (_, k) = (0..=MOST.min(j))
                .filter_map(|k| {
                    Some((table[i][j - k] + costs.get(&(self.letters[i], self.sounds[j - k..j].concat()))?, k))
                })
                .filter(|(cost, _)| cost.is_finite())
                .min_by(|a, b| a.0.total_cmp(&b.0))?;
            chunks.push(self.sounds[j - k..j].concat());
            j -= k;
        }
        chunks.reverse();
        (j == 0).then(|| Aligned { letters: self.letters.clone(), chunks })
    }
}

/// Any letter may speak any one or two sounds next to it, more seldom none or three.
fn first_guess(entries: &[Entry]) -> Costs {
    let mut costs = Costs::new();
    for entry in entries {
        for (i, &letter) in entry.letters.iter().enumerate() {
            for j in 0..=entry.sounds.len() {
                for k in 0..=MOST.min(entry.sounds.len() - j) {
                    let skew = (i as f64 / entry.letters.len() as f64 - j as f64 / entry.sounds.len() as f64).abs();
                    if skew < 0.4 {
                        let chunk = entry.sounds[j..j + k].concat();
                        costs.entry((letter, chunk)).or_insert([2.0, 1.0, 4.0, 8.0][k]);
                    }
                }
            }
        }
    }
    costs
}

/// Expected number of times that each letter speaks each chunk.
fn count(entries: &[Entry], costs: &Costs) -> Costs {
    let mut counts = Costs::new();
    for entry in entries {
        let ahead = entry.forward(costs, add_costs);
        let total = ahead[entry.letters.len()][entry.sounds.len()];
        if !total.is_finite() {
            continue;
        }
        let mut behind = vec![vec![f64::INFINITY; entry.sounds.len() + 1]; entry.letters.len() + 1];
        behind[entry.letters.len()][entry.sounds.len()] = 0.0;
        for (i, j, k, cost) in entry.edges(costs).rev() {
            let through = cost + behind[i + 1][j + k];
            behind[i][j] = add_costs(behind[i][j], through);
            let share = (total - ahead[i][j] - through).exp();
            if share > 1e-4 {
                *counts.entry((entry.letters[i], entry.sounds[j..j + k].concat())).or_default() += share;
            }
        }
    }
    counts
}

/// Negative logarithm of each chunk's share of its letter, without those counted less than `least`.
fn to_costs(counts: &Costs, least: f64) -> Costs {
    let mut totals = [0.0; 26];
    for ((letter, _), n) in counts {
        totals[usize::from(*letter)] += n;
    }
    let kept = counts.iter().filter(|&(_, &n)| n >= least);
    kept.map(|(key, n)| (key.clone(), (totals[usize::from(key.0)] / n).ln())).collect()
}

/// `-ln(e^-a + e^-b)`.
fn add_costs(a: f64, b: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    if high.is_infinite() { low } else { low - (low - high).exp().ln_1p() }
}
