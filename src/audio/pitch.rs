//! The pitch of a voice over time: normalized cross-correlation and the likeliest path through its peaks (Talkin 1995, "A robust
//! algorithm for pitch tracking"), then what its harmonics say, which is several times as exact (StoneMask in Morise et al. 2016,
//! "WORLD: a vocoder-based high-quality speech synthesis system").

use std::f32::consts::TAU;

use super::resample::resample;
use super::wav::Audio;
use crate::error::Result;

/// Pitches that are found, in Hz.
pub const LOWEST: f64 = 60.0;
pub const HIGHEST: f64 = 500.0;

/// Rate that the waveform is compared with itself at.
const RATE: u32 = 8_000;
/// Seconds that are compared.
const WINDOW: f64 = 0.02;
/// Most pitches that are considered for a frame, and the correlation that one needs.
const CANDIDATES: usize = 6;
const LEAST_CORRELATION: f32 = 0.35;
/// Cost of a shorter period that also fits, as share of the longest period: it keeps octaves from being halved.
const LONG_PERIOD: f32 = 0.15;
/// Cost of being unvoiced where the correlation is 0, of starting or ending a voice, and of an octave's leap.
const UNVOICED: f32 = 0.35;
const SWITCH: f32 = 0.25;
const OCTAVE: f32 = 1.0;
/// Harmonics that a pitch is refined by, the periods that they are heard over, how often, and by which share it may change.
const HARMONICS: usize = 6;
const PERIODS: f32 = 3.0;
const REFINEMENTS: usize = 2;
const MOST_REFINED: f32 = 0.1;
/// Root mean square below which all is silence.
const SILENCE: f32 = 3e-3;

/// A pitch in Hz, or 0 for none, and its cost.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    hz: f32,
    cost: f32,
}

/// The pitch in Hz in the middle of every `interval` seconds, 0 where there is none.
pub fn track(audio: Audio, interval: f64) -> Result<Vec<f32>> {
    let frames = (audio.samples.len() as f64 / f64::from(audio.sample_rate) / interval).floor() as usize;
    let samples = resample(audio, RATE)?.samples;
    let middle = |t: usize| ((t as f64 + 0.5) * interval * f64::from(RATE)) as isize;
    let frames: Vec<Vec<Candidate>> = (0..frames).map(|t| candidates(&samples, middle(t))).collect();
    let pitch = likeliest(&frames).into_iter().enumerate();
    Ok(pitch.map(|(t, hz)| if hz > 0.0 { refined(&samples, middle(t), hz) } else { hz }).collect())
}

/// A pitch near `hz` whose multiples are the instantaneous frequencies of the harmonics around a sample, the louder the more so.
fn refined(samples: &[f32], middle: isize, hz: f32) -> f32 {
    let mut pitch = hz;
    for _ in 0..REFINEMENTS {
        let length = (PERIODS * RATE as f32 / pitch).round() as isize;
        let (mut sum, mut weights) = (0.0, 0.0);
        for harmonic in (1..=HARMONICS).map(|k| k as f32).take_while(|k| k * pitch < 0.45 * RATE as f32) {
            let omega = TAU * harmonic * pitch / RATE as f32;
            // The spectrum at the harmonic through a Blackman window and through its derivative.
            let (mut re, mut im, mut slope_re, mut slope_im) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
            for n in 0..length {
                let at = middle - length / 2 + n;
                let x = usize::try_from(at).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
                let turn = TAU * (n as f32 + 0.5) / length as f32;
                let window = 0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
                let slope = TAU / length as f32 * (0.5 * turn.sin() - 0.16 * (2.0 * turn).sin());
                let (sin, cos) = (omega * n as f32).sin_cos();
                re += x * window * cos;
                im -= x * window * sin;
                slope_re += x * slope * cos;
                slope_im -= x * slope * sin;
            }
            let power = re * re + im * im + 1e-12;
            let frequency = omega - (slope_im * re - slope_re * im) / power;
            sum += power.sqrt() * frequency;
            weights += power.sqrt() * harmonic;
        }
        pitch = sum / weights * RATE as f32 / TAU;
        if (pitch / hz - 1.0).abs() > MOST_REFINED {
            return hz;
        }
    }
    pitch
}

/// What the pitch around a sample may be; the first one is none.
fn candidates(samples: &[f32], middle: isize) -> Vec<Candidate> {
    let (shortest, longest) = ((f64::from(RATE) / HIGHEST) as usize, (f64::from(RATE) / LOWEST) as usize);
    let window = (WINDOW * f64::from(RATE)) as usize;
    let first = middle - ((window + longest) / 2) as isize;
    let at = |i: isize| usize::try_from(i).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
    let near: Vec<f32> = (first..first + (window + longest + 1) as isize).map(at).collect();
    let rms = (near.iter().map(|s| s * s).sum::<f32>() / near.len() as f32).sqrt();
    let correlation = |lag: usize| {
        // The two windows lie evenly around the middle.
        let start = (longest - lag) / 2;
        let (a, b) = (&near[start..start + window], &near[start + lag..start + lag + window]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b) + 1e-9).sqrt()
    };
    let correlations: Vec<f32> =
        if rms < SILENCE { Vec::new() } else { (shortest..=longest).map(correlation).collect() };
    let mut peaks: Vec<Candidate> = correlations
        .windows(3)
        .enumerate()
        .filter(|(_, c)| c[1] >= c[0] && c[1] > c[2] && c[1] > LEAST_CORRELATION)
        .map(|(i, c)| {
            let bend = c[0] - 2.0 * c[1] + c[2];
            let lag = (shortest + i + 1) as f32 + if bend < 0.0 { 0.5 * (c[0] - c[2]) / bend } else { 0.0 };
            Candidate { hz: RATE as f32 / lag, cost: 1.0 - c[1] * (1.0 - LONG_PERIOD * lag / longest as f32) }
        })
        .collect();
    peaks.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    peaks.truncate(CANDIDATES);
    let best = correlations.iter().fold(0f32, |best, &c| best.max(c));
    peaks.insert(0, Candidate { hz: 0.0, cost: UNVOICED + 0.5 * (best - 0.5).max(0.0) });
    peaks
}

/// The path of least cost through the candidates (Viterbi 1967).
fn likeliest(frames: &[Vec<Candidate>]) -> Vec<f32> {
    let mut costs: Vec<f32> = frames.first().map(|c| c.iter().map(|c| c.cost).collect()).unwrap_or_default();
    let mut came: Vec<Vec<usize>> = Vec::new();
    for pair in frames.windows(2) {
        let (before, now) = (&pair[0], &pair[1]);
        let step = now.iter().map(|to| {
            let totals = before.iter().zip(&costs).map(|(from, cost)| cost + change(from.hz, to.hz));
            let (index, least) = totals.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
            (index, least + to.cost)
        });
        let (indices, totals) = step.unzip();
        came.push(indices);
        costs = totals;
    }
    let mut at = (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
    let mut path = Vec::with_capacity(frames.len());
    for t in (0..frames.len()).rev() {
        path.push(frames[t][at].hz);
        at = if t > 0 { came[t - 1][at] } else { 0 };
    }
    path.reverse();
    path
}

fn change(from: f32, to: f32) -> f32 {
    match (from > 0.0, to > 0.0) {
        (true, true) => OCTAVE * (to / from).log2().abs(),
        (false, false) => 0.0,
        _ => SWITCH,
    }
}
