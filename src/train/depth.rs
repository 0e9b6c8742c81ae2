//! Training of the depth model on the states of a finished coarse model.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, no_grad};

use super::coarse::{frozen, teacher_forced};
use super::language::{LanguageModel, LanguageTraining};
use super::run::Job;
use super::tokens::{TokenBatch, TokenCorpus, frame_cross_entropy, latent};
use crate::coarse::CoarseModel;
use crate::depth::{DepthConfig, DepthModel};
use crate::error::Result;

/// A depth model and how it is trained: the file given to `tts train depth --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthRecipe {
    pub model: DepthConfig,
    pub training: LanguageTraining,
}

/// Trains on the states of the coarse model in the folder `coarse` of its run or voice until the last step; `depth.safetensors` in
/// the folder of `job` then holds the weights to ship.
pub fn train(recipe: &DepthRecipe, coarse: &Path, corpus: &TokenCorpus, job: Job) -> Result<()> {
    let coarse = frozen(coarse, job.device)?;
    super::language::train(recipe, &recipe.training, corpus, job, |vs| Learner {
        model: DepthModel::new(vs.root(), &recipe.model),
        coarse,
    })
}

struct Learner {
    model: DepthModel,
    coarse: CoarseModel,
}

impl LanguageModel for Learner {
    const NAME: &str = "depth";

    fn losses(&self, batch: &TokenBatch, codebooks: &[Tensor], _: bool) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let n_q = self.model.config().n_q;
        let (states, before, known) = no_grad(|| {
            let states = teacher_forced(&self.coarse, batch, &batch.level(0));
            let full = latent(&batch.codes, codebooks, n_q);
            let before = full.narrow(1, 0, full.size()[1] - 1).constant_pad_nd([0, 0, 1, 0]);
            let sums: Vec<Tensor> = (1..n_q).map(|k| latent(&batch.codes, codebooks, k)).collect();
            (
                states.flatten(0, 1).unsqueeze(1),
                before.flatten(0, 1).unsqueeze(1),
                Tensor::stack(&sums, 2).flatten(0, 1),
            )
        });
        let logits = self.model.forward(&self.model.frame(&states, &before), &known);
        let frames = batch.mask.size();
        let entropy = |k: i64, logits: &Tensor| {
            batch.mean(&frame_cross_entropy(&logits.view([frames[0], frames[1], -1]), &batch.level(k)))
        };
        let levels: Vec<Tensor> = (1..).zip(&logits).map(|(k, logits)| entropy(k, logits)).collect();
        let (first, last) = (levels[0].shallow_clone(), levels[levels.len() - 1].shallow_clone());
        (Tensor::stack(&levels, 0).mean(Kind::Float), vec![("level_1", first), ("last_level", last)])
    }
}
