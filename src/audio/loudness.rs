//! How loud speech is to the ear: the integrated loudness of ITU-R BS.1770-4, as EBU R 128 uses it.

use ebur128::{EbuR128, Mode};

use crate::error::{Error, Result};

/// How loud every voice speaks, in LUFS: loud enough for a telephone in a noisy room, with room for the peaks of speech.
pub const TARGET_LUFS: f64 = -20.0;

/// Integrated loudness of mono samples in LUFS; none where all of them are too soft to count (below -70).
pub fn integrated(samples: &[f32], sample_rate: u32) -> Result<Option<f64>> {
    let failed = |e: ebur128::Error| Error::Option(format!("the loudness at {sample_rate} Hz cannot be measured: {e}"));
    let mut meter = EbuR128::new(1, sample_rate, Mode::I).map_err(failed)?;
    meter.add_frames_f32(samples).map_err(failed)?;
    let loudness = meter.loudness_global().map_err(failed)?;
    Ok(loudness.is_finite().then_some(loudness))
}

/// The factor of that many decibels.
pub fn amplitude(decibels: f64) -> f32 {
    10f64.powf(decibels / 20.0) as f32
}
