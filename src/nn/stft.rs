//! Short-time Fourier transforms with hop-aligned frames, and mel features.
//!
//! Frame `t` is centred on the middle of samples `t·hop .. (t+1)·hop` ("same" padding, as in Vocos), so that
//! `N` samples give exactly `N / hop` frames both ways.

use tch::{Device, Kind, Tensor};

/// Forward and inverse transform with a periodic Hann window of `n_fft` samples.
#[derive(Debug)]
pub struct Stft {
    pub n_fft: i64,
    pub hop: i64,
    window: Tensor,
}

impl Stft {
    /// `hop` must divide `n_fft`, and their difference must be even.
    pub fn new(n_fft: i64, hop: i64, device: Device) -> Self {
        assert!(n_fft % hop == 0 && (n_fft - hop) % 2 == 0, "n_fft {n_fft} is no even multiple of hop {hop}");
        Self { n_fft, hop, window: Tensor::hann_window(n_fft, (Kind::Float, device)) }
    }

    /// Number of frequency bins.
    pub fn bins(&self) -> i64 {
        self.n_fft / 2 + 1
    }

    /// Samples added before the first and after the last frame's hop.
    pub fn padding(&self) -> i64 {
        (self.n_fft - self.hop) / 2
    }

    /// Samples `[B, N]` to a complex spectrum `[B, T, F]`, `T = N / hop` (a remainder is dropped).
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let frames = x.size()[1] / self.hop;
        let x = x.narrow(1, 0, frames * self.hop).constant_pad_nd([self.padding(), self.padding()]);
        self.forward_padded(&x)
    }

    /// The same without padding: `[B, N + n_fft - hop]` to `[B, N / hop, F]`.
    pub fn forward_padded(&self, x: &Tensor) -> Tensor {
        let overlap = self.n_fft / self.hop;
        let hops = x.view([x.size()[0], -1, self.hop]); // [B, T + overlap - 1, hop]
        let frames = hops.size()[1] - overlap + 1;
        let shifted: Vec<_> = (0..overlap).map(|k| hops.narrow(1, k, frames)).collect();
        (Tensor::cat(&shifted, 2) * &self.window).fft_rfft(None::<i64>, -1, "backward")
    }

    /// A complex spectrum `[B, T, F]` to the overlapped and added frames `[B, N + n_fft - hop]`, not yet normalized
    /// by the summed squared window, which is 3/8·n_fft/hop wherever all frames overlap.
    pub fn overlap_add(&self, spectrum: &Tensor) -> Tensor {
        let (batch, frames, _) = spectrum.size3().unwrap_or_default();
        let overlap = self.n_fft / self.hop;
        let y = spectrum.fft_irfft(self.n_fft, -1, "backward") * &self.window;
        let y = y.view([batch, frames, overlap, self.hop]);
        (0..overlap)
            .map(|k| y.select(2, k).constant_pad_nd([0, 0, k, overlap - 1 - k])) // [B, T + overlap - 1, hop]
            .reduce(|a, b| a + b)
            .unwrap_or_else(Tensor::new)
            .view([batch, -1])
    }

    /// Inverse of [`Stft::forward`]: `[B, T, F]` complex to `[B, T·hop]`.
    pub fn inverse(&self, spectrum: &Tensor) -> Tensor {
        let (batch, frames, _) = spectrum.size3().unwrap_or_default();
        let ones = Tensor::ones([1, frames, self.n_fft / self.hop, self.hop], (Kind::Float, spectrum.device()));
        let squared = ones * self.window.square().view([1, 1, -1, self.hop]);
        let overlap = self.n_fft / self.hop;
        let norm = (0..overlap)
            .map(|k| squared.select(2, k).constant_pad_nd([0, 0, k, overlap - 1 - k]))
            .reduce(|a, b| a + b)
            .unwrap_or_else(Tensor::new)
            .view([1, -1]);
        let y = self.overlap_add(spectrum) / norm.clamp_min(1e-3);
        y.narrow(1, self.padding(), frames * self.hop).view([batch, -1])
    }
}

/// Magnitude of a complex tensor, with a gradient that stays finite at zero.
pub fn magnitude(spectrum: &Tensor) -> Tensor {
    let parts = spectrum.view_as_real();
    (parts.square().sum_dim_intlist([-1i64].as_slice(), false, Kind::Float) + 1e-9).sqrt()
}

/// Triangular mel filters `[F, n_mels]` (HTK scale, unit peaks) from 0 Hz to half the sample rate.
pub fn mel_filters(sample_rate: i64, n_fft: i64, n_mels: i64, device: Device) -> Tensor {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let nyquist = sample_rate as f64 / 2.0;
    let edges: Vec<f64> = (0..n_mels + 2).map(|i| hz(mel(nyquist) * i as f64 / (n_mels + 1) as f64)).collect();
    let filters: Vec<f32> = (0..=n_fft / 2)
        .flat_map(|bin| {
            let f = bin as f64 * sample_rate as f64 / n_fft as f64;
            edges
                .windows(3)
                .map(move |e| ((f - e[0]) / (e[1] - e[0])).min((e[2] - f) / (e[2] - e[1])).max(0.0) as f32)
                .collect::<Vec<_>>()
        })
        .collect();
    Tensor::from_slice(&filters).view([n_fft / 2 + 1, n_mels]).to_device(device)
}
