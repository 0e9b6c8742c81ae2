//! ConvNeXt block for sequences (Liu et al. 2022, arXiv:2201.03545; in one dimension as in Vocos, arXiv:2306.00814).

use tch::{Tensor, nn};

use super::linear::{Linear, linear};
use super::mlp::mlp;
use crate::error::Result;
use crate::shim::depthwise;

/// Depthwise convolution over time, then a position-wise MLP, added to the input.
#[derive(Debug)]
pub struct ConvNeXtBlock {
    dwconv: nn::Conv1D,
    norm: nn::LayerNorm,
    pwconv1: Linear,
    pwconv2: Linear,
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
            pwconv1: linear(&vs / "pwconv1", dim, hidden),
            pwconv2: linear(&vs / "pwconv2", hidden, dim),
            gamma: vs.var("gamma", &[dim], nn::Init::Const(layer_scale)),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.pwconv1.pack()?;
        self.pwconv2.pack()
    }

    /// `[B, C, T]` to `[B, C, T]`; what comes out lies in memory as `[B, T, C]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let residual = x.transpose(1, 2); // [B, T, C]
        let y = match (self.pwconv1.packed(), &self.dwconv.bs) {
            (Some(_), Some(bias)) => depthwise(&residual, &self.dwconv.ws, bias),
            _ => x.apply(&self.dwconv).transpose(1, 2),
        };
        mlp(&y, &residual, &self.norm, &self.pwconv1, &self.pwconv2, Some(&self.gamma)).transpose(1, 2)
    }
}

/// Blocks numbered `0..` below `vs`.
pub fn blocks(vs: nn::Path, n: i64, dim: i64, hidden: i64) -> Vec<ConvNeXtBlock> {
    (0..n).map(|i| ConvNeXtBlock::new(&vs / i, dim, hidden, 1.0 / n as f64)).collect()
}
