//! Drawing tokens: seeded, and distributed as asked.
#![allow(clippy::unwrap_used)]

use tts::sampling::SamplingOptions;

const LOGITS: [f32; 4] = [1.0, 3.0, 2.0, -1.0];

fn options(temperature: f64, top_k: usize, top_p: f64) -> SamplingOptions {
    SamplingOptions { temperature, top_k, top_p, seed: 7 }
}

/// How often each token is drawn at `n` positions.
fn frequencies(options: &SamplingOptions, n: u64) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for position in 0..n {
        counts[options.draw(&LOGITS, 0, position)] += 1.0;
    }
    counts.map(|count| count / n as f64)
}

fn softmax(temperature: f64) -> [f64; 4] {
    let weights = LOGITS.map(|l| (f64::from(l) / temperature).exp());
    weights.map(|w| w / weights.iter().sum::<f64>())
}

#[test]
fn temperature_zero_takes_the_likeliest() {
    assert_eq!(frequencies(&options(0.0, 0, 1.0), 50), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn tokens_come_as_often_as_their_probability_says() {
    for temperature in [0.7, 1.0, 2.0] {
        let drawn = frequencies(&options(temperature, 0, 1.0), 20_000);
        for (got, want) in drawn.iter().zip(softmax(temperature)) {
            assert!((got - want).abs() < 0.015, "at temperature {temperature}: {drawn:?}");
        }
    }
}

#[test]
fn top_k_and_top_p_cut_the_tail() {
    let [a, b, c, d] = frequencies(&options(1.0, 2, 1.0), 2000);
    assert!(a == 0.0 && b > c && c > 0.1 && d == 0.0);
    let [a, b, c, d] = frequencies(&options(1.0, 0, 0.8), 2000);
    assert!(a == 0.0 && b > 0.5 && c > 0.1 && d == 0.0);
}

#[test]
fn a_choice_depends_on_seed_stream_and_position_only() {
    let one = options(1.0, 0, 1.0);
    let other = SamplingOptions { seed: 8, ..one.clone() };
    let draws = |options: &SamplingOptions, stream: u64| -> Vec<usize> {
        (0..64).map(|position| options.draw(&LOGITS, stream, position)).collect()
    };
    assert_eq!(draws(&one, 0), draws(&one, 0));
    assert_ne!(draws(&one, 0), draws(&other, 0));
    assert_ne!(draws(&one, 0), draws(&one, 1));
}

#[test]
fn options_out_of_range_are_named() {
    for (bad, name) in [
        (options(-1.0, 0, 1.0), "temperature"),
        (options(f64::NAN, 0, 1.0), "temperature"),
        (options(1.0, 0, 0.0), "top-p"),
    ] {
        let message = bad.validate().unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
}
