//! A recording as codes: the coded form of audio in memory and in a file. Knows nothing of text.

use std::path::Path;

use tch::{Kind, Tensor, no_grad};

use crate::audio::resample::resample;
use crate::audio::wav::Audio;
use crate::checkpoint::Checkpoint;
use crate::codec::{Codec, Encoder};
use crate::error::{Error, Result};

/// Seed of the noise in what is decoded.
const NOISE_SEED: u64 = 0;

/// Residual codes of a recording, and how long it was.
#[derive(Debug)]
pub struct Codes {
    /// `[n_q, T]`, each in `0..codebook_size`.
    pub codes: Tensor,
    /// Length at the codec's sample rate; the last frame may reach beyond it.
    pub sample_count: i64,
}

impl Codes {
    /// Encodes audio of any rate.
    pub fn encode(codec: &Codec, encoder: &Encoder, audio: Audio) -> Result<Self> {
        let samples = resample(audio, codec.config.sample_rate as u32)?.samples;
        if samples.is_empty() {
            return Err(Error::Option("expected audio of at least one sample, found none".into()));
        }
        let device = codec.quantizer.codebook(0).device();
        let input = Tensor::from_slice(&samples).unsqueeze(0).to_device(device);
        let codes = no_grad(|| codec.encode(encoder, &input)).squeeze_dim(0);
        Ok(Self { codes, sample_count: samples.len() as i64 })
    }

    /// The audio, at the codec's rate.
    pub fn decode(&self, codec: &Codec) -> Result<Audio> {
        let device = codec.quantizer.codebook(0).device();
        let codes = self.codes.unsqueeze(0).to_device(device).to_kind(Kind::Int64);
        let mut samples = no_grad(|| codec.decode(&codes, NOISE_SEED))?;
        samples.truncate(self.sample_count as usize);
        Ok(Audio { samples, sample_rate: codec.config.sample_rate as u32 })
    }

    /// Writes a file that only `codec` can read.
    pub fn save(&self, codec: &Codec, path: &Path) -> Result<()> {
        let mut file = Checkpoint::default();
        file.tensors.insert("codes".into(), self.codes.to_kind(Kind::Int16));
        file.metadata.extend(identity(codec).map(|(name, value)| (name.to_string(), value)));
        file.metadata.insert("sample_count".into(), self.sample_count.to_string());
        file.save(path, None)
    }

    /// Reads a file of [`Codes::save`] with the same codec.
    pub fn load(codec: &Codec, path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::Codes { path: path.to_path_buf(), reason };
        let mut file = Checkpoint::load(path).map_err(|error| match error {
            Error::Weights { reason, .. } => wrong(reason),
            other => other,
        })?;
        for (name, expected) in identity(codec) {
            let found = file.metadata.get(name).map_or("nothing", String::as_str);
            if found != expected {
                return Err(wrong(format!("of another codec: {name} is {found}, expected {expected}")));
            }
        }
        let codes = file.tensors.remove("codes").ok_or_else(|| wrong("lacks the tensor codes".into()))?;
        if let Some(name) = file.tensors.keys().next() {
            return Err(wrong(format!("holds a tensor that does not belong there: {name}")));
        }
        let sample_count = file.metadata.get("sample_count").and_then(|n| n.parse().ok());
        let sample_count = sample_count.ok_or_else(|| wrong("lacks a sample_count".into()))?;
        let codes = Self { codes, sample_count };
        codes.check(codec).map_err(wrong)?;
        Ok(codes)
    }

    /// Says what does not fit the codec.
    fn check(&self, codec: &Codec) -> std::result::Result<(), String> {
        let config = &codec.config;
        if self.codes.kind() != Kind::Int16 {
            return Err(format!("codes are of kind {:?}, expected Int16", self.codes.kind()));
        }
        if self.sample_count < 1 {
            return Err(format!("sample_count is {}, expected at least 1", self.sample_count));
        }
        let frames = (self.sample_count - 1) / config.frame_length() + 1;
        let (shape, expected) = (self.codes.size(), [config.n_q, frames]);
        if shape != expected {
            return Err(format!("codes have shape {shape:?}, expected {expected:?}"));
        }
        let (lowest, highest) = (self.codes.min().int64_value(&[]), self.codes.max().int64_value(&[]));
        if lowest < 0 || highest >= config.codebook_size {
            let most = config.codebook_size - 1;
            return Err(format!("codes are {lowest} to {highest}, expected 0 to {most}"));
        }
        Ok(())
    }
}

/// What must agree between the codec that wrote a file and the one that reads it.
fn identity(codec: &Codec) -> [(&'static str, String); 4] {
    let config = &codec.config;
    [
        ("sample_rate", config.sample_rate.to_string()),
        ("frame_length", config.frame_length().to_string()),
        ("n_q", config.n_q.to_string()),
        ("codebooks", format!("{:016x}", codec.quantizer.fingerprint())),
    ]
}
