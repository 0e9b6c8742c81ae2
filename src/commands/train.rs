//! `tts train`: trains a model of a voice.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use indicatif::HumanDuration;
use serde::de::DeserializeOwned;
use tch::Device;

use tts::ear::Ear;
use tts::recordings::read_list;
use tts::train::corpus::Corpus;
use tts::train::export::{About, Runs, codec_config, export};
use tts::train::tokens::TokenCorpus;
use tts::train::align::{self, Aligned};
use tts::train::{Progress, Start, coarse, codec, depth, ear, fine, parallel, voice};

use super::eval::EarArgs as ListenArgs;
use super::progress::QuietArgs;
use super::warn;

/// Held-out utterances whose boundaries are checked.
const MOST_CHECKED: usize = 100;

/// Train a voice, or a model of one.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(subcommand)]
    model: Model,
}

#[derive(Debug, Subcommand)]
enum Model {
    /// The neural codec, from speech and its pitch.
    Codec(RunArgs),
    /// The autoregressive model of codebook 0, from phonemes.
    Coarse(TokenArgs),
    /// The parallel model of the other codebooks.
    Fine(TokenArgs),
    /// The parallel model of durations, coarse tokens and latents: the strategies without an autoregressive model.
    Parallel(TokenArgs),
    /// The model of a frame's other codebooks one after the other: the strategy that is autoregressive throughout.
    Depth(DepthArgs),
    /// Find when each phoneme of recordings is spoken: makes a corpus.
    Align(AlignArgs),
    /// A voice of one's own from recordings and their text, out of another voice.
    Voice(VoiceArgs),
    /// The ear, which aligns recordings and hears errors: from a corpus with durations, and recordings with their text.
    Ear(EarArgs),
    /// Put trained models into the folder of a voice, new or not; models that are not given stay as they are.
    Export(ExportArgs),
}

#[derive(Debug, Parser)]
struct RunArgs {
    /// Recipe: sizes of the model and how it is trained (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder with corpus.jsonl and the audio that it names.
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Folder for metrics, checkpoints and the trained weights.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Go on with the run in that folder.
    #[arg(long)]
    resume: bool,
    /// Begin with the weights in the folder of a voice, or of another run, of the same sizes.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Threads for matrix products.
    #[arg(long, default_value_t = 2)]
    threads: i32,
    /// Train on the GPU.
    #[arg(long)]
    cuda: bool,
    #[command(flatten)]
    quiet: QuietArgs,
}

#[derive(Debug, Parser)]
struct TokenArgs {
    /// Run or voice with the codec whose codes the model speaks.
    #[arg(long, value_name = "DIR")]
    codec: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Parser)]
struct DepthArgs {
    /// Run or voice with the coarse model whose states it reads.
    #[arg(long, value_name = "DIR")]
    coarse: PathBuf,
    #[command(flatten)]
    tokens: TokenArgs,
}

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
struct AlignArgs {
    #[command(flatten)]
    recordings: Option<RecordingArgs>,
    /// Folder for the corpus: corpus.jsonl and the recordings, equally loud.
    #[arg(long, value_name = "DIR", requires = "recordings")]
    out: Option<PathBuf>,
    /// Instead, say how far from the known boundaries those lie that the ear finds in the held-out part of a corpus.
    #[arg(long, value_name = "DIR", required_unless_present = "out", conflicts_with_all = ["recordings", "list", "out"])]
    check: Option<PathBuf>,
    /// Sample rate of the corpus.
    #[arg(long, value_name = "HZ", default_value_t = 24_000, value_parser = clap::value_parser!(u32).range(8_000..=96_000))]
    sample_rate: u32,
    #[command(flatten)]
    ear: ListenArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

#[derive(Debug, Parser)]
struct VoiceArgs {
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
    /// Steps that the codec's decoder learns for.
    #[arg(long, value_name = "N", default_value_t = voice::Steps::default().codec)]
    codec_steps: u64,
    /// Steps that the coarse model learns for.
    #[arg(long, value_name = "N", default_value_t = voice::Steps::default().coarse)]
    coarse_steps: u64,
    /// Steps that the fine model learns for.
    #[arg(long, value_name = "N", default_value_t = voice::Steps::default().fine)]
    fine_steps: u64,
    #[command(flatten)]
    ear: ListenArgs,
    /// Threads for matrix products.
    #[arg(long, default_value_t = 2)]
    threads: i32,
    #[command(flatten)]
    quiet: QuietArgs,
}

#[derive(Debug, Parser)]
struct EarArgs {
    /// List of recordings to learn from besides, a line `name<TAB>text` each; the names start from its folder.
    #[arg(long, value_name = "FILE")]
    recordings: Vec<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Parser)]
struct ExportArgs {
    /// Run of the codec.
    #[arg(long, value_name = "DIR")]
    codec: Option<PathBuf>,
    /// Run of the coarse model.
    #[arg(long, value_name = "DIR")]
    coarse: Option<PathBuf>,
    /// Run of the fine model.
    #[arg(long, value_name = "DIR")]
    fine: Option<PathBuf>,
    /// Run of the parallel model.
    #[arg(long, value_name = "DIR")]
    parallel: Option<PathBuf>,
    /// Run of the depth model.
    #[arg(long, value_name = "DIR")]
    depth: Option<PathBuf>,
    /// Name of the voice.
    #[arg(long)]
    name: Option<String>,
    /// SPDX identifier of the licence of the weights.
    #[arg(long)]
    licence: Option<String>,
    /// Who speaks, and what the voice was learnt from.
    #[arg(long)]
    description: Option<String>,
    /// Folder of the voice.
    #[arg(long, value_name = "DIR")]
    voice: PathBuf,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    match args.model {
        Model::Codec(args) => {
            let (device, recipe): (_, codec::CodecRecipe) = args.prepare()?;
            let corpus = Corpus::open(&args.corpus, recipe.model.sample_rate)?;
            codec::train(&recipe, &corpus, &args.run, &args.start(), device, &mut observer(args.quiet))?;
        }
        Model::Coarse(args) => {
            let (device, recipe): (_, coarse::CoarseRecipe) = args.run.prepare()?;
            let corpus = args.corpus(device)?;
            let run = args.run;
            coarse::train(&recipe, &corpus, &run.run, &run.start(), device, &mut observer(run.quiet))?;
        }
        Model::Fine(args) => {
            let (device, recipe): (_, fine::FineRecipe) = args.run.prepare()?;
            let corpus = args.corpus(device)?;
            let run = args.run;
            fine::train(&recipe, &corpus, &run.run, &run.start(), device, &mut observer(run.quiet))?;
        }
        Model::Parallel(args) => {
            let (device, recipe): (_, parallel::ParallelRecipe) = args.run.prepare()?;
            let corpus = args.corpus(device)?;
            let run = args.run;
            parallel::train(&recipe, &corpus, &run.run, &run.start(), device, &mut observer(run.quiet))?;
        }
        Model::Depth(args) => {
            let (device, recipe): (_, depth::DepthRecipe) = args.tokens.run.prepare()?;
            let corpus = args.tokens.corpus(device)?;
            let run = args.tokens.run;
            depth::train(&recipe, &args.coarse, &corpus, &run.run, &run.start(), device, &mut observer(run.quiet))?;
        }
        Model::Align(args) => args.run()?,
        Model::Voice(args) => args.run()?,
        Model::Ear(args) => {
            let (device, recipe): (_, ear::EarRecipe) = args.run.prepare()?;
            let corpus = Corpus::open(&args.run.corpus, recipe.model.sample_rate)?;
            let takes = args.takes(recipe.model.sample_rate)?;
            let run = args.run;
            ear::train(&recipe, &corpus, &takes, &run.run, &run.start(), device, &mut observer(run.quiet))?;
        }
        Model::Export(args) => {
            let runs = Runs {
                codec: args.codec.as_deref(),
                coarse: args.coarse.as_deref(),
                fine: args.fine.as_deref(),
                parallel: args.parallel.as_deref(),
                depth: args.depth.as_deref(),
            };
            let about = About { name: args.name, licence: args.licence, description: args.description };
            export(&runs, about, &args.voice)?;
        }
    }
    Ok(())
}

impl RunArgs {
    fn start(&self) -> Start {
        match &self.from {
            Some(dir) => Start::From(dir.clone()),
            None if self.resume => Start::Resume,
            None => Start::Fresh,
        }
    }

    fn prepare<T: DeserializeOwned>(&self) -> anyhow::Result<(Device, T)> {
        tch::set_num_threads(self.threads);
        let no_gpu =
            "no GPU to train on: expected one, and the lib folder of torch 2.11.0+cu130 first in LD_LIBRARY_PATH";
        let device = if self.cuda { tts::shim::cuda().context(no_gpu)? } else { Device::Cpu };
        Ok((device, read_recipe(&self.config)?))
    }
}

impl AlignArgs {
    fn run(self) -> anyhow::Result<()> {
        tch::set_num_threads(1);
        let ear = self.ear.load()?;
        if let Some(dir) = &self.check {
            return self.check(&ear, dir);
        }
        let (Some(source), Some(out)) = (&self.recordings, &self.out) else { return Ok(()) };
        let recordings = read_list(&source.list, &source.recordings)?;
        let mut progress = self.quiet.progress(recordings.len() as u64, "recordings aligned");
        let report = &mut |done, all| progress.set(done as u64, all as u64);
        let aligned = align::align(&ear, &recordings, out, self.sample_rate, report)?;
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
    fn run(self) -> anyhow::Result<()> {
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
        let steps = voice::Steps { codec: self.codec_steps, coarse: self.coarse_steps, fine: self.fine_steps };
        let ingredients =
            voice::Ingredients { from: &from, ear: &ear, recordings: &recordings, steps, device: Device::Cpu };
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

impl EarArgs {
    /// The recordings, decoded.
    fn takes(&self, sample_rate: i64) -> anyhow::Result<ear::Takes> {
        let mut recordings = Vec::new();
        for list in &self.recordings {
            recordings.extend(read_list(list, list.parent().unwrap_or(Path::new("")))?);
        }
        let mut progress = self.run.quiet.progress(recordings.len() as u64, "recordings decoded");
        let takes = ear::Takes::open(&recordings, sample_rate, &mut |done, all| {
            progress.set(done as u64, all as u64);
        })?;
        progress.finish();
        Ok(takes)
    }
}

impl TokenArgs {
    /// The corpus in the codec's codes.
    fn corpus(&self, device: Device) -> anyhow::Result<TokenCorpus> {
        let codec = codec_config(&self.codec)?;
        let mut progress = self.run.quiet.progress(0, "utterances encoded");
        let corpus = TokenCorpus::open(&self.run.corpus, &self.codec, &codec, device, &mut |done, all| {
            progress.set(done as u64, all as u64);
        })?;
        progress.finish();
        Ok(corpus)
    }
}

fn read_recipe<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("reading the recipe {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in the recipe {}", path.display()))
}

/// Tells of every step on a terminal, elsewhere of those whose figures are kept.
fn observer(quiet: QuietArgs) -> impl FnMut(&Progress) {
    let mut shown = quiet.progress(0, "steps");
    move |progress| {
        let figures: Vec<String> = progress.metrics.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
        let left = HumanDuration(progress.remaining);
        let figures = format!("steps: {}, {:.0} s of speech/s, {left} left", figures.join(", "), progress.speech_rate);
        let kept = progress.metrics.iter().any(|(name, _)| *name == "held_out");
        shown.set_with(progress.step, progress.steps, &figures, kept);
    }
}
