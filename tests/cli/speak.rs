//! Text to a WAV file.

use std::fs;

use crate::common::{FRAME_LENGTH, SAMPLE_RATE};
use crate::{Desk, fails, succeeds};

#[test]
fn a_text_becomes_a_mono_16_bit_file_at_the_rate_of_the_voice() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["hello", "--out", "hi.wav"]));
    assert_eq!(desk.files(), ["hi.wav"]);
    let bytes = fs::read(desk.path("hi.wav")).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((&bytes[..4], &bytes[8..16], &bytes[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
    assert_eq!((number(4), number(40)), (bytes.len() as u32 - 8, bytes.len() as u32 - 44));
    let audio = desk.read("hi.wav");
    assert_eq!(audio.sample_rate, SAMPLE_RATE);
    assert!(audio.samples.len() >= FRAME_LENGTH && audio.samples.len() < 60 * SAMPLE_RATE as usize);
    assert!(audio.samples.iter().any(|s| s.abs() > 1e-3));
}

#[test]
fn speak_is_the_same_as_no_command_and_can_say_the_name_of_a_command() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["hello", "--out", "a.wav"]));
    succeeds(&desk.tts(&["speak", "hello", "--out", "b.wav"]));
    succeeds(&desk.tts(&["speak", "voices", "--out", "c.wav"]));
    assert_eq!(fs::read(desk.path("a.wav")).unwrap(), fs::read(desk.path("b.wav")).unwrap());
    assert_ne!(fs::read(desk.path("a.wav")).unwrap(), fs::read(desk.path("c.wav")).unwrap());
}

#[test]
fn text_is_the_same_from_an_argument_a_file_and_standard_input() {
    let desk = Desk::new();
    desk.write("text.txt", "\u{feff}Good morning.\n");
    succeeds(&desk.tts(&["Good morning.", "--out", "a.wav"]));
    succeeds(&desk.tts(&["--file", "text.txt", "--out", "b.wav"]));
    succeeds(&desk.tts_with_input(&["-", "--out", "c.wav"], b"Good morning."));
    let spoken = fs::read(desk.path("a.wav")).unwrap();
    assert_eq!(fs::read(desk.path("b.wav")).unwrap(), spoken);
    assert_eq!(fs::read(desk.path("c.wav")).unwrap(), spoken);
}

#[test]
fn the_same_seed_speaks_the_same_and_another_differently() {
    let desk = Desk::new();
    for (seed, name) in [("7", "a.wav"), ("7", "b.wav"), ("8", "c.wav")] {
        succeeds(&desk.tts(&["A good day to you.", "--seed", seed, "--out", name]));
    }
    let [a, b, c] = ["a.wav", "b.wav", "c.wav"].map(|name| fs::read(desk.path(name)).unwrap());
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn every_sample_rate_holds_the_same_sound() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["hello", "--out", "own.wav"]));
    let seconds = desk.read("own.wav").samples.len() as f64 / f64::from(SAMPLE_RATE);
    for rate in [16000, 48000] {
        succeeds(&desk.tts(&["hello", "--out", "other.wav", "--sample-rate", &rate.to_string()]));
        let audio = desk.read("other.wav");
        assert_eq!(audio.sample_rate, rate);
        assert_eq!(audio.samples.len(), (seconds * f64::from(rate)).round() as usize);
    }
}

#[test]
fn an_existing_file_is_replaced_by_success_and_kept_by_failure() {
    let desk = Desk::new();
    desk.write("a.wav", "old");
    fails(&desk.tts(&["...", "--out", "a.wav"]), &["at least one word"]);
    assert_eq!(fs::read(desk.path("a.wav")).unwrap(), b"old");
    succeeds(&desk.tts(&["hello", "--out", "a.wav"]));
    assert!(desk.read("a.wav").samples.len() >= FRAME_LENGTH);
    assert_eq!(desk.files(), ["a.wav"]);
}
