//! From finished runs to the folder of a voice.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use tch::Device;

use super::coarse::CoarseRecipe;
use super::codec::CodecRecipe;
use super::depth::DepthRecipe;
use super::drafters::HeadsRecipe;
use super::fine::FineRecipe;
use super::loudness::measure;
use super::parallel::ParallelRecipe;
use crate::atomic_file::write_atomically;
use crate::checkpoint::Checkpoint;
use crate::coarse::CoarseConfig;
use crate::codec::CodecConfig;
use crate::error::{Error, Result};
use crate::voice::{Voice, VoiceConfig, weights};

/// Folders of the runs that a voice is made of; what is not given stays as it is in the voice.
#[derive(Debug, Default)]
pub struct Runs<'a> {
    pub codec: Option<&'a Path>,
    /// Of the codec's decoder alone.
    pub decoder: Option<&'a Path>,
    pub coarse: Option<&'a Path>,
    pub fine: Option<&'a Path>,
    pub parallel: Option<&'a Path>,
    pub depth: Option<&'a Path>,
    pub heads: Option<&'a Path>,
    pub small: Option<&'a Path>,
}

/// What a voice says of itself besides its models; what is not given stays as it is in the voice.
#[derive(Debug, Default)]
pub struct About {
    pub name: Option<String>,
    pub licence: Option<String>,
    pub description: Option<String>,
}

/// Writes `config.json` and the weights of `runs`, quantized to 8 bits, into the folder `dir`, loads them once to see
/// that they fit together, and measures how loud they speak. A new voice needs codec, coarse and fine model, and all of `new`.
pub fn export(runs: &Runs, new: About, dir: &Path) -> Result<()> {
    let old = if is_voice(dir) { Some(VoiceConfig::load(dir)?) } else { None };
    let lacks = |what: &str| Error::Voice(format!("{} is no voice yet, and no {what} was given", dir.display()));
    // What was trained on another coarse model is of no use to a new one.
    let on_coarse = if runs.coarse.is_some() { None } else { old.as_ref() };
    let old = old.as_ref();
    let about = |new: Option<String>, part: fn(&VoiceConfig) -> &String, what: &str| {
        new.or_else(|| old.map(part).cloned()).ok_or_else(|| lacks(what))
    };
    let config = VoiceConfig {
        name: about(new.name, |v| &v.name, "name")?,
        language: "en-US".into(), // the only one that the front end reads
        licence: about(new.licence, |v| &v.licence, "licence")?,
        description: about(new.description, |v| &v.description, "description")?,
        base: old.and_then(|v| v.base.clone()),
        loudness: None,
        codec: sizes(runs.codec, |r: CodecRecipe| r.model, old.map(|v| &v.codec))?.ok_or_else(|| lacks("codec"))?,
        coarse: sizes(runs.coarse, |r: CoarseRecipe| r.model, old.map(|v| &v.coarse))?
            .ok_or_else(|| lacks("coarse model"))?,
        fine: sizes(runs.fine, |r: FineRecipe| r.model, old.map(|v| &v.fine))?.ok_or_else(|| lacks("fine model"))?,
        parallel: sizes(runs.parallel, |r: ParallelRecipe| r.model, old.and_then(|v| v.parallel.as_ref()))?,
        depth: sizes(runs.depth, |r: DepthRecipe| r.model, on_coarse.and_then(|v| v.depth.as_ref()))?,
        heads: sizes(runs.heads, |r: HeadsRecipe| r.model, on_coarse.and_then(|v| v.heads.as_ref()))?,
        small: sizes(runs.small, |r: CoarseRecipe| r.model, on_coarse.and_then(|v| v.small.as_ref()))?,
    };
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let files = [
        (runs.codec, "encoder"),
        (runs.decoder.or(runs.codec), "codec"),
        (runs.coarse, "coarse"),
        (runs.fine, "fine"),
        (runs.parallel, "parallel"),
        (runs.depth, "depth"),
        (runs.heads, "heads"),
        (runs.small, "small"),
    ];
    for (run, name) in files {
        let Some(run) = run else { continue };
        let file = weights::file(name);
        Checkpoint::load(&run.join(&file))?.quantized().save(&dir.join(file), None)?;
    }
    finish(config, dir)
}

/// Writes `config.json` of a voice whose weights are in place, having heard how loud it speaks.
pub(super) fn finish(mut config: VoiceConfig, dir: &Path) -> Result<()> {
    let path = dir.join("config.json");
    save(&config, &path)?;
    let voice = Voice::load(dir, Device::Cpu)?;
    voice.encoder()?;
    config.loudness = measure(voice)?.map(|loudness| (10.0 * loudness).round() / 10.0);
    save(&config, &path)
}

/// Writes the configuration of a voice.
fn save(config: &VoiceConfig, path: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(config);
    let json = json.map_err(|e| Error::Config { path: path.to_path_buf(), reason: e.to_string() })?;
    write_atomically(path, format!("{json}\n").as_bytes())
}

/// The sizes of the model of a run, or those that the voice has already.
fn sizes<R: DeserializeOwned, C: Clone>(
    run: Option<&Path>,
    part: impl FnOnce(R) -> C,
    old: Option<&C>,
) -> Result<Option<C>> {
    run.map_or_else(|| Ok(old.cloned()), |run| recipe(run).map(|r| Some(part(r))))
}

/// The sizes of the codec of a run or a voice.
pub fn codec_config(dir: &Path) -> Result<CodecConfig> {
    if is_voice(dir) { Ok(VoiceConfig::load(dir)?.codec) } else { recipe(dir).map(|r: CodecRecipe| r.model) }
}

/// The sizes of the coarse model of a run or a voice.
pub fn coarse_config(dir: &Path) -> Result<CoarseConfig> {
    if is_voice(dir) { Ok(VoiceConfig::load(dir)?.coarse) } else { recipe(dir).map(|r: CoarseRecipe| r.model) }
}

fn is_voice(dir: &Path) -> bool {
    dir.join("config.json").exists()
}

/// The recipe that a run was started with.
fn recipe<T: DeserializeOwned>(run: &Path) -> Result<T> {
    let path = run.join("config.toml");
    let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
    toml::from_str(&text).map_err(|e| Error::Config { path, reason: e.to_string() })
}
