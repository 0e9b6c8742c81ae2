//! Latent frames to a waveform: ConvNeXt blocks at the token rate, upsampling, ConvNeXt blocks at the hop rate, and a
//! source-filter head that predicts a pitch and five spectra for one inverse STFT:
//!
//! `S = exp(h)·e^{iπ·tanh θ}·STFT(pulses(f0)) + exp(n)·noise + exp(r)·e^{iφ}`
//!
//! (Vocos, arXiv:2306.00814, gives the ISTFT head; the neural source-filter model, arXiv:1904.12088, the excitation.)

use tch::{Device, Kind, Tensor, nn};

use super::CodecConfig;
use crate::error::Result;
use crate::nn::convnext::{ConvNeXtBlock, blocks};
use crate::nn::linear::{Linear, linear};
use crate::nn::stft::Stft;
use crate::shim;

/// Lowest pitch that is voiced, in Hz.
pub const F0_MIN: f64 = 60.0;
/// Highest pitch, in Hz.
const F0_MAX: f64 = 600.0;
/// Largest log magnitude of a spectrum.
const MAX_LOG: f64 = 6.0;

/// What the network predicts for each hop: everything that the waveform is computed from.
#[derive(Debug)]
pub struct Spectra {
    /// Five spectra (harmonic log magnitude and phase, noise log magnitude, free log magnitude and phase): `[B, T, 5, F]`.
    pub bands: Tensor,
    /// Pitch in Hz where voiced, `[B, T]`.
    pub f0: Tensor,
    /// Logit of being voiced, `[B, T]`.
    pub voicing: Tensor,
}

impl Spectra {
    /// Magnitude of the harmonic part, `[B, T, F]`: of a unit cosine where one lies.
    pub fn harmonic(&self) -> Tensor {
        self.magnitude(0)
    }

    /// Phase of the harmonic part beside the pulses, in radians.
    pub fn harmonic_phase(&self) -> Tensor {
        self.bands.select(2, 1).tanh() * std::f64::consts::PI
    }

    /// Magnitude that Gaussian noise is scaled by.
    pub fn noise(&self) -> Tensor {
        self.magnitude(2)
    }

    /// Magnitude of the free part.
    pub fn free(&self) -> Tensor {
        self.magnitude(3)
    }

    /// Phase of the free part, in radians.
    pub fn free_phase(&self) -> Tensor {
        self.bands.select(2, 4)
    }

    /// The same, but no gradient reaches the phases, nor the drawn noise.
    pub fn with_fixed_phases(self) -> Self {
        let band = |i: i64| {
            let band = self.bands.select(2, i);
            if [0, 3].contains(&i) { band } else { band.detach() }
        };
        Self { bands: Tensor::stack(&(0..5).map(band).collect::<Vec<_>>(), 2), ..self }
    }

    fn magnitude(&self, band: i64) -> Tensor {
        self.bands.select(2, band).clamp_max(MAX_LOG).exp()
    }

    /// Pitch in Hz, zero where unvoiced: `[B, T]`.
    pub fn pitch(&self) -> Tensor {
        &self.f0 * self.voicing.gt(0.0)
    }
}

/// `[B, D, T]` latents to `[B, N]` samples.
#[derive(Debug)]
pub struct Decoder {
    input: Linear,
    slow: Vec<ConvNeXtBlock>,
    up: Linear,
    fast: Vec<ConvNeXtBlock>,
    norm: nn::LayerNorm,
    spectra: Linear,
    pitch: Linear,
    stft: Stft,
    sample_rate: i64,
    frame_stride: i64,
}

impl Decoder {
    /// The layers that make spectra and pitch out of the network's states.
    pub const OUTPUTS: [&str; 2] = ["spectra", "pitch"];

    pub fn new(vs: nn::Path, config: &CodecConfig) -> Self {
        let (slow, fast, bins) = (config.decoder_slow_dim, config.decoder_fast_dim, config.n_fft / 2 + 1);
        let spectra = linear(&vs / "spectra", fast, 5 * bins);
        tch::no_grad(|| {
            // Start with faint noise and free parts, so that the harmonic part is learnt first.
            let bias = spectra.bias().view([5, bins]);
            let _ = bias.select(0, 2).fill_(-2.0);
            let _ = bias.select(0, 3).fill_(-2.0);
        });
        Self {
            input: linear(&vs / "input", config.latent_dim, slow),
            slow: blocks(&vs / "slow", config.decoder_slow_layers, slow, 3 * slow),
            up: linear(&vs / "up", slow, config.frame_stride * fast),
            fast: blocks(&vs / "fast", config.decoder_fast_layers, fast, 3 * fast),
            norm: nn::layer_norm(&vs / "norm", vec![fast], Default::default()),
            spectra,
            pitch: linear(&vs / "pitch", fast, 2),
            stft: Stft::new(config.n_fft, config.hop_length, vs.device()),
            sample_rate: config.sample_rate,
            frame_stride: config.frame_stride,
        }
    }

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<()> {
        self.slow.iter_mut().chain(&mut self.fast).try_for_each(ConvNeXtBlock::pack)?;
        [&mut self.input, &mut self.up, &mut self.spectra].into_iter().try_for_each(Linear::pack)
    }

    /// Latents `[B, D, T]` to the spectra of `T·frame_stride` hops.
    pub fn spectra(&self, latent: &Tensor) -> Spectra {
        self.head(&self.states(latent))
    }

    /// Latents `[B, D, T]` to states `[B, T·frame_stride, C]`.
    pub fn states(&self, latent: &Tensor) -> Tensor {
        let mut x = latent.transpose(1, 2).apply(&self.input).transpose(1, 2);
        for block in &self.slow {
            x = block.forward(&x);
        }
        let (batch, _, frames) = x.size3().unwrap_or_default();
        x = x.transpose(1, 2).apply(&self.up); // [B, T, stride·C]
        x = x.view([batch, frames * self.frame_stride, -1]).transpose(1, 2);
        for block in &self.fast {
            x = block.forward(&x);
        }
        x.transpose(1, 2)
    }

    /// States `[B, T, C]` of any hops to their spectra.
    pub fn head(&self, states: &Tensor) -> Spectra {
        let x = states.apply(&self.norm);
        let (batch, hops, _) = x.size3().unwrap_or_default();
        let pitch = x.apply(&self.pitch).to_kind(Kind::Float);
        let log_range = (F0_MAX / F0_MIN).ln();
        Spectra {
            bands: x.apply(&self.spectra).to_kind(Kind::Float).view([batch, hops, 5, -1]),
            f0: (pitch.select(2, 0).sigmoid() * log_range).exp() * F0_MIN,
            voicing: pitch.select(2, 1),
        }
    }

    /// Spectra, the phase of the pulses `[B, T·hop]` (see [`Decoder::phase`]), the pitch that it is of, and Gaussian noise
    /// `[B, T, 2, F]` to samples `[B, T·hop]`.
    pub fn synthesize(&self, spectra: &Spectra, phase: &Tensor, f0: &Tensor, noise: &Tensor) -> Tensor {
        let source = tch::no_grad(|| self.stft.forward(&self.pulses(phase, f0)) / (self.stft.n_fft as f64 / 4.0));
        self.stft.inverse(&mix(spectra, &source, noise))
    }

    /// Token frames on either side that a token frame's samples depend on.
    pub fn context(&self) -> i64 {
        let hops = ConvNeXtBlock::CONTEXT * self.fast.len() as i64 + self.stft.n_fft / self.stft.hop;
        ConvNeXtBlock::CONTEXT * self.slow.len() as i64 + (hops + self.frame_stride - 1) / self.frame_stride
    }

    /// Token frames on either side whose spectra a token frame's samples depend on: those whose windows reach it, those whose
    /// pulses lie in these windows, and one hop more, to which the pitch is interpolated.
    pub fn overlap(&self) -> i64 {
        let hops = self.stft.n_fft / self.stft.hop + 1;
        (hops + self.frame_stride - 1) / self.frame_stride
    }

    /// Periods that the pulses have gone through after each sample, from zero, for a pitch `[B, T]` in Hz (0 where unvoiced):
    /// `[B, T·hop]`, in double precision.
    pub fn phase(&self, f0: &Tensor) -> Tensor {
        (self.sample_pitch(f0).to_kind(Kind::Double) / self.sample_rate as f64).cumsum(1, Kind::Double)
    }

    /// Pitch of each sample, held where unvoiced, `[B, T·hop]`.
    fn sample_pitch(&self, f0: &Tensor) -> Tensor {
        let (batch, frames) = f0.size2().unwrap_or_default();
        self.interpolate(&f0.clamp_min(F0_MIN), &f0.gt(0.0)).view([batch, frames * self.stft.hop])
    }

    /// Shape of the noise for a batch of `hops` hops.
    pub fn noise_shape(&self, batch: i64, hops: i64) -> [i64; 4] {
        [batch, hops, 2, self.stft.bins()]
    }

    /// Band-limited pulse train: all harmonics of `f0` `[B, T]` (Hz, 0 where unvoiced) below half the sample rate at unit
    /// amplitude, `Σ cos(k·φ) = sin((H + ½)·φ) / (2·sin(φ/2)) - ½`; `[B, T·hop]`.
    fn pulses(&self, phase: &Tensor, f0: &Tensor) -> Tensor {
        let gate = f0.gt(0.0).unsqueeze(2).expand([-1, -1, self.stft.hop], false).reshape(phase.size());
        let phase = phase.frac().to_kind(Kind::Float) * std::f64::consts::TAU;
        let harmonics = (self.sample_pitch(f0).reciprocal() * (self.sample_rate as f64 / 2.0)).floor() + 0.5;
        let denominator = (&phase * 0.5).sin() * 2.0;
        let near_zero = denominator.abs().le(2e-3);
        let ratio = (&harmonics * phase).sin() / denominator.masked_fill(&near_zero, 1.0);
        (harmonics.where_self(&near_zero, &ratio) - 0.5) * gate
    }

    /// Linear interpolation between the centres of voiced neighbours, a held value beside an unvoiced one: `[B, T]` to `[B, T, hop]`.
    fn interpolate(&self, f0: &Tensor, voiced: &Tensor) -> Tensor {
        let frames = f0.size()[1];
        let shifted = |by: i64| {
            let index = Tensor::arange(frames, (Kind::Int64, f0.device())) + by;
            let index = index.clamp(0, frames - 1);
            f0.index_select(1, &index).where_self(&voiced.index_select(1, &index), f0)
        };
        let hop = self.stft.hop;
        let position = (Tensor::arange(hop, (Kind::Float, f0.device())) + 0.5) / hop as f64 - 0.5; // of the sample, from the centre
        let before = (-&position).clamp_min(0.0);
        let after = position.clamp_min(0.0);
        let weights = Tensor::stack(&[&before, &(-&before - &after + 1.0), &after], 0); // [3, hop]
        Tensor::stack(&[shifted(-1), f0.shallow_clone(), shifted(1)], 2).matmul(&weights)
    }
}

/// The spectrum of the waveform `[B, T, F]` from the five predicted ones, the pulses' spectrum and Gaussian noise `[B, T, 2, F]`.
fn mix(spectra: &Spectra, source: &Tensor, noise: &Tensor) -> Tensor {
    if !spectra.bands.requires_grad() && spectra.bands.device() == Device::Cpu {
        return shim::mix(&spectra.bands, source, noise, MAX_LOG);
    }
    let (harmonic, theta) = (spectra.harmonic(), spectra.harmonic_phase());
    let (noisy, free, phi) = (spectra.noise(), spectra.free(), spectra.free_phase());
    let (cos, sin) = (theta.cos() * &harmonic, theta.sin() * &harmonic);
    let (re, im) = (source.real(), source.imag());
    let real = &cos * &re - &sin * &im + &noisy * noise.select(2, 0) + &free * phi.cos();
    let imag = cos * im + sin * re + noisy * noise.select(2, 1) + free * phi.sin();
    Tensor::complex(&real, &imag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_phases_get_no_gradient() {
        let options = (Kind::Float, Device::Cpu);
        let bands = Tensor::randn([1, 4, 5, 9], options).set_requires_grad(true);
        let parts = Tensor::randn([2, 1, 4, 9], options);
        let (source, noise) = (Tensor::complex(&parts.get(0), &parts.get(1)), Tensor::randn([1, 4, 2, 9], options));
        let zeros = Tensor::zeros([1, 4], options);
        let spectra = Spectra { bands: bands.shallow_clone(), f0: zeros.shallow_clone(), voicing: zeros };
        mix(&spectra.with_fixed_phases(), &source, &noise).view_as_real().square().sum(Kind::Float).backward();
        let reached = |band: i64| bands.grad().select(2, band).abs().max().double_value(&[]) > 0.0;
        assert_eq!([0, 1, 2, 3, 4].map(reached), [true, false, false, true, false]);
    }

    #[test]
    fn spectra_are_mixed_alike_with_and_without_gradients() {
        let options = (Kind::Float, Device::Cpu);
        let bands = Tensor::randn([1, 6, 5, 33], options) * 4.0;
        let parts = Tensor::randn([2, 1, 6, 33], options);
        let (source, noise) = (Tensor::complex(&parts.get(0), &parts.get(1)), Tensor::randn([1, 6, 2, 33], options));
        let spectra = |bands: Tensor| {
            let zeros = Tensor::zeros([1, 6], options);
            mix(&Spectra { bands, f0: zeros.shallow_clone(), voicing: zeros }, &source, &noise)
        };
        let fast = spectra(bands.shallow_clone()).view_as_real();
        let slow = spectra(bands.set_requires_grad(true)).view_as_real();
        assert!(fast.allclose(&slow, 1e-4, 1e-4, false));
    }
}
