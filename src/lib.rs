//! Text to speech on an ordinary CPU.

pub mod audio;
pub mod checkpoint;
pub mod codec;
pub mod coarse;
pub mod error;
pub mod fine;
pub mod nn;
pub mod sampling;
pub mod shim;
pub mod synthesizer;
pub mod text;
pub mod train;
pub mod voice;
