//! Neural audio codec: waveform ↔ residual codes at a low frame rate. Knows nothing of text.

mod decoder;
mod encoder;
pub mod quantizer;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

pub use decoder::{Decoder, F0_MIN, Spectra};
pub use encoder::{Encoder, LogMel};
use quantizer::ResidualQuantizer;

/// Rates and sizes of the codec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecConfig {
    /// Samples per second.
    pub sample_rate: i64,
    /// Samples per decoder frame.
    pub hop_length: i64,
    /// Decoder frames per token frame.
    pub frame_stride: i64,
    /// Samples in an analysis or synthesis window.
    pub n_fft: i64,
    /// Mel bands that the encoder reads.
    pub n_mels: i64,
    pub encoder_dim: i64,
    /// Blocks before the strided convolution.
    pub encoder_fast_layers: i64,
    /// Blocks after it.
    pub encoder_slow_layers: i64,
    /// Channels that are quantized.
    pub latent_dim: i64,
    /// Residual codebooks.
    pub n_q: i64,
    /// Entries in each codebook.
    pub codebook_size: i64,
    pub decoder_slow_dim: i64,
    /// Blocks at the token rate.
    pub decoder_slow_layers: i64,
    pub decoder_fast_dim: i64,
    /// Blocks at the hop rate.
    pub decoder_fast_layers: i64,
}

impl CodecConfig {
    /// Token frames per second.
    pub fn frame_rate(&self) -> f64 {
        self.sample_rate as f64 / self.frame_length() as f64
    }

    /// Samples per token frame.
    pub fn frame_length(&self) -> i64 {
        self.hop_length * self.frame_stride
    }

    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let positive = [
            ("sample_rate", self.sample_rate),
            ("hop_length", self.hop_length),
            ("frame_stride", self.frame_stride),
            ("n_mels", self.n_mels),
            ("encoder_dim", self.encoder_dim),
            ("latent_dim", self.latent_dim),
            ("n_q", self.n_q),
            ("codebook_size", self.codebook_size),
            ("decoder_slow_dim", self.decoder_slow_dim),
            ("decoder_fast_dim", self.decoder_fast_dim),
        ];
        for (name, value) in positive {
            if value < 1 {
                return Err(format!("codec.{name} is {value}, expected at least 1"));
            }
        }
        if self.n_fft % (2 * self.hop_length) != 0 {
            let (n_fft, hop) = (self.n_fft, self.hop_length);
            return Err(format!("codec.n_fft is {n_fft}, expected a multiple of twice hop_length ({hop})"));
        }
        Ok(())
    }
}

/// Quantizer and decoder, all that speaking needs; encoding needs an [`Encoder`] besides.
#[derive(Debug)]
pub struct Codec {
    pub quantizer: ResidualQuantizer,
    pub decoder: Decoder,
    pub config: CodecConfig,
}

impl Codec {
    pub fn new(vs: nn::Path, config: &CodecConfig) -> Self {
        let (n_q, size, dim) = (config.n_q, config.codebook_size, config.latent_dim);
        Self {
            quantizer: ResidualQuantizer::new(&vs / "quantizer", n_q, size, dim),
            decoder: Decoder::new(&vs / "decoder", config),
            config: config.clone(),
        }
    }

    /// Samples `[B, N]` to codes `[B, n_q, ceil(N / frame_length)]`; the last frame is filled up with silence.
    pub fn encode(&self, encoder: &Encoder, samples: &Tensor) -> Tensor {
        let missing = -samples.size()[1] % self.config.frame_length();
        let missing = if missing < 0 { missing + self.config.frame_length() } else { missing };
        let latent = encoder.forward(&samples.constant_pad_nd([0, missing]));
        self.quantizer.forward(&latent, self.config.n_q as usize).codes
    }

    /// Codes `[B, K, T]` of the first `K` levels to samples `[B, T·frame_length]`; `seed` fixes the noise in them.
    pub fn decode(&self, codes: &Tensor, seed: u64) -> Tensor {
        let spectra = self.decoder.spectra(&self.quantizer.decode(codes));
        let pitch = spectra.pitch();
        let noise = gaussian(&self.decoder.noise_shape(&pitch), seed).to_device(codes.device());
        self.decoder.synthesize(&spectra, &pitch, &noise)
    }
}

/// Standard normal numbers that depend on `seed` alone.
fn gaussian(shape: &[i64], seed: u64) -> Tensor {
    let rng = ChaCha8Rng::seed_from_u64(seed);
    let count = shape.iter().product::<i64>() as usize;
    let values: Vec<f32> = StandardNormal.sample_iter(rng).take(count).collect();
    Tensor::from_slice(&values).view(shape)
}
