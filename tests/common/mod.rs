//! A voice of tiny random models: it babbles, but in the way that a trained one speaks.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use tch::nn::{Path as Variables, VarStore};
use tch::{Device, no_grad};
use tempfile::TempDir;
use tts::checkpoint::save_half;
use tts::coarse::{CoarseConfig, CoarseModel};
use tts::codec::{Codec, CodecConfig, Encoder};
use tts::depth::{DepthConfig, DepthModel};
use tts::fine::{FineConfig, FineModel};
use tts::nn::aligned::AlignedConfig;
use tts::nn::transformer::TransformerConfig;
use tts::parallel::{ParallelConfig, ParallelModel};
use tts::speculative::heads::{DraftHeads, HeadsConfig};
use tts::text::Vocab;
use tts::voice::VoiceConfig;

/// Samples per second of the voice.
pub const SAMPLE_RATE: u32 = 8000;
/// Samples of a token frame.
pub const FRAME_LENGTH: usize = 256;

/// The folder of the voice, gone when dropped.
pub struct TinyVoice(TempDir);

impl TinyVoice {
    /// The same voice every time.
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        save(&config(), dir.path());
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for TinyVoice {
    fn default() -> Self {
        Self::new()
    }
}

pub fn config() -> VoiceConfig {
    let transformer = || TransformerConfig { dim: 16, layers: 1, heads: 2, hidden: 32 };
    let trunk = |window_right| AlignedConfig {
        symbols: Vocab::len(),
        window_left: 8,
        window_right,
        max_stay: 8,
        encoder: transformer(),
        decoder: transformer(),
    };
    let (symbols, codebook_size, n_q, latent_dim) = (Vocab::len(), 32, 3, 8);
    let coarse = CoarseConfig {
        symbols,
        codebook_size,
        window: 32,
        max_stay: 8,
        encoder: transformer(),
        decoder: transformer(),
    };
    VoiceConfig {
        name: "tiny".into(),
        language: "en-US".into(),
        licence: "CC0-1.0".into(),
        description: "Random weights.".into(),
        base: None,
        loudness: None,
        codec: codec(latent_dim, n_q, codebook_size),
        fine: FineConfig { n_q, latent_dim, trunk: trunk(4) },
        parallel: Some(ParallelConfig {
            codebook_size,
            latent_dim,
            utterance_dim: 4,
            frames_per_phoneme: 2.0,
            trunk: trunk(8),
        }),
        depth: Some(DepthConfig { n_q, codebook_size, latent_dim, state_dim: 16, decoder: transformer() }),
        heads: Some(HeadsConfig { heads: 4, codebook_size, state_dim: 16, hidden: 32, phonemes: 2, max_stay: 5 }),
        small: Some(coarse.clone()),
        coarse,
    }
}

fn codec(latent_dim: i64, n_q: i64, codebook_size: i64) -> CodecConfig {
    CodecConfig {
        sample_rate: i64::from(SAMPLE_RATE),
        hop_length: 64,
        frame_stride: FRAME_LENGTH as i64 / 64,
        n_fft: 256,
        n_mels: 20,
        encoder_dim: 16,
        encoder_fast_layers: 1,
        encoder_slow_layers: 1,
        latent_dim,
        n_q,
        codebook_size,
        decoder_slow_dim: 16,
        decoder_slow_layers: 1,
        decoder_fast_dim: 16,
        decoder_fast_layers: 1,
    }
}

/// Writes a voice with random weights.
pub fn save(config: &VoiceConfig, dir: &Path) {
    // libtorch has one random generator for the whole process.
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _held = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    tch::manual_seed(1);
    save_random(&dir.join("codec.safetensors"), |vs| drop(Codec::new(vs, &config.codec)));
    save_random(&dir.join("encoder.safetensors"), |vs| drop(Encoder::new(vs / "encoder", &config.codec)));
    save_random(&dir.join("coarse.safetensors"), |vs| drop(CoarseModel::new(vs, &config.coarse)));
    save_random(&dir.join("fine.safetensors"), |vs| drop(FineModel::new(vs, &config.fine)));
    let parallel = config.parallel.as_ref().unwrap();
    save_random(&dir.join("parallel.safetensors"), |vs| drop(ParallelModel::new(vs, parallel)));
    let heads = config.heads.as_ref().unwrap();
    save_random(&dir.join("heads.safetensors"), |vs| drop(DraftHeads::new(vs, heads)));
    let small = config.small.as_ref().unwrap();
    save_random(&dir.join("small.safetensors"), |vs| drop(CoarseModel::new(vs, small)));
    let depth = config.depth.as_ref().unwrap();
    save_random(&dir.join("depth.safetensors"), |vs| drop(DepthModel::new(vs, depth)));
    fs::write(dir.join("config.json"), serde_json::to_string(config).unwrap()).unwrap();
}

fn save_random(path: &Path, model: impl FnOnce(Variables)) {
    let vs = VarStore::new(Device::Cpu);
    model(vs.root());
    // Codebooks start empty: without vectors that differ every code would sound the same.
    for (_, mut codebook) in vs.variables().into_iter().filter(|(name, _)| name.ends_with("codebook")) {
        let _ = no_grad(|| codebook.normal_(0.0, 1.0));
    }
    // Spectra of random weights are loud enough to clip.
    for (_, mut bias) in vs.variables().into_iter().filter(|(name, _)| name.ends_with("decoder.spectra.bias")) {
        let _ = no_grad(|| bias.g_sub_scalar_(2.0));
    }
    save_half(path, &vs, |_| true).unwrap();
}
