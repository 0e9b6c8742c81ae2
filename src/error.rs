//! What can go wrong, in words for the person at the terminal: what was expected, what came, and where.

use std::path::{Path, PathBuf};

/// Result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: not a valid configuration: {reason}")]
    Config { path: PathBuf, reason: String },
    #[error("{path}: damaged or foreign weights: {reason}")]
    Weights { path: PathBuf, reason: String },
    #[error("{path}: not a file of codes, or damaged: {reason}")]
    Codes { path: PathBuf, reason: String },
    #[error("{path}: {reason}")]
    Book { path: PathBuf, reason: String },
    #[error("{path}: {reason}")]
    Audio { path: PathBuf, reason: String },
    #[error("{path}, line {line}: {reason}")]
    Corpus { path: PathBuf, line: usize, reason: String },
    #[error("{path}, line {line}: {reason}")]
    Lexicon { path: PathBuf, line: usize, reason: String },
    #[error("line {line}, column {column}: {reason}")]
    Markup { line: usize, column: usize, reason: String },
    #[error("{0}")]
    Text(String),
    #[error("{0}")]
    Voice(String),
    #[error("{0}")]
    Option(String),
    #[error("{0}")]
    Playback(String),
    #[error("training: {0}")]
    Training(String),
    #[error("libtorch: {}", without_trace(.0))]
    Torch(#[from] tch::TchError),
}

impl Error {
    /// For `map_err`: an I/O failure together with the path it happened at.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// Damaged or foreign weights at `path`.
    pub fn weights(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Weights { path: path.as_ref().to_path_buf(), reason: reason.into() }
    }

    /// An audio file that cannot be used.
    pub fn audio(path: impl AsRef<Path>, reason: impl ToString) -> Self {
        Self::Audio { path: path.as_ref().to_path_buf(), reason: reason.to_string() }
    }
}

/// libtorch's message without the list of its stack frames.
fn without_trace(error: &tch::TchError) -> String {
    let text = error.to_string();
    let message = text.split("Exception raised from").next().unwrap_or_default();
    message.trim().to_string()
}
