//! `tts encode`: a recording to the codes of a voice's codec.

use std::path::PathBuf;

use tts::atomic_file::AtomicFile;
use tts::audio::wav;
use tts::codes::Codes;

use super::options::VoiceArgs;

/// Turn a WAV file into codes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// WAV file of any rate; several channels are averaged.
    #[arg(value_name = "WAV")]
    input: PathBuf,
    /// File for the codes.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    voice: VoiceArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    AtomicFile::create(&args.out)?; // only to fail early
    let audio = wav::read(&args.input)?;
    let voice = args.voice.load()?;
    Codes::encode(&voice.codec, &voice.encoder()?, audio)?.save(&voice.codec, &args.out)?;
    Ok(())
}
