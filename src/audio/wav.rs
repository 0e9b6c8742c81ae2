//! WAV files, mono in memory.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::format::{Encoding, Format};
use super::sink::{EncodedSink, Sink};
use crate::atomic_file::AtomicFile;
use crate::error::{Error, Result};

/// Mono samples in -1..1 and their rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub samples: Vec<f32>,
    pub sample_rate: u32,
}

/// Reads a WAV file of 8 to 32 bits or float; several channels are averaged.
pub fn read(path: &Path) -> Result<Audio> {
    let mut reader = open(path)?;
    let spec = reader.spec();
    let interleaved = read_samples(&mut reader, path, u32::MAX)?;
    if let Some(sample) = interleaved.iter().find(|s| !s.is_finite()) {
        return Err(Error::audio(path, format!("expected finite samples, found {sample}")));
    }
    let channels = spec.channels as usize;
    let samples = interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32);
    Ok(Audio { samples: samples.collect(), sample_rate: spec.sample_rate })
}

/// Reads `len` samples of a mono WAV file from `start`; a shorter rest is filled up with zeros.
pub fn read_segment(path: &Path, start: u32, len: u32) -> Result<Vec<f32>> {
    let mut reader = open(path)?;
    reader.seek(start.min(reader.duration())).map_err(Error::io(path))?;
    let mut samples = read_samples(&mut reader, path, len)?;
    samples.resize(len as usize, 0.0);
    Ok(samples)
}

/// Length in samples, rate and channels without reading the samples.
pub fn probe(path: &Path) -> Result<(u32, u32, u16)> {
    let reader = open(path)?;
    Ok((reader.duration(), reader.spec().sample_rate, reader.spec().channels))
}

/// Writes 16-bit mono; samples beyond ±1 are clipped. The file appears whole or not at all.
pub fn write(path: &Path, audio: &Audio) -> Result<()> {
    let encoding = Encoding::new(Format::Wav, None, None)?;
    let mut sink = EncodedSink::file(path, AtomicFile::create(path)?, encoding, audio.sample_rate)?;
    sink.push(&audio.samples)?;
    sink.finish()
}

/// The bytes of a 16-bit mono file.
pub fn to_bytes(audio: &Audio) -> Result<Vec<u8>> {
    let fail = |e| Error::audio("audio in memory", e);
    let spec =
        WavSpec { channels: 1, sample_rate: audio.sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).map_err(fail)?;
    let to_i16 = |sample: f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
    audio.samples.iter().try_for_each(|&sample| writer.write_sample(to_i16(sample))).map_err(fail)?;
    writer.finalize().map_err(fail)?;
    Ok(bytes.into_inner())
}

fn open(path: &Path) -> Result<WavReader<BufReader<File>>> {
    let file = File::open(path).map_err(Error::io(path))?;
    let reader = WavReader::new(BufReader::new(file));
    let reader = reader.map_err(|e| Error::audio(path, format!("expected a WAV file: {e}")))?;
    let bits = reader.spec().bits_per_sample;
    if !(1..=32).contains(&bits) {
        return Err(Error::audio(path, format!("expected samples of 1 to 32 bits, found {bits}")));
    }
    Ok(reader)
}

fn read_samples<R: Read>(reader: &mut WavReader<R>, path: &Path, limit: u32) -> Result<Vec<f32>> {
    let spec = reader.spec();
    let fail = |e| Error::audio(path, format!("damaged WAV file: {e}"));
    match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().take(limit as usize).map(|s| s.map_err(fail)).collect(),
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            let samples = reader.samples::<i32>().take(limit as usize);
            samples.map(|s| s.map(|v| v as f32 * scale).map_err(fail)).collect()
        }
    }
}
