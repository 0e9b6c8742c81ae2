//! Tensors in safetensors files: written whole or not at all, read only when names, shapes and format agree.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::nn::VarStore;
use tch::{Kind, Tensor, no_grad};

use crate::atomic_file::write_atomically;
use crate::error::{Error, Result};

/// Version of the tensor names and shapes; a file of another version is refused.
const FORMAT: &str = "1";

/// What follows the name of an 8-bit matrix in the name of its scales.
const ROW_SCALE: &str = ".row_scale";

/// Named tensors and string metadata, in the order of their names.
#[derive(Debug, Default)]
pub struct Checkpoint {
    pub tensors: BTreeMap<String, Tensor>,
    pub metadata: HashMap<String, String>,
}

impl Checkpoint {
    /// Adds every variable of `vs` under `prefix`.
    pub fn insert_variables(&mut self, prefix: &str, vs: &VarStore) {
        for (name, tensor) in vs.variables() {
            self.tensors.insert(format!("{prefix}{name}"), tensor.detach());
        }
    }

    /// The same weights in less space: matrices and convolutions as 8-bit integers with a scale for each row, which
    /// [`Checkpoint::load`] undoes. Codebooks stay as they are, since codes stand for them.
    pub fn quantized(&self) -> Self {
        let mut tensors = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            if tensor.dim() < 2 || name.ends_with("codebook") {
                tensors.insert(name.clone(), tensor.shallow_clone());
                continue;
            }
            let rows = tensor.to_kind(Kind::Float).flatten(1, -1); // [R, C]
            let scale = (rows.abs().amax([1i64].as_slice(), true) / 127.0).clamp_min(1e-12); // [R, 1]
            tensors.insert(name.clone(), (rows / &scale).round().to_kind(Kind::Int8).view_as(tensor));
            tensors.insert(format!("{name}{ROW_SCALE}"), scale.view([-1]));
        }
        Self { tensors, metadata: self.metadata.clone() }
    }

    /// Writes the whole file or nothing. `kind` converts floating-point tensors.
    pub fn save(&self, path: &Path, kind: Option<Kind>) -> Result<()> {
        let rows = self.tensors.iter().map(|(name, t)| Ok((name.clone(), to_bytes(t, kind)?)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let views = rows
            .iter()
            .map(|(name, (dtype, shape, bytes))| {
                let view = TensorView::new(*dtype, shape.clone(), bytes);
                view.map(|v| (name.as_str(), v)).map_err(|e| Error::weights(path, e.to_string()))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut metadata = self.metadata.clone();
        metadata.insert("format".into(), FORMAT.into());
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| Error::weights(path, e.to_string()))?;
        write_atomically(path, &bytes)
    }

    /// Reads every tensor of a file.
    pub fn load(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        // SAFETY: the map lives within this function; a file that another process cuts short meanwhile would be a fault
        // that any memory-mapped reader shares.
        let bytes = unsafe { Mmap::map(&file) }.map_err(Error::io(path))?;
        let damaged = |e: safetensors::SafeTensorError| Error::weights(path, e.to_string());
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        match metadata.get("format").map(String::as_str) {
            Some(FORMAT) => {}
            other => {
                let found = other.unwrap_or("none");
                return Err(Error::weights(path, format!("expected format version {FORMAT}, found {found}")));
            }
        }
        let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let tensors = file.iter().map(|(name, view)| Ok((name.to_string(), from_view(path, name, &view)?)));
        let mut tensors = tensors.collect::<Result<BTreeMap<_, _>>>()?;
        let coded: Vec<String> =
            tensors.iter().filter(|(_, t)| t.kind() == Kind::Int8).map(|(n, _)| n.clone()).collect();
        for name in coded {
            let rows = tensors[&name].size()[0];
            let scale = tensors.remove(&format!("{name}{ROW_SCALE}")).filter(|s| s.size() == [rows]);
            let scale = scale.ok_or_else(|| Error::weights(path, format!("lacks the {rows} scales of {name}")))?;
            let restored = tensors[&name].flatten(1, -1).to_kind(Kind::Float) * scale.unsqueeze(1);
            let restored = restored.view_as(&tensors[&name]);
            tensors.insert(name, restored);
        }
        Ok(Self { tensors, metadata })
    }

    /// Copies the tensors under `prefix` into the variables of `vs`: the same names both ways, the same shapes.
    pub fn restore(&self, prefix: &str, vs: &VarStore, path: &Path) -> Result<()> {
        let mut variables = vs.variables();
        for (name, tensor) in self.tensors.range(prefix.to_string()..) {
            let Some(name) = name.strip_prefix(prefix) else { break };
            let Some(mut variable) = variables.remove(name) else {
                return Err(Error::weights(path, format!("holds a tensor that the model does not have: {name}")));
            };
            if variable.size() != tensor.size() {
                let (want, got) = (variable.size(), tensor.size());
                return Err(Error::weights(path, format!("{name} has shape {got:?}, expected {want:?}")));
            }
            no_grad(|| variable.copy_(tensor));
        }
        match variables.keys().min() {
            Some(name) => Err(Error::weights(path, format!("lacks the tensor {name}"))),
            None => Ok(()),
        }
    }
}

/// Loads the file at `path` into `vs`, strictly.
pub fn load_variables(path: &Path, vs: &VarStore) -> Result<()> {
    Checkpoint::load(path)?.restore("", vs, path)
}

/// Saves the variables of `vs` whose names `keep` accepts in half precision.
pub fn save_half(path: &Path, vs: &VarStore, keep: impl Fn(&str) -> bool) -> Result<()> {
    let mut checkpoint = Checkpoint::default();
    checkpoint.insert_variables("", vs);
    checkpoint.tensors.retain(|name, _| keep(name));
    checkpoint.save(path, Some(Kind::Half))
}

fn to_bytes(tensor: &Tensor, kind: Option<Kind>) -> Result<(Dtype, Vec<usize>, Vec<u8>)> {
    let tensor = tensor.to_device(tch::Device::Cpu);
    let tensor = match kind {
        Some(kind) if tensor.is_floating_point() => tensor.to_kind(kind),
        _ => tensor,
    };
    let tensor = tensor.contiguous();
    let dtype = match tensor.kind() {
        Kind::Float => Dtype::F32,
        Kind::Half => Dtype::F16,
        Kind::Int64 => Dtype::I64,
        Kind::Int16 => Dtype::I16,
        Kind::Int8 => Dtype::I8,
        other => return Err(Error::Training(format!("tensors of kind {other:?} are not stored"))),
    };
    let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
    let mut bytes = vec![0u8; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
    Ok((dtype, shape, bytes))
}

fn from_view(path: &Path, name: &str, view: &TensorView) -> Result<Tensor> {
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::I64 => Kind::Int64,
        Dtype::I16 => Kind::Int16,
        Dtype::I8 => Kind::Int8,
        other => return Err(Error::weights(path, format!("{name} has the unexpected type {other:?}"))),
    };
    let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_data_size(view.data(), &shape, kind)?)
}
