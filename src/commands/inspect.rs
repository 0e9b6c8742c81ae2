//! `tts inspect`: a page that shows how a text was spoken.

use std::path::PathBuf;

use tts::atomic_file::AtomicFile;
use tts::inspect::Inspection;

use super::options::{SpeechArgs, TextArgs};

/// Show how a text is spoken, on a page for the browser.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    text: TextArgs,
    /// HTML file to write; it needs no other file.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    speech: SpeechArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let options = args.speech.options()?;
    AtomicFile::create(&args.out)?; // only to fail early
    let text = args.text.read()?;
    let synthesizer = args.speech.synthesizer()?;
    let page = Inspection::new(&synthesizer, &text, &options)?.page()?;
    tts::atomic_file::write_atomically(&args.out, page.as_bytes())?;
    Ok(())
}
