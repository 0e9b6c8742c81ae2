//! When each phoneme and each word is spoken, as the pointer's path tells.

use std::ops::Range;

use crate::synthesizer::Chunk;

/// Seconds from the start of an utterance.
#[derive(Debug)]
pub struct Timing {
    /// Seconds of a token frame.
    pub frame: f64,
    /// Of each symbol; none where the pointer never came.
    pub symbols: Vec<Option<Range<f64>>>,
    /// Of each word; none where no symbol of it was reached.
    pub words: Vec<Option<Range<f64>>>,
}

impl Timing {
    pub fn new(chunk: &Chunk, frame: f64) -> Self {
        let symbols = spans(&chunk.pointer, chunk.utterance.phonemes.chars().count());
        let seconds = |span: Range<f64>| span.start * frame..span.end * frame;
        let symbols: Vec<_> = symbols.into_iter().map(|span| span.map(seconds)).collect();
        let words = chunk.utterance.words.iter().map(|word| {
            let mut reached = symbols.get(word.phonemes.clone()).unwrap_or_default().iter().flatten();
            let first = reached.next()?;
            Some(first.start..reached.last().unwrap_or(first).end)
        });
        Self { frame, words: words.collect(), symbols }
    }
}

/// Frames of each of `count` symbols; those that the pointer steps over within a frame share it.
fn spans(pointer: &[i64], count: usize) -> Vec<Option<Range<f64>>> {
    let mut spans: Vec<Option<Range<f64>>> = vec![None; count];
    for (frame, &at) in pointer.iter().enumerate() {
        let next = pointer.get(frame + 1).map_or(at + 1, |&next| next.max(at + 1));
        let share = 1.0 / (next - at) as f64;
        for (part, position) in (at..next).enumerate() {
            let Some(span) = usize::try_from(position - 1).ok().and_then(|symbol| spans.get_mut(symbol)) else {
                continue;
            };
            let start = frame as f64 + part as f64 * share;
            span.get_or_insert(start..start).end = start + share;
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::spans;

    #[test]
    fn symbols_stepped_over_in_a_frame_share_it_and_those_never_reached_have_no_time() {
        let spans = spans(&[0, 1, 1, 2, 4], 6);
        let expected = [Some(1.0..3.0), Some(3.0..3.5), Some(3.5..4.0), Some(4.0..5.0), None, None];
        assert_eq!(spans, expected);
    }
}
