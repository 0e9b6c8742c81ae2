//! Samples in and out: files, rates, speakers. Knows nothing of models.

pub mod resample;
pub mod wav;
