//! A frame's other codebooks, one after the other.

use tch::Tensor;

use crate::error::Result;
use crate::voice::Voice;

/// All codes of a frame, `[1, n_q, 1]`, from the coarse model's state of it `[1, 1, C]`, its token, and all codes of the frame
/// before; `draw(logits, level)` chooses.
pub fn codes(
    voice: &Voice,
    state: &Tensor,
    token: i64,
    before: Option<&Tensor>,
    draw: impl Fn(&Tensor, u64) -> Result<i64>,
) -> Result<Tensor> {
    let (model, quantizer) = (voice.depth()?, &voice.codec.quantizer);
    let vector = |level: i64, code: i64| quantizer.codebook(level as usize).get(code).view([1, 1, -1]);
    let mut known = vector(0, token);
    let before = before.map_or_else(|| known.zeros_like(), |codes| quantizer.decode(codes).transpose(1, 2));
    let frame = model.frame(state, &before);
    let mut memory = model.start(voice.device);
    let mut codes = vec![token];
    for level in 1..model.config().n_q {
        let logits = model.step(&frame, &known, level, quantizer.codebook(level as usize), &mut memory);
        let code = draw(&logits, level as u64)?;
        codes.push(code);
        known += vector(level, code);
    }
    Ok(Tensor::from_slice(&codes).view([1, -1, 1]).to_device(voice.device))
}
