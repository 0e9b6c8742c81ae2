//! Multi-head self-attention with rotary positions (Su et al. 2021, arXiv:2104.09864) and a limited window.

use tch::{Device, Kind, Tensor, nn};

use super::kv_cache::KvCache;
use super::linear::{Linear, linear};
use crate::error::Result;

/// How far a position looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// Everywhere.
    Full,
    /// Itself and what came at most `left` before and `right` after.
    Around { left: i64, right: i64 },
}

impl Window {
    /// Additive mask `[1 or B, 1, T, T]`; `lengths` `[B]` hides the padding after each sequence's end.
    pub fn mask(self, frames: i64, lengths: Option<&Tensor>, device: Device) -> Option<Tensor> {
        let position = Tensor::arange(frames, (Kind::Int64, device));
        let mut visible = match self {
            Self::Full => None,
            Self::Around { left, right } => {
                let offset = position.unsqueeze(0) - position.unsqueeze(1); // key - query
                Some(offset.ge(-left).logical_and(&offset.le(right)).view([1, 1, frames, frames]))
            }
        };
        if let Some(lengths) = lengths {
            let inside = position.unsqueeze(0).lt_tensor(&lengths.unsqueeze(1)).view([-1, 1, 1, frames]);
            // A padded query still sees itself, or its softmax would be empty.
            let itself = Tensor::eye(frames, (Kind::Bool, device)).view([1, 1, frames, frames]);
            let inside = inside.logical_or(&itself);
            visible = Some(visible.map_or_else(|| inside.shallow_clone(), |v| v.logical_and(&inside)));
        }
        let visible = visible?;
        let options = (Kind::Float, device);
        Some(Tensor::zeros(visible.size(), options).masked_fill(&visible.logical_not(), f64::NEG_INFINITY))
    }
}

/// Cosines and sines of the rotary angles, `[T, D/2]` each.
#[derive(Debug)]
pub struct Rotary {
    cos: Tensor,
    sin: Tensor,
}

impl Rotary {
    /// For positions `start .. start + frames`.
    pub fn new(start: i64, frames: i64, head_dim: i64, device: Device) -> Self {
        let options = (Kind::Double, device);
        let exponent = Tensor::arange(head_dim / 2, options) * (-2.0 / head_dim as f64);
        let position = Tensor::arange(frames, options) + start as f64;
        let angle = position.outer(&(exponent * 10_000f64.ln()).exp());
        Self { cos: angle.cos().to_kind(Kind::Float), sin: angle.sin().to_kind(Kind::Float) }
    }

    /// Turns `[B, H, T, D]`.
    fn apply(&self, x: &Tensor) -> Tensor {
        let halves = x.chunk(2, -1);
        let (a, b) = (&halves[0], &halves[1]);
        Tensor::cat(&[a * &self.cos - b * &self.sin, a * &self.sin + b * &self.cos], -1).to_kind(x.kind())
    }
}

/// Self-attention over a sequence.
#[derive(Debug)]
pub struct Attention {
    qkv: Linear,
    output: Linear,
    heads: i64,
}

impl Attention {
    pub fn new(vs: nn::Path, dim: i64, heads: i64) -> Self {
        Self { qkv: linear(&vs / "qkv", dim, 3 * dim), output: linear(&vs / "output", dim, dim), heads }
    }

    /// A whole sequence at once: `[B, T, C]` to `[B, T, C]` under an additive mask.
    pub fn forward(&self, x: &Tensor, rotary: &Rotary, mask: Option<&Tensor>) -> Tensor {
        let [q, k, v] = self.project(x);
        self.attend(&rotary.apply(&q), &rotary.apply(&k), &v, mask)
    }

    /// The next position of a sequence: `[B, 1, C]` to `[B, 1, C]`, seeing what the cache keeps.
    pub fn step(&self, x: &Tensor, rotary: &Rotary, cache: &mut KvCache) -> Tensor {
        let [q, k, v] = self.project(x);
        let (k, v) = cache.push(&rotary.apply(&k), &v);
        self.attend(&rotary.apply(&q), &k, &v, None)
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.qkv.pack()?;
        self.output.pack()
    }

    fn project(&self, x: &Tensor) -> [Tensor; 3] {
        let (batch, frames, dim) = x.size3().unwrap_or_default();
        let qkv = x.apply(&self.qkv).view([batch, frames, 3, self.heads, dim / self.heads]).permute([2, 0, 3, 1, 4]);
        [0, 1, 2].map(|i| qkv.select(0, i)) // each [B, H, T, D]
    }

    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let mask = mask.map(|m| m.to_kind(q.kind()));
        let y = Tensor::scaled_dot_product_attention(q, k, v, mask, 0.0, false, None, false);
        let (batch, heads, frames, head_dim) = y.size4().unwrap_or_default();
        y.transpose(1, 2).reshape([batch, frames, heads * head_dim]).apply(&self.output)
    }
}
