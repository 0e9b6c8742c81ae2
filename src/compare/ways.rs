//! The ways to generate that are compared.

use crate::speculative::{Draft, DraftOptions};
use crate::strategies::{Draw, Length, Strategy, StrategyOptions};
use crate::synthesizer::SpeechOptions;
use crate::voice::Voice;

/// Steps of the strategies that have them.
const STEPS: [i64; 5] = [1, 2, 4, 8, 16];
/// Lengths of drafts.
const DRAFT_LENGTHS: [usize; 4] = [1, 2, 3, 4];
/// Tolerances of tolerant acceptance.
const TOLERANCES: [f64; 3] = [0.5, 0.8, 1.1];

/// What a way is compared within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Strategy,
    /// Exact speculative decoding: the same codes in fewer passes.
    Drafter,
    /// Speculative decoding that takes what sounds alike.
    Tolerant,
}

/// A way to generate.
#[derive(Debug, Clone)]
pub struct Way {
    /// Also the name of its folder: letters, digits and hyphens.
    pub name: String,
    pub kind: Kind,
    pub options: SpeechOptions,
}

/// All ways that `voice` can go, otherwise spoken as `base` says; the first one is plain `ar-nar`.
pub fn ways(voice: &Voice, base: &SpeechOptions) -> Vec<Way> {
    let plain = SpeechOptions { strategy: StrategyOptions::default(), draft: DraftOptions::default(), ..base.clone() };
    let mut ways = Vec::new();
    let mut strategy = |name: &str, strategy: Strategy, steps: Option<i64>, draw: Draw, length: Length| {
        let options = SpeechOptions { strategy: StrategyOptions { strategy, steps, draw, length }, ..plain.clone() };
        let name = steps.map_or(name.to_string(), |steps| format!("{name}-{steps}"));
        ways.push(Way { name, kind: Kind::Strategy, options });
    };
    let (greedy, durations) = (Draw::Greedy, Length::Durations);
    strategy("ar-nar", Strategy::ArNar, None, greedy, durations);
    if voice.config.depth.is_some() {
        strategy("ar", Strategy::Ar, None, greedy, durations);
    }
    if voice.config.parallel.is_some() {
        strategy("nar", Strategy::Nar, None, greedy, durations);
        strategy("nar-independent", Strategy::Nar, None, Draw::Independent, durations);
        strategy("nar-latent", Strategy::Nar, None, Draw::Latent, durations);
        strategy("nar-end", Strategy::Nar, None, greedy, Length::End);
        STEPS.iter().for_each(|&steps| strategy("masked", Strategy::Masked, Some(steps), greedy, durations));
        STEPS.iter().for_each(|&steps| strategy("flow", Strategy::Flow, Some(steps), greedy, durations));
        (1..=3).for_each(|steps| strategy("cascade", Strategy::Cascade, Some(steps), greedy, durations));
    }
    let mut drafter = |name: String, kind: Kind, draft: Draft, len: usize, tolerance: f64| {
        let options = SpeechOptions { draft: DraftOptions { draft, len, tolerance }, ..plain.clone() };
        ways.push(Way { name, kind, options });
    };
    let drafters = [
        ("heads", Draft::Heads, voice.config.heads.is_some()),
        ("small", Draft::Small, voice.config.small.is_some()),
        ("retrieval", Draft::Retrieval, voice.has_retrieval()),
    ];
    let there = drafters.iter().filter(|(_, _, there)| *there);
    let all = (there.clone().count() == drafters.len()).then_some(("all", Draft::All, true));
    for &(name, draft, _) in there.clone().chain(&all) {
        DRAFT_LENGTHS.iter().for_each(|&len| drafter(format!("{name}-{len}"), Kind::Drafter, draft, len, 0.0));
    }
    for &(name, draft, _) in there.filter(|(name, ..)| *name == "heads") {
        for tolerance in TOLERANCES {
            drafter(format!("{name}-tolerant-{tolerance}"), Kind::Tolerant, draft, 3, tolerance);
        }
    }
    ways
}
