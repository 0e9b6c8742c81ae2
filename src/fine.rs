//! Non-autoregressive model of codebooks 1.. given codebook 0, the phonemes, and the pointer.
//!
//! A pass of a bidirectional transformer reads, for all frames at once, the sum of the codebook vectors known so far and the
//! aligned phonemes. A small head then walks down the remaining levels of each frame, each level seeing the vectors chosen
//! above it (parallel over time, sequential over depth as in RQ-Transformer, arXiv:2203.01941; levels in order as in the
//! second stage of VALL-E, arXiv:2301.02111). More passes let frames agree with their neighbours' deeper levels.
//!
//! Knows nothing of audio: codebooks are handed in as tensors.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::nn::attention::Window;
use crate::nn::phonemes::{PhonemeEncoder, around_pointer};
use crate::nn::transformer::{Transformer, TransformerConfig};

/// Sizes of the fine model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineConfig {
    /// Phoneme symbols, the reserved ones included.
    pub symbols: i64,
    /// Codebooks, the coarse one included.
    pub n_q: i64,
    pub codebook_size: i64,
    /// Channels of a codebook vector.
    pub latent_dim: i64,
    /// Frames that a layer sees before and after each frame.
    pub window_left: i64,
    pub window_right: i64,
    /// Counts of frames since the pointer came and until it leaves are told to the model up to this.
    pub max_stay: i64,
    /// Channels inside the head of a level.
    pub head_hidden: i64,
    pub encoder: TransformerConfig,
    pub decoder: TransformerConfig,
}

impl FineConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> Result<(), String> {
        let least = [
            ("symbols", self.symbols, 2),
            ("n_q", self.n_q, 2),
            ("codebook_size", self.codebook_size, 2),
            ("latent_dim", self.latent_dim, 1),
            ("window_left", self.window_left, 0),
            ("window_right", self.window_right, 0),
            ("max_stay", self.max_stay, 1),
            ("head_hidden", self.head_hidden, 1),
        ];
        for (name, value, least) in least {
            if value < least {
                return Err(format!("fine.{name} is {value}, expected at least {least}"));
            }
        }
        self.encoder.validate("fine.encoder")?;
        self.decoder.validate("fine.decoder")
    }

    /// The first level of each of `passes` passes: small groups first, each about twice the one before.
    pub fn pass_starts(&self, passes: i64) -> Vec<i64> {
        let levels = self.n_q - 1;
        let passes = passes.clamp(1, levels);
        let mut start = 1;
        let mut starts = vec![start];
        for i in 1..passes {
            let share = (2f64.powi(i as i32) - 1.0) / (2f64.powi(passes as i32) - 1.0);
            let even = 1 + (levels as f64 * share).round() as i64;
            start = even.clamp(start + 1, self.n_q - (passes - i));
            starts.push(start);
        }
        starts
    }
}

/// What a pass reads; all of one utterance or a batch of padded ones.
#[derive(Debug)]
pub struct FineInput {
    /// `[B, S]`
    pub phonemes: Tensor,
    /// `[B]`, if padded.
    pub phoneme_lengths: Option<Tensor>,
    /// Phoneme of each frame, `[B, T]`.
    pub pointer: Tensor,
    /// Frames since the pointer came there, `[B, T]`.
    pub since: Tensor,
    /// Frames until it leaves, `[B, T]`.
    pub until: Tensor,
    /// `[B]`, if padded.
    pub frame_lengths: Option<Tensor>,
}

impl FineInput {
    /// For one utterance: phonemes `[1, S]` and the pointer's path.
    pub fn from_path(phonemes: Tensor, path: &[i64]) -> Self {
        let device = phonemes.device();
        let (since, until) = stays(path);
        let row = |x: &[i64]| Tensor::from_slice(x).view([1, -1]).to_device(device);
        Self {
            phonemes,
            phoneme_lengths: None,
            pointer: row(path),
            since: row(&since),
            until: row(&until),
            frame_lengths: None,
        }
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

/// Reads the code of one level from a frame's state and the vectors chosen so far.
#[derive(Debug)]
struct LevelHead {
    latent: nn::Linear,
    output: nn::Linear,
}

/// Coarse tokens to all tokens.
#[derive(Debug)]
pub struct FineModel {
    encoder: PhonemeEncoder,
    phonemes: nn::Linear,
    since: nn::Embedding,
    until: nn::Embedding,
    latent: nn::Linear,
    level: nn::Embedding,
    decoder: Transformer,
    head_state: nn::Linear,
    heads: Vec<LevelHead>,
    config: FineConfig,
}

impl FineModel {
    pub fn new(vs: nn::Path, config: &FineConfig) -> Self {
        let (dim, latent, hidden) = (config.decoder.dim, config.latent_dim, config.head_hidden);
        let window = Window::Around { left: config.window_left, right: config.window_right };
        let embedding = |name: &str, n: i64| nn::embedding(&vs / name, n, dim, Default::default());
        let linear = |name: &str, from: i64, to: i64| nn::linear(&vs / name, from, to, Default::default());
        let heads = &vs / "heads";
        let head = |level: i64| {
            let vs = &heads / level;
            LevelHead {
                latent: nn::linear(&vs / "latent", latent, hidden, Default::default()),
                output: nn::linear(&vs / "output", hidden, config.codebook_size, Default::default()),
            }
        };
        Self {
            encoder: PhonemeEncoder::new(&vs / "encoder", config.symbols, &config.encoder),
            phonemes: linear("phonemes", 3 * config.encoder.dim, dim),
            since: embedding("since", config.max_stay + 1),
            until: embedding("until", config.max_stay + 1),
            latent: linear("latent", latent, dim),
            level: embedding("level", config.n_q),
            decoder: Transformer::new(&vs / "decoder", &config.decoder, window),
            head_state: linear("head_state", dim, hidden),
            heads: (1..config.n_q).map(head).collect(),
            config: config.clone(),
        }
    }

    pub fn config(&self) -> &FineConfig {
        &self.config
    }

    /// What the phonemes and the pointer say of each frame, `[B, T, C]`; the same for every pass.
    pub fn aligned(&self, input: &FineInput) -> Tensor {
        let states = self.encoder.forward(&input.phonemes, input.phoneme_lengths.as_ref());
        let stay = |x: &Tensor, table: &nn::Embedding| x.clamp_max(self.config.max_stay).apply(table);
        around_pointer(&states, &input.pointer).apply(&self.phonemes)
            + stay(&input.since, &self.since)
            + stay(&input.until, &self.until)
    }

    /// One pass: `aligned` `[B, T, C]` and the sum of the vectors of levels `0..level`, `[B, T, D]`, to states `[B, T, C]`.
    pub fn forward(&self, aligned: &Tensor, known: &Tensor, level: i64, frame_lengths: Option<&Tensor>) -> Tensor {
        let level = Tensor::full([1, 1], level, (Kind::Int64, known.device())).apply(&self.level);
        self.decoder.forward(&(aligned + known.apply(&self.latent) + level), frame_lengths)
    }

    /// Logits of level `level` `[B, T, codebook_size]` given a pass's states and the sum of the vectors above, `[B, T, D]`.
    pub fn level_logits(&self, state: &Tensor, above: &Tensor, level: i64) -> Tensor {
        let head = &self.heads[level as usize - 1];
        let hidden = (state.apply(&self.head_state) + above.apply(&head.latent)).gelu("tanh");
        hidden.apply(&head.output)
    }

    /// All codes `[1, n_q, T]` from the coarse ones `[1, T]`, greedily, in `passes` passes.
    pub fn predict(&self, input: &FineInput, coarse: &Tensor, codebooks: &[Tensor], passes: i64) -> Tensor {
        let look_up =
            |level: i64, codes: &Tensor| Tensor::embedding(&codebooks[level as usize], codes, -1, false, false);
        let aligned = self.aligned(input);
        let mut codes = vec![coarse.shallow_clone()];
        let mut sum = look_up(0, coarse); // [1, T, D]
        let starts = self.config.pass_starts(passes);
        let ends = starts[1..].iter().copied().chain([self.config.n_q]);
        for (start, end) in starts.iter().copied().zip(ends) {
            let state = self.forward(&aligned, &sum, start, None);
            for level in start..end {
                let code = self.level_logits(&state, &sum, level).argmax(-1, false);
                sum += look_up(level, &code);
                codes.push(code);
            }
        }
        Tensor::stack(&codes, 1)
    }
}
