//! When words are heard, in files next to the sound.

use std::fs;

use serde_json::Value;

use crate::common::SAMPLE_RATE;
use crate::{Desk, fails, stderr, succeeds};

const TEXT: &str =
    "<speak>Good morning. <break time='700ms'/>It is <mark name='ten'/>10:30 \"sharp\", & so on.</speak>";

fn json(desk: &Desk, name: &str) -> Value {
    serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap()
}

#[test]
fn every_format_is_written_and_ends_with_the_sound() {
    let desk = Desk::new();
    let text = TEXT.replace('&', "&amp;");
    let names = ["a.json", "a.srt", "a.vtt", "a.TextGrid"];
    let timing: Vec<&str> = names.iter().flat_map(|name| ["--timing", name]).collect();
    succeeds(&desk.tts(&[&[&text[..], "--out", "a.wav"], &timing[..]].concat()));
    let samples = desk.read("a.wav").samples;
    let seconds = (samples.len() as f64 / f64::from(SAMPLE_RATE) * 1e6).round() / 1e6;
    let timeline = json(&desk, "a.json");
    assert_eq!(timeline["duration"].as_f64().unwrap(), seconds);
    let words: Vec<&str> = timeline["words"].as_array().unwrap().iter().map(|w| w["text"].as_str().unwrap()).collect();
    assert_eq!(words, ["Good", "morning", "It", "is", "ten", "thirty", "sharp", "and", "so", "on"]);
    assert_eq!(timeline["marks"][0]["name"], "ten");
    assert_eq!(timeline["marks"][0]["time"], timeline["words"][4]["start"]);
    let grid = fs::read_to_string(desk.path("a.TextGrid")).unwrap();
    let last = grid.lines().rev().find_map(|line| line.trim().strip_prefix("xmax = ")).unwrap();
    assert_eq!(last.parse::<f64>().unwrap(), seconds);
    let srt = fs::read_to_string(desk.path("a.srt")).unwrap();
    assert!(srt.starts_with("1\n00:00:00,") && srt.contains("\nGood morning.\n\n2\n"), "{srt}");
    let vtt = fs::read_to_string(desk.path("a.vtt")).unwrap();
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00.") && vtt.contains("10:30 \"sharp\", &amp; so on."), "{vtt}");
    assert_eq!(desk.files(), ["a.TextGrid", "a.json", "a.srt", "a.vtt", "a.wav"]);
}

#[test]
fn a_pause_lies_between_its_words_as_silence() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["One [pause 700ms] two.", "--out", "a.wav", "--timing", "a.json"]));
    let timeline = json(&desk, "a.json");
    let (end, start) = (timeline["words"][0]["end"].as_f64().unwrap(), timeline["words"][1]["start"].as_f64().unwrap());
    assert!(start - end >= 0.7, "{timeline}");
    let at = |seconds: f64| (seconds * f64::from(SAMPLE_RATE)) as usize;
    let samples = desk.read("a.wav").samples;
    let longest = samples[at(end)..at(start)].split(|s: &f32| s.abs() > 2e-4).map(<[f32]>::len).max().unwrap();
    assert!(longest >= at(0.7), "{longest}");
}

#[test]
fn another_sample_rate_changes_no_time() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["hello there", "--out", "a.wav", "--timing", "a.json"]));
    succeeds(&desk.tts(&["hello there", "--out", "b.wav", "--timing", "b.json", "--sample-rate", "48000"]));
    assert_eq!(json(&desk, "a.json"), json(&desk, "b.json"));
    let seconds = desk.read("b.wav").samples.len() as f64 / 48000.0;
    assert!((json(&desk, "b.json")["duration"].as_f64().unwrap() - seconds).abs() < 1.0 / 48000.0);
}

#[test]
fn a_format_that_is_not_known_and_a_place_that_cannot_be_written_are_refused() {
    let desk = Desk::new();
    let output = desk.tts(&["hello", "--out", "a.wav", "--timing", "a.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(".TextGrid"), "{}", stderr(&output));
    fails(&desk.tts(&["hello", "--out", "a.wav", "--timing", "none/a.json"]), &["none/a.json", "no folder none"]);
    assert!(desk.files().is_empty());
}
