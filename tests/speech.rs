//! The shipped voices speak: every phoneme in its turn, neither cut short nor running away.
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tch::{Device, Kind, Tensor};
use tts::audio::format::{Depth, Encoding, Format};
use tts::audio::limiter::CEILING;
use tts::audio::loudness::{TARGET_LUFS, integrated};
use tts::audio::sink::{EncodedSink, Gain, pour};
use tts::audio::wav::Audio;
use tts::codec::LogMel;
use tts::ear::{Ear, Errors, count_errors, sounds};
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};
use tts::text::FrontEnd;
use tts::timing::TimelineBuilder;

fn voice() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart")
}

/// One synthesizer for all tests: a voice belongs to one thread at a time.
fn synthesizer() -> MutexGuard<'static, Synthesizer> {
    static SHARED: OnceLock<Mutex<Synthesizer>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        tch::set_num_threads(1); // as the program does
        Mutex::new(Synthesizer::open(voice()).unwrap())
    });
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

#[derive(Clone)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn samples(text: &str, options: &SpeechOptions) -> Vec<f32> {
    speak(text, options).into_iter().flat_map(|chunk| chunk.samples).collect()
}

#[test]
fn hard_texts_neither_run_away_nor_stop_early() {
    every_phoneme_is_spoken("hard.txt", 100);
}

#[test]
fn one_or_two_words_neither_run_away_nor_stop_early() {
    every_phoneme_is_spoken("short.txt", 200);
}

/// Speaks every line of a file in `tests/data`.
fn every_phoneme_is_spoken(file: &str, count: usize) {
    let texts = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)).unwrap();
    assert_eq!(texts.lines().count(), count);
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

/// Sentences of the Harvard list, which are in no training text.
const SENTENCES: [&str; 5] = [
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "These days a chicken leg is a rare dish.",
    "The boy was there when the sun rose.",
    "Help the woman get back to her feet.",
];

/// What the ear hears wrong in the teacher's own speech is 9 % of all phonemes; in a voice that says something else, most.
#[test]
fn the_ear_hears_the_phonemes_of_five_sentences_in_both_voices() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let (ear, front_end) = (Ear::load(&models.join("ear")).unwrap(), FrontEnd::new().unwrap());
    let _alone = synthesizer();
    for (name, most) in [("heart", 0.22), ("kathleen", 0.27)] {
        let synthesizer = Synthesizer::open(models.join(name)).unwrap();
        let mut errors = [Errors::default(); 2];
        for (text, other) in SENTENCES.iter().zip(SENTENCES.iter().cycle().skip(1)) {
            let expected = |text: &str| sounds(&front_end.phonemes(text).unwrap());
            let samples = synthesizer.samples(text, &SpeechOptions::default()).unwrap();
            let audio = Audio { samples, sample_rate: synthesizer.sample_rate() };
            let heard = ear.listen(audio).unwrap().phonemes().unwrap();
            errors[0].add(&count_errors(&expected(text), &heard));
            errors[1].add(&count_errors(&expected(other), &heard));
        }
        let [rate, of_others] = errors.map(|errors| errors.rate());
        assert!(rate < most, "{name}: {:.1} % of the phonemes are heard wrong", 100.0 * rate);
        assert!(of_others > 0.6, "{name}: another sentence would fit as well: {of_others:.2}");
    }
}

const PARAGRAPH: &str = "The harbour lights came on one after the other. Who would be out there in such a wind? \
    Nobody answered, so Martin put on his coat, took the lantern from its hook, and went down to see for himself. \
    The boat was gone! Only the rope was left, cut clean through.";

#[test]
fn a_paragraph_is_as_loud_as_promised_and_not_clipped() {
    let rate = synthesizer().sample_rate();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let encoding = Encoding::new(Format::Raw, Some(Depth::Float), None).unwrap();
    let sink = EncodedSink::stream("pipe", Box::new(Pipe(bytes.clone())), encoding, rate).unwrap();
    let spoken = samples(PARAGRAPH, &SpeechOptions::default());
    let poured = pour([Ok(spoken.clone())], rate, Gain::decibels(0.0).unwrap(), sink).unwrap();
    let written: Vec<f32> = bytes.lock().unwrap().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    for samples in [&spoken, &written] {
        let loudness = integrated(samples, rate).unwrap().unwrap();
        assert!((loudness - TARGET_LUFS).abs() < 1.0, "{loudness} LUFS");
    }
    assert!(written.len() == spoken.len() && written.iter().all(|s| s.abs() < CEILING + 1e-4));
    assert!(poured.limited < poured.samples / 1000, "{poured:?}");
}

/// Median pitch in Hz of what is voiced, by autocorrelation.
fn pitch(samples: &[f32]) -> f64 {
    let rate = synthesizer().sample_rate() as usize;
    let frame = rate / 25;
    let of_frame = |at: usize| -> Option<f64> {
        let window = &samples[at..at + frame];
        let likeness = |lag: usize| {
            let later = &samples[at + lag..at + lag + frame];
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            product(window, later) / (product(window, window) * product(later, later) + 1e-3).sqrt()
        };
        let likenesses: Vec<f64> = (rate / 500..rate / 70).map(likeness).collect();
        let best = likenesses.iter().copied().fold(0.0, f64::max);
        // The first of the peaks that are as good, the others being its multiples.
        let first = (1..likenesses.len() - 1).find(|&i| {
            let here = likenesses[i];
            here > 0.93 * best && here >= likenesses[i - 1] && here >= likenesses[i + 1]
        });
        first.filter(|_| best > 0.7).map(|i| rate as f64 / (rate / 500 + i) as f64)
    };
    let mut pitches: Vec<f64> = (0..samples.len() - 2 * frame).step_by(frame / 2).filter_map(of_frame).collect();
    pitches.sort_by(f64::total_cmp);
    pitches[pitches.len() / 2]
}

#[test]
fn the_pitch_follows_what_is_asked_for_within_a_semitone() {
    let heard = |semitones: f64| pitch(&samples(PARAGRAPH, &SpeechOptions { pitch: semitones, ..Default::default() }));
    let own = heard(0.0);
    for semitones in [-4.0, -2.0, 2.0, 4.0] {
        let shift = 12.0 * (heard(semitones) / own).log2();
        assert!((shift - semitones).abs() < 1.0, "asked for {semitones} semitones, heard {shift:.2}");
    }
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
fn the_speed_that_is_measured_is_the_one_that_was_asked_for() {
    let length = |speed: f64| samples(PARAGRAPH, &SpeechOptions { speed, ..Default::default() }).len() as f64;
    let own = length(1.0);
    for speed in [0.5, 0.75, 1.25, 1.5, 2.0] {
        let measured = own / length(speed);
        assert!((measured / speed - 1.0).abs() < 0.1, "asked for {speed}, measured {measured:.3}");
    }
}

#[test]
fn a_higher_speed_takes_less_time() {
    let text = "The train to the coast leaves from the second platform in ten minutes.";
    let length = |speed: f64| samples(text, &SpeechOptions { speed, ..Default::default() }).len() as f64;
    let (slow, plain, fast) = (length(0.8), length(1.0), length(1.25));
    assert!(slow > 1.08 * plain && fast < 0.96 * plain, "{slow} {plain} {fast}");
}

/// When each word of one utterance starts, and last when the last one ends, in seconds.
fn word_bounds(chunks: &[Chunk]) -> Vec<f64> {
    let synthesizer = synthesizer();
    let frame_length = synthesizer.voice().config.codec.frame_length() as usize;
    let mut builder = TimelineBuilder::new(synthesizer.sample_rate(), frame_length);
    chunks.iter().for_each(|chunk| builder.push(chunk));
    let words = builder.finish().words;
    words.iter().map(|word| word.start).chain(words.last().map(|word| word.end)).collect()
}

/// Both speak in their own time: what is compared is when each word starts between the start of the first word and the end of
/// the last, with the voice's time stretched so that these last as long as the teacher's. The lines of
/// `tests/data/durations.tsv` are text, phonemes and the teacher's durations in units of 25 ms, made by
/// `scripts/make_corpus.py --speed-jitter 0`.
#[test]
fn words_start_when_the_teacher_starts_them() {
    let table = include_str!("data/durations.tsv");
    let (mut differences, mut sentences) = (Vec::new(), 0);
    for line in table.lines() {
        let [text, phonemes, durations] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let chunks = speak(text, &SpeechOptions::default());
        let [Chunk { utterance, .. }] = chunks.as_slice() else { panic!("{text}") };
        if utterance.phonemes != phonemes {
            continue; // read in another way since
        }
        let units: Vec<u32> = durations.split(' ').map(|units| units.parse().unwrap()).collect();
        let at = |symbol: usize| f64::from(units[..symbol].iter().sum::<u32>()) * 0.025;
        let words = &utterance.words;
        let starts = words.iter().map(|word| at(word.phonemes.start));
        let teacher: Vec<f64> = starts.chain(words.last().map(|word| at(word.phonemes.end))).collect();
        let ours = word_bounds(&chunks);
        let last = words.len();
        let stretch = (teacher[last] - teacher[0]) / (ours[last] - ours[0]);
        assert!((0.8..1.25).contains(&stretch), "{text}: {stretch:.2} times as long as the teacher speaks");
        differences.extend((1..last).map(|i| ((ours[i] - ours[0]) * stretch - (teacher[i] - teacher[0])).abs()));
        sentences += 1;
    }
    assert!(sentences >= 15, "only {sentences} sentences with the same phonemes: make the table again");
    differences.sort_by(f64::total_cmp);
    let median = differences[differences.len() / 2];
    assert!(median <= 0.04, "half of {} words start {median:.3} s too early or late, or more", differences.len());
}
