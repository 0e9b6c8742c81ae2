//! Training of the parallel model: each step learns durations and one of three tasks, drawn at random.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::language::{LanguageModel, LanguageTraining};
use super::run::Job;
use super::tokens::{TokenBatch, TokenCorpus, frame_cross_entropy, latent, nudge};
use crate::error::Result;
use crate::nn::aligned::FramePath;
use crate::parallel::{LatentScale, ParallelConfig, ParallelModel, Reading};

/// Weight of the latent variable's divergence from its prior: less than 1, or the variable would say nothing.
const DIVERGENCE: f64 = 0.2;
/// Share of the training steps for each task; the rest fills in masked tokens.
const FLOW_STEPS: f64 = 0.4;
const EVEN_STEPS: f64 = 0.1;
/// Shares of the steps that fill in masked tokens in which all are masked, and in which every second or fourth is known.
const ALL_MASKED: f64 = 0.3;
const STRIDED: f64 = 0.2;

/// A parallel model and how it is trained: the file given to `tts train parallel --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParallelRecipe {
    pub model: ParallelConfig,
    pub training: LanguageTraining,
}

/// Trains until the last step; `parallel.safetensors` in the folder of `job` then holds the weights to ship.
pub fn train(recipe: &ParallelRecipe, corpus: &TokenCorpus, job: Job) -> Result<()> {
    super::language::train(recipe, &recipe.training, corpus, job, |vs| Learner {
        model: ParallelModel::new(vs.root(), &recipe.model),
        nudge: recipe.training.nudge,
    })
}

struct Learner {
    model: ParallelModel,
    nudge: f64,
}

impl LanguageModel for Learner {
    const NAME: &str = "parallel";

    fn losses(
        &self,
        batch: &TokenBatch,
        codebooks: &[Tensor],
        training: bool,
    ) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let tokens = batch.level(0);
        let (mean, log_variance) = self.model.posterior(&tokens, &batch.mask);
        let divergence = (mean.square() + log_variance.exp() - &log_variance - 1.0) * 0.5;
        let divergence = divergence.sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let divergence = (divergence / batch.frame_lengths.to_kind(Kind::Float)).mean(Kind::Float);
        // On held-out speech the latent variable is the prior's mean: what generation has.
        let utterance =
            if training { &mean + mean.randn_like() * (log_variance * 0.5).exp() } else { mean.zeros_like() };
        let reading = self.model.read(&batch.phonemes, Some(&batch.phoneme_lengths), &batch.log_speed, &utterance);
        let duration = self.duration(batch, &reading);
        let common = &duration + &divergence * DIVERGENCE;
        if !training {
            let (all, _) = self.fill(batch, &reading, &Tensor::full_like(&tokens, self.model.config().mask()));
            let flow = self.flow(batch, &reading, codebooks);
            let even = self.evenly(batch, &reading);
            return (
                &all + &flow + &duration,
                vec![("token", all), ("flow", flow), ("even", even), ("duration", duration)],
            );
        }
        let task = uniform();
        let loss = if task < FLOW_STEPS {
            self.flow(batch, &reading, codebooks)
        } else if task < FLOW_STEPS + EVEN_STEPS {
            self.evenly(batch, &reading)
        } else {
            let known = self.hide(&nudge(&tokens, self.nudge, self.model.config().codebook_size));
            let (token, advance) = self.fill(batch, &reading, &known);
            token + advance * 0.1
        };
        (loss + common, vec![("duration", duration), ("divergence", divergence)])
    }
}

impl Learner {
    /// Mean squared error of the frames that each phoneme lasts.
    fn duration(&self, batch: &TokenBatch, reading: &Reading) -> Tensor {
        let predicted = self.model.durations(reading).to_kind(Kind::Float);
        let counts = predicted.zeros_like().scatter_add(1, &batch.path.pointer, &batch.mask);
        let position = Tensor::arange(predicted.size()[1], (Kind::Int64, predicted.device())).unsqueeze(0);
        let real = position.lt_tensor(&batch.phoneme_lengths.unsqueeze(1)).to_kind(Kind::Float);
        ((predicted - counts).square() * &real).sum(Kind::Float) / real.sum(Kind::Float)
    }

    /// Cross entropy of the tokens that are masked in `known`, and of the pointer's advances.
    fn fill(&self, batch: &TokenBatch, reading: &Reading, known: &Tensor) -> (Tensor, Tensor) {
        let aligned = self.model.aligned(reading, &batch.path);
        let states = self.model.fill(&aligned, known, Some(&batch.frame_lengths));
        let masked = known.eq(self.model.config().mask()).to_kind(Kind::Float) * &batch.mask;
        let entropy = frame_cross_entropy(&self.model.token_logits(&states), &batch.level(0));
        let token = (entropy * &masked).sum(Kind::Float) / masked.sum(Kind::Float).clamp_min(1.0);
        let advance = frame_cross_entropy(&self.model.advance_logits(&states), &batch.advance);
        (token, batch.mean(&advance))
    }

    /// Cross entropy of tokens, end and advances over a fixed long output.
    fn evenly(&self, batch: &TokenBatch, reading: &Reading) -> Tensor {
        let config = self.model.config();
        let device = batch.mask.device();
        let lengths = Vec::<i64>::try_from(&batch.phoneme_lengths).unwrap_or_default();
        let speeds = Vec::<f64>::try_from(&batch.log_speed.to_kind(Kind::Double)).unwrap_or_default();
        let paths: Vec<Vec<i64>> =
            lengths.iter().zip(speeds).map(|(&n, speed)| config.even_path(n as usize, speed)).collect();
        let frames = paths.iter().map(Vec::len).max().unwrap_or(0) as i64;
        let stack = |part: &dyn Fn(FramePath) -> Tensor| {
            let rows: Vec<Tensor> = paths
                .iter()
                .map(|path| part(FramePath::new(path, device)).constant_pad_nd([0, frames - path.len() as i64]))
                .collect();
            Tensor::cat(&rows, 0)
        };
        let path = FramePath { pointer: stack(&|p| p.pointer), since: stack(&|p| p.since), until: stack(&|p| p.until) };
        let output_lengths =
            Tensor::from_slice(&paths.iter().map(|p| p.len() as i64).collect::<Vec<_>>()).to_device(device);
        let column = Tensor::arange(frames, (Kind::Int64, device)).unsqueeze(0);
        let real = column.lt_tensor(&output_lengths.unsqueeze(1)).to_kind(Kind::Float);
        // Frames of speech that the output has room for; what comes after them is the end.
        let fit = |x: &Tensor, fill: i64| {
            let wide = x.constant_pad_nd([0, (frames - x.size()[1]).max(0)]).narrow(1, 0, frames);
            wide.masked_fill(&column.ge_tensor(&batch.frame_lengths.unsqueeze(1)), fill)
        };
        let masked = Tensor::full_like(&path.pointer, config.mask());
        let states = self.model.fill(&self.model.aligned_evenly(reading, &path), &masked, Some(&output_lengths));
        let token = frame_cross_entropy(&self.model.token_logits(&states), &fit(&batch.level(0), config.end()));
        let advance = frame_cross_entropy(&self.model.advance_logits(&states), &fit(&batch.advance, 0));
        let total = real.sum(Kind::Float);
        (token * &real).sum(Kind::Float) / &total + (advance * &real).sum(Kind::Float) / total
    }

    /// Mean squared error of the velocity at a random time, in units of its variance.
    fn flow(&self, batch: &TokenBatch, reading: &Reading, codebooks: &[Tensor]) -> Tensor {
        let speech = LatentScale::of(&codebooks[0]).normalize(&latent(&batch.codes, codebooks, codebooks.len() as i64));
        let noise = speech.randn_like();
        let time = Tensor::rand([speech.size()[0]], (Kind::Float, speech.device()));
        let at = time.view([-1, 1, 1]);
        let noisy = &speech * &at + &noise * (1.0 - &at);
        let aligned = self.model.aligned(reading, &batch.path);
        let velocity = self.model.velocity(&aligned, &noisy, &time, Some(&batch.frame_lengths)).to_kind(Kind::Float);
        batch.mean(&(velocity - (speech - noise)).square().mean_dim([2i64].as_slice(), false, Kind::Float)) * 0.5
    }

    /// Masks all tokens, or all but every second or fourth, or a random share of them.
    fn hide(&self, tokens: &Tensor) -> Tensor {
        let mask = self.model.config().mask();
        let kind = uniform();
        if kind < ALL_MASKED {
            Tensor::full_like(tokens, mask)
        } else if kind < ALL_MASKED + STRIDED {
            let stride = if uniform() < 0.5 { 2 } else { 4 };
            let position = Tensor::arange(tokens.size()[1], (Kind::Int64, tokens.device())).unsqueeze(0);
            tokens.masked_fill(&position.remainder(stride).ne(0), mask)
        } else {
            let share = (Tensor::rand([tokens.size()[0], 1], (Kind::Float, tokens.device())) * FRAC_PI_2).cos();
            tokens.masked_fill(&Tensor::rand(tokens.size(), (Kind::Float, tokens.device())).lt_tensor(&share), mask)
        }
    }
}

/// From torch's generator, which a resumed run takes up where it was.
fn uniform() -> f64 {
    Tensor::rand([1], (Kind::Float, Device::Cpu)).double_value(&[0])
}
