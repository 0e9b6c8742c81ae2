//! Every way to generate speaks the whole text, and the same seed the same way.
#![allow(clippy::unwrap_used)]

mod common;

use common::TinyVoice;
use tts::strategies::{Draw, Length, Strategy, StrategyOptions};
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};

const TEXT: &str = "The cat looks up.";

fn speak(synthesizer: &Synthesizer, strategy: StrategyOptions, seed: u64) -> Chunk {
    let mut options = SpeechOptions { strategy, paragraph_pause: 0.0, ..Default::default() };
    (options.sampling.seed, options.sampling.temperature) = (seed, 1.0);
    let mut chunks = synthesizer.speak(TEXT, &options).unwrap().map(Result::unwrap);
    let mut all = chunks.next().unwrap();
    chunks.for_each(|chunk| all.append(chunk));
    all
}

fn of(strategy: Strategy) -> StrategyOptions {
    StrategyOptions { strategy, ..Default::default() }
}

const ALL: [Strategy; 6] =
    [Strategy::ArNar, Strategy::Ar, Strategy::Nar, Strategy::Masked, Strategy::Flow, Strategy::Cascade];

#[test]
fn every_strategy_walks_over_the_phonemes_and_fills_every_codebook() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    for strategy in ALL {
        let spoken = speak(&synthesizer, of(strategy), 3);
        let (frames, frame) = (spoken.pointer.len(), synthesizer.voice().config.codec.frame_length() as usize);
        assert!(spoken.pointer.is_sorted() && spoken.pointer[0] <= 3, "{strategy:?}: {:?}", spoken.pointer);
        assert_eq!(spoken.samples.len(), frames * frame, "{strategy:?}");
        assert!(spoken.codes.iter().all(|codes| codes.len() == frames), "{strategy:?}");
        assert!(spoken.samples.iter().all(|s| s.is_finite()) && spoken.samples.iter().any(|s| *s != 0.0));
        let again = speak(&synthesizer, of(strategy), 3);
        assert_eq!(again.samples, spoken.samples, "{strategy:?}");
    }
}

#[test]
fn frame_by_frame_makes_one_frame_a_pass_and_at_once_makes_all() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    for strategy in ALL {
        let spoken = speak(&synthesizer, of(strategy), 3);
        let frames = spoken.pointer.len() as u64;
        let passes: Vec<u64> = match strategy {
            Strategy::ArNar | Strategy::Ar => (1..=frames).collect(),
            Strategy::Nar => vec![1; frames as usize],
            Strategy::Cascade => (0..frames)
                .map(|t| {
                    if t % 4 == 0 {
                        1
                    } else if t % 2 == 0 {
                        2
                    } else {
                        3
                    }
                })
                .collect(),
            Strategy::Flow => vec![8; frames as usize],
            Strategy::Masked => {
                assert!(spoken.passes.iter().all(|pass| (1..=8).contains(pass)));
                assert!(frames < 8 || spoken.passes.iter().max() > spoken.passes.iter().min());
                continue;
            }
        };
        assert_eq!(spoken.passes, passes, "{strategy:?}");
    }
}

#[test]
fn what_is_drawn_at_once_depends_on_the_seed_only_where_something_is_drawn() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let codes = |options: &StrategyOptions, seed| speak(&synthesizer, options.clone(), seed).codes;
    for (draw, differs) in [(Draw::Greedy, false), (Draw::Independent, true), (Draw::Latent, true)] {
        let options = StrategyOptions { draw, ..of(Strategy::Nar) };
        assert_eq!(codes(&options, 1) != codes(&options, 2), differs, "{draw:?}");
    }
    let flow = of(Strategy::Flow);
    assert_ne!(codes(&flow, 1), codes(&flow, 2));
}

#[test]
fn one_step_of_masked_and_of_the_cascade_is_nar() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let nar = speak(&synthesizer, of(Strategy::Nar), 1).codes;
    for strategy in [Strategy::Masked, Strategy::Cascade] {
        let one = StrategyOptions { steps: Some(1), ..of(strategy) };
        assert_eq!(speak(&synthesizer, one, 1).codes, nar, "{strategy:?}");
    }
}

#[test]
fn a_fixed_long_output_ends_somewhere() {
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let options = StrategyOptions { length: Length::End, ..of(Strategy::Nar) };
    let spoken = speak(&synthesizer, options, 1);
    let symbols = spoken.utterance.phonemes.chars().count() + 2;
    let longest = synthesizer.voice().parallel().unwrap().config().even_path(symbols, 0.0).len();
    assert!((1..=longest).contains(&spoken.pointer.len()), "{} of {longest} frames", spoken.pointer.len());
}

#[test]
fn options_that_a_strategy_has_no_use_for_are_refused() {
    let refused = |options: StrategyOptions, named: &str| {
        let reason = options.validate().unwrap_err().to_string();
        assert!(reason.contains(named), "{reason}");
    };
    refused(StrategyOptions { steps: Some(4), ..of(Strategy::Nar) }, "masked, flow and cascade");
    refused(StrategyOptions { steps: Some(4), ..of(Strategy::Cascade) }, "1 to 3");
    refused(StrategyOptions { steps: Some(0), ..of(Strategy::Flow) }, "1 to 100");
    refused(StrategyOptions { draw: Draw::Latent, ..of(Strategy::ArNar) }, "nar, masked and cascade");
    refused(StrategyOptions { length: Length::End, ..of(Strategy::Masked) }, "nar only");
}
