//! Change of sample rate, in one go or piece by piece with the same result.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use super::wav::Audio;
use crate::error::{Error, Result};

/// Samples that are transformed at a time, at least: the more, the sharper the filter and the later the sound.
const BLOCK: u32 = 512;
const LOWEST_RATE: u32 = 2_000;
const HIGHEST_RATE: u32 = 768_000;

/// The same sound at `sample_rate`.
pub fn resample(audio: Audio, sample_rate: u32) -> Result<Audio> {
    if audio.sample_rate == sample_rate {
        return Ok(audio);
    }
    let mut resampler = Resampler::new(audio.sample_rate, sample_rate)?;
    let mut samples = resampler.push(&audio.samples)?;
    samples.extend(resampler.finish()?);
    Ok(Audio { samples, sample_rate })
}

/// A stream of mono samples that changes its rate, without delay: sample 0 stays at time 0.
pub struct Resampler {
    from: u32,
    to: u32,
    /// None where the rates are the same.
    fft: Option<Fft<f32>>,
    /// Samples that wait until a block is full.
    pending: Vec<f32>,
    taken: u64,
    given: u64,
    /// Samples of the filter's delay that are still to be dropped.
    delay: usize,
}

impl Resampler {
    /// From one rate to another, in Hz.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        for rate in [from, to] {
            if !(LOWEST_RATE..=HIGHEST_RATE).contains(&rate) {
                let expected = format!("expected {LOWEST_RATE} to {HIGHEST_RATE}");
                return Err(Error::Option(format!("a sample rate of {rate} Hz cannot be converted, {expected}")));
            }
        }
        let fft = if from == to { None } else { Some(fft(from, to)?) };
        let delay = fft.as_ref().map_or(0, |fft| fft.output_delay());
        Ok(Self { from, to, fft, pending: Vec::new(), taken: 0, given: 0, delay })
    }

    /// Takes samples; gives those that are ready, often none or more than came in.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>> {
        let Some(fft) = &self.fft else { return Ok(samples.to_vec()) };
        self.taken += samples.len() as u64;
        self.pending.extend_from_slice(samples);
        let block = fft.input_frames_next();
        let whole = self.pending.len() / block * block;
        let mut output = Vec::new();
        for start in (0..whole).step_by(block) {
            let input: Vec<f32> = self.pending[start..start + block].to_vec();
            output.extend(self.convert(&input)?);
        }
        self.pending.drain(..whole);
        Ok(output)
    }

    /// The rest, so that in all the sound is as long as it was.
    pub fn finish(mut self) -> Result<Vec<f32>> {
        let goal = (self.taken * u64::from(self.to) + u64::from(self.from) / 2) / u64::from(self.from);
        let rest = std::mem::take(&mut self.pending);
        let start = self.given;
        let mut output = if rest.is_empty() { Vec::new() } else { self.convert(&rest)? };
        while self.given < goal {
            output.extend(self.convert(&[])?);
        }
        output.truncate((goal - start) as usize);
        Ok(output)
    }

    /// Converts one block, filled up with silence.
    fn convert(&mut self, input: &[f32]) -> Result<Vec<f32>> {
        let Some(fft) = &mut self.fft else { return Ok(input.to_vec()) };
        let failed = |reason: String| Error::Option(format!("the sample rate cannot be converted: {reason}"));
        let mut output = vec![0.0; fft.output_frames_next()];
        let frames = output.len();
        let source = InterleavedSlice::new(input, 1, input.len()).map_err(|e| failed(e.to_string()))?;
        let mut target = InterleavedSlice::new_mut(&mut output, 1, frames).map_err(|e| failed(e.to_string()))?;
        let partial = Indexing::new().partial_len(input.len());
        fft.process_into_buffer(&source, &mut target, Some(&partial)).map_err(|e| failed(e.to_string()))?;
        let late = self.delay.min(output.len());
        self.delay -= late;
        output.drain(..late);
        self.given += output.len() as u64;
        Ok(output)
    }
}

fn fft(from: u32, to: u32) -> Result<Fft<f32>> {
    // The filter's delay is half a block: an even block keeps it a whole number of samples on both sides.
    let least = 2 * from / gcd(from, to);
    let block = BLOCK.div_ceil(least) * least;
    let window = WindowFunction::BlackmanHarris2;
    let fft = Fft::new_custom(from as usize, to as usize, block as usize, 1, 1, window, FixedSync::Both);
    fft.map_err(|e| Error::Option(format!("{from} Hz cannot be converted to {to} Hz: {e}")))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
