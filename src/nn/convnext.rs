//! ConvNeXt block for sequences (Liu et al. 2022, arXiv:2201.03545; in one dimension as in Vocos, arXiv:2306.00814).

use tch::{Tensor, nn};

/// Depthwise convolution over time, then a position-wise MLP, added to the input.
#[derive(Debug)]
pub struct ConvNeXtBlock {
    dwconv: nn::Conv1D,
    norm: nn::LayerNorm,
    pwconv1: nn::Linear,
    pwconv2: nn::Linear,
    gamma: Tensor,
}

impl ConvNeXtBlock {
    /// Frames on either side that one block reads.
    pub const CONTEXT: i64 = 3;

    /// A block of `dim` channels with `hidden` channels inside the MLP; `layer_scale` starts the residual branch small.
    pub fn new(vs: nn::Path, dim: i64, hidden: i64, layer_scale: f64) -> Self {
        let conv = nn::ConvConfig { padding: Self::CONTEXT, groups: dim, ..Default::default() };
        Self {
            dwconv: nn::conv1d(&vs / "dwconv", dim, dim, 2 * Self::CONTEXT + 1, conv),
            norm: nn::layer_norm(&vs / "norm", vec![dim], Default::default()),
            pwconv1: nn::linear(&vs / "pwconv1", dim, hidden, Default::default()),
            pwconv2: nn::linear(&vs / "pwconv2", hidden, dim, Default::default()),
            gamma: vs.var("gamma", &[dim], nn::Init::Const(layer_scale)),
        }
    }

    /// `[B, C, T]` to `[B, C, T]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let y = x.apply(&self.dwconv).transpose(1, 2); // [B, T, C]
        let y = y.apply(&self.norm).apply(&self.pwconv1).gelu("tanh").apply(&self.pwconv2) * &self.gamma;
        x + y.transpose(1, 2)
    }
}

/// Blocks numbered `0..` below `vs`.
pub fn blocks(vs: nn::Path, n: i64, dim: i64, hidden: i64) -> Vec<ConvNeXtBlock> {
    (0..n).map(|i| ConvNeXtBlock::new(&vs / i, dim, hidden, 1.0 / n as f64)).collect()
}
