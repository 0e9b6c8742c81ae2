//! Pre-norm transformer (Vaswani et al. 2017, arXiv:1706.03762; pre-norm as in GPT-2) for whole sequences and for single steps.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor, nn};

use super::attention::{Attention, Rotary, Window, turns};
use super::kv_cache::KvCache;
use super::linear::{Linear, linear};
use super::mlp::mlp;
use crate::shim::PackedBlock;

/// Sizes of a transformer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    pub dim: i64,
    pub layers: i64,
    pub heads: i64,
    /// Channels inside the MLP.
    pub hidden: i64,
}

impl TransformerConfig {
    /// Says which value is out of its range; `name` is where the section stands.
    pub fn validate(&self, name: &str) -> Result<(), String> {
        let positive = [("dim", self.dim), ("layers", self.layers), ("heads", self.heads), ("hidden", self.hidden)];
        for (field, value) in positive {
            if value < 1 {
                return Err(format!("{name}.{field} is {value}, expected at least 1"));
            }
        }
        if self.dim % (2 * self.heads) != 0 {
            return Err(format!("{name}.dim is {}, expected a multiple of twice heads ({})", self.dim, self.heads));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Block {
    norm1: nn::LayerNorm,
    attention: Attention,
    norm2: nn::LayerNorm,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new(vs: nn::Path, config: &TransformerConfig) -> Self {
        let (dim, hidden) = (config.dim, config.hidden);
        Self {
            norm1: nn::layer_norm(&vs / "norm1", vec![dim], Default::default()),
            attention: Attention::new(&vs / "attention", dim, config.heads),
            norm2: nn::layer_norm(&vs / "norm2", vec![dim], Default::default()),
            up: linear(&vs / "up", dim, hidden),
            down: linear(&vs / "down", hidden, dim),
        }
    }

    fn mlp(&self, x: &Tensor) -> Tensor {
        mlp(x, x, &self.norm2, &self.up, &self.down, None)
    }

    /// New positions `[1, R, C]` to `[1, R, C]`, and their keys and values; see [`Attention::extend`].
    fn extend(&self, x: &Tensor, parents: &[i64], turns: &[f32], cache: &KvCache) -> (Tensor, Tensor) {
        if let Some(packed) = self.packed() {
            let (y, own) = packed.extend(&x.squeeze_dim(0), self.attention.before(parents, turns, cache));
            return (y.unsqueeze(0), own);
        }
        let (y, own) = self.attention.extend(&x.apply(&self.norm1), parents, turns, cache);
        (self.mlp(&(x + y)), own)
    }

    fn packed(&self) -> Option<PackedBlock<'_>> {
        let (qkv, output) = self.attention.packed()?;
        let (up, down) = (self.up.packed()?, self.down.packed()?);
        let (norm1, norm2) = (&self.norm1, &self.norm2);
        let (norm1, norm2) = (norm1.ws.as_ref().zip(norm1.bs.as_ref())?, norm2.ws.as_ref().zip(norm2.bs.as_ref())?);
        Some(PackedBlock { norm1, qkv, output, norm2, up, down })
    }
}

/// A stack of blocks and a final norm.
#[derive(Debug)]
pub struct Transformer {
    layers: Vec<Block>,
    norm: nn::LayerNorm,
    config: TransformerConfig,
    window: Window,
}

/// What a causal transformer remembers of the positions so far.
#[derive(Debug)]
pub struct TransformerState {
    caches: Vec<KvCache>,
}

impl TransformerState {
    /// Positions so far.
    fn position(&self) -> i64 {
        self.caches.first().map_or(0, KvCache::pushed)
    }

    /// A memory of its own that goes on from here.
    pub fn fork(&self) -> Self {
        Self { caches: self.caches.iter().map(KvCache::fork).collect() }
    }

    /// Remembers these rows of `extension`, each following the one before; the others are forgotten.
    pub fn keep(&mut self, extension: &Extension, rows: &[i64]) {
        for (cache, own) in self.caches.iter_mut().zip(&extension.own) {
            rows.iter().for_each(|&row| cache.push(&own.narrow(0, row, 1)));
        }
    }
}

/// Keys and values of positions that a state may come to remember.
#[derive(Debug)]
pub struct Extension {
    own: Vec<Tensor>, // [R, 2·C] of each layer
}

impl Transformer {
    pub fn new(vs: nn::Path, config: &TransformerConfig, window: Window) -> Self {
        let blocks = &vs / "layers";
        Self {
            layers: (0..config.layers).map(|i| Block::new(&blocks / i, config)).collect(),
            norm: nn::layer_norm(&vs / "norm", vec![config.dim], Default::default()),
            config: config.clone(),
            window,
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> crate::error::Result<()> {
        self.layers.iter_mut().try_for_each(|layer| {
            layer.attention.pack()?;
            layer.up.pack()?;
            layer.down.pack()
        })
    }

    /// A batch of sequences `[B, T, C]` to `[B, T, C]`; `lengths` `[B]` if they are padded.
    pub fn forward(&self, x: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        let (frames, device) = (x.size()[1], x.device());
        let mask = self.window.mask(frames, lengths, device);
        let rotary = Rotary::new(0, frames, self.head_dim(), device);
        let mut x = x.shallow_clone();
        for layer in &self.layers {
            x = &x + layer.attention.forward(&x.apply(&layer.norm1), &rotary, mask.as_ref());
            x = layer.mlp(&x);
        }
        x.apply(&self.norm)
    }

    /// An empty memory for [`Transformer::extend`]; the window must be causal.
    pub fn state(&self, device: Device) -> TransformerState {
        let Window::Around { left, right: 0 } = self.window else {
            panic!("only a causal transformer with a limited window can go step by step");
        };
        let cache = || KvCache::new(left + 1, self.config.dim, device);
        TransformerState { caches: (0..self.config.layers).map(|_| cache()).collect() }
    }

    /// New positions, `[1, R, C]` to `[1, R, C]`: row `r` comes after row `parents[r]`, or right after the state if that is
    /// negative. Once packed for the CPU, a row becomes the same to the last bit whatever other rows there are.
    pub fn extend(&self, x: &Tensor, parents: &[i64], state: &TransformerState) -> (Tensor, Extension) {
        let mut positions: Vec<i64> = Vec::with_capacity(parents.len());
        for &parent in parents {
            positions.push(usize::try_from(parent).map_or(state.position(), |p| positions[p] + 1));
        }
        let turns = turns(positions.into_iter(), self.head_dim());
        let mut x = x.shallow_clone();
        let mut all = Vec::with_capacity(self.layers.len());
        for (layer, cache) in self.layers.iter().zip(&state.caches) {
            let (y, own) = layer.extend(&x, parents, &turns, cache);
            x = y;
            all.push(own);
        }
        (x.apply(&self.norm), Extension { own: all })
    }

    /// The next position, `[1, 1, C]` to `[1, 1, C]`.
    pub fn step(&self, x: &Tensor, state: &mut TransformerState) -> Tensor {
        let (y, extension) = self.extend(x, &[-1], state);
        state.keep(&extension, &[0]);
        y
    }

    fn head_dim(&self) -> i64 {
        self.config.dim / self.config.heads
    }
}
