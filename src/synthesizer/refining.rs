//! The other codebooks of frames whose coarse codes and phonemes are known.

use std::ops::Range;

use tch::Tensor;

use crate::nn::aligned::FramePath;
use crate::voice::Voice;

/// All codes of the frames `wanted`, `[1, n_q, T]`, in `passes` passes of the fine model, from what it knows of the phonemes, `[1, S, C]`,
/// and from the code of codebook 0 and the phoneme of each frame, those around the wanted ones included.
pub fn refine(
    voice: &Voice,
    phonemes: &Tensor,
    tokens: &[i64],
    path: &[i64],
    passes: i64,
    wanted: Range<i64>,
) -> Tensor {
    let (model, quantizer) = (&voice.fine, &voice.codec.quantizer);
    let (left, right) = model.config().trunk.context();
    let (first, last) = ((wanted.start - left).max(0), (wanted.end + right).min(path.len() as i64));
    let path = FramePath::new(path, voice.device).window(first, last);
    let aligned = model.aligned(phonemes, &path);
    let coarse = &tokens[first as usize..last as usize];
    let mut codes = Tensor::from_slice(coarse).view([1, 1, -1]).to_device(voice.device);
    let starts = model.config().pass_starts(passes);
    let ends = starts[1..].iter().copied().chain([model.config().n_q]);
    for (level, next) in starts.iter().copied().zip(ends) {
        let mut latent = model.forward(&aligned, &quantizer.decode(&codes).transpose(1, 2), level, None);
        if next == model.config().n_q {
            // After the last pass nobody reads the frames around.
            let (start, count) = (wanted.start - first, wanted.end - wanted.start);
            codes = codes.narrow(2, start, count);
            latent = latent.narrow(1, start, count);
        }
        codes = quantizer.complete(&codes, &latent, next);
    }
    codes
}
