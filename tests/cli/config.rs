//! Defaults out of a file.

use std::fs;
use std::process::Output;

use crate::{Desk, fails, stderr, stdout, succeeds};

/// Speaks into `name` with the configuration in `config.toml`.
fn speak(desk: &Desk, name: &str, more: &[&str]) -> Output {
    let args = ["A good day to you.", "--out", name, "--config", "config.toml"];
    desk.plain(&[&args, more].concat())
}

#[test]
fn a_configuration_sets_defaults_and_the_command_line_wins() {
    let desk = Desk::new();
    let voice = desk.voice.path().display();
    desk.write("config.toml", format!("voice = \"{voice}\"\nseed = 7\nsample_rate = 16000\n"));
    succeeds(&speak(&desk, "config.wav", &[]));
    succeeds(&speak(&desk, "over.wav", &["--seed", "8"]));
    for (seed, name) in [("7", "seven.wav"), ("8", "eight.wav")] {
        succeeds(&desk.tts(&["A good day to you.", "--seed", seed, "--sample-rate", "16000", "--out", name]));
    }
    let [config, over, seven, eight] =
        ["config.wav", "over.wav", "seven.wav", "eight.wav"].map(|name| fs::read(desk.path(name)).unwrap());
    assert!(config == seven && over == eight && seven != eight);
}

#[test]
fn the_users_own_configuration_is_read_without_being_named() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path(".config/tts")).unwrap();
    let voice = desk.voice.path().display();
    desk.write(".config/tts/config.toml", format!("voice = \"{voice}\"\n"));
    succeeds(&desk.plain(&["hello", "--out", "a.wav"]));
    desk.write(".config/tts/config.toml", "voice = \"nobody\"\n");
    fails(&desk.plain(&["hello", "--out", "a.wav"]), &["nobody", "hint", "tts voices"]);
}

#[test]
fn paths_in_a_configuration_start_from_its_folder() {
    let desk = Desk::new();
    fs::create_dir(desk.path("sub")).unwrap();
    desk.write("sub/words.tsv", "hello\t/ɡˈʊdbˌI/\n");
    desk.write("sub/config.toml", "lexicon = \"words.tsv\"\n");
    let output = desk.plain(&["phonemize", "hello", "--config", "sub/config.toml"]);
    succeeds(&output);
    assert!(stdout(&output).contains("ɡˈʊdbˌI"));
}

#[test]
fn what_a_configuration_cannot_hold_is_named_with_what_was_expected() {
    let desk = Desk::new();
    let cases: [(&str, &[&str]); 5] = [
        ("colour = 1", &["colour", "expected one of voice, threads"]),
        ("sample_rate = 8000", &["sample_rate", "8000", "16000"]),
        ("threads = \"many\"", &["threads", "many"]),
        ("seed = [1]", &["seed", "expected a text or a number, found array"]),
        ("seed = ", &["not valid TOML"]),
    ];
    for (text, parts) in cases {
        desk.write("config.toml", text);
        fails(&speak(&desk, "a.wav", &[]), &[&["config.toml"], parts].concat());
    }
    fails(&desk.plain(&["hello", "--out", "a.wav", "--config", "none.toml"]), &["none.toml", "No such file"]);
    assert_eq!(desk.files(), ["config.toml"]);
}

#[test]
fn verbose_tells_each_stage_on_standard_error_and_nothing_is_told_without() {
    let desk = Desk::new();
    let output = desk.tts(&["hello", "--out", "a.wav", "-v"]);
    assert!(output.status.success());
    for part in ["voice loaded", "utterance read", "chunk spoken", "həlˈO", "coarse="] {
        assert!(stderr(&output).contains(part), "{part} is not in {}", stderr(&output));
    }
    assert!(!stderr(&output).contains('\u{1b}'));
    assert_eq!(stdout(&output), "");
    succeeds(&desk.tts(&["hello", "--out", "a.wav"]));
}
