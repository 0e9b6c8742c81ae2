//! A drafter of extra heads: each guesses one of the next frames, all at once, from the model's state of the last frame
//! (Medusa, Cai et al. 2024, arXiv:2401.10774; blockwise parallel decoding, arXiv:1811.03115).
//!
//! A head guesses the state that the coarse model will have; token and advance are then read off it by the coarse model's own
//! output layers.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use super::{Context, Drafter};
use crate::coarse::Frame;
use crate::error::Result;
use crate::nn::linear::{Linear, linear};

/// Sizes of the heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadsConfig {
    /// Frames that are guessed.
    pub heads: i64,
    /// Tokens of codebook 0.
    pub codebook_size: i64,
    /// Channels of the coarse model's states.
    pub state_dim: i64,
    /// Channels inside each head.
    pub hidden: i64,
    /// Phonemes that are read, from the one that the next frame speaks on.
    pub phonemes: i64,
    /// The count of frames at a phoneme is told up to this.
    pub max_stay: i64,
}

impl HeadsConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let positive = [
            ("heads", self.heads),
            ("codebook_size", self.codebook_size),
            ("state_dim", self.state_dim),
            ("hidden", self.hidden),
            ("phonemes", self.phonemes),
            ("max_stay", self.max_stay),
        ];
        for (name, value) in positive {
            if value < 1 {
                return Err(format!("heads.{name} is {value}, expected at least 1"));
            }
        }
        Ok(())
    }
}

/// The last frame's state to guesses of the next ones'.
#[derive(Debug)]
pub struct DraftHeads {
    state: Linear,
    tokens: nn::Embedding,
    phonemes: Linear,
    stay: nn::Embedding,
    norm: nn::LayerNorm,
    heads: Vec<Head>,
    config: HeadsConfig,
}

#[derive(Debug)]
struct Head {
    up: Linear,
    down: Linear,
    norm: nn::LayerNorm,
}

impl Head {
    fn new(vs: nn::Path, dim: i64, hidden: i64) -> Self {
        Self {
            up: linear(&vs / "up", dim, hidden),
            down: linear(&vs / "down", hidden, dim),
            norm: nn::layer_norm(&vs / "norm", vec![dim], Default::default()),
        }
    }
}

impl DraftHeads {
    pub fn new(vs: nn::Path, config: &HeadsConfig) -> Self {
        let dim = config.state_dim;
        let heads = &vs / "heads";
        Self {
            state: linear(&vs / "state", dim, dim),
            tokens: nn::embedding(&vs / "tokens", config.codebook_size, dim, Default::default()),
            phonemes: linear(&vs / "phonemes", config.phonemes * dim, dim),
            stay: nn::embedding(&vs / "stay", config.max_stay + 1, dim, Default::default()),
            norm: nn::layer_norm(&vs / "norm", vec![dim], Default::default()),
            heads: (0..config.heads).map(|i| Head::new(&heads / i, dim, config.hidden)).collect(),
            config: config.clone(),
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        let heads = self.heads.iter_mut().flat_map(|head| [&mut head.up, &mut head.down]);
        [&mut self.state, &mut self.phonemes].into_iter().chain(heads).try_for_each(Linear::pack)
    }

    pub fn config(&self) -> &HeadsConfig {
        &self.config
    }

    /// Guesses of the coarse model's states of the next `count` frames, `[B, T, C]` each, from its states `[B, T, C]` of frames with these
    /// tokens `[B, T]`, where the pointer and its stay are of the frame after, and the phonemes' states are `[B, S, C]`.
    pub fn forward(
        &self,
        states: &Tensor,
        tokens: &Tensor,
        pointer: &Tensor,
        stay: &Tensor,
        phonemes: &Tensor,
        count: usize,
    ) -> Vec<Tensor> {
        let (batch, last, dim) = (phonemes.size()[0], phonemes.size()[1] - 1, phonemes.size()[2]);
        let ahead: Vec<Tensor> = (0..self.config.phonemes)
            .map(|by| {
                let index = (pointer + by).clamp_max(last).unsqueeze(2).expand([batch, -1, dim], false);
                phonemes.gather(1, &index, false)
            })
            .collect();
        let known = states.apply(&self.state)
            + tokens.apply(&self.tokens)
            + Tensor::cat(&ahead, 2).apply(&self.phonemes)
            + stay.clamp_max(self.config.max_stay).apply(&self.stay);
        let known = known.gelu("tanh").apply(&self.norm);
        let guess = |head: &Head| (&known + known.apply(&head.up).gelu("tanh").apply(&head.down)).apply(&head.norm);
        self.heads.iter().take(count).map(guess).collect()
    }
}

/// Draws frames from the heads' guesses, with the noise of the positions that they are for.
pub struct HeadsDrafter<'a> {
    heads: &'a DraftHeads,
}

impl<'a> HeadsDrafter<'a> {
    pub fn new(heads: &'a DraftHeads) -> Self {
        Self { heads }
    }
}

impl Drafter for HeadsDrafter<'_> {
    fn guess(&mut self, context: &Context, len: usize) -> Result<Vec<Frame>> {
        let (Some(last), Some(frame)) = (context.last, context.frames.last()) else { return Ok(Vec::new()) };
        let mut place = context.state.place();
        let row = |i: i64| Tensor::full([1, 1], i, (Kind::Int64, last.device()));
        let phonemes = context.state.phonemes();
        let guesses = self.heads.forward(last, &row(frame.token), &row(place.pointer), &row(place.stay), phonemes, len);
        let mut frames = Vec::new();
        for (position, guess) in (context.frames.len() as u64..).zip(&guesses) {
            let logits = Vec::<f32>::try_from(context.model.token_logits(guess).view([-1]))?;
            let frame = context.sampler.draw(context.model, guess, &logits, place, position)?;
            place = place.after(frame);
            frames.push(frame);
        }
        Ok(frames)
    }
}
