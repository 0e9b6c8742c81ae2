//! Guessing ahead changes how fast codes are made, not which.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::TinyVoice;
use tts::coarse::Frame;
use tts::speculative::retrieval::{Example, RetrievalIndex};
use tts::speculative::{Draft, Tally};
use tts::strategies::Strategy;
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};
use tts::text::Vocab;

const TEXT: &str = "The cat looks up.";

/// Speaks `text` into one piece.
fn speak(synthesizer: &Synthesizer, text: &str, options: &SpeechOptions) -> Chunk {
    let mut chunks = synthesizer.speak(text, options).unwrap().map(Result::unwrap);
    let mut all = chunks.next().unwrap();
    chunks.for_each(|chunk| all.append(chunk));
    all
}

fn options(seed: u64, temperature: f64) -> SpeechOptions {
    let mut options = SpeechOptions::default();
    (options.sampling.seed, options.sampling.temperature) = (seed, temperature);
    options
}

/// Makes an index of what was spoken.
fn remember(spoken: &Chunk, voice: &Path) {
    let advance = |pair: &[i64]| pair[1] - pair[0];
    let phonemes = Vocab::encode_utterance(&spoken.utterance.phonemes).unwrap();
    let path: Vec<i64> = spoken.pointer.iter().copied().chain([phonemes.len() as i64]).collect();
    let frames = spoken.codes[0].iter().zip(path.windows(2).map(advance));
    let frames = frames.map(|(&token, advance)| Frame { token, advance: advance.min(3) }).collect();
    RetrievalIndex::save(&[Example { phonemes, frames }], &voice.join("retrieval.safetensors")).unwrap();
}

#[test]
fn every_drafter_leaves_codes_and_pointer_as_they_are() {
    let mut taken = 0;
    for model in 0..2 {
        let voice = TinyVoice::new();
        let synthesizer = Synthesizer::open(voice.path()).unwrap();
        remember(&speak(&synthesizer, TEXT, &options(model + 9, 0.5)), voice.path());
        for (seed, temperature) in [(model, 0.0), (model + 1, 0.3), (model + 2, 1.5)] {
            let mut options = options(seed, temperature);
            let plain = speak(&synthesizer, TEXT, &options);
            assert_eq!(plain.tally.passes, plain.tally.frames);
            for draft in [Draft::Heads, Draft::Small, Draft::Retrieval, Draft::All] {
                for len in [1, 4] {
                    (options.draft.draft, options.draft.len) = (draft, len);
                    let drafted = speak(&synthesizer, TEXT, &options);
                    assert_eq!(drafted.codes, plain.codes, "{draft:?} {len} seed {seed} temperature {temperature}");
                    assert_eq!(drafted.pointer, plain.pointer, "{draft:?} {len} seed {seed} temperature {temperature}");
                    let Tally { passes, frames, guessed, taken: took } = drafted.tally;
                    assert_eq!(passes + took, frames);
                    assert!(guessed >= took);
                    taken += took;
                }
            }
        }
    }
    assert!(taken > 0, "no guess was ever taken: is anything guessed?");
}

#[test]
fn what_has_been_heard_before_takes_few_passes() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let mut options = options(3, 0.7);
    let plain = speak(&synthesizer, TEXT, &options);
    remember(&plain, voice.path());
    (options.draft.draft, options.draft.len) = (Draft::Retrieval, 7);
    let Tally { passes, frames, .. } = speak(&synthesizer, TEXT, &options).tally;
    assert_eq!(frames, plain.tally.frames);
    assert!(passes <= frames / 3, "{passes} passes for {frames} frames");
}

#[test]
fn tolerance_takes_more_guesses_and_still_ends() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let mut options = options(1, 0.5);
    options.draft.draft = Draft::Heads;
    let exact = speak(&synthesizer, TEXT, &options).tally;
    options.draft.tolerance = 2.0;
    let tolerant = speak(&synthesizer, TEXT, &options).tally;
    let share = |t: Tally| t.taken as f64 / t.guessed as f64;
    assert!(share(tolerant) > share(exact), "{tolerant:?} {exact:?}");
}

#[test]
fn the_depth_model_follows_what_was_guessed_well() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let mut options = options(5, 0.4);
    options.strategy.strategy = Strategy::Ar;
    let plain = speak(&synthesizer, "Hello.", &options);
    options.draft.draft = Draft::Small;
    let drafted = speak(&synthesizer, "Hello.", &options);
    assert_eq!(drafted.codes, plain.codes);
}
