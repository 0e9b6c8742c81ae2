//! Keys and values of the positions that a causal layer still sees: a ring of fixed size, so memory does not grow.

use tch::{Device, Kind, Tensor};

/// Cache of one layer. Rotary positions are inside the keys, so the order within the ring does not matter.
#[derive(Debug)]
pub struct KvCache {
    keys: Tensor,   // [1, H, W, D]
    values: Tensor, // [1, H, W, D]
    pushed: i64,
}

impl KvCache {
    /// Room for the last `window` positions.
    pub fn new(heads: i64, window: i64, head_dim: i64, device: Device) -> Self {
        let zeros = || Tensor::zeros([1, heads, window, head_dim], (Kind::Float, device));
        Self { keys: zeros(), values: zeros(), pushed: 0 }
    }

    /// Adds one position `[1, H, 1, D]` over the oldest; returns all that are kept, `[1, H, ≤W, D]`.
    pub fn push(&mut self, key: &Tensor, value: &Tensor) -> (Tensor, Tensor) {
        let window = self.keys.size()[2];
        let slot = self.pushed % window;
        self.keys.narrow(2, slot, 1).copy_(key);
        self.values.narrow(2, slot, 1).copy_(value);
        self.pushed += 1;
        let kept = self.pushed.min(window);
        (self.keys.narrow(2, 0, kept), self.values.narrow(2, 0, kept))
    }
}
