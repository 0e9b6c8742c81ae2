//! `tts speak`: text to a file, a pipe or the speakers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::SIGINT;
use signal_hook::flag::register_conditional_shutdown;

use tts::audio::playback::Speakers;
use tts::audio::sink::Gain;
use tts::synthesizer::{Chunk, SpeechOptions, Synthesizer};

use super::options::{SpeechArgs, TextArgs};
use super::output::{Destination, OutputArgs};
use super::timing::TimingArgs;
use super::warn;

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Speak a text out loud, or into a file.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    text: TextArgs,
    /// File to write; `-` for standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Play it, as without --out.
    #[arg(long, conflicts_with = "out")]
    play: bool,
    /// Sound device to play on (see `tts devices`).
    #[arg(long, value_name = "NAME", conflicts_with = "out")]
    device: Option<String>,
    #[command(flatten)]
    timing: TimingArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let options = args.speech.options()?;
    let gain = args.output.gain()?;
    let destination = args.destination()?;
    args.timing.check()?;
    let text = args.text.read()?;
    let synthesizer = args.speech.synthesizer()?;
    let mut timeline = args.timing.timeline(&synthesizer);
    let warnings = speak_to(destination, &synthesizer, &text, &options, gain, |chunk| {
        timeline.iter_mut().for_each(|timeline| timeline.push(chunk));
    })?;
    warnings.iter().for_each(|line| warn(line));
    timeline.map_or(Ok(()), |timeline| args.timing.write(&timeline.finish()))?;
    Ok(())
}

impl Args {
    fn destination(&self) -> anyhow::Result<Destination> {
        if let Some(out) = &self.out {
            return self.output.destination(out);
        }
        self.output.refuse_format()?;
        let speakers = Speakers::open(self.device.as_deref());
        let advice = "nowhere to speak to: name a file with --out FILE, or connect a sound device";
        let wanted = self.play || self.device.is_some();
        let speakers = if wanted { speakers? } else { speakers.context(advice)? };
        // Nothing is kept that an end at any moment could spoil, and the device falls silent with its owner.
        register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::new(AtomicBool::new(true)))?;
        Ok(Destination::Speakers(Box::new(speakers)))
    }
}

/// Speaks `text`; `heard` is told of each chunk. Gives warnings for the user.
pub fn speak_to(
    destination: Destination,
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeechOptions,
    gain: Gain,
    mut heard: impl FnMut(&Chunk),
) -> tts::error::Result<Vec<String>> {
    let blocks = synthesizer.speak(text, options)?.map(|chunk| {
        let chunk = chunk?;
        heard(&chunk);
        Ok(chunk.samples)
    });
    destination.take(blocks, synthesizer.sample_rate(), gain)
}
