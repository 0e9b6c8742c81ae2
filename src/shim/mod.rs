//! The few libtorch functions that `tch` does not bind (see `shim.cpp`), made safe.

mod layers;

pub use layers::{Before, PackedBlock, PackedLinear, attend, depthwise, mix, mlp, remember};

use std::ffi::{CStr, c_char};
use std::os::raw::c_void;

use tch::{Device, Tensor};

use crate::error::{Error, Result};

type TensorPtr = *mut c_void; // at::Tensor*

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

fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Runs `f` with matrix products and convolutions in bf16 on `device` (for this thread), unless `enabled` is false or the processor
/// would only imitate bf16, many times as slowly as it computes in single precision.
pub fn autocast_bf16<T>(device: Device, enabled: bool, f: impl FnOnce() -> T) -> Result<T> {
    if !enabled || !(device.is_cuda() || has_bf16()) {
        return Ok(f());
    }
    // SAFETY: the shim only switches a thread-local flag.
    check(unsafe { tts_set_autocast(device.is_cuda(), true) })?;
    let out = f();
    check(unsafe { tts_set_autocast(device.is_cuda(), false) })?;
    Ok(out)
}
