//! From noise to the codec's latents: flow matching (Lipman et al. 2022, arXiv:2210.02747).

use tch::{Kind, Tensor};

use super::{Frames, Utterance, fill_normal, lengths};
use crate::error::Result;
use crate::parallel::LatentScale;
use crate::sampling::keyed;

/// Follows the velocity from noise to speech in `steps` equal steps (Euler), and reads codebook 0 off what comes out: what is finer
/// the fine model knows better. The temperature scales the noise, so that 0 always speaks the same way.
pub(super) fn generate(utterance: &Utterance, steps: i64) -> Result<Frames> {
    let Utterance { voice, model, sampling, number, .. } = utterance;
    let path = lengths::path(utterance)?;
    let aligned = utterance.aligned(&path);
    let (frames, dim) = (path.len() as i64, model.config().latent_dim);
    let mut noise = vec![0f32; (frames * dim) as usize];
    fill_normal(&mut noise, &mut keyed(sampling.seed, *number, 0));
    let mut latent = Tensor::from_slice(&noise).view([1, frames, dim]).to_device(voice.device) * sampling.temperature;
    for step in 0..steps {
        let time = Tensor::full([1], step as f64 / steps as f64, (Kind::Float, voice.device));
        latent += model.velocity(&aligned, &latent, &time, None) / steps as f64;
    }
    let quantizer = &voice.codec.quantizer;
    let latent = LatentScale::of(quantizer.codebook(0)).restore(&latent).transpose(1, 2);
    let codes = quantizer.forward(&latent, 1).codes;
    let (tokens, passes) = (Vec::try_from(codes.view([-1]))?, vec![steps as u64; path.len()]);
    Ok(Frames { tokens, path, passes })
}
