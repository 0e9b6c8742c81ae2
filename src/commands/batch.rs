//! `tts batch`: a list of texts to a folder of WAV files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use tts::atomic_file::AtomicFile;

use super::options::{RateArgs, SpeechArgs, read_bytes};
use super::speak::speak_to;
use super::warn;

/// Bad lines that the last message names.
const MOST_NAMED: usize = 20;
/// Bytes of a file name, and of the ending that an id gets.
const MOST_NAME_BYTES: usize = 255;
const ENDING: &str = ".wav";

/// Speak a list of texts into WAV files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List with a line `id<TAB>text` for each file; `-` for standard input.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    /// Folder for the files `id.wav`; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

/// What a line of the list asks for, or why it cannot be done.
type Item = Result<(String, String), String>;

pub fn run(args: Args) -> anyhow::Result<()> {
    let options = args.speech.options()?;
    let (name, bytes) = read_bytes(&args.list)?;
    let items = items(&bytes);
    if items.is_empty() {
        bail!("{name}: expected lines `id<TAB>text`, found none");
    }
    make_folder(&args.out_dir)?;
    let synthesizer = args.speech.synthesizer()?;
    let bar = bar(items.len());
    let mut failed = Vec::new();
    for (line, item) in &items {
        let spoken = item.as_ref().map_err(Clone::clone).and_then(|(id, text)| {
            let path = args.out_dir.join(format!("{id}{ENDING}"));
            let file = AtomicFile::create(&path).map_err(|e| e.to_string())?;
            let rate = args.rate.sample_rate;
            speak_to(&path, file, &synthesizer, text, &options, rate, |_| {}).map_err(|e| e.to_string())
        });
        if let Err(reason) = spoken {
            bar.suspend(|| warn(&format!("{name}, line {line}: {reason}")));
            failed.push((*line, reason));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    summary(&name, &failed, items.len())
}

/// The lines of a list that are not blank, with their numbers.
fn items(bytes: &[u8]) -> Vec<(usize, Item)> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut seen = HashSet::new();
    let lines = bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).enumerate();
    lines.filter(|(_, line)| !line.is_empty()).map(|(i, line)| (i + 1, item(line, &mut seen))).collect()
}

fn item(line: &[u8], seen: &mut HashSet<String>) -> Item {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_string())?;
    let (id, text) = line.split_once('\t').ok_or("expected `id<TAB>text`, found no tab")?;
    let id = id.trim();
    if id.is_empty() || id.starts_with('.') || id.contains(|c: char| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(format!("expected an id that can name a file, found `{}`", id.escape_debug()));
    }
    if id.len() + ENDING.len() > MOST_NAME_BYTES {
        return Err(format!("expected an id of at most {} bytes", MOST_NAME_BYTES - ENDING.len()));
    }
    if !seen.insert(id.to_string()) {
        return Err(format!("the id `{id}` stands in an earlier line already"));
    }
    Ok((id.to_string(), text.to_string()))
}

fn make_folder(dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir(dir).with_context(|| format!("the folder {} cannot be made", dir.display()))
}

fn bar(items: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} texts spoken, {eta} left");
    ProgressBar::new(items as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn summary(name: &str, failed: &[(usize, String)], all: usize) -> anyhow::Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    let mut named: Vec<String> =
        failed.iter().take(MOST_NAMED).map(|(line, reason)| format!("line {line}: {reason}")).collect();
    if failed.len() > MOST_NAMED {
        named.push(format!("and {} more", failed.len() - MOST_NAMED));
    }
    bail!("{name}: {} of {all} texts were not spoken ({})", failed.len(), named.join("; "))
}
