//! Sound is played while it is made, on a real sound server.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use std::iter;

use common::TinyVoice;
use pulse::PulseServer;
use tts::audio::playback::Speakers;
use tts::audio::sink::{Gain, pour};
use tts::synthesizer::{SpeechOptions, Synthesizer};

#[test]
fn the_first_sentence_is_heard_before_the_last_one_is_made() {
    let server = PulseServer::start();
    // SAFETY: the only test of this program, and no thread of it reads the environment yet.
    unsafe { std::env::set_var("PULSE_SERVER", server.address()) };
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
