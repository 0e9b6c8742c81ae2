//! A voice from recordings: aligned by the ear, then learnt by the models of another voice. Its coarse model learns how the speaker
//! speaks, its decoder how they sound; the codes stay what they are, and the fine model with them.

use std::fs;
use std::path::{Path, PathBuf};

use tch::Device;

use super::align::{Aligned, Shape, align};
use super::coarse::{self, CoarseRecipe};
use super::corpus::Corpus;
use super::decoder::{self, DecoderRecipe, DecoderTraining};
use super::export::{About, finish};
use super::language::LanguageTraining;
use super::run::{Job, Observer, Start};
use super::tokens::TokenCorpus;
use crate::adapter;
use crate::checkpoint::Checkpoint;
use crate::ear::Ear;
use crate::error::{Error, Result};
use crate::recordings::Recording;
use crate::voice::{VoiceConfig, find, search_path, weights};

/// Rank of the adapters, unless another is asked for.
pub const RANK: i64 = 16;

/// How long each model of another voice learns from recordings, in steps; 0 leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// The coarse model, a batch of 80 s each.
    pub coarse: u64,
    /// The codec's decoder, a batch of 9.6 s each.
    pub decoder: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self { coarse: 400, decoder: 150 }
    }
}

/// What the making of a voice starts from.
#[derive(Debug)]
pub struct Ingredients<'a> {
    /// Folder of the voice whose models learn.
    pub from: &'a Path,
    pub ear: &'a Ear,
    pub recordings: &'a [Recording],
    pub steps: Steps,
    /// Rank of the adapters that are learnt.
    pub rank: i64,
    pub device: Device,
}

/// Who hears of what is going on.
pub struct Listeners<'a> {
    /// Of the stage that begins.
    pub stage: &'a mut dyn FnMut(&str),
    /// Of what was aligned.
    pub aligned: &'a mut dyn FnMut(&Aligned),
    /// Of utterances done and all of them.
    pub utterances: &'a mut dyn FnMut(usize, usize),
    pub steps: Observer<'a>,
}

/// Makes the voice `about` in the new folder `out`, working in the folder `work`: what is finished there is not done again, and
/// a training that was killed goes on.
pub fn make(ingredients: &Ingredients, about: About, work: &Path, out: &Path, hear: &mut Listeners) -> Result<()> {
    if out.exists() {
        return Err(Error::Voice(format!("{} is there already: expected a new folder for the voice", out.display())));
    }
    let config = VoiceConfig::load(ingredients.from)?;
    if let Some(base) = &config.base {
        let reason = format!("{} has no weights of its own: expected {base}, which it is based on", config.name);
        return Err(Error::Voice(reason));
    }
    let Ingredients { from, ear, recordings, steps, rank, device } = *ingredients;
    let corpus = work.join("corpus");
    if !corpus.join("corpus.jsonl").is_file() {
        (hear.stage)("aligning the recordings");
        // The codec knows speech as loud as its voice.
        let loudness = config.loudness.unwrap_or(Shape::default().loudness);
        let shape = Shape { sample_rate: config.codec.sample_rate as u32, loudness };
        let aligned = align(ear, recordings, &corpus, shape, hear.utterances)?;
        (hear.aligned)(&aligned);
    }
    let [coarse_run, decoder_run] = ["coarse", "decoder"].map(|name| work.join(name));
    if steps.coarse + steps.decoder > 0 {
        (hear.stage)("the codes of the recordings");
        let mut tokens = TokenCorpus::open(&corpus, from, &config.codec, device, hear.utterances)?;
        tokens.make_plausible(&coarse::frozen(from, device)?, device, hear.utterances);
        if steps.coarse > 0 {
            (hear.stage)("the coarse model");
            let recipe = CoarseRecipe { model: config.coarse.clone(), training: coarse_training(steps.coarse, rank) };
            let start = &start(&coarse_run, from);
            coarse::train(&recipe, &tokens, Job { dir: &coarse_run, start, device, observer: hear.steps })?;
        }
        if steps.decoder > 0 {
            (hear.stage)("the decoder");
            let recipe = DecoderRecipe { training: decoder_training(steps.decoder, rank) };
            let speech = Corpus::open(&corpus, config.codec.sample_rate)?;
            let start = &start(&decoder_run, from);
            let job = Job { dir: &decoder_run, start, device, observer: hear.steps };
            decoder::train(&recipe, from, &speech, &tokens, job)?;
        }
    }
    let trained = [("coarse", &coarse_run), ("codec", &decoder_run)];
    publish(from, config, about, &trained, &work.join("voice"), out)
}

/// A run goes on where it was left, or begins with the weights of the voice.
fn start(run: &Path, from: &Path) -> Start {
    if run.join("checkpoint.safetensors").is_file() { Start::Resume } else { Start::From(from.to_path_buf()) }
}

/// Puts the voice together in `draft` out of the adapters that the runs have learnt, then gives it its name.
fn publish(
    from: &Path,
    mut config: VoiceConfig,
    about: About,
    trained: &[(&str, &PathBuf)],
    draft: &Path,
    out: &Path,
) -> Result<()> {
    if draft.exists() {
        fs::remove_dir_all(draft).map_err(Error::io(draft))?;
    }
    fs::create_dir_all(draft).map_err(Error::io(draft))?;
    for (name, run) in trained {
        let file = adapter::file(name);
        if run.join(&file).is_file() {
            let learnt = Checkpoint::load(&run.join(&file))?;
            adapter::save(&learnt, &from.join(weights::file(name)), &draft.join(file))?;
        }
    }
    config.name = about.name.unwrap_or(config.name);
    config.licence = about.licence.unwrap_or(config.licence);
    config.description = about.description.unwrap_or(config.description);
    config.base = Some(name_of(from)?);
    // These were learnt on the base's own coarse model and codes.
    (config.parallel, config.depth, config.heads, config.small) = (None, None, None, None);
    finish(config, draft)?;
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    fs::rename(draft, out).map_err(Error::io(out))
}

/// The name by which the voice in the folder `dir` is found, or else the folder's path.
fn name_of(dir: &Path) -> Result<String> {
    let path = fs::canonicalize(dir).map_err(Error::io(dir))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = find(&name, &search_path()).ok().and_then(|found| fs::canonicalize(found).ok());
    Ok(if found.as_ref() == Some(&path) { name } else { path.display().to_string() })
}

/// How a coarse model learns another voice.
fn coarse_training(steps: u64, rank: i64) -> LanguageTraining {
    LanguageTraining {
        seed: 0,
        steps,
        batch_frames: 1600,
        warmup: 50,
        learning_rate: 4e-4,
        weight_decay: 0.05,
        rank: Some(rank),
        nudge: 0.05,
        evaluate_every: 50,
        checkpoint_seconds: 240,
        bf16: true,
    }
}

/// How a decoder learns another voice: gently, as what it has not learnt from a teacher soon sounds rough.
fn decoder_training(steps: u64, rank: i64) -> DecoderTraining {
    DecoderTraining {
        seed: 0,
        steps,
        batch: 8,
        segment_frames: 24,
        predicted: 1.0,
        warmup: 20,
        learning_rate: 1.6e-4,
        weight_decay: 0.01,
        rank: Some(rank),
        evaluate_every: 25,
        checkpoint_seconds: 240,
        bf16: true,
    }
}
