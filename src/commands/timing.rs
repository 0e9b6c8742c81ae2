//! `--timing`: when each word is heard, in files next to the sound.

use std::path::PathBuf;

use tts::atomic_file::{AtomicFile, write_atomically};
use tts::error::Result;
use tts::synthesizer::Synthesizer;
use tts::timing::format::Format;
use tts::timing::{Timeline, TimelineBuilder};

#[derive(Debug, clap::Args)]
pub struct TimingArgs {
    /// File for the times of words and phonemes, by its ending .json, .srt, .vtt or .TextGrid; may be given several times.
    #[arg(long, value_name = "FILE", value_parser = timing_file)]
    timing: Vec<TimingFile>,
}

#[derive(Debug, Clone)]
struct TimingFile {
    path: PathBuf,
    format: Format,
}

fn timing_file(path: &str) -> std::result::Result<TimingFile, String> {
    let path = PathBuf::from(path);
    let format = Format::of(&path).ok_or("expected a name that ends with .json, .srt, .vtt or .TextGrid")?;
    Ok(TimingFile { path, format })
}

impl TimingArgs {
    /// Fails where a file cannot be written.
    pub fn check(&self) -> Result<()> {
        self.timing.iter().try_for_each(|file| AtomicFile::create(&file.path).map(drop))
    }

    /// To be told of every chunk that is spoken, if there is a file to write.
    pub fn timeline(&self, synthesizer: &Synthesizer) -> Option<TimelineBuilder> {
        let frame_length = synthesizer.voice().config.codec.frame_length() as usize;
        (!self.timing.is_empty()).then(|| TimelineBuilder::new(synthesizer.sample_rate(), frame_length))
    }

    pub fn write(&self, timeline: &Timeline) -> Result<()> {
        self.timing.iter().try_for_each(|file| write_atomically(&file.path, file.format.write(timeline).as_bytes()))
    }
}
