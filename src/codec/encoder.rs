//! Waveform to latent frames: log-mel features, ConvNeXt blocks, a strided convolution, ConvNeXt blocks.

use tch::{Device, Tensor, nn};

use super::CodecConfig;
use crate::nn::convnext::{ConvNeXtBlock, blocks};
use crate::nn::stft::{Stft, magnitude, mel_filters};

/// Log-mel spectrogram with frames aligned to hops.
#[derive(Debug)]
pub struct LogMel {
    stft: Stft,
    filters: Tensor,
}

impl LogMel {
    pub fn new(config: &CodecConfig, device: Device) -> Self {
        let filters = mel_filters(config.sample_rate, config.n_fft, config.n_mels, device);
        Self { stft: Stft::new(config.n_fft, config.hop_length, device), filters }
    }

    /// Samples `[B, N]` to natural-log magnitudes `[B, n_mels, N / hop]`.
    pub fn forward(&self, samples: &Tensor) -> Tensor {
        let mel = magnitude(&self.stft.forward(samples)).matmul(&self.filters);
        mel.clamp_min(1e-3).log().transpose(1, 2)
    }
}

/// `[B, N]` samples to `[B, D, T]` latents, `T = N / (hop_length · frame_stride)`.
#[derive(Debug)]
pub struct Encoder {
    mel: LogMel,
    input: nn::Conv1D,
    fast: Vec<ConvNeXtBlock>,
    down: nn::Conv1D,
    slow: Vec<ConvNeXtBlock>,
    norm: nn::LayerNorm,
    output: nn::Linear,
}

impl Encoder {
    pub fn new(vs: nn::Path, config: &CodecConfig) -> Self {
        let (dim, hidden, stride) = (config.encoder_dim, 3 * config.encoder_dim, config.frame_stride);
        let pad = nn::ConvConfig { padding: 3, ..Default::default() };
        let strided = nn::ConvConfig { stride, ..Default::default() };
        Self {
            mel: LogMel::new(config, vs.device()),
            input: nn::conv1d(&vs / "input", config.n_mels, dim, 7, pad),
            fast: blocks(&vs / "fast", config.encoder_fast_layers, dim, hidden),
            down: nn::conv1d(&vs / "down", dim, dim, stride, strided),
            slow: blocks(&vs / "slow", config.encoder_slow_layers, dim, hidden),
            norm: nn::layer_norm(&vs / "norm", vec![dim], Default::default()),
            output: nn::linear(&vs / "output", dim, config.latent_dim, Default::default()),
        }
    }

    /// `[B, N]`, `N` a multiple of a token frame's samples, to `[B, D, T]`.
    pub fn forward(&self, samples: &Tensor) -> Tensor {
        // Speech has log magnitudes around -7..4: bring them near zero mean, unit variance.
        let mut x = ((self.mel.forward(samples) + 1.5) / 2.5).apply(&self.input);
        for block in &self.fast {
            x = block.forward(&x);
        }
        x = x.apply(&self.down);
        for block in &self.slow {
            x = block.forward(&x);
        }
        x.transpose(1, 2).apply(&self.norm).apply(&self.output).transpose(1, 2)
    }
}
