//! Many texts into the files of a folder, on all cores: what `batch` and `book` share.

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

use super::options::{DeviceArgs, SpeechArgs};
use super::output::OutputArgs;
use super::progress::QuietArgs;
use super::record::{Record, fingerprint};
use super::speak::speak_to;

/// Failures that the last message names.
const MOST_NAMED: usize = 20;

/// Where the files go, and how they are spoken.
#[derive(Debug, clap::Args)]
pub struct WorkArgs {
    /// Folder for the files; it is made if need be.
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    /// Texts spoken at the same time, each by a voice of its own; as many as there are cores if not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Leave out what was spoken before, from the same text with the same options, and is still there.
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

/// A text and the name of its file without the ending; or why it cannot be spoken.
pub type Task = Result<(String, String), String>;

/// How every text is spoken.
struct Job {
    options: SpeechOptions,
    gain: Gain,
    record: Record,
    ending: &'static str,
    device: tch::Device,
}

/// Warnings, or why a text was not spoken.
type Outcome = Result<Vec<String>, String>;

impl WorkArgs {
    /// Speaks the numbered tasks; `source` and `place`, such as "line", say in messages where a number counts.
    pub fn speak(&self, source: &str, place: &str, mut tasks: Vec<(usize, Task)>) -> anyhow::Result<()> {
        let (options, gain, device) = (self.speech.options()?, self.output.gain()?, self.device.device()?);
        let ending = self.output.encoding(Format::Wav)?.format.extension();
        make_folder(&self.out_dir)?;
        let job = Job { options, gain, record: Record::open(&self.out_dir)?, ending, device };
        let all = tasks.len();
        tasks.retain(|(_, task)| !(self.resume && task.as_ref().is_ok_and(|task| self.is_spoken(task, &job))));
        let mut progress = self.quiet.progress(tasks.len() as u64, "texts spoken");
        if self.resume {
            progress.note(&format!("{} of {all} texts were spoken before", all - tasks.len()));
        }
        let (mut done, mut failed) = (0, Vec::new());
        self.speak_all(&tasks, &job, |number, outcome| {
            match outcome {
                Ok(warnings) => {
                    warnings.iter().for_each(|w| progress.warn(&format!("{source}, {place} {number}: {w}")));
                }
                Err(reason) => {
                    progress.warn(&format!("{source}, {place} {number}: {reason}"));
                    failed.push((number, reason));
                }
            }
            done += 1;
            progress.set(done, tasks.len() as u64);
        })?;
        progress.finish();
        failed.sort();
        summary(source, place, &failed, all)
    }

    /// Speaks all tasks, `jobs` at a time; `report` hears of each when it is done.
    fn speak_all(
        &self,
        tasks: &[(usize, Task)],
        job: &Job,
        mut report: impl FnMut(usize, Outcome),
    ) -> anyhow::Result<()> {
        if tasks.is_empty() {
            return Ok(());
        }
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.map_or_else(cores, usize::from).min(tasks.len());
        let front_end = Arc::new(self.speech.front_end()?);
        let next = AtomicUsize::new(0);
        let work = |sender: Sender<(usize, Outcome)>| -> anyhow::Result<()> {
            // Tensors belong to one thread, and so does the number of threads that libtorch uses below it.
            let synthesizer = Synthesizer::new(self.speech.voice(job.device)?, front_end.clone());
            while let Some((number, task)) = tasks.get(next.fetch_add(1, Relaxed)) {
                let outcome = task.as_ref().map_err(Clone::clone);
                let outcome = outcome.and_then(|task| self.speak_one(&synthesizer, task, job));
                if sender.send((*number, outcome)).is_err() {
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
            receiver.into_iter().for_each(|(number, outcome)| report(number, outcome));
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    fn speak_one(&self, synthesizer: &Synthesizer, task: &(String, String), job: &Job) -> Outcome {
        let path = self.path(task, job);
        let destination = self.output.destination(&path).map_err(|e| e.to_string())?;
        let warnings = speak_to(destination, synthesizer, &task.1, &job.options, job.gain, |_| {});
        let warnings = warnings.map_err(|e| e.to_string())?;
        job.record.add(&path, &self.fingerprint(&task.1)).map_err(|e| format!("{e:#}"))?;
        Ok(warnings)
    }

    fn is_spoken(&self, task: &(String, String), job: &Job) -> bool {
        job.record.holds(&self.path(task, job), &self.fingerprint(&task.1))
    }

    fn path(&self, (name, _): &(String, String), job: &Job) -> PathBuf {
        self.out_dir.join(format!("{name}.{}", job.ending))
    }

    fn fingerprint(&self, text: &str) -> String {
        fingerprint((text, format!("{:?} {:?}", self.speech, self.output)))
    }
}

fn make_folder(dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir(dir).with_context(|| format!("the folder {} cannot be made", dir.display()))
}

fn summary(source: &str, place: &str, failed: &[(usize, String)], all: usize) -> anyhow::Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    let named = failed.iter().take(MOST_NAMED).map(|(number, reason)| format!("{place} {number}: {reason}"));
    let mut named: Vec<String> = named.collect();
    if failed.len() > MOST_NAMED {
        named.push(format!("and {} more", failed.len() - MOST_NAMED));
    }
    bail!("{source}: {} of {all} texts were not spoken ({})", failed.len(), named.join("; "))
}
