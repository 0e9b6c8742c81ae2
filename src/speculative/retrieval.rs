//! A drafter that looks up how the training speech went on in the same place (REST, He et al. 2023, arXiv:2311.08252;
//! LLMA, Yang et al. 2023, arXiv:2304.04487): a search engine instead of a model.

use std::collections::HashMap;
use std::path::Path;

use tch::{Kind, Tensor};

use super::{Context, Drafter};
use crate::checkpoint::Checkpoint;
use crate::coarse::{ADVANCES, Frame, Place};
use crate::error::{Error, Result};

/// Tokens before a place that are compared to choose among several finds.
const LONGEST_MATCH: usize = 8;
/// Finds that are kept of each key.
const FINDS: usize = 32;

/// An utterance of the training speech.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub phonemes: Vec<i64>,
    pub frames: Vec<Frame>,
}

/// What a place looks like from near by: its phoneme with one before and two after it, its stay, and the token before.
type Key = ([i64; 4], i64, i64);

fn key(phonemes: &[i64], place: Place) -> Key {
    let at = |by: i64| usize::try_from(place.pointer + by).ok().and_then(|i| phonemes.get(i)).copied().unwrap_or(-1);
    ([at(-1), at(0), at(1), at(2)], place.stay, place.previous)
}

/// Examples, searchable by place.
#[derive(Debug)]
pub struct RetrievalIndex {
    examples: Vec<Example>,
    /// Example and frame of places with that key.
    places: HashMap<Key, Vec<(u32, u32)>>,
}

impl RetrievalIndex {
    /// Of these examples; `start` is the token before the first frame.
    pub fn new(examples: Vec<Example>, start: i64) -> Self {
        let mut places: HashMap<Key, Vec<(u32, u32)>> = HashMap::new();
        for (number, example) in (0..).zip(&examples) {
            let mut place = Place { pointer: 0, stay: 0, previous: start };
            for (t, &frame) in (0..).zip(&example.frames) {
                let finds = places.entry(key(&example.phonemes, place)).or_default();
                if finds.len() < FINDS {
                    finds.push((number, t));
                }
                place = place.after(frame);
            }
        }
        Self { examples, places }
    }

    /// Reads what [`RetrievalIndex::save`] has written; `start` is the token before the first frame.
    pub fn load(path: &Path, start: i64) -> Result<Self> {
        let file = Checkpoint::load(path)?;
        let column = |name: &str| -> Result<Vec<i64>> {
            let lacks = || Error::weights(path, format!("lacks the tensor {name}"));
            Ok(Vec::try_from(file.tensors.get(name).ok_or_else(lacks)?.to_kind(Kind::Int64))?)
        };
        let (phonemes, frames, lengths) = (column("phonemes")?, column("frames")?, column("lengths")?);
        let (mut phonemes, mut frames) = (phonemes.as_slice(), frames.as_slice());
        let mut examples = Vec::new();
        for &[symbols, count] in lengths.as_chunks().0 {
            let damaged = || Error::weights(path, "the lengths do not fit the frames".to_string());
            let take =
                |from: &mut &[i64], count: i64| from.split_off(..usize::try_from(count).ok()?).map(<[i64]>::to_vec);
            let spoken = take(&mut phonemes, symbols).ok_or_else(damaged)?;
            let coded = take(&mut frames, count).ok_or_else(damaged)?;
            let frames = coded.into_iter().map(|c| Frame { token: c / ADVANCES, advance: c % ADVANCES }).collect();
            examples.push(Example { phonemes: spoken, frames });
        }
        Ok(Self::new(examples, start))
    }

    /// Writes the examples; the index over them is made when they are loaded.
    pub fn save(examples: &[Example], path: &Path) -> Result<()> {
        let phonemes: Vec<i64> = examples.iter().flat_map(|e| e.phonemes.iter().copied()).collect();
        let code = |frame: &Frame| frame.token * ADVANCES + frame.advance;
        let frames: Vec<i64> = examples.iter().flat_map(|e| e.frames.iter().map(code)).collect();
        let lengths: Vec<i64> =
            examples.iter().flat_map(|e| [e.phonemes.len() as i64, e.frames.len() as i64]).collect();
        let mut file = Checkpoint::default();
        for (name, column) in [("phonemes", phonemes), ("frames", frames), ("lengths", lengths)] {
            file.tensors.insert(name.into(), Tensor::from_slice(&column).to_kind(Kind::Int16));
        }
        file.save(path, None)
    }

    /// How speech went on in the place that is most like `place` after `before`, at most `len` frames.
    pub fn find(&self, phonemes: &[i64], place: Place, before: &[Frame], len: usize) -> &[Frame] {
        let Some(finds) = self.places.get(&key(phonemes, place)) else { return &[] };
        let alike = |&&(example, t): &&(u32, u32)| {
            let there = self.examples[example as usize].frames[..t as usize].iter().rev();
            there.zip(before.iter().rev()).take(LONGEST_MATCH).take_while(|(a, b)| a == b).count()
        };
        let best = finds.iter().max_by_key(alike);
        best.map_or(&[], |&(example, t)| {
            let frames = &self.examples[example as usize].frames[t as usize..];
            &frames[..len.min(frames.len())]
        })
    }
}

/// Guesses what the index finds.
pub struct RetrievalDrafter<'a> {
    index: &'a RetrievalIndex,
    phonemes: Vec<i64>,
}

impl<'a> RetrievalDrafter<'a> {
    /// For an utterance of these phonemes, as the coarse model reads them.
    pub fn new(index: &'a RetrievalIndex, phonemes: Vec<i64>) -> Self {
        Self { index, phonemes }
    }
}

impl Drafter for RetrievalDrafter<'_> {
    fn guess(&mut self, context: &Context, len: usize) -> Result<Vec<Frame>> {
        Ok(self.index.find(&self.phonemes, context.state.place(), context.frames, len).to_vec())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spoken_in_the_same_place_after_the_same_tokens_is_found() {
        let frames = |codes: &[(i64, i64)]| codes.iter().map(|&(token, advance)| Frame { token, advance }).collect();
        let phonemes = vec![1, 5, 6, 2];
        let one = Example { phonemes: phonemes.clone(), frames: frames(&[(7, 1), (8, 1), (9, 0), (3, 1), (4, 1)]) };
        let other = Example { phonemes: phonemes.clone(), frames: frames(&[(6, 1), (8, 1), (2, 0), (3, 2)]) };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("retrieval.safetensors");
        RetrievalIndex::save(&[other, one], &path).unwrap();
        let index = RetrievalIndex::load(&path, 10).unwrap();

        let place = Place { pointer: 2, stay: 0, previous: 8 };
        let before: Vec<Frame> = frames(&[(7, 1), (8, 1)]);
        assert_eq!(index.find(&phonemes, place, &before, 2), frames(&[(9, 0), (3, 1)]));
        let before: Vec<Frame> = frames(&[(6, 1), (8, 1)]);
        assert_eq!(index.find(&phonemes, place, &before, 9), frames(&[(2, 0), (3, 2)]));
        assert!(index.find(&phonemes, Place { previous: 7, ..place }, &before, 9).is_empty());
    }
}
