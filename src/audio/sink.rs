//! Where samples go, and the one way there: gain, rate, limiter, sink.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::encode::{self, Encoder, encoder};
use super::format::Encoding;
use super::limiter::Limiter;
use super::loudness::amplitude;
use super::resample::Resampler;
use crate::atomic_file::AtomicFile;
use crate::error::{Error, Result};

/// Somewhere to put mono samples in -1..1.
pub trait Sink {
    /// Samples per second that it takes.
    fn sample_rate(&self) -> u32;

    fn push(&mut self, samples: &[f32]) -> Result<()>;

    /// Completes what was pushed.
    fn finish(self) -> Result<()>;
}

/// A factor of loudness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain(f32);

impl Gain {
    /// -60 to 20 dB.
    pub fn decibels(decibels: f64) -> Result<Self> {
        if !(-60.0..=20.0).contains(&decibels) {
            return Err(Error::Option(format!("volume is {decibels}, expected -60 to 20 dB")));
        }
        Ok(Self(amplitude(decibels)))
    }
}

/// What became of the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Poured {
    pub samples: u64,
    /// Samples too loud for any sink, which were turned down together with those around them.
    pub limited: u64,
}

/// Sends blocks of samples of the rate `sample_rate` into `sink`, none of them beyond -1 dB of full scale.
pub fn pour(
    blocks: impl IntoIterator<Item = Result<Vec<f32>>>,
    sample_rate: u32,
    gain: Gain,
    mut sink: impl Sink,
) -> Result<Poured> {
    let mut resampler = Resampler::new(sample_rate, sink.sample_rate())?;
    let mut limiter = Limiter::new(sink.sample_rate());
    let mut count = 0;
    let mut put = |samples: Vec<f32>| {
        count += samples.len() as u64;
        sink.push(&samples)
    };
    for block in blocks {
        let mut block = block?;
        block.iter_mut().for_each(|s| *s *= gain.0);
        put(limiter.push(&resampler.push(&block)?))?;
    }
    put(limiter.push(&resampler.finish()?))?;
    let limited = limiter.limited;
    put(limiter.finish())?;
    sink.finish()?;
    Ok(Poured { samples: count, limited })
}

/// A file or stream in some format.
pub struct EncodedSink {
    /// How to name it in errors.
    name: PathBuf,
    target: Target,
    encoder: Box<dyn Encoder>,
    sample_rate: u32,
}

enum Target {
    /// Appears under its name when it is finished.
    File(BufWriter<File>, AtomicFile),
    Stream(Box<dyn Write>),
}

impl EncodedSink {
    /// A file for samples that come at `source` Hz; `path` is named in errors, `file` was made for it.
    pub fn file(path: &Path, file: AtomicFile, encoding: Encoding, source: u32) -> Result<Self> {
        let content = file.file().try_clone().map_err(Error::io(path))?;
        Self::new(path, Target::File(BufWriter::new(content), file), encoding, source)
    }

    /// A stream, such as standard output, that is sent on after each push.
    pub fn stream(name: &str, stream: Box<dyn Write>, encoding: Encoding, source: u32) -> Result<Self> {
        Self::new(Path::new(name), Target::Stream(stream), encoding, source)
    }

    fn new(name: &Path, target: Target, encoding: Encoding, source: u32) -> Result<Self> {
        let sample_rate = encoding.sample_rate(source);
        let in_file = matches!(target, Target::File(..));
        let encoder = encoder(encoding, sample_rate, in_file).map_err(|e| Error::audio(name, e))?;
        let mut sink = Self { name: name.to_path_buf(), target, encoder, sample_rate };
        sink.write(|encoder, bytes| encoder.start(bytes))?;
        Ok(sink)
    }

    /// Writes what the encoder gives.
    fn write(&mut self, encode: impl FnOnce(&mut dyn Encoder, &mut Vec<u8>) -> encode::Result<()>) -> Result<()> {
        let mut bytes = Vec::new();
        encode(self.encoder.as_mut(), &mut bytes).map_err(|e| Error::audio(&self.name, e))?;
        let written = match &mut self.target {
            Target::File(content, _) => content.write_all(&bytes),
            Target::Stream(stream) => stream.write_all(&bytes).and_then(|()| stream.flush()),
        };
        written.map_err(Error::io(&self.name))
    }
}

impl Sink for EncodedSink {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn push(&mut self, samples: &[f32]) -> Result<()> {
        self.write(|encoder, bytes| encoder.encode(samples, bytes))
    }

    fn finish(mut self) -> Result<()> {
        self.write(|encoder, bytes| encoder.finish(bytes))?;
        let Target::File(content, file) = self.target else { return Ok(()) };
        let start = self.encoder.replace_start().map_err(|e| Error::audio(&self.name, e))?;
        replace_start(content, &start).map_err(Error::io(&self.name))?;
        file.commit()
    }
}

fn replace_start(mut content: BufWriter<File>, start: &[u8]) -> io::Result<()> {
    content.seek(SeekFrom::Start(0))?;
    content.write_all(start)?;
    content.flush()
}
