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
    fn tts_packed_block(
        qkv: PackedPtr,
        output: PackedPtr,
        up: PackedPtr,
        down: PackedPtr,
        norms: *const TensorPtr,
        x: TensorPtr,
        keys: TensorPtr,
        values: TensorPtr,
        position: i64,
        parents: *const i64,
        turns: *const f32,
        heads: i64,
        result: *mut TensorPtr,
        own: *mut TensorPtr,
    ) -> *mut c_char;
    fn tts_remember(own: TensorPtr, keys: TensorPtr, values: TensorPtr, row: i64) -> *mut c_char;
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

/// What new positions of a causal sequence see: `position` positions before, of which the rings `keys` and `values` `[W, C]` hold
/// the last, and each other. Row `r` comes after row `parents[r] < r`, or right after the rings if that is negative; `turns`
/// holds the `D / 2` cosines and the `D / 2` sines of its rotary angles.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub keys: &'a Tensor,
    pub values: &'a Tensor,
    pub position: i64,
    pub parents: &'a [i64],
    pub turns: &'a [f32],
    pub heads: i64,
}

impl Before<'_> {
    /// Panics unless the shim can read this for rows `[R, columns·C]`.
    fn check(&self, rows: &Tensor, columns: i64) {
        let (count, channels) = (self.parents.len(), self.keys.size()[1]);
        assert!((0..).zip(self.parents).all(|(row, &parent)| parent < row));
        assert_eq!(self.turns.len(), count * (channels / self.heads) as usize);
        assert_eq!(rows.size(), [count as i64, columns * channels]);
        assert_floats(&[rows, self.keys, self.values]);
        assert!([rows, self.keys, self.values].iter().all(|t| t.is_contiguous()));
    }
}

/// Attention of `R` new positions on the CPU: the result `[R, C]` and the new keys and values `[R, 2·C]`; `qkv` is `[R, 3·C]`. What a
/// row becomes depends on the positions that it sees alone, to the last bit.
pub fn attend(qkv: &Tensor, before: Before) -> (Tensor, Tensor) {
    before.check(qkv, 3);
    let Before { keys, values, position, parents, turns, heads } = before;
    let mut own = null_mut();
    // SAFETY: the tensors are live, contiguous floats of the sizes that the shim expects; it hands over two new tensors.
    let y = result("attention", |y| unsafe {
        let (parents, turns) = (parents.as_ptr(), turns.as_ptr());
        tts_attend(pointer(qkv), pointer(keys), pointer(values), position, parents, turns, heads, y, &mut own)
    });
    (y, unsafe { Tensor::from_ptr(own.cast()) })
}

/// The parts of a transformer's block: its layers in 8 bits, and weight and bias of both norms.
#[derive(Debug, Clone, Copy)]
pub struct PackedBlock<'a> {
    pub norm1: (&'a Tensor, &'a Tensor),
    pub qkv: &'a PackedLinear,
    pub output: &'a PackedLinear,
    pub norm2: (&'a Tensor, &'a Tensor),
    pub up: &'a PackedLinear,
    pub down: &'a PackedLinear,
}

impl PackedBlock<'_> {
    /// New positions `[R, C]` to `[R, C]`, and their keys and values `[R, 2·C]`; a row as if it were alone, to the last bit.
    pub fn extend(&self, x: &Tensor, before: Before) -> (Tensor, Tensor) {
        before.check(x, 1);
        let Before { keys, values, position, parents, turns, heads } = before;
        let norms = [self.norm1.0, self.norm1.1, self.norm2.0, self.norm2.1];
        assert_floats(&norms);
        let norms = norms.map(pointer);
        let mut own = null_mut();
        // SAFETY: as for `attend`.
        let y = result("a packed block", |y| unsafe {
            tts_packed_block(
                self.qkv.0,
                self.output.0,
                self.up.0,
                self.down.0,
                norms.as_ptr(),
                pointer(x),
                pointer(keys),
                pointer(values),
                position,
                parents.as_ptr(),
                turns.as_ptr(),
                heads,
                y,
                &mut own,
            )
        });
        (y, unsafe { Tensor::from_ptr(own.cast()) })
    }
}

/// Copies a position's key and value, side by side in `own` `[1, 2·C]`, into row `row` of `keys` and `values` `[W, C]`.
pub fn remember(own: &Tensor, keys: &mut Tensor, values: &mut Tensor, row: i64) {
    assert_floats(&[own, keys, values]);
    assert!(own.is_contiguous() && keys.is_contiguous() && keys.size() == values.size());
    assert!(own.size() == [1, 2 * keys.size()[1]] && (0..keys.size()[0]).contains(&row));
    // SAFETY: all are live, contiguous floats, and the row lies within the rings.
    if let Err(error) = check(unsafe { tts_remember(pointer(own), pointer(keys), pointer(values), row) }) {
        panic!("remembering a position: {error}");
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
