//! Samples in and out: files, pipes, speakers, formats, rates. Knows nothing of models.

pub mod devices;
pub mod encode;
pub mod format;
pub mod limiter;
pub mod loudness;
pub mod pitch;
pub mod playback;
#[cfg(target_os = "linux")]
mod pulse;
pub mod recording;
pub mod resample;
pub mod sink;
pub mod wav;
