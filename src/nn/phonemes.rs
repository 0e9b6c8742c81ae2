//! What the coarse and the fine model share: an encoder of symbol sequences, and the view of it from a frame's pointer.

use tch::{Tensor, nn};

use super::attention::Window;
use super::transformer::{Transformer, TransformerConfig};
use crate::error::Result;

/// Reads a sequence of phonemes in both directions.
#[derive(Debug)]
pub struct PhonemeEncoder {
    embedding: nn::Embedding,
    transformer: Transformer,
}

impl PhonemeEncoder {
    pub fn new(vs: nn::Path, symbols: i64, config: &TransformerConfig) -> Self {
        Self {
            embedding: nn::embedding(&vs / "embedding", symbols, config.dim, Default::default()),
            transformer: Transformer::new(&vs / "transformer", config, Window::Full),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.transformer.pack()
    }

    /// Symbols `[B, S]` to states `[B, S, C]`; `lengths` `[B]` if they are padded.
    pub fn forward(&self, phonemes: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        self.transformer.forward(&phonemes.apply(&self.embedding), lengths)
    }
}

/// The states before, at and after each frame's pointer, side by side: `[B, S, C]` and `[B, T]` to `[B, T, 3·C]`.
pub fn around_pointer(states: &Tensor, pointer: &Tensor) -> Tensor {
    let (batch, last, dim) = (states.size()[0], states.size()[1] - 1, states.size()[2]);
    let gather = |by: i64| {
        let index = (pointer + by).clamp(0, last).unsqueeze(2).expand([batch, -1, dim], false);
        states.gather(1, &index, false)
    };
    Tensor::cat(&[gather(-1), gather(0), gather(1)], 2)
}
