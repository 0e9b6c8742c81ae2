//! `tts decode`: codes back to a recording.

use std::path::PathBuf;

use tts::atomic_file::AtomicFile;
use tts::audio::resample::resample;
use tts::audio::wav;
use tts::codes::Codes;

use super::options::{RateArgs, VoiceArgs};

/// Turn codes back into a WAV file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Codes made by `tts encode` with the same voice.
    #[arg(value_name = "CODES")]
    input: PathBuf,
    /// WAV file to write.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    voice: VoiceArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    AtomicFile::create(&args.out)?; // only to fail early
    let voice = args.voice.load()?;
    let audio = Codes::load(&voice.codec, &args.input)?.decode(&voice.codec)?;
    let sample_rate = args.rate.sample_rate.unwrap_or(audio.sample_rate);
    wav::write(&args.out, &resample(audio, sample_rate)?)?;
    Ok(())
}
