//! The ways to generate codes: which frames and codebooks are drawn one after the other, and which at once.
//!
//! The strategies `ar-nar` and `ar` go frame by frame (the synthesizer lets the coarse model run just ahead of what is
//! heard). The others, here, make all frames of an utterance at once with the [`crate::parallel`] model: first
//! the [`lengths`], then tokens by filling in masked ones ([`fill`]) or latents from noise ([`flow`]).

pub mod depth;
pub mod fill;
pub mod flow;
pub mod lengths;

use rand::{Rng, RngExt};
use tch::Tensor;

use crate::error::{Error, Result};
use crate::nn::aligned::FramePath;
use crate::parallel::{ParallelModel, Reading};
use crate::sampling::{SamplingOptions, keyed};
use crate::voice::Voice;

/// A way to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Codebook 0 autoregressively, the others in parallel.
    #[default]
    ArNar,
    /// Every codebook autoregressively, frame by frame.
    Ar,
    /// Lengths, then all frames in one pass.
    Nar,
    /// Masked tokens filled in over several passes, the surest first.
    Masked,
    /// Noise to latents by flow matching.
    Flow,
    /// Every fourth frame, then every second, then all.
    Cascade,
}

/// How frames that are drawn at once agree with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Draw {
    /// Each takes its likeliest token.
    #[default]
    Greedy,
    /// Each draws by itself, knowing nothing of what the others draw.
    Independent,
    /// One latent variable is drawn for the utterance; each frame takes its likeliest token given that.
    Latent,
}

/// How the length of what is made at once is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Length {
    /// By the predicted durations of the phonemes.
    #[default]
    Durations,
    /// A fixed long output is cut where its first frame says that speech has ended; `nar` only.
    End,
}

/// How to generate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StrategyOptions {
    pub strategy: Strategy,
    /// Passes of `masked`, `flow` (both 1 to 100) and `cascade` (1 to 3); none for the strategy's own number.
    pub steps: Option<i64>,
    /// Of `nar`, `masked` and `cascade`.
    pub draw: Draw,
    pub length: Length,
}

impl StrategyOptions {
    /// Says which option is out of its range or of no use to the strategy.
    pub fn validate(&self) -> Result<()> {
        let wrong = |reason: String| Err(Error::Option(reason));
        let most = match self.strategy {
            Strategy::Masked | Strategy::Flow => 100,
            Strategy::Cascade => fill::STAGES,
            _ => 0,
        };
        match self.steps {
            Some(steps) if most == 0 => {
                return wrong(format!("steps is {steps}, but only masked, flow and cascade have them"));
            }
            Some(steps) if !(1..=most).contains(&steps) => {
                return wrong(format!("steps is {steps}, expected 1 to {most}"));
            }
            _ => {}
        }
        let fills = matches!(self.strategy, Strategy::Nar | Strategy::Masked | Strategy::Cascade);
        if self.draw != Draw::default() && !fills {
            return wrong("draw is of use to the strategies nar, masked and cascade only".into());
        }
        if self.length != Length::default() && self.strategy != Strategy::Nar {
            return wrong("length is of use to the strategy nar only".into());
        }
        Ok(())
    }

    /// Passes over all frames.
    fn passes(&self) -> i64 {
        self.steps.unwrap_or(match self.strategy {
            Strategy::Masked | Strategy::Flow => 8,
            Strategy::Cascade => fill::STAGES,
            _ => 1,
        })
    }
}

/// All frames of an utterance.
#[derive(Debug)]
pub struct Frames {
    /// Code of codebook 0 of each.
    pub tokens: Vec<i64>,
    /// Phoneme that each speaks.
    pub path: Vec<i64>,
    /// Number of the pass that fixed each, from 1.
    pub passes: Vec<u64>,
}

/// All frames of the phonemes `[1, S]`, by the parallel model; `number` is the utterance's.
pub fn generate(
    voice: &Voice,
    phonemes: &Tensor,
    log_speed: f64,
    options: &StrategyOptions,
    sampling: &SamplingOptions,
    number: u64,
) -> Result<Frames> {
    let utterance = Utterance::read(voice, phonemes, log_speed, options, sampling, number)?;
    match options.strategy {
        Strategy::ArNar | Strategy::Ar => Err(Error::Option("an autoregressive strategy goes frame by frame".into())),
        Strategy::Flow => flow::generate(&utterance, options.passes()),
        Strategy::Nar if options.length == Length::End => lengths::cut_at_end(&utterance),
        Strategy::Nar => fill::surest_first(&utterance, 1),
        Strategy::Masked => fill::surest_first(&utterance, options.passes()),
        Strategy::Cascade => fill::small_to_large(&utterance, options.passes()),
    }
}

/// What generating an utterance at once needs to know.
struct Utterance<'a> {
    voice: &'a Voice,
    model: &'a ParallelModel,
    reading: Reading,
    phonemes: usize,
    log_speed: f64,
    sampling: SamplingOptions,
    number: u64,
}

impl<'a> Utterance<'a> {
    fn read(
        voice: &'a Voice,
        phonemes: &Tensor,
        log_speed: f64,
        options: &StrategyOptions,
        sampling: &SamplingOptions,
        number: u64,
    ) -> Result<Self> {
        let model = voice.parallel()?;
        let mut sampling = sampling.clone();
        let mut variable = vec![0f32; model.config().utterance_dim as usize];
        if options.draw == Draw::Latent {
            fill_normal(&mut variable, &mut keyed(sampling.seed, number, 0));
        }
        if options.draw != Draw::Independent && options.strategy != Strategy::Flow {
            sampling.temperature = 0.0;
        }
        let speed = Tensor::from_slice(&[log_speed as f32]).to_device(voice.device);
        let variable = Tensor::from_slice(&variable).view([1, -1]).to_device(voice.device);
        let reading = model.read(phonemes, None, &speed, &variable);
        let phonemes = phonemes.size()[1] as usize;
        Ok(Self { voice, model, reading, phonemes, log_speed, sampling, number })
    }

    /// What is known of the frames on a path.
    fn aligned(&self, path: &[i64]) -> Tensor {
        self.model.aligned(&self.reading, &FramePath::new(path, self.voice.device))
    }
}

/// Standard normal numbers (Box and Muller 1958).
fn fill_normal(values: &mut [f32], rng: &mut impl Rng) {
    for value in values {
        let (radius, angle): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
        *value = ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32;
    }
}
