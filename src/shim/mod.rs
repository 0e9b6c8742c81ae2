//! The few libtorch functions that `tch` does not bind (see `shim.cpp`), made safe.

use std::ffi::{CStr, c_char};
use std::os::raw::c_void;

use tch::{Device, Tensor};

use crate::error::{Error, Result};

type TensorPtr = *mut c_void; // at::Tensor*
type PackedPtr = *mut c_void; // weights of a linear layer, packed

#[allow(clashing_extern_declarations)]
unsafe extern "C" {
    fn tts_fused_adamw(
        params: *const TensorPtr,
        grads: *const TensorPtr,
        exp_avgs: *const TensorPtr,
        exp_avg_sqs: *const TensorPtr,
        steps: *const TensorPtr,
        n: usize,
        lr: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        max_norm: f64,
        norm: *mut f64,
    ) -> *mut c_char;
    fn tts_pack_linear(weight: TensorPtr, bias: TensorPtr, packed: *mut PackedPtr) -> *mut c_char;
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
    fn tts_load_cuda() -> *mut c_char;
    fn tts_set_autocast(cuda: bool, enabled: bool) -> *mut c_char;
    fn free(ptr: *mut c_void);
}

fn check(message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: the shim returns either null or a NUL-terminated string from malloc, owned by us.
    let text = unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        free(message.cast());
        text
    };
    Err(Error::Torch(tch::TchError::Torch(text)))
}

/// Hyper-parameters of one [`fused_adamw`] update (AdamW: Loshchilov & Hutter 2019).
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub weight_decay: f64,
    pub eps: f64,
    /// Gradients are scaled down to this global L2 norm.
    pub max_norm: f64,
}

/// Updates `params` in place from their gradients and the moments; returns the gradients' norm before clipping.
///
/// The slices run in parallel; `steps` holds one float scalar for each parameter.
pub fn fused_adamw(
    params: &[Tensor],
    grads: &[Tensor],
    exp_avgs: &[Tensor],
    exp_avg_sqs: &[Tensor],
    steps: &[Tensor],
    options: AdamW,
) -> Result<f64> {
    let n = params.len();
    assert!([grads.len(), exp_avgs.len(), exp_avg_sqs.len(), steps.len()].iter().all(|&len| len == n));
    let pointers = |tensors: &[Tensor]| tensors.iter().map(|t| t.as_ptr() as TensorPtr).collect::<Vec<_>>();
    let mut norm = 0.0;
    // SAFETY: every pointer is a live at::Tensor and the five arrays hold `n` of them.
    check(unsafe {
        tts_fused_adamw(
            pointers(params).as_ptr(),
            pointers(grads).as_ptr(),
            pointers(exp_avgs).as_ptr(),
            pointers(exp_avg_sqs).as_ptr(),
            pointers(steps).as_ptr(),
            n,
            options.lr,
            options.beta1,
            options.beta2,
            options.weight_decay,
            options.eps,
            options.max_norm,
            &mut norm,
        )
    })?;
    Ok(norm)
}

/// The first GPU, if there is one and the libtorch that is found first (see `LD_LIBRARY_PATH`) was built for CUDA.
pub fn cuda() -> Result<Device> {
    // SAFETY: loading the library runs its own registration and nothing of ours.
    check(unsafe { tts_load_cuda() })?;
    if tch::Cuda::is_available() {
        return Ok(Device::Cuda(0));
    }
    Err(Error::Option("libtorch's CUDA library is there, but it finds no GPU".into()))
}

/// Runs `f` with matrix products and convolutions in bf16 on `device` (for this thread), unless `enabled` is false.
pub fn autocast_bf16<T>(device: Device, enabled: bool, f: impl FnOnce() -> T) -> Result<T> {
    if !enabled {
        return Ok(f());
    }
    // SAFETY: the shim only switches a thread-local flag.
    check(unsafe { tts_set_autocast(device.is_cuda(), true) })?;
    let out = f();
    check(unsafe { tts_set_autocast(device.is_cuda(), false) })?;
    Ok(out)
}

/// Weights of a linear layer in 8 bits, packed for this processor.
#[derive(Debug)]
pub struct PackedLinear(PackedPtr);

// SAFETY: the packed weights are never changed; like a tensor they may move to another thread.
unsafe impl Send for PackedLinear {}

impl PackedLinear {
    /// Packs a float weight `[to, from]` and a bias `[to]` on the CPU.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        let mut packed = std::ptr::null_mut();
        let bias = bias.map_or(std::ptr::null_mut(), |b| b.as_ptr() as TensorPtr);
        // SAFETY: both pointers are live tensors or null; the shim writes `packed` when it succeeds.
        check(unsafe { tts_pack_linear(weight.as_ptr() as TensorPtr, bias, &mut packed) })?;
        Ok(Self(packed))
    }

    /// `[.., from]` to `[.., to]`, in float.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let mut y = std::ptr::null_mut();
        // SAFETY: the packed weights and the tensor are live; the shim hands over a new tensor when it succeeds.
        match check(unsafe { tts_packed_linear(self.0, x.as_ptr() as TensorPtr, &mut y) }) {
            Ok(()) => unsafe { Tensor::from_ptr(y.cast()) },
            Err(error) => panic!("a packed linear layer got {:?}: {error}", x.size()),
        }
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
    let (mut result, mut own) = (std::ptr::null_mut(), std::ptr::null_mut());
    let pointer = |t: &Tensor| t.as_ptr() as TensorPtr;
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
