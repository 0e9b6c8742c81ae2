//! `tts book`: a book to a folder with a file for each chapter.

use std::path::PathBuf;

use tts::book::chapters;

use super::work::{Task, WorkArgs};

/// Speak a book, a file for each chapter.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// EPUB, Markdown (.md) or text (.txt, one chapter).
    #[arg(value_name = "BOOK")]
    book: PathBuf,
    #[command(flatten)]
    work: WorkArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let chapters = chapters(&args.book)?;
    let count = chapters.len();
    let task = |(i, chapter): (usize, tts::book::Chapter)| -> (usize, Task) {
        (i + 1, Ok((chapter.file_name(i + 1, count), chapter.text)))
    };
    let tasks = chapters.into_iter().enumerate().map(task).collect();
    args.work.speak(&args.book.display().to_string(), "chapter", tasks)
}
