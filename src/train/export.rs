//! From finished runs to the folder of a voice.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use tch::Device;

use super::coarse::CoarseRecipe;
use super::codec::CodecRecipe;
use super::fine::FineRecipe;
use crate::atomic_file::write_atomically;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::voice::{Voice, VoiceConfig};

/// Folders of the three runs that a voice is made of.
#[derive(Debug)]
pub struct Runs<'a> {
    pub codec: &'a Path,
    pub coarse: &'a Path,
    pub fine: &'a Path,
}

/// What a voice says of itself besides its models.
#[derive(Debug)]
pub struct About {
    pub name: String,
    pub language: String,
    pub licence: String,
    pub description: String,
}

/// Writes `config.json` and the weights of `runs`, quantized to 8 bits, into the folder `dir`, and loads them once to see
/// that they fit together.
pub fn export(runs: &Runs, about: About, dir: &Path) -> Result<()> {
    let codec: CodecRecipe = recipe(runs.codec)?;
    let coarse: CoarseRecipe = recipe(runs.coarse)?;
    let fine: FineRecipe = recipe(runs.fine)?;
    let config = VoiceConfig {
        name: about.name,
        language: about.language,
        licence: about.licence,
        description: about.description,
        codec: codec.model,
        coarse: coarse.model,
        fine: fine.model,
    };
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    for (run, name) in [(runs.codec, "encoder"), (runs.codec, "codec"), (runs.coarse, "coarse"), (runs.fine, "fine")] {
        let file = format!("{name}.safetensors");
        Checkpoint::load(&run.join(&file))?.quantized().save(&dir.join(file), None)?;
    }
    let path = dir.join("config.json");
    let json = serde_json::to_string_pretty(&config);
    let json = json.map_err(|e| Error::Config { path: path.clone(), reason: e.to_string() })?;
    write_atomically(&path, format!("{json}\n").as_bytes())?;
    Voice::load(dir, Device::Cpu)?.encoder().map(|_| ())
}

/// The recipe that a run was started with.
pub fn recipe<T: DeserializeOwned>(run: &Path) -> Result<T> {
    let path = run.join("config.toml");
    let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
    toml::from_str(&text).map_err(|e| Error::Config { path, reason: e.to_string() })
}
