//! `tts speak`: text to a WAV file.

use std::path::{Path, PathBuf};

use anyhow::Context;

use tts::atomic_file::AtomicFile;
use tts::audio::resample::Resampler;
use tts::audio::wav::WavSink;
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};

use super::options::{RateArgs, SpeechArgs, TextArgs};
use super::timing::TimingArgs;

/// Speak a text into a WAV file.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    text: TextArgs,
    /// WAV file to write.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    timing: TimingArgs,
    #[command(flatten)]
    rate: RateArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let out = args.out.as_deref().context("nowhere to speak to: name a WAV file with --out FILE")?;
    let options = args.speech.options()?;
    let file = AtomicFile::create(out)?;
    args.timing.check()?;
    let text = args.text.read()?;
    let synthesizer = args.speech.synthesizer()?;
    let mut timeline = args.timing.timeline(&synthesizer);
    speak_to(out, file, &synthesizer, &text, &options, args.rate.sample_rate, |chunk| {
        timeline.iter_mut().for_each(|timeline| timeline.push(chunk));
    })?;
    timeline.map_or(Ok(()), |timeline| args.timing.write(&timeline.finish()))?;
    Ok(())
}

/// Speaks `text` into the WAV file `path`, for which `file` was made; `heard` is told of each chunk.
pub fn speak_to(
    path: &Path,
    file: AtomicFile,
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeechOptions,
    sample_rate: Option<u32>,
    mut heard: impl FnMut(&Chunk),
) -> tts::error::Result<()> {
    let sample_rate = sample_rate.unwrap_or(synthesizer.sample_rate());
    let mut resampler = Resampler::new(synthesizer.sample_rate(), sample_rate)?;
    let mut sink = WavSink::new(path, file, sample_rate)?;
    for chunk in synthesizer.speak(text, options)? {
        let chunk = chunk?;
        heard(&chunk);
        sink.push(&resampler.push(&chunk.samples)?)?;
    }
    sink.push(&resampler.finish()?)?;
    sink.finish()
}
