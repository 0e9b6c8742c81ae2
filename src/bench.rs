//! How fast a voice speaks: real-time factors of the stages, time to first audio, memory. Measures, prints nothing.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::audio::wav::{self, Audio};
use crate::error::{Error, Result};
use crate::synthesizer::{Chunk, SpeechOptions, StageTimes, Synthesizer};

/// The middle of several measurements, and how far they spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (values.first().copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN));
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => f64::NAN,
            n if n % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        Self { median, min, max }
    }
}

/// Processing time ÷ audio time, lower is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealTimeFactors {
    pub front_end: Spread,
    pub coarse: Spread,
    pub fine: Spread,
    pub decoder: Spread,
    /// Writing 16-bit WAV.
    pub file: Spread,
    /// From the text to the last sample, by the clock; without the file.
    pub total: Spread,
}

/// Figures of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub text: String,
    pub audio_seconds: f64,
    /// Token frames, each a step of the coarse model.
    pub frames: usize,
    pub real_time_factor: RealTimeFactors,
    /// From the text to the first samples.
    pub first_audio_seconds: Spread,
}

/// What it was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub threads: i32,
}

impl Machine {
    /// The machine that this runs on.
    pub fn this() -> Self {
        let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_string());
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Self { cpu, cores, threads: tch::get_num_threads() }
    }
}

/// The most memory that this process has held so far, in bytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    memory("VmHWM")
}

fn memory(name: &str) -> Option<u64> {
    let kilobytes = field("/proc/self/status", name)?;
    let kilobytes: u64 = kilobytes.trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The value in the first `name: value` line of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(value.trim().to_string())
}

struct Run {
    total: Duration,
    first_audio: Duration,
    stages: StageTimes,
    file: Duration,
    frames: usize,
    samples: usize,
}

/// Speaks `text` once to warm up, then `runs` times, at least once.
pub fn measure(synthesizer: &Synthesizer, text: &str, options: &SpeechOptions, runs: usize) -> Result<Measurement> {
    speak(synthesizer, text, options)?;
    let runs = (0..runs.max(1)).map(|_| speak(synthesizer, text, options)).collect::<Result<Vec<_>>>()?;
    let seconds = |run: &Run| run.samples as f64 / f64::from(synthesizer.sample_rate());
    if runs.iter().any(|run| run.samples == 0) {
        return Err(Error::Text("expected a text that sounds, found one without a sample".into()));
    }
    let factor = |time: fn(&Run) -> Duration| Spread::of(runs.iter().map(|run| time(run).as_secs_f64() / seconds(run)));
    Ok(Measurement {
        text: text.to_string(),
        audio_seconds: Spread::of(runs.iter().map(seconds)).median,
        frames: runs[0].frames,
        real_time_factor: RealTimeFactors {
            front_end: factor(|run| run.stages.front_end),
            coarse: factor(|run| run.stages.coarse),
            fine: factor(|run| run.stages.fine),
            decoder: factor(|run| run.stages.decoder),
            file: factor(|run| run.file),
            total: factor(|run| run.total),
        },
        first_audio_seconds: Spread::of(runs.iter().map(|run| run.first_audio.as_secs_f64())),
    })
}

/// How time and memory grow with the number of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Requests so far, the earlier rows' included.
    pub requests: usize,
    /// Over the requests since the row before.
    pub real_time_factor: f64,
    /// What the process holds afterwards.
    pub memory_bytes: Option<u64>,
}

/// Speaks `sentences` over and over, a request each; a row whenever their number reaches one of `counts`.
pub fn growth(
    synthesizer: &Synthesizer,
    sentences: &[&str],
    options: &SpeechOptions,
    counts: &[usize],
) -> Result<Vec<Growth>> {
    let mut texts = sentences.iter().cycle();
    let (mut rows, mut done) = (Vec::new(), 0);
    for &requests in counts {
        let (mut time, mut samples) = (Duration::ZERO, 0);
        for text in texts.by_ref().take(requests.saturating_sub(done)) {
            let run = speak(synthesizer, text, options)?;
            time += run.total;
            samples += run.samples;
        }
        done = requests;
        let seconds = samples as f64 / f64::from(synthesizer.sample_rate());
        let real_time_factor = time.as_secs_f64() / seconds;
        rows.push(Growth { requests, real_time_factor, memory_bytes: memory("VmRSS") });
    }
    Ok(rows)
}

/// Speaks once; every sample is looked at, and written to a file that is then gone.
fn speak(synthesizer: &Synthesizer, text: &str, options: &SpeechOptions) -> Result<Run> {
    let started = Instant::now();
    let mut first_audio = None;
    let mut all = Chunk::default();
    for chunk in synthesizer.speak(text, options)? {
        all.append(chunk?);
        if !all.samples.is_empty() && first_audio.is_none() {
            first_audio = Some(started.elapsed());
        }
    }
    black_box(all.samples.iter().sum::<f32>());
    let total = started.elapsed();
    let (stages, frames, samples) = (all.times, all.pointer.len(), all.samples.len());
    let folder = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
    let audio = Audio { samples: all.samples, sample_rate: synthesizer.sample_rate() };
    let writing = Instant::now();
    wav::write(&folder.path().join("speech.wav"), &audio)?;
    let file = writing.elapsed();
    Ok(Run { total, first_audio: first_audio.unwrap_or(total), stages, file, frames, samples })
}
