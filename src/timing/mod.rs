//! When each word, phoneme and mark is heard, in seconds of the output.
//!
//! The pointer says which phoneme each token frame speaks; pauses and everything else that is put out take their time
//! too. Knows nothing of files; [`format`] writes them.

mod captions;
pub mod format;

use std::ops::Range;

use serde::Serialize;

use crate::synthesizer::Chunk;
use crate::text::{Utterance, Vocab};

/// Something that is heard from `start` to `end`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interval {
    pub text: String,
    pub start: f64,
    pub end: f64,
}

/// A sentence as written, or the part of it that is spoken in one breath.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sentence {
    #[serde(flatten)]
    pub interval: Interval,
    /// Its words in [`Timeline::words`].
    #[serde(skip)]
    pub words: Range<usize>,
}

/// A named place of the text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    pub name: String,
    pub time: f64,
}

/// What is heard when; what lies between two words is silence.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// Length of the output.
    pub duration: f64,
    pub sentences: Vec<Sentence>,
    /// Words as spoken.
    pub words: Vec<Interval>,
    /// Sounds, each with the stress mark before it.
    pub phonemes: Vec<Interval>,
    pub marks: Vec<Mark>,
}

/// Makes a timeline out of chunks, in the order in which they are put out.
#[derive(Debug)]
pub struct TimelineBuilder {
    sample_rate: f64,
    frame_length: f64,
    timeline: Timeline,
    /// Samples before the utterance that is being spoken.
    before: usize,
    /// Samples and pointer of its chunks so far.
    samples: usize,
    pointer: Vec<i64>,
}

impl TimelineBuilder {
    /// For a voice with so many samples in a second and in a token frame.
    pub fn new(sample_rate: u32, frame_length: usize) -> Self {
        let (sample_rate, frame_length) = (f64::from(sample_rate), frame_length as f64);
        let (timeline, pointer) = (Timeline::default(), Vec::new());
        Self { sample_rate, frame_length, timeline, before: 0, samples: 0, pointer }
    }

    pub fn push(&mut self, chunk: &Chunk) {
        self.samples += chunk.samples.len();
        self.pointer.extend(&chunk.pointer);
        if chunk.is_last {
            self.utterance(&chunk.utterance);
            self.before += std::mem::take(&mut self.samples);
            self.pointer.clear();
        }
    }

    /// The timeline of all chunks.
    pub fn finish(mut self) -> Timeline {
        self.timeline.duration = self.seconds((self.before + self.samples) as f64);
        self.timeline
    }

    fn utterance(&mut self, utterance: &Utterance) {
        let symbols: Vec<char> = utterance.phonemes.chars().collect();
        let starts: Vec<f64> = symbol_starts(&self.pointer, symbols.len())
            .into_iter()
            .map(|frame| self.seconds(self.before as f64 + frame * self.frame_length))
            .collect();
        let span = |text: String, symbols: Range<usize>| {
            let bound = |i: usize| starts.get(i + 1).copied().unwrap_or_default();
            Interval { text, start: bound(symbols.start), end: bound(symbols.end) }
        };
        let first = self.timeline.words.len();
        self.timeline.words.extend(utterance.words.iter().map(|word| span(word.text.clone(), word.phonemes.clone())));
        let sounds = sounds(&symbols).into_iter();
        let sounds = sounds.map(|range| span(symbols[range.clone()].iter().collect(), range));
        self.timeline.phonemes.extend(sounds);
        let words = first..self.timeline.words.len();
        let end = self.seconds((self.before + self.samples) as f64);
        for mark in &utterance.marks {
            let time = self.timeline.words[words.clone()].get(mark.word).map_or(end, |word| word.start);
            self.timeline.marks.push(Mark { name: mark.name.clone(), time });
        }
        if let [first, .., last] | [first @ last] = &self.timeline.words[words.clone()] {
            let interval = Interval { text: utterance.text.clone(), start: first.start, end: last.end };
            self.timeline.sentences.push(Sentence { interval, words });
        }
    }

    /// Of a number of samples, to the microsecond.
    fn seconds(&self, samples: f64) -> f64 {
        (samples / self.sample_rate * 1e6).round() / 1e6
    }
}

/// When each of BEGIN, the symbols and END starts, and last when END ends, in frames. Phonemes that the pointer skips
/// share the frame that it skips them in with the one that it stood at.
pub fn symbol_starts(pointer: &[i64], symbols: usize) -> Vec<f64> {
    let mut starts = vec![0.0];
    let next = pointer.iter().skip(1).map(|&p| p as usize).chain([symbols + 2]);
    for (frame, next) in next.enumerate() {
        let here = starts.len() - 1;
        let moved = next.saturating_sub(here);
        starts.extend((1..=moved).map(|i| frame as f64 + i as f64 / moved as f64));
    }
    starts
}

/// Where the sounds lie among the symbols, each with the stress mark before it.
fn sounds(symbols: &[char]) -> Vec<Range<usize>> {
    let is_stress = |i: usize| matches!(symbols[i], 'ˈ' | 'ˌ');
    let start = |i: usize| if i > 0 && is_stress(i - 1) { i - 1 } else { i };
    (0..symbols.len()).filter(|&i| Vocab::is_sound(symbols[i])).map(|i| start(i)..i + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symbol_lasts_as_long_as_the_pointer_stays() {
        assert_eq!(symbol_starts(&[0, 1, 1, 2, 3], 2), [0.0, 1.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn skipped_symbols_share_the_frame_evenly() {
        assert_eq!(symbol_starts(&[0, 3, 3, 4], 3), [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 3.0, 4.0]);
        assert_eq!(symbol_starts(&[0, 2], 4), [0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0]);
    }
}
