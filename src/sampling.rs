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
        let best = (0..logits.len()).reduce(|a, b| if logits[b] > logits[a] { b } else { a }).unwrap_or(0);
        if self.temperature == 0.0 {
            return best;
        }
        let likely = self.nucleus(logits, best);
        // Each index has a number of its own, whether it may be drawn or not.
        let mut rng = keyed(self.seed, stream, position);
        let last = likely.iter().copied().max().unwrap_or(best);
        let uniform: Vec<f64> = (0..=last).map(|_| rng.random_range(f64::MIN_POSITIVE..1.0)).collect();
        let score = |i: usize| f64::from(logits[i]) / self.temperature + gumbel(uniform[i]);
        likely.into_iter().max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(best)
    }

    /// The tokens that may be drawn, likeliest first.
    fn nucleus(&self, logits: &[f32], best: usize) -> Vec<usize> {
        let weight = |i: usize| (f64::from(logits[i] - logits[best]) / self.temperature).exp();
        let (mut order, goal): (Vec<usize>, f64) = if self.top_p < 1.0 {
            // What is too unlikely to change a sum in double precision needs no place in the order.
            let least = logits[best] - (40.0 * self.temperature) as f32;
            let order: Vec<usize> = (0..logits.len()).filter(|&i| logits[i] >= least).collect();
            let sum: f64 = order.iter().map(|&i| weight(i)).sum();
            (order, self.top_p * sum)
        } else {
            ((0..logits.len()).collect(), f64::INFINITY)
        };
        let by_logit = |&a: &usize, &b: &usize| logits[b].total_cmp(&logits[a]);
        if goal < f64::INFINITY || self.top_k > 0 {
            order.sort_unstable_by(by_logit);
        }
        if self.top_k > 0 {
            order.truncate(self.top_k);
        }
        let mut sum = 0.0;
        let reached = goal.is_finite().then(|| {
            order.iter().position(|&i| {
                sum += weight(i);
                sum >= goal
            })
        });
        order.truncate(reached.flatten().map_or(order.len(), |n| n + 1));
        order
    }
}

/// A generator of its own for each decision `position` of the sequence `stream`.
pub(crate) fn keyed(seed: u64, stream: u64, position: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    rng.set_stream(position);
    rng
}

/// Gumbel noise from a uniform number in 0..1.
fn gumbel(uniform: f64) -> f64 {
    -(-uniform.ln()).ln()
}
