//! Values of SSML's attributes: times, rates, volumes.

use crate::text::markup::seconds;

/// Seconds of a break; the recommendation leaves them to the program.
const STRENGTHS: &[(&str, f64)] =
    &[("none", 0.0), ("x-weak", 0.1), ("weak", 0.25), ("medium", 0.5), ("strong", 0.8), ("x-strong", 1.2)];

/// Factors of the speaking rate.
const RATES: &[(&str, f64)] =
    &[("x-slow", 0.6), ("slow", 0.8), ("medium", 1.0), ("fast", 1.25), ("x-fast", 1.6), ("default", 1.0)];

/// Semitones.
const PITCHES: &[(&str, f64)] =
    &[("x-low", -4.0), ("low", -2.0), ("medium", 0.0), ("high", 2.0), ("x-high", 4.0), ("default", 0.0)];

/// Gains in decibels.
const VOLUMES: &[(&str, f64)] = &[
    ("silent", f64::NEG_INFINITY),
    ("x-soft", -12.0),
    ("soft", -6.0),
    ("medium", 0.0),
    ("loud", 3.0),
    ("x-loud", 6.0),
    ("default", 0.0),
];

/// Largest change of pitch, in semitones.
const MOST_SEMITONES: f64 = 12.0;

/// Largest change of volume, in decibels.
const MOST_DECIBELS: f64 = 40.0;

type Value = Result<f64, String>;

/// Seconds of a `break`: its time or, without one, its strength.
pub fn pause(time: Option<&str>, strength: Option<&str>) -> Value {
    let strength = strength.unwrap_or("medium");
    let usual = label(STRENGTHS, strength);
    let usual =
        usual.ok_or_else(|| format!("<break>: expected a strength out of {}, found {strength}", names(STRENGTHS)))?;
    time.map_or(Ok(usual), |time| seconds(time.trim()).map_err(|reason| format!("<break>: {reason}")))
}

/// Factor of the speaking rate: `80%` of the usual rate, `+20%` more than the one around it, or a label.
pub fn rate(written: &str, outer: f64) -> Value {
    let number = |text: &str| text.parse::<f64>().ok().map(|percent| percent / 100.0);
    let written = written.trim();
    let factor = match (label(RATES, written), written.strip_suffix('%')) {
        (Some(factor), _) => Some(factor),
        (None, Some(change)) if change.starts_with(['+', '-']) => number(change).map(|change| outer * (1.0 + change)),
        (None, percent) => percent.and_then(number),
    };
    let factor = factor.filter(|factor| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| {
        format!("<prosody>: expected a rate such as 80%, +20% or one of {}, found {written}", names(RATES))
    })
}

/// Semitones above the voice's own pitch: `+2st` or `-10%` from the pitch around it, or a label.
pub fn pitch(written: &str, outer: f64) -> Value {
    let written = written.trim();
    let signed = written.starts_with(['+', '-']);
    let number = |unit: &str| written.strip_suffix(unit).filter(|_| signed).and_then(|n| n.parse::<f64>().ok());
    let percent = number("%").filter(|percent| *percent > -100.0).map(|percent| 12.0 * (1.0 + percent / 100.0).log2());
    let change = number("st").or(percent).filter(|change| change.abs() <= MOST_SEMITONES);
    label(PITCHES, written).or(change.map(|change| outer + change)).ok_or_else(|| {
        format!(
            "<prosody>: expected a pitch such as +2st or -10% (at most {MOST_SEMITONES} semitones) or one of {}, found {written}",
            names(PITCHES)
        )
    })
}

/// Gain in decibels: a change of the volume around it such as `-6dB`, or a label.
pub fn volume(written: &str, outer: f64) -> Value {
    let written = written.trim();
    let change = written.strip_suffix("dB").filter(|change| change.starts_with(['+', '-']));
    let change = change.and_then(|change| change.parse::<f64>().ok()).filter(|change| change.abs() <= MOST_DECIBELS);
    label(VOLUMES, written).or(change.map(|change| outer + change)).ok_or_else(|| {
        format!(
            "<prosody>: expected a volume such as -6dB or +6dB (at most {MOST_DECIBELS}) or one of {}, found {written}",
            names(VOLUMES)
        )
    })
}

fn label(table: &[(&str, f64)], name: &str) -> Option<f64> {
    table.iter().find(|(label, _)| *label == name).map(|(_, value)| *value)
}

fn names(table: &[(&str, f64)]) -> String {
    table.iter().map(|(label, _)| *label).collect::<Vec<_>>().join(", ")
}
