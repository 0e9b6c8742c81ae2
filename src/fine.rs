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
use tch::{Kind, Tensor, nn};

use crate::error::Result;
use crate::nn::aligned::{AlignedConfig, AlignedTransformer, FramePath};
use crate::nn::linear::{Linear, linear};

/// Sizes of the fine model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineConfig {
    /// Codebooks, the coarse one included.
    pub n_q: i64,
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    pub trunk: AlignedConfig,
}

impl FineConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        for (name, value, least) in [("n_q", self.n_q, 2), ("latent_dim", self.latent_dim, 1)] {
            if value < least {
                return Err(format!("fine.{name} is {value}, expected at least {least}"));
            }
        }
        self.trunk.validate("fine.trunk")
    }

    /// Frames that the pointer must have gone ahead for a frame's latent to be what it will be when all are known.
    pub fn frames_ahead(&self) -> i64 {
        self.trunk.context().1 + self.trunk.max_stay
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

/// Coarse codes to latents.
#[derive(Debug)]
pub struct FineModel {
    trunk: AlignedTransformer,
    latent: Linear,
    level: nn::Embedding,
    head: Linear,
    config: FineConfig,
}

impl FineModel {
    pub fn new(vs: nn::Path, config: &FineConfig) -> Self {
        let (dim, latent) = (config.trunk.decoder.dim, config.latent_dim);
        Self {
            trunk: AlignedTransformer::new(&vs, &config.trunk),
            latent: linear(&vs / "latent", latent, dim),
            level: nn::embedding(&vs / "level", config.n_q, dim, Default::default()),
            head: linear(&vs / "head", dim, latent),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.trunk.pack()?;
        self.latent.pack()
    }

    pub fn config(&self) -> &FineConfig {
        &self.config
    }

    /// States of the phonemes `[B, S]`, `[B, S, C]`; `lengths` `[B]` if they are padded.
    pub fn phonemes(&self, phonemes: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        self.trunk.phonemes(phonemes, lengths)
    }

    /// What the states of the phonemes and the pointer say of each frame, `[B, T, C]`; the same for every pass.
    pub fn aligned(&self, phonemes: &Tensor, path: &FramePath) -> Tensor {
        self.trunk.aligned(phonemes, path)
    }

    /// One pass: `aligned` `[B, T, C]` and the sum of the vectors of levels `0..level`, `[B, T, D]`, to latents `[B, T, D]`.
    pub fn forward(&self, aligned: &Tensor, known: &Tensor, level: i64, frame_lengths: Option<&Tensor>) -> Tensor {
        let level = Tensor::full([1, 1], level, (Kind::Int64, known.device())).apply(&self.level);
        let state = self.trunk.forward(&(aligned + known.apply(&self.latent) + level), frame_lengths);
        known + state.apply(&self.head)
    }
}
