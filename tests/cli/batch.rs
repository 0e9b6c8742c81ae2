//! A list of texts to a folder of files.

use std::fs;

use crate::{Desk, fails, stderr, succeeds};

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
