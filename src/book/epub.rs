//! EPUB 2 and 3: each document of the reading order that has words is a chapter.

use std::path::Path;

use html2text::config;
use html2text::render::TrivialDecorator;
use rbook::Epub;

use super::Chapter;
use crate::error::{Error, Result};

/// Letters in a line: more than any paragraph that people write, so that lines end where they end in the book.
const LINE: usize = 100_000;
/// A first line that is no longer can be a title.
const LONGEST_TITLE: usize = 80;

pub fn chapters(path: &Path) -> Result<Vec<Chapter>> {
    std::fs::metadata(path).map_err(Error::io(path))?;
    let wrong = |reason: String| Error::Book { path: path.to_path_buf(), reason };
    let book = Epub::open(path).map_err(|e| wrong(format!("expected an EPUB: {e}")))?;
    let mut chapters = Vec::new();
    let mut reader = book.reader();
    while let Some(document) = reader.read_next() {
        let document = document.map_err(|e| wrong(e.to_string()))?;
        let entry = document.manifest_entry();
        if entry.properties().has_property("nav") {
            continue; // the table of contents
        }
        let text = plain(document.content()).map_err(wrong)?;
        let contents = book.toc().contents();
        let label = contents
            .iter()
            .flat_map(|contents| contents.flatten())
            .find(|place| place.manifest_entry().is_some_and(|target| target.id() == entry.id()));
        let title = label.map(|place| place.label().trim().to_string()).filter(|label| !label.is_empty());
        chapters.push(Chapter { title: title.or_else(|| first_line(&text)), text });
    }
    Ok(chapters)
}

/// The words of an XHTML document, a blank line between paragraphs.
fn plain(document: &str) -> std::result::Result<String, String> {
    let words = config::with_decorator(TrivialDecorator::new()).no_table_borders();
    words.string_from_read(document.as_bytes(), LINE).map_err(|e| e.to_string())
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    (line.chars().count() <= LONGEST_TITLE).then(|| line.to_string())
}
