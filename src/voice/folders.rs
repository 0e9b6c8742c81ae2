//! Where voices are found.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::error::{Error, Result};

/// Folders that voices are looked for in, the first one winning: those of `TTS_VOICES` (separated by colons), the user's
/// own (`$XDG_DATA_HOME/tts/voices`), the one of an installed program, and `models` of the source tree and of the current
/// folder.
pub fn search_path() -> Vec<PathBuf> {
    let named = std::env::var_os("TTS_VOICES").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&named).filter(|p| !p.as_os_str().is_empty()).collect();
    if let Ok(user) = etcetera::choose_base_strategy() {
        folders.push(user.data_dir().join("tts/voices"));
    }
    if let Some(bin) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.push(bin.join("../share/tts/voices"));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("models"));
    folders.push("models".into());
    folders
}

/// The voices in the folders of `search_path`: those that hold a `config.json`. Of several with the same name, the first.
pub fn installed(search_path: &[PathBuf]) -> Vec<PathBuf> {
    let mut voices: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for entry in search_path.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten() {
        if entry.path().join("config.json").is_file() {
            voices.entry(entry.file_name()).or_insert_with(|| entry.path());
        }
    }
    voices.into_values().collect()
}

/// The folder of the voice called `name`, which may also be a path to one.
pub fn find(name: &str, search_path: &[PathBuf]) -> Result<PathBuf> {
    let as_path = Path::new(name);
    if as_path.join("config.json").is_file() {
        return Ok(as_path.to_path_buf());
    }
    let voices = installed(search_path);
    if let Some(found) = voices.iter().find(|dir| dir.file_name().is_some_and(|n| n == name)) {
        return Ok(found.clone());
    }
    let known: Vec<_> = voices.iter().filter_map(|d| d.file_name()).map(|n| n.to_string_lossy()).collect();
    let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
    Err(Error::Voice(format!(
        "no voice called '{name}' (installed: {known}), and no folder of that name with a config.json"
    )))
}
