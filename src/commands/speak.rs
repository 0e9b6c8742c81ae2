//! `tts speak`: text to a WAV file.

use std::path::{Path, PathBuf};

use anyhow::Context;

use tts::atomic_file::AtomicFile;
use tts::audio::resample::Resampler;
use tts::audio::wav::WavSink;
use tts::synthesizer::{SpeechOptions, Synthesizer};

use super::options::{RateArgs, SpeechArgs, TextArgs};

/// Speak a text into a WAV file.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    text: TextArgs,
    /// WAV file to write.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let out = args.out.as_deref().context("nowhere to speak to: name a WAV file with --out FILE")?;
    let options = args.speech.options()?;
    let file = AtomicFile::create(out)?;
    let text = args.text.read()?;
    let synthesizer = args.speech.synthesizer()?;
    speak_to(out, file, &synthesizer, &text, &options, args.rate.sample_rate)?;
    Ok(())
}

/// Speaks `text` into the WAV file `path`, for which `file` was made.
pub fn speak_to(
    path: &Path,
    file: AtomicFile,
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeechOptions,
    sample_rate: Option<u32>,
) -> tts::error::Result<()> {
    let sample_rate = sample_rate.unwrap_or(synthesizer.sample_rate());
    let mut resampler = Resampler::new(synthesizer.sample_rate(), sample_rate)?;
    let mut sink = WavSink::new(path, file, sample_rate)?;
    for chunk in synthesizer.speak(text, options)? {
        sink.push(&resampler.push(&chunk?.samples)?)?;
    }
    sink.push(&resampler.finish()?)?;
    sink.finish()
}
