//! Text to speech: the only place that knows the whole order, from text through phonemes, coarse and fine codes to samples.

pub mod refining;
mod speaking;

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::Device;
use tracing::debug;

use crate::error::{Error, Result};
use crate::sampling::SamplingOptions;
use crate::speculative::{DraftOptions, Tally};
use crate::strategies::StrategyOptions;
use crate::text::{FrontEnd, Item, Mark, Utterance, nothing_to_speak};
use crate::voice::Voice;
use speaking::Speaking;

/// Speaking rates relative to the voice's own.
const SPEEDS: RangeInclusive<f64> = 0.5..=2.0;

/// Semitones around the voice's own pitch.
const PITCHES: RangeInclusive<f64> = -12.0..=12.0;

/// Standard deviation of the noise in pauses, -94 dB of full scale: as quiet as the voices' own silence, where zeros would leave a hole. Makers of
/// audiobooks call it room tone.
const ROOM_TONE: f32 = 2e-5;

/// How to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechOptions {
    pub sampling: SamplingOptions,
    pub strategy: StrategyOptions,
    /// Of the autoregressive strategies.
    pub draft: DraftOptions,
    /// Speaking rate relative to the voice's own, 0.5 to 2.
    pub speed: f64,
    /// Semitones by which the voice is higher (or, below 0, lower) than its own, -12 to 12.
    pub pitch: f64,
    /// Passes of the fine model.
    pub nar_steps: i64,
    /// Longest piece of speech that is made at once, in milliseconds, 100 to 10000.
    pub chunk_ms: u32,
    /// Silence after a sentence, besides what the voice itself leaves, in seconds.
    pub sentence_pause: f64,
    /// Silence after a paragraph, besides that after a sentence, in seconds.
    pub paragraph_pause: f64,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        let sampling = SamplingOptions { temperature: 0.3, top_k: 0, top_p: 0.9, seed: 0 };
        Self {
            sampling,
            strategy: StrategyOptions::default(),
            draft: DraftOptions::default(),
            speed: 1.0,
            pitch: 0.0,
            nar_steps: 1,
            chunk_ms: 4000,
            sentence_pause: 0.0,
            paragraph_pause: 0.4,
        }
    }
}

impl SpeechOptions {
    /// Says which option is out of its range.
    pub fn validate(&self) -> Result<()> {
        self.sampling.validate()?;
        self.strategy.validate()?;
        self.draft.validate()?;
        if !SPEEDS.contains(&self.speed) {
            return Err(Error::Option(format!("speed is {}, expected 0.5 to 2", self.speed)));
        }
        if !PITCHES.contains(&self.pitch) {
            return Err(Error::Option(format!("pitch is {}, expected -12 to 12 semitones", self.pitch)));
        }
        if self.nar_steps < 1 {
            return Err(Error::Option(format!("nar-steps is {}, expected at least 1", self.nar_steps)));
        }
        if !(100..=10_000).contains(&self.chunk_ms) {
            return Err(Error::Option(format!("chunk-ms is {}, expected 100 to 10000", self.chunk_ms)));
        }
        for (name, pause) in [("sentence-pause", self.sentence_pause), ("paragraph-pause", self.paragraph_pause)] {
            if !(0.0..=60.0).contains(&pause) {
                return Err(Error::Option(format!("{name} is {pause}, expected 0 to 60 seconds")));
            }
        }
        Ok(())
    }

    /// The same as token frames of a voice.
    fn chunk_frames(&self, voice: &Voice) -> i64 {
        (f64::from(self.chunk_ms) / 1000.0 * voice.config.codec.frame_rate()).round() as i64
    }
}

/// Time that each stage took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageTimes {
    pub front_end: Duration,
    pub coarse: Duration,
    pub fine: Duration,
    pub decoder: Duration,
}

impl StageTimes {
    pub fn total(&self) -> Duration {
        self.front_end + self.coarse + self.fine + self.decoder
    }
}

impl std::ops::AddAssign for StageTimes {
    fn add_assign(&mut self, other: Self) {
        self.front_end += other.front_end;
        self.coarse += other.coarse;
        self.fine += other.fine;
        self.decoder += other.decoder;
    }
}

/// A piece of the output: speech, or a pause or mark between two utterances.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// What is spoken; nothing but its marks if this is silence.
    pub utterance: Arc<Utterance>,
    /// Whether the utterance ends with this piece.
    pub is_last: bool,
    /// Mono, at [`Synthesizer::sample_rate`], and [`TARGET_LUFS`](crate::audio::loudness::TARGET_LUFS) loud; a peak can lie beyond
    /// ±1, which [`pour`](crate::audio::sink::pour) turns down.
    pub samples: Vec<f32>,
    /// Phoneme that each token frame speaks: 0 is the silence before, `i + 1` symbol `i` of the utterance's phonemes.
    pub pointer: Vec<i64>,
    /// Codes of each codebook, one a token frame.
    pub codes: Vec<Vec<i64>>,
    /// Number of the pass of the utterance in which each token frame's coarse code was made, from 1.
    pub passes: Vec<u64>,
    pub times: StageTimes,
    pub tally: Tally,
}

impl Chunk {
    /// Adds the piece that comes next in the same utterance, or the silence after it.
    pub fn append(&mut self, next: Chunk) {
        self.is_last = next.is_last;
        self.samples.extend(next.samples);
        self.pointer.extend(next.pointer);
        self.codes.resize_with(self.codes.len().max(next.codes.len()), Vec::new);
        self.codes.iter_mut().zip(next.codes).for_each(|(codes, next)| codes.extend(next));
        self.passes.extend(next.passes);
        self.times += next.times;
        self.tally += next.tally;
    }
}

/// A voice and the front end that reads for it; threads that have a voice each can share the front end.
pub struct Synthesizer {
    front_end: Arc<FrontEnd>,
    voice: Voice,
}

impl Synthesizer {
    /// Loads the voice in the folder `dir`.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::new(Voice::load(dir.as_ref(), Device::Cpu)?, FrontEnd::new()?))
    }

    pub fn new(voice: Voice, front_end: impl Into<Arc<FrontEnd>>) -> Self {
        Self { front_end: front_end.into(), voice }
    }

    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// Samples per second of what is spoken.
    pub fn sample_rate(&self) -> u32 {
        self.voice.config.codec.sample_rate as u32
    }

    /// Speaks `text`, plain or SSML, piece by piece as the iterator is advanced; the first sentence is read at once.
    pub fn speak<'a>(&'a self, text: &str, options: &'a SpeechOptions) -> Result<Speech<'a>> {
        options.validate()?;
        let started = Instant::now();
        let (mut rest, mut first) = (self.front_end.items(text)?, Vec::new());
        while !matches!(first.last(), Some(Ok(Item::Utterance(_)))) {
            first.push(Ok(rest.next().ok_or_else(|| nothing_to_speak(text))??));
        }
        let items = Box::new(first.into_iter().chain(rest));
        let front_end = started.elapsed();
        Ok(Speech { synthesizer: self, options, items, spoken: 0, current: None, pause: 0.0, front_end })
    }

    /// Speaks `text` to its end.
    pub fn samples(&self, text: &str, options: &SpeechOptions) -> Result<Vec<f32>> {
        let mut samples = Vec::new();
        for chunk in self.speak(text, options)? {
            samples.extend(chunk?.samples);
        }
        Ok(samples)
    }
}

/// Speech as it is made, piece by piece.
pub struct Speech<'a> {
    synthesizer: &'a Synthesizer,
    options: &'a SpeechOptions,
    items: Box<dyn Iterator<Item = Result<Item>> + 'a>,
    /// Utterances begun so far.
    spoken: u64,
    /// The utterance that is being spoken.
    current: Option<Speaking<'a>>,
    /// Silence that is due before the next item, in seconds.
    pause: f64,
    /// Time spent on reading since the last chunk.
    front_end: Duration,
}

impl Speech<'_> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        if self.current.is_none() {
            let pause = std::mem::take(&mut self.pause);
            if pause > 0.0 {
                return Ok(Some(self.silence(pause)));
            }
            let started = Instant::now();
            let item = self.items.next();
            self.front_end += started.elapsed();
            match item.transpose()? {
                None => return Ok(None),
                Some(Item::Pause(seconds)) => return Ok(Some(self.silence(seconds))),
                Some(Item::Mark(name)) => return Ok(Some(mark(name))),
                Some(Item::Utterance(utterance)) => self.begin(utterance)?,
            }
        }
        self.current.as_mut().map(Speaking::next_chunk).transpose().map(|chunk| {
            let mut chunk = chunk?;
            chunk.times.front_end = std::mem::take(&mut self.front_end);
            let StageTimes { coarse, fine, decoder, .. } = chunk.times;
            debug!(frames = chunk.pointer.len(), ?coarse, ?fine, ?decoder, "chunk spoken");
            if chunk.is_last {
                self.current = None;
            }
            Some(chunk)
        })
    }

    fn begin(&mut self, utterance: Utterance) -> Result<()> {
        let options = self.options;
        let after_sentence = if utterance.ends_sentence { options.sentence_pause } else { 0.0 };
        self.pause = after_sentence + if utterance.ends_paragraph { options.paragraph_pause } else { 0.0 };
        let (number, voice) = (self.spoken, &self.synthesizer.voice);
        debug!(number, text = utterance.text, phonemes = utterance.phonemes, front_end = ?self.front_end, "utterance read");
        self.spoken += 1;
        self.current = Some(Speaking::new(voice, utterance, number, options)?);
        Ok(())
    }

    fn silence(&self, seconds: f64) -> Chunk {
        let count = (seconds * f64::from(self.synthesizer.sample_rate())).round() as usize;
        let mut rng = ChaCha8Rng::seed_from_u64(self.options.sampling.seed);
        rng.set_stream(self.spoken);
        let samples = StandardNormal.sample_iter(rng).take(count).map(|x: f32| x * ROOM_TONE).collect();
        Chunk { samples, is_last: true, ..Default::default() }
    }
}

impl Iterator for Speech<'_> {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.next_chunk();
        if chunk.is_err() {
            self.current = None; // what is left of this utterance cannot be spoken
        }
        chunk.transpose()
    }
}

fn mark(name: String) -> Chunk {
    let utterance = Utterance { marks: vec![Mark { name, word: 0 }], ..Default::default() };
    Chunk { utterance: utterance.into(), is_last: true, ..Default::default() }
}
