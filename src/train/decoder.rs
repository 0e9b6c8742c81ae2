//! Training of the codec's decoder alone, on the codes that speaking gives it: the coarse ones true, the others predicted by the
//! fine model. The codes stay what they mean, so that every other model of the voice goes on with it.
//!
//! As adapters of its last layers it learns the colour and the pitch of another speaker.

use std::path::Path;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::corpus::{Corpus, Utterance};
use super::optimizer::Optimizer;
use super::run::{Job, Run, RunPlan, Start};
use super::schedule::warmup_cosine;
use super::segments::{Batch, Segments, pitch_losses};
use super::tokens::{TokenCorpus, TokenSequence};
use crate::adapter;
use crate::checkpoint::save_half;
use crate::codec::{Codec, Decoder};
use crate::error::{Error, Result};
use crate::shim::AdamW;
use crate::synthesizer::refining::refine;
use crate::voice::{Voice, weights};

/// How a decoder is trained: the file given to `tts train decoder --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderRecipe {
    pub training: DecoderTraining,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderTraining {
    pub seed: u64,
    pub steps: u64,
    /// Segments in a batch.
    pub batch: usize,
    /// Token frames in a segment.
    pub segment_frames: i64,
    /// Share of the segments whose codes are predicted; those of the others are true.
    pub predicted: f64,
    pub warmup: u64,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// Rank of adapters of the layers that make spectra and pitch, which then are all that it learns, the phases staying as they
    /// are; the whole decoder if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<i64>,
    pub evaluate_every: u64,
    /// Longest time between two checkpoints.
    pub checkpoint_seconds: u64,
    /// Matrix products and convolutions in bf16.
    pub bf16: bool,
}

/// Segments that the held-out losses are measured on.
const HELD_OUT: usize = 24;
/// Name of the weights to ship: the decoder, and the codebooks as they were.
const NAME: &str = "codec";

/// Trains the decoder of the voice in the folder `voice`, whose fine model predicts, until the last step; `codec.safetensors` in the folder of `job`
/// then holds the weights to ship. `tokens` are the codes of `corpus`.
pub fn train(recipe: &DecoderRecipe, voice: &Path, corpus: &Corpus, tokens: &TokenCorpus, job: Job) -> Result<()> {
    let t = &recipe.training;
    if t.segment_frames < 1 || t.batch < 1 || !(0.0..=1.0).contains(&t.predicted) {
        let reason = "expected segment_frames and batch of at least 1, and predicted from 0 to 1, in the recipe";
        return Err(Error::Training(reason.into()));
    }
    let (dir, start, device) = (job.dir, job.start, job.device);
    let DecoderTraining { seed, steps, checkpoint_seconds, rank, .. } = *t;
    let (mut run, checkpoint) = Run::open(job, recipe, RunPlan { seed, steps, checkpoint_seconds, rank })?;
    let weights = if let Start::From(other) = start { other } else { voice };
    let mut learner = Learner::new(recipe, Voice::load(voice, device)?, weights, corpus)?;
    if let Some(checkpoint) = checkpoint {
        learner.optimizer.resume(&learner.vs, &checkpoint, &run.checkpoint_path())?;
    }
    let rate = tokens.codec.frame_rate();
    let places = |part: &[TokenSequence]| long_enough(part, t.segment_frames);
    let (training, held_out) = (places(&tokens.training), places(&tokens.held_out));
    if training.is_empty() || held_out.is_empty() {
        let least = t.segment_frames as f64 / rate;
        return Err(Error::Training(format!("expected utterances of {least:.1} s and more, found none")));
    }
    let training = Part { utterances: &corpus.training, sequences: &tokens.training, places: training };
    let held_out = Part { utterances: &corpus.held_out, sequences: &tokens.held_out, places: held_out };
    let mut fixed = ChaCha8Rng::seed_from_u64(0);
    let predicted = learner.pick(&held_out, HELD_OUT, 1.0, &mut fixed)?;
    let own = learner.pick(&held_out, HELD_OUT, 0.0, &mut fixed)?;
    while !run.is_finished() {
        let (batch, latent) = learner.pick(&training, t.batch, t.predicted, &mut run.rng())?;
        let (loss, spectral) = learner.loss(&batch, &latent)?;
        let lr = warmup_cosine(run.step(), steps, t.warmup, t.learning_rate, 0.02);
        let norm = learner.optimizer.backward_step(&loss, lr)?;
        let mut metrics = vec![("loss", loss.double_value(&[])), ("spectral", spectral), ("gradient", norm)];
        let keep = (run.step() + 1) % t.evaluate_every == 0;
        if keep {
            for (name, (batch, latent)) in [("held_out", &predicted), ("held_out_own", &own)] {
                metrics.push((name, no_grad(|| learner.loss(batch, latent))?.1));
            }
        }
        run.finish_step((t.batch as i64 * t.segment_frames) as f64 / rate, &metrics, keep)?;
        if run.is_due() {
            run.save(learner.optimizer.checkpoint(&learner.vs))?;
            save_half(&dir.join(weights::file(NAME)), &learner.vs, |_| true)?;
            if rank.is_some() {
                learner.optimizer.adapter().save(&dir.join(adapter::file(NAME)), None)?;
            }
        }
    }
    Ok(())
}

/// Numbers of the sequences of at least `frames` frames, each as often as it has such segments that do not overlap.
fn long_enough(sequences: &[TokenSequence], frames: i64) -> Vec<usize> {
    let segments = |s: &TokenSequence| s.frames() / frames as usize;
    sequences.iter().enumerate().flat_map(|(i, s)| std::iter::repeat_n(i, segments(s))).collect()
}

/// Utterances, their codes, and the numbers of those to pick from.
struct Part<'a> {
    utterances: &'a [Utterance],
    sequences: &'a [TokenSequence],
    places: Vec<usize>,
}

struct Learner<'a> {
    voice: Voice,
    segments: Segments<'a>,
    frames: i64,
    /// Whether it learns the colour and the pitch of another speaker.
    adapts: bool,
    vs: VarStore,
    codec: Codec,
    optimizer: Optimizer,
}

impl<'a> Learner<'a> {
    /// Begins with the decoder in the folder `weights`.
    fn new(recipe: &DecoderRecipe, voice: Voice, weights: &Path, corpus: &'a Corpus) -> Result<Self> {
        let t = &recipe.training;
        let (config, device) = (&voice.config.codec, voice.device);
        let segments = Segments::new(corpus, config, t.segment_frames, t.bf16, device)?;
        let vs = VarStore::new(device);
        let codec = Codec::new(vs.root(), config);
        no_grad(|| weights::load(weights, NAME, &vs))?;
        let adapts = t.rank.is_some();
        let is_output =
            |name: &str| Decoder::OUTPUTS.iter().any(|layer| name.starts_with(&format!("decoder.{layer}.")));
        for (_, variable) in vs.variables().into_iter().filter(|(name, _)| adapts && !is_output(name)) {
            let _ = variable.set_requires_grad(false);
        }
        let options =
            AdamW { lr: 0.0, beta1: 0.8, beta2: 0.99, weight_decay: t.weight_decay, eps: 1e-8, max_norm: 1.0 };
        let optimizer = Optimizer::with_rank(&vs, "decoder.", options, t.rank);
        Ok(Self { voice, segments, frames: t.segment_frames, adapts, vs, codec, optimizer })
    }

    /// Segments and the latents of their codes, `[B, D, T]`.
    fn pick(&self, part: &Part, count: usize, predicted: f64, rng: &mut impl Rng) -> Result<(Batch, Tensor)> {
        let frame = self.voice.config.codec.frame_length();
        let (mut rows, mut latents) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let number = part.places[rng.random_range(0..part.places.len())];
            let sequence = &part.sequences[number];
            let first = rng.random_range(0..=sequence.frames() as i64 - self.frames);
            rows.push((&part.utterances[number], (first * frame) as u32));
            let codes = self.codes(sequence, first, rng.random_bool(predicted))?;
            latents.push(self.voice.codec.quantizer.decode(&codes));
        }
        Ok((self.segments.collate(&rows)?, Tensor::cat(&latents, 0)))
    }

    /// Codes of a segment, `[1, n_q, T]`.
    fn codes(&self, sequence: &TokenSequence, first: i64, predicted: bool) -> Result<Tensor> {
        let device: Device = self.voice.device;
        if !predicted {
            let codes = sequence.codes.narrow(1, first, self.frames);
            return Ok(codes.unsqueeze(0).to_kind(Kind::Int64).to_device(device));
        }
        let tokens = Vec::<i64>::try_from(sequence.codes.get(0).to_kind(Kind::Int64))?;
        let phonemes = Tensor::from_slice(&sequence.phonemes).unsqueeze(0).to_device(device);
        Ok(no_grad(|| {
            let phonemes = self.voice.fine.phonemes(&phonemes, None);
            refine(&self.voice, &phonemes, &tokens, &sequence.pointer, 1, first..first + self.frames)
        }))
    }

    /// The loss, and the part of it that is the distance of spectra.
    fn loss(&self, batch: &Batch, latent: &Tensor) -> Result<(Tensor, f64)> {
        let decoder = &self.codec.decoder;
        let (spectra, spectral) = if self.adapts {
            self.segments.coloured(decoder, latent, batch)?
        } else {
            self.segments.spectral(decoder, latent, batch)?
        };
        let (pitch, voicing) = pitch_losses(&spectra, batch);
        let value = spectral.double_value(&[]);
        Ok((spectral + pitch + voicing, value))
    }
}
