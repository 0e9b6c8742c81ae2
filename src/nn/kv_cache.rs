//! Keys and values of the positions that a causal layer still sees: a ring of fixed size, so memory does not grow.

use tch::{Device, Kind, Tensor};

use crate::shim::remember;

/// Cache of one layer: position `p` lies in row `p mod W`. Rotary positions are inside the keys.
#[derive(Debug)]
pub struct KvCache {
    keys: Tensor,   // [W, C]
    values: Tensor, // [W, C]
    pushed: i64,
}

impl KvCache {
    /// Room for the last `window` positions of `dim` channels.
    pub fn new(window: i64, dim: i64, device: Device) -> Self {
        let zeros = || Tensor::zeros([window, dim], (Kind::Float, device));
        Self { keys: zeros(), values: zeros(), pushed: 0 }
    }

    pub fn keys(&self) -> &Tensor {
        &self.keys
    }

    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Positions so far, those that are forgotten included.
    pub fn pushed(&self) -> i64 {
        self.pushed
    }

    /// A cache of its own with the same positions.
    pub fn fork(&self) -> Self {
        Self { keys: self.keys.copy(), values: self.values.copy(), pushed: self.pushed }
    }

    /// Adds one position, its key and value side by side `[1, 2·C]`, over the oldest.
    pub fn push(&mut self, own: &Tensor) {
        let (window, dim) = self.keys.size2().unwrap_or_default();
        let slot = self.pushed % window;
        if own.device() == Device::Cpu {
            remember(own, &mut self.keys, &mut self.values, slot);
        } else {
            self.keys.narrow(0, slot, 1).copy_(&own.narrow(1, 0, dim));
            self.values.narrow(0, slot, 1).copy_(&own.narrow(1, dim, dim));
        }
        self.pushed += 1;
    }
}
