//! The shipped voice speaks: every phoneme in its turn, neither cut short nor running away.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

use serde_json::Value;
use tch::{Device, Kind, Tensor};
use tts::codec::LogMel;
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};
use tts::timing::TimelineBuilder;

fn voice() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart")
}

/// One synthesizer for all tests: a voice belongs to one thread at a time.
fn synthesizer() -> MutexGuard<'static, Synthesizer> {
    static SHARED: OnceLock<Mutex<Synthesizer>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Mutex::new(Synthesizer::open(voice()).unwrap()));
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What is spoken, an utterance each, without the pauses.
fn speak(text: &str, options: &SpeechOptions) -> Vec<Chunk> {
    let synthesizer = synthesizer();
    let chunks = synthesizer.speak(text, options).unwrap().map(|chunk| chunk.unwrap());
    let mut utterances: Vec<Chunk> = Vec::new();
    for chunk in chunks.filter(|chunk| !chunk.pointer.is_empty()) {
        match utterances.last_mut().filter(|last| !last.is_last) {
            Some(last) => last.append(chunk),
            None => utterances.push(chunk),
        }
    }
    utterances
}

fn samples(text: &str, options: &SpeechOptions) -> Vec<f32> {
    speak(text, options).into_iter().flat_map(|chunk| chunk.samples).collect()
}

#[test]
fn hard_texts_neither_run_away_nor_stop_early() {
    let texts = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hard.txt")).unwrap();
    assert_eq!(texts.lines().count(), 50);
    let rate = f64::from(synthesizer().sample_rate());
    for text in texts.lines() {
        for chunk in speak(text, &SpeechOptions::default()) {
            let symbols = chunk.utterance.phonemes.chars().count() as i64;
            let path = &chunk.pointer;
            assert_eq!(path[0], 0, "{text}");
            assert!(path.windows(2).all(|w| (0..=3).contains(&(w[1] - w[0]))), "{text}: {path:?}");
            assert!(path[path.len() - 1] >= symbols - 2, "{text} ends at phoneme {:?} of {symbols}", path.last());
            let seconds = chunk.samples.len() as f64 / rate;
            let usual = 0.35 + symbols as f64 / 14.5;
            assert!((0.4 * usual..2.5 * usual).contains(&seconds), "{text}: {seconds:.2} s for {symbols} symbols");
        }
    }
}

#[test]
fn what_is_spoken_is_loud_enough_and_does_not_clip() {
    let samples = samples("The harbour lights came on one after the other.", &SpeechOptions::default());
    let peak = samples.iter().fold(0f32, |peak, s| peak.max(s.abs()));
    let rms = (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt();
    assert!(peak < 1.0 && rms > 0.02, "peak {peak}, rms {rms}");
}

#[test]
fn the_same_seed_says_it_the_same_way_and_another_differently() {
    let text = "Once more, from the beginning.";
    let other = SpeechOptions {
        sampling: tts::sampling::SamplingOptions { seed: 1, ..SpeechOptions::default().sampling },
        ..Default::default()
    };
    let first = samples(text, &SpeechOptions::default());
    assert!(first == samples(text, &SpeechOptions::default()));
    assert!(first != samples(text, &other));
}

/// Sum of what rises in the log-mel spectrum from each hop to the next.
fn spectral_flux(samples: &[f32]) -> Vec<f64> {
    let mel = LogMel::new(&synthesizer().voice().config.codec, Device::Cpu);
    let mel = mel.forward(&Tensor::from_slice(samples).unsqueeze(0)).squeeze_dim(0); // [n_mels, T]
    let rise =
        mel.diff::<&Tensor>(1, 1, None, None).clamp_min(0.0).sum_dim_intlist([0i64].as_slice(), false, Kind::Double);
    Vec::try_from(rise).unwrap()
}

#[test]
fn joints_between_pieces_are_not_heard() {
    let text =
        "When the sunlight strikes raindrops in the air, they act as a prism and form a long, round and lasting bow.";
    let options = SpeechOptions { chunk_ms: 200, ..Default::default() };
    let (mut whole, mut joints) = (Vec::new(), Vec::new());
    for chunk in synthesizer().speak(text, &options).unwrap() {
        joints.push(whole.len());
        whole.extend(chunk.unwrap().samples);
    }
    assert!(joints.len() > 10, "only {} pieces", joints.len());
    let hop = synthesizer().voice().config.codec.hop_length as usize;
    let flux = spectral_flux(&whole);
    let mut at_joints: Vec<f64> = joints[1..].iter().map(|joint| flux[joint / hop - 1]).collect();
    let mut everywhere = flux;
    at_joints.sort_by(f64::total_cmp);
    everywhere.sort_by(f64::total_cmp);
    let (joint, usual) = (at_joints[at_joints.len() / 2], everywhere[everywhere.len() * 3 / 4]);
    assert!(joint <= usual, "median flux {joint:.2} at the joints, three quarters of all are below {usual:.2}");
}

#[test]
fn a_higher_speed_takes_less_time() {
    let text = "The train to the coast leaves from the second platform in ten minutes.";
    let length = |speed: f64| samples(text, &SpeechOptions { speed, ..Default::default() }).len() as f64;
    let (slow, plain, fast) = (length(0.8), length(1.0), length(1.25));
    assert!(slow > 1.08 * plain && fast < 0.96 * plain, "{slow} {plain} {fast}");
}

/// Seconds of the words of one utterance.
fn word_lengths(chunks: &[Chunk]) -> Vec<f64> {
    let synthesizer = synthesizer();
    let frame_length = synthesizer.voice().config.codec.frame_length() as usize;
    let mut builder = TimelineBuilder::new(synthesizer.sample_rate(), frame_length);
    chunks.iter().for_each(|chunk| builder.push(chunk));
    builder.finish().words.iter().map(|word| word.end - word.start).collect()
}

#[test]
#[ignore = "needs TTS_CORPUS, a folder made by scripts/make_corpus.py"]
fn words_last_about_as_long_as_the_teacher_speaks_them() {
    let corpus = PathBuf::from(std::env::var_os("TTS_CORPUS").expect("TTS_CORPUS names no folder"));
    let rows = std::fs::read_to_string(corpus.join("corpus.jsonl")).unwrap();
    let (mut differences, mut sentences) = (Vec::new(), 0);
    for row in rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let options = SpeechOptions { speed: row["speed"].as_f64().unwrap_or(1.0), ..Default::default() };
        let chunks = speak(row["text"].as_str().unwrap(), &options);
        let [Chunk { utterance, .. }] = chunks.as_slice() else { continue };
        if row["phonemes"] != utterance.phonemes.as_str() {
            continue; // read by another front end
        }
        let durations: Vec<f64> = serde_json::from_value(row["durations"].clone()).unwrap();
        let teacher = utterance.words.iter().map(|word| durations[word.phonemes.clone()].iter().sum::<f64>());
        differences.extend(teacher.zip(word_lengths(&chunks)).map(|(teacher, ours)| (teacher - ours).abs()));
        sentences += 1;
        if sentences == 20 {
            break;
        }
    }
    assert_eq!(sentences, 20, "too few sentences with the same phonemes");
    differences.sort_by(f64::total_cmp);
    let median = differences[differences.len() / 2];
    assert!(median < 0.08, "half of {} words differ by {median:.3} s or more", differences.len());
}
