//! A drafter that is a smaller coarse model: the classic of speculative decoding (arXiv:2211.17192).

use super::{Context, Drafter};
use crate::coarse::{CoarseModel, CoarseState, Frame, Place};
use crate::error::Result;

/// Draws frames from a smaller model, with the same noise as the model that it drafts for.
pub struct SmallDrafter<'a> {
    model: &'a CoarseModel,
    /// What the smaller model remembers of the first frames.
    state: CoarseState,
    frames: usize,
}

impl<'a> SmallDrafter<'a> {
    /// At the start of the phonemes that `state` was made from by `model`.
    pub fn new(model: &'a CoarseModel, state: CoarseState) -> Self {
        Self { model, state, frames: 0 }
    }
}

impl Drafter for SmallDrafter<'_> {
    fn guess(&mut self, context: &Context, len: usize) -> Result<Vec<Frame>> {
        // What has become true since the last guess, and the next frame's place, in one pass.
        let mut places = vec![self.state.place()];
        for &frame in &context.frames[self.frames..] {
            places.push(places[places.len() - 1].after(frame));
        }
        let known = places.len() - 1;
        let parents: Vec<i64> = (-1..known as i64).collect();
        let (states, extension) = self.model.extend(&places, &parents, &self.state);
        let rows: Vec<i64> = (0..known as i64).collect();
        self.state.keep(&extension, &rows, places[known]);
        self.frames = context.frames.len();

        let mut ahead = self.state.fork();
        let (mut state, mut extension, mut row) = (states.narrow(1, known as i64, 1), extension, known as i64);
        let mut guesses = Vec::new();
        loop {
            let place: Place = ahead.place();
            let logits = Vec::<f32>::try_from(self.model.token_logits(&state).view([-1]))?;
            let position = (self.frames + guesses.len()) as u64;
            let frame = context.sampler.draw(self.model, &state, &logits, place, position)?;
            guesses.push(frame);
            ahead.keep(&extension, &[row], place.after(frame));
            if guesses.len() == len || ahead.is_finished() {
                return Ok(guesses);
            }
            (state, extension) = self.model.extend(&[ahead.place()], &[-1], &ahead);
            row = 0;
        }
    }
}
