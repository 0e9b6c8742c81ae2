//! Training of the ear: on speech with known durations frame by frame, on recordings by all alignments that their text allows.

use std::iter;
use std::path::Path;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

use super::corpus::{Corpus, Utterance, pick_alike};
use super::optimizer::Optimizer;
use super::run::{Observer, Run, RunPlan, Start};
use super::schedule::warmup_cosine;
use crate::atomic_file::write_atomically;
use crate::audio::{recording, resample::resample};
use crate::checkpoint::{Checkpoint, load_variables};
use crate::ear::{Ear, EarConfig};
use crate::error::{Error, Result};
use crate::recordings::Recording;
use crate::shim::{AdamW, autocast_bf16};
use crate::text::{FrontEnd, Vocab};

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
    /// Share of the batches that are recordings.
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

/// Every how manieth recording is held out from training.
const HELD_OUT_EVERY: usize = 40;
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

/// A recording with known text, in memory: its file is slower to decode than to listen to.
struct Take {
    /// 16 bits, at the ear's rate.
    samples: Vec<i16>,
    /// `BEGIN`, phonemes, `END`.
    symbols: Vec<i64>,
}

/// Recordings to listen to, decoded.
pub struct Takes {
    training: Vec<Take>,
    held_out: Vec<Take>,
}

impl Takes {
    /// Decodes `recordings` at `sample_rate`; `report(done, all)` hears of each.
    pub fn open(recordings: &[Recording], sample_rate: i64, report: &mut dyn FnMut(usize, usize)) -> Result<Self> {
        let front_end = FrontEnd::new()?;
        let (mut training, mut held_out) = (Vec::new(), Vec::new());
        for (index, item) in recordings.iter().enumerate() {
            let audio = resample(recording::read(&item.path)?, sample_rate as u32)?;
            let samples = audio.samples.iter().map(|s| (s.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16).collect();
            let symbols = Vocab::encode_utterance(&front_end.phonemes(&item.text)?)?;
            let part = if (index + 1) % HELD_OUT_EVERY == 0 { &mut held_out } else { &mut training };
            part.push(Take { samples, symbols });
            report(index + 1, recordings.len());
        }
        Ok(Self { training, held_out })
    }
}

/// Trains until the last step; `dir` then holds an ear to ship, its matrices in 8 bits.
pub fn train(
    recipe: &EarRecipe,
    corpus: &Corpus,
    takes: &Takes,
    dir: &Path,
    start: &Start,
    device: Device,
    observer: Observer,
) -> Result<()> {
    recipe.model.validate().map_err(Error::Training)?;
    let config = toml::to_string(recipe).map_err(|e| Error::Training(e.to_string()))?;
    let t = &recipe.training;
    let plan = RunPlan { seed: t.seed, steps: t.steps, checkpoint_seconds: t.checkpoint_seconds };
    tch::manual_seed(t.seed as i64);
    let vs = VarStore::new(device);
    let learner = Learner::new(&vs, recipe, corpus, takes, device);
    let options = AdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, weight_decay: t.weight_decay, eps: 1e-8, max_norm: 1.0 };
    let mut optimizer = Optimizer::new(&vs, "", options);
    let (mut run, checkpoint) = Run::open(dir, &config, plan, start, observer)?;
    if let Some(checkpoint) = checkpoint {
        checkpoint.restore("model.", &vs, &run.checkpoint_path())?;
        optimizer.restore("optimizer.", &checkpoint, &run.checkpoint_path())?;
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
        let lr = warmup_cosine(run.step(), t.steps, t.warmup, t.learning_rate, 0.02);
        let norm = optimizer.backward_step(&loss, lr)?;
        let mut metrics = vec![(batch.name(), loss.double_value(&[])), ("gradient", norm)];
        let keep = (run.step() + 1) % t.evaluate_every == 0;
        if keep {
            metrics.extend(learner.evaluate(&held_out));
        }
        run.finish_step(batch.mask.sum(Kind::Float).double_value(&[]) * recipe.model.frame_seconds(), &metrics, keep)?;
        if run.is_due() {
            let mut checkpoint = Checkpoint::default();
            checkpoint.insert_variables("model.", &vs);
            optimizer.save("optimizer.", &mut checkpoint);
            run.save(checkpoint)?;
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
    target: Target,
}

enum Target {
    /// The symbol of each frame, `[B, T]`.
    Frames(Tensor),
    /// The symbols of each utterance, `[B, S]`, and how many they are.
    Symbols(Tensor, Vec<i64>),
}

impl Batch {
    /// Name of its loss.
    fn name(&self) -> &'static str {
        match self.target {
            Target::Frames(_) => "loss",
            Target::Symbols(..) => "recordings",
        }
    }
}

struct Learner<'a> {
    ear: Ear,
    recipe: &'a EarRecipe,
    corpus: &'a Corpus,
    takes: &'a Takes,
    warped: Vec<Tensor>,
    device: Device,
}

impl<'a> Learner<'a> {
    fn new(vs: &VarStore, recipe: &'a EarRecipe, corpus: &'a Corpus, takes: &'a Takes, device: Device) -> Self {
        let warp = |i: usize| WARP.powf(2.0 * i as f64 / (WARPS - 1) as f64 - 1.0);
        Self {
            ear: Ear::new(vs.root(), &recipe.model),
            recipe,
            corpus,
            takes,
            warped: (0..WARPS).map(|i| Ear::filters(&recipe.model, warp(i), device)).collect(),
            device,
        }
    }

    fn pick(&self, rng: &mut impl Rng) -> Result<Batch> {
        let hop = self.recipe.model.hop_length as usize;
        let frames = self.recipe.training.batch_frames;
        if !self.takes.training.is_empty() && rng.random_bool(self.recipe.training.recordings) {
            let takes = pick_alike(&self.takes.training, |take| take.samples.len() / hop, frames, rng);
            let silences = silences(takes.len(), rng);
            return Ok(self.recordings(&takes, &silences));
        }
        let utterances = pick_alike(&self.corpus.training, |u| u.samples as usize / hop, frames, rng);
        let silences = silences(utterances.len(), rng);
        self.utterances(&utterances, &silences)
    }

    fn held_out(&self) -> Result<Vec<Batch>> {
        let mut batches = Vec::new();
        let some: Vec<&Utterance> = self.corpus.held_out.iter().take(MOST_HELD_OUT).collect();
        for utterances in some.chunks(8) {
            batches.push(self.utterances(utterances, &vec![[0; 2]; utterances.len()])?);
        }
        let some: Vec<&Take> = self.takes.held_out.iter().take(MOST_HELD_OUT).collect();
        batches.extend(some.chunks(8).map(|takes| self.recordings(takes, &vec![[0; 2]; takes.len()])));
        Ok(batches)
    }

    fn utterances(&self, utterances: &[&Utterance], silences: &[[usize; 2]]) -> Result<Batch> {
        let samples = utterances.iter().map(|u| self.corpus.segment(u, 0, u.samples)).collect::<Result<Vec<_>>>()?;
        let (samples, mask) = self.pad(&samples, silences);
        let frames = mask.size()[1] as usize;
        let mut labels = Vec::with_capacity(utterances.len() * frames);
        for (utterance, [before, _]) in utterances.iter().zip(silences) {
            let symbols = Vocab::encode_utterance(&utterance.phonemes)?;
            let spoken = utterance.symbols_at(frames - before, self.recipe.model.frame_seconds());
            labels.extend(iter::repeat_n(Vocab::BEGIN, *before).chain(spoken.map(|s| symbols[s])));
        }
        let labels = Tensor::from_slice(&labels).view([-1, frames as i64]).to_device(self.device);
        Ok(Batch { samples, mask, target: Target::Frames(labels) })
    }

    fn recordings(&self, takes: &[&Take], silences: &[[usize; 2]]) -> Batch {
        let samples = takes.iter().map(|take| take.samples.iter().map(|&s| f32::from(s) / 32768.0).collect());
        let (samples, mask) = self.pad(&samples.collect::<Vec<_>>(), silences);
        let width = takes.iter().map(|take| take.symbols.len()).max().unwrap_or(0);
        let mut symbols: Vec<i64> = Vec::with_capacity(takes.len() * width);
        for take in takes {
            symbols.extend(&take.symbols);
            symbols.resize(symbols.len() + width - take.symbols.len(), Vocab::PAD);
        }
        let symbols = Tensor::from_slice(&symbols).view([-1, width as i64]);
        let counts = takes.iter().map(|take| take.symbols.len() as i64).collect();
        Batch { samples, mask, target: Target::Symbols(symbols, counts) }
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
        match &batch.target {
            Target::Frames(labels) => {
                let likelihood = heard.gather(2, &labels.unsqueeze(2), false).squeeze_dim(2);
                -(likelihood * &batch.mask).sum(Kind::Float) / batch.mask.sum(Kind::Float)
            }
            // The symbols follow each other without a blank between, as PAD is never heard: what CTC (Graves et al. 2006) sums over
            // are all alignments.
            Target::Symbols(symbols, counts) => {
                let frames = batch.mask.sum_dim_intlist([1i64].as_slice(), false, Kind::Int64);
                let frames: Vec<i64> = Vec::try_from(&frames).unwrap_or_default();
                let total: i64 = frames.iter().sum();
                let heard = heard.transpose(0, 1).to_device(Device::Cpu);
                let counts = counts.as_slice();
                Tensor::ctc_loss(&heard, symbols, frames, counts, Vocab::PAD, Reduction::Sum, true) / total as f64
            }
        }
    }

    /// Log-mel features of louder and softer speech in noise, of higher and lower voices, some bands hidden.
    fn disturbed(&self, magnitudes: &Tensor, rng: &mut (impl Rng + ?Sized)) -> Tensor {
        let (rows, _, bins) = magnitudes.size3().unwrap_or_default();
        let column = |values: Vec<f64>| {
            let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
            Tensor::from_slice(&values).view([-1, 1, 1]).to_device(self.device)
        };
        let mut uniform = |low: f64, high: f64| column((0..rows).map(|_| rng.random_range(low..high)).collect());
        let (gain, noise, slope) = (uniform(-2.5, 0.7).exp(), uniform(-9.0, -1.0).exp(), uniform(0.0, 1.2));
        let bin = Tensor::arange(bins, (Kind::Float, self.device)).view([1, 1, -1]) + 5.0;
        let shape = (-bin.log() * slope).exp(); // [B, 1, F]
        let shape = &shape / shape.square().mean_dim([2i64].as_slice(), true, Kind::Float).sqrt();
        let level = magnitudes.square().mean_dim([1i64, 2].as_slice(), true, Kind::Float).sqrt() * noise;
        let power = Tensor::empty_like(magnitudes).exponential(1.0) * (shape * level).square();
        let heard = (magnitudes.square() + power).sqrt() * gain;
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
                .filter(|batch| batch.name() == of)
                .map(|batch| no_grad(|| self.loss(batch, None::<&mut rand_chacha::ChaCha8Rng>)).double_value(&[]))
                .collect();
            (!losses.is_empty()).then(|| (name, losses.iter().sum::<f64>() / losses.len() as f64))
        };
        [mean("held_out", "loss"), mean("held_out_recordings", "recordings")].into_iter().flatten().collect()
    }
}
