//! The teacher's own spectra as targets for the decoder: a waveform says them only through noise and the sum of two parts,
//! and comparing waveforms costs several STFTs a step.
//!
//! A corpus holds them if its teacher computes speech from the same kind of spectra as [`crate::codec::Decoder`]
//! (`scripts/make_corpus.py --spectra`).

use tch::{Device, Kind, Tensor};

use crate::codec::{CodecConfig, Spectra};

/// Rate, hop and window of the spectra in a corpus.
const RATES: (i64, i64, i64) = (24_000, 300, 1200);
/// Spectra of a frame in a corpus: harmonic log magnitude and phase, free log magnitude and phase.
pub const PARTS: usize = 4;
/// A byte of a log magnitude stands for `byte * RANGE / 255 + LOWEST`.
const LOWEST: f64 = -7.0;
const RANGE: f64 = 12.0;
/// Magnitudes below this are silence.
const FLOOR: f64 = 1e-2;
/// What is this much weaker than the frame's bin as a whole is not heard.
const MASKED: f64 = 0.1;
/// Loudness grows with this power of a magnitude.
const COMPRESSION: f64 = 0.6;
/// Weight of the phases beside the magnitudes.
const PHASE: f64 = 0.5;

/// Says what a codec must be to learn from a corpus's spectra.
pub fn check(config: &CodecConfig) -> Result<(), String> {
    let found = (config.sample_rate, config.hop_length, config.n_fft);
    if found == RATES {
        return Ok(());
    }
    Err(format!(
        "the corpus holds spectra for sample_rate, hop_length and n_fft {RATES:?}, but the codec has {found:?}: \
         change the recipe, or make a corpus without spectra"
    ))
}

/// What the teacher computed its speech from.
pub struct Target {
    harmonic: Tensor,       // log magnitude, [B, T, F]
    harmonic_phase: Tensor, // radians
    free: Tensor,
    free_phase: Tensor,
}

impl Target {
    /// From the bytes of `frames` frames of each of a batch's segments, as they lie in the files.
    pub fn from_bytes(bytes: &[u8], frames: i64, config: &CodecConfig, device: Device) -> Self {
        let parts = Tensor::from_slice(bytes).to_device(device).to_kind(Kind::Float);
        let parts = parts.view([-1, frames, PARTS as i64, config.n_fft / 2 + 1]);
        let magnitude = |i: i64| parts.select(2, i) * (RANGE / 255.0) + LOWEST;
        let phase = |i: i64| parts.select(2, i) * (std::f64::consts::TAU / 256.0);
        Self { harmonic: magnitude(0), harmonic_phase: phase(1), free: magnitude(2), free_phase: phase(3) }
    }

    /// How far predicted spectra are from these, given the pitch `[B, T]` of the pulses (0 where unvoiced): the distance of log
    /// magnitudes as far as they are heard, and of the phases, weighted by loudness.
    pub fn loss(&self, spectra: &Spectra, f0: &Tensor, config: &CodecConfig) -> Tensor {
        let mean = |x: Tensor| (x * mel_density(config, f0.device())).mean(Kind::Float);
        // Pulses reach into the windows of neighbouring frames.
        let sounding =
            f0.gt(0.0).to_kind(Kind::Float).unsqueeze(1).max_pool1d(3, 1, 1, 1, false).squeeze_dim(1).unsqueeze(2);
        let harmonic = self.harmonic.exp() * &sounding;
        let free = self.free.exp();
        let masked = (&harmonic + &free) * MASKED + FLOOR;
        let magnitude = |predicted: Tensor, target: &Tensor| ((predicted + &masked) / (target + &masked)).log().abs();
        let loud = (&harmonic + &free).pow_tensor_scalar(0.3);
        let scale = mean(loud.shallow_clone()).clamp_min(1e-2);
        let distance = (magnitude(spectra.harmonic() * &sounding, &harmonic)
            + magnitude(spectra.free(), &free)
            + magnitude(spectra.noise(), &harmonic.zeros_like()))
            * loud
            / scale;

        let (harmonic, free) = (harmonic.pow_tensor_scalar(COMPRESSION), free.pow_tensor_scalar(COMPRESSION));
        let turned = |predicted: Tensor, target: &Tensor| 1.0 - (predicted - target).cos();
        let turns = turned(spectra.harmonic_phase(), &self.harmonic_phase) * &harmonic
            + turned(spectra.free_phase(), &self.free_phase) * &free;
        mean(distance) + mean(turns) / mean(harmonic + free).clamp_min(1e-3) * PHASE
    }

    /// Loudness of the harmonic part of each frame, `[B, T]`.
    pub fn voice(&self) -> Tensor {
        (&self.harmonic * COMPRESSION).exp().mean_dim([-1i64].as_slice(), false, Kind::Float)
    }
}

/// Weight of each bin `[F]`, with mean one: the square root of the mel scale's density, between even and the ear's own.
fn mel_density(config: &CodecConfig, device: Device) -> Tensor {
    let bins = config.n_fft / 2 + 1;
    let hz = Tensor::arange(bins, (Kind::Float, device)) * (config.sample_rate as f64 / config.n_fft as f64);
    let density = (hz + 700.0).rsqrt();
    &density / density.mean(Kind::Float)
}
