//! What the files of a folder were spoken from, so that a later run knows which of them are still right.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// The file in the folder: a line `fingerprint<TAB>name` for each finished file, of several for the same one the last.
const NAME: &str = ".spoken.tsv";

pub struct Record {
    path: PathBuf,
    file: Mutex<File>,
    known: HashMap<String, String>,
}

/// Eight bytes in hexadecimal that change with the text and everything that it is spoken with.
pub fn fingerprint(what: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

impl Record {
    /// The record of a folder, made where there is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let named = || path.display().to_string();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).with_context(named)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(named)?;
        if !bytes.ends_with(b"\n") && !bytes.is_empty() {
            file.write_all(b"\n").with_context(named)?; // a line that was cut off stays a line of its own
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let known = lines.map(|(fingerprint, name)| (name.to_string(), fingerprint.to_string())).collect();
        Ok(Self { path, file: Mutex::new(file), known })
    }

    /// Whether the file is there and was spoken from that.
    pub fn holds(&self, path: &Path, fingerprint: &str) -> bool {
        let known = path.file_name().and_then(|name| self.known.get(name.to_string_lossy().as_ref()));
        known.is_some_and(|known| known == fingerprint) && path.is_file()
    }

    /// Notes a file that is finished.
    pub fn add(&self, path: &Path, fingerprint: &str) -> anyhow::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{fingerprint}\t{name}\n").as_bytes()).with_context(|| self.path.display().to_string())
    }
}
