//! What cannot be spoken is refused in one line, and nothing is left behind.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use tempfile::TempDir;

use crate::common::FRAME_LENGTH;
use crate::{Desk, fails, succeeds};

#[test]
fn a_missing_source_or_goal_is_named() {
    let desk = Desk::new();
    fails(&desk.tts(&["hello"]), &["--out"]);
    fails(&desk.tts(&["--out", "a.wav"]), &["no text", "--file"]);
    fails(&desk.tts(&["--file", "none.txt", "--out", "a.wav"]), &["none.txt", "No such file"]);
    fails(&desk.tts(&["hello", "--out", "none/a.wav"]), &["none/a.wav", "no folder none"]);
    fails(&desk.tts(&["hello", "--out", "."]), &["folder"]);
    assert!(desk.files().is_empty());
}

#[test]
fn wrong_usage_ends_with_code_2() {
    let desk = Desk::new();
    desk.write("text.txt", "hello");
    let wrong: [&[&str]; 7] = [
        &[],
        &["hello", "--out", ""],
        &["hello", "--file", "text.txt", "--out", "a.wav"],
        &["hello", "--out", "a.wav", "--sample-rate", "8000"],
        &["hello", "--out", "a.wav", "--threads", "0"],
        &["hello", "--out", "a.wav", "--seed", "-1"],
        &["encode", "a.wav"],
    ];
    for args in wrong {
        assert_eq!(desk.plain(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(desk.files(), ["text.txt"]);
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let desk = Desk::new();
    let cases = [("speed", "0.1"), ("speed", "nan"), ("temperature", "9"), ("top-p", "0"), ("nar-steps", "0")];
    for (name, value) in cases {
        fails(&desk.tts(&["hello", "--out", "a.wav", &format!("--{name}={value}")]), &[name, "expected"]);
    }
    assert!(desk.files().is_empty());
}

#[test]
fn texts_without_a_word_are_refused_and_odd_ones_spoken_or_refused() {
    let desk = Desk::new();
    for text in ["", "   ", "...!?", "\u{7}\u{1b}", "\u{200b}\u{feff}"] {
        fails(&desk.tts(&[text, "--out", "a.wav"]), &["at least one word"]);
        assert!(desk.files().is_empty());
    }
    let long = "a".repeat(5000);
    for text in ["🙂", "你好", "Привет", "tab\tbell\u{7}escape\u{1b}[0m", "e\u{301}\u{301}\u{301}", &long[..]]
    {
        let output = desk.tts_with_input(&["-", "--out", "a.wav"], text.as_bytes());
        if output.status.success() {
            succeeds(&output);
            assert!(desk.read("a.wav").samples.len() >= FRAME_LENGTH);
            fs::remove_file(desk.path("a.wav")).unwrap();
        } else {
            fails(&output, &[]);
        }
        assert!(desk.files().is_empty(), "{text:.20}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused_from_everywhere() {
    let desk = Desk::new();
    desk.write("latin1.txt", b"caf\xe9");
    let argument = [OsStr::from_bytes(b"caf\xe9"), OsStr::new("--out"), OsStr::new("a.wav")];
    fails(&desk.plain(&argument), &["UTF-8", "argument"]);
    fails(&desk.tts(&["--file", "latin1.txt", "--out", "a.wav"]), &["latin1.txt", "UTF-8"]);
    fails(&desk.tts_with_input(&["-", "--out", "a.wav"], b"caf\xe9"), &["standard input", "UTF-8"]);
    assert_eq!(desk.files(), ["latin1.txt"]);
}

#[test]
fn an_unknown_voice_is_refused_with_those_that_are_there() {
    let desk = Desk::new();
    let copies = TempDir::new().unwrap();
    fs::create_dir(copies.path().join("anna")).unwrap();
    fs::copy(desk.voice.path().join("config.json"), copies.path().join("anna/config.json")).unwrap();
    let args = ["hello", "--out", "a.wav", "--voice", "nobody"];
    let output = desk.command(&args).env("TTS_VOICES", copies.path()).output().unwrap();
    fails(&output, &["nobody", "installed", "anna"]);
    assert!(desk.files().is_empty());
}

#[test]
fn a_missing_damaged_or_foreign_model_file_is_named() {
    let desk = Desk::new();
    let voice = desk.voice.path();
    let speak = || desk.tts(&["hello", "--out", "a.wav"]);
    for name in ["config.json", "codec.safetensors", "coarse.safetensors", "fine.safetensors"] {
        let whole = fs::read(voice.join(name)).unwrap();
        fs::write(voice.join(name), &whole[..whole.len() / 2]).unwrap();
        fails(&speak(), &[name]);
        fs::write(voice.join(name), b"").unwrap();
        fails(&speak(), &[name]);
        fs::remove_file(voice.join(name)).unwrap();
        fails(&speak(), &[if name == "config.json" { "no voice" } else { name }]);
        fs::write(voice.join(name), whole).unwrap();
    }
    fs::copy(voice.join("fine.safetensors"), voice.join("coarse.safetensors")).unwrap();
    fails(&speak(), &["coarse.safetensors", "tensor"]);
    assert!(desk.files().is_empty());
}

#[test]
fn a_configuration_with_an_unknown_key_or_a_size_out_of_range_is_refused() {
    let desk = Desk::new();
    let path = desk.voice.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replacen('{', "{\"colour\":1,", 1)).unwrap();
    fails(&desk.tts(&["hello", "--out", "a.wav"]), &["config.json", "colour"]);
    fs::write(&path, config.replacen("\"n_q\":3", "\"n_q\":3000000000000", 1)).unwrap();
    fails(&desk.tts(&["hello", "--out", "a.wav"]), &["config.json", "codec.n_q is 3000000000000"]);
    fs::write(&path, config.replace("\"n_q\":3", "\"n_q\":0")).unwrap();
    fails(&desk.tts(&["hello", "--out", "a.wav"]), &["config.json", "codec.n_q is 0"]);
}
