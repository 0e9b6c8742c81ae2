//! Masked tokens filled in: all at once, the surest first (MaskGIT, arXiv:2202.04200), or from a coarse grid of frames to all.

use std::f64::consts::FRAC_PI_2;

use tch::{Kind, Tensor};

use super::{Frames, Utterance, lengths};
use crate::error::Result;

/// Passes of a whole cascade: every fourth frame, every second, all.
pub const STAGES: i64 = 3;

/// Fills in all tokens over `passes` passes. After each, those stay which the model is surest of; a token that stays is
/// never masked again.
pub(super) fn surest_first(utterance: &Utterance, passes: i64) -> Result<Frames> {
    let mut canvas = Canvas::new(utterance)?;
    let frames = canvas.path.len();
    for pass in 1..=passes {
        let mut drawn = canvas.draw(pass, |_| true)?;
        // A cosine: few at first, when little is known.
        let masked = (frames as f64 * (FRAC_PI_2 * pass as f64 / passes as f64).cos()).floor() as usize;
        let keep = (drawn.len().saturating_sub(masked)).max(1).min(drawn.len());
        drawn.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        canvas.keep(&drawn[..keep], pass);
    }
    canvas.finish()
}

/// Fills in every fourth frame, then every second, then all, or only the last `stages` of these.
pub(super) fn small_to_large(utterance: &Utterance, stages: i64) -> Result<Frames> {
    let mut canvas = Canvas::new(utterance)?;
    for stage in 1..=stages {
        let stride = 1 << (stages - stage);
        let drawn = canvas.draw(stage, |t| t % stride == 0)?;
        canvas.keep(&drawn, stage);
    }
    canvas.finish()
}

/// A token drawn for a frame, and its probability.
struct Drawn {
    frame: usize,
    token: i64,
    confidence: f32,
}

/// The frames of an utterance, some of their tokens known.
struct Canvas<'a> {
    utterance: &'a Utterance<'a>,
    path: Vec<i64>,
    aligned: Tensor,
    tokens: Vec<Option<i64>>,
    passes: Vec<u64>,
}

impl<'a> Canvas<'a> {
    fn new(utterance: &'a Utterance) -> Result<Self> {
        let path = lengths::path(utterance)?;
        let aligned = utterance.aligned(&path);
        let (tokens, passes) = (vec![None; path.len()], vec![0; path.len()]);
        Ok(Self { utterance, path, aligned, tokens, passes })
    }

    /// Draws a token for each unknown frame that is `wanted`, given the known ones.
    fn draw(&self, pass: i64, wanted: impl Fn(usize) -> bool) -> Result<Vec<Drawn>> {
        let Utterance { model, voice, sampling, number, .. } = self.utterance;
        let size = model.config().codebook_size;
        let known: Vec<i64> = self.tokens.iter().map(|token| token.unwrap_or(model.config().mask())).collect();
        let known = Tensor::from_slice(&known).unsqueeze(0).to_device(voice.device);
        let states = model.fill(&self.aligned, &known, None);
        let logits = model.token_logits(&states).squeeze_dim(0).narrow(1, 0, size).to_kind(Kind::Float);
        let frames = (0..self.tokens.len()).filter(|&t| self.tokens[t].is_none() && wanted(t));
        let draw = |frame: usize| {
            let row = Vec::<f32>::try_from(logits.get(frame as i64))?;
            let token = sampling.draw(&row, *number, ((pass as u64) << 32) + frame as u64);
            let most = row.iter().copied().fold(f32::MIN, f32::max);
            let total: f32 = row.iter().map(|x| (x - most).exp()).sum();
            Ok(Drawn { frame, token: token as i64, confidence: (row[token] - most).exp() / total })
        };
        frames.map(draw).collect()
    }

    fn keep(&mut self, drawn: &[Drawn], pass: i64) {
        for Drawn { frame, token, .. } in drawn {
            self.tokens[*frame] = Some(*token);
            self.passes[*frame] = pass as u64;
        }
    }

    fn finish(self) -> Result<Frames> {
        let tokens = self.tokens.into_iter().flatten().collect();
        Ok(Frames { tokens, path: self.path, passes: self.passes })
    }
}
