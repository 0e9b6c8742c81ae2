//! `tts train`: trains a model of a voice.

mod recordings;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use indicatif::HumanDuration;
use serde::de::DeserializeOwned;
use tch::Device;

use tts::error::Result;
use tts::synthesizer::Synthesizer;
use tts::text::FrontEnd;
use tts::train::corpus::Corpus;
use tts::train::export::{About, Runs, codec_config, export};
use tts::train::tokens::TokenCorpus;
use tts::train::{Job, Progress, Start, coarse, codec, decoder, depth, drafters, ear, fine, parallel, stages};

use super::progress::QuietArgs;
use recordings::{AlignArgs, VoiceArgs};

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
    /// The codec's decoder alone, on codes that a voice's fine model predicts.
    Decoder(DecoderArgs),
    /// The autoregressive model of codebook 0, from phonemes.
    Coarse(TokenArgs),
    /// The parallel model of the other codebooks.
    Fine(TokenArgs),
    /// The parallel model of durations, coarse tokens and latents: the strategies without an autoregressive model.
    Parallel(TokenArgs),
    /// The model of a frame's other codebooks one after the other: the strategy that is autoregressive throughout.
    Depth(OnCoarseArgs),
    /// Heads that guess the coarse model's next frames: the drafter `heads`.
    Heads(OnCoarseArgs),
    /// A smaller model that imitates the coarse model: the drafter `small`.
    Small(OnCoarseArgs),
    /// Collect training speech to search in: the drafter `retrieval`.
    Index(IndexArgs),
    /// Find when each phoneme of recordings is spoken: makes a corpus.
    Align(AlignArgs),
    /// A voice of one's own from recordings and their text, out of another voice.
    Voice(VoiceArgs),
    /// The ear, which aligns recordings and hears errors: from a corpus with durations, and recordings that were aligned.
    Ear(EarArgs),
    /// Put trained models into the folder of a voice, new or not; models that are not given stay as they are.
    Export(ExportArgs),
    /// Speak a corpus through more and more of a voice's models, to hear which of them loses what.
    Stages(StagesArgs),
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
struct DecoderArgs {
    /// Folder of the voice whose decoder learns, and whose fine model predicts the codes.
    #[arg(long, value_name = "DIR")]
    voice: PathBuf,
    #[command(flatten)]
    run: RunArgs,
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
struct OnCoarseArgs {
    /// Run or voice with the coarse model that it builds on.
    #[arg(long, value_name = "DIR")]
    coarse: PathBuf,
    #[command(flatten)]
    tokens: TokenArgs,
}

#[derive(Debug, Parser)]
struct IndexArgs {
    /// Folder with corpus.jsonl and the audio that it names.
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Run or voice with the codec whose codes the coarse model speaks.
    #[arg(long, value_name = "DIR")]
    codec: PathBuf,
    /// Speech to collect.
    #[arg(long, default_value_t = 5.0)]
    hours: f64,
    /// Folder for the collection, of a voice or another.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    quiet: QuietArgs,
}

#[derive(Debug, Parser)]
struct EarArgs {
    /// Corpora of recordings to learn from besides, as `tts train align` writes them.
    #[arg(long, value_name = "DIR")]
    recordings: Vec<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Parser)]
struct ExportArgs {
    /// Run of the codec.
    #[arg(long, value_name = "DIR")]
    codec: Option<PathBuf>,
    /// Run of the codec's decoder alone.
    #[arg(long, value_name = "DIR")]
    decoder: Option<PathBuf>,
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
    /// Run of the drafter `heads`.
    #[arg(long, value_name = "DIR")]
    heads: Option<PathBuf>,
    /// Run of the drafter `small`.
    #[arg(long, value_name = "DIR")]
    small: Option<PathBuf>,
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

#[derive(Debug, Parser)]
struct StagesArgs {
    /// Folder with corpus.jsonl and the audio that it names.
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Utterances to speak, held-out ones first.
    #[arg(long, value_name = "N", default_value_t = 100)]
    count: usize,
    /// Temperatures at which everything is predicted.
    #[arg(long, value_name = "T,…", value_delimiter = ',', default_value = "0,0.3,0.6")]
    temperatures: Vec<f64>,
    /// Folder for the sound: a folder for each stage, and list.tsv with the texts.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    voice: super::options::VoiceArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    match args.model {
        Model::Codec(args) => {
            let (device, recipe): (_, codec::CodecRecipe) = args.prepare()?;
            let corpus = Corpus::open(&args.corpus, recipe.model.sample_rate)?;
            args.train(device, |job| codec::train(&recipe, &corpus, job))?;
        }
        Model::Decoder(args) => {
            let (device, recipe): (_, decoder::DecoderRecipe) = args.run.prepare()?;
            let DecoderArgs { voice, run } = args;
            let corpus = Corpus::open(&run.corpus, codec_config(&voice)?.sample_rate)?;
            let tokens = open_tokens(&run.corpus, &voice, device, run.quiet)?;
            run.train(device, |job| decoder::train(&recipe, &voice, &corpus, &tokens, job))?;
        }
        Model::Coarse(args) => args.train(coarse::train)?,
        Model::Fine(args) => args.train(fine::train)?,
        Model::Parallel(args) => args.train(parallel::train)?,
        Model::Depth(args) => args.train(depth::train)?,
        Model::Heads(args) => args.train(drafters::train_heads)?,
        Model::Small(args) => args.train(drafters::train_small)?,
        Model::Index(args) => {
            let corpus = open_tokens(&args.corpus, &args.codec, Device::Cpu, args.quiet)?;
            drafters::index(&corpus, args.hours, &args.out)?;
        }
        Model::Align(args) => args.run()?,
        Model::Voice(args) => args.run()?,
        Model::Ear(args) => {
            let (device, recipe): (_, ear::EarRecipe) = args.run.prepare()?;
            let corpus = Corpus::open(&args.run.corpus, recipe.model.sample_rate)?;
            let open = |dir: &PathBuf| Corpus::open(dir, recipe.model.sample_rate);
            let recordings = args.recordings.iter().map(open).collect::<Result<Vec<_>>>()?;
            args.run.train(device, |job| ear::train(&recipe, &corpus, &recordings, job))?;
        }
        Model::Export(args) => {
            let runs = Runs {
                codec: args.codec.as_deref(),
                decoder: args.decoder.as_deref(),
                coarse: args.coarse.as_deref(),
                fine: args.fine.as_deref(),
                parallel: args.parallel.as_deref(),
                depth: args.depth.as_deref(),
                heads: args.heads.as_deref(),
                small: args.small.as_deref(),
            };
            let about = About { name: args.name, licence: args.licence, description: args.description };
            export(&runs, about, &args.voice)?;
        }
        Model::Stages(args) => {
            let synthesizer = Synthesizer::new(args.voice.load()?, FrontEnd::new()?);
            let corpus = Corpus::open(&args.corpus, synthesizer.sample_rate().into())?;
            let mut progress = args.quiet.progress(0, "utterances spoken");
            let report = &mut |done, all| progress.set(done as u64, all as u64);
            stages::speak(&synthesizer, &corpus, args.count, &args.temperatures, &args.out, report)?;
            progress.finish();
        }
    }
    Ok(())
}

impl RunArgs {
    fn train(&self, device: Device, train: impl FnOnce(Job) -> Result<()>) -> Result<()> {
        let start = match &self.from {
            Some(dir) => Start::From(dir.clone()),
            None if self.resume => Start::Resume,
            None => Start::Fresh,
        };
        train(Job { dir: &self.run, start: &start, device, observer: &mut observer(self.quiet) })
    }

    fn prepare<T: DeserializeOwned>(&self) -> anyhow::Result<(Device, T)> {
        tch::set_num_threads(self.threads);
        let no_gpu =
            "no GPU to train on: expected one, and the lib folder of torch 2.11.0+cu130 first in LD_LIBRARY_PATH";
        let device = if self.cuda { tts::shim::cuda().context(no_gpu)? } else { Device::Cpu };
        Ok((device, read_recipe(&self.config)?))
    }
}

impl TokenArgs {
    fn train<R: DeserializeOwned>(
        &self,
        train: impl FnOnce(&R, &TokenCorpus, Job) -> Result<()>,
    ) -> anyhow::Result<()> {
        let (device, recipe): (_, R) = self.run.prepare()?;
        let corpus = open_tokens(&self.run.corpus, &self.codec, device, self.run.quiet)?;
        Ok(self.run.train(device, |job| train(&recipe, &corpus, job))?)
    }
}

impl OnCoarseArgs {
    fn train<R: DeserializeOwned>(
        &self,
        train: impl FnOnce(&R, &Path, &TokenCorpus, Job) -> Result<()>,
    ) -> anyhow::Result<()> {
        self.tokens.train(|recipe: &R, corpus, job| train(recipe, &self.coarse, corpus, job))
    }
}

/// A corpus in the codec's codes.
fn open_tokens(corpus: &Path, codec: &Path, device: Device, quiet: QuietArgs) -> anyhow::Result<TokenCorpus> {
    let config = codec_config(codec)?;
    let mut progress = quiet.progress(0, "utterances encoded");
    let corpus = TokenCorpus::open(corpus, codec, &config, device, &mut |done, all| {
        progress.set(done as u64, all as u64);
    })?;
    progress.finish();
    Ok(corpus)
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
