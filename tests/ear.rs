//! The ear finds the phonemes that it was trained to hear, and makes a corpus and a voice of recordings.
#![allow(clippy::unwrap_used)]

mod common;

use std::f32::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use common::TinyVoice;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tch::Device;
use tempfile::TempDir;
use tts::audio::format::{Encoding, Format};
use tts::audio::loudness::integrated;
use tts::audio::sink::{EncodedSink, Sink};
use tts::audio::wav::{self, Audio};
use tts::audio::{pitch, recording};
use tts::checkpoint::Checkpoint;
use tts::ear::{Ear, Errors, count_errors, sounds};
use tts::recordings::{Recording, read_list};
use tts::train::align::{Shape, align, boundary_errors};
use tts::train::corpus::Corpus;
use tts::train::ear::{self, EarRecipe};
use tts::train::{Job, Progress, Start};
use tts::voice::Voice;

const RATE: u32 = 8000;
const SHAPE: Shape = Shape { sample_rate: RATE, loudness: -23.0 };

const RECIPE: &str = "
[model]
sample_rate = 8000
hop_length = 100
n_fft = 200
n_mels = 20
bands = 18
symbols = 64
dim = 32
hidden = 48
layers = 2
[training]
seed = 1
steps = 120
batch_frames = 1200
recordings = 0.2
warmup = 5
learning_rate = 6e-3
weight_decay = 0.01
evaluate_every = 20
checkpoint_seconds = 240
bf16 = false
";

/// What stands for a phoneme: a tone, or for consonants a chord.
fn tone(phoneme: char) -> [f32; 2] {
    match phoneme {
        'æ' => [400.0, 800.0],
        'i' => [700.0, 2100.0],
        'm' => [250.0, 1300.0],
        _ => [1100.0, 3000.0],
    }
}

/// Phonemes spoken as tones between silences, and how long each lasts, in seconds.
fn speak(phonemes: &str, rng: &mut impl Rng) -> (Vec<f32>, Vec<f64>) {
    let mut durations = vec![0.1];
    durations.extend(phonemes.chars().map(|_| f64::from(rng.random_range(5..15)) * 0.0125));
    durations.push(0.1);
    let mut samples = Vec::new();
    for (symbol, duration) in [' '].into_iter().chain(phonemes.chars()).chain([' ']).zip(&durations) {
        let count = (duration * f64::from(RATE)).round() as usize;
        let wave = |n: usize| tone(symbol).map(|hz| (TAU * hz * n as f32 / RATE as f32).sin()).iter().sum::<f32>();
        samples.extend((0..count).map(|n| if symbol == ' ' { 0.0 } else { 0.2 * wave(n) }));
    }
    (samples, durations)
}

/// A text of random phonemes.
fn phonemes(rng: &mut impl Rng) -> String {
    let mut text = String::new();
    while text.chars().count() < 4 {
        let next = ['æ', 'i', 'm', 's'][rng.random_range(0..4)];
        if !text.ends_with(next) {
            text.push(next);
        }
    }
    text
}

/// A row of a corpus.
fn row(id: &str, audio: &str, phonemes: &str, samples: usize, lead: f64, durations: &[f64]) -> String {
    let row = json!({
        "id": id, "audio": audio, "text": "a", "phonemes": phonemes, "samples": samples,
        "durations": durations, "lead": lead, "tail": 0.1,
    });
    format!("{row}\n")
}

/// A corpus of 200 utterances, and a folder `takes` with 100 recordings, their list, and a corpus with their true durations.
fn corpus() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut rows = String::new();
    for i in 0..200 {
        let phonemes = phonemes(&mut rng);
        let (samples, durations) = speak(&phonemes, &mut rng);
        let (audio, count) = (format!("{i}.wav"), samples.len());
        wav::write(&dir.path().join(&audio), &Audio { samples, sample_rate: RATE }).unwrap();
        rows += &row(&i.to_string(), &audio, &phonemes, count, 0.1, &durations[1..5]);
    }
    fs::write(dir.path().join("corpus.jsonl"), rows).unwrap();
    fs::create_dir(dir.path().join("takes")).unwrap();
    let (mut list, mut rows) = ("file\tspeaker\ttext\n".to_string(), String::new());
    for i in 0..100 {
        let phonemes = phonemes(&mut rng);
        let (mut samples, durations) = speak(&phonemes, &mut rng);
        samples.splice(0..0, vec![0.0; 4000]); // half a second more before it
        rows += &row(&format!("take{i}"), &format!("take{i}.wav"), &phonemes, samples.len(), 0.6, &durations[1..5]);
        wav::write(&dir.path().join(format!("takes/take{i}.wav")), &Audio { samples, sample_rate: RATE }).unwrap();
        list += &format!("take{i}\tx\t[[{phonemes}]]\n");
    }
    fs::write(dir.path().join("takes/list.tsv"), list).unwrap();
    fs::write(dir.path().join("takes/corpus.jsonl"), rows).unwrap();
    dir
}

fn takes(corpus: &Path) -> Vec<Recording> {
    read_list(&corpus.join("takes/list.tsv"), &corpus.join("takes")).unwrap()
}

/// Trains the ear of `recipe` on a corpus and on its aligned takes if there are any yet, or until an observer that panics at step `stop` kills the run.
fn train(recipe: &EarRecipe, corpus: &Path, run: &Path, start: &Start, stop: Option<u64>) {
    let aligned = Some(corpus.join("aligned")).filter(|dir| dir.exists());
    let recordings: Vec<Corpus> = aligned.iter().map(|dir| Corpus::open(dir, RATE.into()).unwrap()).collect();
    let corpus = Corpus::open(corpus, RATE.into()).unwrap();
    let mut observer = |progress: &Progress| assert_ne!(Some(progress.step), stop, "killed");
    let job = Job { dir: run, start, device: Device::Cpu, observer: &mut observer };
    let outcome =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ear::train(recipe, &corpus, &recordings, job)));
    match stop {
        Some(_) => assert!(outcome.is_err(), "the run should have been killed"),
        None => outcome.unwrap().unwrap(),
    }
}

/// A corpus, and a run that learnt from it and from recordings that an ear without them had aligned, made once.
fn trained() -> &'static (TempDir, PathBuf) {
    static TRAINED: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let dir = corpus();
        let (first, run, aligned) = (dir.path().join("first"), dir.path().join("run"), dir.path().join("aligned"));
        let mut recipe: EarRecipe = toml::from_str(RECIPE).unwrap();
        // libtorch has one random generator for the whole process: all runs are made here, one after the other.
        train(&recipe, dir.path(), &first, &Start::Fresh, None);
        align(&Ear::load(&first).unwrap(), &takes(dir.path()), &aligned, SHAPE, &mut |_, _| {}).unwrap();
        resumes_exactly(dir.path());
        recipe.training.steps = 40;
        train(&recipe, dir.path(), &run, &Start::From(first), None);
        (dir, run)
    })
}

fn resumes_exactly(corpus: &Path) {
    let mut recipe: EarRecipe = toml::from_str(RECIPE).unwrap();
    (recipe.training.steps, recipe.training.checkpoint_seconds) = (8, 0);
    let (whole, pieces) = (corpus.join("whole"), corpus.join("pieces"));
    train(&recipe, corpus, &whole, &Start::Fresh, None);
    train(&recipe, corpus, &pieces, &Start::Fresh, Some(3));
    train(&recipe, corpus, &pieces, &Start::Resume, Some(6));
    train(&recipe, corpus, &pieces, &Start::Resume, None);
}

fn tts(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tts")).args(args).current_dir(folder).output().unwrap()
}

#[test]
fn a_killed_training_goes_on_as_if_nothing_had_happened() {
    let (dir, _) = trained();
    let load = |run: &str| Checkpoint::load(&dir.path().join(run).join("checkpoint.safetensors")).unwrap().tensors;
    let (whole, pieces) = (load("whole"), load("pieces"));
    assert!(whole.keys().eq(pieces.keys()));
    assert!(whole.iter().all(|(name, tensor)| tensor.equal(&pieces[name])));
}

#[test]
fn boundaries_lie_where_the_tones_change() {
    let (dir, run) = trained();
    for (folder, held_out) in [("", 2), ("takes", 1)] {
        let corpus = Corpus::open(&dir.path().join(folder), RATE.into()).unwrap();
        let errors = boundary_errors(&Ear::load(run).unwrap(), &corpus, 10, &mut |_, _| {}).unwrap();
        let count = held_out * 5;
        assert_eq!(errors.len(), count);
        assert!(errors[count / 2] < 0.013 && errors[count - 2] < 0.03, "{folder}: {errors:?}");
    }
}

#[test]
fn what_was_said_is_heard_and_what_was_not_is_counted() {
    let (dir, run) = trained();
    let ear = Ear::load(run).unwrap();
    let mut all = Errors::default();
    for item in takes(dir.path()).iter().take(20) {
        let heard = ear.listen(recording::read(&item.path).unwrap()).unwrap().phonemes().unwrap();
        let expected = sounds(item.text.trim_matches(['[', ']']));
        all.add(&count_errors(&expected, &heard));
    }
    assert!(all.expected == 80 && all.rate() < 0.1, "{all:?}");
}

#[test]
fn errors_are_the_fewest_changes() {
    let errors = |substituted, deleted, inserted, expected| Errors { substituted, deleted, inserted, expected };
    assert_eq!(count_errors("kæt", "kæt"), errors(0, 0, 0, 3));
    assert_eq!(count_errors("kæt", "kʌt"), errors(1, 0, 0, 3));
    assert_eq!(count_errors("kæt", "æts"), errors(0, 1, 1, 3));
    assert_eq!(count_errors("", "æt"), errors(0, 0, 2, 0));
    assert_eq!(count_errors("kæt", ""), errors(0, 3, 0, 3));
    assert_eq!(errors(1, 1, 0, 4).rate(), 0.5);
    assert_eq!(sounds("hˈW ɑɹ ju?"), "hWɑɹju");
}

#[test]
fn recordings_become_a_corpus_equally_loud_with_a_duration_for_each_phoneme() {
    let (dir, run) = trained();
    let out = TempDir::new().unwrap();
    let mut recordings = takes(dir.path());
    let (silent, short) = (dir.path().join("silent.wav"), dir.path().join("short.wav"));
    wav::write(&silent, &Audio { samples: vec![0.0; 8000], sample_rate: RATE }).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    wav::write(&short, &Audio { samples: speak("æ", &mut rng).0, sample_rate: RATE }).unwrap();
    let long = format!("[[{}]]", "æims".repeat(20));
    recordings.push(Recording { id: "silent".into(), path: silent, text: "[[æ]]".into() });
    recordings.push(Recording { id: "short".into(), path: short, text: long });
    let ear = Ear::load(run).unwrap();
    let aligned = align(&ear, &recordings, out.path(), SHAPE, &mut |_, _| {}).unwrap();
    let left_out: Vec<&str> = aligned.left_out.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((aligned.kept, left_out), (100, vec!["silent", "short"]), "{:?}", aligned.left_out);
    let corpus = Corpus::open(out.path(), RATE.into()).unwrap();
    assert_eq!(corpus.training.len() + corpus.held_out.len(), 100);
    for utterance in &corpus.training {
        assert!(utterance.lead < 0.2 && utterance.durations.iter().all(|&d| d > 0.01), "{utterance:?}");
        let audio = wav::read(&out.path().join(&utterance.audio)).unwrap();
        let peak = audio.samples.iter().fold(0f32, |peak, s| peak.max(s.abs()));
        let loudness = integrated(&audio.samples, RATE).unwrap();
        // Half a second is little to measure.
        assert!(peak > 0.95 || loudness.is_none_or(|l| (l - SHAPE.loudness).abs() < 1.5), "{loudness:?} {peak}");
    }
}

#[test]
fn the_program_aligns_checks_and_evaluates() {
    let (dir, run) = trained();
    let (dir, run) = (dir.path(), run.to_str().unwrap());
    let text = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let checked = text(tts(&["train", "align", "--check", ".", "--sample-rate", "8000", "--ear", run], dir));
    assert!(checked.starts_with("10 boundaries: median error "), "{checked}");
    let json: Value = serde_json::from_str(&text(tts(
        &["eval", "takes/list.tsv", "--wavs", "takes", "--ear", run, "--json", "--quiet"],
        dir,
    )))
    .unwrap();
    let files = json["files"].as_array().unwrap();
    assert_eq!((files.len(), json["phonemes"].as_u64()), (100, Some(400)));
    assert!(json["phoneme_error_rate"].as_f64().unwrap() < 0.1, "{json}");
    fs::write(dir.join("wrong.tsv"), "take0\t[[imimim]]\n").unwrap();
    let wrong = text(tts(&["eval", "wrong.tsv", "--wavs", "takes", "--ear", run, "--quiet"], dir));
    assert!(wrong.contains("expected imimim") && wrong.contains("of 6 phonemes in 1 files"), "{wrong}");

    let missing = tts(&["eval", "takes/list.tsv", "--wavs", ".", "--ear", run], dir);
    let error = String::from_utf8(missing.stderr).unwrap();
    assert!(missing.status.code() == Some(1) && error.contains("line 2: no file ./take0"), "{error}");
}

#[test]
fn recordings_make_a_voice_of_their_own_out_of_another() {
    let (dir, run) = trained();
    let voice = TinyVoice::new();
    let args = |name: &str| {
        let from = voice.path().to_str().unwrap();
        let line = format!(
            "train voice --from {from} --recordings takes --list takes/list.tsv --out {name} --licence CC0-1.0 --ear {} \
             --coarse-steps 3 --decoder-steps 2 --threads 1 --quiet",
            run.display()
        );
        line.split_whitespace().map(str::to_string).collect::<Vec<_>>()
    };
    let make = |name: &str| {
        let args = args(name);
        tts(&args.iter().map(String::as_str).collect::<Vec<_>>(), dir.path())
    };
    let output = make("voices/tones");
    assert!(output.status.success(), "{output:?}");
    let (old, new) = (Voice::load(voice.path(), Device::Cpu).unwrap(), dir.path().join("voices/tones"));
    let made = Voice::load(&new, Device::Cpu).unwrap();
    assert_eq!((made.config.name.as_str(), made.config.licence.as_str()), ("tones", "CC0-1.0"));
    assert_eq!(made.config.coarse, old.config.coarse);
    assert!(made.config.parallel.is_none() && made.config.depth.is_none());
    assert_eq!(made.config.codec, old.config.codec);
    let base = fs::canonicalize(voice.path()).unwrap().display().to_string();
    assert_eq!(made.config.base, Some(base));
    assert!(!new.join("coarse.safetensors").exists(), "its weights are adapters of the other voice's");
    let decoder = Checkpoint::load(&new.join("codec.adapter.safetensors")).unwrap();
    let is_last = |name: &String| name.starts_with("decoder.spectra.") || name.starts_with("decoder.pitch.");
    assert!(!decoder.tensors.is_empty() && decoder.tensors.keys().all(is_last), "{:?}", decoder.tensors.keys());

    let again = make("voices/tones");
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.code() == Some(1) && error.contains("is there already"), "{error}");
}

#[test]
fn lists_name_what_is_wrong_with_their_line() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a.flac"), "").unwrap();
    let read = |text: &str| {
        fs::write(dir.path().join("list.tsv"), text).unwrap();
        read_list(&dir.path().join("list.tsv"), dir.path()).map_err(|e| e.to_string())
    };
    let item = |text: &str| Recording { id: "a".into(), path: dir.path().join("a.flac"), text: text.into() };
    assert_eq!(read("a\tOne.\n\n").unwrap(), [item("One.")]);
    assert_eq!(read("audio\tspeaker\ttext\na.flac\tsomeone\tOne.").unwrap(), [item("One.")]);
    assert!(read("a\tOne.\nb\tTwo.").unwrap_err().contains("line 2: no file"));
    assert!(read("a\tOne.\na.flac\tTwo.").unwrap_err().contains("line 2: a recording `a` stands"));
    assert!(read("a One.").unwrap_err().contains("line 1: expected `name<TAB>text`"));
    assert!(read("a\t ").unwrap_err().contains("line 1: expected what is said in a"));
    assert!(read("").unwrap_err().contains("expected `name<TAB>text`"));
}

#[test]
fn recordings_are_read_in_every_format_that_is_written() {
    let dir = TempDir::new().unwrap();
    let sound = |n: usize| 0.4 * (TAU * 300.0 * n as f32 / 24000.0).sin();
    let samples: Vec<f32> = (0..24000).map(sound).collect();
    for (format, least) in [(Format::Wav, 80.0), (Format::Flac, 80.0), (Format::OggOpus, 15.0), (Format::Mp3, 15.0)] {
        let path = dir.path().join("sound");
        let file = tts::atomic_file::AtomicFile::create(&path).unwrap();
        let mut sink = EncodedSink::file(&path, file, Encoding::new(format, None, None).unwrap(), 24000).unwrap();
        sink.push(&samples).unwrap();
        sink.finish().unwrap();
        let audio = tts::audio::resample::resample(recording::read(&path).unwrap(), 24000).unwrap();
        assert!((audio.samples.len() as i64 - 24000).abs() < 2500, "{format:?}: {} samples", audio.samples.len());
        let noise: f32 = audio.samples.iter().zip(&samples).skip(2000).take(20000).map(|(a, b)| (a - b).powi(2)).sum();
        let signal: f32 = samples.iter().skip(2000).take(20000).map(|s| s * s).sum();
        let ratio = 10.0 * (signal / noise).log10();
        assert!(ratio > least, "{format:?}: {ratio:.1} dB");
    }
    let path = dir.path().join("text");
    fs::write(&path, "not a sound at all, but long enough to look at").unwrap();
    assert!(recording::read(&path).unwrap_err().to_string().contains("expected WAV, FLAC, MP3 or Opus in Ogg"));
}

#[test]
fn the_pitch_of_a_gliding_voice_is_found_and_noise_has_none() {
    let (mut phase, mut rng) = (0.0f32, ChaCha8Rng::seed_from_u64(1));
    let hz = |seconds: f32| 110.0 + 160.0 * seconds;
    let mut samples: Vec<f32> = (0..24000)
        .map(|n| {
            phase += TAU * hz(n as f32 / 24000.0) / 24000.0;
            0.3 * (1..6).map(|k| (k as f32 * phase).sin() / k as f32).sum::<f32>()
        })
        .collect();
    samples.extend((0..12000).map(|_| rng.random_range(-0.1..0.1)));
    let f0 = pitch::track(Audio { samples, sample_rate: 24000 }, 0.0125).unwrap();
    assert_eq!(f0.len(), 120);
    for (t, found) in f0.iter().enumerate().take(77).skip(3) {
        let expected = hz((t as f32 + 0.5) * 0.0125);
        assert!((found / expected).log2().abs() < 0.003, "frame {t}: {found} Hz, expected {expected} Hz");
    }
    let voiced = f0[83..].iter().filter(|&&hz| hz > 0.0).count();
    assert!(voiced < 4, "{voiced} of 37 frames of noise have a pitch");
}
