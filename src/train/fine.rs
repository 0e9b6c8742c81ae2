//! Training of the fine model: a random first level each step, the true codes above it, some of them replaced by random ones.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::language::{LanguageModel, LanguageTraining};
use super::run::Observer;
use super::tokens::{TokenBatch, TokenCorpus, frame_cross_entropy, nudge};
use crate::error::Result;
use crate::fine::{FineConfig, FineInput, FineModel};

/// A fine model and how it is trained: the file given to `tts train fine --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineRecipe {
    pub model: FineConfig,
    pub training: LanguageTraining,
}

/// Levels whose loss is computed in a step, besides the first of the pass.
const FURTHER_LEVELS: i64 = 2;

/// Trains until the last step; `fine.safetensors` in `dir` then holds the weights to ship.
pub fn train(
    recipe: &FineRecipe,
    corpus: &TokenCorpus,
    dir: &Path,
    resume: bool,
    device: Device,
    observer: Observer,
) -> Result<()> {
    super::language::train(recipe, &recipe.training, corpus, dir, resume, device, observer, |vs| Learner {
        model: FineModel::new(vs.root(), &recipe.model),
        training: recipe.training.clone(),
    })
}

struct Learner {
    model: FineModel,
    training: LanguageTraining,
}

impl LanguageModel for Learner {
    const WEIGHTS: &str = "fine.safetensors";

    fn losses(
        &self,
        batch: &TokenBatch,
        codebooks: &[Tensor],
        training: bool,
    ) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let n_q = self.model.config().n_q;
        let (first, levels) = if training { random_levels(n_q) } else { (1, (1..n_q).collect()) };
        let size = self.model.config().codebook_size;
        let codes = if training { nudge(&batch.codes, self.training.nudge, size) } else { batch.codes.shallow_clone() };
        let known = sums(&codes, codebooks);
        let aligned = self.model.aligned(&FineInput {
            phonemes: batch.phonemes.shallow_clone(),
            phoneme_lengths: Some(batch.phoneme_lengths.shallow_clone()),
            pointer: batch.pointer.shallow_clone(),
            since: batch.since.shallow_clone(),
            until: batch.until.shallow_clone(),
            frame_lengths: Some(batch.frame_lengths.shallow_clone()),
        });
        let state = self.model.forward(&aligned, &known[first as usize], first, Some(&batch.frame_lengths));
        let mut total = Tensor::zeros([], (Kind::Float, state.device()));
        let mut figures = Vec::new();
        for &level in &levels {
            let logits = self.model.level_logits(&state, &known[level as usize], level);
            let loss = batch.mean(&frame_cross_entropy(&logits, &batch.level(level)));
            total += &loss / levels.len() as f64;
            if !training {
                figures.push((LEVEL_NAMES[(level as usize).min(LEVEL_NAMES.len() - 1)], loss));
            }
        }
        (total, figures)
    }
}

/// Names of the figures for each level.
const LEVEL_NAMES: [&str; 13] = [
    "level_0", "level_1", "level_2", "level_3", "level_4", "level_5", "level_6", "level_7", "level_8", "level_9",
    "level_10", "level_11", "level_12",
];

/// The first level of a pass (often 1), and the levels to predict from it.
fn random_levels(n_q: i64) -> (i64, Vec<i64>) {
    let draw = |low: i64| {
        if low < n_q { Tensor::randint_low(low, n_q, [1], (Kind::Int64, Device::Cpu)).int64_value(&[0]) } else { low }
    };
    let first = if draw(0) % 2 == 0 { 1 } else { draw(1) };
    let mut levels = vec![first];
    for _ in 0..FURTHER_LEVELS {
        let level = draw(first + 1);
        if level < n_q && !levels.contains(&level) {
            levels.push(level);
        }
    }
    (first, levels)
}

/// `out[k]`: the sum of the vectors of levels `0..k`, `[B, T, D]`.
fn sums(codes: &Tensor, codebooks: &[Tensor]) -> Vec<Tensor> {
    let vector = |k: usize| Tensor::embedding(&codebooks[k], &codes.select(1, k as i64), -1, false, false);
    let first = vector(0);
    let mut sums = vec![first.zeros_like(), first];
    for k in 1..codebooks.len() - 1 {
        let next = &sums[k] + vector(k);
        sums.push(next);
    }
    sums
}
