//! A model as that of another voice and what was learnt on top of it: for each large matrix the product of two slim ones that is
//! added to it (LoRA, Hu et al. 2021, arXiv:2106.09685), and the small tensors whole.

use std::path::Path;

use tch::Kind;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};

/// Name of the left factor `[R, r]` below that of the matrix `[R, C]` (of a convolution, all but the first dimension taken together).
pub const UP: &str = "lora_up";
/// Name of the right factor `[r, C]`.
pub const DOWN: &str = "lora_down";
/// Key of the metadata that tells which weights an adapter was learnt on.
const BASE: &str = "base";

/// Name of the file with the adapter of the weights called `name`.
pub fn file(name: &str) -> String {
    format!("{name}.adapter.safetensors")
}

/// What tells the weights in one file from those in another: CRC-32 of the file.
fn checksum(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    Ok(format!("{:08x}", crc32fast::hash(&bytes)))
}

/// Writes an adapter of the weights in the file `base`, its matrices in 8 bits.
pub fn save(adapter: &Checkpoint, base: &Path, path: &Path) -> Result<()> {
    let mut adapter = adapter.quantized();
    adapter.metadata.insert(BASE.into(), checksum(base)?);
    adapter.save(path, Some(Kind::Half))
}

/// The weights in the file `base` with the adapter in the file `path`.
pub fn load(base: &Path, path: &Path) -> Result<Checkpoint> {
    let mut weights = Checkpoint::load(base)?;
    let adapter = Checkpoint::load(path)?;
    if adapter.metadata.get(BASE) != Some(&checksum(base)?) {
        let reason = format!("it was learnt on other weights than those in {}", base.display());
        return Err(Error::weights(path, reason));
    }
    for name in adapter.tensors.keys().filter(|name| !adapter.is_row_scale(name)) {
        let value = |name: &str| adapter.float(name).ok_or_else(|| Error::weights(path, format!("lacks {name}")));
        let (of, learnt) = match name.rsplit_once('.') {
            Some((_, DOWN)) => continue,
            Some((of, UP)) => (of, Some(value(name)?.f_matmul(&value(&format!("{of}.{DOWN}"))?)?)),
            _ => (name.as_str(), None),
        };
        let before = weights.float(of).ok_or_else(|| Error::weights(path, format!("the base has no {of}")))?;
        let after = match learnt {
            Some(difference) => &before + difference.f_view_as(&before)?,
            None => value(of)?,
        };
        weights.replace(of, after);
    }
    Ok(weights)
}
