//! Learning rates over the steps of a run.

/// Linear warm-up to `peak`, then half a cosine down to `peak · floor` at `steps`.
pub fn warmup_cosine(step: u64, steps: u64, warmup: u64, peak: f64, floor: f64) -> f64 {
    if step < warmup {
        return peak * (step + 1) as f64 / warmup as f64;
    }
    let done = (step - warmup) as f64 / (steps.saturating_sub(warmup)).max(1) as f64;
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
    peak * (floor + (1.0 - floor) * cosine)
}
