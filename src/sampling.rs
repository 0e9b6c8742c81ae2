//! Seeded choice of a token from its logits: temperature, top-k, top-p.
//!
//! Randomness is Gumbel noise keyed by seed and position (Gumbel-max: the argmax of logits plus noise is a sample), so a
//! choice depends on nothing but its own logits, seed and position. Knows nothing of models.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};

/// How tokens are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingOptions {
    /// 0 always takes the likeliest token; 1 draws from the model's own distribution.
    pub temperature: f64,
    /// Only the `top_k` likeliest tokens are drawn; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens that together reach this probability are drawn; 1 for all.
    pub top_p: f64,
    pub seed: u64,
}

impl SamplingOptions {
    /// Says which option is out of its range.
    pub fn validate(&self) -> Result<()> {
        if !(0.0..=5.0).contains(&self.temperature) {
            return Err(Error::Option(format!("temperature is {}, expected 0 to 5", self.temperature)));
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return Err(Error::Option(format!("top-p is {}, expected more than 0 and at most 1", self.top_p)));
        }
        Ok(())
    }

    /// Draws the index of one of `logits` for the decision number `position` of the sequence `stream`.
    pub fn draw(&self, logits: &[f32], stream: u64, position: u64) -> usize {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_unstable_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        if self.temperature == 0.0 {
            return order[0];
        }
        order.truncate(self.nucleus(logits, &order));
        let mut rng = keyed(self.seed, stream, position);
        let noise: Vec<f64> = (0..logits.len()).map(|_| gumbel(&mut rng)).collect();
        let score = |i: usize| f64::from(logits[i]) / self.temperature + noise[i];
        order.into_iter().max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0)
    }

    /// How many of the tokens, likeliest first, may be drawn.
    fn nucleus(&self, logits: &[f32], order: &[usize]) -> usize {
        let limit = if self.top_k == 0 { order.len() } else { self.top_k.min(order.len()) };
        if self.top_p >= 1.0 {
            return limit;
        }
        let weight = |i: usize| (f64::from(logits[i] - logits[order[0]]) / self.temperature).exp();
        let goal = self.top_p * order.iter().map(|&i| weight(i)).sum::<f64>();
        let mut sum = 0.0;
        let reached = order.iter().position(|&i| {
            sum += weight(i);
            sum >= goal
        });
        limit.min(reached.map_or(order.len(), |n| n + 1))
    }
}

/// A generator of its own for each decision `position` of the sequence `stream`.
pub(crate) fn keyed(seed: u64, stream: u64, position: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    rng.set_stream(position);
    rng
}

fn gumbel(rng: &mut ChaCha8Rng) -> f64 {
    let uniform: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
    -(-uniform.ln()).ln()
}
