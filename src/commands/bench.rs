//! `tts bench`: how fast a voice speaks on this machine.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use tts::atomic_file::AtomicFile;
use tts::bench::{Growth, Machine, Measurement, Spread, growth, measure, peak_memory};
use tts::error::Error;

use super::options::{DeviceArgs, SpeechArgs};

/// One sentence, as an assistant answers.
const SHORT: &str = "Your train leaves from platform four in ten minutes.";
/// A paragraph, as a book is read.
const LONG: &str = "When the last ferry had gone, the harbour fell quiet, and only the gulls kept arguing above the \
    nets. Marta locked the ticket office, counted the coins twice, and wrote the sum into the green book, as her father \
    had done for thirty years. Then she walked home along the sea wall, past the lighthouse, the bakery, and the small \
    red boat that nobody had claimed since the storm. Tomorrow the tourists would be back, with their hats and cameras \
    and questions. Tonight, at least, the whole bay belonged to her.";

/// Measure how fast a voice speaks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Text to speak instead of a short and a long one.
    #[arg(long)]
    text: Option<String>,
    /// Measured runs of each text, after one to warm up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// File for the figures.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// File that --json wrote before: say how much faster everything has become.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Also speak 10, 100 and 1,000 sentences: whether time and memory stay flat.
    #[arg(long)]
    growth: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    machine: Machine,
    voice: String,
    runs: u32,
    /// Time to load the voice and the front end.
    load_seconds: f64,
    texts: Vec<Measurement>,
    /// If it was asked for.
    growth: Vec<Growth>,
    peak_memory_bytes: Option<u64>,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let (options, device) = (args.speech.options()?, args.device.device()?);
    let old = args.compare.as_deref().map(Report::read).transpose()?;
    let json = args.json.as_deref().map(AtomicFile::create).transpose()?;
    let started = Instant::now();
    let synthesizer = args.speech.synthesizer_on(device)?;
    let load_seconds = started.elapsed().as_secs_f64();
    let texts = args.text.as_deref().map_or(vec![SHORT, LONG], |text| vec![text]);
    let texts = texts.into_iter().map(|text| measure(&synthesizer, text, &options, args.runs as usize));
    let texts = texts.collect::<Result<_, Error>>()?;
    let peak_memory_bytes = peak_memory();
    let sentences: Vec<&str> = LONG.split_inclusive('.').map(str::trim).collect();
    let counts: &[usize] = if args.growth { &[10, 100, 1000] } else { &[] };
    let report = Report {
        texts,
        machine: Machine::this(),
        voice: synthesizer.voice().config.name.clone(),
        runs: args.runs,
        load_seconds,
        growth: growth(&synthesizer, &sentences, &options, counts)?,
        peak_memory_bytes,
    };
    print(&report)?;
    old.map_or(Ok(()), |old| compare(&old, &report))?;
    if let Some(file) = json {
        writeln!(file.file(), "{}", serde_json::to_string_pretty(&report)?)?;
        file.commit()?;
    }
    Ok(())
}

impl Report {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}: expected what `tts bench --json` writes", path.display()))
    }

    /// Every median, by name.
    fn figures(&self) -> Vec<(String, f64)> {
        let mut figures = vec![("loading, s".to_string(), self.load_seconds)];
        figures.extend(self.peak_memory_bytes.map(|bytes| ("peak memory, MB".to_string(), bytes as f64 / 1e6)));
        for text in &self.texts {
            let words = text.text.split_whitespace().count();
            figures.extend(stages(text).map(|(stage, spread)| (format!("{words} words, {stage}"), spread.median)));
            figures.push((format!("{words} words, first audio, s"), text.first_audio_seconds.median));
        }
        figures
    }
}

/// Real-time factors by stage.
fn stages(text: &Measurement) -> [(&'static str, Spread); 6] {
    let factor = &text.real_time_factor;
    [
        ("front end", factor.front_end),
        ("coarse", factor.coarse),
        ("fine", factor.fine),
        ("decoder", factor.decoder),
        ("in all", factor.total),
        ("file", factor.file),
    ]
}

/// Both reports' figures side by side, those that both have.
fn compare(old: &Report, new: &Report) -> anyhow::Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "\n{:<28} {:>10} {:>10} {:>8}", "medians", "before", "now", "ratio")?;
    let before = old.figures();
    for (name, now) in new.figures() {
        if let Some((_, before)) = before.iter().find(|(other, _)| *other == name) {
            writeln!(output, "{name:<28} {before:>10.4} {now:>10.4} {:>8.2}", now / before)?;
        }
    }
    Ok(())
}

fn print(report: &Report) -> anyhow::Result<()> {
    let mut output = stdout().lock();
    let Machine { cpu, cores, threads } = &report.machine;
    writeln!(output, "voice {} on {cpu} ({cores} cores, threads used: {threads})", report.voice)?;
    for text in &report.texts {
        let words = text.text.split_whitespace().count();
        writeln!(
            output,
            "\n{words} words, {:.2} s of speech, median of {} runs (range)",
            text.audio_seconds, report.runs
        )?;
        for (stage, spread) in stages(text) {
            writeln!(output, "  real-time factor, {stage:<10} {}", show(spread, 1.0, 4))?;
        }
        let step = text.audio_seconds * 1e3 / text.frames.max(1) as f64;
        writeln!(output, "  coarse step                 {} ms", show(text.real_time_factor.coarse, step, 3))?;
        writeln!(output, "  time to first audio         {} ms", show(text.first_audio_seconds, 1e3, 1))?;
    }
    writeln!(output, "\nloading {:.2} s", report.load_seconds)?;
    if let Some(bytes) = report.peak_memory_bytes {
        writeln!(output, "peak memory {:.0} MB", bytes as f64 / 1e6)?;
    }
    for row in &report.growth {
        let memory = row.memory_bytes.map_or(String::new(), |bytes| format!(", {:.1} MB held", bytes as f64 / 1e6));
        writeln!(output, "after {} requests: real-time factor {:.4}{memory}", row.requests, row.real_time_factor)?;
    }
    Ok(())
}

fn show(spread: Spread, scale: f64, digits: usize) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|x| format!("{:.digits$}", x * scale));
    format!("{median} ({min} to {max})")
}
