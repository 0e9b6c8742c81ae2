//! Training of the drafters on a finished coarse model: extra heads on its states, and a smaller model that imitates it
//! (distillation, Hinton et al. 2015, arXiv:1503.02531); and the examples that the third one searches.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, no_grad};

use super::coarse::{CoarseRecipe, frozen, teacher_forced};
use super::language::{LanguageModel, LanguageTraining};
use super::run::Job;
use super::tokens::{TokenBatch, TokenCorpus, TokenSequence, advances, frame_cross_entropy};
use crate::coarse::{CoarseModel, Frame};
use crate::error::Result;
use crate::speculative::heads::{DraftHeads, HeadsConfig};
use crate::speculative::retrieval::{Example, RetrievalIndex};

/// Heads and how they are trained: the file given to `tts train heads --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsRecipe {
    pub model: HeadsConfig,
    pub training: LanguageTraining,
}

/// Trains heads on the coarse model in the folder `coarse` of its run or voice until the last step; `heads.safetensors` in the folder of `job`
/// then holds the weights to ship.
pub fn train_heads(recipe: &HeadsRecipe, coarse: &Path, corpus: &TokenCorpus, job: Job) -> Result<()> {
    let coarse = frozen(coarse, job.device)?;
    super::language::train(recipe, &recipe.training, corpus, job, |vs| HeadsLearner {
        heads: DraftHeads::new(vs.root(), &recipe.model),
        coarse,
    })
}

struct HeadsLearner {
    heads: DraftHeads,
    coarse: CoarseModel,
}

impl LanguageModel for HeadsLearner {
    const NAME: &str = "heads";

    fn losses(&self, batch: &TokenBatch, _: &[Tensor], _: bool) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let tokens = batch.level(0);
        let frames = tokens.size()[1];
        let (states, phonemes, likeliest) = no_grad(|| {
            let states = teacher_forced(&self.coarse, batch, &tokens);
            let likeliest = self.coarse.token_logits(&states).argmax(-1, false);
            (states, self.coarse.phoneme_states(&batch.phonemes, Some(&batch.phoneme_lengths)), likeliest)
        });
        // The place of the frame after each; the last one's is of no meaning and in no loss.
        let (pointer, stay) = (later(&batch.path.pointer, 1), later(&batch.path.since, 1));
        let guesses = self.heads.forward(&states, &tokens, &pointer, &stay, &phonemes, usize::MAX);
        let mut losses = Vec::new();
        for (by, guess) in (1..).zip(&guesses).take_while(|&(by, _)| by < frames) {
            let mask = batch.mask.narrow(1, by, frames - by);
            let first = |x: &Tensor| x.narrow(1, 0, frames - by);
            let target = likeliest.narrow(1, by, frames - by);
            let token = frame_cross_entropy(&first(&self.coarse.token_logits(guess)), &target);
            let advance = self.coarse.advance_logits(guess, &later(&likeliest, by));
            let advance = frame_cross_entropy(&first(&advance), &batch.advance.narrow(1, by, frames - by));
            losses.push(((token + advance) * &mask).sum(Kind::Float) / mask.sum(Kind::Float));
        }
        let (next, last) = (losses[0].shallow_clone(), losses[losses.len() - 1].shallow_clone());
        (Tensor::stack(&losses, 0).mean(Kind::Float), vec![("next", next), ("last", last)])
    }
}

/// Trains a smaller coarse model to imitate the one in the folder `coarse` of its run or voice until the last step;
/// `small.safetensors` in the folder of `job` then holds the weights to ship.
pub fn train_small(recipe: &CoarseRecipe, coarse: &Path, corpus: &TokenCorpus, job: Job) -> Result<()> {
    let coarse = frozen(coarse, job.device)?;
    super::language::train(recipe, &recipe.training, corpus, job, |vs| SmallLearner {
        small: CoarseModel::new(vs.root(), &recipe.model),
        coarse,
    })
}

struct SmallLearner {
    small: CoarseModel,
    coarse: CoarseModel,
}

impl LanguageModel for SmallLearner {
    const NAME: &str = "small";

    fn losses(&self, batch: &TokenBatch, _: &[Tensor], _: bool) -> (Tensor, Vec<(&'static str, Tensor)>) {
        let tokens = batch.level(0);
        let teacher = no_grad(|| teacher_forced(&self.coarse, batch, &tokens));
        let state = teacher_forced(&self.small, batch, &tokens);
        let token = imitation(&self.small.token_logits(&state), &self.coarse.token_logits(&teacher));
        let advance =
            imitation(&self.small.advance_logits(&state, &tokens), &self.coarse.advance_logits(&teacher, &tokens));
        let (token, advance) = (batch.mean(&token), batch.mean(&advance));
        (&token + &advance, vec![("token", token), ("advance", advance)])
    }
}

/// Divergence `[B, T]` of the distribution that `logits` `[B, T, V]` stand for from the teacher's.
fn imitation(logits: &Tensor, teacher: &Tensor) -> Tensor {
    let teacher = no_grad(|| teacher.log_softmax(-1, Kind::Float));
    let gap = &teacher - logits.log_softmax(-1, Kind::Float);
    (teacher.exp() * gap).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float)
}

/// `x` `[B, T]`, `by` frames later, with zeros at the end.
fn later(x: &Tensor, by: i64) -> Tensor {
    x.narrow(1, by, x.size()[1] - by).constant_pad_nd([0, by])
}

/// Writes the examples of `hours` of training speech to search in, as `retrieval.safetensors` of the folder `dir`.
pub fn index(corpus: &TokenCorpus, hours: f64, dir: &Path) -> Result<()> {
    let frames = (hours * 3600.0 * corpus.codec.frame_rate()) as usize;
    let mut taken = 0;
    let enough = |s: &&TokenSequence| {
        taken += s.frames();
        taken <= frames
    };
    let examples: Vec<Example> = corpus.training.iter().take_while(enough).map(example).collect();
    std::fs::create_dir_all(dir).map_err(crate::error::Error::io(dir))?;
    RetrievalIndex::save(&examples, &dir.join("retrieval.safetensors"))
}

fn example(sequence: &TokenSequence) -> Example {
    let tokens = Vec::<i64>::try_from(sequence.codes.get(0).to_kind(Kind::Int64)).unwrap_or_default();
    let advances = advances(&sequence.pointer, sequence.phonemes.len());
    let frames = tokens.into_iter().zip(advances).map(|(token, advance)| Frame { token, advance }).collect();
    Example { phonemes: sequence.phonemes.clone(), frames }
}
