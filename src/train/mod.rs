//! Training of every model, from a corpus on disk to weights to ship. The models know nothing of it.

pub mod align;
pub mod coarse;
pub mod codec;
pub mod corpus;
pub mod decoder;
pub mod depth;
mod discriminator;
mod distillation;
mod disturbance;
pub mod drafters;
pub mod ear;
pub mod export;
pub mod fine;
mod language;
mod loudness;
mod optimizer;
pub mod parallel;
mod run;
mod schedule;
mod segments;
pub mod stages;
pub mod tokens;
pub mod voice;

pub use run::{Job, Observer, Progress, Start};
