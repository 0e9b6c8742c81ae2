//! Voices, phonemes and benchmarks.

use std::fs;
use std::process::Stdio;

use tempfile::TempDir;

use crate::{Desk, fails, stderr, stdout, succeeds};

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
fn bench_compares_with_figures_from_before() {
    let desk = Desk::new();
    let bench = |more: &[&str]| desk.tts(&[&["bench", "--text", "Hello there.", "--runs", "1"], more].concat());
    succeeds(&bench(&["--json", "old.json"]));
    let output = bench(&["--compare", "old.json"]);
    succeeds(&output);
    let row = stdout(&output).lines().find(|line| line.starts_with("2 words, decoder")).unwrap().to_string();
    let [before, now, ratio] =
        row.split_whitespace().skip(3).map(|x| x.parse::<f64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("expected three figures in {row}");
    };
    assert!(before > 0.0 && now > 0.0 && (now / before - ratio).abs() < 0.1 * ratio + 0.01, "{row}");
    desk.write("other.json", "{}");
    fails(&bench(&["--compare", "other.json"]), &["other.json", "bench --json"]);
}

#[test]
fn a_missing_gpu_is_named() {
    let desk = Desk::new();
    desk.write("list.tsv", "a\tHello.\n");
    fails(&desk.tts(&["bench", "--device", "cuda"]), &["--device cuda", "expected a GPU"]);
    fails(
        &desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--device", "cuda"]),
        &["--device cuda", "expected a GPU"],
    );
    assert!(!desk.path("out").exists());
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
