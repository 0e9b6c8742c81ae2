//! Training speech: `corpus.jsonl` with one utterance a line, as `scripts/make_corpus.py` and `tts train align` write it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::audio::wav;
use crate::error::{Error, Result};

/// Seconds between two values of [`Utterance::f0`]; value `i` lies in the middle of its interval.
pub const F0_INTERVAL: f64 = 0.0125;

/// Every how manieth line is held out from training.
const HELD_OUT_EVERY: usize = 100;

/// One spoken sentence and its alignment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Utterance {
    pub id: String,
    /// Path of the WAV file, relative to the corpus.
    pub audio: PathBuf,
    pub text: String,
    pub phonemes: String,
    /// Length of the audio in samples.
    pub samples: u32,
    /// Seconds that each phoneme lasts.
    pub durations: Vec<f64>,
    /// Seconds of silence before the first phoneme.
    pub lead: f64,
    /// Seconds of silence after the last phoneme.
    pub tail: f64,
    /// Pitch in Hz every [`F0_INTERVAL`], 0 where unvoiced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub f0: Vec<f32>,
    /// Path of the spectra that the teacher's speech was computed from (see `make_corpus.py`), relative to the corpus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectra: Option<PathBuf>,
    /// Speed at which the teacher spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Symbols of the phonemes that the teacher does not know and dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u32>,
}

/// All utterances of a folder, checked, split into training and held-out ones.
#[derive(Debug)]
pub struct Corpus {
    pub root: PathBuf,
    pub training: Vec<Utterance>,
    pub held_out: Vec<Utterance>,
    /// `cumulative[i]`: samples in `training[..=i]`, for picking by length.
    cumulative: Vec<u64>,
}

impl Corpus {
    /// Reads and checks every line of `root/corpus.jsonl` and the header of every file that it names.
    pub fn open(root: &Path, sample_rate: i64) -> Result<Self> {
        let path = root.join("corpus.jsonl");
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let (mut training, mut held_out) = (Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let wrong = |reason: String| Error::Corpus { path: path.clone(), line: index + 1, reason };
            let utterance: Utterance = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
            check(root, &utterance, sample_rate).map_err(wrong)?;
            let part = if (index + 1) % HELD_OUT_EVERY == 0 { &mut held_out } else { &mut training };
            part.push(utterance);
        }
        if training.is_empty() || held_out.is_empty() {
            let lines = training.len() + held_out.len();
            let reason = format!("expected at least {HELD_OUT_EVERY} utterances (one in {HELD_OUT_EVERY} is held out)");
            return Err(Error::Corpus { path, line: lines, reason });
        }
        let mut total = 0;
        let cumulative = training.iter().map(|u| {
            total += u64::from(u.samples);
            total
        });
        let cumulative = cumulative.collect();
        Ok(Self { root: root.to_path_buf(), training, held_out, cumulative })
    }

    /// Seconds of training speech.
    pub fn seconds(&self, sample_rate: i64) -> f64 {
        self.cumulative.last().copied().unwrap_or(0) as f64 / sample_rate as f64
    }

    /// A training utterance, picked in proportion to its length.
    pub fn pick(&self, rng: &mut impl Rng) -> &Utterance {
        let total = self.cumulative.last().copied().unwrap_or(1);
        let at = rng.random_range(0..total);
        &self.training[self.cumulative.partition_point(|&end| end <= at)]
    }

    /// Whether every utterance has its spectra.
    pub fn has_spectra(&self) -> bool {
        self.training.iter().chain(&self.held_out).all(|u| u.spectra.is_some())
    }

    /// Bytes of `utterance`'s spectra from `start`, filled up to `len` with zeros (silence); nothing but zeros if it has none.
    pub fn spectra(&self, utterance: &Utterance, start: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        if let Some(path) = &utterance.spectra {
            let path = self.root.join(path);
            let mut file = File::open(&path).map_err(Error::io(&path))?;
            file.seek(SeekFrom::Start(start)).map_err(Error::io(&path))?;
            file.take(len as u64).read_to_end(&mut bytes).map_err(Error::io(&path))?;
        }
        bytes.resize(len, 0);
        Ok(bytes)
    }

    /// `len` samples of an utterance from `start`, zeros after its end.
    pub fn segment(&self, utterance: &Utterance, start: u32, len: u32) -> Result<Vec<f32>> {
        wav::read_segment(&self.root.join(&utterance.audio), start, len)
    }
}

impl Utterance {
    /// For each of `frames` frames of `frame_seconds` the symbol spoken in its middle: 0 in the silence before the first phoneme, 1 at
    /// the first phoneme, and so on to the silence after the last.
    pub fn symbols_at(&self, frames: usize, frame_seconds: f64) -> impl Iterator<Item = usize> {
        let mut end = 0.0;
        let durations = [self.lead].into_iter().chain(self.durations.iter().copied()).chain([self.tail]);
        let ends: Vec<f64> = durations
            .map(|duration| {
                end += duration;
                end
            })
            .collect();
        (0..frames).map(move |t| {
            let middle = (t as f64 + 0.5) * frame_seconds;
            ends.partition_point(|&end| end <= middle).min(ends.len() - 1)
        })
    }

    /// The pitch at `seconds`, linearly interpolated between voiced values; 0 where unvoiced or beyond the end.
    pub fn f0_at(&self, seconds: f64) -> f32 {
        let position = (seconds / F0_INTERVAL - 0.5).max(0.0);
        let (i, part) = (position as usize, position.fract() as f32);
        let value = |i: usize| self.f0.get(i).copied().unwrap_or(0.0);
        match (value(i), value(i + 1)) {
            (a, b) if a > 0.0 && b > 0.0 => a + (b - a) * part,
            (a, b) => {
                if part < 0.5 {
                    a
                } else {
                    b
                }
            }
        }
    }
}

/// Out of `items` some that are about as long as each other, together at most `budget` long, padding included.
pub(super) fn pick_alike<'a, T>(
    items: &'a [T],
    length: impl Fn(&T) -> usize,
    budget: usize,
    rng: &mut impl Rng,
) -> Vec<&'a T> {
    // Out of many random ones those that lie together when sorted by length; longer ones are picked as often as shorter ones,
    // as their batches hold fewer.
    let mut some: Vec<&T> = (0..512).map(|_| &items[rng.random_range(0..items.len())]).collect();
    some.sort_by_key(|item| length(item));
    let total: usize = some.iter().map(|item| length(item)).sum();
    let mut at = rng.random_range(0..total);
    let mut last = 0;
    while at >= length(some[last]) {
        at -= length(some[last]);
        last += 1;
    }
    let count = (budget / length(some[last]).max(1)).clamp(1, 512);
    let first = (last + 1).saturating_sub(count);
    some[first..=last].to_vec()
}

fn check(root: &Path, utterance: &Utterance, sample_rate: i64) -> std::result::Result<(), String> {
    let (symbols, durations) = (utterance.phonemes.chars().count(), utterance.durations.len());
    if symbols != durations {
        return Err(format!("{symbols} phonemes but {durations} durations, expected one for each"));
    }
    let spoken = utterance.lead + utterance.durations.iter().sum::<f64>() + utterance.tail;
    let seconds = f64::from(utterance.samples) / sample_rate as f64;
    if (spoken - seconds).abs() > 0.05 {
        return Err(format!("lead, durations and tail last {spoken:.2} s, but the audio {seconds:.2} s"));
    }
    let path = root.join(&utterance.audio);
    let (samples, rate, channels) = wav::probe(&path).map_err(|e| e.to_string())?;
    if (i64::from(rate), channels, samples) != (sample_rate, 1, utterance.samples) {
        let want = format!("{} samples, mono, at {sample_rate} Hz", utterance.samples);
        return Err(format!("{}: expected {want}, found {samples}, {channels} channels, {rate} Hz", path.display()));
    }
    if let Some(spectra) = utterance.spectra.as_ref().map(|path| root.join(path)) {
        fs::metadata(&spectra).map_err(|e| format!("{}: {e}", spectra.display()))?;
    }
    Ok(())
}
