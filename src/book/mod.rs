//! Books as chapters of plain text: EPUB, Markdown, text files. Knows nothing of how they are spoken.

mod epub;
mod markdown;

use std::path::Path;

use crate::error::{Error, Result};

/// Letters of a title that its file name keeps.
const LONGEST_NAME: usize = 60;

/// What one file of an audiobook holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    pub title: Option<String>,
    /// Paragraphs with blank lines between them; the first one is the heading, where there is one.
    pub text: String,
}

/// The chapters of the book at `path`, by the ending of its name: `.epub`, `.md`, `.markdown`, or `.txt` for one chapter.
/// None is without a word.
pub fn chapters(path: &Path) -> Result<Vec<Chapter>> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut chapters = match ending.as_str() {
        "epub" => epub::chapters(path)?,
        "md" | "markdown" => markdown::chapters(&read(path)?),
        "txt" => vec![Chapter { title: None, text: read(path)? }],
        _ => {
            let name = path.display();
            return Err(Error::Option(format!("{name}: expected a book that ends in .epub, .md, .markdown or .txt")));
        }
    };
    chapters.retain(|chapter| chapter.text.contains(char::is_alphanumeric));
    // A book that happens to hold the marks of a phoneme string has none in mind.
    chapters.iter_mut().for_each(|chapter| chapter.text = chapter.text.replace("[[", "[ ["));
    if chapters.is_empty() {
        return Err(Error::Book { path: path.to_path_buf(), reason: "expected at least one word, found none".into() });
    }
    Ok(chapters)
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes).to_vec();
    String::from_utf8(bytes)
        .map_err(|_| Error::Book { path: path.to_path_buf(), reason: "expected text in UTF-8".into() })
}

impl Chapter {
    /// A name for the file of chapter `number` of `count`, without its ending: `03-the-river`.
    pub fn file_name(&self, number: usize, count: usize) -> String {
        let digits = count.to_string().len().max(2);
        let title = self.title.as_deref().unwrap_or_default().to_lowercase();
        let words = title.split(|c: char| !c.is_alphanumeric() && !"'’".contains(c));
        let words: Vec<String> =
            words.map(|word| word.replace(['\'', '’'], "")).filter(|word| !word.is_empty()).collect();
        let name: String = words.join("-").chars().take(LONGEST_NAME).collect();
        format!("{number:0digits$}-{name}").trim_end_matches('-').to_string()
    }
}
