//! Samples survive the way into files and back, and a change of rate.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;
use tts::atomic_file::{AtomicFile, write_atomically};
use tts::audio::format::{Encoding, Format};
use tts::audio::limiter::{CEILING, Limiter};
use tts::audio::loudness::integrated;
use tts::audio::resample::{Resampler, resample};
use tts::audio::sink::{EncodedSink, Sink};
use tts::audio::wav::{self, Audio};

fn tone(frequency: f64, sample_rate: u32, count: usize) -> Audio {
    let step = TAU * frequency / f64::from(sample_rate);
    Audio { samples: (0..count).map(|i| 0.5 * (step * i as f64).sin() as f32).collect(), sample_rate }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn samples_come_back_from_a_file_within_16_bits() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.wav");
    let audio = tone(440.0, 22050, 5000);
    wav::write(&path, &audio).unwrap();
    let read = wav::read(&path).unwrap();
    assert_eq!(read.sample_rate, 22050);
    assert!(largest_difference(&read.samples, &audio.samples) < 1e-4);
    assert_eq!(wav::probe(&path).unwrap(), (5000, 22050, 1));
}

#[test]
fn samples_beyond_one_are_clipped_and_never_wrap() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.wav");
    wav::write(&path, &Audio { samples: vec![1.5, -1.5, 1.0, -1.0, f32::NAN], sample_rate: 8000 }).unwrap();
    let read = wav::read(&path).unwrap().samples;
    assert!(read[0] > 0.99 && read[1] < -0.99 && read[2] > 0.99 && read[3] < -0.99 && read[4] == 0.0, "{read:?}");
}

fn sink(path: &Path) -> EncodedSink {
    let encoding = Encoding::new(Format::Wav, None, None).unwrap();
    EncodedSink::file(path, AtomicFile::create(path).unwrap(), encoding, 16000).unwrap()
}

#[test]
fn a_file_written_piece_by_piece_is_the_one_written_at_once() {
    let dir = TempDir::new().unwrap();
    let (pieces, whole) = (dir.path().join("pieces.wav"), dir.path().join("whole.wav"));
    let audio = tone(440.0, 16000, 3000);
    let mut sink = sink(&pieces);
    audio.samples.chunks(700).for_each(|piece| sink.push(piece).unwrap());
    sink.finish().unwrap();
    wav::write(&whole, &audio).unwrap();
    assert_eq!(fs::read(pieces).unwrap(), fs::read(whole).unwrap());
}

#[test]
fn an_unfinished_file_leaves_nothing_behind_and_the_old_one_in_place() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.wav");
    fs::write(&path, "old").unwrap();
    let mut sink = sink(&path);
    sink.push(&[0.0; 10_000]).unwrap();
    assert_eq!(names(dir.path()), ["a.wav"], "nothing has a name before the end");
    drop(sink);
    assert_eq!(names(dir.path()), ["a.wav"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn written_files_have_the_permissions_of_any_new_file() {
    let dir = TempDir::new().unwrap();
    let (ours, usual) = (dir.path().join("ours"), dir.path().join("usual"));
    write_atomically(&ours, b"x").unwrap();
    fs::write(&usual, b"x").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(ours), mode(usual));
}

#[test]
fn a_link_is_followed_and_a_device_is_not_replaced() {
    let dir = TempDir::new().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    write_atomically(&link, b"new").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    write_atomically(Path::new("/dev/null"), b"gone").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn places_that_cannot_be_written_are_refused_before_anything_is() {
    let dir = TempDir::new().unwrap();
    let refusal = |path: &Path| AtomicFile::create(path).unwrap_err().to_string();
    assert!(refusal(dir.path()).contains("folder"));
    assert!(refusal(&dir.path().join("none/a.wav")).contains("there is no folder"));
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(refusal(&dir.path().join("file/a.wav")).contains("there is no folder"));
    assert!(refusal(Path::new("")).contains("name of a file"));
}

fn write_wav<S: hound::Sample + Copy>(path: &Path, spec: WavSpec, samples: &[S]) {
    let mut writer = WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|&s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
}

#[test]
fn every_usual_kind_of_sample_is_read_at_the_same_loudness() {
    let dir = TempDir::new().unwrap();
    for bits_per_sample in [8, 16, 24, 32] {
        let path = dir.path().join("a.wav");
        let spec = WavSpec { channels: 1, sample_rate: 16000, bits_per_sample, sample_format: SampleFormat::Int };
        write_wav(&path, spec, &[0, 1i32 << (bits_per_sample - 2), -(1i32 << (bits_per_sample - 2))]);
        assert_eq!(wav::read(&path).unwrap().samples, [0.0, 0.5, -0.5], "{bits_per_sample} bits");
    }
    let path = dir.path().join("float.wav");
    let spec = WavSpec { channels: 1, sample_rate: 16000, bits_per_sample: 32, sample_format: SampleFormat::Float };
    write_wav(&path, spec, &[0.0f32, 0.5, -0.5]);
    assert_eq!(wav::read(&path).unwrap().samples, [0.0, 0.5, -0.5]);
    write_wav(&path, spec, &[0.0f32, f32::NAN]);
    assert!(wav::read(&path).unwrap_err().to_string().contains("finite"));
}

#[test]
fn channels_are_averaged() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("stereo.wav");
    let spec = WavSpec { channels: 2, sample_rate: 16000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    write_wav(&path, spec, &[16384i16, 0, -16384, -16384]);
    assert_eq!(wav::read(&path).unwrap().samples, [0.25, -0.5]);
}

#[test]
fn files_that_are_cut_short_or_foreign_are_refused_with_their_name() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.wav");
    wav::write(&path, &tone(440.0, 16000, 1000)).unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in [0, 3, 20, 40, 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = wav::read(&path).unwrap_err().to_string();
        assert!(error.contains("a.wav") && error.contains("WAV"), "{length} bytes: {error}");
    }
}

#[test]
fn damaged_files_are_read_or_refused_without_a_panic() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a.wav");
    wav::write(&path, &tone(440.0, 16000, 20)).unwrap();
    let bytes = fs::read(&path).unwrap();
    for position in 0..44 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = bytes.clone();
            damaged[position] = value;
            fs::write(&path, &damaged).unwrap();
            let _ = wav::read(&path); // either is fine
        }
    }
}

/// Through a limiter, in pieces of `size` samples.
fn limited(samples: &[f32], size: usize) -> (Vec<f32>, u64) {
    let mut limiter = Limiter::new(24000);
    let mut passed: Vec<f32> = samples.chunks(size).flat_map(|piece| limiter.push(piece)).collect();
    let count = limiter.limited;
    passed.extend(limiter.finish());
    (passed, count)
}

#[test]
fn what_stays_below_the_ceiling_passes_the_limiter_to_the_bit() {
    for count in [0, 1, 119, 120, 121, 10_000] {
        let samples = tone(300.0, 24000, count).samples;
        assert_eq!(limited(&samples, 777), (samples, 0));
    }
    // Long after a peak as well.
    let mut samples = tone(300.0, 24000, 48_000).samples;
    samples[1000] = 3.0;
    let (passed, count) = limited(&samples, 777);
    assert_eq!((count, &passed[..800], &passed[40_000..]), (1, &samples[..800], &samples[40_000..]));
}

#[test]
fn peaks_are_turned_down_smoothly_and_the_same_however_the_sound_is_cut() {
    let mut samples: Vec<f32> = tone(300.0, 24000, 24_000).samples.iter().map(|s| 1.6 * s).collect();
    samples.iter_mut().skip(9000).take(2000).for_each(|s| *s *= 4.0);
    let (whole, count) = limited(&samples, samples.len());
    assert_eq!((whole.len(), count), (samples.len(), samples.iter().filter(|s| s.abs() > CEILING).count() as u64));
    assert!(whole.iter().all(|s| s.abs() < CEILING + 1e-6));
    // A tone stays a tone: where it is loud it differs from a softer one by little.
    let gain = CEILING / 3.2;
    let inside = 9500..10_500;
    let softer: Vec<f32> = samples[inside.clone()].iter().map(|s| gain * s).collect();
    assert!(largest_difference(&whole[inside], &softer) < 0.01);
    for size in [1, 100, 1000] {
        assert!(limited(&samples, size).0 == whole, "pieces of {size}");
    }
}

#[test]
fn loudness_is_measured_as_the_recommendation_says() {
    // A sine of 997 Hz at full scale in one channel is -3.01 LUFS (ITU-R BS.1770-4).
    let sine: Vec<f32> = tone(997.0, 48000, 96_000).samples.iter().map(|s| 2.0 * s).collect();
    let loudness = integrated(&sine, 48000).unwrap().unwrap();
    assert!((loudness + 3.01).abs() < 0.05, "{loudness}");
    assert_eq!(integrated(&[0.0; 48000], 48000).unwrap(), None);
}

#[test]
fn a_tone_keeps_pitch_loudness_and_place_at_every_rate() {
    for rate in [8000, 16000, 22050, 24000, 44100, 48000] {
        let before = tone(440.0, 22050, 22050);
        let after = resample(before, rate).unwrap();
        assert_eq!(after.sample_rate, rate);
        assert_eq!(after.samples.len(), rate as usize);
        let expected = tone(440.0, rate, rate as usize).samples;
        let margin = rate as usize / 20; // where the filter meets the edges
        let inside = margin..rate as usize - margin;
        let difference = largest_difference(&after.samples[inside.clone()], &expected[inside]);
        assert!(difference < 1e-4, "{rate} Hz: {difference}");
    }
}

#[test]
fn what_a_lower_rate_cannot_hold_is_removed_instead_of_folded_back() {
    let high = tone(10_000.0, 22050, 22050);
    let energy = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    let after = resample(high.clone(), 16000).unwrap();
    let inside = &after.samples[1000..15000];
    assert!(energy(inside) < 1e-9 * energy(&high.samples), "{}", energy(inside));
}

#[test]
fn resampling_piece_by_piece_gives_the_same_samples_as_at_once() {
    let audio = tone(300.0, 22050, 10_000);
    let whole = resample(audio.clone(), 16000).unwrap().samples;
    for size in [1, 100, 1024, 4000] {
        let mut resampler = Resampler::new(22050, 16000).unwrap();
        let mut pieces = Vec::new();
        audio.samples.chunks(size).for_each(|piece| pieces.extend(resampler.push(piece).unwrap()));
        pieces.extend(resampler.finish().unwrap());
        assert_eq!(pieces, whole, "pieces of {size}");
    }
}

#[test]
fn lengths_scale_with_the_rate_even_for_a_single_sample_or_none() {
    for (count, expected) in [(0, 0), (1, 2), (2, 4), (1000, 2177), (22050, 48000)] {
        let after = resample(Audio { samples: vec![0.1; count], sample_rate: 22050 }, 48000).unwrap();
        assert_eq!(after.samples.len(), expected);
    }
    let same = Audio { samples: vec![0.1, 0.2], sample_rate: 22050 };
    assert_eq!(resample(same.clone(), 22050).unwrap(), same);
}

#[test]
fn a_rate_that_no_sound_has_is_refused() {
    for rate in [0, 1, u32::MAX] {
        assert!(Resampler::new(rate, 16000).is_err());
        assert!(Resampler::new(16000, rate).is_err());
    }
}
