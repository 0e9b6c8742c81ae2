//! A list of texts to a folder of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use tts::audio::wav;

use crate::{Desk, fails, stderr, succeeds};

#[test]
fn batch_speaks_each_line_into_its_file_as_speak_would() {
    let desk = Desk::new();
    desk.write("list.tsv", "one\tGood morning.\r\n\nzwei-ü\tGood night.\n");
    succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--sample-rate", "16000", "--quiet"]));
    succeeds(&desk.tts(&["Good night.", "--out", "alone.wav", "--sample-rate", "16000"]));
    assert_eq!(spoken(&desk.path("out")).len(), 2);
    assert_eq!(desk.read("out/one.wav").sample_rate, 16000);
    assert_eq!(fs::read(desk.path("out/zwei-ü.wav")).unwrap(), fs::read(desk.path("alone.wav")).unwrap());
}

#[test]
fn batch_goes_on_after_bad_lines_and_names_them_at_the_end() {
    let desk = Desk::new();
    let list: [&[u8]; 7] =
        [b"good\tHello.", b"no tab", b"\tHello.", b"../up\tHello.", b"good\tAgain.", b"dots\t...", b"bytes\t\xff"];
    desk.write("list.tsv", [list.join(&b'\n'), b"\nlast\tBye.\n".to_vec()].concat());
    let output = desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    let mut lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 7, "{message}");
    lines[..6].sort(); // several voices speak at the same time
    for (number, line) in (2..=7).zip(&lines) {
        assert!(line.starts_with(&format!("list.tsv, line {number}: ")), "{line}");
        assert!(lines[6].contains(&format!("line {number}: ")), "{}", lines[6]);
    }
    assert!(lines[6].starts_with("error: list.tsv: 6 of 8 texts were not spoken"), "{}", lines[6]);
    let mut files: Vec<_> = fs::read_dir(desk.path("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, [".spoken.tsv", "good.wav", "last.wav"]);
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

/// A list of `count` different texts.
fn list(count: usize) -> String {
    (0..count).map(|i| format!("text-{i:03}\tThis is text number {i}, which takes a while to say.\n")).collect()
}

/// The WAV files of a folder and what they hold, by name.
fn spoken(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "wav")).collect();
    files.sort();
    files.into_iter().map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_text_sounds_the_same_however_many_are_spoken_at_a_time() {
    let desk = Desk::new();
    desk.write("list.tsv", list(12));
    for jobs in ["1", "3", "12"] {
        succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", jobs, "--jobs", jobs, "--quiet"]));
    }
    let alone = spoken(&desk.path("1"));
    assert_eq!(alone.len(), 12);
    assert!(spoken(&desk.path("3")) == alone);
    assert!(spoken(&desk.path("12")) == alone);
}

#[test]
fn a_batch_that_is_killed_leaves_whole_files_and_goes_on_with_the_others() {
    let desk = Desk::new();
    let count = 60;
    desk.write("list.tsv", list(count));
    let folder = desk.path("out");
    let mut command = desk.command(&["batch", "list.tsv", "--out-dir", "out", "--jobs", "2"]);
    let mut child = command.arg("--voice").arg(desk.voice.path()).stderr(Stdio::null()).spawn().unwrap();
    while !folder.is_dir() || spoken(&folder).len() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "the batch ended by itself");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let before = spoken(&folder);
    assert!((3..count).contains(&before.len()), "{}", before.len());
    let written = |name: &Path| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
    // The two that were in hand may have been finished and not noted yet.
    let noted = fs::read_to_string(folder.join(".spoken.tsv")).unwrap();
    let noted: Vec<&Path> = noted.lines().map(|line| Path::new(line.split_once('\t').unwrap().1)).collect();
    assert!((before.len() - 2..=before.len()).contains(&noted.len()), "{} of {}", noted.len(), before.len());
    let times: Vec<_> = noted.iter().map(|name| written(name)).collect();
    before.iter().for_each(|(name, _)| assert!(!wav::read(&folder.join(name)).unwrap().samples.is_empty()));

    let output = desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--resume"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let told = format!("{} of {count} texts were spoken before", noted.len());
    assert!(stderr(&output).starts_with(&told), "{}", stderr(&output));
    assert_eq!(times, noted.iter().map(|name| written(name)).collect::<Vec<_>>());
    succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", "whole", "--quiet"]));
    assert!(spoken(&folder) == spoken(&desk.path("whole")));
}

#[test]
fn resuming_speaks_again_what_is_gone_or_would_sound_otherwise() {
    let desk = Desk::new();
    desk.write("list.tsv", "one\tHello.\ntwo\tGood night.\nthree\tGood day.\n");
    let resume = |options: &[&str]| {
        let output = desk.tts(&[&["batch", "list.tsv", "--out-dir", "out", "--resume"], options].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output).lines().next().unwrap().to_string()
    };
    assert_eq!(resume(&[]), "0 of 3 texts were spoken before");
    desk.write("list.tsv", "one\tHello.\ntwo\tGood morning.\nthree\tGood day.\n");
    fs::remove_file(desk.path("out/three.wav")).unwrap();
    assert_eq!(resume(&[]), "1 of 3 texts were spoken before");
    succeeds(&desk.tts(&["Good morning.", "--out", "two.wav"]));
    assert!(fs::read(desk.path("out/two.wav")).unwrap() == fs::read(desk.path("two.wav")).unwrap());
    assert_eq!(resume(&["--jobs", "1"]), "3 of 3 texts were spoken before");
    assert_eq!(resume(&["--seed", "5"]), "0 of 3 texts were spoken before");
    // A note that was cut off spoils no other.
    let note = fs::read_to_string(desk.path("out/.spoken.tsv")).unwrap();
    desk.write("out/.spoken.tsv", &note[..note.len() - 5]);
    assert_eq!(resume(&["--seed", "5"]), "2 of 3 texts were spoken before");
    assert_eq!(resume(&["--seed", "5"]), "3 of 3 texts were spoken before");
}

#[test]
fn progress_is_told_in_plain_lines_off_a_terminal_unless_quiet() {
    let desk = Desk::new();
    desk.write("list.tsv", "one\tHello.\ntwo\tGood night.\n");
    let output = desk.tts(&["batch", "list.tsv", "--out-dir", "out"]);
    assert!(output.status.success());
    assert_eq!(stderr(&output).lines().last(), Some("2 of 2 texts spoken"));
    assert!(!stderr(&output).contains(['\u{1b}', '\r']), "{:?}", stderr(&output));
    let output = desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--resume"]);
    assert_eq!(stderr(&output), "2 of 2 texts were spoken before\n");
    succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--resume", "--quiet"]));
}
