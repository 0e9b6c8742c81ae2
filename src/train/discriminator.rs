//! Multi-resolution STFT discriminator (UnivNet, arXiv:2106.07889; EnCodec, arXiv:2210.13438), light enough for a CPU.

use tch::{Device, Kind, Tensor, nn};

use crate::nn::stft::Stft;

/// What one resolution says of a waveform.
pub struct Judgement {
    /// One score for each patch of the spectrogram, `[B, 1, T, F']`.
    pub score: Tensor,
    /// Activations of the inner layers, for feature matching.
    pub features: Vec<Tensor>,
}

/// A few convolutions over the complex spectrogram at one resolution.
#[derive(Debug)]
struct Resolution {
    stft: Stft,
    convs: Vec<nn::Conv2D>,
    output: nn::Conv2D,
}

impl Resolution {
    fn new(vs: nn::Path, n_fft: i64, channels: i64, device: Device) -> Self {
        let conv = |name: i64, from: i64, to: i64, kernel: [i64; 2], stride: [i64; 2]| {
            let padding = kernel.map(|k| k / 2);
            let config = nn::ConvConfigND { stride, padding, dilation: [1, 1], ..Default::default() };
            nn::conv(&vs / name, from, to, kernel, config)
        };
        let c = channels;
        Self {
            stft: Stft::new(n_fft, n_fft / 4, device),
            convs: vec![
                conv(0, 2, c / 2, [3, 7], [1, 2]),
                conv(1, c / 2, c, [3, 5], [1, 2]),
                conv(2, c, c, [3, 5], [1, 2]),
                conv(3, c, c, [3, 3], [1, 1]),
            ],
            output: conv(4, c, 1, [3, 3], [1, 1]),
        }
    }

    fn forward(&self, x: &Tensor) -> Judgement {
        let spectrum = self.stft.forward(x).view_as_real().permute([0, 3, 1, 2]); // [B, 2, T, F]
        // Compressed magnitudes show the weak partials too.
        let magnitude = (spectrum.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float) + 1e-6).sqrt();
        let mut y = spectrum * magnitude.pow_tensor_scalar(-0.7);
        let mut features = Vec::new();
        for conv in &self.convs {
            y = y.apply(conv).leaky_relu();
            features.push(y.shallow_clone());
        }
        Judgement { score: y.apply(&self.output).to_kind(Kind::Float), features }
    }
}

/// Judges waveforms at several resolutions.
#[derive(Debug)]
pub struct Discriminator {
    resolutions: Vec<Resolution>,
}

impl Discriminator {
    pub fn new(vs: nn::Path, channels: i64) -> Self {
        let device = vs.device();
        let resolution = |n_fft: i64| Resolution::new(&vs / n_fft, n_fft, channels, device);
        Self { resolutions: [512, 1024, 2048].map(resolution).into() }
    }

    /// Judgements of `[B, N]` samples, one for each resolution.
    pub fn forward(&self, x: &Tensor) -> Vec<Judgement> {
        self.resolutions.iter().map(|r| r.forward(x)).collect()
    }
}

/// Hinge loss of the discriminator (Lim & Ye 2017, arXiv:1705.02894).
pub fn discriminator_loss(real: &[Judgement], fake: &[Judgement]) -> Tensor {
    let pair = |(r, f): (&Judgement, &Judgement)| {
        (-&r.score + 1.0).relu().mean(Kind::Float) + (&f.score + 1.0).relu().mean(Kind::Float)
    };
    mean(real.iter().zip(fake).map(pair))
}

/// The generator's two losses: how far it fails to fool, and the relative distance of the inner activations.
pub fn generator_losses(real: &[Judgement], fake: &[Judgement]) -> (Tensor, Tensor) {
    let adversarial = mean(fake.iter().map(|f| -f.score.mean(Kind::Float)));
    let matching = mean(real.iter().zip(fake).flat_map(|(r, f)| {
        r.features.iter().zip(&f.features).map(|(a, b)| {
            let a = a.detach().to_kind(Kind::Float);
            (&a - b).abs().mean(Kind::Float) / a.abs().mean(Kind::Float).clamp_min(1e-4)
        })
    }));
    (adversarial, matching)
}

fn mean(terms: impl Iterator<Item = Tensor>) -> Tensor {
    Tensor::stack(&terms.collect::<Vec<_>>(), 0).mean(Kind::Float)
}
