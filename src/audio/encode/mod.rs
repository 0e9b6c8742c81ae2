//! Samples to the bytes of each format. What cannot be done is said in words; the sink adds where.

mod flac;
mod mp3;
mod opus;
mod pcm;

use super::format::{Encoding, Format};
use super::wav::Audio;
use crate::error;

pub type Result<T> = std::result::Result<T, String>;

/// Turns mono samples in -1..1 into bytes.
pub trait Encoder {
    /// Adds the bytes before those of any sample, for a stream that may not end.
    fn start(&mut self, bytes: &mut Vec<u8>) -> Result<()>;

    /// Takes samples; adds the bytes that are ready.
    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()>;

    /// Adds the last bytes.
    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()>;

    /// What belongs in place of the first bytes of a file, now that all samples are known.
    fn replace_start(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// All of `audio` as the bytes of a file, in 16 bits where the format has bits.
pub fn file_bytes(audio: &Audio, format: Format) -> error::Result<Vec<u8>> {
    let encoding = Encoding::new(format, None, None)?;
    let bytes = || {
        let (mut encoder, mut bytes) = (encoder(encoding, audio.sample_rate, false)?, Vec::new());
        encoder.start(&mut bytes)?;
        encoder.encode(&audio.samples, &mut bytes)?;
        encoder.finish(&mut bytes)?;
        Ok(bytes)
    };
    bytes().map_err(error::Error::Option)
}

/// The encoder for samples of that rate. Where `in_file`, the start can be replaced in the end.
pub fn encoder(encoding: Encoding, sample_rate: u32, in_file: bool) -> Result<Box<dyn Encoder>> {
    let depth = encoding.depth;
    Ok(match encoding.format {
        Format::Wav => Box::new(pcm::Wav::new(sample_rate, depth)),
        Format::Raw => Box::new(pcm::Raw(depth)),
        Format::Flac => Box::new(flac::Flac::new(sample_rate, depth)?),
        Format::OggOpus => Box::new(opus::OggOpus::new(sample_rate)?),
        Format::Mp3 => Box::new(mp3::Mp3::new(sample_rate, in_file)?),
    })
}
