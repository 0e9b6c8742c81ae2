//! Text to speech on an ordinary CPU.
//!
//! ```no_run
//! use tts::audio::wav::{self, Audio};
//! use tts::synthesizer::{SpeechOptions, Synthesizer};
//!
//! # fn main() -> tts::error::Result<()> {
//! let heart = Synthesizer::open("models/heart")?;
//! let samples = heart.samples("Good morning.", &SpeechOptions::default())?;
//! wav::write("morning.wav".as_ref(), &Audio { samples, sample_rate: heart.sample_rate() })?;
//! # Ok(())
//! # }
//! ```
//!
//! A long text is spoken piece by piece: the first one sounds while the others are still to come.
//!
//! ```no_run
//! # use tts::synthesizer::{SpeechOptions, Synthesizer};
//! # fn main() -> tts::error::Result<()> {
//! # let heart = Synthesizer::open("models/heart")?;
//! # let play = |samples: &[f32]| drop(samples.len());
//! let options = SpeechOptions { speed: 1.1, ..SpeechOptions::default() };
//! for chunk in heart.speak("The kettle boils. Tea is ready.", &options)? {
//!     let chunk = chunk?;
//!     play(&chunk.samples); // mono, -1 to 1, `heart.sample_rate()` a second
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The library prints nothing; what it does can be followed through [`tracing`].

pub mod adapter;
pub mod atomic_file;
pub mod audio;
pub mod bench;
pub mod book;
pub mod checkpoint;
pub mod coarse;
pub mod codec;
pub mod codes;
pub mod compare;
pub mod depth;
pub mod ear;
pub mod error;
pub mod fine;
pub mod inspect;
pub mod nn;
pub mod parallel;
pub mod recordings;
pub mod sampling;
pub mod shim;
pub mod speculative;
pub mod strategies;
pub mod synthesizer;
pub mod text;
pub mod timing;
pub mod train;
pub mod voice;
