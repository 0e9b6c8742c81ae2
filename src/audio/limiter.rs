//! Keeps peaks below a ceiling without clipping: it looks a few milliseconds ahead, turns the sound down before a peak comes and
//! up again after it. What has no such peak passes unchanged, to the bit.
//!
//! The gain is the moving average of a held minimum, so it has come down whenever the peak is there (the look-ahead limiter of
//! D. Giannoulis and others, "Digital dynamic range compressor design", 2012, with a box window). Reductions are whole numbers,
//! which add up without rounding: the result does not depend on how the samples are cut into pieces.

use std::collections::VecDeque;

/// Highest sample that is let through: -1 dB of full scale, the highest level that EBU R 128 permits.
pub const CEILING: f32 = 0.891;
/// Parts of a second that it looks ahead, and in which most of a reduction is taken back.
const LOOK_AHEAD: u32 = 200;
const RELEASE: u32 = 20;
/// What stands for a reduction to silence.
const WHOLE: f64 = (1u64 << 32) as f64;

/// A stream of mono samples on its way through.
#[derive(Debug)]
pub struct Limiter {
    /// Samples that it looks ahead.
    window: usize,
    release: u64,
    /// Samples that have been taken and not given yet.
    waiting: VecDeque<f32>,
    /// Samples taken.
    taken: u64,
    /// Number of a sample and the reduction that it needs, of those in the window that no later one exceeds.
    peaks: VecDeque<(u64, u64)>,
    /// The reductions of the last samples, held and released, and their sum.
    held: VecDeque<u64>,
    sum: u64,
    /// Samples that were beyond the ceiling.
    pub limited: u64,
}

impl Limiter {
    /// At the start of a sound of so many samples a second.
    pub fn new(sample_rate: u32) -> Self {
        let window = (sample_rate / LOOK_AHEAD) as usize;
        Self {
            window,
            release: u64::from(sample_rate / RELEASE).max(1),
            waiting: VecDeque::with_capacity(window + 1),
            taken: 0,
            peaks: VecDeque::new(),
            held: VecDeque::from(vec![0; window + 1]),
            sum: 0,
            limited: 0,
        }
    }

    /// Takes samples; gives as many, those from the look-ahead before, and fewer only at the start.
    pub fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        samples.iter().filter_map(|&sample| self.step(sample)).collect()
    }

    /// The samples that still wait.
    pub fn finish(mut self) -> Vec<f32> {
        (0..self.window).filter_map(|_| self.step(0.0)).collect()
    }

    fn step(&mut self, sample: f32) -> Option<f32> {
        let needed = reduction(sample);
        self.limited += u64::from(needed > 0);
        while self.peaks.back().is_some_and(|&(_, other)| other <= needed) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((self.taken, needed));
        let highest = self.peaks.front().map_or(0, |&(_, highest)| highest);
        if self.peaks.front().is_some_and(|&(number, _)| number + self.window as u64 <= self.taken) {
            self.peaks.pop_front();
        }
        self.taken += 1;
        let last = self.held.back().copied().unwrap_or(0);
        let released = last.saturating_sub(last / self.release + 1);
        let held = highest.max(released);
        self.sum += held;
        self.sum -= self.held.pop_front().unwrap_or(0);
        self.held.push_back(held);
        self.waiting.push_back(sample);
        let due = self.waiting.len() > self.window;
        due.then(|| self.waiting.pop_front()).flatten().map(|sample| self.turned_down(sample))
    }

    fn turned_down(&self, sample: f32) -> f32 {
        let reduction = self.sum as f64 / self.held.len() as f64 / WHOLE;
        (f64::from(sample) * (1.0 - reduction)) as f32
    }
}

/// By which part of itself a sample must be turned down, of [`WHOLE`].
fn reduction(sample: f32) -> u64 {
    let excess = 1.0 - f64::from(CEILING / sample.abs());
    (excess.max(0.0) * WHOLE).ceil() as u64
}
