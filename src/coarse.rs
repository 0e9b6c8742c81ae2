//! Autoregressive model of codebook 0: from phonemes, one token frame at a time, while a pointer walks over the phonemes.
//!
//! Frame `t` speaks phoneme `a[t]`; after each frame the model says by how many phonemes (0..=3) the pointer moves. It ends
//! when the pointer leaves the last phoneme: it never goes back to a phoneme that it has left, and generation always ends.
//! (Codec language models: VALL-E, arXiv:2301.02111; a monotonic pointer instead of free attention as in
//! VALL-T, arXiv:2401.14321.) Knows nothing of sampling, other codebooks or audio.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::error::Result;
use crate::nn::attention::Window;
use crate::nn::linear::{Linear, linear};
use crate::nn::phonemes::{PhonemeEncoder, around_pointer};
use crate::nn::transformer::{Extension, Transformer, TransformerConfig, TransformerState};

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

/// What was chosen for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub token: i64,
    /// Phonemes by which the pointer then moves.
    pub advance: i64,
}

/// Where the next frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Phoneme that it speaks.
    pub pointer: i64,
    /// Frames that the phoneme has been spoken for.
    pub stay: i64,
    /// Token of the frame before; `codebook_size` at the start.
    pub previous: i64,
}

impl Place {
    /// Where the frame after `frame` stands.
    pub fn after(self, frame: Frame) -> Self {
        let stay = if frame.advance == 0 { self.stay + 1 } else { 0 };
        Self { pointer: self.pointer + frame.advance, stay, previous: frame.token }
    }
}

/// How far a generation has come: the phonemes' states, the next frame's place, and the decoder's memory.
#[derive(Debug)]
pub struct CoarseState {
    phonemes: Tensor, // [1, S, C], already projected
    speed: Tensor,    // [1, 1, C]
    decoder: TransformerState,
    place: Place,
}

impl CoarseState {
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether the pointer has left the last phoneme.
    pub fn is_finished(&self) -> bool {
        self.has_left(self.place)
    }

    /// Whether no frame can stand there, as the pointer has left the last phoneme.
    pub fn has_left(&self, place: Place) -> bool {
        place.pointer >= self.phonemes.size()[1]
    }

    /// What the model knows of the phonemes, `[1, S, C]`.
    pub fn phonemes(&self) -> &Tensor {
        &self.phonemes
    }

    /// Remembers these rows of `extension`, each following the one before; the next frame stands at `place`.
    pub fn keep(&mut self, extension: &Extension, rows: &[i64], place: Place) {
        self.decoder.keep(extension, rows);
        self.place = place;
    }

    /// A state of its own that goes on from here.
    pub fn fork(&self) -> Self {
        Self {
            phonemes: self.phonemes.shallow_clone(),
            speed: self.speed.shallow_clone(),
            decoder: self.decoder.fork(),
            place: self.place,
        }
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

    /// What a frame reads of each phoneme, `[B, S, C]`, from phonemes `[B, S]`; `lengths` `[B]` if they are padded.
    pub fn phoneme_states(&self, phonemes: &Tensor, lengths: Option<&Tensor>) -> Tensor {
        let states = self.encoder.forward(phonemes, lengths);
        let (batch, count) = phonemes.size2().unwrap_or_default();
        let everywhere = Tensor::arange(count, (Kind::Int64, phonemes.device())).expand([batch, count], false);
        around_pointer(&states, &everywhere).apply(&self.phonemes)
    }

    /// Ready to speak the phonemes `[1, S]`.
    pub fn start(&self, phonemes: &Tensor, log_speed: f64) -> CoarseState {
        let device = phonemes.device();
        CoarseState {
            phonemes: self.phoneme_states(phonemes, None),
            speed: Tensor::full([1, 1, 1], log_speed, (Kind::Float, device)).apply(&self.speed),
            decoder: self.decoder.state(device),
            place: Place { pointer: 0, stay: 0, previous: self.config.codebook_size },
        }
    }

    /// States of frames at `places`, `[1, R, C]`: frame `r` comes after frame `parents[r]`, or next if that is negative.
    /// [`CoarseState::keep`] says which of them became true.
    pub fn extend(&self, places: &[Place], parents: &[i64], state: &CoarseState) -> (Tensor, Extension) {
        let device = state.phonemes.device();
        let column = |value: &dyn Fn(&Place) -> i64| {
            Tensor::from_slice(&places.iter().map(value).collect::<Vec<_>>()).to_device(device)
        };
        let x = column(&|p| p.previous).apply(&self.tokens)
            + state.phonemes.squeeze_dim(0).index_select(0, &column(&|p| p.pointer))
            + column(&|p| p.stay.min(self.config.max_stay)).apply(&self.stay);
        self.decoder.extend(&(x.unsqueeze(0) + &state.speed), parents, &state.decoder)
    }
}
