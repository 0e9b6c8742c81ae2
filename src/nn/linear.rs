//! Fully connected layer that can be packed for inference: 8-bit weights with a scale a row, activations quantized as they
//! come (Jacob et al. 2018, arXiv:1712.05877; FBGEMM, arXiv:2101.05615).

use std::cell::{Cell, OnceCell};

use tch::nn::{self, Init};
use tch::{Kind, Tensor};

use crate::checkpoint::{ROW_SCALE, dequantize, hollow};
use crate::error::Result;
use crate::shim::PackedLinear;

thread_local! {
    static HOLLOW: Cell<bool> = const { Cell::new(false) };
}

/// Builds a model whose linear layers have shapes but no numbers of their own yet, for one that is about to be loaded: the
/// weights then are those of the checkpoint, as it stores them (`init_empty_weights` of Hugging Face's accelerate does the same).
pub fn without_weights<T>(build: impl FnOnce() -> T) -> T {
    let before = HOLLOW.replace(true);
    let model = build();
    HOLLOW.set(before);
    model
}

/// `y = x·Wᵀ + b` over the last dimension.
#[derive(Debug)]
pub struct Linear {
    weight: Weight,
    bias: Tensor, // [to]
}

#[derive(Debug)]
enum Weight {
    /// `[to, from]`
    Float(Tensor),
    /// What a checkpoint holds: `[to, from]`, in 8 bits with a scale `[to]` or in floats; and the floats once they are needed.
    Stored {
        rows: Tensor,
        scale: Tensor,
        float: OnceCell<Tensor>,
    },
    Packed(PackedLinear),
}

/// A layer with tensors `weight` and `bias` below `vs`.
pub fn linear(vs: nn::Path, from: i64, to: i64) -> Linear {
    let bound = 1.0 / (from as f64).sqrt();
    let bias = vs.var("bias", &[to], Init::Uniform { lo: -bound, up: bound });
    let weight = if HOLLOW.get() {
        let rows = vs.add("weight", hollow(&[to, from], vs.device()), false);
        let scale = (&vs / "weight").add(ROW_SCALE, hollow(&[to], vs.device()), false);
        Weight::Stored { rows, scale, float: OnceCell::new() }
    } else {
        Weight::Float(vs.var("weight", &[to, from], nn::init::DEFAULT_KAIMING_UNIFORM))
    };
    Linear { weight, bias }
}

impl Linear {
    /// The bias, `[to]`.
    pub fn bias(&self) -> &Tensor {
        &self.bias
    }

    /// The 8-bit weights, once it computes in them.
    pub fn packed(&self) -> Option<&PackedLinear> {
        match &self.weight {
            Weight::Packed(packed) => Some(packed),
            _ => None,
        }
    }

    /// From now on computes in 8 bits, and keeps nothing else; on the CPU only.
    pub fn pack(&mut self) -> Result<()> {
        let packed = match &self.weight {
            Weight::Packed(_) => return Ok(()),
            Weight::Float(weight) => PackedLinear::new(weight, &self.bias)?,
            Weight::Stored { rows, scale, .. } if rows.kind() == Kind::Int8 => {
                PackedLinear::from_rows(rows, scale, &self.bias)?
            }
            Weight::Stored { rows, .. } => PackedLinear::new(&rows.to_kind(Kind::Float), &self.bias)?,
        };
        self.weight = Weight::Packed(packed);
        Ok(())
    }
}

impl nn::Module for Linear {
    fn forward(&self, x: &Tensor) -> Tensor {
        match &self.weight {
            Weight::Packed(packed) => packed.forward(x),
            Weight::Float(weight) => x.linear(weight, Some(&self.bias)),
            Weight::Stored { rows, scale, float } => {
                let weight = float.get_or_init(|| match rows.kind() {
                    Kind::Int8 => dequantize(rows, scale),
                    _ => rows.to_kind(Kind::Float),
                });
                x.linear(weight, Some(&self.bias))
            }
        }
    }
}
