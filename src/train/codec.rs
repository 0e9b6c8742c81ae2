//! Training of the codec: reconstruction first, then the decoder alone against a discriminator while the codes stay as they are.
//!
//! Reconstruction is of the teacher's spectra where the corpus holds them, of the waveform's otherwise.

use std::path::Path;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::corpus::Corpus;
use super::discriminator::{Discriminator, discriminator_loss, generator_losses};
use super::optimizer::Optimizer;
use super::run::{Job, Run, RunPlan, Start};
use super::schedule::warmup_cosine;
use super::segments::{Batch, Segments, pitch_losses};
use crate::checkpoint::{Checkpoint, save_half};
use crate::codec::quantizer::CodebookUpdate;
use crate::codec::{Codec, CodecConfig, Encoder};
use crate::error::{Error, Result};
use crate::shim::{AdamW, autocast_bf16};
use crate::voice::weights;

/// A codec and how it is trained: the file given to `tts train codec --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecRecipe {
    pub model: CodecConfig,
    pub training: CodecTraining,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecTraining {
    pub seed: u64,
    /// Steps of the reconstruction phase.
    pub steps: u64,
    /// Steps of the adversarial phase after it.
    pub adversarial_steps: u64,
    /// Step from which the latents are quantized.
    pub quantize_from: u64,
    /// Segments in a batch.
    pub batch: usize,
    /// Token frames in a segment.
    pub segment_frames: i64,
    pub warmup: u64,
    pub learning_rate: f64,
    pub adversarial_learning_rate: f64,
    pub weight_decay: f64,
    /// Decay of the codebooks' running means.
    pub codebook_decay: f64,
    /// Channels of the discriminator.
    pub discriminator_channels: i64,
    pub evaluate_every: u64,
    /// Longest time between two checkpoints.
    pub checkpoint_seconds: u64,
    /// Matrix products and convolutions in bf16.
    pub bf16: bool,
}

/// Weights of the loss terms.
const COMMITMENT: f64 = 0.25;
const ADVERSARIAL: f64 = 0.1;
const FEATURE_MATCHING: f64 = 0.5;
/// Batches from which the codebooks are first placed.
const INITIAL_BATCHES: usize = 100;

/// Trains until the last step, saving on the way; at the end `encoder.safetensors` and `codec.safetensors` in the folder of `job` hold the weights to ship.
pub fn train(recipe: &CodecRecipe, corpus: &Corpus, job: Job) -> Result<()> {
    let (dir, start, device) = (job.dir, job.start, job.device);
    let CodecTraining { seed, checkpoint_seconds, .. } = recipe.training;
    let steps = recipe.training.steps + recipe.training.adversarial_steps;
    let (mut run, checkpoint) = Run::open(job, recipe, RunPlan { seed, steps, checkpoint_seconds, rank: None })?;
    let mut trainer = Trainer::new(recipe, corpus, device)?;
    if let Some(checkpoint) = checkpoint {
        trainer.restore(&checkpoint, &run.checkpoint_path())?;
    } else if let Start::From(other) = start {
        trainer.adopt(other)?;
    }
    let held_out = trainer.segments.held_out()?;
    while !run.is_finished() {
        let mut metrics = trainer.step(&run)?;
        let keep = (run.step() + 1) % recipe.training.evaluate_every == 0;
        if keep {
            metrics.push(("held_out", trainer.evaluate(&held_out)?));
        }
        let frames = recipe.training.batch as i64 * recipe.training.segment_frames;
        run.finish_step(frames as f64 / recipe.model.frame_rate(), &metrics, keep)?;
        if run.is_due() {
            run.save(trainer.checkpoint())?;
            trainer.save(dir)?;
        }
    }
    Ok(())
}

fn options(training: &CodecTraining) -> AdamW {
    AdamW { lr: 0.0, beta1: 0.8, beta2: 0.99, weight_decay: training.weight_decay, eps: 1e-8, max_norm: 1.0 }
}

/// Whether a tensor belongs to the encoder, which has a file of its own.
fn is_encoders(name: &str) -> bool {
    name.starts_with("encoder.")
}

struct Trainer<'a> {
    recipe: &'a CodecRecipe,
    segments: Segments<'a>,
    device: Device,
    vs: VarStore,
    encoder: Encoder,
    codec: Codec,
    codebook_vs: VarStore,
    codebooks: CodebookUpdate,
    optimizer: Optimizer,
    adversary: Adversary,
}

/// The discriminator of the second phase.
struct Adversary {
    vs: VarStore,
    discriminator: Discriminator,
    optimizer: Optimizer,
}

impl<'a> Trainer<'a> {
    fn new(recipe: &'a CodecRecipe, corpus: &'a Corpus, device: Device) -> Result<Self> {
        let t = &recipe.training;
        let (vs, codebook_vs, adversary_vs) = (VarStore::new(device), VarStore::new(device), VarStore::new(device));
        let encoder = Encoder::new(vs.root() / "encoder", &recipe.model);
        let codec = Codec::new(vs.root(), &recipe.model);
        let codebooks = CodebookUpdate::new(codebook_vs.root(), &codec.quantizer, t.codebook_decay);
        let discriminator = Discriminator::new(adversary_vs.root(), t.discriminator_channels);
        let adversary =
            Adversary { optimizer: Optimizer::new(&adversary_vs, "", options(t)), vs: adversary_vs, discriminator };
        let optimizer = Optimizer::new(&vs, "", options(t));
        let segments = Segments::new(corpus, &recipe.model, t.segment_frames, t.bf16, device)?;
        Ok(Self { recipe, segments, device, vs, encoder, codec, codebook_vs, codebooks, optimizer, adversary })
    }

    /// Takes the weights in another folder. Their codebooks are in place: quantization begins at once.
    fn adopt(&mut self, other: &Path) -> Result<()> {
        if self.recipe.training.quantize_from > 0 {
            let reason = "a codec that begins with the weights of another is quantized from the start: expected quantize_from = 0";
            return Err(Error::Training(reason.into()));
        }
        let mut weights = weights::read(other, "codec")?;
        weights.tensors.extend(weights::read(other, "encoder")?.tensors);
        weights.restore("", &self.vs, other)?;
        self.codebooks.adopt(&self.codec.quantizer);
        Ok(())
    }

    fn step(&mut self, run: &Run) -> Result<Vec<(&'static str, f64)>> {
        let t = &self.recipe.training;
        if run.step() == t.quantize_from && self.codebooks.are_empty() {
            self.place_codebooks(run)?;
        }
        let batch = self.segments.random(t.batch, &mut run.rng())?;
        if run.step() < t.steps {
            return self.reconstruct(run, &batch);
        }
        for (_, variable) in self.vs.variables().into_iter().filter(|(name, _)| is_encoders(name)) {
            let _ = variable.set_requires_grad(false);
        }
        self.play(run, &batch)
    }

    /// One step of the reconstruction phase.
    fn reconstruct(&mut self, run: &Run, batch: &Batch) -> Result<Vec<(&'static str, f64)>> {
        let t = &self.recipe.training;
        let mut rng = run.rng();
        let latent = autocast_bf16(self.device, t.bf16, || self.encoder.forward(&batch.samples))?;
        let latent = latent.to_kind(Kind::Float);
        let (latent, commitment) = if run.step() < t.quantize_from {
            (latent, Tensor::zeros([], (Kind::Float, self.device)))
        } else {
            let n_q = self.recipe.model.n_q as usize;
            let levels = if rng.random_bool(0.5) { n_q } else { rng.random_range(1..=n_q) };
            let quantized = self.codec.quantizer.forward(&latent, levels);
            self.codebooks.step(&self.codec.quantizer, &quantized);
            (quantized.latent, quantized.commitment)
        };
        let (spectra, spectral) = self.segments.spectral(&self.codec.decoder, &latent, batch)?;
        let (pitch, voicing) = pitch_losses(&spectra, batch);
        let loss = &spectral + &pitch + &voicing + &commitment * COMMITMENT;
        let lr = warmup_cosine(run.step(), t.steps, t.warmup, t.learning_rate, 0.01);
        let norm = self.optimizer.backward_step(&loss, lr)?;
        let value = |t: &Tensor| t.double_value(&[]);
        Ok(vec![
            ("loss", value(&loss)),
            ("spectral", value(&spectral)),
            ("pitch", value(&pitch)),
            ("voicing", value(&voicing)),
            ("commitment", value(&commitment)),
            ("gradient", norm),
        ])
    }

    /// One step of the adversarial phase: the discriminator, then the decoder; encoder and codebooks stay.
    fn play(&mut self, run: &Run, batch: &Batch) -> Result<Vec<(&'static str, f64)>> {
        let t = &self.recipe.training;
        let latent = no_grad(|| self.quantized(&batch.samples))?;
        let (spectra, samples) = self.segments.decode(&self.codec.decoder, &latent, batch)?;
        let lr = warmup_cosine(run.step() - t.steps, t.adversarial_steps, 20, t.adversarial_learning_rate, 0.05);
        let judge = |x: &Tensor| autocast_bf16(self.device, t.bf16, || self.adversary.discriminator.forward(x));
        let real = judge(&batch.samples)?;
        let discriminator = discriminator_loss(&real, &judge(&samples.detach())?);
        self.adversary.optimizer.backward_step(&discriminator, lr)?;

        let real = no_grad(|| judge(&batch.samples))?;
        let (adversarial, matching) = generator_losses(&real, &judge(&samples)?);
        let spectral = self.segments.of_waveforms(&samples, batch);
        let (pitch, voicing) = pitch_losses(&spectra, batch);
        let loss = &spectral + &pitch + &voicing + &adversarial * ADVERSARIAL + &matching * FEATURE_MATCHING;
        let norm = self.optimizer.backward_step(&loss, lr)?;
        let value = |t: &Tensor| t.double_value(&[]);
        Ok(vec![
            ("loss", value(&loss)),
            ("spectral", value(&spectral)),
            ("pitch", value(&pitch)),
            ("voicing", value(&voicing)),
            ("adversarial", value(&adversarial)),
            ("matching", value(&matching)),
            ("discriminator", value(&discriminator)),
            ("gradient", norm),
        ])
    }

    /// Latents `[B, D, T]` of samples, quantized with every level.
    fn quantized(&self, samples: &Tensor) -> Result<Tensor> {
        let t = &self.recipe.training;
        let latent = autocast_bf16(self.device, t.bf16, || self.encoder.forward(samples))?;
        Ok(self.codec.quantizer.forward(&latent.to_kind(Kind::Float), self.recipe.model.n_q as usize).latent)
    }

    /// First codebooks by k-means over the latents of many batches.
    fn place_codebooks(&mut self, run: &Run) -> Result<()> {
        let mut rng = run.rng();
        let mut latents = Vec::new();
        for _ in 0..INITIAL_BATCHES {
            let batch = self.segments.random(self.recipe.training.batch, &mut rng)?;
            let latent = no_grad(|| self.encoder.forward(&batch.samples));
            latents.push(latent.transpose(1, 2).reshape([-1, self.recipe.model.latent_dim]));
        }
        self.codebooks.initialize(&self.codec.quantizer, &Tensor::cat(&latents, 0), 10);
        Ok(())
    }

    /// Spectral loss on held-out speech, with every level and the true pitch.
    fn evaluate(&self, batch: &Batch) -> Result<f64> {
        no_grad(|| {
            tch::manual_seed(0);
            let latent = self.quantized(&batch.samples)?;
            let (_, loss) = self.segments.spectral(&self.codec.decoder, &latent, batch)?;
            Ok(loss.double_value(&[]))
        })
    }

    /// Writes the weights to ship.
    fn save(&self, dir: &Path) -> Result<()> {
        for (name, part) in [("encoder", true), ("codec", false)] {
            save_half(&dir.join(weights::file(name)), &self.vs, |name| is_encoders(name) == part)?;
        }
        Ok(())
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut checkpoint = self.optimizer.checkpoint(&self.vs);
        checkpoint.insert_variables("codebooks.", &self.codebook_vs);
        checkpoint.insert_variables("discriminator.", &self.adversary.vs);
        self.adversary.optimizer.save("discriminator_optimizer.", &mut checkpoint);
        checkpoint
    }

    fn restore(&mut self, checkpoint: &Checkpoint, path: &Path) -> Result<()> {
        self.optimizer.resume(&self.vs, checkpoint, path)?;
        checkpoint.restore("codebooks.", &self.codebook_vs, path)?;
        checkpoint.restore("discriminator.", &self.adversary.vs, path)?;
        self.adversary.optimizer.restore("discriminator_optimizer.", checkpoint, path)
    }
}
