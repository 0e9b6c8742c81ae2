//! The program as a person at a terminal meets it, with a voice of tiny random models.
#![allow(clippy::unwrap_used)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use common::{FRAME_LENGTH, SAMPLE_RATE, TinyVoice};
use tempfile::TempDir;
use tts::audio::wav::{self, Audio};
use tts::checkpoint::Checkpoint;

/// An empty folder to work in, and the folder of a voice.
struct Desk {
    dir: TempDir,
    voice: TinyVoice,
}

impl Desk {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), voice: TinyVoice::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tts"));
        command.args(args).current_dir(&self.dir).env_remove("TTS_VOICES").env("RUST_BACKTRACE", "1");
        command
    }

    /// Runs `tts` with these arguments, as they are.
    fn plain<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs `tts` with the tiny voice.
    fn tts(&self, args: &[&str]) -> Output {
        self.command(args).arg("--voice").arg(self.voice.path()).output().unwrap()
    }

    fn tts_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(args);
        command.arg("--voice").arg(self.voice.path());
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Names of the files that lie in the working folder.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Audio {
        wav::read(&self.path(name)).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(stderr(output), "");
}

/// The program ended with code 1 and one line that holds every one of `parts`.
#[track_caller]
fn fails(output: &Output, parts: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("error: ") && message.ends_with('\n'), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
    assert_eq!(stdout(output), "");
}

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
fn a_configuration_with_an_unknown_key_is_refused() {
    let desk = Desk::new();
    let path = desk.voice.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replacen('{', "{\"colour\":1,", 1)).unwrap();
    fails(&desk.tts(&["hello", "--out", "a.wav"]), &["config.json", "colour"]);
}

#[test]
fn a_lexicon_changes_how_a_word_is_spoken() {
    let desk = Desk::new();
    desk.write("lexicon.tsv", "hello\t/ɡˈʊdbˌI/\n");
    let phonemes = |args: &[&str]| stdout(&desk.plain(args));
    assert!(phonemes(&["phonemize", "hello", "--lexicon", "lexicon.tsv"]).contains("ɡˈʊdbˌI"));
    assert!(!phonemes(&["phonemize", "hello"]).contains("ɡˈʊdbˌI"));
    fails(&desk.tts(&["hello", "--out", "a.wav", "--lexicon", "none.tsv"]), &["none.tsv", "No such file"]);
}

#[test]
fn batch_speaks_each_line_into_its_file_as_speak_would() {
    let desk = Desk::new();
    desk.write("list.tsv", "one\tGood morning.\r\n\nzwei-ü\tGood night.\n");
    succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--sample-rate", "16000"]));
    succeeds(&desk.tts(&["Good night.", "--out", "alone.wav", "--sample-rate", "16000"]));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 2);
    assert_eq!(desk.read("out/one.wav").sample_rate, 16000);
    assert_eq!(fs::read(desk.path("out/zwei-ü.wav")).unwrap(), fs::read(desk.path("alone.wav")).unwrap());
}

#[test]
fn batch_goes_on_after_bad_lines_and_names_them_at_the_end() {
    let desk = Desk::new();
    let list: [&[u8]; 7] =
        [b"good\tHello.", b"no tab", b"\tHello.", b"../up\tHello.", b"good\tAgain.", b"dots\t...", b"bytes\t\xff"];
    desk.write("list.tsv", [list.join(&b'\n'), b"\nlast\tBye.\n".to_vec()].concat());
    let output = desk.tts(&["batch", "list.tsv", "--out-dir", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 7, "{message}");
    for (number, line) in (2..=7).zip(&lines) {
        assert!(line.starts_with(&format!("list.tsv, line {number}: ")), "{line}");
        assert!(lines[6].contains(&format!("line {number}: ")), "{}", lines[6]);
    }
    assert!(lines[6].starts_with("error: list.tsv: 6 of 8 texts were not spoken"), "{}", lines[6]);
    let mut files: Vec<_> = fs::read_dir(desk.path("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["good.wav", "last.wav"]);
    assert_eq!(desk.files(), ["list.tsv", "out"]);
}

#[test]
fn batch_without_a_list_or_a_place_to_write_is_refused() {
    let desk = Desk::new();
    desk.write("empty.tsv", "\n\n");
    desk.write("list.tsv", "one\tHello.\n");
    fails(&desk.tts(&["batch", "none.tsv", "--out-dir", "out"]), &["none.tsv"]);
    fails(&desk.tts(&["batch", "empty.tsv", "--out-dir", "out"]), &["empty.tsv", "found none"]);
    fails(&desk.tts(&["batch", "list.tsv", "--out-dir", "none/out"]), &["none/out"]);
    fails(&desk.tts(&["batch", "list.tsv", "--out-dir", "list.tsv"]), &["list.tsv"]);
    assert_eq!(desk.files(), ["empty.tsv", "list.tsv"]);
}

#[test]
fn a_recording_comes_back_from_its_codes_with_its_length_from_any_rate() {
    let desk = Desk::new();
    let tone = |i: usize| (i as f32 * 0.05).sin() * 0.3;
    for (sample_rate, count, expected) in [(8000, 3001, 3001), (44100, 44100, 8000), (8000, 1, 1)] {
        let samples = (0..count).map(tone).collect();
        wav::write(&desk.path("in.wav"), &Audio { samples, sample_rate }).unwrap();
        succeeds(&desk.tts(&["encode", "in.wav", "--out", "x.codes"]));
        succeeds(&desk.tts(&["decode", "x.codes", "--out", "out.wav"]));
        let audio = desk.read("out.wav");
        assert_eq!((audio.sample_rate, audio.samples.len()), (SAMPLE_RATE, expected));
    }
    succeeds(&desk.tts(&["decode", "x.codes", "--out", "out.wav", "--sample-rate", "16000"]));
    assert_eq!(desk.read("out.wav").samples.len(), 2);
    assert_eq!(desk.files(), ["in.wav", "out.wav", "x.codes"]);
}

#[test]
fn recordings_that_cannot_be_encoded_are_refused() {
    let desk = Desk::new();
    desk.write("text.wav", "this is not a recording");
    wav::write(&desk.path("empty.wav"), &Audio { samples: vec![], sample_rate: 8000 }).unwrap();
    fails(&desk.tts(&["encode", "text.wav", "--out", "x.codes"]), &["text.wav", "WAV"]);
    fails(&desk.tts(&["encode", "empty.wav", "--out", "x.codes"]), &["at least one sample"]);
    fails(&desk.tts(&["encode", "none.wav", "--out", "x.codes"]), &["none.wav"]);
    fails(&desk.tts(&["encode", "empty.wav", "--out", "none/x.codes"]), &["no folder none"]);
    assert_eq!(desk.files(), ["empty.wav", "text.wav"]);
}

/// Codes of 1000 samples of silence, for a test to spoil.
fn encoded(desk: &Desk) -> Checkpoint {
    wav::write(&desk.path("in.wav"), &Audio { samples: vec![0.0; 1000], sample_rate: 8000 }).unwrap();
    succeeds(&desk.tts(&["encode", "in.wav", "--out", "x.codes"]));
    fs::remove_file(desk.path("in.wav")).unwrap();
    Checkpoint::load(&desk.path("x.codes")).unwrap()
}

#[test]
fn codes_that_do_not_fit_the_codec_are_refused() {
    let desk = Desk::new();
    let good = encoded(&desk);
    let refused = |parts: &[&str], spoil: &dyn Fn(&mut Checkpoint)| {
        let mut checkpoint = Checkpoint::load(&desk.path("x.codes")).unwrap();
        spoil(&mut checkpoint);
        checkpoint.save(&desk.path("y.codes"), None).unwrap();
        fails(&desk.tts(&["decode", "y.codes", "--out", "a.wav"]), &[&["y.codes"], parts].concat());
    };
    let codes = good.tensors["codes"].copy();
    refused(&["lacks", "codes"], &|file| file.tensors.clear());
    refused(&["0 to 31"], &|file| drop(file.tensors.insert("codes".into(), codes.full_like(32))));
    refused(&["0 to 31"], &|file| drop(file.tensors.insert("codes".into(), codes.full_like(-1))));
    refused(&["shape"], &|file| drop(file.tensors.insert("codes".into(), codes.narrow(0, 0, 2))));
    refused(&["shape"], &|file| drop(file.metadata.insert("sample_count".into(), "99999".into())));
    refused(&["sample_count"], &|file| drop(file.metadata.insert("sample_count".into(), "many".into())));
    refused(&["another codec"], &|file| drop(file.metadata.insert("codebooks".into(), "0".into())));
    refused(&["Int16"], &|file| drop(file.tensors.insert("codes".into(), codes.to_kind(tch::Kind::Int64))));
    assert_eq!(desk.files(), ["x.codes", "y.codes"]);
}

#[test]
fn files_of_codes_that_are_damaged_or_foreign_are_refused() {
    let desk = Desk::new();
    encoded(&desk);
    let whole = fs::read(desk.path("x.codes")).unwrap();
    for content in [&whole[..whole.len() - 1], &whole[..9], b"", b"hello, this is text"] {
        desk.write("x.codes", content);
        fails(&desk.tts(&["decode", "x.codes", "--out", "a.wav"]), &["x.codes"]);
    }
    fs::copy(desk.voice.path().join("fine.safetensors"), desk.path("x.codes")).unwrap();
    fails(&desk.tts(&["decode", "x.codes", "--out", "a.wav"]), &["x.codes", "codes"]);
    assert_eq!(desk.files(), ["x.codes"]);
}

#[test]
fn bench_reports_every_stage_as_a_table_and_as_json() {
    let desk = Desk::new();
    let output = desk.tts(&["bench", "--text", "Hello there.", "--runs", "2", "--json", "bench.json"]);
    succeeds(&output);
    for part in ["front end", "coarse", "fine", "decoder", "in all", "time to first audio", "peak memory"] {
        assert!(stdout(&output).contains(part), "{part} is not in {}", stdout(&output));
    }
    let json: serde_json::Value = serde_json::from_slice(&fs::read(desk.path("bench.json")).unwrap()).unwrap();
    assert_eq!(json["machine"]["threads"], 1);
    assert!(json["peak_memory_bytes"].as_u64().unwrap() > 10_000_000);
    let text = &json["texts"][0];
    assert!(text["audio_seconds"].as_f64().unwrap() > 0.0);
    let factor = |stage: &str| text["real_time_factor"][stage]["median"].as_f64().unwrap();
    let stages: f64 = ["front_end", "coarse", "fine", "decoder"].map(factor).iter().sum();
    assert!(stages > 0.0 && stages <= 1.2 * factor("total"), "{text}");
    let first = &text["first_audio_seconds"];
    assert!(first["min"].as_f64() <= first["median"].as_f64() && first["median"].as_f64() <= first["max"].as_f64());
}

#[test]
fn voices_lists_what_is_found_and_leaves_out_what_is_damaged() {
    let desk = Desk::new();
    let folder = TempDir::new().unwrap();
    for name in ["anna", "broken"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for file in ["config.json", "codec.safetensors", "coarse.safetensors", "fine.safetensors"] {
        fs::copy(desk.voice.path().join(file), folder.path().join("anna").join(file)).unwrap();
    }
    fs::write(folder.path().join("broken/config.json"), "{}").unwrap();
    let output = desk.command(&["voices"]).env("TTS_VOICES", folder.path()).output().unwrap();
    assert!(output.status.success());
    let row = stdout(&output).lines().find(|line| line.starts_with("anna ")).unwrap().to_string();
    for part in ["en-US", "CC0-1.0", "8000 Hz", "MB", folder.path().to_str().unwrap()] {
        assert!(row.contains(part), "{part} is not in {row}");
    }
    assert!(!stdout(&output).contains("broken"));
    assert!(stderr(&output).contains("broken/config.json"));
    let speak = ["hello", "--out", "a.wav", "--voice", "anna"];
    succeeds(&desk.command(&speak).env("TTS_VOICES", folder.path()).output().unwrap());
}

#[test]
fn phonemize_prints_a_line_for_each_utterance() {
    let desk = Desk::new();
    let output = desk.plain(&["phonemize", "Hello. How are you?"]);
    succeeds(&output);
    let lines: Vec<String> = stdout(&output).lines().map(str::to_string).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("həlˈO"), "{lines:?}");
    fails(&desk.plain(&["phonemize", "?!"]), &["at least one word"]);
}

#[test]
fn phonemize_pairs_lines_of_one_utterance_with_their_phonemes_and_counts_the_others() {
    let desk = Desk::new();
    desk.write("lines.txt", "Hello.\n\nOne. Two.\n?!\nGood night.\n");
    let output = desk.plain(&["phonemize", "--file", "lines.txt", "--lines"]);
    assert!(output.status.success());
    let text = stdout(&output);
    let pairs: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(pairs.iter().map(|p| p.0).collect::<Vec<_>>(), ["Hello.", "Good night."]);
    assert!(pairs[0].1.starts_with("həlˈO"), "{pairs:?}");
    assert!(stderr(&output).starts_with("2 of 4 lines"), "{}", stderr(&output));
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let desk = Desk::new();
    desk.write("long.txt", "Hello there.\n\n".repeat(3000));
    let mut command = desk.command(&["phonemize", "--file", "long.txt"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}
