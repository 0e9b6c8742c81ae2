//! `tts batch`: a list of texts to a folder of files.

use std::collections::HashSet;
use std::fs;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, bail};

use tts::audio::format::Format;
use tts::audio::sink::Gain;
use tts::synthesizer::{SpeechOptions, Synthesizer};

use super::options::{DeviceArgs, SpeechArgs, read_bytes};
use super::output::OutputArgs;
use super::progress::QuietArgs;
use super::speak::speak_to;

/// Bad lines that the last message names.
const MOST_NAMED: usize = 20;
/// Bytes of an id: a file name has at most 255, and the longest ending five.
const MOST_ID_BYTES: usize = 250;

/// Speak a list of texts into files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List with a line `id<TAB>text` for each file; `-` for standard input.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    /// Folder for the files, `id.wav` or as --format says; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    /// Texts spoken at the same time, each by a voice of its own; as many as there are cores if not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Leave out the texts whose file is there already.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    quiet: QuietArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

/// A line of the list: its number, and what it asks for or why that cannot be done.
type Line = (usize, Result<Task, String>);

/// A text and the file that it is spoken into.
#[derive(Debug)]
struct Task {
    path: PathBuf,
    text: String,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let (options, gain, device) = (args.speech.options()?, args.output.gain()?, args.device.device()?);
    let job = Job { options, gain, device };
    let ending = args.output.encoding(Format::Wav)?.format.extension();
    let (name, bytes) = read_bytes(&args.list)?;
    let mut lines = lines(&bytes, &args.out_dir, ending);
    if lines.is_empty() {
        bail!("{name}: expected lines `id<TAB>text`, found none");
    }
    make_folder(&args.out_dir)?;
    let all = lines.len();
    lines.retain(|(_, task)| !(args.resume && task.as_ref().is_ok_and(|task| task.path.is_file())));
    let mut progress = args.quiet.progress(lines.len() as u64, "texts spoken");
    if args.resume {
        progress.note(&format!("{} of {all} texts were spoken before", all - lines.len()));
    }
    let (mut done, mut failed) = (0, Vec::new());
    args.speak(&lines, &job, |line, outcome| {
        match outcome {
            Ok(warnings) => warnings.iter().for_each(|w| progress.warn(&format!("{name}, line {line}: {w}"))),
            Err(reason) => {
                progress.warn(&format!("{name}, line {line}: {reason}"));
                failed.push((line, reason));
            }
        }
        done += 1;
        progress.set(done, lines.len() as u64);
    })?;
    progress.finish();
    failed.sort();
    summary(&name, &failed, all)
}

/// How every text is spoken.
struct Job {
    options: SpeechOptions,
    gain: Gain,
    device: tch::Device,
}

/// Warnings, or why a text was not spoken.
type Outcome = Result<Vec<String>, String>;

impl Args {
    /// Speaks all lines, `jobs` at a time; `report` hears of each when it is done.
    fn speak(&self, lines: &[Line], job: &Job, mut report: impl FnMut(usize, Outcome)) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.map_or_else(cores, usize::from).min(lines.len());
        let front_end = Arc::new(self.speech.front_end()?);
        let next = AtomicUsize::new(0);
        let work = |sender: Sender<(usize, Outcome)>| -> anyhow::Result<()> {
            // Tensors belong to one thread, and so does the number of threads that libtorch uses below it.
            let synthesizer = Synthesizer::new(self.speech.voice(job.device)?, front_end.clone());
            while let Some((line, task)) = lines.get(next.fetch_add(1, Relaxed)) {
                let outcome = task.as_ref().map_err(Clone::clone);
                let outcome = outcome.and_then(|task| self.speak_one(&synthesizer, task, job));
                if sender.send((*line, outcome)).is_err() {
                    break; // nobody listens any more
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let (sender, receiver) = channel();
            let start = |_| {
                let (sender, work) = (sender.clone(), &work);
                scope.spawn(move || work(sender))
            };
            let workers: Vec<_> = (0..jobs).map(start).collect();
            drop(sender);
            receiver.into_iter().for_each(|(line, outcome)| report(line, outcome));
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    fn speak_one(&self, synthesizer: &Synthesizer, task: &Task, job: &Job) -> Outcome {
        let destination = self.output.destination(&task.path).map_err(|e| e.to_string())?;
        speak_to(destination, synthesizer, &task.text, &job.options, job.gain, |_| {}).map_err(|e| e.to_string())
    }
}

/// The lines of a list that are not blank.
fn lines(bytes: &[u8], out_dir: &Path, ending: &str) -> Vec<Line> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut seen = HashSet::new();
    let lines = bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(i, line)| (i + 1, task(line, out_dir, ending, &mut seen)))
        .collect()
}

fn task(line: &[u8], out_dir: &Path, ending: &str, seen: &mut HashSet<String>) -> Result<Task, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_string())?;
    let (id, text) = line.split_once('\t').ok_or("expected `id<TAB>text`, found no tab")?;
    let id = id.trim();
    if id.is_empty() || id.starts_with('.') || id.contains(|c: char| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(format!("expected an id that can name a file, found `{}`", id.escape_debug()));
    }
    if id.len() > MOST_ID_BYTES {
        return Err(format!("expected an id of at most {} bytes", MOST_ID_BYTES));
    }
    if !seen.insert(id.to_string()) {
        return Err(format!("the id `{id}` stands in an earlier line already"));
    }
    Ok(Task { path: out_dir.join(format!("{id}.{ending}")), text: text.to_string() })
}

fn make_folder(dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir(dir).with_context(|| format!("the folder {} cannot be made", dir.display()))
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
