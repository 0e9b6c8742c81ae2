//! Layers that the codec and the two language models are built from. Knows nothing of rates, voices or text.

pub mod aligned;
pub mod attention;
pub mod convnext;
pub mod kv_cache;
pub mod linear;
mod mlp;
pub mod phonemes;
pub mod stft;
pub mod transformer;
