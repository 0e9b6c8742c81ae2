//! `tts train align` and `tts train voice`: what recordings are made into.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use tch::Device;

use tts::ear::Ear;
use tts::recordings::read_list;
use tts::train::align::{self, Aligned};
use tts::train::corpus::Corpus;
use tts::train::export::About;
use tts::train::voice;

use super::observer;
use crate::commands::eval::EarArgs;
use crate::commands::progress::QuietArgs;
use crate::commands::warn;

/// Held-out utterances whose boundaries are checked.
const MOST_CHECKED: usize = 100;

/// Recordings and what is said in them.
#[derive(Debug, clap::Args)]
struct RecordingArgs {
    /// Folder of the recordings: WAV, FLAC, MP3 or Ogg Opus, a sentence or two each.
    #[arg(long, value_name = "DIR")]
    recordings: PathBuf,
    /// What is said in them: a line `name<TAB>text` each.
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
}

#[derive(Debug, Parser)]
pub struct AlignArgs {
    #[command(flatten)]
    recordings: Option<RecordingArgs>,
    /// Folder for the corpus: corpus.jsonl and the recordings, equally loud.
    #[arg(long, value_name = "DIR", requires = "recordings", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Instead, say how far from the known boundaries those lie that the ear finds in the held-out part of a corpus.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["recordings", "list", "out"])]
    check: Option<PathBuf>,
    /// Sample rate of the corpus.
    #[arg(long, value_name = "HZ", default_value_t = align::Shape::default().sample_rate, value_parser = clap::value_parser!(u32).range(8_000..=96_000))]
    sample_rate: u32,
    /// Integrated loudness of each recording in the corpus, in LUFS.
    #[arg(long, value_name = "LUFS", default_value_t = align::Shape::default().loudness, allow_negative_numbers = true)]
    loudness: f64,
    #[command(flatten)]
    ear: EarArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

#[derive(Debug, Parser)]
pub struct VoiceArgs {
    /// Name or folder of the voice whose models learn from the recordings.
    #[arg(long, value_name = "NAME|DIR", default_value = "heart")]
    from: String,
    #[command(flatten)]
    recordings: RecordingArgs,
    /// New folder for the voice.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder to work in, `OUT.work` if not given; the same command goes on with what is there.
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Name of the voice; that of its folder if not given.
    #[arg(long)]
    name: Option<String>,
    /// SPDX identifier of the licence of the weights.
    #[arg(long)]
    licence: String,
    /// Who speaks, and what the voice was learnt from.
    #[arg(long, default_value = "Learnt from recordings.")]
    description: String,
    /// Steps that the coarse model learns for; 0 leaves it as it is.
    #[arg(long, value_name = "N", default_value_t = voice::Steps::default().coarse)]
    coarse_steps: u64,
    /// Steps that the codec's decoder learns for; 0 leaves it as it is.
    #[arg(long, value_name = "N", default_value_t = voice::Steps::default().decoder)]
    decoder_steps: u64,
    /// Rank of the adapters that are learnt: the numbers in the new voice grow with it.
    #[arg(long, value_name = "R", default_value_t = voice::RANK, value_parser = clap::value_parser!(i64).range(1..=256))]
    rank: i64,
    #[command(flatten)]
    ear: EarArgs,
    /// Threads for matrix products.
    #[arg(long, default_value_t = 2)]
    threads: i32,
    #[command(flatten)]
    quiet: QuietArgs,
}

impl AlignArgs {
    pub fn run(self) -> anyhow::Result<()> {
        tch::set_num_threads(1);
        let ear = self.ear.load()?;
        if let Some(dir) = &self.check {
            return self.check(&ear, dir);
        }
        let (Some(source), Some(out)) = (&self.recordings, &self.out) else { return Ok(()) };
        let recordings = read_list(&source.list, &source.recordings)?;
        let mut progress = self.quiet.progress(recordings.len() as u64, "recordings aligned");
        let report = &mut |done, all| progress.set(done as u64, all as u64);
        let shape = align::Shape { sample_rate: self.sample_rate, loudness: self.loudness };
        let aligned = align::align(&ear, &recordings, out, shape, report)?;
        progress.finish();
        tell_aligned(&aligned);
        Ok(())
    }

    fn check(&self, ear: &Ear, dir: &Path) -> anyhow::Result<()> {
        let corpus = Corpus::open(dir, self.sample_rate.into())?;
        let mut progress = self.quiet.progress(0, "utterances aligned");
        let report = &mut |done, all| progress.set(done as u64, all as u64);
        let errors = align::boundary_errors(ear, &corpus, MOST_CHECKED, report)?;
        progress.finish();
        let median = 1000.0 * errors[errors.len() / 2];
        let within = |seconds: f64| 100.0 * errors.partition_point(|&e| e <= seconds) as f64 / errors.len() as f64;
        let mut output = std::io::stdout().lock();
        writeln!(
            output,
            "{} boundaries: median error {median:.1} ms, {:.1} % within 25 ms, {:.1} % within 50 ms",
            errors.len(),
            within(0.0251),
            within(0.0501)
        )?;
        Ok(())
    }
}

/// Says what was left out, a line each.
fn tell_aligned(aligned: &Aligned) {
    for (id, reason) in &aligned.left_out {
        warn(&format!("{id} left out: {reason}"));
    }
    warn(&format!("{} recordings aligned, {:.2} h", aligned.kept, aligned.seconds / 3600.0));
}

impl VoiceArgs {
    pub fn run(self) -> anyhow::Result<()> {
        tch::set_num_threads(self.threads);
        let from = tts::voice::find(&self.from, &tts::voice::search_path())?;
        let recordings = read_list(&self.recordings.list, &self.recordings.recordings)?;
        let work = self.run.clone().unwrap_or_else(|| self.out.with_added_extension("work"));
        let name = self.out.file_name().map(|name| name.to_string_lossy().into_owned());
        let about = About {
            name: self.name.clone().or(name),
            licence: Some(self.licence.clone()),
            description: Some(self.description.clone()),
        };
        let ear = self.ear.load()?;
        let steps = voice::Steps { coarse: self.coarse_steps, decoder: self.decoder_steps };
        let ingredients = voice::Ingredients {
            from: &from,
            ear: &ear,
            recordings: &recordings,
            steps,
            rank: self.rank,
            device: Device::Cpu,
        };
        let mut progress = self.quiet.progress(recordings.len() as u64, "recordings");
        let mut listeners = voice::Listeners {
            stage: &mut |stage| warn(&format!("now: {stage}")),
            aligned: &mut tell_aligned,
            utterances: &mut |done, all| progress.set(done as u64, all as u64),
            steps: &mut observer(self.quiet),
        };
        voice::make(&ingredients, about, &work, &self.out, &mut listeners)?;
        progress.finish();
        Ok(())
    }
}
