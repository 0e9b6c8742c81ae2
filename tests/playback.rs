//! Sound is played while it is made, on a real sound server.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::TinyVoice;
use pulse::PulseServer;
use tts::audio::playback::Speakers;
use tts::audio::sink::{Gain, pour};
use tts::synthesizer::{SpeechOptions, Synthesizer};

/// A sound server that this program plays to, alone until the guard is dropped.
fn server() -> (PulseServer, MutexGuard<'static, ()>) {
    static ENVIRONMENT: Mutex<()> = Mutex::new(());
    let guard = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    let server = PulseServer::start();
    // SAFETY: the other tests wait for the guard, and no other code of this program writes the environment.
    server.environment().into_iter().for_each(|(name, value)| unsafe { std::env::set_var(name, value) });
    (server, guard)
}

#[test]
fn the_first_sentence_is_heard_before_the_last_one_is_made() {
    let (server, _alone) = server();
    let recording = server.record("floats");
    let voice = TinyVoice::new();
    let synthesizer = Synthesizer::open(voice.path()).unwrap();
    let text = "The kettle boils. The cat looks up.\n\nNobody comes.";
    let options = SpeechOptions::default();
    let count = synthesizer.speak(text, &options).unwrap().count();
    assert!(count >= 2);

    let mut speech = synthesizer.speak(text, &options).unwrap();
    let mut made = 0;
    let blocks = iter::from_fn(|| {
        if made == count - 1 {
            recording.wait_for_sound();
        }
        made += 1;
        Some(speech.next()?.map(|chunk| chunk.samples))
    });
    let poured = pour(blocks, synthesizer.sample_rate(), Gain::decibels(0.0).unwrap(), Speakers::open(None).unwrap());
    let all = synthesizer.samples(text, &options).unwrap().len() as u64;
    assert_eq!(poured.unwrap().samples, all * 16000 / u64::from(synthesizer.sample_rate()));
}

#[test]
fn a_sentence_that_comes_late_leaves_a_gap_that_is_counted_and_loses_no_sample() {
    let (server, _alone) = server();
    let recording = server.record("floats");
    let speakers = Speakers::open(Some("floats")).unwrap();
    let counter = speakers.gaps();
    let mut sentence = 0;
    let blocks = iter::from_fn(|| {
        sentence += 1;
        if sentence == 2 {
            recording.sound(); // and the silence after it
        }
        (sentence <= 2).then(|| Ok(vec![0.5; 5000]))
    });
    pour(blocks, 16000, Gain::decibels(0.0).unwrap(), speakers).unwrap();
    let heard = recording.sound();
    assert_eq!(heard.iter().filter(|s| **s == 0.5).count(), 10_000);
    assert!(heard.len() > 14_000, "{}", heard.len());
    let gaps = counter.read();
    assert!(gaps.count >= 1 && gaps.silence > Duration::ZERO, "{gaps:?}");
}
