//! What an ear makes of the probabilities that it hears: boundaries of known phonemes, unknown phonemes, and errors in them.

use crate::error::{Error, Result};
use crate::text::Vocab;

/// How unlikely it is that a symbol ends with a frame, in nats: short flickers are not heard. With 2 the shipped ear hears 8.9 % of the phonemes
/// in the teacher's speech wrong and 11.4 % in heart's of that time, with this 8.8 and 11.1 %.
const CHANGE: f32 = 1.4;
/// Share of the likelihood of any silence that every silence gets: a speaker pauses where no comma is written.
const ANY_SILENCE: f32 = 0.1;

/// How far the share of the utterance that a symbol is heard in counts against it, as a prior divides a posterior in a hybrid of a
/// network and a hidden Markov model: in an unknown voice what is heard most often (spaces) must not swallow its neighbours.
const PRIOR: f32 = 0.5;
/// Share that is added to each.
const LEAST_SHARE: f32 = 0.01;

/// Log probabilities of the symbols in every frame.
#[derive(Debug)]
pub struct Hearing {
    /// `frames` rows of `symbols`.
    log_probabilities: Vec<f32>,
    symbols: usize,
    frames: usize,
    frame_seconds: f64,
}

/// When the symbols of an utterance are heard, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// Silence before the first phoneme.
    pub lead: f64,
    /// One for each phoneme.
    pub durations: Vec<f64>,
    /// Silence after the last phoneme.
    pub tail: f64,
    /// Mean log probability of a frame: how well what is heard fits, at most 0.
    pub fit: f64,
}

impl Hearing {
    pub(super) fn new(log_probabilities: Vec<f32>, symbols: usize, frames: usize, frame_seconds: f64) -> Self {
        Self { log_probabilities, symbols, frames, frame_seconds }
    }

    fn frame(&self, t: usize) -> &[f32] {
        &self.log_probabilities[t * self.symbols..(t + 1) * self.symbols]
    }

    /// When each symbol of `phonemes` is heard: the likeliest path that stays on each for a frame at least (Viterbi 1967).
    pub fn align(&self, phonemes: &str) -> Result<Alignment> {
        let symbols = Vocab::encode_utterance(phonemes)?;
        let (count, frames) = (symbols.len(), self.frames);
        if frames < count {
            let (seconds, least) = (frames as f64 * self.frame_seconds, count as f64 * self.frame_seconds);
            return Err(Error::Text(format!(
                "{seconds:.2} s are too short for its {count} phonemes, expected {least:.2} s"
            )));
        }
        // score[s]: of the best path that is at symbol s in the frame; came[t·count + s]: whether it came from s - 1.
        let mut score = vec![f32::NEG_INFINITY; count];
        let mut came = vec![false; frames * count];
        let shares = self.shares();
        let priors: Vec<f32> = symbols.iter().map(|&id| PRIOR * (shares[id as usize] + LEAST_SHARE).ln()).collect();
        for t in 0..frames {
            let heard = self.heard(t, &symbols);
            for s in (0..count).rev() {
                let stayed = if t == 0 { if s == 0 { 0.0 } else { f32::NEG_INFINITY } } else { score[s] };
                let moved = if t > 0 && s > 0 { score[s - 1] } else { f32::NEG_INFINITY };
                came[t * count + s] = moved > stayed;
                score[s] = moved.max(stayed) + heard[s] - priors[s];
            }
        }
        let mut lasted = vec![0usize; count];
        let (mut s, mut fit) = (count - 1, 0.0);
        for t in (0..frames).rev() {
            lasted[s] += 1;
            fit += f64::from(self.heard(t, &symbols[s..=s])[0]) / frames as f64;
            s -= usize::from(came[t * count + s]);
        }
        let seconds: Vec<f64> = lasted.iter().map(|&frames| frames as f64 * self.frame_seconds).collect();
        Ok(Alignment { lead: seconds[0], durations: seconds[1..count - 1].to_vec(), tail: seconds[count - 1], fit })
    }

    /// Share of the frames that each symbol is heard in.
    fn shares(&self) -> Vec<f32> {
        let mut shares = vec![0.0; self.symbols];
        for t in 0..self.frames {
            self.frame(t).iter().zip(&mut shares).for_each(|(p, share)| *share += p.exp() / self.frames as f32);
        }
        shares
    }

    /// Log probability of each of `symbols` in frame `t`.
    fn heard(&self, t: usize, symbols: &[i64]) -> Vec<f32> {
        let frame = self.frame(t);
        let silence: f32 =
            (0..self.symbols as i64).filter(|&id| is_silent(id)).map(|id| frame[id as usize].exp()).sum();
        let likelihood = |id: i64| {
            let own = frame[id as usize];
            if is_silent(id) { (own.exp() + ANY_SILENCE * silence).max(f32::MIN_POSITIVE).ln() } else { own }
        };
        symbols.iter().map(|&id| likelihood(id)).collect()
    }

    /// The sounds that are heard, without stress, spaces and punctuation.
    pub fn phonemes(&self) -> Result<String> {
        // score[v]: of the best path that is at symbol v; came[t·symbols + v]: where it was a frame before.
        let mut score = self.frame(0).to_vec();
        let mut came = vec![0usize; self.frames * self.symbols];
        for t in 1..self.frames {
            let best = (0..self.symbols).max_by(|&a, &b| score[a].total_cmp(&score[b])).unwrap_or(0);
            let changed = score[best] - CHANGE;
            for (v, &heard) in self.frame(t).iter().enumerate() {
                came[t * self.symbols + v] = if changed > score[v] { best } else { v };
                score[v] = changed.max(score[v]) + heard;
            }
        }
        let mut at = (0..self.symbols).max_by(|&a, &b| score[a].total_cmp(&score[b])).unwrap_or(0);
        let mut path = vec![at as i64];
        for t in (1..self.frames).rev() {
            at = came[t * self.symbols + at];
            path.push(at as i64);
        }
        path.reverse();
        path.dedup();
        Ok(sounds(&Vocab::decode(&path)?))
    }
}

/// Whether the symbol is silence: nothing, a space or a pause.
fn is_silent(id: i64) -> bool {
    id == Vocab::BEGIN || id == Vocab::END || Vocab::decode(&[id]).is_ok_and(|s| s == " " || s.contains(is_pause))
}

fn is_pause(symbol: char) -> bool {
    ";:,.!?—…“”()".contains(symbol)
}

/// The phonemes that are heard by themselves, without stress, spaces and punctuation.
pub fn sounds(phonemes: &str) -> String {
    phonemes.chars().filter(|&symbol| Vocab::is_sound(symbol)).collect()
}

/// How what was heard differs from what was expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Errors {
    /// Phonemes heard as others, not heard, and heard without being expected.
    pub substituted: usize,
    pub deleted: usize,
    pub inserted: usize,
    /// Phonemes expected.
    pub expected: usize,
}

impl Errors {
    /// Phoneme error rate: errors per phoneme expected.
    pub fn rate(&self) -> f64 {
        (self.substituted + self.deleted + self.inserted) as f64 / self.expected.max(1) as f64
    }

    pub fn add(&mut self, other: &Self) {
        self.substituted += other.substituted;
        self.deleted += other.deleted;
        self.inserted += other.inserted;
        self.expected += other.expected;
    }
}

/// The fewest changes that turn `expected` into `heard` (Levenshtein 1966).
pub fn count_errors(expected: &str, heard: &str) -> Errors {
    let (expected, heard): (Vec<char>, Vec<char>) = (expected.chars().collect(), heard.chars().collect());
    // row[j]: of expected[..i] against heard[..j].
    let cost = |e: &Errors| e.substituted + e.deleted + e.inserted;
    let mut row: Vec<Errors> = (0..=heard.len()).map(|inserted| Errors { inserted, ..Errors::default() }).collect();
    for (i, symbol) in expected.iter().enumerate() {
        let mut next = vec![Errors { deleted: i + 1, ..Errors::default() }];
        for (j, other) in heard.iter().enumerate() {
            let swapped = Errors { substituted: row[j].substituted + usize::from(symbol != other), ..row[j] };
            let deleted = Errors { deleted: row[j + 1].deleted + 1, ..row[j + 1] };
            let inserted = Errors { inserted: next[j].inserted + 1, ..next[j] };
            next.push([swapped, deleted, inserted].into_iter().min_by_key(cost).unwrap_or(swapped));
        }
        row = next;
    }
    Errors { expected: expected.len(), ..row[heard.len()] }
}
