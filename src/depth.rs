//! Autoregressive model of the codebooks of one frame: what the strategy `ar` puts on top of the coarse model.
//!
//! A small transformer walks over the levels of a frame, each code drawn given those before it (the depth transformer of
//! RQ-Transformer, arXiv:2203.01941, and Moshi, arXiv:2410.00037). Knows nothing of sampling.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn};

use crate::error::Result;
use crate::nn::attention::Window;
use crate::nn::linear::{Linear, linear};
use crate::nn::transformer::{Transformer, TransformerConfig, TransformerState};

/// Sizes of the depth model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthConfig {
    /// Codebooks, the coarse one included.
    pub n_q: i64,
    pub codebook_size: i64,
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    /// Channels of the coarse model's states.
    pub state_dim: i64,
    pub decoder: TransformerConfig,
}

impl DepthConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let least = [
            ("n_q", self.n_q, 2),
            ("codebook_size", self.codebook_size, 2),
            ("latent_dim", self.latent_dim, 1),
            ("state_dim", self.state_dim, 1),
        ];
        for (name, value, least) in least {
            if value < least {
                return Err(format!("depth.{name} is {value}, expected at least {least}"));
            }
        }
        self.decoder.validate("depth.decoder")
    }
}

/// Coarse states to the codes of levels 1...
#[derive(Debug)]
pub struct DepthModel {
    state: Linear,
    before: Linear,
    known: Linear,
    level: nn::Embedding,
    decoder: Transformer,
    heads: Vec<Linear>,
    config: DepthConfig,
}

impl DepthModel {
    pub fn new(vs: nn::Path, config: &DepthConfig) -> Self {
        let (dim, latent) = (config.decoder.dim, config.latent_dim);
        let causal = Window::Around { left: config.n_q - 2, right: 0 };
        let heads = &vs / "heads";
        Self {
            state: linear(&vs / "state", config.state_dim, dim),
            before: linear(&vs / "before", latent, dim),
            known: linear(&vs / "known", latent, dim),
            level: nn::embedding(&vs / "level", config.n_q - 1, dim, Default::default()),
            decoder: Transformer::new(&vs / "decoder", &config.decoder, causal),
            heads: (1..config.n_q).map(|k| linear(&heads / k, dim, config.codebook_size)).collect(),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.decoder.pack()?;
        let inputs = [&mut self.state, &mut self.before, &mut self.known];
        inputs.into_iter().chain(&mut self.heads).try_for_each(Linear::pack)
    }

    pub fn config(&self) -> &DepthConfig {
        &self.config
    }

    /// What a frame's levels share, `[N, 1, C]`: the coarse model's states `[N, 1, S]` and the latents of the frames before,
    /// `[N, 1, D]`, zero at the start.
    pub fn frame(&self, states: &Tensor, before: &Tensor) -> Tensor {
        states.apply(&self.state) + before.apply(&self.before)
    }

    /// Logits of the codes of levels `1..n_q`, one `[N, V]` a level, given the sums of the vectors of the levels before each,
    /// `[N, n_q - 1, D]`.
    pub fn forward(&self, frame: &Tensor, known: &Tensor) -> Vec<Tensor> {
        let levels = Tensor::arange(self.config.n_q - 1, (Kind::Int64, frame.device())).unsqueeze(0);
        let states = self.decoder.forward(&(frame + known.apply(&self.known) + levels.apply(&self.level)), None);
        (0..).zip(&self.heads).map(|(at, head)| states.select(1, at).apply(head)).collect()
    }

    /// Ready for a frame's levels.
    pub fn start(&self, device: Device) -> TransformerState {
        self.decoder.state(device)
    }

    /// Logits of level `level`, `[V]`, of the frame `[1, 1, C]`, given the sum of the vectors of the levels before, `[1, 1, D]`.
    pub fn step(&self, frame: &Tensor, known: &Tensor, level: i64, state: &mut TransformerState) -> Tensor {
        let index = Tensor::full([1, 1], level - 1, (Kind::Int64, frame.device()));
        let x = frame + known.apply(&self.known) + index.apply(&self.level);
        self.decoder.step(&x, state).apply(&self.heads[level as usize - 1]).view([-1])
    }
}
