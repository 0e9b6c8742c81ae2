//! Tensors in safetensors files: written whole or not at all, read only when names, shapes and format agree.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use crate::atomic_file::write_atomically;
use crate::error::{Error, Result};

/// Version of the tensor names and shapes; a file of another version is refused.
const FORMAT: &str = "1";

/// Name of the scales of an 8-bit matrix below its own.
pub const ROW_SCALE: &str = "row_scale";

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
    /// [`Checkpoint::restore`] undoes. Codebooks stay as they are, since codes stand for them.
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
            tensors.insert(format!("{name}.{ROW_SCALE}"), scale.view([-1]));
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
        let checkpoint = Self { tensors: tensors.collect::<Result<_>>()?, metadata };
        for (name, tensor) in checkpoint.tensors.iter().filter(|(_, t)| t.kind() == Kind::Int8) {
            let rows = tensor.size().first().copied().unwrap_or_default();
            if checkpoint.row_scale(name).is_none_or(|scale| scale.size() != [rows]) {
                return Err(Error::weights(path, format!("lacks the {rows} scales of {name}")));
            }
        }
        Ok(checkpoint)
    }

    /// The scales of the rows of an 8-bit tensor.
    fn row_scale(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(&format!("{name}.{ROW_SCALE}"))
    }

    /// The floats of a tensor, whatever it is stored in.
    pub fn float(&self, name: &str) -> Option<Tensor> {
        let tensor = self.tensors.get(name)?;
        Some(match self.row_scale(name).filter(|_| tensor.kind() == Kind::Int8) {
            Some(scale) => dequantize(tensor, scale),
            None => tensor.to_kind(Kind::Float),
        })
    }

    /// Puts floats in the place of a tensor.
    pub fn replace(&mut self, name: &str, floats: Tensor) {
        self.tensors.remove(&format!("{name}.{ROW_SCALE}"));
        self.tensors.insert(name.to_string(), floats);
    }

    /// Whether a tensor is but the scales of another one.
    pub fn is_row_scale(&self, name: &str) -> bool {
        let of = name.strip_suffix(ROW_SCALE).and_then(|name| self.tensors.get(name.strip_suffix('.')?));
        of.is_some_and(|tensor| tensor.kind() == Kind::Int8)
    }

    /// Copies the tensors under `prefix` into the variables of `vs`: the same names both ways, the same shapes. A [`hollow`]
    /// variable becomes the stored tensor itself, and the one called [`ROW_SCALE`] below it its scales, if it has them.
    pub fn restore(&self, prefix: &str, vs: &VarStore, path: &Path) -> Result<()> {
        let mut variables = vs.variables();
        for (full_name, tensor) in self.tensors.range(prefix.to_string()..) {
            let Some(name) = full_name.strip_prefix(prefix) else { break };
            if self.is_row_scale(full_name) {
                continue;
            }
            let Some(mut variable) = variables.remove(name) else {
                return Err(Error::weights(path, format!("holds a tensor that the model does not have: {name}")));
            };
            if variable.size() != tensor.size() {
                let (want, got) = (variable.size(), tensor.size());
                return Err(Error::weights(path, format!("{name} has shape {got:?}, expected {want:?}")));
            }
            let scale = self.row_scale(full_name).filter(|_| tensor.kind() == Kind::Int8);
            let scale_variable = variables.remove(&format!("{name}.{ROW_SCALE}"));
            no_grad(|| match scale {
                _ if is_hollow(&variable) => {
                    variable.set_data(&tensor.to_device(variable.device()));
                    if let (Some(scale), Some(mut variable)) = (scale, scale_variable) {
                        variable.set_data(&scale.to_device(variable.device()));
                    }
                }
                Some(scale) => variable.copy_(&dequantize(tensor, scale)),
                None => variable.copy_(tensor),
            });
        }
        match variables.keys().min() {
            Some(name) => Err(Error::weights(path, format!("lacks the tensor {name}"))),
            None => Ok(()),
        }
    }
}

/// The floats that 8-bit rows `[R, ..]` and their scales `[R]` stand for.
pub fn dequantize(rows: &Tensor, scale: &Tensor) -> Tensor {
    (rows.flatten(1, -1).to_kind(Kind::Float) * scale.unsqueeze(1)).view_as(rows)
}

/// A variable that has a shape but takes no memory: [`Checkpoint::restore`] puts the stored tensor in its place.
pub fn hollow(shape: &[i64], device: Device) -> Tensor {
    Tensor::zeros([1], (Kind::Float, device)).expand(shape, false)
}

fn is_hollow(variable: &Tensor) -> bool {
    variable.stride().contains(&0)
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
