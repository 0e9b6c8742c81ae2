//! The shipped voice speaks: every phoneme in its turn, neither cut short nor running away.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};

fn voice() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart")
}

/// One synthesizer for all tests: a voice belongs to one thread at a time.
fn synthesizer() -> MutexGuard<'static, Synthesizer> {
    static SHARED: OnceLock<Mutex<Synthesizer>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Mutex::new(Synthesizer::open(voice()).unwrap()));
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn speak(text: &str, options: &SpeechOptions) -> Vec<Chunk> {
    synthesizer().speak(text, options).unwrap().map(|chunk| chunk.unwrap()).collect()
}

fn samples(text: &str, options: &SpeechOptions) -> Vec<f32> {
    speak(text, options).into_iter().flat_map(|chunk| chunk.samples).collect()
}

#[test]
fn hard_texts_neither_run_away_nor_stop_early() {
    let texts = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hard.txt")).unwrap();
    assert_eq!(texts.lines().count(), 50);
    for text in texts.lines() {
        for chunk in speak(text, &SpeechOptions::default()) {
            let symbols = chunk.utterance.phonemes.chars().count() as i64;
            let path = &chunk.pointer;
            assert_eq!(path[0], 0, "{text}");
            assert!(path.windows(2).all(|w| (0..=3).contains(&(w[1] - w[0]))), "{text}: {path:?}");
            assert!(path[path.len() - 1] >= symbols - 2, "{text} ends at phoneme {:?} of {symbols}", path.last());
            let seconds = chunk.samples.len() as f64 / 22050.0;
            let usual = 0.35 + symbols as f64 / 14.5;
            assert!((0.4 * usual..2.5 * usual).contains(&seconds), "{text}: {seconds:.2} s for {symbols} symbols");
        }
    }
}

#[test]
fn what_is_spoken_is_loud_enough_and_does_not_clip() {
    let samples = samples("The harbour lights came on one after the other.", &SpeechOptions::default());
    let peak = samples.iter().fold(0f32, |peak, s| peak.max(s.abs()));
    let rms = (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt();
    assert!(peak < 1.0 && rms > 0.02, "peak {peak}, rms {rms}");
}

#[test]
fn the_same_seed_says_it_the_same_way_and_another_differently() {
    let text = "Once more, from the beginning.";
    let other = SpeechOptions {
        sampling: tts::sampling::SamplingOptions { seed: 1, ..SpeechOptions::default().sampling },
        ..Default::default()
    };
    let first = samples(text, &SpeechOptions::default());
    assert!(first == samples(text, &SpeechOptions::default()));
    assert!(first != samples(text, &other));
}

#[test]
fn a_higher_speed_takes_less_time() {
    let text = "The train to the coast leaves from the second platform in ten minutes.";
    let length = |speed: f64| samples(text, &SpeechOptions { speed, ..Default::default() }).len() as f64;
    let (slow, plain, fast) = (length(0.8), length(1.0), length(1.25));
    assert!(slow > 1.08 * plain && fast < 0.93 * plain, "{slow} {plain} {fast}");
}
