//! `tts compare` speaks in every way and tells how each did.

use std::fs;

use serde_json::Value;

use crate::{Desk, fails, stdout, succeeds};

#[test]
fn every_way_is_measured_heard_and_shown() {
    let desk = Desk::new();
    fs::write(desk.path("texts.txt"), "The cat looks up.\n\nHello.\n").unwrap();
    let ear = concat!(env!("CARGO_MANIFEST_DIR"), "/models/ear");
    let output =
        desk.tts(&["compare", "--file", "texts.txt", "--out", "comparison", "--runs", "1", "--ear", ear, "--quiet"]);
    succeeds(&output);
    let read = |name: &str| fs::read_to_string(desk.path("comparison").join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    let ways: Vec<&Value> = results["ways"].as_array().unwrap().iter().collect();
    let names: Vec<&str> = ways.iter().map(|way| way["way"].as_str().unwrap()).collect();
    for name in ["ar-nar", "ar", "nar", "nar-end", "masked-8", "flow-4", "cascade-3", "heads-2", "small-1"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for way in &ways {
        let name = way["way"].as_str().unwrap();
        assert!(way["total"].as_f64().unwrap() > 0.0, "{way}");
        assert!(way["phoneme_error_rate"].as_f64().unwrap() > 0.5, "a voice of random weights says no words: {way}");
        assert!(stdout(&output).contains(name), "{name}");
        for file in ["001.wav", "002.wav"] {
            assert!(desk.path("comparison").join(name).join(file).is_file(), "{name}/{file}");
        }
    }
    // Exact drafts say the same, to the last sample.
    let heard = |name: &str| fs::read(desk.path("comparison").join(name).join("001.wav")).unwrap();
    assert_eq!(heard("heads-2"), heard("ar-nar"));
    assert_ne!(heard("nar"), heard("ar-nar"));
    assert_eq!(read("results.csv").lines().count(), ways.len() + 1);
    let page = read("index.html");
    assert!(page.contains("<svg") && page.contains("masked-8") && page.contains("data:audio/mpeg"));
    assert!(!page.contains("src=\"http"), "the page needs something from elsewhere");
}

#[test]
fn a_way_that_there_is_not_and_a_list_without_a_text_are_refused() {
    let desk = Desk::new();
    fs::write(desk.path("texts.txt"), "Hello.\n").unwrap();
    fs::write(desk.path("empty.txt"), "\n\n").unwrap();
    let args = |file: &'static str| ["compare", "--file", file, "--out", "c", "--only", "banana"];
    fails(&desk.tts(&args("texts.txt")), &["banana", "ar-nar", "masked-8"]);
    fails(&desk.tts(&args("empty.txt")[..5]), &["empty.txt", "a text a line"]);
}
