//! Non-autoregressive model of codebooks 1.. given codebook 0, the phonemes, and the pointer.
//!
//! A pass of a bidirectional transformer reads, for all frames at once, the sum of the codebook vectors known so far and the
//! aligned phonemes, and predicts the whole latent; its codes are those of the quantizer's remaining levels. (The fine stage of
//! VALL-E, arXiv:2301.02111, classifies the codes of one level a pass. Codes of the deeper levels are nearly
//! arbitrary among close vectors: classified, they stayed at 80 to 90 % of the entropy of a blind guess, the sum of their
//! vectors is learnt from the first step on.)
//!
//! Knows nothing of codebooks and audio.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn};

use crate::error::Result;
use crate::nn::attention::Window;
use crate::nn::linear::{Linear, linear};
use crate::nn::phonemes::{PhonemeEncoder, around_pointer};
use crate::nn::transformer::{Transformer, TransformerConfig};

/// Sizes of the fine model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineConfig {
    /// Phoneme symbols, the reserved ones included.
    pub symbols: i64,
    /// Codebooks, the coarse one included.
    pub n_q: i64,
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    /// Frames that a layer sees before and after each frame.
    pub window_left: i64,
    pub window_right: i64,
    /// Counts of frames since the pointer came and until it leaves are told to the model up to this.
    pub max_stay: i64,
    pub encoder: TransformerConfig,
    pub decoder: TransformerConfig,
}

impl FineConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let least = [
            ("symbols", self.symbols, 2),
            ("n_q", self.n_q, 2),
            ("latent_dim", self.latent_dim, 1),
            ("window_left", self.window_left, 0),
            ("window_right", self.window_right, 0),
            ("max_stay", self.max_stay, 1),
        ];
        for (name, value, least) in least {
            if value < least {
                return Err(format!("fine.{name} is {value}, expected at least {least}"));
            }
        }
        self.encoder.validate("fine.encoder")?;
        self.decoder.validate("fine.decoder")
    }

    /// Frames before and after a frame that its latent depends on in one pass.
    pub fn context(&self) -> (i64, i64) {
        (self.decoder.layers * self.window_left, self.decoder.layers * self.window_right)
    }

    /// Frames that the pointer must have gone ahead for a frame's latent to be what it will be when all are known.
    pub fn frames_ahead(&self) -> i64 {
        self.context().1 + self.max_stay
    }

    /// The first level of each of `passes` passes: small groups first, each about twice the one before.
    pub fn pass_starts(&self, passes: i64) -> Vec<i64> {
        let levels = self.n_q - 1;
        let passes = passes.clamp(1, levels);
        let mut start = 1;
        let mut starts = vec![start];
        for i in 1..passes {
            let share = (2f64.powi(i as i32) - 1.0) / (2f64.powi(passes as i32) - 1.0);
            let even = 1 + (levels as f64 * share).round() as i64;
            start = even.clamp(start + 1, self.n_q - (passes - i));
            starts.push(start);
        }
        starts
    }
}

/// Where the pointer stands at each frame, of one utterance or a batch of padded ones.
#[derive(Debug)]
pub struct FramePath {
    /// Phoneme of each frame, `[B, T]`.
    pub pointer: Tensor,
    /// Frames since the pointer came there, `[B, T]`.
    pub since: Tensor,
    /// Frames until it leaves, `[B, T]`.
    pub until: Tensor,
}

impl FramePath {
    /// Of one utterance.
    pub fn new(path: &[i64], device: Device) -> Self {
        let (since, until) = stays(path);
        let row = |x: &[i64]| Tensor::from_slice(x).view([1, -1]).to_device(device);
        Self { pointer: row(path), since: row(&since), until: row(&until) }
    }

    /// The frames `start..end`.
    pub fn window(&self, start: i64, end: i64) -> Self {
        let cut = |x: &Tensor| x.narrow(1, start, end - start);
        Self { pointer: cut(&self.pointer), since: cut(&self.since), until: cut(&self.until) }
    }
}

/// For each frame of a pointer's path, the frames since it came to its phoneme and until it leaves.
pub fn stays(path: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let mut since = vec![0; path.len()];
    let mut until = vec![0; path.len()];
    for t in 1..path.len() {
        since[t] = if path[t] == path[t - 1] { since[t - 1] + 1 } else { 0 };
    }
    for t in (0..path.len().saturating_sub(1)).rev() {
        until[t] = if path[t] == path[t + 1] { until[t + 1] + 1 } else { 0 };
    }
    (since, until)
}

/// Coarse codes to latents.
#[derive(Debug)]
pub struct FineModel {
    encoder: PhonemeEncoder,
    phonemes: Linear,
    since: nn::Embedding,
    until: nn::Embedding,
    latent: Linear,
    level: nn::Embedding,
    decoder: Transformer,
    head: Linear,
    config: FineConfig,
}

impl FineModel {
    pub fn new(vs: nn::Path, config: &FineConfig) -> Self {
        let (dim, latent) = (config.decoder.dim, config.latent_dim);
        let window = Window::Around { left: config.window_left, right: config.window_right };
        let embedding = |name: &str, n: i64| nn::embedding(&vs / name, n, dim, Default::default());
        let linear = |name: &str, from: i64, to: i64| linear(&vs / name, from, to);
        Self {
            encoder: PhonemeEncoder::new(&vs / "encoder", config.symbols, &config.encoder),
            phonemes: linear("phonemes", 3 * config.encoder.dim, dim),
            since: embedding("since", config.max_stay + 1),
            until: embedding("until", config.max_stay + 1),
            latent: linear("latent", latent, dim),
            level: embedding("level", config.n_q),
            decoder: Transformer::new(&vs / "decoder", &config.decoder, window),
            head: linear("head", dim, latent),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.encoder.pack()?;
        self.decoder.pack()?;
        [&mut self.phonemes, &mut self.latent].into_iter().try_for_each(Linear::pack)
    }

    pub fn config(&self) -> &FineConfig {
        &self.config
    }

    /// States of the phonemes `[B, S]`, `[B, S, C]`; `lengths` `[B]` if they are padded.
    pub fn phonemes(&self, phonemes: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        self.encoder.forward(phonemes, lengths)
    }

    /// What the states of the phonemes and the pointer say of each frame, `[B, T, C]`; the same for every pass.
    pub fn aligned(&self, phonemes: &Tensor, path: &FramePath) -> Tensor {
        let stay = |x: &Tensor, table: &nn::Embedding| x.clamp_max(self.config.max_stay).apply(table);
        around_pointer(phonemes, &path.pointer).apply(&self.phonemes)
            + stay(&path.since, &self.since)
            + stay(&path.until, &self.until)
    }

    /// One pass: `aligned` `[B, T, C]` and the sum of the vectors of levels `0..level`, `[B, T, D]`, to latents `[B, T, D]`.
    pub fn forward(&self, aligned: &Tensor, known: &Tensor, level: i64, frame_lengths: Option<&Tensor>) -> Tensor {
        let level = Tensor::full([1, 1], level, (Kind::Int64, known.device())).apply(&self.level);
        let state = self.decoder.forward(&(aligned + known.apply(&self.latent) + level), frame_lengths);
        known + state.apply(&self.head)
    }
}
