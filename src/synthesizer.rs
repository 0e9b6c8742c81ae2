//! Text to speech: the only place that knows the whole order, from text through phonemes, coarse and fine codes to samples.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor, no_grad};
use tracing::debug;

use crate::error::{Error, Result};
use crate::fine::FineInput;
use crate::sampling::SamplingOptions;
use crate::text::{FrontEnd, Utterance, Vocab, nothing_to_speak};
use crate::voice::Voice;

/// Longest stay at one phoneme, in frames; the pointer is then moved on.
const LONGEST_STAY: i64 = 40;

/// How to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechOptions {
    pub sampling: SamplingOptions,
    /// Speaking rate relative to the voice's own, 0.5 to 2.
    pub speed: f64,
    /// Passes of the fine model.
    pub nar_steps: i64,
    /// Silence after a paragraph, besides that after a sentence, in seconds.
    pub paragraph_pause: f64,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        let sampling = SamplingOptions { temperature: 0.3, top_k: 0, top_p: 0.9, seed: 0 };
        Self { sampling, speed: 1.0, nar_steps: 1, paragraph_pause: 0.4 }
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
        if !(0.0..=60.0).contains(&self.paragraph_pause) {
            let got = self.paragraph_pause;
            return Err(Error::Option(format!("paragraph-pause is {got}, expected 0 to 60 seconds")));
        }
        Ok(())
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

/// One spoken utterance.
#[derive(Debug, Clone)]
pub struct Chunk {
    pub utterance: Utterance,
    /// Mono, in -1..1, at [`Synthesizer::sample_rate`].
    pub samples: Vec<f32>,
    /// Phoneme that each token frame speaks: 0 is the silence before, `i + 1` symbol `i` of the utterance's phonemes.
    pub pointer: Vec<i64>,
    /// Codes of each codebook, one a token frame.
    pub codes: Vec<Vec<i64>>,
    pub times: StageTimes,
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

    /// Speaks `text` utterance by utterance as the iterator is advanced; the first one is read at once.
    pub fn speak<'a>(&'a self, text: &'a str, options: &'a SpeechOptions) -> Result<Speech<'a>> {
        options.validate()?;
        let started = Instant::now();
        let mut rest = self.front_end.utterances(text);
        let first = rest.next().ok_or_else(|| nothing_to_speak(text))??;
        let utterances = Box::new(std::iter::once(Ok(first)).chain(rest).enumerate());
        Ok(Speech { synthesizer: self, options, utterances, front_end: started.elapsed() })
    }

    /// Speaks `text` to its end.
    pub fn samples(&self, text: &str, options: &SpeechOptions) -> Result<Vec<f32>> {
        let mut samples = Vec::new();
        for chunk in self.speak(text, options)? {
            samples.extend(chunk?.samples);
        }
        Ok(samples)
    }

    fn utter(&self, utterance: Utterance, number: u64, options: &SpeechOptions) -> Result<Chunk> {
        no_grad(|| {
            let started = Instant::now();
            let phonemes = Vocab::encode_utterance(&utterance.phonemes)?;
            let phonemes = Tensor::from_slice(&phonemes).unsqueeze(0).to_device(self.voice.device);
            let (coarse, pointer) = self.coarse_codes(&phonemes, number, options)?;
            let coarse_done = Instant::now();
            let codes = self.fine_codes(&FineInput::from_path(phonemes, &pointer), &coarse, options.nar_steps);
            let fine_done = Instant::now();
            let samples = self.voice.codec.decode(&codes, options.sampling.seed.wrapping_add(number)).view([-1]);
            let mut samples = Vec::<f32>::try_from(&samples)?;
            let decoded = Instant::now();
            if utterance.ends_paragraph {
                let pause = options.paragraph_pause * f64::from(self.sample_rate());
                samples.resize(samples.len() + pause as usize, 0.0);
            }
            let times = StageTimes {
                front_end: Duration::ZERO,
                coarse: coarse_done - started,
                fine: fine_done - coarse_done,
                decoder: decoded - fine_done,
            };
            let (coarse, fine, decoder) = (times.coarse, times.fine, times.decoder);
            debug!(number, frames = pointer.len(), ?coarse, ?fine, ?decoder, "utterance spoken");
            let codes = Vec::<Vec<i64>>::try_from(codes.squeeze_dim(0))?;
            Ok(Chunk { utterance, samples, pointer, codes, times })
        })
    }

    /// Codes of all codebooks, `[1, n_q, T]`, from those of the first, `[1, T]`, in `passes` passes.
    fn fine_codes(&self, input: &FineInput, coarse: &Tensor, passes: i64) -> Tensor {
        let (model, quantizer) = (&self.voice.fine, &self.voice.codec.quantizer);
        let aligned = model.aligned(input);
        let mut codes = coarse.unsqueeze(1);
        let starts = model.config().pass_starts(passes);
        let ends = starts[1..].iter().copied().chain([model.config().n_q]);
        for (start, end) in starts.iter().copied().zip(ends) {
            let latent = model.forward(&aligned, &quantizer.decode(&codes).transpose(1, 2), start, None);
            codes = quantizer.complete(&codes, &latent, end);
        }
        codes
    }

    /// Codes of codebook 0, `[1, T]`, and the pointer's path.
    fn coarse_codes(&self, phonemes: &Tensor, number: u64, options: &SpeechOptions) -> Result<(Tensor, Vec<i64>)> {
        let model = &self.voice.coarse;
        let mut state = model.start(phonemes, options.speed.ln());
        let (mut codes, mut path) = (Vec::new(), Vec::new());
        while !state.is_finished() {
            let position = 2 * path.len() as u64;
            let hidden = model.step(&mut state);
            let token = self.draw(&model.token_logits(&hidden), number, position, options)?;
            let index = Tensor::full([1, 1], token, (Kind::Int64, self.voice.device));
            let advance = self.draw(&model.advance_logits(&hidden, &index), number, position + 1, options)?;
            let advance = if state.stay >= LONGEST_STAY { advance.max(1) } else { advance };
            codes.push(token);
            path.push(state.pointer);
            state.accept(token, advance);
        }
        Ok((Tensor::from_slice(&codes).unsqueeze(0).to_device(self.voice.device), path))
    }

    fn draw(&self, logits: &Tensor, number: u64, position: u64, options: &SpeechOptions) -> Result<i64> {
        let logits = Vec::<f32>::try_from(logits.view([-1]))?;
        Ok(options.sampling.draw(&logits, number, position) as i64)
    }
}

/// Speech as it is made, one utterance after the other.
pub struct Speech<'a> {
    synthesizer: &'a Synthesizer,
    options: &'a SpeechOptions,
    utterances: Box<dyn Iterator<Item = (usize, Result<Utterance>)> + 'a>,
    /// Time spent on reading since the last chunk.
    front_end: Duration,
}

impl Iterator for Speech<'_> {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let started = Instant::now();
        let (number, utterance) = self.utterances.next()?;
        let front_end = std::mem::take(&mut self.front_end) + started.elapsed();
        if let Ok(Utterance { text, phonemes, .. }) = &utterance {
            debug!(number, text, phonemes, ?front_end, "utterance read");
        }
        let chunk = utterance.and_then(|u| self.synthesizer.utter(u, number as u64, self.options));
        Some(chunk.map(|chunk| Chunk { times: StageTimes { front_end, ..chunk.times }, ..chunk }))
    }
}
