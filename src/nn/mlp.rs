//! The position-wise half of a transformer or ConvNeXt block.

use tch::{Tensor, nn};

use super::linear::Linear;
use crate::shim;

/// `residual + gain·down(gelu(up(norm(x))))` over the last dimension; no `gain` is one. In one step where the layers are packed.
pub fn mlp(
    x: &Tensor,
    residual: &Tensor,
    norm: &nn::LayerNorm,
    up: &Linear,
    down: &Linear,
    gain: Option<&Tensor>,
) -> Tensor {
    if let (Some(up), Some(down), Some(weight), Some(bias)) = (up.packed(), down.packed(), &norm.ws, &norm.bs) {
        return shim::mlp(x, residual, (weight, bias), up, down, gain);
    }
    let y = x.apply(norm).apply(up).gelu("tanh").apply(down);
    match gain {
        Some(gain) => residual + y * gain,
        None => residual + y,
    }
}
