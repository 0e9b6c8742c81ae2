//! `tts decode`: codes back to a recording.

use std::path::PathBuf;

use tts::codes::Codes;

use super::options::VoiceArgs;
use super::output::OutputArgs;
use super::warn;

/// Turn codes back into sound.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Codes made by `tts encode` with the same voice.
    #[arg(value_name = "CODES")]
    input: PathBuf,
    /// File to write; `-` for standard output.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    voice: VoiceArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let gain = args.output.gain()?;
    let destination = args.output.destination(&args.out)?;
    let voice = args.voice.load()?;
    let audio = Codes::load(&voice.codec, &args.input)?.decode(&voice.codec)?;
    let warnings = destination.take([Ok(audio.samples)], audio.sample_rate, gain)?;
    warnings.iter().for_each(|line| warn(line));
    Ok(())
}
