//! Autoregressive model of the codebooks of one frame: what the strategy `ar` puts on top of the coarse model.
//!
//! A small transformer walks over the levels of a frame, each code drawn given those before it (the depth transformer of
//! RQ-Transformer, arXiv:2203.01941, and Moshi, arXiv:2410.00037). It predicts a vector; the nearer a codebook's vectors are
//! to it, the likelier their codes, so that a level of 1024 codes needs no matrix of its own. Knows nothing of sampling.

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
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    /// Channels of the coarse model's states.
    pub state_dim: i64,
    pub decoder: TransformerConfig,
}

impl DepthConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        for (name, value, least) in
            [("n_q", self.n_q, 2), ("latent_dim", self.latent_dim, 1), ("state_dim", self.state_dim, 1)]
        {
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
    vectors: Vec<Linear>,
    sharpness: Tensor,
    config: DepthConfig,
}

impl DepthModel {
    pub fn new(vs: nn::Path, config: &DepthConfig) -> Self {
        let (dim, latent) = (config.decoder.dim, config.latent_dim);
        let causal = Window::Around { left: config.n_q - 2, right: 0 };
        let heads = &vs / "vectors";
        Self {
            state: linear(&vs / "state", config.state_dim, dim),
            before: linear(&vs / "before", latent, dim),
            known: linear(&vs / "known", latent, dim),
            level: nn::embedding(&vs / "level", config.n_q - 1, dim, Default::default()),
            decoder: Transformer::new(&vs / "decoder", &config.decoder, causal),
            vectors: (1..config.n_q).map(|k| linear(&heads / k, dim, latent)).collect(),
            sharpness: vs.var("sharpness", &[config.n_q - 1], nn::Init::Const(-2.0)),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.decoder.pack()?;
        [&mut self.state, &mut self.before, &mut self.known].into_iter().try_for_each(Linear::pack)
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
    pub fn forward(&self, frame: &Tensor, known: &Tensor, codebooks: &[Tensor]) -> Vec<Tensor> {
        let levels = Tensor::arange(self.config.n_q - 1, (Kind::Int64, frame.device())).unsqueeze(0);
        let states = self.decoder.forward(&(frame + known.apply(&self.known) + levels.apply(&self.level)), None);
        (1..self.config.n_q).map(|k| self.logits(&states.select(1, k - 1), k, &codebooks[k as usize])).collect()
    }

    /// Ready for a frame's levels.
    pub fn start(&self, device: Device) -> TransformerState {
        self.decoder.state(device)
    }

    /// Logits of level `level`, `[V]`, of the frame `[1, 1, C]`, given the sum of the vectors of the levels before, `[1, 1, D]`.
    pub fn step(
        &self,
        frame: &Tensor,
        known: &Tensor,
        level: i64,
        codebook: &Tensor,
        state: &mut TransformerState,
    ) -> Tensor {
        let index = Tensor::full([1, 1], level - 1, (Kind::Int64, frame.device()));
        let x = frame + known.apply(&self.known) + index.apply(&self.level);
        self.logits(&self.decoder.step(&x, state).select(1, 0), level, codebook).view([-1])
    }

    /// Logits `[N, V]` from states `[N, C]`: minus the squared distances to the codebook's vectors, but for what all share.
    fn logits(&self, states: &Tensor, level: i64, codebook: &Tensor) -> Tensor {
        let energy = codebook.square().mean(Kind::Float);
        let unit = codebook / energy.sqrt();
        let vector = states.apply(&self.vectors[level as usize - 1]);
        let norm = unit.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        (vector.matmul(&unit.tr()) * 2.0 - norm) * self.sharpness.get(level - 1).exp()
    }
}
