//! Non-autoregressive model of durations, coarse tokens and latents: the strategies that do without the coarse model.
//!
//! One body, a transformer that sees all frames in both directions, learns three things:
//! - to fill in masked tokens of codebook 0, from all masked to few (MaskGIT, arXiv:2202.04200; SoundStorm, arXiv:2305.09636):
//!   the strategies `nar`, `masked` and `cascade`;
//! - the velocity from noise to the codec's latent (flow matching, arXiv:2210.02747): the strategy `flow`;
//! - where speech ends, and how the pointer moves, when it is given a fixed long output with the phonemes spread evenly
//!   over it (non-autoregressive translation, arXiv:1711.02281): the second way to fix the length.
//!
//! A latent variable of the utterance (a variational auto-encoder, arXiv:1312.6114) is read by every frame, so that frames
//! drawn independently of each other can agree on a reading. Knows nothing of schedules, sampling, codebooks and audio.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::coarse::ADVANCES;
use crate::error::Result;
use crate::nn::aligned::{AlignedConfig, AlignedTransformer, FramePath};
use crate::nn::linear::{Linear, linear};

/// Sinusoids that tell the flow's time.
const TIME_FEATURES: i64 = 64;

/// Sizes of the parallel model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParallelConfig {
    pub codebook_size: i64,
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    /// Channels of the utterance's latent variable.
    pub utterance_dim: i64,
    /// Frames that a phoneme lasts on average at a speed of 1: the pace of the fixed long output.
    pub frames_per_phoneme: f64,
    pub trunk: AlignedConfig,
}

impl ParallelConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let sizes = [
            ("codebook_size", self.codebook_size, 2),
            ("latent_dim", self.latent_dim, 1),
            ("utterance_dim", self.utterance_dim, 1),
        ];
        for (name, value, least) in sizes {
            if value < least {
                return Err(format!("parallel.{name} is {value}, expected at least {least}"));
            }
        }
        if !(0.1..=100.0).contains(&self.frames_per_phoneme) {
            return Err(format!("parallel.frames_per_phoneme is {}, expected 0.1 to 100", self.frames_per_phoneme));
        }
        self.trunk.validate("parallel.trunk")
    }

    /// The token that stands where none is known yet.
    pub fn mask(&self) -> i64 {
        self.codebook_size
    }

    /// The token of the frames after the end, in a fixed long output.
    pub fn end(&self) -> i64 {
        self.codebook_size
    }

    /// The fixed long output for that many phonemes: all of them at an even pace, and room for a slower one, `[T]`.
    pub fn even_path(&self, phonemes: usize, log_speed: f64) -> Vec<i64> {
        let each = self.frames_per_phoneme / log_speed.exp();
        let frames = (phonemes as f64 * each * 1.3).ceil() as usize + 12;
        (0..frames).map(|t| ((t as f64 / each) as i64).min(phonemes as i64 - 1)).collect()
    }
}

/// Brings the codec's latents to about zero mean and unit variance: by the spread of the vectors of codebook 0.
#[derive(Debug)]
pub struct LatentScale {
    mean: Tensor,
    deviation: Tensor,
}

impl LatentScale {
    /// From the vectors `[codebook_size, D]`.
    pub fn of(codebook: &Tensor) -> Self {
        let mean = codebook.mean_dim([0i64].as_slice(), false, Kind::Float);
        let variance = (codebook - &mean).square().mean(Kind::Float);
        Self { mean, deviation: variance.sqrt() }
    }

    /// `[.., D]` as the codec has it, to the model's scale.
    pub fn normalize(&self, latent: &Tensor) -> Tensor {
        (latent - &self.mean) / &self.deviation
    }

    /// And back.
    pub fn restore(&self, latent: &Tensor) -> Tensor {
        latent * &self.deviation + &self.mean
    }
}

/// How an utterance is to be spoken: what every frame reads.
#[derive(Debug)]
pub struct Reading {
    /// States of the phonemes, `[B, S, C]`.
    phonemes: Tensor,
    /// Speed and latent variable, `[B, 1, C]`.
    manner: Tensor,
}

/// Phonemes to durations, tokens and latents.
#[derive(Debug)]
pub struct ParallelModel {
    trunk: AlignedTransformer,
    speed: Linear,
    utterance: Linear,
    posterior_input: Linear,
    posterior: Linear,
    duration: Linear,
    tokens: nn::Embedding,
    even: Tensor,
    head: Linear,
    advance: Linear,
    latent: Linear,
    time: Linear,
    velocity: Linear,
    config: ParallelConfig,
}

impl ParallelModel {
    pub fn new(vs: nn::Path, config: &ParallelConfig) -> Self {
        let (dim, size) = (config.trunk.decoder.dim, config.codebook_size);
        let linear = |name: &str, from: i64, to: i64| linear(&vs / name, from, to);
        Self {
            trunk: AlignedTransformer::new(&vs, &config.trunk),
            speed: linear("speed", 1, dim),
            utterance: linear("utterance", config.utterance_dim, dim),
            posterior_input: linear("posterior_input", dim, dim),
            posterior: linear("posterior", dim, 2 * config.utterance_dim),
            duration: linear("duration", 3 * dim, 1),
            tokens: nn::embedding(&vs / "tokens", size + 1, dim, Default::default()),
            even: vs.var("even", &[dim], nn::Init::Const(0.0)),
            head: linear("head", dim, size + 1),
            advance: linear("advance", dim, ADVANCES),
            latent: linear("flow", config.latent_dim, dim),
            time: linear("time", TIME_FEATURES, dim),
            velocity: linear("velocity", dim, config.latent_dim),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.trunk.pack()?;
        [&mut self.head, &mut self.latent].into_iter().try_for_each(Linear::pack)
    }

    pub fn config(&self) -> &ParallelConfig {
        &self.config
    }

    /// Reads the phonemes `[B, S]` (padded to `lengths` `[B]`) at `log_speed` `[B]` with the latent variable `[B, U]`.
    pub fn read(&self, phonemes: &Tensor, lengths: Option<&Tensor>, log_speed: &Tensor, utterance: &Tensor) -> Reading {
        Reading {
            phonemes: self.trunk.phonemes(phonemes, lengths),
            manner: (log_speed.view([-1, 1]).apply(&self.speed) + utterance.apply(&self.utterance)).unsqueeze(1),
        }
    }

    /// Frames that each phoneme lasts, `[B, S]`, not negative.
    pub fn durations(&self, reading: &Reading) -> Tensor {
        let states = &reading.phonemes + &reading.manner;
        let count = states.size()[1];
        let zero = states.narrow(1, 0, 1).zeros_like();
        let padded = Tensor::cat(&[&zero, &states, &zero], 1);
        let around = Tensor::cat(&[padded.narrow(1, 0, count), states, padded.narrow(1, 2, count)], 2);
        around.apply(&self.duration).squeeze_dim(2).softplus()
    }

    /// What is known of each frame without its tokens, `[B, T, C]`.
    pub fn aligned(&self, reading: &Reading, path: &FramePath) -> Tensor {
        self.trunk.aligned(&reading.phonemes, path) + &reading.manner
    }

    /// The same, over a fixed long output whose path is none but even.
    pub fn aligned_evenly(&self, reading: &Reading, path: &FramePath) -> Tensor {
        self.aligned(reading, path) + &self.even
    }

    /// States of the frames, `[B, T, C]`, given tokens `[B, T]` where known and the mask where not.
    pub fn fill(&self, aligned: &Tensor, tokens: &Tensor, frame_lengths: Option<&Tensor>) -> Tensor {
        self.trunk.forward(&(aligned + tokens.apply(&self.tokens)), frame_lengths)
    }

    /// Logits of the tokens, `[B, T, codebook_size + 1]`, the last one for a frame after the end.
    pub fn token_logits(&self, states: &Tensor) -> Tensor {
        states.apply(&self.head)
    }

    /// Logits of the pointer's advance after each frame, `[B, T, ADVANCES]`.
    pub fn advance_logits(&self, states: &Tensor) -> Tensor {
        states.apply(&self.advance)
    }

    /// Velocity `[B, T, D]` at the noisy latents `[B, T, D]` at `time` `[B]`, 0 for noise and 1 for speech.
    pub fn velocity(&self, aligned: &Tensor, noisy: &Tensor, time: &Tensor, frame_lengths: Option<&Tensor>) -> Tensor {
        let octaves =
            Tensor::arange(TIME_FEATURES / 2, (Kind::Float, noisy.device())) * (8.0 / (TIME_FEATURES / 2) as f64);
        let angles = time.view([-1, 1, 1]) * octaves.exp2();
        let time = Tensor::cat(&[angles.sin(), angles.cos()], 2).apply(&self.time);
        self.trunk.forward(&(aligned + noisy.apply(&self.latent) + time), frame_lengths).apply(&self.velocity)
    }

    /// Mean and log variance, `[B, U]` each, of the latent variable of utterances whose tokens `[B, T]` are known; `mask`
    /// `[B, T]` is 1 where a frame is real.
    pub fn posterior(&self, tokens: &Tensor, mask: &Tensor) -> (Tensor, Tensor) {
        let frames = tokens.apply(&self.tokens).apply(&self.posterior_input).gelu("tanh") * mask.unsqueeze(2);
        let sum = frames.sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let count = mask.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let both = (sum / count).apply(&self.posterior).chunk(2, 1);
        (both[0].shallow_clone(), both[1].clamp(-8.0, 4.0))
    }
}
