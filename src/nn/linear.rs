//! Fully connected layer that can be packed for inference: 8-bit weights with a scale a row, activations quantized as they
//! come (Jacob et al. 2018, arXiv:1712.05877; FBGEMM, arXiv:2101.05615).

use tch::{Tensor, nn};

use crate::error::Result;
use crate::shim::PackedLinear;

/// `y = x·Wᵀ + b` over the last dimension.
#[derive(Debug)]
pub struct Linear {
    float: nn::Linear,
    packed: Option<PackedLinear>,
}

/// A layer with tensors `weight` and `bias` below `vs`.
pub fn linear(vs: nn::Path, from: i64, to: i64) -> Linear {
    Linear { float: nn::linear(vs, from, to, Default::default()), packed: None }
}

impl Linear {
    /// The bias, `[to]`.
    pub fn bias(&self) -> Option<&Tensor> {
        self.float.bs.as_ref()
    }

    /// From now on computes in 8 bits; on the CPU only.
    pub fn pack(&mut self) -> Result<()> {
        self.packed = Some(PackedLinear::new(&self.float.ws, self.float.bs.as_ref())?);
        Ok(())
    }
}

impl nn::Module for Linear {
    fn forward(&self, x: &Tensor) -> Tensor {
        match &self.packed {
            Some(packed) => packed.forward(x),
            None => self.float.forward(x),
        }
    }
}
