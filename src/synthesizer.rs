//! Text to speech: the only place that knows the whole order, from text through phonemes, coarse and fine codes to samples.

mod speaking;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tch::{Device, Tensor};

use crate::error::{Error, Result};
use crate::sampling::SamplingOptions;
use crate::text::{FrontEnd, Utterance, nothing_to_speak};
use crate::voice::Voice;
use speaking::Speaking;

/// How to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechOptions {
    pub sampling: SamplingOptions,
    /// Speaking rate relative to the voice's own, 0.5 to 2.
    pub speed: f64,
    /// Passes of the fine model.
    pub nar_steps: i64,
    /// Longest piece of speech that is made at once, in milliseconds, 100 to 10000.
    pub chunk_ms: u32,
    /// Silence after a paragraph, besides that after a sentence, in seconds.
    pub paragraph_pause: f64,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        let sampling = SamplingOptions { temperature: 0.3, top_k: 0, top_p: 0.9, seed: 0 };
        Self { sampling, speed: 1.0, nar_steps: 1, chunk_ms: 4000, paragraph_pause: 0.4 }
    }
}

impl SpeechOptions {
    /// Says which option is out of its range.
    pub fn validate(&self) -> Result<()> {
        self.sampling.validate()?;
        if !(0.5..=2.0).contains(&self.speed) {
            return Err(Error::Option(format!("speed is {}, expected 0.5 to 2", self.speed)));
        }
        if self.nar_steps < 1 {
            return Err(Error::Option(format!("nar-steps is {}, expected at least 1", self.nar_steps)));
        }
        if !(100..=10_000).contains(&self.chunk_ms) {
            return Err(Error::Option(format!("chunk-ms is {}, expected 100 to 10000", self.chunk_ms)));
        }
        if !(0.0..=60.0).contains(&self.paragraph_pause) {
            let got = self.paragraph_pause;
            return Err(Error::Option(format!("paragraph-pause is {got}, expected 0 to 60 seconds")));
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

/// A piece of a spoken utterance.
#[derive(Debug)]
pub struct Chunk {
    pub utterance: Arc<Utterance>,
    /// Whether the utterance ends with this piece.
    pub is_last: bool,
    /// Mono, in -1..1, at [`Synthesizer::sample_rate`].
    pub samples: Vec<f32>,
    /// Phoneme that each token frame speaks: 0 is the silence before, `i + 1` symbol `i` of the utterance's phonemes.
    pub pointer: Vec<i64>,
    /// Codes of the token frames, `[n_q, T]`.
    pub codes: Tensor,
    pub times: StageTimes,
}

/// A voice and the front end that reads for it.
pub struct Synthesizer {
    front_end: FrontEnd,
    voice: Voice,
}

impl Synthesizer {
    /// Loads the voice in the folder `dir`.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self::new(Voice::load(dir, Device::Cpu)?, FrontEnd::new()?))
    }

    pub fn new(voice: Voice, front_end: FrontEnd) -> Self {
        Self { front_end, voice }
    }

    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// Samples per second of what is spoken.
    pub fn sample_rate(&self) -> u32 {
        self.voice.config.codec.sample_rate as u32
    }

    /// Speaks `text` utterance by utterance as the iterator is advanced; the first one is read at once.
    pub fn speak<'a>(&'a self, text: &'a str, options: &'a SpeechOptions) -> Result<Speech<'a>> {
        options.validate()?;
        let started = Instant::now();
        let mut rest = self.front_end.utterances(text);
        let first = rest.next().ok_or_else(|| nothing_to_speak(text))??;
        let utterances = Box::new(std::iter::once(Ok(first)).chain(rest).enumerate());
        Ok(Speech { synthesizer: self, options, utterances, current: None, front_end: started.elapsed() })
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
    utterances: Box<dyn Iterator<Item = (usize, Result<Utterance>)> + 'a>,
    /// The utterance that is being spoken.
    current: Option<(Arc<Utterance>, Speaking<'a>)>,
    /// Time spent on reading since the last chunk.
    front_end: Duration,
}

impl Speech<'_> {
    /// The next piece of the utterance that is being spoken or, after its end, of the next one.
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        if self.current.is_none() {
            let started = Instant::now();
            let Some((number, utterance)) = self.utterances.next() else { return Ok(None) };
            let utterance = Arc::new(utterance?);
            self.front_end += started.elapsed();
            let (voice, options) = (&self.synthesizer.voice, self.options);
            let speaking = Speaking::new(voice, &utterance.phonemes, number as u64, options.speed, options)?;
            self.current = Some((utterance, speaking));
        }
        let Some((utterance, speaking)) = &mut self.current else { return Ok(None) };
        let utterance = Arc::clone(utterance);
        let mut piece = speaking.next_piece()?;
        if piece.is_last {
            self.current = None;
            if utterance.ends_paragraph {
                let pause = self.options.paragraph_pause * f64::from(self.synthesizer.sample_rate());
                piece.samples.resize(piece.samples.len() + pause as usize, 0.0);
            }
        }
        let times = StageTimes { front_end: std::mem::take(&mut self.front_end), ..piece.times };
        let speaking::Piece { samples, pointer, codes, is_last, .. } = piece;
        Ok(Some(Chunk { utterance, is_last, samples, pointer, codes, times }))
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
