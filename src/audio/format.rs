//! What samples can be written as, and which choices go together.

use std::path::Path;

use crate::error::{Error, Result};

/// A kind of file or stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Wav,
    /// The samples alone, little-endian.
    Raw,
    Flac,
    /// Opus in Ogg.
    OggOpus,
    Mp3,
}

/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Int16,
    Int24,
    /// 32-bit float.
    Float,
}

impl Format {
    pub const ALL: [Self; 5] = [Self::Wav, Self::Raw, Self::Flac, Self::OggOpus, Self::Mp3];

    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Raw => "raw",
            Self::Flac => "flac",
            Self::OggOpus => "ogg-opus",
            Self::Mp3 => "mp3",
        }
    }

    /// Endings of the names of such files, the usual one first.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Wav => &["wav", "wave"],
            Self::Raw => &["raw", "pcm"],
            Self::Flac => &["flac"],
            Self::OggOpus => &["opus", "ogg"],
            Self::Mp3 => &["mp3"],
        }
    }

    pub fn extension(self) -> &'static str {
        self.extensions()[0]
    }

    /// The format that the name of a file asks for: WAV where it has no extension.
    pub fn of(path: &Path) -> Result<Self> {
        let Some(extension) = path.extension() else { return Ok(Self::Wav) };
        let extension = extension.to_string_lossy().to_lowercase();
        let format = Self::ALL.into_iter().find(|f| f.extensions().contains(&extension.as_str()));
        format.ok_or_else(|| {
            let known = Self::ALL.map(Self::extension).join(", .");
            let name = path.display();
            Error::Option(format!("{name}: expected a name that ends in .{known}, or the format named with --format"))
        })
    }

    /// The rates that the format has; None for all.
    fn sample_rates(self) -> Option<&'static [u32]> {
        match self {
            Self::Wav | Self::Raw | Self::Flac => None,
            Self::OggOpus => Some(&[8_000, 12_000, 16_000, 24_000, 48_000]),
            Self::Mp3 => Some(&[8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]),
        }
    }
}

impl Depth {
    pub const ALL: [Self; 3] = [Self::Int16, Self::Int24, Self::Float];

    pub fn name(self) -> &'static str {
        match self {
            Self::Int16 => "16",
            Self::Int24 => "24",
            Self::Float => "float",
        }
    }

    pub fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float => 32,
        }
    }

    /// The whole number of this depth that stands for `sample`: 1 is the largest.
    pub fn quantize(self, sample: f32) -> i32 {
        let largest = 2f64.powi(i32::from(self.bits()) - 1) - 1.0;
        (f64::from(sample.clamp(-1.0, 1.0)) * largest).round() as i32
    }
}

/// A format with its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    pub format: Format,
    /// Used by WAV, raw and FLAC.
    pub depth: Depth,
    sample_rate: Option<u32>,
}

impl Encoding {
    /// Sixteen bits and the rate of the source where nothing else is asked for.
    pub fn new(format: Format, depth: Option<Depth>, sample_rate: Option<u32>) -> Result<Self> {
        let name = format.name();
        let refuse = |reason: String| Err(Error::Option(reason));
        match (format, depth) {
            (Format::Flac, Some(Depth::Float)) => return refuse("flac holds 16 or 24 bits, not float".into()),
            (Format::OggOpus | Format::Mp3, Some(_)) => {
                return refuse(format!("{name} has no number of bits: expected no --bits, or another format"));
            }
            _ => {}
        }
        if let (Some(rate), Some(rates)) = (sample_rate, format.sample_rates())
            && !rates.contains(&rate)
        {
            let rates: Vec<String> = rates.iter().map(u32::to_string).collect();
            return refuse(format!("{name} has no rate of {rate} Hz: expected one of {}", rates.join(", ")));
        }
        Ok(Self { format, depth: depth.unwrap_or(Depth::Int16), sample_rate })
    }

    /// Rate of what is written, where the samples come at `source` Hz: the next that the format has, if none was chosen.
    pub fn sample_rate(&self, source: u32) -> u32 {
        let nearest = |rates: &[u32]| rates.iter().copied().find(|&r| r >= source).or(rates.last().copied());
        self.sample_rate.or(self.format.sample_rates().and_then(nearest)).unwrap_or(source)
    }
}
