//! Pauses and SSML on the command line, and that speaking can be repeated.

use std::fs;

use crate::common::SAMPLE_RATE;
use crate::{Desk, fails, stdout, succeeds};

#[test]
fn ssml_is_recognised_and_can_be_demanded() {
    let desk = Desk::new();
    desk.write("a.ssml", "<?xml version='1.0'?>\n<speak>Good <break time='1s'/> night.</speak>\n");
    succeeds(&desk.tts(&["--file", "a.ssml", "--out", "a.wav"]));
    succeeds(&desk.tts(&["--file", "a.ssml", "--ssml", "--out", "b.wav"]));
    succeeds(&desk.tts(&["Good [pause 1000ms] night.", "--out", "c.wav"]));
    let spoken = fs::read(desk.path("a.wav")).unwrap();
    assert_eq!(fs::read(desk.path("b.wav")).unwrap(), spoken);
    assert_eq!(fs::read(desk.path("c.wav")).unwrap(), spoken);
    fails(&desk.tts(&["Good night.", "--ssml", "--out", "d.wav"]), &["line 1, column 1", "XML"]);
    fails(&desk.tts(&["<p>Good night.</p>", "--ssml", "--out", "d.wav"]), &["line 1, column 1", "<speak>", "<p>"]);
    assert_eq!(desk.files(), ["a.ssml", "a.wav", "b.wav", "c.wav"]);
}

#[test]
fn markup_that_is_not_understood_is_refused_where_it_stands() {
    let desk = Desk::new();
    desk.write("bad.ssml", "<speak>\n  <p>Hello</s>\n</speak>");
    fails(&desk.tts(&["--file", "bad.ssml", "--out", "a.wav"]), &["line 2, column 11", "XML"]);
    fails(&desk.tts(&["<speak><audio src='x'/></speak>", "--out", "a.wav"]), &["<audio>", "prosody, mark"]);
    fails(&desk.tts(&["Hello [pause 90s]", "--out", "a.wav"]), &["line 1, column 7", "0 to 60 seconds"]);
    assert_eq!(desk.files(), ["bad.ssml"]);
}

#[test]
fn phonemize_reads_ssml() {
    let desk = Desk::new();
    let output = desk.plain(&["phonemize", "<speak><s>Hello</s> <sub alias='you'>U</sub></speak>"]);
    succeeds(&output);
    assert_eq!(stdout(&output).lines().count(), 2);
    assert!(!stdout(&output).contains("speak"));
}

#[test]
fn pauses_after_sentences_and_paragraphs_are_as_long_as_asked_for() {
    let desk = Desk::new();
    let length = |pauses: [&str; 2]| {
        let text = "One. Two.\n\nThree.";
        succeeds(&desk.tts(&[text, "--out", "a.wav", "--sentence-pause", pauses[0], "--paragraph-pause", pauses[1]]));
        desk.read("a.wav").samples.len()
    };
    let none = length(["0", "0"]);
    assert_eq!(length(["0.5", "0"]) - none, 3 * SAMPLE_RATE as usize / 2);
    assert_eq!(length(["0", "2"]) - none, 2 * 2 * SAMPLE_RATE as usize);
    fails(&desk.tts(&["One.", "--out", "b.wav", "--sentence-pause", "61"]), &["sentence-pause", "0 to 60"]);
    fails(&desk.tts(&["One.", "--out", "b.wav", "--paragraph-pause=-1"]), &["paragraph-pause", "0 to 60"]);
}

#[test]
fn the_same_settings_give_the_same_bytes_in_every_file() {
    let desk = Desk::new();
    let settings: [&[&str]; 3] = [
        &["--seed", "7"],
        &["--temperature", "0", "--speed", "1.3", "--nar-steps", "2"],
        &["--temperature", "1", "--top-k", "9", "--sentence-pause", "0.2", "--sample-rate", "16000"],
    ];
    for settings in settings {
        let [first, second] = ["a", "b"].map(|name| {
            let (wav, json) = (format!("{name}.wav"), format!("{name}.json"));
            let text = "A good day to you. [pause 300ms] And <to> you!";
            succeeds(&desk.tts(&[&[text, "--out", &wav, "--timing", &json], settings].concat()));
            [wav, json].map(|name| fs::read(desk.path(&name)).unwrap())
        });
        assert!(first == second, "{settings:?}");
    }
}

#[test]
fn another_seed_reads_otherwise_unless_the_temperature_is_0() {
    let desk = Desk::new();
    let reading = |seed: &str, temperature: &str| {
        let settings = ["--seed", seed, "--temperature", temperature];
        succeeds(&desk.tts(&[&["A good day to you.", "--out", "a.wav", "--timing", "a.json"], &settings[..]].concat()));
        fs::read_to_string(desk.path("a.json")).unwrap()
    };
    assert_ne!(reading("7", "1"), reading("8", "1"));
    assert_eq!(reading("7", "0"), reading("8", "0"));
}
