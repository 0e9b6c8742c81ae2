//! Training of the ear, frame by frame: on speech whose durations are known, and on recordings that an ear has aligned before.

use std::iter;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::corpus::{Corpus, Utterance, pick_alike};
use super::disturbance::disturb;
use super::optimizer::Optimizer;
use super::run::{Job, Run, RunPlan, Start};
use super::schedule::warmup_cosine;
use crate::atomic_file::write_atomically;
use crate::checkpoint::{Checkpoint, load_variables};
use crate::ear::{Ear, EarConfig};
use crate::error::{Error, Result};
use crate::shim::{AdamW, autocast_bf16};
use crate::text::Vocab;

/// An ear and how it is trained: the file given to `tts train ear --config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarRecipe {
    pub model: EarConfig,
    pub training: EarTraining,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarTraining {
    pub seed: u64,
    pub steps: u64,
    /// Frames in a batch, padding included.
    pub batch_frames: usize,
    /// Share of the batches that are recordings, if any are given.
    pub recordings: f64,
    pub warmup: u64,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub evaluate_every: u64,
    /// Longest time between two checkpoints.
    pub checkpoint_seconds: u64,
    /// Matrix products and convolutions in bf16.
    pub bf16: bool,
}

/// Utterances of each kind that the held-out losses are measured on.
const MOST_HELD_OUT: usize = 64;
/// Frequencies are heard between 1/WARP and WARP times as high: voices differ.
const WARP: f64 = 1.22;
/// Number of warps.
const WARPS: usize = 9;
/// Bands of the spectrum that are hidden at most.
const HIDDEN_BANDS: i64 = 10;
/// Frames of silence that are put before and after speech at most: what is heard in it must not be words.
const MOST_SILENCE: usize = 100;

/// Frames of silence before and after each of `rows` utterances, none in half of the places.
fn silences(rows: usize, rng: &mut impl Rng) -> Vec<[usize; 2]> {
    let mut some = || if rng.random_bool(0.5) { rng.random_range(0..=MOST_SILENCE) } else { 0 };
    (0..rows).map(|_| [some(), some()]).collect()
}

/// Trains on a corpus whose durations are known and on aligned `recordings` until the last step; the folder of `job` then holds an ear to ship,
/// its matrices in 8 bits.
pub fn train(recipe: &EarRecipe, corpus: &Corpus, recordings: &[Corpus], job: Job) -> Result<()> {
    recipe.model.validate().map_err(Error::Training)?;
    let t = &recipe.training;
    let (dir, start, device) = (job.dir, job.start, job.device);
    let EarTraining { seed, steps, checkpoint_seconds, .. } = *t;
    let (mut run, checkpoint) = Run::open(job, recipe, RunPlan { seed, steps, checkpoint_seconds, rank: None })?;
    let vs = VarStore::new(device);
    let learner = Learner::new(&vs, recipe, corpus, recordings, device);
    let options = AdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, weight_decay: t.weight_decay, eps: 1e-8, max_norm: 1.0 };
    let mut optimizer = Optimizer::new(&vs, "", options);
    if let Some(checkpoint) = checkpoint {
        optimizer.resume(&vs, &checkpoint, &run.checkpoint_path())?;
    } else if let Start::From(other) = start {
        no_grad(|| load_variables(&other.join(Ear::WEIGHTS), &vs))?;
    }
    // The run's folder is an ear from now on.
    let sizes = serde_json::to_string_pretty(&recipe.model).map_err(|e| Error::Training(e.to_string()))?;
    write_atomically(&dir.join(Ear::CONFIG), format!("{sizes}\n").as_bytes())?;
    let held_out = learner.held_out()?;
    while !run.is_finished() {
        let mut rng = run.rng();
        let batch = learner.pick(&mut rng)?;
        let loss = autocast_bf16(device, t.bf16, || learner.loss(&batch, Some(&mut rng)))?;
        let lr = warmup_cosine(run.step(), steps, t.warmup, t.learning_rate, 0.02);
        let norm = optimizer.backward_step(&loss, lr)?;
        let mut metrics = vec![(batch.kind, loss.double_value(&[])), ("gradient", norm)];
        let keep = (run.step() + 1) % t.evaluate_every == 0;
        if keep {
            metrics.extend(learner.evaluate(&held_out));
        }
        run.finish_step(batch.mask.sum(Kind::Float).double_value(&[]) * recipe.model.frame_seconds(), &metrics, keep)?;
        if run.is_due() {
            run.save(optimizer.checkpoint(&vs))?;
            let mut weights = Checkpoint::default();
            weights.insert_variables("", &vs);
            weights.quantized().save(&dir.join(Ear::WEIGHTS), None)?;
        }
    }
    Ok(())
}

/// Padded utterances.
struct Batch {
    samples: Tensor, // [B, N]
    mask: Tensor,    // [B, T], 1 where a frame is real
    labels: Tensor,  // the symbol of each frame, [B, T]
    /// Name of its loss: whether its durations are known or were heard.
    kind: &'static str,
}

/// Names of the losses.
const KNOWN: &str = "loss";
const RECORDINGS: &str = "recordings";

struct Learner<'a> {
    ear: Ear,
    recipe: &'a EarRecipe,
    corpus: &'a Corpus,
    recordings: &'a [Corpus],
    warped: Vec<Tensor>,
    device: Device,
}

impl<'a> Learner<'a> {
    fn new(vs: &VarStore, recipe: &'a EarRecipe, corpus: &'a Corpus, recordings: &'a [Corpus], device: Device) -> Self {
        let warp = |i: usize| WARP.powf(2.0 * i as f64 / (WARPS - 1) as f64 - 1.0);
        Self {
            ear: Ear::new(vs.root(), &recipe.model),
            recipe,
            corpus,
            recordings,
            warped: (0..WARPS).map(|i| Ear::filters(&recipe.model, warp(i), device)).collect(),
            device,
        }
    }

    fn pick(&self, rng: &mut impl Rng) -> Result<Batch> {
        let hop = self.recipe.model.hop_length as usize;
        let frames = self.recipe.training.batch_frames;
        let utterances: usize = self.recordings.iter().map(|corpus| corpus.training.len()).sum();
        let (corpus, kind) = if utterances > 0 && rng.random_bool(self.recipe.training.recordings) {
            let mut at = rng.random_range(0..utterances);
            let mut corpora = self.recordings.iter();
            let holds = |corpus: &&Corpus| {
                let found = at < corpus.training.len();
                at = at.saturating_sub(corpus.training.len());
                found
            };
            (corpora.find(holds).unwrap_or(self.corpus), RECORDINGS)
        } else {
            (self.corpus, KNOWN)
        };
        let picked = pick_alike(&corpus.training, |u| u.samples as usize / hop, frames, rng);
        let silences = silences(picked.len(), rng);
        self.batch(corpus, &picked, &silences, kind)
    }

    fn held_out(&self) -> Result<Vec<Batch>> {
        let corpora = [(self.corpus, KNOWN)].into_iter().chain(self.recordings.iter().map(|c| (c, RECORDINGS)));
        let mut batches = Vec::new();
        for (corpus, kind) in corpora {
            let some: Vec<&Utterance> = corpus.held_out.iter().take(MOST_HELD_OUT).collect();
            for utterances in some.chunks(8) {
                batches.push(self.batch(corpus, utterances, &vec![[0; 2]; utterances.len()], kind)?);
            }
        }
        Ok(batches)
    }

    fn batch(
        &self,
        corpus: &Corpus,
        utterances: &[&Utterance],
        silences: &[[usize; 2]],
        kind: &'static str,
    ) -> Result<Batch> {
        let samples = utterances.iter().map(|u| corpus.segment(u, 0, u.samples)).collect::<Result<Vec<_>>>()?;
        let (samples, mask) = self.pad(&samples, silences);
        let frames = mask.size()[1] as usize;
        let mut labels = Vec::with_capacity(utterances.len() * frames);
        for (utterance, [before, _]) in utterances.iter().zip(silences) {
            let symbols = Vocab::encode_utterance(&utterance.phonemes)?;
            let spoken = utterance.symbols_at(frames - before, self.recipe.model.frame_seconds());
            labels.extend(iter::repeat_n(Vocab::BEGIN, *before).chain(spoken.map(|s| symbols[s])));
        }
        let labels = Tensor::from_slice(&labels).view([-1, frames as i64]).to_device(self.device);
        Ok(Batch { samples, mask, labels, kind })
    }

    /// Samples `[B, N]` with frames of silence before and after, filled up to a whole number of the ear's steps, and the mask of
    /// their frames.
    fn pad(&self, rows: &[Vec<f32>], silences: &[[usize; 2]]) -> (Tensor, Tensor) {
        let hop = self.recipe.model.hop_length as usize;
        let real = || rows.iter().zip(silences).map(|(row, [before, after])| before + row.len() / hop + after);
        let frames = real().map(|real| real.next_multiple_of(2).max(2)).max().unwrap_or(2);
        let (mut samples, mut mask) = (vec![0.0; rows.len() * frames * hop], Vec::new());
        for ((into, real), (row, [before, _])) in
            samples.chunks_mut(frames * hop).zip(real()).zip(rows.iter().zip(silences))
        {
            let into = &mut into[before * hop..];
            let count = row.len().min(into.len());
            into[..count].copy_from_slice(&row[..count]);
            mask.extend((0..frames).map(|t| f32::from(t < real)));
        }
        let tensor = |x: &[f32]| Tensor::from_slice(x).view([rows.len() as i64, -1]).to_device(self.device);
        (tensor(&samples), tensor(&mask))
    }

    /// Nats a frame; `rng` if the ear is to hear it through noise, by other voices.
    fn loss(&self, batch: &Batch, rng: Option<&mut (impl Rng + ?Sized)>) -> Tensor {
        let log_mel = no_grad(|| {
            let magnitudes = self.ear.magnitudes(&batch.samples);
            match rng {
                Some(rng) => self.disturbed(&magnitudes, rng),
                None => self.ear.log_mel(&magnitudes, None),
            }
        });
        let heard = self.ear.forward(&log_mel, &batch.mask);
        let likelihood = heard.gather(2, &batch.labels.unsqueeze(2), false).squeeze_dim(2);
        -(likelihood * &batch.mask).sum(Kind::Float) / batch.mask.sum(Kind::Float)
    }

    /// Log-mel features of louder and softer speech in rooms and in noise, of higher and lower voices, some bands hidden.
    fn disturbed(&self, magnitudes: &Tensor, rng: &mut (impl Rng + ?Sized)) -> Tensor {
        let gain: Vec<f32> = (0..magnitudes.size()[0]).map(|_| rng.random_range(-2.5f32..0.7).exp()).collect();
        let heard = disturb(magnitudes, rng) * Tensor::from_slice(&gain).view([-1, 1, 1]).to_device(self.device);
        let warp = rng.random_range(0..self.warped.len());
        let bands = self.recipe.model.bands;
        let first = rng.random_range(0..bands);
        let hidden = rng.random_range(0..=HIDDEN_BANDS).min(bands - first);
        let log_mel = self.ear.log_mel(&heard, Some(&self.warped[warp]));
        let _ = log_mel.narrow(2, first, hidden).zero_();
        log_mel
    }

    /// Losses of the held-out utterances, and of the held-out recordings if there are any.
    fn evaluate(&self, batches: &[Batch]) -> Vec<(&'static str, f64)> {
        let mean = |name: &'static str, of: &str| {
            let losses: Vec<f64> = batches
                .iter()
                .filter(|batch| batch.kind == of)
                .map(|batch| no_grad(|| self.loss(batch, None::<&mut rand_chacha::ChaCha8Rng>)).double_value(&[]))
                .collect();
            (!losses.is_empty()).then(|| (name, losses.iter().sum::<f64>() / losses.len() as f64))
        };
        [mean("held_out", KNOWN), mean("held_out_recordings", RECORDINGS)].into_iter().flatten().collect()
    }
}
