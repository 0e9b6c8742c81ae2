//! Training of the coarse model by teacher forcing, with some of the tokens before replaced by random ones.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Tensor};

use super::export::coarse_config;
use super::language::{LanguageModel, LanguageTraining};
use super::run::Job;
use super::tokens::{TokenBatch, TokenCorpus, frame_cross_entropy, nudge};
use crate::coarse::{CoarseConfig, CoarseInput, CoarseModel};
use crate::error::Result;
use crate::voice::weights;

/// A coarse model and how it is trained: the file given to `tts train coarse --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarseRecipe {
    pub model: CoarseConfig,
    pub training: LanguageTraining,
}

/// Trains until the last step; `coarse.safetensors` in the folder of `job` then holds the weights to ship.
pub fn train(recipe: &CoarseRecipe, corpus: &TokenCorpus, job: Job) -> Result<()> {
    super::language::train(recipe, &recipe.training, corpus, job, |vs| Learner {
        model: CoarseModel::new(vs.root(), &recipe.model),
        training: recipe.training.clone(),
    })
}

struct Learner {
    model: CoarseModel,
    training: LanguageTraining,
}

impl LanguageModel for Learner {
    const NAME: &str = "coarse";

    fn losses(&self, batch: &TokenBatch, _: &[Tensor], training: bool) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let size = self.model.config().codebook_size;
        let target = batch.level(0);
        let nudged = if training { nudge(&target, self.training.nudge, size) } else { target.shallow_clone() };
        let state = teacher_forced(&self.model, batch, &nudged);
        let token = batch.mean(&frame_cross_entropy(&self.model.token_logits(&state), &target));
        let advance = self.model.advance_logits(&state, &target);
        let advance = batch.mean(&frame_cross_entropy(&advance, &batch.advance));
        (&token + &advance, vec![("token", token), ("advance", advance)])
    }
}

/// The coarse model in the folder of a run or a voice, not to be trained on.
pub(super) fn frozen(dir: &Path, device: Device) -> Result<CoarseModel> {
    let config = coarse_config(dir)?;
    let mut vs = VarStore::new(device);
    let model = CoarseModel::new(vs.root(), &config);
    weights::load(dir, Learner::NAME, &vs)?;
    vs.freeze();
    Ok(model)
}

/// The model's states of all frames, `[B, T, C]`, when it reads `tokens` `[B, T]` and the true path.
pub(super) fn teacher_forced(model: &CoarseModel, batch: &TokenBatch, tokens: &Tensor) -> Tensor {
    let previous = tokens.narrow(1, 0, tokens.size()[1] - 1).constant_pad_nd([1, 0]);
    let _ = previous.select(1, 0).fill_(model.config().codebook_size);
    model.forward(&CoarseInput {
        phonemes: batch.phonemes.shallow_clone(),
        phoneme_lengths: batch.phoneme_lengths.shallow_clone(),
        previous,
        pointer: batch.path.pointer.shallow_clone(),
        stay: batch.path.since.shallow_clone(),
        log_speed: batch.log_speed.shallow_clone(),
    })
}
