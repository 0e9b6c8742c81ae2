//! Lists of recordings and what is said in them. Knows nothing of models.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::audio::recording::ENDINGS;
use crate::error::{Error, Result};

/// A file and what is said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Name of the file without folder and ending.
    pub id: String,
    pub path: PathBuf,
    pub text: String,
}

/// Reads a list: on each line the name of a file in `folder`, with or without its ending, and after the last tab what is said
/// in it. A first line whose name is `audio`, `file` or `id` is a heading.
pub fn read_list(list: &Path, folder: &Path) -> Result<Vec<Recording>> {
    let lines = fs::read_to_string(list).map_err(Error::io(list))?;
    let lines = lines.trim_start_matches('\u{feff}').lines().enumerate();
    let (mut recordings, mut seen) = (Vec::new(), HashSet::new());
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |reason: String| Error::Corpus { path: list.to_path_buf(), line: index + 1, reason };
        let (name, _) = line.split_once('\t').ok_or_else(|| wrong("expected `name<TAB>text`, found no tab".into()))?;
        let text = line.rsplit('\t').next().unwrap_or_default().trim();
        if index == 0 && ["audio", "file", "id"].contains(&name) {
            continue;
        }
        if text.is_empty() {
            return Err(wrong(format!("expected what is said in {name}, found nothing")));
        }
        let path = find(folder, name).ok_or_else(|| {
            wrong(format!("no file {} (nor with the ending {})", folder.join(name).display(), ENDINGS.join(", ")))
        })?;
        let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if !seen.insert(id.clone()) {
            return Err(wrong(format!("a recording `{id}` stands in an earlier line already")));
        }
        recordings.push(Recording { id, path, text: text.to_string() });
    }
    if recordings.is_empty() {
        return Err(Error::Corpus { path: list.to_path_buf(), line: 1, reason: "expected `name<TAB>text`".into() });
    }
    Ok(recordings)
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let with_ending = ENDINGS.iter().map(|ending| format!("{name}.{ending}"));
    [name.to_string()].into_iter().chain(with_ending).map(|name| folder.join(name)).find(|path| path.is_file())
}
