//! Layers as speaking computes them on the CPU: 8-bit weights, and several steps in one call.

use std::ffi::c_char;
use std::os::raw::c_void;
use std::ptr::null_mut;

use tch::{Kind, Tensor};

use super::{TensorPtr, check};
use crate::error::Result;

type PackedPtr = *mut c_void; // weights of a linear layer, packed

unsafe extern "C" {
    fn tts_pack_linear(weight: TensorPtr, scale: TensorPtr, bias: TensorPtr, packed: *mut PackedPtr) -> *mut c_char;
    fn tts_packed_linear(packed: PackedPtr, x: TensorPtr, y: *mut TensorPtr) -> *mut c_char;
    fn tts_free_packed(packed: PackedPtr);
    fn tts_attend(
        qkv: TensorPtr,
        keys: TensorPtr,
        values: TensorPtr,
        position: i64,
        parents: *const i64,
        turns: *const f32,
        heads: i64,
        result: *mut TensorPtr,
        own: *mut TensorPtr,
    ) -> *mut c_char;
    fn tts_packed_mlp(
        up: PackedPtr,
        down: PackedPtr,
        norm_weight: TensorPtr,
        norm_bias: TensorPtr,
        gain: TensorPtr,
        x: TensorPtr,
        residual: TensorPtr,
        y: *mut TensorPtr,
    ) -> *mut c_char;
    fn tts_depthwise(x: TensorPtr, weight: TensorPtr, bias: TensorPtr, y: *mut TensorPtr) -> *mut c_char;
    fn tts_mix(bands: TensorPtr, source: TensorPtr, noise: TensorPtr, most: f64, y: *mut TensorPtr) -> *mut c_char;
}

fn pointer(tensor: &Tensor) -> TensorPtr {
    tensor.as_ptr() as TensorPtr
}

/// The tensor that `call` hands over.
fn result(what: &str, call: impl FnOnce(*mut TensorPtr) -> *mut c_char) -> Tensor {
    let mut y = null_mut();
    match check(call(&mut y)) {
        // SAFETY: the shim hands over a new tensor when it succeeds.
        Ok(()) => unsafe { Tensor::from_ptr(y.cast()) },
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Weights of a linear layer in 8 bits, packed for this processor.
#[derive(Debug)]
pub struct PackedLinear(PackedPtr);

// SAFETY: the packed weights are never changed; like a tensor they may move to another thread.
unsafe impl Send for PackedLinear {}

impl PackedLinear {
    /// Packs a float weight `[to, from]` and a bias `[to]` on the CPU.
    pub fn new(weight: &Tensor, bias: &Tensor) -> Result<Self> {
        Self::pack(weight, null_mut(), bias)
    }

    /// Packs 8-bit rows `[to, from]` with a scale each `[to]` and a bias `[to]` on the CPU: the same as from the floats that
    /// they stand for.
    pub fn from_rows(rows: &Tensor, scale: &Tensor, bias: &Tensor) -> Result<Self> {
        Self::pack(rows, scale.as_ptr() as TensorPtr, bias)
    }

    fn pack(weight: &Tensor, scale: TensorPtr, bias: &Tensor) -> Result<Self> {
        let mut packed = null_mut();
        // SAFETY: the pointers are live tensors, or null for no scale; the shim writes `packed` when it succeeds.
        check(unsafe {
            tts_pack_linear(weight.as_ptr() as TensorPtr, scale, bias.as_ptr() as TensorPtr, &mut packed)
        })?;
        Ok(Self(packed))
    }

    /// `[.., from]` to `[.., to]`, in float. A row's result does not depend on what other rows there are.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        // SAFETY: the packed weights and the tensor are live.
        result("a packed linear layer", |y| unsafe { tts_packed_linear(self.0, pointer(x), y) })
    }
}

impl Drop for PackedLinear {
    fn drop(&mut self) {
        // SAFETY: made by the shim, and freed once.
        unsafe { tts_free_packed(self.0) }
    }
}

/// Attention of `R` new positions of a causal sequence over the `position` ones before, on the CPU: the result `[R, C]` and
/// the new keys and values `[R, 2·C]`.
///
/// `qkv` `[R, 3·C]` belongs to the new positions, the rings `keys` and `values` `[W, C]` to those before. Row `r` comes after
/// row `parents[r] < r`, or right after the ring if that is negative; `turns` holds the `D / 2` cosines and the `D / 2` sines of
/// its rotary angles. What a row becomes depends on the positions that it sees alone, to the last bit.
pub fn attend(
    qkv: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    position: i64,
    parents: &[i64],
    turns: &[f32],
    heads: i64,
) -> (Tensor, Tensor) {
    let (rows, channels) = (parents.len(), keys.size()[1]);
    assert!((0..).zip(parents).all(|(row, &parent)| parent < row));
    assert_eq!(turns.len(), rows * (channels / heads) as usize);
    assert_eq!(qkv.size(), [rows as i64, 3 * channels]);
    assert!([qkv, keys, values].iter().all(|t| t.is_contiguous() && t.kind() == tch::Kind::Float));
    let (mut result, mut own) = (null_mut(), null_mut());
    // SAFETY: the tensors are live, contiguous floats of the sizes that the shim expects; it hands over two new tensors.
    let outcome = check(unsafe {
        tts_attend(
            pointer(qkv),
            pointer(keys),
            pointer(values),
            position,
            parents.as_ptr(),
            turns.as_ptr(),
            heads,
            &mut result,
            &mut own,
        )
    });
    match outcome {
        Ok(()) => unsafe { (Tensor::from_ptr(result.cast()), Tensor::from_ptr(own.cast())) },
        Err(error) => panic!("attention of {:?} over {:?}: {error}", qkv.size(), keys.size()),
    }
}

/// `residual + gain·down(gelu(up(norm(x))))` of `x` and `residual` `[.., C]`; the norm has a weight and a bias `[C]`, no `gain`
/// `[C]` is one. A row's result does not depend on what other rows there are.
pub fn mlp(
    x: &Tensor,
    residual: &Tensor,
    norm: (&Tensor, &Tensor),
    up: &PackedLinear,
    down: &PackedLinear,
    gain: Option<&Tensor>,
) -> Tensor {
    assert_eq!(x.size(), residual.size());
    assert_floats(&[x, residual, norm.0, norm.1]);
    let gain = gain.map_or(null_mut(), pointer);
    // SAFETY: all are live floats on the CPU of the sizes that the shim expects.
    result("a packed MLP", |y| unsafe {
        tts_packed_mlp(up.0, down.0, pointer(norm.0), pointer(norm.1), gain, pointer(x), pointer(residual), y)
    })
}

/// Convolution over time of each channel by itself, zeros beyond the ends: `[B, T, C]` by `[C, 1, K]` and `[C]` to `[B, T, C]`.
pub fn depthwise(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Tensor {
    assert_floats(&[x, weight, bias]);
    assert_eq!([weight.size()[0], bias.size()[0]], [x.size()[2]; 2]);
    // SAFETY: all are live floats on the CPU of the sizes that the shim expects.
    result("a depthwise convolution", |y| unsafe { tts_depthwise(pointer(x), pointer(weight), pointer(bias), y) })
}

/// The complex spectrum `[B, T, F]` of five predicted ones `[B, T, 5, F]`, the pulses' `[B, T, F]` and noise `[B, T, 2, F]`, with log
/// magnitudes of at most `most`.
pub fn mix(bands: &Tensor, source: &Tensor, noise: &Tensor, most: f64) -> Tensor {
    assert_floats(&[bands, noise]);
    let (rows, bins) = (source.numel() as i64 / source.size()[2], source.size()[2]);
    assert!(source.kind() == Kind::ComplexFloat && bands.numel() as i64 == 5 * rows * bins);
    assert_eq!(noise.numel() as i64, 2 * rows * bins);
    // SAFETY: all are live tensors on the CPU of the kinds and sizes that the shim expects.
    result("mixing spectra", |y| unsafe { tts_mix(pointer(bands), pointer(source), pointer(noise), most, y) })
}

fn assert_floats(tensors: &[&Tensor]) {
    assert!(tensors.iter().all(|t| t.kind() == Kind::Float && t.device() == tch::Device::Cpu));
}
