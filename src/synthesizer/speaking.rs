//! One utterance on its way from phonemes to samples, a piece at a time.
//!
//! The coarse model runs ahead as far as the fine model looks, the fine model as far as the decoder looks: pieces fit together
//! as if all had been computed at once, but for the rounding of 8-bit activations. Pieces grow, so that the first one comes soon and the others cost little.

use std::sync::Arc;
use std::time::Instant;

use tch::{Kind, Tensor, no_grad};

use super::refining::refine;
use super::{Chunk, PITCHES, SPEEDS, SpeechOptions, StageTimes};
use crate::audio::loudness::amplitude;
use crate::codec::DecoderStream;
use crate::error::Result;
use crate::speculative::heads::HeadsDrafter;
use crate::speculative::retrieval::RetrievalDrafter;
use crate::speculative::small::SmallDrafter;
use crate::speculative::{Decoding, Draft, Drafter, FrameSampler, Tally};
use crate::strategies::{self, Strategy, depth};
use crate::text::{Utterance, Vocab};
use crate::voice::Voice;

/// Frames of the first piece; the decoder needs those that it looks ahead besides. No piece is made of less.
const FIRST_BLOCK: i64 = 4;

/// Voices follow a high speed the less, the higher it is: with the logarithm `x` of a speed above 1 they are asked for `x + FAST·x²`,
/// and measured speeds are within 10 % of those that were meant (`tests/speech.rs`).
const FAST: f64 = 0.8;
/// Words of an utterance that is spoken at [`FEW_WORDS_PACE`].
const FEW_WORDS: usize = 2;
/// Few words without others around them are easily misheard, so they are said more slowly; whether that helps is not sure
/// (`docs/quality.md`).
const FEW_WORDS_PACE: f64 = 0.85;
/// Longest silence before and after an utterance at a speed of 1, in seconds: what the training speech has.
const LONGEST_SILENCE: f64 = 0.2;

/// Where the frames come from.
enum Source<'a> {
    /// The coarse model, frame by frame.
    Autoregressive(Box<Decoding<'a>>),
    /// The parallel model, all at once; these phonemes `[1, S]` at this logarithm of the speed are still to be spoken.
    Parallel(Option<(Tensor, f64)>),
}

impl Source<'_> {
    fn is_finished(&self) -> bool {
        match self {
            Self::Autoregressive(decoding) => decoding.is_finished(),
            Self::Parallel(rest) => rest.is_none(),
        }
    }
}

/// How far an utterance has come.
pub struct Speaking<'a> {
    voice: &'a Voice,
    options: &'a SpeechOptions,
    utterance: Arc<Utterance>,
    /// Number of the utterance in the text: every utterance draws numbers of its own.
    number: u64,
    source: Source<'a>,
    /// Of each frame: the code of codebook 0 and the pointer.
    tokens: Vec<i64>,
    path: Vec<i64>,
    /// Of each frame: the pass that made its token.
    passes: Vec<u64>,
    tally: Tally,
    /// All codes of each frame that the source has made, `[1, n_q, 1]`, if it leaves none to the fine model.
    whole: Vec<Tensor>,
    /// What the fine model knows of the phonemes, `[1, S, C]`.
    phonemes: Tensor,
    /// All codes of the first frames, `[1, n_q, T]`.
    codes: Tensor,
    decoder: DecoderStream,
    /// Frames that the next piece takes through the fine model.
    block: i64,
}

impl<'a> Speaking<'a> {
    /// At the start of `utterance`.
    pub fn new(voice: &'a Voice, utterance: Utterance, number: u64, options: &'a SpeechOptions) -> Result<Self> {
        let symbols = Vocab::encode_utterance(&utterance.phonemes)?;
        let ids = Tensor::from_slice(&symbols).unsqueeze(0).to_device(voice.device);
        let is_short = utterance.phonemes.split_whitespace().count() <= FEW_WORDS;
        let pace = if is_short { FEW_WORDS_PACE } else { 1.0 };
        let speed = (options.speed * utterance.prosody.rate).clamp(*SPEEDS.start(), *SPEEDS.end());
        let speed = (speed * pace).max(*SPEEDS.start());
        let log_speed = speed.ln();
        let log_speed = log_speed + FAST * log_speed.max(0.0).powi(2);
        let pitch = (options.pitch + utterance.prosody.pitch).clamp(*PITCHES.start(), *PITCHES.end());
        let frame_by_frame = matches!(options.strategy.strategy, Strategy::ArNar | Strategy::Ar);
        no_grad(|| {
            Ok(Self {
                voice,
                options,
                utterance: utterance.into(),
                number,
                source: match frame_by_frame {
                    true => Source::Autoregressive(decoding(voice, symbols, &ids, log_speed, number, options)?.into()),
                    false => Source::Parallel(Some((ids.shallow_clone(), log_speed))),
                },
                tokens: Vec::new(),
                path: Vec::new(),
                passes: Vec::new(),
                tally: Tally::default(),
                whole: Vec::new(),
                phonemes: voice.fine.phonemes(&ids, None),
                codes: Tensor::zeros([1, voice.config.codec.n_q, 0], (Kind::Int64, voice.device)),
                decoder: DecoderStream::new(options.sampling.seed.wrapping_add(number), pitch),
                block: voice.codec.decoder.context() + FIRST_BLOCK,
            })
        })
    }

    /// The next piece; none may be asked for after the last.
    pub fn next_chunk(&mut self) -> Result<Chunk> {
        no_grad(|| {
            let mut times = StageTimes::default();
            let start = self.decoder.frames;
            let context = self.voice.codec.decoder.context();
            while !self.is_refined() && self.refined() <= start + context {
                let from = Instant::now();
                let end = self.refined() + self.block;
                self.run_source(end + self.voice.fine.config().frames_ahead())?;
                let coarse = Instant::now();
                self.refine(end.min(self.path.len() as i64));
                times.coarse += coarse - from;
                times.fine += coarse.elapsed();
            }
            let from = Instant::now();
            let end = if self.is_refined() { self.refined() } else { self.refined() - context };
            let mut samples = self.voice.codec.decode_until(&self.codes, end, &mut self.decoder)?;
            let gain = amplitude(self.voice.config.gain_db() + self.utterance.prosody.volume_db);
            samples.iter_mut().for_each(|sample| *sample *= gain);
            times.decoder = from.elapsed();
            self.block = (2 * self.block).min(self.options.chunk_frames(self.voice)).max(FIRST_BLOCK);
            Ok(Chunk {
                utterance: Arc::clone(&self.utterance),
                is_last: self.is_refined(),
                samples,
                pointer: self.path[start as usize..end as usize].to_vec(),
                codes: Vec::<Vec<i64>>::try_from(self.codes.squeeze_dim(0).narrow(1, start, end - start))?,
                times,
                tally: std::mem::take(&mut self.tally),
                passes: self.passes[start as usize..end as usize].to_vec(),
            })
        })
    }

    fn refined(&self) -> i64 {
        self.codes.size()[2]
    }

    fn is_refined(&self) -> bool {
        self.source.is_finished() && self.refined() == self.path.len() as i64
    }

    /// Lets the source go on until there are `frames` frames or the end is reached.
    fn run_source(&mut self, frames: i64) -> Result<()> {
        match &mut self.source {
            Source::Parallel(rest) => {
                let Some((phonemes, log_speed)) = rest.take() else { return Ok(()) };
                let SpeechOptions { strategy, sampling, .. } = self.options;
                let made = strategies::generate(self.voice, &phonemes, log_speed, strategy, sampling, self.number)?;
                let (passes, frames) = (made.passes.iter().copied().max().unwrap_or(0), made.path.len() as u64);
                self.tally += Tally { passes, frames, ..Tally::default() };
                (self.tokens, self.path, self.passes) = (made.tokens, made.path, made.passes);
            }
            Source::Autoregressive(decoding) => {
                while !decoding.is_finished() && (self.path.len() as i64) < frames {
                    for spoken in decoding.next_frames()? {
                        if self.options.strategy.strategy == Strategy::Ar {
                            let (sampling, at) = (&self.options.sampling, self.path.len() as u64);
                            let codes =
                                depth::codes(self.voice, &spoken, self.whole.last(), sampling, self.number, at)?;
                            self.whole.push(codes);
                        }
                        self.tokens.push(spoken.frame.token);
                        self.path.push(spoken.pointer);
                        self.passes.push(spoken.pass);
                    }
                }
                self.tally += decoding.take_tally();
            }
        }
        Ok(())
    }

    /// Adds all codes of the frames up to `end`, in as many passes as the options say.
    fn refine(&mut self, end: i64) {
        if !self.whole.is_empty() {
            self.codes = Tensor::cat(&self.whole, 2).narrow(2, 0, end);
            return;
        }
        let (passes, wanted) = (self.options.nar_steps, self.refined()..end);
        let codes = refine(self.voice, &self.phonemes, &self.tokens, &self.path, passes, wanted);
        self.codes = Tensor::cat(&[&self.codes, &codes], 2);
    }
}

/// The coarse model at the start of an utterance, with the drafters that are asked for.
fn decoding<'a>(
    voice: &'a Voice,
    symbols: Vec<i64>,
    phonemes: &Tensor,
    log_speed: f64,
    number: u64,
    options: &'a SpeechOptions,
) -> Result<Decoding<'a>> {
    let draft = options.draft.draft;
    let asked = |one: Draft| draft == one || draft == Draft::All;
    let mut drafters: Vec<Box<dyn Drafter>> = Vec::new();
    if asked(Draft::Heads) {
        drafters.push(Box::new(HeadsDrafter::new(voice.heads()?)));
    }
    if asked(Draft::Small) {
        let small = voice.small()?;
        drafters.push(Box::new(SmallDrafter::new(small, small.start(phonemes, log_speed))));
    }
    if asked(Draft::Retrieval) {
        drafters.push(Box::new(RetrievalDrafter::new(voice.retrieval()?, symbols)));
    }
    // The voice is asked for faster phonemes; the silence around them would stay as long as it is.
    let longest_silence =
        ((LONGEST_SILENCE / log_speed.exp()) * voice.config.codec.frame_rate()).round().max(1.0) as i64;
    let symbols = phonemes.size()[1];
    let sampler = FrameSampler { options: &options.sampling, sequence: number, symbols, longest_silence };
    let (state, codebook) = (voice.coarse.start(phonemes, log_speed), voice.codec.quantizer.codebook(0));
    Ok(Decoding::new(&voice.coarse, state, sampler, drafters, &options.draft, codebook))
}
