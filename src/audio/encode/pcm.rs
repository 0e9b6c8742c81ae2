//! Samples as they are: raw and WAV.

use hound::{SampleFormat, WavSpec};

use super::{Encoder, Result};
use crate::audio::format::Depth;

/// Little-endian samples.
pub struct Raw(pub Depth);

impl Encoder for Raw {
    fn start(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()> {
        match self.0 {
            Depth::Float => bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes())),
            depth => {
                let width = usize::from(depth.bits() / 8);
                samples.iter().for_each(|&s| bytes.extend_from_slice(&depth.quantize(s).to_le_bytes()[..width]));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// RIFF WAVE.
pub struct Wav {
    raw: Raw,
    /// With the sizes of a stream without end, as players expect it on a pipe.
    header: Vec<u8>,
    data_bytes: u64,
}

impl Wav {
    pub fn new(sample_rate: u32, depth: Depth) -> Self {
        let sample_format = if depth == Depth::Float { SampleFormat::Float } else { SampleFormat::Int };
        let spec = WavSpec { channels: 1, sample_rate, bits_per_sample: depth.bits(), sample_format };
        Self { raw: Raw(depth), header: spec.into_header_for_infinite_file(), data_bytes: 0 }
    }

    /// Bytes that fill the last chunk up to an even number.
    fn padding(&self) -> u64 {
        self.data_bytes % 2
    }
}

impl Encoder for Wav {
    fn start(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.extend_from_slice(&self.header);
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()> {
        let before = bytes.len();
        self.raw.encode(samples, bytes)?;
        self.data_bytes += (bytes.len() - before) as u64;
        Ok(())
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.resize(bytes.len() + self.padding() as usize, 0);
        Ok(())
    }

    fn replace_start(&self) -> Result<Vec<u8>> {
        let mut header = self.header.clone();
        let riff_bytes = header.len() as u64 - 8 + self.data_bytes + self.padding();
        let too_long =
            |_| format!("a WAV file holds at most {} bytes: expected less sound or another format", u32::MAX);
        let data_at = header.len() - 4;
        header[4..8].copy_from_slice(&u32::try_from(riff_bytes).map_err(too_long)?.to_le_bytes());
        header[data_at..].copy_from_slice(&(self.data_bytes as u32).to_le_bytes());
        Ok(header)
    }
}
