//! `tts compare`: every way to generate, side by side.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

use tts::atomic_file::write_atomically;
use tts::audio::wav;
use tts::bench::Machine;
use tts::compare::ways::{Way, ways};
use tts::compare::{Comparison, Row};
use tts::ear::Ear;
use tts::voice;

use super::options::{SpeechArgs, read_file};
use super::progress::QuietArgs;

/// Speak texts in every way that the voice knows, and compare time, passes and quality.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Texts, one a line; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Folder for results.json, results.csv, index.html and a folder of WAV files a way; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Times that each text is spoken in each way, the ways taking turns.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Only the ways whose names begin with one of these (separated by commas), besides ar-nar.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Folder of the ear that counts the phonemes heard wrong, or of the run of one; the one that comes with the program if not given.
    #[arg(long, value_name = "DIR")]
    ear: Option<PathBuf>,
    #[command(flatten)]
    quiet: QuietArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    voice: String,
    texts: usize,
    runs: u32,
    ways: Vec<Row>,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let options = args.speech.options()?;
    let text = read_file(&args.file)?;
    let texts: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect();
    if texts.is_empty() {
        bail!("{}: expected a text a line, found none", args.file.display());
    }
    fs::create_dir_all(&args.out).with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
    let synthesizer = args.speech.synthesizer()?;
    let ear = args.ear.or_else(|| Ear::find(&voice::search_path()).ok());
    let ear = ear.as_deref().map(Ear::load).transpose()?;
    let mut ways = ways(synthesizer.voice(), &options);
    if !args.only.is_empty() {
        let wanted = |way: &Way| args.only.iter().any(|only| way.name.starts_with(only.as_str()));
        let known: Vec<String> = ways.iter().map(|way| way.name.clone()).collect();
        ways = ways.into_iter().enumerate().filter(|(i, way)| *i == 0 || wanted(way)).map(|(_, way)| way).collect();
        if ways.len() == 1 && !args.only.iter().any(|only| "ar-nar".starts_with(only.as_str())) {
            bail!("no way is called {}: expected some of {}", args.only.join(", "), known.join(", "));
        }
    }
    let mut progress = args.quiet.progress(0, "readings");
    let runs = args.runs as usize;
    let comparison = Comparison::new(&synthesizer, texts.clone(), ways, runs, ear.as_ref(), &mut |done, all| {
        progress.set(done as u64, all as u64);
    })?;
    progress.finish();
    write_audio(&comparison, &args.out)?;
    let voice = synthesizer.voice().config.name.clone();
    let title = format!("Ways to generate: {} texts by the voice {voice}", texts.len());
    write_atomically(&args.out.join("index.html"), comparison.page(&title)?.as_bytes())?;
    let ways = comparison.rows();
    write_atomically(&args.out.join("results.csv"), csv(&ways).as_bytes())?;
    print(&ways)?;
    let report = Report { machine: Machine::this(), voice, texts: texts.len(), runs: args.runs, ways };
    write_atomically(&args.out.join("results.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
    Ok(())
}

/// A folder a way, a file a text: `001.wav` is the first.
fn write_audio(comparison: &Comparison, out: &Path) -> anyhow::Result<()> {
    for (way, readings) in comparison.readings() {
        let dir = out.join(way);
        fs::create_dir_all(&dir).with_context(|| format!("the folder {} cannot be made", dir.display()))?;
        for (number, reading) in (1..).zip(readings) {
            wav::write(&dir.join(format!("{number:03}.wav")), &reading.audio)?;
        }
    }
    Ok(())
}

const COLUMNS: &str = "way,audio_seconds,coarse,fine,decoder,total,coarse_speed,passes_per_second,frames_per_pass,acceptance,\
    phoneme_error_rate";

fn csv(rows: &[Row]) -> String {
    let optional = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
    let lines = rows.iter().map(|row| {
        let Row { way, audio_seconds, coarse, fine, decoder, total, coarse_speed, .. } = row;
        let (passes, frames) = (row.passes_per_second, row.frames_per_pass);
        let (acceptance, errors) = (optional(row.acceptance), optional(row.phoneme_error_rate));
        format!(
            "{way},{audio_seconds:.3},{coarse:.5},{fine:.5},{decoder:.5},{total:.5},{:.3},{passes:.3},{frames:.3},{acceptance},{errors}\n",
            coarse_speed.median
        )
    });
    format!("{COLUMNS}\n{}", lines.collect::<String>())
}

fn print(rows: &[Row]) -> anyhow::Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "real-time factors; speed of the coarse stage relative to ar-nar")?;
    writeln!(
        output,
        "{:<22} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7}",
        "way", "coarse", "fine", "decoder", "in all", "speed", "frames/", "taken"
    )?;
    for row in rows {
        let taken = row.acceptance.map_or("".into(), |share| format!("{:.0} %", 100.0 * share));
        writeln!(
            output,
            "{:<22} {:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>8.2} {:>8.2} {taken:>7}",
            row.way, row.coarse, row.fine, row.decoder, row.total, row.coarse_speed.median, row.frames_per_pass
        )?;
    }
    Ok(())
}
