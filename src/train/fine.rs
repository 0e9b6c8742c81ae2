//! Training of the fine model: the true codes of the coarse level, sometimes of more, some of them replaced by random ones.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::language::{LanguageModel, LanguageTraining};
use super::run::Job;
use super::tokens::{TokenBatch, TokenCorpus, latent, nudge};
use crate::error::Result;
use crate::fine::{FineConfig, FineModel};

/// A fine model and how it is trained: the file given to `tts train fine --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineRecipe {
    pub model: FineConfig,
    pub training: LanguageTraining,
}

/// Share of the steps in which more than the coarse level is known, as in a second pass.
const LATER_PASSES: f64 = 0.2;

/// Trains until the last step; `fine.safetensors` in the folder of `job` then holds the weights to ship.
pub fn train(recipe: &FineRecipe, corpus: &TokenCorpus, job: Job) -> Result<()> {
    super::language::train(recipe, &recipe.training, corpus, job, |vs| Learner {
        model: FineModel::new(vs.root(), &recipe.model),
        training: recipe.training.clone(),
    })
}

struct Learner {
    model: FineModel,
    training: LanguageTraining,
}

impl LanguageModel for Learner {
    const NAME: &str = "fine";

    fn losses(
        &self,
        batch: &TokenBatch,
        codebooks: &[Tensor],
        training: bool,
    ) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let n_q = self.model.config().n_q;
        let level = if training { random_level(n_q) } else { 1 };
        let size = codebooks[0].size()[0];
        let codes = if training { nudge(&batch.codes, self.training.nudge, size) } else { batch.codes.shallow_clone() };
        let known = latent(&codes, codebooks, level);
        let target = latent(&batch.codes, codebooks, n_q);
        let phonemes = self.model.phonemes(&batch.phonemes, Some(&batch.phoneme_lengths));
        let aligned = self.model.aligned(&phonemes, &batch.path);
        let predicted = self.model.forward(&aligned, &known, level, Some(&batch.frame_lengths));
        let energy =
            |x: Tensor| batch.mean(&x.to_kind(Kind::Float).square().mean_dim([2i64].as_slice(), false, Kind::Float));
        // What is not explained of what the known levels leave over: 1 for a model that adds nothing to them.
        let loss = energy(predicted - &target) / energy(latent(&batch.codes, codebooks, level) - target);
        (loss, Vec::new())
    }
}

/// How many levels are known in a training step.
fn random_level(n_q: i64) -> i64 {
    let later = Tensor::rand([1], (Kind::Float, Device::Cpu)).double_value(&[0]) < LATER_PASSES;
    if later && n_q > 2 { Tensor::randint_low(2, n_q, [1], (Kind::Int64, Device::Cpu)).int64_value(&[0]) } else { 1 }
}
