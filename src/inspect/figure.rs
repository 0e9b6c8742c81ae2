//! The drawing of one utterance: all that is known of it over the same time axis.

use std::fmt::Write;
use std::ops::Range;

use super::Scene;
use super::image::{MAGMA, Ramp, VIRIDIS};
use super::page::escape;
use crate::error::Result;
use crate::voice::VoiceConfig;

/// Width of a drawing, if a second gets neither too narrow nor too wide by it.
const USUAL_WIDTH: f64 = 880.0;
const PIXELS_PER_SECOND: Range<f64> = 240.0..480.0;
/// Width of the names of the rows.
const LABELS: f64 = 118.0;
const GAP: f64 = 14.0;

/// Where the rows lie, from top to bottom.
struct Layout {
    width: f64,
    per_second: f64,
    axis: Range<f64>,
    wave: Range<f64>,
    mel: Range<f64>,
    pitch: Range<f64>,
    words: Range<f64>,
    codes: Range<f64>,
    pointer: Range<f64>,
}

impl Layout {
    fn new(scene: &Scene) -> Self {
        let per_second = (USUAL_WIDTH / scene.length).clamp(PIXELS_PER_SECOND.start, PIXELS_PER_SECOND.end);
        let mut top = 0.0;
        let mut row = |height: f64| {
            let start = top;
            top += height + GAP;
            start..start + height
        };
        let symbols = scene.timing.symbols.len() as f64;
        Self {
            width: (scene.length * per_second).ceil(),
            per_second,
            axis: row(10.0),
            wave: row(72.0),
            mel: row(128.0),
            pitch: row(76.0),
            words: row(46.0),
            codes: row(scene.codes.rows.len() as f64 * 11.0),
            pointer: row((symbols * 4.5).clamp(96.0, 240.0)),
        }
    }

    fn height(&self) -> f64 {
        self.pointer.end + GAP
    }

    fn x(&self, seconds: f64) -> f64 {
        seconds * self.per_second
    }
}

/// The rows' names and, in a part that scrolls, the rows.
pub fn figure(scene: &Scene, voice: &VoiceConfig) -> Result<String> {
    let layout = Layout::new(scene);
    let pitches = pitch_range(&scene.pitch);
    let (width, height) = (layout.width, layout.height());
    let mut rows = format!(
        "<svg class=rows width={width} height={height} viewBox=\"0 0 {width} {height}\" role=img aria-label=\"Waveform, \
         spectrogram, pitch, words, codes and pointer over time\">"
    );
    rows += &axis(scene, &layout);
    rows += &wave(scene, &layout);
    rows += &picture(&layout, &layout.mel, scene.length, &scene.mel.data_uri(&MAGMA)?, "smooth");
    rows += &pitch(scene, &layout, &pitches);
    rows += &words(scene, &layout);
    let codes_length = scene.chunk.pointer.len() as f64 * scene.timing.frame;
    rows += &picture(&layout, &layout.codes, codes_length, &scene.codes.data_uri(&VIRIDIS)?, "crisp");
    rows += &pointer(scene, &layout);
    let cursor_end = layout.pointer.end;
    rows += &format!("<line class=cursor x1=0 x2=0 y1=0 y2={cursor_end} visibility=hidden /></svg>");
    let labels = labels(scene, &layout, &pitches, voice);
    let (start, per_second) = (scene.start, layout.per_second);
    Ok(format!(
        "<div class=figure data-start={start} data-scale={per_second}>{labels}<div class=scroll tabindex=0>{rows}</div></div>"
    ))
}

fn labels(scene: &Scene, layout: &Layout, pitches: &Range<f64>, voice: &VoiceConfig) -> String {
    let height = layout.height();
    let mut svg = format!("<svg class=labels width={LABELS} height={height} aria-hidden=true>");
    let mut name = |row: &Range<f64>, name: &str, unit: &str| {
        let y = row.start + 12.0;
        let _ = write!(svg, "<text x=0 y={y}>{name}</text><text class=muted x=0 y={}>{unit}</text>", y + 15.0);
    };
    let (kilohertz, codebooks) = (voice.codec.sample_rate as f64 / 2000.0, scene.codes.rows.len());
    name(&(layout.axis.start - 3.0..layout.axis.end), "", "");
    name(&layout.wave, "Waveform", "");
    name(&layout.mel, "Spectrogram", &format!("mel, to {kilohertz:.0} kHz"));
    name(&layout.pitch, "Pitch", "Hz");
    name(&layout.words, "Words", "phonemes");
    name(&layout.codes, "Codes", &format!("{codebooks} codebooks"));
    name(&layout.pointer, "Pointer", "phoneme by frame");
    let edge = LABELS - 6.0;
    for (hertz, y) in [(pitches.end, layout.pitch.start + 4.0), (pitches.start, layout.pitch.end + 4.0)] {
        let _ = write!(svg, "<text class=muted text-anchor=end x={edge} y={y}>{hertz}</text>");
    }
    let most = voice.codec.codebook_size - 1;
    let id = |name: &str| format!("{name}-{:.0}", scene.start * 1e3); // one page may hold several figures
    svg += &ramp(&MAGMA, &id("mel"), layout.mel.start + 48.0, "−80 dB", "peak");
    svg += &ramp(&VIRIDIS, &id("codes"), layout.codes.start + 48.0, "0", &most.to_string());
    svg + "</svg>"
}

/// A bar with the colours of an image and what its ends mean.
fn ramp(ramp: &Ramp, id: &str, y: f64, low: &str, high: &str) -> String {
    let stops = ramp.iter().enumerate().map(|(i, [r, g, b])| {
        let offset = 100.0 * i as f64 / (ramp.len() - 1) as f64;
        format!("<stop offset=\"{offset}%\" stop-color=\"rgb({r} {g} {b})\" />")
    });
    let (stops, text) = (stops.collect::<String>(), y + 19.0);
    format!(
        "<linearGradient id={id}>{stops}</linearGradient><rect x=0 y={y} width=84 height=6 rx=2 fill=\"url(#{id})\" />\
         <text class=muted x=0 y={text}>{low}</text><text class=muted text-anchor=end x=84 y={text}>{high}</text>"
    )
}

/// Seconds, and lines between the words.
fn axis(scene: &Scene, layout: &Layout) -> String {
    let mut svg = String::new();
    for tenth in 0..=(scene.length * 10.0) as usize {
        let (x, whole) = (layout.x(tenth as f64 / 10.0), tenth % 5 == 0);
        let (end, top) = (layout.axis.end + 6.0, layout.axis.end + if whole { 0.0 } else { 3.0 });
        let _ = write!(svg, "<path class=tick d=\"M{x:.1} {top}V{end}\" />");
        if whole {
            let anchor = if tenth == 0 { "start" } else { "middle" };
            let seconds = tenth as f64 / 10.0;
            let _ = write!(svg, "<text class=muted text-anchor={anchor} x={x:.1} y=9>{seconds} s</text>");
        }
    }
    for word in &scene.timing.words {
        for x in [word.start, word.end].map(|seconds| layout.x(seconds)) {
            let _ = write!(svg, "<path class=edge d=\"M{x:.1} {}V{}\" />", layout.wave.start, layout.pointer.end);
        }
    }
    svg
}

/// Lowest and highest sample of each pixel.
fn wave(scene: &Scene, layout: &Layout) -> String {
    let samples = &scene.chunk.samples;
    let (middle, half) = ((layout.wave.start + layout.wave.end) / 2.0, (layout.wave.end - layout.wave.start) / 2.0);
    let loudest = samples.iter().fold(1e-3f32, |most, s| most.max(s.abs()));
    let y = |sample: f32| middle - f64::from(sample / loudest) * half;
    let (mut above, mut below) = (String::new(), Vec::new());
    let per_pixel = (samples.len() as f64 / layout.width).max(1.0);
    for pixel in 0..layout.width as usize {
        let start = ((pixel as f64 * per_pixel) as usize).min(samples.len());
        let end = (((pixel + 1) as f64 * per_pixel) as usize).min(samples.len());
        let (low, high) = samples[start..end].iter().fold((0f32, 0f32), |(l, h), &s| (l.min(s), h.max(s)));
        let _ = write!(above, "L{pixel} {:.1}", y(high) - 0.3);
        below.push(format!("L{pixel} {:.1}", y(low) + 0.3));
    }
    let below: String = below.into_iter().rev().collect();
    format!("<path class=wave d=\"M0 {middle}{above}{below}Z\" />")
}

fn picture(layout: &Layout, row: &Range<f64>, length: f64, uri: &str, class: &str) -> String {
    let (y, width, height) = (row.start, layout.x(length), row.end - row.start);
    format!(
        "<image class={class} x=0 y={y} width={width:.1} height={height} preserveAspectRatio=none href=\"{uri}\" />"
    )
}

/// Bounds in steps of 50 Hz around what is voiced.
fn pitch_range(pitch: &[f32]) -> Range<f64> {
    let voiced = || pitch.iter().filter(|&&hertz| hertz > 0.0).map(|&hertz| f64::from(hertz));
    let (low, high) = (voiced().fold(f64::INFINITY, f64::min), voiced().fold(0.0, f64::max));
    if high == 0.0 { 50.0..350.0 } else { (low / 50.0).floor() * 50.0..(high / 50.0 + 0.01).ceil() * 50.0 }
}

fn pitch(scene: &Scene, layout: &Layout, range: &Range<f64>) -> String {
    let (row, width) = (&layout.pitch, layout.width);
    let hop = scene.timing.frame * scene.chunk.pointer.len() as f64 / scene.pitch.len().max(1) as f64;
    let y = |hertz: f64| row.end - (hertz - range.start) / (range.end - range.start) * (row.end - row.start);
    let (mut path, mut drawing) = (String::new(), false);
    for (i, &hertz) in scene.pitch.iter().enumerate() {
        if hertz > 0.0 {
            let (x, y) = (layout.x((i as f64 + 0.5) * hop), y(f64::from(hertz)));
            let _ = write!(path, "{}{x:.1} {y:.1}", if drawing { 'L' } else { 'M' });
        }
        drawing = hertz > 0.0;
    }
    let lines: String = [row.start, row.end].map(|y| format!("<path class=grid d=\"M0 {y}H{width}\" />")).concat();
    format!("{lines}<path class=pitch d=\"{path}\" />")
}

/// Words, and their phonemes below them.
fn words(scene: &Scene, layout: &Layout) -> String {
    let (utterance, timing, top) = (&scene.chunk.utterance, &scene.timing, layout.words.start);
    let mut svg = String::new();
    for (word, span) in utterance.words.iter().zip(&timing.words) {
        let (x, width) = (layout.x(span.start), layout.x(span.end - span.start));
        let (middle, text) = (x + width / 2.0, escape(&word.text));
        let _ = write!(
            svg,
            "<rect class=word x={x:.1} y={top} width={width:.1} height=20 rx=3 />\
             <text class=spoken text-anchor=middle x={middle:.1} y={}>{text}</text>",
            top + 14.5
        );
    }
    for (_, phoneme, span) in phonemes(scene) {
        let (x, y) = (layout.x((span.start + span.end) / 2.0), top + 38.0);
        let _ = write!(svg, "<text class=phoneme text-anchor=middle x={x:.1} y={y}>{phoneme}</text>");
    }
    svg
}

/// The phonemes that were spoken, each with its position and time; a stress mark stands before its vowel.
fn phonemes(scene: &Scene) -> Vec<(i64, String, &Range<f64>)> {
    let symbols = scene.chunk.utterance.phonemes.chars().zip(&scene.timing.symbols).enumerate();
    let (mut phonemes, mut stress) = (Vec::new(), String::new());
    for (i, (symbol, span)) in symbols {
        match symbol {
            'ˈ' | 'ˌ' => stress = symbol.to_string(),
            ' ' => {}
            _ => phonemes.push((i as i64, escape(&format!("{}{symbol}", std::mem::take(&mut stress))), span)),
        }
    }
    phonemes
}

/// The pointer's way from the first phoneme to the last.
fn pointer(scene: &Scene, layout: &Layout) -> String {
    let (row, symbols) = (&layout.pointer, scene.timing.symbols.len() as f64);
    let y = |position: i64| row.end - position as f64 / (symbols + 1.0) * (row.end - row.start);
    let mut path = String::new();
    for (frame, &position) in scene.chunk.pointer.iter().enumerate() {
        let (x, y) = (layout.x(frame as f64 * scene.timing.frame), y(position));
        let _ = write!(path, "{}", if frame == 0 { format!("M{x:.1} {y:.1}") } else { format!("H{x:.1}V{y:.1}") });
    }
    let end = layout.x(scene.chunk.pointer.len() as f64 * scene.timing.frame);
    let mut svg = format!("<path class=pointer d=\"{path}H{end:.1}\" />");
    for (i, phoneme, span) in phonemes(scene) {
        let (x, y) = (layout.x(span.start) - 3.0, y(i + 1) - 2.0);
        let _ = write!(svg, "<text class=\"phoneme small\" text-anchor=end x={x:.1} y={y:.1}>{phoneme}</text>");
    }
    let width = layout.width;
    let lines: String = [row.start, row.end].map(|y| format!("<path class=grid d=\"M0 {y}H{width}\" />")).concat();
    lines + &svg
}
