//! Multi-head self-attention with rotary positions (Su et al. 2021, arXiv:2104.09864) and a limited window.

use std::iter;

use tch::{Device, Kind, Tensor, nn};

use super::kv_cache::KvCache;
use super::linear::{Linear, linear};
use crate::error::Result;
use crate::shim::{Before, PackedLinear, attend};

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

    /// Turns `[.., D]`.
    fn apply(&self, x: &Tensor) -> Tensor {
        let halves = x.chunk(2, -1);
        let (a, b) = (&halves[0], &halves[1]);
        Tensor::cat(&[a * &self.cos - b * &self.sin, a * &self.sin + b * &self.cos], -1).to_kind(x.kind())
    }
}

/// The cosines and then the sines for each of these positions, one after the other: what [`Attention::extend`] reads.
pub fn turns(positions: impl Iterator<Item = i64>, head_dim: i64) -> Vec<f32> {
    let half = head_dim / 2;
    let angle = |p: i64, i: i64| p as f64 * (-2.0 * i as f64 / head_dim as f64 * 10_000f64.ln()).exp();
    let row = |p: i64| {
        let angles = move || (0..half).map(move |i| angle(p, i));
        angles().map(f64::cos).chain(angles().map(f64::sin))
    };
    positions.flat_map(row).map(|x| x as f32).collect()
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
        let mask = mask.map(|m| m.to_kind(q.kind()));
        let (q, k) = (rotary.apply(&q), rotary.apply(&k));
        let y = Tensor::scaled_dot_product_attention(&q, &k, &v, mask, 0.0, false, None, false); // [B, H, T, D]
        y.transpose(1, 2).reshape_as(x).apply(&self.output)
    }

    /// New positions of a sequence, `[1, R, C]` to `[1, R, C]`, which see what the cache holds; with them their own keys and
    /// values `[R, 2·C]` for the cache. Row `r` comes after row `parents[r]`, or right after the cache if that is negative.
    pub fn extend(&self, x: &Tensor, parents: &[i64], turns: &[f32], cache: &KvCache) -> (Tensor, Tensor) {
        let qkv = x.apply(&self.qkv).squeeze_dim(0);
        let (y, own) = if x.device() == Device::Cpu {
            attend(&qkv, self.before(parents, turns, cache))
        } else {
            self.attend_elsewhere(&qkv, parents, turns, cache)
        };
        (y.unsqueeze(0).apply(&self.output), own)
    }

    /// The layers in 8 bits, for queries, keys and values and for the output, once it computes in them.
    pub fn packed(&self) -> Option<(&PackedLinear, &PackedLinear)> {
        self.qkv.packed().zip(self.output.packed())
    }

    /// What new positions see; see [`Attention::extend`].
    pub fn before<'a>(&self, parents: &'a [i64], turns: &'a [f32], cache: &'a KvCache) -> Before<'a> {
        let (keys, values, position) = (cache.keys(), cache.values(), cache.pushed());
        Before { keys, values, position, parents, turns, heads: self.heads }
    }

    /// What [`attend`] does, on any device.
    fn attend_elsewhere(&self, qkv: &Tensor, parents: &[i64], turns: &[f32], cache: &KvCache) -> (Tensor, Tensor) {
        let (device, rows, window) = (qkv.device(), parents.len() as i64, cache.keys().size()[0]);
        let turns = Tensor::from_slice(turns).view([rows, 2, 1, -1]).to_device(device);
        let rotary = Rotary { cos: turns.select(1, 0), sin: turns.select(1, 1) };
        let heads = qkv.view([rows, 3, self.heads, -1]); // [R, 3, H, D]
        let (q, k, v) = (rotary.apply(&heads.select(1, 0)), rotary.apply(&heads.select(1, 1)), heads.select(1, 2));
        let own = Tensor::cat(&[k.flatten(1, 2), v.flatten(1, 2)], 1);
        let split = |x: Tensor| x.view([1, -1, self.heads, q.size()[2]]).transpose(1, 2); // [1, H, N, D]
        let attend = |row: usize| {
            let before = |&r: &i64| Some(parents[r as usize]).filter(|&p| p >= 0);
            let mut chain: Vec<i64> = iter::successors(Some(row as i64), before).take(window as usize).collect();
            chain.reverse();
            let kept = (window - chain.len() as i64).min(cache.pushed());
            let slots: Vec<i64> = (cache.pushed() - kept..cache.pushed()).map(|p| p % window).collect();
            let (slots, chain) = (Tensor::from_slice(&slots), Tensor::from_slice(&chain));
            let (slots, chain) = (slots.to_device(device), chain.to_device(device));
            let seen = |ring: &Tensor, new: &Tensor| {
                split(Tensor::cat(&[ring.index_select(0, &slots), new.flatten(1, 2).index_select(0, &chain)], 0))
            };
            let (keys, values) = (seen(cache.keys(), &k), seen(cache.values(), &v));
            let query = split(q.get(row as i64));
            Tensor::scaled_dot_product_attention(&query, &keys, &values, None::<Tensor>, 0.0, false, None, false)
        };
        let results: Vec<Tensor> = (0..parents.len()).map(|row| attend(row).view([1, -1])).collect();
        (Tensor::cat(&results, 0), own)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_positions_attend_alike_on_every_device() {
        let vs = nn::VarStore::new(Device::Cpu);
        let attention = Attention::new(vs.root(), 8, 2);
        let mut cache = KvCache::new(4, 8, Device::Cpu);
        tch::no_grad(|| {
            for _ in 0..6 {
                cache.push(&Tensor::randn([1, 16], (Kind::Float, Device::Cpu)));
            }
            let parents = [-1, 0, 0, 2, 3, 4];
            let turns = turns([6, 7, 7, 8, 9, 10].into_iter(), 4);
            let qkv = Tensor::randn([6, 24], (Kind::Float, Device::Cpu));
            let here = attend(&qkv, attention.before(&parents, &turns, &cache));
            let there = attention.attend_elsewhere(&qkv, &parents, &turns, &cache);
            assert!(here.0.allclose(&there.0, 1e-5, 1e-6, false));
            assert!(here.1.allclose(&there.1, 1e-5, 1e-6, false));
        });
    }
}
