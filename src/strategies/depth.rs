//! A frame's other codebooks, one after the other.

use tch::Tensor;

use crate::error::Result;
use crate::sampling::SamplingOptions;
use crate::speculative::Spoken;
use crate::voice::Voice;

/// The draws of the other codebooks are numbered from here.
const FIRST_POSITION: u64 = 1 << 40;

/// All codes of frame number `at` of utterance `number`, `[1, n_q, 1]`, from what the coarse model made of it and all codes of
/// the frame before, `[1, n_q, 1]`.
pub fn codes(
    voice: &Voice,
    spoken: &Spoken,
    before: Option<&Tensor>,
    sampling: &SamplingOptions,
    number: u64,
    at: u64,
) -> Result<Tensor> {
    let (model, quantizer) = (voice.depth()?, &voice.codec.quantizer);
    let vector = |level: i64, code: i64| quantizer.codebook(level as usize).get(code).view([1, 1, -1]);
    let mut known = vector(0, spoken.frame.token);
    let before = before.map_or_else(|| known.zeros_like(), |codes| quantizer.decode(codes).transpose(1, 2));
    let frame = model.frame(&spoken.state, &before);
    let mut memory = model.start(voice.device);
    let mut codes = vec![spoken.frame.token];
    for level in 1..model.config().n_q {
        let logits = model.step(&frame, &known, level, &mut memory);
        let position = FIRST_POSITION + at * model.config().n_q as u64 + level as u64;
        let code = sampling.draw(&Vec::<f32>::try_from(logits)?, number, position) as i64;
        codes.push(code);
        known = &known + vector(level, code); // not in place: it may be a row of the codebook itself
    }
    Ok(Tensor::from_slice(&codes).view([1, -1, 1]).to_device(voice.device))
}
