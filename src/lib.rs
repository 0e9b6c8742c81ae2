//! Text to speech on an ordinary CPU.

pub mod atomic_file;
pub mod audio;
pub mod bench;
pub mod checkpoint;
pub mod coarse;
pub mod codec;
pub mod codes;
pub mod error;
pub mod fine;
pub mod nn;
pub mod sampling;
pub mod shim;
pub mod synthesizer;
pub mod text;
pub mod timing;
pub mod train;
pub mod voice;
