//! A voice: a folder with a configuration and the weights of its codec, coarse and fine model.

mod folders;
pub mod weights;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::nn::{Path as Variables, VarStore};
use tch::{Device, no_grad};
use tracing::info;

use crate::audio::loudness::TARGET_LUFS;
use crate::coarse::{CoarseConfig, CoarseModel};
use crate::codec::{Codec, CodecConfig, Encoder};
use crate::depth::{DepthConfig, DepthModel};
use crate::error::{Error, Result};
use crate::fine::{FineConfig, FineModel};
use crate::nn::linear::without_weights;
use crate::parallel::{ParallelConfig, ParallelModel};
use crate::speculative::heads::{DraftHeads, HeadsConfig};
use crate::speculative::retrieval::RetrievalIndex;

pub use folders::{find, installed, search_path};

/// Largest size that a configuration may ask for, except the sample rate: a damaged number would exhaust the memory.
const LARGEST_SIZE: f64 = 16384.0;

/// What `config.json` in the folder of a voice says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceConfig {
    pub name: String,
    /// BCP 47 tag, such as `en-US`.
    pub language: String,
    /// SPDX identifier of the weights' licence.
    pub licence: String,
    pub description: String,
    /// Name or folder of the voice that this one's weights are adapters of; without it they stand on their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Integrated loudness of its speech as the codec gives it, in LUFS; export measures it. If not known, its speech is
    /// left as loud as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<f64>,
    pub codec: CodecConfig,
    pub coarse: CoarseConfig,
    pub fine: FineConfig,
    /// Of the strategies that make all frames at once; not every voice has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<ParallelConfig>,
    /// Of the strategy `ar`; not every voice has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthConfig>,
    /// Of the drafter `heads`; not every voice has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<HeadsConfig>,
    /// A smaller coarse model, the drafter `small`; not every voice has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub small: Option<CoarseConfig>,
}

impl VoiceConfig {
    /// Reads and checks `config.json` of the folder `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let wrong = |reason: String| Error::Config { path: path.clone(), reason };
        let config: Self = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let values = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        check_sizes("", &values).map_err(wrong)?;
        config.validate().map_err(wrong)?;
        Ok(config)
    }

    /// Decibels that bring its speech to [`TARGET_LUFS`].
    pub fn gain_db(&self) -> f64 {
        self.loudness.map_or(0.0, |loudness| TARGET_LUFS - loudness)
    }

    fn validate(&self) -> std::result::Result<(), String> {
        if let Some(loudness) = self.loudness.filter(|loudness| !(-70.0..=10.0).contains(loudness)) {
            return Err(format!("loudness is {loudness}, expected -70 to 10 LUFS"));
        }
        self.codec.validate()?;
        self.coarse.validate()?;
        self.fine.validate()?;
        let mut pairs = vec![
            ("coarse.codebook_size", self.coarse.codebook_size, "codec.codebook_size", self.codec.codebook_size),
            ("fine.n_q", self.fine.n_q, "codec.n_q", self.codec.n_q),
            ("fine.latent_dim", self.fine.latent_dim, "codec.latent_dim", self.codec.latent_dim),
            ("fine.trunk.symbols", self.fine.trunk.symbols, "coarse.symbols", self.coarse.symbols),
        ];
        if let Some(parallel) = &self.parallel {
            parallel.validate()?;
            pairs.extend([
                ("parallel.codebook_size", parallel.codebook_size, "codec.codebook_size", self.codec.codebook_size),
                ("parallel.latent_dim", parallel.latent_dim, "codec.latent_dim", self.codec.latent_dim),
                ("parallel.trunk.symbols", parallel.trunk.symbols, "coarse.symbols", self.coarse.symbols),
            ]);
        }
        if let Some(depth) = &self.depth {
            depth.validate()?;
            pairs.extend([
                ("depth.codebook_size", depth.codebook_size, "codec.codebook_size", self.codec.codebook_size),
                ("depth.n_q", depth.n_q, "codec.n_q", self.codec.n_q),
                ("depth.latent_dim", depth.latent_dim, "codec.latent_dim", self.codec.latent_dim),
                ("depth.state_dim", depth.state_dim, "coarse.decoder.dim", self.coarse.decoder.dim),
            ]);
        }
        if let Some(heads) = &self.heads {
            heads.validate()?;
            pairs.extend([
                ("heads.codebook_size", heads.codebook_size, "codec.codebook_size", self.codec.codebook_size),
                ("heads.state_dim", heads.state_dim, "coarse.decoder.dim", self.coarse.decoder.dim),
            ]);
        }
        if let Some(small) = &self.small {
            small.validate()?;
            pairs.extend([
                ("small.codebook_size", small.codebook_size, "codec.codebook_size", self.codec.codebook_size),
                ("small.symbols", small.symbols, "coarse.symbols", self.coarse.symbols),
            ]);
        }
        for (name, value, other, expected) in pairs {
            if value != expected {
                return Err(format!("{name} is {value}, expected the same as {other} ({expected})"));
            }
        }
        Ok(())
    }
}

/// Says which number below `name` is too large for a size.
fn check_sizes(name: &str, value: &Value) -> std::result::Result<(), String> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(field, value)| {
            let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
            check_sizes(&name, value)
        }),
        Value::Number(n) if n.as_f64().is_none_or(|n| n > LARGEST_SIZE) && name != "codec.sample_rate" => {
            Err(format!("{name} is {n}, expected at most {LARGEST_SIZE}"))
        }
        _ => Ok(()),
    }
}

/// The three models of a voice, ready to speak. One thread owns it.
#[derive(Debug)]
pub struct Voice {
    pub config: VoiceConfig,
    pub codec: Codec,
    pub coarse: CoarseModel,
    pub fine: FineModel,
    pub device: Device,
    parallel: OnceCell<ParallelModel>,
    depth: OnceCell<DepthModel>,
    heads: OnceCell<DraftHeads>,
    small: OnceCell<CoarseModel>,
    retrieval: OnceCell<RetrievalIndex>,
    loader: Loader,
}

/// What matrix products are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 8-bit integers, on the CPU; several times faster.
    #[default]
    EightBit,
    Float,
}

impl Voice {
    /// Loads the folder `dir` to compute in 8 bits on the CPU, in floats elsewhere.
    pub fn load(dir: &Path, device: Device) -> Result<Self> {
        Self::load_with(dir, device, Precision::default())
    }

    /// Loads the folder `dir`.
    pub fn load_with(dir: &Path, device: Device, precision: Precision) -> Result<Self> {
        let started = Instant::now();
        let config = VoiceConfig::load(dir)?;
        let precision = if device.is_cuda() { Precision::Float } else { precision };
        let loader = Loader { dir: dir.to_path_buf(), device, precision };
        let codec = loader.load("codec", |vs| Codec::new(vs, &config.codec), Codec::pack)?;
        let coarse = loader.load("coarse", |vs| CoarseModel::new(vs, &config.coarse), CoarseModel::pack)?;
        let fine = loader.load("fine", |vs| FineModel::new(vs, &config.fine), FineModel::pack)?;
        info!(name = config.name, folder = %dir.display(), time = ?started.elapsed(), "voice loaded");
        Ok(Self {
            config,
            codec,
            coarse,
            fine,
            device,
            parallel: OnceCell::new(),
            depth: OnceCell::new(),
            heads: OnceCell::new(),
            small: OnceCell::new(),
            retrieval: OnceCell::new(),
            loader,
        })
    }

    /// The model of the strategies `nar`, `masked`, `flow` and `cascade`, loaded when first asked for.
    pub fn parallel(&self) -> Result<&ParallelModel> {
        self.extra(&self.parallel, &self.config.parallel, "parallel", ParallelModel::new, ParallelModel::pack)
    }

    /// The model of the strategy `ar`, loaded when first asked for.
    pub fn depth(&self) -> Result<&DepthModel> {
        self.extra(&self.depth, &self.config.depth, "depth", DepthModel::new, DepthModel::pack)
    }

    /// The drafter's heads, loaded when first asked for.
    pub fn heads(&self) -> Result<&DraftHeads> {
        self.extra(&self.heads, &self.config.heads, "heads", DraftHeads::new, DraftHeads::pack)
    }

    /// The drafter's smaller coarse model, loaded when first asked for.
    pub fn small(&self) -> Result<&CoarseModel> {
        self.extra(&self.small, &self.config.small, "small", CoarseModel::new, CoarseModel::pack)
    }

    /// The drafter's index of training speech, loaded when first asked for.
    pub fn retrieval(&self) -> Result<&RetrievalIndex> {
        if let Some(index) = self.retrieval.get() {
            return Ok(index);
        }
        let index = RetrievalIndex::load(&self.retrieval_path(), self.config.coarse.codebook_size)?;
        Ok(self.retrieval.get_or_init(|| index))
    }

    /// Whether the voice has an index of training speech.
    pub fn has_retrieval(&self) -> bool {
        self.retrieval_path().is_file()
    }

    fn retrieval_path(&self) -> PathBuf {
        self.loader.dir.join("retrieval.safetensors")
    }

    fn extra<'a, M, C>(
        &'a self,
        cell: &'a OnceCell<M>,
        config: &Option<C>,
        name: &str,
        build: impl FnOnce(Variables, &C) -> M,
        pack: impl FnOnce(&mut M) -> Result<()>,
    ) -> Result<&'a M> {
        if let Some(model) = cell.get() {
            return Ok(model);
        }
        let none =
            || Error::Voice(format!("the voice {} has no {name} model, which this strategy needs", self.config.name));
        let config = config.as_ref().ok_or_else(none)?;
        let model = self.loader.load(name, |vs| build(vs, config), pack)?;
        Ok(cell.get_or_init(|| model))
    }

    /// The codec's encoder, which speaking does without.
    pub fn encoder(&self) -> Result<Encoder> {
        self.loader.load("encoder", |vs| Encoder::new(vs / "encoder", &self.config.codec), |_| Ok(()))
    }
}

/// Loads the models of one voice.
#[derive(Debug)]
struct Loader {
    dir: PathBuf,
    device: Device,
    precision: Precision,
}

impl Loader {
    /// The model that `build` makes, with the weights of the file `name`.
    fn load<M>(
        &self,
        name: &str,
        build: impl FnOnce(Variables) -> M,
        pack: impl FnOnce(&mut M) -> Result<()>,
    ) -> Result<M> {
        no_grad(|| {
            let mut vs = VarStore::new(self.device);
            let mut model = without_weights(|| build(vs.root()));
            vs.freeze();
            weights::load(&self.dir, name, &vs)?;
            if self.precision == Precision::EightBit {
                pack(&mut model)?;
            }
            Ok(model)
        })
    }
}
