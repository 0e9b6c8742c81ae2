//! One utterance on its way from phonemes to samples, a piece at a time.
//!
//! The coarse model runs ahead as far as the fine model looks, the fine model as far as the decoder looks: pieces fit together
//! as if all had been computed at once, but for the rounding of 8-bit activations. Pieces grow, so that the first one comes soon and the others cost little.

use std::sync::Arc;
use std::time::Instant;

use tch::{Kind, Tensor, no_grad};

use super::{Chunk, PITCHES, SPEEDS, SpeechOptions, StageTimes};
use crate::audio::loudness::amplitude;
use crate::coarse::CoarseState;
use crate::codec::DecoderStream;
use crate::error::Result;
use crate::nn::aligned::FramePath;
use crate::strategies::{self, Strategy};
use crate::text::{Utterance, Vocab};
use crate::voice::Voice;

/// Longest stay at one phoneme, in frames; the pointer is then moved on.
const LONGEST_STAY: i64 = 40;
/// Frames of the first piece; the decoder needs those that it looks ahead besides. No piece is made of less.
const FIRST_BLOCK: i64 = 4;
/// The draws of the depth model are numbered from here.
const DEPTH_POSITIONS: u64 = 1 << 40;

/// Where the frames come from.
enum Source {
    /// The coarse model, frame by frame.
    Autoregressive(CoarseState),
    /// The parallel model, all at once; these phonemes `[1, S]` at this logarithm of the speed are still to be spoken.
    Parallel(Option<(Tensor, f64)>),
}

impl Source {
    fn is_finished(&self) -> bool {
        match self {
            Self::Autoregressive(state) => state.is_finished(),
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
    source: Source,
    /// Of each frame: the code of codebook 0 and the pointer.
    tokens: Vec<i64>,
    path: Vec<i64>,
    /// All codes of the frames that the source has made, `[1, n_q, 1..]` each, if it leaves none to the fine model.
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
        let ids = Vocab::encode_utterance(&utterance.phonemes)?;
        let ids = Tensor::from_slice(&ids).unsqueeze(0).to_device(voice.device);
        let speed = (options.speed * utterance.prosody.rate).clamp(*SPEEDS.start(), *SPEEDS.end());
        let pitch = (options.pitch + utterance.prosody.pitch).clamp(*PITCHES.start(), *PITCHES.end());
        let frame_by_frame = matches!(options.strategy.strategy, Strategy::ArNar | Strategy::Ar);
        Ok(no_grad(|| Self {
            voice,
            options,
            utterance: utterance.into(),
            number,
            source: match frame_by_frame {
                true => Source::Autoregressive(voice.coarse.start(&ids, speed.ln())),
                false => Source::Parallel(Some((ids.shallow_clone(), speed.ln()))),
            },
            tokens: Vec::new(),
            path: Vec::new(),
            whole: Vec::new(),
            phonemes: voice.fine.phonemes(&ids, None),
            codes: Tensor::zeros([1, voice.config.codec.n_q, 0], (Kind::Int64, voice.device)),
            decoder: DecoderStream::new(options.sampling.seed.wrapping_add(number), pitch),
            block: voice.codec.decoder.context() + FIRST_BLOCK,
        }))
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
                (self.tokens, self.path) = (made.tokens, made.path);
                self.whole = made.codes.into_iter().collect();
            }
            Source::Autoregressive(_) => {
                while !self.source.is_finished() && (self.path.len() as i64) < frames {
                    self.step()?;
                }
            }
        }
        Ok(())
    }

    /// One frame of the coarse model, and with the strategy `ar` of the depth model.
    fn step(&mut self) -> Result<()> {
        let Source::Autoregressive(state) = &mut self.source else { return Ok(()) };
        let Self { voice, options, number, .. } = *self;
        let draw = |logits: &Tensor, position: u64| -> Result<i64> {
            let logits = Vec::<f32>::try_from(logits.view([-1]))?;
            Ok(options.sampling.draw(&logits, number, position) as i64)
        };
        let position = 2 * self.path.len() as u64;
        let hidden = voice.coarse.step(state);
        let token = draw(&voice.coarse.token_logits(&hidden), position)?;
        let index = Tensor::full([1, 1], token, (Kind::Int64, voice.device));
        let advance = draw(&voice.coarse.advance_logits(&hidden, &index), position + 1)?;
        let advance = if state.stay >= LONGEST_STAY { advance.max(1) } else { advance };
        self.tokens.push(token);
        self.path.push(state.pointer);
        state.accept(token, advance);
        if options.strategy.strategy == Strategy::Ar {
            let codes = strategies::depth::codes(voice, &hidden, token, self.whole.last(), |logits, level| {
                draw(logits, DEPTH_POSITIONS + position * voice.config.codec.n_q as u64 + level)
            })?;
            self.whole.push(codes);
        }
        Ok(())
    }

    /// Adds all codes of the frames up to `end`, in as many passes as the options say.
    fn refine(&mut self, end: i64) {
        if !self.whole.is_empty() {
            self.codes = Tensor::cat(&self.whole, 2).narrow(2, 0, end);
            return;
        }
        let (model, quantizer) = (&self.voice.fine, &self.voice.codec.quantizer);
        let (left, right) = model.config().trunk.context();
        let (start, frames) = (self.refined(), self.path.len() as i64);
        let (first, last) = ((start - left).max(0), (end + right).min(frames));
        let path = FramePath::new(&self.path, self.voice.device).window(first, last);
        let aligned = model.aligned(&self.phonemes, &path);
        let coarse = &self.tokens[first as usize..last as usize];
        let mut codes = Tensor::from_slice(coarse).view([1, 1, -1]).to_device(self.voice.device);
        let starts = model.config().pass_starts(self.options.nar_steps);
        let ends = starts[1..].iter().copied().chain([model.config().n_q]);
        for (level, next) in starts.iter().copied().zip(ends) {
            let latent = model.forward(&aligned, &quantizer.decode(&codes).transpose(1, 2), level, None);
            codes = quantizer.complete(&codes, &latent, next);
        }
        self.codes = Tensor::cat(&[&self.codes, &codes.narrow(2, start - first, end - start)], 2);
    }
}
