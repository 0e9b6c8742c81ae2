//! `tts bench`: how fast a voice speaks on this machine.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use tts::atomic_file::AtomicFile;
use tts::bench::{Machine, Measurement, Spread, measure, peak_memory};
use tts::error::Error;

use super::options::SpeechArgs;

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
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    voice: String,
    runs: u32,
    /// Time to load the voice and the front end.
    load_seconds: f64,
    texts: Vec<Measurement>,
    peak_memory_bytes: Option<u64>,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let options = args.speech.options()?;
    let json = args.json.as_deref().map(AtomicFile::create).transpose()?;
    let started = Instant::now();
    let synthesizer = args.speech.synthesizer()?;
    let load_seconds = started.elapsed().as_secs_f64();
    let texts = args.text.as_deref().map_or(vec![SHORT, LONG], |text| vec![text]);
    let texts = texts.into_iter().map(|text| measure(&synthesizer, text, &options, args.runs as usize));
    let report = Report {
        texts: texts.collect::<Result<_, Error>>()?,
        machine: Machine::this(),
        voice: synthesizer.voice().config.name.clone(),
        runs: args.runs,
        load_seconds,
        peak_memory_bytes: peak_memory(),
    };
    print(&report)?;
    if let Some(file) = json {
        writeln!(file.file(), "{}", serde_json::to_string_pretty(&report)?)?;
        file.commit()?;
    }
    Ok(())
}

fn print(report: &Report) -> anyhow::Result<()> {
    let mut output = stdout().lock();
    let Machine { cpu, cores, threads } = &report.machine;
    writeln!(output, "voice {} on {cpu} ({cores} cores, threads used: {threads})", report.voice)?;
    for text in &report.texts {
        let (words, factor) = (text.text.split_whitespace().count(), &text.real_time_factor);
        writeln!(
            output,
            "\n{words} words, {:.2} s of speech, median of {} runs (range)",
            text.audio_seconds, report.runs
        )?;
        let factors = [
            ("front end", factor.front_end),
            ("coarse", factor.coarse),
            ("fine", factor.fine),
            ("decoder", factor.decoder),
            ("in all", factor.total),
        ];
        for (stage, spread) in factors {
            writeln!(output, "  real-time factor, {stage:<10} {}", show(spread, 1.0, 4))?;
        }
        writeln!(output, "  time to first audio         {} ms", show(text.first_audio_seconds, 1e3, 1))?;
    }
    writeln!(output, "\nloading {:.2} s", report.load_seconds)?;
    if let Some(bytes) = report.peak_memory_bytes {
        writeln!(output, "peak memory {:.0} MB", bytes as f64 / 1e6)?;
    }
    Ok(())
}

fn show(spread: Spread, scale: f64, digits: usize) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|x| format!("{:.digits$}", x * scale));
    format!("{median} ({min} to {max})")
}
