//! Where sound goes: arguments that several commands share, and what they become.

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use tts::atomic_file::AtomicFile;
use tts::audio::format::{Depth, Encoding, Format};
use tts::audio::playback::Speakers;
use tts::audio::sink::{EncodedSink, Gain, Poured, pour};
use tts::error::Result;

/// What is written, and how loud.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Format; if not given, the one that the file's name ends in, or else WAV.
    #[arg(long, value_parser = formats())]
    format: Option<Format>,
    /// Bits of a sample in WAV, raw or FLAC; 16 if not given.
    #[arg(long, value_parser = depths())]
    bits: Option<Depth>,
    /// Samples per second of the output; the voice's own rate, or the next that the format has, if not given.
    #[arg(long, value_name = "HZ", value_parser = sample_rates())]
    sample_rate: Option<u32>,
    /// Decibels by which it is louder (or, below 0, softer) than -20 LUFS, -60 to 20.
    #[arg(long, value_name = "DB", default_value_t = 0.0, allow_negative_numbers = true)]
    volume: f64,
}

impl OutputArgs {
    pub fn gain(&self) -> Result<Gain> {
        Gain::decibels(self.volume)
    }

    /// The format that was chosen, or else `otherwise`.
    pub fn encoding(&self, otherwise: Format) -> Result<Encoding> {
        Encoding::new(self.format.unwrap_or(otherwise), self.bits, self.sample_rate)
    }

    /// The file `out`, or standard output for `-`. Fails at once where nothing can be written.
    pub fn destination(&self, out: &Path) -> anyhow::Result<Destination> {
        if out == Path::new("-") {
            if stdout().is_terminal() {
                bail!("standard output is a terminal: expected a pipe or file to write sound to");
            }
            return Ok(Destination::Stdout(self.encoding(Format::Wav)?));
        }
        let file = AtomicFile::create(out)?;
        let format = self.format.map_or_else(|| Format::of(out), Ok)?;
        Ok(Destination::File(out.to_path_buf(), file, self.encoding(format)?))
    }

    /// Speakers have a format of their own.
    pub fn refuse_format(&self) -> anyhow::Result<()> {
        if self.format.is_some() || self.bits.is_some() || self.sample_rate.is_some() {
            bail!("--format, --bits and --sample-rate are for files: expected --out FILE");
        }
        Ok(())
    }
}

/// Where to speak to, found to be there.
pub enum Destination {
    File(PathBuf, AtomicFile, Encoding),
    Stdout(Encoding),
    Speakers(Box<Speakers>),
}

impl Destination {
    /// Sends all sound there; gives warnings for the user.
    pub fn take(
        self,
        blocks: impl IntoIterator<Item = Result<Vec<f32>>>,
        sample_rate: u32,
        gain: Gain,
    ) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let poured = match self {
            Self::File(path, file, encoding) => {
                pour(blocks, sample_rate, gain, EncodedSink::file(&path, file, encoding, sample_rate)?)?
            }
            Self::Stdout(encoding) => {
                let sink = EncodedSink::stream("standard output", Box::new(stdout()), encoding, sample_rate)?;
                pour(blocks, sample_rate, gain, sink)?
            }
            Self::Speakers(speakers) => {
                let counter = speakers.gaps();
                let poured = pour(blocks, sample_rate, gain, *speakers)?;
                let gaps = counter.read();
                if gaps.count > 0 {
                    let silence = gaps.silence.as_secs_f64();
                    warnings.push(format!(
                        "warning: the sound broke off {} times, for {silence:.2} s in all: it is made too slowly",
                        gaps.count
                    ));
                }
                poured
            }
        };
        warnings.extend(too_loud(poured));
        Ok(warnings)
    }
}

/// A few peaks that are turned down are not heard.
fn too_loud(Poured { samples, limited }: Poured) -> Option<String> {
    let line = format!("warning: {limited} of {samples} samples were too loud and were turned down: lower --volume");
    (limited > samples / 100).then_some(line)
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let find = |name: String| Format::ALL.into_iter().find(|f| f.name() == name).ok_or("unknown");
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(find)
}

fn depths() -> impl TypedValueParser<Value = Depth> {
    let find = |name: String| Depth::ALL.into_iter().find(|d| d.name() == name).ok_or("unknown");
    PossibleValuesParser::new(Depth::ALL.map(Depth::name)).try_map(find)
}

fn sample_rates() -> impl TypedValueParser<Value = u32> {
    PossibleValuesParser::new(["16000", "22050", "24000", "44100", "48000"]).try_map(|rate| rate.parse::<u32>())
}
