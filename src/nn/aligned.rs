//! The body of the models that see all frames at once: phonemes laid out along the pointer's path, and a transformer over frames.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor, nn};

use super::attention::Window;
use super::linear::{Linear, linear};
use super::phonemes::{PhonemeEncoder, around_pointer};
use super::transformer::{Transformer, TransformerConfig};
use crate::error::Result;

/// Sizes of the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlignedConfig {
    /// Phoneme symbols, the reserved ones included.
    pub symbols: i64,
    /// Frames that a layer sees before and after each frame.
    pub window_left: i64,
    pub window_right: i64,
    /// Counts of frames since the pointer came and until it leaves are told to the model up to this.
    pub max_stay: i64,
    pub encoder: TransformerConfig,
    pub decoder: TransformerConfig,
}

impl AlignedConfig {
    /// Says which value is out of its range; `name` is where the section stands.
    pub fn validate(&self, name: &str) -> std::result::Result<(), String> {
        let least = [
            ("symbols", self.symbols, 2),
            ("window_left", self.window_left, 0),
            ("window_right", self.window_right, 0),
            ("max_stay", self.max_stay, 1),
        ];
        for (field, value, least) in least {
            if value < least {
                return Err(format!("{name}.{field} is {value}, expected at least {least}"));
            }
        }
        self.encoder.validate(&format!("{name}.encoder"))?;
        self.decoder.validate(&format!("{name}.decoder"))
    }

    /// Frames before and after a frame that its state depends on in one pass.
    pub fn context(&self) -> (i64, i64) {
        (self.decoder.layers * self.window_left, self.decoder.layers * self.window_right)
    }
}

/// Where the pointer stands at each frame, of one utterance or a batch of padded ones.
#[derive(Debug)]
pub struct FramePath {
    /// Phoneme of each frame, `[B, T]`.
    pub pointer: Tensor,
    /// Frames since the pointer came there, `[B, T]`.
    pub since: Tensor,
    /// Frames until it leaves, `[B, T]`.
    pub until: Tensor,
}

impl FramePath {
    /// Of one utterance.
    pub fn new(path: &[i64], device: Device) -> Self {
        let (since, until) = stays(path);
        let row = |x: &[i64]| Tensor::from_slice(x).view([1, -1]).to_device(device);
        Self { pointer: row(path), since: row(&since), until: row(&until) }
    }

    /// The frames `start..end`.
    pub fn window(&self, start: i64, end: i64) -> Self {
        let cut = |x: &Tensor| x.narrow(1, start, end - start);
        Self { pointer: cut(&self.pointer), since: cut(&self.since), until: cut(&self.until) }
    }
}

/// For each frame of a pointer's path, the frames since it came to its phoneme and until it leaves.
pub fn stays(path: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let mut since = vec![0; path.len()];
    let mut until = vec![0; path.len()];
    for t in 1..path.len() {
        since[t] = if path[t] == path[t - 1] { since[t - 1] + 1 } else { 0 };
    }
    for t in (0..path.len().saturating_sub(1)).rev() {
        until[t] = if path[t] == path[t + 1] { until[t + 1] + 1 } else { 0 };
    }
    (since, until)
}

/// Phonemes and a path to a state for each frame.
#[derive(Debug)]
pub struct AlignedTransformer {
    encoder: PhonemeEncoder,
    phonemes: Linear,
    since: nn::Embedding,
    until: nn::Embedding,
    decoder: Transformer,
    max_stay: i64,
}

impl AlignedTransformer {
    pub fn new(vs: &nn::Path, config: &AlignedConfig) -> Self {
        let dim = config.decoder.dim;
        let window = Window::Around { left: config.window_left, right: config.window_right };
        let embedding = |name: &str| nn::embedding(vs / name, config.max_stay + 1, dim, Default::default());
        Self {
            encoder: PhonemeEncoder::new(vs / "encoder", config.symbols, &config.encoder),
            phonemes: linear(vs / "phonemes", 3 * config.encoder.dim, dim),
            since: embedding("since"),
            until: embedding("until"),
            decoder: Transformer::new(vs / "decoder", &config.decoder, window),
            max_stay: config.max_stay,
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.encoder.pack()?;
        self.decoder.pack()?;
        self.phonemes.pack()
    }

    /// States of the phonemes `[B, S]`, `[B, S, C]`; `lengths` `[B]` if they are padded.
    pub fn phonemes(&self, phonemes: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        self.encoder.forward(phonemes, lengths)
    }

    /// What the states of the phonemes and the pointer say of each frame, `[B, T, C]`; the same for every pass.
    pub fn aligned(&self, phonemes: &Tensor, path: &FramePath) -> Tensor {
        let stay = |x: &Tensor, table: &nn::Embedding| x.clamp_max(self.max_stay).apply(table);
        around_pointer(phonemes, &path.pointer).apply(&self.phonemes)
            + stay(&path.since, &self.since)
            + stay(&path.until, &self.until)
    }

    /// One pass over the frames, `[B, T, C]` to `[B, T, C]`; `lengths` `[B]` if they are padded.
    pub fn forward(&self, frames: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        self.decoder.forward(frames, lengths)
    }
}
