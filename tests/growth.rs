//! Memory stays what it is, however much is spoken.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use tts::bench::growth;
use tts::synthesizer::{SpeechOptions, Synthesizer};

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    tch::set_num_threads(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/heart");
    let heart = Synthesizer::open(folder).unwrap();
    let sentences = ["Good morning.", "Your train leaves from platform four.", "No.", "It costs $5.20, Dr. Smith."];
    let rows = growth(&heart, &sentences, &SpeechOptions::default(), &[40, 120]).unwrap();
    let held: Vec<u64> = rows.iter().map(|row| row.memory_bytes.unwrap()).collect();
    // A thousand requests may take 5 MB: 80 of them less than a tenth of that, but for the allocator's own steps.
    assert!(held[1] < held[0] + 5_000_000, "{rows:?}");
    assert_eq!(rows[1].requests, 120);
}
