//! How fast a voice speaks: real-time factors of the stages, time to first audio, memory. Measures, prints nothing.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::synthesizer::{SpeechOptions, StageTimes, Synthesizer};

/// The middle of several measurements, and how far they spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RealTimeFactors {
    pub front_end: Spread,
    pub coarse: Spread,
    pub fine: Spread,
    pub decoder: Spread,
    /// From the text to the last sample, by the clock.
    pub total: Spread,
}

/// Figures of one text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    pub text: String,
    pub audio_seconds: f64,
    pub real_time_factor: RealTimeFactors,
    /// From the text to the first samples.
    pub first_audio_seconds: Spread,
}

/// What it was measured on.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    let kilobytes = field("/proc/self/status", "VmHWM")?;
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
        real_time_factor: RealTimeFactors {
            front_end: factor(|run| run.stages.front_end),
            coarse: factor(|run| run.stages.coarse),
            fine: factor(|run| run.stages.fine),
            decoder: factor(|run| run.stages.decoder),
            total: factor(|run| run.total),
        },
        first_audio_seconds: Spread::of(runs.iter().map(|run| run.first_audio.as_secs_f64())),
    })
}

/// Speaks once; every sample is looked at.
fn speak(synthesizer: &Synthesizer, text: &str, options: &SpeechOptions) -> Result<Run> {
    let started = Instant::now();
    let mut run = Run { total: Duration::ZERO, first_audio: Duration::ZERO, stages: StageTimes::default(), samples: 0 };
    for chunk in synthesizer.speak(text, options)? {
        let chunk = chunk?;
        black_box(chunk.samples.iter().sum::<f32>());
        if run.samples == 0 {
            run.first_audio = started.elapsed();
        }
        run.samples += chunk.samples.len();
        run.stages += chunk.times;
    }
    run.total = started.elapsed();
    Ok(run)
}
