//! A voice from recordings: aligned by the ear, then learnt by the models of another voice.

use std::fs;
use std::path::Path;

use tch::Device;

use super::align::{Aligned, Shape, align};
use super::coarse::{self, CoarseRecipe};
use super::codec::{self, CodecRecipe, CodecTraining};
use super::corpus::Corpus;
use super::export::{About, Runs, export, save};
use super::fine::{self, FineRecipe};
use super::language::LanguageTraining;
use super::run::{Observer, Start};
use super::tokens::TokenCorpus;
use crate::ear::Ear;
use crate::error::{Error, Result};
use crate::recordings::Recording;
use crate::voice::VoiceConfig;

/// How long each model of another voice learns from recordings, in steps; 0 leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// The codec, a batch of 8 s each: two thirds of them reconstruction, then the decoder alone against a discriminator.
    pub codec: u64,
    /// The coarse model, a batch of 80 s each.
    pub coarse: u64,
    /// The fine model, a batch of 80 s each.
    pub fine: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self { codec: 1500, coarse: 400, fine: 400 }
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
    let Ingredients { from, ear, recordings, steps, device } = *ingredients;
    let corpus = work.join("corpus");
    if !corpus.join("corpus.jsonl").is_file() {
        (hear.stage)("aligning the recordings");
        // The codec knows speech as loud as its voice.
        let loudness = config.loudness.unwrap_or(Shape::default().loudness);
        let shape = Shape { sample_rate: config.codec.sample_rate as u32, loudness };
        let aligned = align(ear, recordings, &corpus, shape, hear.utterances)?;
        (hear.aligned)(&aligned);
    }
    let runs = ["codec", "coarse", "fine"].map(|name| work.join(name));
    let [codec_run, coarse_run, fine_run] = &runs;
    if steps.codec > 0 {
        (hear.stage)("the codec");
        let recipe = CodecRecipe { model: config.codec.clone(), training: codec_training(steps.codec) };
        let speech = Corpus::open(&corpus, config.codec.sample_rate)?;
        codec::train(&recipe, &speech, codec_run, &start(codec_run, from), device, hear.steps)?;
    }
    if steps.coarse + steps.fine > 0 {
        (hear.stage)("the codes of the recordings");
        let codec = if steps.codec > 0 { codec_run } else { from };
        let tokens = TokenCorpus::open(&corpus, codec, &config.codec, device, hear.utterances)?;
        if steps.coarse > 0 {
            (hear.stage)("the coarse model");
            let recipe = CoarseRecipe { model: config.coarse.clone(), training: language_training(steps.coarse, 0.05) };
            coarse::train(&recipe, &tokens, coarse_run, &start(coarse_run, from), device, hear.steps)?;
        }
        if steps.fine > 0 {
            (hear.stage)("the fine model");
            let recipe = FineRecipe { model: config.fine.clone(), training: language_training(steps.fine, 0.0) };
            fine::train(&recipe, &tokens, fine_run, &start(fine_run, from), device, hear.steps)?;
        }
    }
    let trained = |steps: u64, run: &'static str| (steps > 0).then(|| work.join(run));
    let [codec, coarse, fine] =
        [trained(steps.codec, "codec"), trained(steps.coarse, "coarse"), trained(steps.fine, "fine")];
    let runs = Runs { codec: codec.as_deref(), coarse: coarse.as_deref(), fine: fine.as_deref(), ..Runs::default() };
    publish(from, config, &runs, about, &work.join("voice"), out)
}

/// A run goes on where it was left, or begins with the weights of the voice.
fn start(run: &Path, from: &Path) -> Start {
    if run.join("checkpoint.safetensors").is_file() { Start::Resume } else { Start::From(from.to_path_buf()) }
}

/// Puts the voice together in `draft`, then gives it its name.
fn publish(from: &Path, mut config: VoiceConfig, runs: &Runs, about: About, draft: &Path, out: &Path) -> Result<()> {
    if draft.exists() {
        fs::remove_dir_all(draft).map_err(Error::io(draft))?;
    }
    fs::create_dir_all(draft).map_err(Error::io(draft))?;
    for name in ["encoder", "codec", "coarse", "fine"].map(|name| format!("{name}.safetensors")) {
        fs::copy(from.join(&name), draft.join(&name)).map_err(Error::io(from.join(&name)))?;
    }
    // They speak with the old voice.
    (config.parallel, config.depth) = (None, None);
    save(&config, &draft.join("config.json"))?;
    export(runs, about, draft)?;
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    fs::rename(draft, out).map_err(Error::io(out))
}

/// How a codec learns another voice: gently, so that its codes stay near to what they meant.
fn codec_training(steps: u64) -> CodecTraining {
    CodecTraining {
        seed: 0,
        steps: steps - steps / 3,
        adversarial_steps: steps / 3,
        quantize_from: 0,
        batch: 8,
        segment_frames: 20,
        warmup: 50,
        learning_rate: 4e-4,
        adversarial_learning_rate: 2e-4,
        weight_decay: 0.01,
        codebook_decay: 0.99,
        discriminator_channels: 16,
        evaluate_every: 100,
        checkpoint_seconds: 240,
        bf16: true,
    }
}

/// How a language model learns another voice.
fn language_training(steps: u64, nudge: f64) -> LanguageTraining {
    LanguageTraining {
        seed: 0,
        steps,
        batch_frames: 1600,
        warmup: 50,
        learning_rate: 4e-4,
        weight_decay: 0.05,
        nudge,
        evaluate_every: 50,
        checkpoint_seconds: 240,
        bf16: true,
    }
}
