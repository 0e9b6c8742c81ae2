//! How long speech that is made at once will be.

use tch::{Kind, Tensor};

use super::{Frames, Utterance};
use crate::error::Result;

/// The pointer's path over frames when each phoneme lasts as long as predicted: it moves at the middle of a frame, as in
/// the training of every model.
pub(super) fn path(utterance: &Utterance) -> Result<Vec<i64>> {
    let durations = utterance.model.durations(&utterance.reading).view([-1]);
    let durations = Vec::<f64>::try_from(durations.to_kind(Kind::Double))?;
    Ok(walk(&durations))
}

/// The phoneme at the middle of each frame; none is left out where it would fall between two middles.
fn walk(durations: &[f64]) -> Vec<i64> {
    let mut path = Vec::new();
    let mut end = 0.0;
    for (phoneme, duration) in (0..).zip(durations) {
        end += duration;
        while path.len() as f64 + 0.5 <= end {
            path.push(phoneme);
        }
    }
    if path.is_empty() {
        path.push(0);
    }
    path
}

/// One pass over a fixed long output, cut at the first frame that is after the end.
pub(super) fn cut_at_end(utterance: &Utterance) -> Result<Frames> {
    let (model, config) = (utterance.model, utterance.model.config());
    let even = config.even_path(utterance.phonemes, utterance.log_speed);
    let device = utterance.voice.device;
    let aligned = model.aligned_evenly(&utterance.reading, &crate::nn::aligned::FramePath::new(&even, device));
    let masked = Tensor::full([1, even.len() as i64], config.mask(), (Kind::Int64, device));
    let states = model.fill(&aligned, &masked, None);
    let logits = model.token_logits(&states).squeeze_dim(0);
    let advances = Vec::<i64>::try_from(model.advance_logits(&states).argmax(2, false).squeeze_dim(0))?;
    let (mut tokens, mut path, mut here) = (Vec::new(), Vec::new(), 0);
    for (t, advance) in advances.into_iter().enumerate() {
        let row = Vec::<f32>::try_from(logits.get(t as i64))?;
        let token = utterance.sampling.draw(&row, utterance.number, t as u64) as i64;
        if token == config.end() && t > 0 {
            break;
        }
        tokens.push(token.min(config.codebook_size - 1));
        path.push(here);
        here = (here + advance).min(utterance.phonemes as i64 - 1);
    }
    let passes = vec![1; path.len()];
    Ok(Frames { tokens, path, passes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lasts_as_long_as_its_durations_together() {
        assert_eq!(walk(&[1.6, 0.2, 0.4, 2.0]), [0, 0, 3, 3]);
        assert_eq!(walk(&[0.1]), [0], "there is always something to hear");
        let durations: Vec<f64> = (0..200).map(|i| 0.3 + f64::from(i % 7) * 0.37).collect();
        let total: f64 = durations.iter().sum();
        let path = walk(&durations);
        assert!((path.len() as f64 - total).abs() <= 0.5);
        assert!(path.is_sorted() && path.last() == Some(&199));
    }
}
