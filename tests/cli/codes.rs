//! Recordings to codes and back.

use std::fs;

use tts::audio::wav::{self, Audio};
use tts::checkpoint::Checkpoint;

use crate::common::SAMPLE_RATE;
use crate::{Desk, fails, succeeds};

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
    wav::write(&desk.path("good.wav"), &Audio { samples: vec![0.0; 1000], sample_rate: 8000 }).unwrap();
    fs::write(desk.voice.path().join("encoder.safetensors"), "damaged").unwrap();
    fails(&desk.tts(&["encode", "good.wav", "--out", "x.codes"]), &["encoder.safetensors"]);
    assert_eq!(desk.files(), ["empty.wav", "good.wav", "text.wav"]);
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
