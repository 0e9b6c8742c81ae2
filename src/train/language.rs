//! The loop that the coarse and the fine model are trained by.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Tensor, no_grad};

use super::optimizer::Optimizer;
use super::run::{Job, Run, RunPlan, Start};
use super::schedule::warmup_cosine;
use super::tokens::{TokenBatch, TokenCorpus, TokenSequence};
use crate::adapter;
use crate::checkpoint::save_half;
use crate::error::Result;
use crate::shim::{AdamW, autocast_bf16};
use crate::voice::weights;

/// How a language model is trained.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageTraining {
    pub seed: u64,
    pub steps: u64,
    /// Frames in a batch, padding included.
    pub batch_frames: usize,
    pub warmup: u64,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// Rank of an adapter of the weights that it begins with, which then is all that it learns; whole weights if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<i64>,
    /// Share of the tokens that are read which a random one replaces.
    pub nudge: f64,
    pub evaluate_every: u64,
    /// Longest time between two checkpoints.
    pub checkpoint_seconds: u64,
    /// Matrix products in bf16.
    pub bf16: bool,
}

/// A model whose losses can be computed from a batch.
pub trait LanguageModel {
    /// Name of the weights to ship.
    const NAME: &str;

    /// The loss, and what else to report; on held-out speech nothing is nudged or left out.
    fn losses(&self, batch: &TokenBatch, codebooks: &[Tensor], training: bool)
    -> (Tensor, Vec<(&'static str, Tensor)>);
}

/// Trains the model that `build` makes in a fresh store, saving on the way.
pub fn train<M: LanguageModel>(
    recipe: &impl Serialize,
    training: &LanguageTraining,
    corpus: &TokenCorpus,
    job: Job,
    build: impl FnOnce(&VarStore) -> M,
) -> Result<()> {
    let (dir, start, device) = (job.dir, job.start, job.device);
    let LanguageTraining { seed, steps, checkpoint_seconds, rank, .. } = *training;
    let (mut run, checkpoint) = Run::open(job, recipe, RunPlan { seed, steps, checkpoint_seconds, rank })?;
    let vs = VarStore::new(device);
    let model = build(&vs);
    let options =
        AdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, weight_decay: training.weight_decay, eps: 1e-8, max_norm: 1.0 };
    if let Start::From(other) = start {
        no_grad(|| weights::load(other, M::NAME, &vs))?;
    }
    let mut optimizer = Optimizer::with_rank(&vs, "", options, rank);
    if let Some(checkpoint) = checkpoint {
        optimizer.resume(&vs, &checkpoint, &run.checkpoint_path())?;
    }
    let held_out = held_out_batches(corpus, training.batch_frames, device);
    while !run.is_finished() {
        let mut rng = run.rng();
        let batch = TokenBatch::new(&corpus.pick(training.batch_frames, &mut rng), device);
        let (loss, figures) = autocast_bf16(device, training.bf16, || model.losses(&batch, &corpus.codebooks, true))?;
        let lr = warmup_cosine(run.step(), steps, training.warmup, training.learning_rate, 0.02);
        let norm = optimizer.backward_step(&loss, lr)?;
        let mut metrics = vec![("loss", loss.double_value(&[])), ("gradient", norm)];
        metrics.extend(figures.iter().map(|(name, value)| (*name, value.double_value(&[]))));
        let keep = (run.step() + 1) % training.evaluate_every == 0;
        if keep {
            metrics.extend(evaluate(&model, &held_out, &corpus.codebooks));
        }
        let frames = batch.mask.sum(tch::Kind::Float).double_value(&[]);
        run.finish_step(frames / corpus.codec.frame_rate(), &metrics, keep)?;
        if run.is_due() {
            run.save(optimizer.checkpoint(&vs))?;
            save_half(&dir.join(weights::file(M::NAME)), &vs, |_| true)?;
            if rank.is_some() {
                optimizer.adapter().save(&dir.join(adapter::file(M::NAME)), None)?;
            }
        }
    }
    Ok(())
}

/// A few fixed batches of held-out speech.
fn held_out_batches(corpus: &TokenCorpus, frames: usize, device: Device) -> Vec<TokenBatch> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rest: Vec<&TokenSequence> = corpus.held_out.iter().collect();
    rand::seq::SliceRandom::shuffle(rest.as_mut_slice(), &mut rng);
    rest.truncate(96);
    rest.sort_by_key(|s| s.frames());
    let mut batches = Vec::new();
    while let Some(longest) = rest.last() {
        let count = (frames / longest.frames().max(1)).clamp(1, rest.len());
        batches.push(TokenBatch::new(&rest.split_off(rest.len() - count), device));
    }
    batches
}

/// Means over the held-out batches: the loss as `held_out`, and the parts of it.
fn evaluate<M: LanguageModel>(model: &M, batches: &[TokenBatch], codebooks: &[Tensor]) -> Vec<(&'static str, f64)> {
    no_grad(|| {
        let mut sums: Vec<(&'static str, f64)> = Vec::new();
        for batch in batches {
            let (loss, parts) = model.losses(batch, codebooks, false);
            for (i, (name, value)) in [("held_out", loss)].into_iter().chain(parts).enumerate() {
                if i == sums.len() {
                    sums.push((held_out_name(name), 0.0));
                }
                sums[i].1 += value.double_value(&[]) / batches.len() as f64;
            }
        }
        sums
    })
}

/// Parts of the held-out loss carry other names than those of the step's own.
fn held_out_name(name: &'static str) -> &'static str {
    match name {
        "token" => "held_out_token",
        "advance" => "held_out_advance",
        "duration" => "held_out_duration",
        other => other,
    }
}
