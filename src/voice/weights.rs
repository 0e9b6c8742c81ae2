//! Weights in the folder of a voice, or of a run that trains one of its models.

use std::path::{Path, PathBuf};

use tch::nn::VarStore;

use super::VoiceConfig;
use super::folders::{find, search_path};
use crate::adapter;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};

/// Name of the file with the weights called `name`.
pub fn file(name: &str) -> String {
    format!("{name}.safetensors")
}

/// Files that the weights called `name` of a voice or a run in the folder `dir` are in: one of their own, or that of the voice
/// that it is based on and the adapter, if it has one.
pub fn files(dir: &Path, name: &str) -> Result<(PathBuf, Option<PathBuf>)> {
    let own = dir.join(file(name));
    if own.is_file() || !dir.join("config.json").is_file() {
        return Ok((own, None));
    }
    let Some(base) = VoiceConfig::load(dir)?.base else { return Ok((own, None)) };
    let mut folders = search_path();
    folders.insert(0, dir.join(".."));
    let base = find(&base, &folders)?;
    if VoiceConfig::load(&base)?.base.is_some() {
        let (dir, base) = (dir.display(), base.display());
        return Err(Error::Voice(format!("the voice {dir} is based on {base}, which has no weights of its own")));
    }
    let adapter = dir.join(adapter::file(name));
    Ok((base.join(file(name)), adapter.is_file().then_some(adapter)))
}

/// Reads the weights called `name` of a voice or a run in the folder `dir`.
pub fn read(dir: &Path, name: &str) -> Result<Checkpoint> {
    match files(dir, name)? {
        (base, Some(adapter)) => adapter::load(&base, &adapter),
        (own, None) => Checkpoint::load(&own),
    }
}

/// Reads the weights called `name` of a voice or a run in the folder `dir` into `vs`; see [`Checkpoint::restore`].
pub fn load(dir: &Path, name: &str, vs: &VarStore) -> Result<()> {
    read(dir, name)?.restore("", vs, &dir.join(file(name)))
}
