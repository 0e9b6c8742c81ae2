//! Files of every format, and standard output.

use std::fs;
use std::io::Read;
use std::process::{Output, Stdio};

use tts::audio::limiter::CEILING;

use crate::{Desk, fails, stderr, succeeds};

fn bytes(output: Output) -> Vec<u8> {
    succeeds(&output);
    output.stdout
}

#[test]
fn the_name_of_the_file_chooses_the_format_and_format_overrules_it() {
    let desk = Desk::new();
    let starts: [(&str, &[u8]); 5] =
        [("a.wav", b"RIFF"), ("a.FLAC", b"fLaC"), ("a.opus", b"OggS"), ("a.ogg", b"OggS"), ("bare", b"RIFF")];
    for (name, start) in starts {
        succeeds(&desk.tts(&["hello", "--out", name]));
        assert!(fs::read(desk.path(name)).unwrap().starts_with(start), "{name}");
    }
    succeeds(&desk.tts(&["hello", "--out", "a.mp3"]));
    assert_eq!(fs::read(desk.path("a.mp3")).unwrap()[..2], [0xff, 0xe3]); // layer 3 of MPEG 2.5, no checksum
    succeeds(&desk.tts(&["hello", "--format", "flac", "--out", "b.xyz"]));
    assert_eq!(fs::read(desk.path("b.xyz")).unwrap(), fs::read(desk.path("a.FLAC")).unwrap());
    fails(&desk.tts(&["hello", "--out", "c.xyz"]), &["c.xyz", ".opus", "--format"]);
}

#[test]
fn standard_output_carries_the_samples_of_the_file() {
    let desk = Desk::new();
    succeeds(&desk.tts(&["Good morning. Good night.", "--out", "a.wav"]));
    let file = fs::read(desk.path("a.wav")).unwrap();
    let wav = bytes(desk.tts(&["Good morning. Good night.", "--out", "-"]));
    assert_eq!((&wav[4..8], &wav[40..44]), (&[0xff; 4][..], &[0xff; 4][..]), "a length that is not known yet");
    assert_eq!(wav[44..], file[44..]);
    let raw = bytes(desk.tts(&["Good morning. Good night.", "--out", "-", "--format", "raw"]));
    assert_eq!(raw, file[44..]);
    assert_eq!(desk.files(), ["a.wav"]);
}

#[test]
fn a_reader_that_has_heard_enough_is_no_failure() {
    let desk = Desk::new();
    let text = "This is a long story about nothing at all. ".repeat(30);
    let mut command = desk.command(&[&text, "--out", "-", "--voice"]);
    command.arg(desk.voice.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut start = [0; 1000];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap(); // and closes the pipe
    succeeds(&child.wait_with_output().unwrap());
}

#[test]
fn bits_and_rates_that_a_format_lacks_are_refused() {
    let desk = Desk::new();
    fails(&desk.tts(&["hello", "--out", "a.flac", "--bits", "float"]), &["flac holds 16 or 24"]);
    fails(&desk.tts(&["hello", "--out", "a.mp3", "--bits", "16"]), &["mp3", "--bits"]);
    fails(&desk.tts(&["hello", "--out", "a.opus", "--sample-rate", "22050"]), &["ogg-opus", "22050", "24000"]);
    assert_eq!(desk.tts(&["hello", "--out", "a.wav", "--bits", "8"]).status.code(), Some(2));
    assert!(desk.files().is_empty());
}

#[test]
fn volume_changes_the_loudness_and_tells_what_was_turned_down() {
    let desk = Desk::new();
    let speak = |volume: &str, name: &str| desk.tts(&["hello", "--volume", volume, "--bits", "float", "--out", name]);
    succeeds(&desk.tts(&["hello", "--bits", "float", "--out", "own.wav"]));
    succeeds(&speak("-20", "soft.wav"));
    let (own, soft) = (desk.read("own.wav").samples, desk.read("soft.wav").samples);
    assert!(own.iter().zip(&soft).all(|(a, b)| (a * 0.1 - b).abs() < 1e-6));

    let text = "<speak><prosody volume='+20dB'>hello</prosody></speak>";
    let output = desk.tts(&[text, "--volume", "20", "--bits", "float", "--out", "loud.wav"]);
    assert_eq!(output.status.code(), Some(0));
    let limited = own.iter().filter(|s| s.abs() * 100.0 > CEILING).count();
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(
        stderr(&output).starts_with(&format!("warning: {limited} of {} samples", own.len())),
        "{}",
        stderr(&output)
    );
    assert!(desk.read("loud.wav").samples.iter().all(|s| s.abs() < CEILING + 1e-4));
    for volume in ["-61", "21", "nan"] {
        fails(&speak(volume, "a.wav"), &["volume", "-60 to 20"]);
    }
}

#[test]
fn batch_and_decode_write_every_format_as_well() {
    let desk = Desk::new();
    desk.write("list.tsv", "one\tGood morning.\n");
    succeeds(&desk.tts(&["batch", "list.tsv", "--out-dir", "out", "--format", "flac", "--volume", "-3", "--quiet"]));
    succeeds(&desk.tts(&["Good morning.", "--out", "one.flac", "--volume", "-3"]));
    assert_eq!(fs::read(desk.path("out/one.flac")).unwrap(), fs::read(desk.path("one.flac")).unwrap());
    fails(&desk.tts(&["batch", "list.tsv", "--out-dir", "new", "--format", "mp3", "--bits", "24"]), &["--bits"]);
    succeeds(&desk.tts(&["Good morning.", "--out", "a.wav"]));
    succeeds(&desk.tts(&["encode", "a.wav", "--out", "a.codes"]));
    succeeds(&desk.tts(&["decode", "a.codes", "--out", "b.wav"]));
    let raw = bytes(desk.tts(&["decode", "a.codes", "--out", "-", "--format", "raw"]));
    assert_eq!(raw, fs::read(desk.path("b.wav")).unwrap()[44..]);
    assert_eq!(desk.files(), ["a.codes", "a.wav", "b.wav", "list.tsv", "one.flac", "out"]);
}
