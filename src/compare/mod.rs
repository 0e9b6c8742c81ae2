//! Every way to generate over the same texts: how long each stage takes, how many passes it needs, and how well it is understood.
//! Measures and draws, prints nothing.

mod charts;
mod page;
pub mod ways;

use std::time::Duration;

use serde::Serialize;

use crate::audio::wav::Audio;
use crate::bench::Spread;
use crate::codec::CodecConfig;
use crate::ear::{Ear, Errors, count_errors, sounds};
use crate::error::Result;
use crate::speculative::Tally;
use crate::synthesizer::{Chunk, StageTimes, Synthesizer};
use ways::{Kind, Way};

/// Frames of the first utterance whose making is drawn.
const SHOWN_FRAMES: usize = 40;

/// One text, spoken in one way.
#[derive(Debug)]
pub struct Reading {
    pub audio: Audio,
    /// Of the first sentence: the pass in which each frame's coarse token was made.
    passes: Vec<u64>,
    seconds: f64,
    /// Of each run.
    times: Vec<StageTimes>,
    tally: Tally,
    errors: Option<Errors>,
}

/// How a way did over all texts.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub way: String,
    /// Seconds of speech.
    pub audio_seconds: f64,
    /// Processing time ÷ audio time of the stage that makes the codes of codebook 0 (and whatever else it makes), of the fine
    /// model and the decoder, and of all.
    pub coarse: f64,
    pub fine: f64,
    pub decoder: f64,
    pub total: f64,
    /// How many times faster than the first way the coarse stage is: the median over texts and runs.
    pub coarse_speed: Spread,
    /// Passes of the model that makes the coarse tokens, a second of speech.
    pub passes_per_second: f64,
    pub frames_per_pass: f64,
    /// Share of the guesses that were taken.
    pub acceptance: Option<f64>,
    /// Phonemes heard wrong ÷ phonemes.
    pub phoneme_error_rate: Option<f64>,
}

/// All ways over all texts.
#[derive(Debug)]
pub struct Comparison {
    ways: Vec<Way>,
    texts: Vec<String>,
    /// `readings[w][t]`
    readings: Vec<Vec<Reading>>,
    codec: CodecConfig,
}

impl Comparison {
    /// Speaks each of `texts` in each of `ways` `runs` times, the ways taking turns; `report(done, all)` hears of it.
    pub fn new(
        synthesizer: &Synthesizer,
        texts: Vec<String>,
        ways: Vec<Way>,
        runs: usize,
        ear: Option<&Ear>,
        report: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let mut readings: Vec<Vec<Reading>> = ways.iter().map(|_| Vec::new()).collect();
        for way in &ways {
            synthesizer.samples("Warm.", &way.options)?; // loads what the way needs
        }
        let all = ways.len() * texts.len();
        for text in &texts {
            for run in 0..runs.max(1) {
                for (way, readings) in ways.iter().zip(&mut readings) {
                    let chunks = synthesizer.speak(text, &way.options)?.collect::<Result<Vec<_>>>()?;
                    let times = chunks.iter().fold(StageTimes::default(), |mut sum, chunk| {
                        sum += chunk.times;
                        sum
                    });
                    match readings.last_mut() {
                        Some(reading) if run > 0 => reading.times.push(times),
                        _ => readings.push(Reading::new(synthesizer, chunks, times, ear)?),
                    }
                }
            }
            let done: usize = readings.iter().map(Vec::len).sum();
            report(done, all);
        }
        Ok(Self { ways, texts, readings, codec: synthesizer.voice().config.codec.clone() })
    }

    /// Name of each way and what it made of each text.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &[Reading])> {
        self.ways.iter().map(|way| way.name.as_str()).zip(self.readings.iter().map(Vec::as_slice))
    }

    /// A row a way.
    pub fn rows(&self) -> Vec<Row> {
        self.ways.iter().zip(&self.readings).map(|(way, readings)| self.row(way, readings)).collect()
    }

    fn row(&self, way: &Way, readings: &[Reading]) -> Row {
        let audio_seconds: f64 = readings.iter().map(|r| r.seconds).sum();
        let factor = |stage: fn(&StageTimes) -> Duration| {
            let median = |r: &Reading| Spread::of(r.times.iter().map(|times| stage(times).as_secs_f64())).median;
            readings.iter().map(median).sum::<f64>() / audio_seconds
        };
        // Side by side: run by run, each over the speech that it made.
        let pace = |r: &Reading, run: usize| r.times[run].coarse.as_secs_f64() / r.seconds;
        let speeds = self.readings[0].iter().zip(readings).flat_map(|(first, this)| {
            (0..this.times.len().min(first.times.len())).map(move |run| pace(first, run) / pace(this, run))
        });
        let mut tally = Tally::default();
        readings.iter().for_each(|r| tally += r.tally);
        let errors = readings.iter().map(|r| r.errors).collect::<Option<Vec<_>>>();
        Row {
            way: way.name.clone(),
            audio_seconds,
            coarse: factor(|t| t.coarse),
            fine: factor(|t| t.fine),
            decoder: factor(|t| t.decoder),
            total: factor(StageTimes::total),
            coarse_speed: Spread::of(speeds),
            passes_per_second: tally.passes as f64 / audio_seconds,
            frames_per_pass: tally.frames as f64 / tally.passes as f64,
            acceptance: (tally.guessed > 0).then(|| tally.taken as f64 / tally.guessed as f64),
            phoneme_error_rate: errors.map(|errors| {
                let mut total = Errors::default();
                errors.iter().for_each(|errors| total.add(errors));
                total.rate()
            }),
        }
    }

    /// The rows of one kind, the first way among them.
    fn rows_of(&self, kind: Kind) -> Vec<Row> {
        let of_kind = |(i, way): &(usize, &Way)| *i == 0 || way.kind == kind;
        let ways = self.ways.iter().enumerate().filter(of_kind);
        ways.map(|(i, way)| self.row(way, &self.readings[i])).collect()
    }
}

impl Reading {
    fn new(synthesizer: &Synthesizer, chunks: Vec<Chunk>, times: StageTimes, ear: Option<&Ear>) -> Result<Self> {
        let sample_rate = synthesizer.sample_rate();
        let mut first = Vec::new();
        let (mut tally, mut phonemes, mut samples) = (Tally::default(), String::new(), Vec::new());
        let mut is_first = true;
        for chunk in chunks {
            tally += chunk.tally;
            if is_first {
                first.extend(chunk.passes);
            }
            if chunk.is_last {
                is_first = is_first && chunk.pointer.is_empty();
                phonemes += &chunk.utterance.phonemes;
            }
            samples.extend(chunk.samples);
        }
        first.truncate(SHOWN_FRAMES);
        let seconds = samples.len() as f64 / f64::from(sample_rate);
        let audio = Audio { samples, sample_rate };
        let heard = ear.map(|ear| ear.listen(audio.clone())?.phonemes()).transpose()?;
        let errors = heard.map(|heard| count_errors(&sounds(&phonemes), &heard));
        Ok(Self { audio, passes: first, seconds, times: vec![times], tally, errors })
    }
}
