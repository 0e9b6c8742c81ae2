//! Neural audio codec: waveform ↔ residual codes at a low frame rate. Knows nothing of text.

mod decoder;
mod encoder;
pub mod quantizer;

use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use tch::{TchError, Tensor, nn};

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
        let layers =
            [self.encoder_fast_layers, self.encoder_slow_layers, self.decoder_slow_layers, self.decoder_fast_layers];
        if layers.iter().any(|&layers| layers < 1) {
            return Err(format!("codec: the numbers of layers are {layers:?}, expected at least 1 each"));
        }
        if self.n_fft < 2 * self.hop_length || self.n_fft % (2 * self.hop_length) != 0 {
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

    /// Computes in 8 bits from now on.
    pub fn pack(&mut self) -> Result<(), crate::error::Error> {
        self.decoder.pack()
    }

    /// Samples `[B, N]` to codes `[B, n_q, ceil(N / frame_length)]`; the last frame is filled up with silence.
    pub fn encode(&self, encoder: &Encoder, samples: &Tensor) -> Tensor {
        let missing = -samples.size()[1] % self.config.frame_length();
        let missing = if missing < 0 { missing + self.config.frame_length() } else { missing };
        let latent = encoder.forward(&samples.constant_pad_nd([0, missing]));
        self.quantizer.forward(&latent, self.config.n_q as usize).codes
    }

    /// Codes `[1, K, T]` of the first `K` levels to `T·frame_length` samples; `seed` fixes the noise in them.
    pub fn decode(&self, codes: &Tensor, seed: u64) -> Result<Vec<f32>, TchError> {
        let frames = codes.size()[2];
        let (mut stream, mut samples) = (DecoderStream::new(seed, 0.0), Vec::new());
        while stream.frames < frames {
            let end = (stream.frames + Self::BLOCK).min(frames);
            samples.extend(self.decode_until(codes, end, &mut stream)?);
        }
        Ok(samples)
    }

    /// Samples of the frames from where `stream` stands up to `end`, of codes `[1, K, T]`. They do not depend on how a
    /// sequence is cut into pieces, up to rounding, as long as `T` reaches [`Decoder::context`] frames beyond `end` or is the whole.
    pub fn decode_until(&self, codes: &Tensor, end: i64, stream: &mut DecoderStream) -> Result<Vec<f32>, TchError> {
        let (start, context, length) = (stream.frames, self.decoder.context(), self.config.frame_length());
        let first = (start - context).max(0);
        let window = codes.slice(2, first, (end + context).min(codes.size()[2]), 1);
        let states = self.decoder.states(&self.quantizer.decode(&window)); // [1, T·stride, C]
        // The spectra reach less far than the network.
        let (heard, stride) = (self.decoder.overlap(), self.config.frame_stride);
        let from = (start - heard).max(first);
        let to = (end + heard).min(first + window.size()[2]);
        let spectra = self.decoder.head(&states.narrow(1, (from - first) * stride, (to - from) * stride));
        let pitch = spectra.pitch() * stream.pitch;
        let phase = self.decoder.phase(&pitch);
        // The pulses go on from where they stood before the first new sample.
        let at = (start - from) * length;
        let before = if at > 0 { phase.double_value(&[0, at - 1]) } else { 0.0 };
        let phase = phase + (stream.periods - before);
        let noise = self.noise(from..to, stream.seed).to_device(codes.device());
        let samples = self.decoder.synthesize(&spectra, &phase, &pitch, &noise);
        let count = (end - start) * length;
        stream.periods = phase.double_value(&[0, at + count - 1]).fract();
        stream.frames = end;
        Vec::<f32>::try_from(samples.narrow(1, at, count).view([-1]))
    }

    /// Standard normal numbers for these frames, which depend on the seed and the frame alone.
    fn noise(&self, frames: Range<i64>, seed: u64) -> Tensor {
        let shape = self.decoder.noise_shape(1, (frames.end - frames.start) * self.config.frame_stride);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let per_frame = (self.config.frame_stride * shape[2] * shape[3]) as usize;
        let mut values: Vec<f32> = Vec::with_capacity(shape.iter().product::<i64>() as usize);
        for frame in frames {
            rng.set_stream(frame as u64);
            rng.set_word_pos(0);
            values.extend(StandardNormal.sample_iter(&mut rng).take(per_frame).map(|x: f32| x));
        }
        Tensor::from_slice(&values).view(shape)
    }

    /// Frames that [`Codec::decode`] decodes at once.
    const BLOCK: i64 = 256;
}

/// How far a sequence of codes has been decoded.
#[derive(Debug, Clone)]
pub struct DecoderStream {
    /// Token frames decoded so far.
    pub frames: i64,
    /// Phase of the pulses there, in periods.
    periods: f64,
    seed: u64,
    /// Factor of the pitch.
    pitch: f64,
}

impl DecoderStream {
    /// At the start; `seed` fixes the noise, and the pitch is that many semitones higher than the codes say.
    pub fn new(seed: u64, semitones: f64) -> Self {
        Self { frames: 0, periods: 0.0, seed, pitch: (semitones / 12.0).exp2() }
    }
}
