//! Autoregressive model of codebook 0: from phonemes, one token frame at a time, while a pointer walks over the phonemes.
//!
//! Frame `t` speaks phoneme `a[t]`; after each frame the model says by how many phonemes (0..=3) the pointer moves. It ends
//! when the pointer leaves the last phoneme: it never goes back to a phoneme that it has left, and generation always ends.
//! (Codec language models: VALL-E, arXiv:2301.02111; a monotonic pointer instead of free attention as in
//! VALL-T, arXiv:2401.14321.) Knows nothing of sampling, other codebooks or audio.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn};

use crate::error::Result;
use crate::nn::attention::Window;
use crate::nn::linear::{Linear, linear};
use crate::nn::phonemes::{PhonemeEncoder, around_pointer};
use crate::nn::transformer::{Transformer, TransformerConfig, TransformerState};

/// The pointer moves by `0..ADVANCES` phonemes after a frame.
pub const ADVANCES: i64 = 4;

/// Sizes of the coarse model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarseConfig {
    /// Phoneme symbols, the reserved ones included.
    pub symbols: i64,
    pub codebook_size: i64,
    /// Frames that a step sees, itself included.
    pub window: i64,
    /// The count of frames at a phoneme is told to the model up to this.
    pub max_stay: i64,
    pub encoder: TransformerConfig,
    pub decoder: TransformerConfig,
}

impl CoarseConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        for (name, value) in [("symbols", self.symbols), ("window", self.window), ("max_stay", self.max_stay)] {
            if value < 2 {
                return Err(format!("coarse.{name} is {value}, expected at least 2"));
            }
        }
        self.encoder.validate("coarse.encoder")?;
        self.decoder.validate("coarse.decoder")
    }
}

/// A batch of aligned token sequences, as seen in training.
#[derive(Debug)]
pub struct CoarseInput {
    /// `[B, S]`
    pub phonemes: Tensor,
    /// `[B]`
    pub phoneme_lengths: Tensor,
    /// Token of the frame before, `[B, T]`; `codebook_size` at the start.
    pub previous: Tensor,
    /// `a[t]`, `[B, T]`
    pub pointer: Tensor,
    /// Frames that the pointer has stood there already, `[B, T]`.
    pub stay: Tensor,
    /// Natural logarithm of the speaking rate, 0 as the voice speaks by itself, `[B]`.
    pub log_speed: Tensor,
}

/// Phonemes to coarse tokens.
#[derive(Debug)]
pub struct CoarseModel {
    encoder: PhonemeEncoder,
    tokens: nn::Embedding,
    stay: nn::Embedding,
    phonemes: Linear,
    speed: Linear,
    decoder: Transformer,
    head: Linear,
    advance_token: nn::Embedding,
    advance_input: Linear,
    advance: Linear,
    config: CoarseConfig,
}

/// Where a generation stands: the phonemes' states, the pointer, and the decoder's memory.
#[derive(Debug)]
pub struct CoarseState {
    phonemes: Tensor, // [1, S, C], already projected
    speed: Tensor,    // [1, 1, C]
    decoder: TransformerState,
    /// Phoneme that the next frame speaks.
    pub pointer: i64,
    /// Frames that it has been spoken for.
    pub stay: i64,
    previous: i64,
}

impl CoarseState {
    /// Whether the pointer has left the last phoneme.
    pub fn is_finished(&self) -> bool {
        self.pointer >= self.phonemes.size()[1]
    }

    /// Takes the frame's token, and moves the pointer.
    pub fn accept(&mut self, token: i64, advance: i64) {
        self.previous = token;
        self.stay = if advance == 0 { self.stay + 1 } else { 0 };
        self.pointer += advance;
    }
}

impl CoarseModel {
    pub fn new(vs: nn::Path, config: &CoarseConfig) -> Self {
        let (dim, size) = (config.decoder.dim, config.codebook_size);
        let causal = Window::Around { left: config.window - 1, right: 0 };
        let embedding = |name: &str, n: i64| nn::embedding(&vs / name, n, dim, Default::default());
        Self {
            encoder: PhonemeEncoder::new(&vs / "encoder", config.symbols, &config.encoder),
            tokens: embedding("tokens", size + 1),
            stay: embedding("stay", config.max_stay + 1),
            phonemes: linear(&vs / "phonemes", 3 * config.encoder.dim, dim),
            speed: linear(&vs / "speed", 1, dim),
            decoder: Transformer::new(&vs / "decoder", &config.decoder, causal),
            head: linear(&vs / "head", dim, size),
            advance_token: embedding("advance_token", size),
            advance_input: linear(&vs / "advance_input", dim, dim),
            advance: linear(&vs / "advance", dim, ADVANCES),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.encoder.pack()?;
        self.decoder.pack()?;
        [&mut self.phonemes, &mut self.head, &mut self.advance_input].into_iter().try_for_each(Linear::pack)
    }

    pub fn config(&self) -> &CoarseConfig {
        &self.config
    }

    /// States of all frames given the ones before, `[B, T, C]`: what [`CoarseModel::token_logits`] reads.
    pub fn forward(&self, input: &CoarseInput) -> Tensor {
        let states = self.encoder.forward(&input.phonemes, Some(&input.phoneme_lengths));
        let spoken = around_pointer(&states, &input.pointer).apply(&self.phonemes);
        let speed = input.log_speed.view([-1, 1, 1]).apply(&self.speed);
        let stay = input.stay.clamp_max(self.config.max_stay).apply(&self.stay);
        self.decoder.forward(&(input.previous.apply(&self.tokens) + spoken + stay + speed), None)
    }

    /// Logits of the frame's token, `[.., codebook_size]`.
    pub fn token_logits(&self, state: &Tensor) -> Tensor {
        state.apply(&self.head)
    }

    /// Logits of the pointer's advance after a frame with this token, `[.., ADVANCES]`.
    pub fn advance_logits(&self, state: &Tensor, token: &Tensor) -> Tensor {
        (state.apply(&self.advance_input) + token.apply(&self.advance_token)).gelu("tanh").apply(&self.advance)
    }

    /// Ready to speak the phonemes `[1, S]`.
    pub fn start(&self, phonemes: &Tensor, log_speed: f64) -> CoarseState {
        let device = phonemes.device();
        let states = self.encoder.forward(phonemes, None);
        let count = states.size()[1];
        let everywhere = Tensor::arange(count, (Kind::Int64, device)).unsqueeze(0);
        CoarseState {
            phonemes: around_pointer(&states, &everywhere).apply(&self.phonemes),
            speed: Tensor::full([1, 1, 1], log_speed, (Kind::Float, device)).apply(&self.speed),
            decoder: self.decoder.state(device),
            pointer: 0,
            stay: 0,
            previous: self.config.codebook_size,
        }
    }

    /// The next frame's state, `[1, 1, C]`; call [`CoarseState::accept`] with what was chosen from it.
    pub fn step(&self, state: &mut CoarseState) -> Tensor {
        let device = state.phonemes.device();
        let row = |i: i64, table: &nn::Embedding| index(i, device).apply(table);
        let x = row(state.previous, &self.tokens)
            + state.phonemes.narrow(1, state.pointer, 1)
            + row(state.stay.min(self.config.max_stay), &self.stay)
            + &state.speed;
        self.decoder.step(&x, &mut state.decoder)
    }
}

fn index(i: i64, device: Device) -> Tensor {
    Tensor::full([1, 1], i, (Kind::Int64, device))
}
