//! An ear: which phoneme is heard when. It finds the boundaries of known phonemes, and hears unknown ones.
//!
//! Log-mel features, ConvNeXt blocks at 25 ms, and for each half of these the probability of every symbol of the alphabet,
//! silences and stress marks included, as in a hybrid of a network and a hidden Markov model (Bourlard & Morgan 1994) whose
//! symbols each last 12.5 ms or more.

mod hearing;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, nn, no_grad};

use crate::audio::resample::resample;
use crate::audio::wav::Audio;
use crate::checkpoint::load_variables;
use crate::error::{Error, Result};
use crate::nn::convnext::{ConvNeXtBlock, blocks};
use crate::nn::stft::{Stft, magnitude, mel_filters};
use crate::text::Vocab;

pub use hearing::{Alignment, Errors, Hearing, count_errors, sounds};

/// Sizes of an ear: the file `ear.json` beside its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarConfig {
    pub sample_rate: i64,
    /// Samples per frame.
    pub hop_length: i64,
    /// Samples in a window of the spectrum.
    pub n_fft: i64,
    /// Mel bands up to half the sample rate.
    pub n_mels: i64,
    /// How many of them, from the lowest, are heard: recordings often lack the others.
    pub bands: i64,
    /// Phoneme symbols, the reserved ones included.
    pub symbols: i64,
    pub dim: i64,
    /// Channels inside a block.
    pub hidden: i64,
    pub layers: i64,
}

impl EarConfig {
    /// Says which value is out of its range.
    pub fn validate(&self) -> std::result::Result<(), String> {
        let least = [
            ("sample_rate", self.sample_rate, 1),
            ("hop_length", self.hop_length, 1),
            ("bands", self.bands, 1),
            ("n_mels", self.n_mels, self.bands),
            ("symbols", self.symbols, Vocab::len()),
            ("dim", self.dim, 1),
            ("hidden", self.hidden, 1),
            ("layers", self.layers, 1),
        ];
        for (name, value, least) in least {
            if !(least..=192_000).contains(&value) {
                return Err(format!("{name} is {value}, expected {least} to 192000"));
            }
        }
        if self.n_fft < 2 * self.hop_length || self.n_fft % (2 * self.hop_length) != 0 {
            let (n_fft, hop) = (self.n_fft, self.hop_length);
            return Err(format!("n_fft is {n_fft}, expected a multiple of twice hop_length ({hop})"));
        }
        Ok(())
    }

    /// Seconds of a frame.
    pub fn frame_seconds(&self) -> f64 {
        self.hop_length as f64 / self.sample_rate as f64
    }
}

/// Samples to log probabilities of symbols.
#[derive(Debug)]
pub struct Ear {
    pub config: EarConfig,
    stft: Stft,
    filters: Tensor,
    input: nn::Conv1D,
    blocks: Vec<ConvNeXtBlock>,
    norm: nn::LayerNorm,
    output: nn::Linear,
}

impl Ear {
    /// Name of the weights' file.
    pub const WEIGHTS: &str = "ear.safetensors";
    /// Name of the file with the [`EarConfig`].
    pub const CONFIG: &str = "ear.json";
    /// Frames that are heard together.
    const STRIDE: i64 = 2;

    pub fn new(vs: nn::Path, config: &EarConfig) -> Self {
        let (dim, device) = (config.dim, vs.device());
        let conv = nn::ConvConfig { padding: 3, stride: Self::STRIDE, ..Default::default() };
        let outputs = Self::STRIDE * (config.symbols - 1);
        Self {
            stft: Stft::new(config.n_fft, config.hop_length, device),
            filters: Self::filters(config, 1.0, device),
            input: nn::conv1d(&vs / "input", config.bands, dim, 7, conv),
            blocks: blocks(&vs / "blocks", config.layers, dim, config.hidden),
            norm: nn::layer_norm(&vs / "norm", vec![dim], Default::default()),
            output: nn::linear(&vs / "output", dim, outputs, Default::default()),
            config: config.clone(),
        }
    }

    /// Loads the folder `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(Self::CONFIG);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let wrong = |reason: String| Error::Config { path: path.clone(), reason };
        let config: EarConfig = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        config.validate().map_err(wrong)?;
        no_grad(|| {
            let mut vs = VarStore::new(Device::Cpu);
            let mut ear = Self::new(vs.root(), &config);
            vs.freeze();
            load_variables(&dir.join(Self::WEIGHTS), &vs)?;
            ear.blocks.iter_mut().try_for_each(ConvNeXtBlock::pack)?;
            Ok(ear)
        })
    }

    /// The folder `ear` in the first of `search_path` that has one.
    pub fn find(search_path: &[PathBuf]) -> Result<PathBuf> {
        let folders = search_path.iter().map(|dir| dir.join("ear"));
        let found = folders.into_iter().find(|dir| dir.join(Self::CONFIG).is_file());
        found.ok_or_else(|| Error::Voice(format!("no folder `ear` with {} beside the voices", Self::CONFIG)))
    }

    /// Mel filters `[F, bands]` that hear every frequency `warp` times as high.
    pub fn filters(config: &EarConfig, warp: f64, device: Device) -> Tensor {
        let rate = (config.sample_rate as f64 * warp).round() as i64;
        mel_filters(rate, config.n_fft, config.n_mels, device).narrow(1, 0, config.bands)
    }

    /// Samples `[B, N]` to magnitudes of their spectrum, `[B, N / hop, F]`.
    pub fn magnitudes(&self, samples: &Tensor) -> Tensor {
        magnitude(&self.stft.forward(samples))
    }

    /// Magnitudes to natural-log mel magnitudes, `[B, T, bands]`, through filters of its own or others.
    pub fn log_mel(&self, magnitudes: &Tensor, filters: Option<&Tensor>) -> Tensor {
        magnitudes.matmul(filters.unwrap_or(&self.filters)).clamp_min(1e-3).log()
    }

    /// Log-mel features `[B, T, bands]`, `T` even, to log probabilities of the symbols, `[B, T, symbols]`; `mask` `[B, T]` is 1 where
    /// a frame is real.
    pub fn forward(&self, log_mel: &Tensor, mask: &Tensor) -> Tensor {
        let (batch, frames, _) = log_mel.size3().unwrap_or_default();
        let mask = mask.unsqueeze(2);
        // What stays the same throughout is the room and the microphone.
        let sum = |x: &Tensor| x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let mean = sum(&(log_mel * &mask)) / sum(&mask).clamp_min(1.0);
        let mut x = ((log_mel - mean) * mask * 0.5).transpose(1, 2).apply(&self.input); // [B, C, T / 2]
        for block in &self.blocks {
            x = block.forward(&x);
        }
        let logits = x.transpose(1, 2).apply(&self.norm).apply(&self.output).view([batch, frames, -1]);
        // PAD is never heard.
        logits.to_kind(Kind::Float).pad([1, 0], "constant", -30.0).log_softmax(-1, Kind::Float)
    }

    /// Listens to audio of any rate.
    pub fn listen(&self, audio: Audio) -> Result<Hearing> {
        let mut samples = resample(audio, self.config.sample_rate as u32)?.samples;
        let step = (self.config.hop_length * Self::STRIDE) as usize;
        let frames = samples.len() / self.config.hop_length as usize;
        samples.resize(samples.len().next_multiple_of(step).max(step), 0.0);
        let log_probabilities = no_grad(|| -> Result<Vec<f32>> {
            let mel = self.log_mel(&self.magnitudes(&Tensor::from_slice(&samples).unsqueeze(0)), None);
            let mask = Tensor::ones([1, mel.size()[1]], (Kind::Float, mel.device()));
            Ok(Vec::try_from(self.forward(&mel, &mask).view([-1]))?)
        })?;
        Ok(Hearing::new(log_probabilities, self.config.symbols as usize, frames.max(1), self.config.frame_seconds()))
    }
}
