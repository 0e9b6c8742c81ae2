//! A timeline as text: JSON, SubRip, WebVTT, and TextGrids of Praat.

use std::fmt::Write;
use std::path::Path;

use super::captions::captions;
use super::{Interval, Timeline};

/// What a timeline is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything, in an object with the fields of [`Timeline`].
    Json,
    /// Captions (SubRip).
    Srt,
    /// Captions (<https://www.w3.org/TR/webvtt1/>).
    Vtt,
    /// The tiers `words` and `phonemes`
    /// (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>).
    TextGrid,
}

impl Format {
    /// The one that the ending of a file's name stands for.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "json" => Some(Self::Json),
            "srt" => Some(Self::Srt),
            "vtt" => Some(Self::Vtt),
            "TextGrid" => Some(Self::TextGrid),
            _ => None,
        }
    }

    /// The content of a file.
    pub fn write(self, timeline: &Timeline) -> String {
        match self {
            Self::Json => json(timeline),
            Self::Srt => srt(timeline),
            Self::Vtt => vtt(timeline),
            Self::TextGrid => text_grid(timeline),
        }
    }
}

fn json(timeline: &Timeline) -> String {
    // Nothing in a timeline can fail to be JSON.
    serde_json::to_string_pretty(timeline).unwrap_or_default() + "\n"
}

fn srt(timeline: &Timeline) -> String {
    let cue = |(i, Interval { text, start, end }): (usize, &Interval)| {
        format!("{}\n{} --> {}\n{text}\n", i + 1, clock(*start, ','), clock(*end, ','))
    };
    captions(timeline).iter().enumerate().map(cue).collect::<Vec<_>>().join("\n")
}

fn vtt(timeline: &Timeline) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let cue = |Interval { text, start, end }: &Interval| {
        format!("\n{} --> {}\n{}\n", clock(*start, '.'), clock(*end, '.'), escaped(text))
    };
    format!("WEBVTT\n{}", captions(timeline).iter().map(cue).collect::<String>())
}

/// `01:02:03.456`
fn clock(seconds: f64, point: char) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (seconds, minutes) = (milliseconds / 1000, milliseconds / 60_000);
    format!("{:02}:{:02}:{:02}{point}{:03}", minutes / 60, minutes % 60, seconds % 60, milliseconds % 1000)
}

fn text_grid(timeline: &Timeline) -> String {
    let duration = timeline.duration;
    let mut grid = String::from("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n");
    let _ = write!(grid, "xmin = 0\nxmax = {duration}\ntiers? <exists>\nsize = 2\nitem []:\n");
    for (i, (name, heard)) in [("words", &timeline.words), ("phonemes", &timeline.phonemes)].into_iter().enumerate() {
        let intervals = without_gaps(heard, duration);
        let _ = write!(grid, "    item [{}]:\n        class = \"IntervalTier\"\n        name = \"{name}\"\n", i + 1);
        let _ = write!(
            grid,
            "        xmin = 0\n        xmax = {duration}\n        intervals: size = {}\n",
            intervals.len()
        );
        for (j, Interval { text, start, end }) in intervals.iter().enumerate() {
            let text = text.replace('"', "\"\"");
            let _ =
                write!(grid, "        intervals [{}]:\n            xmin = {start}\n            xmax = {end}\n", j + 1);
            let _ = writeln!(grid, "            text = \"{text}\"");
        }
    }
    grid
}

/// The intervals and empty ones between them, from 0 to `duration`.
fn without_gaps(intervals: &[Interval], duration: f64) -> Vec<Interval> {
    let silence = |start: f64, end: f64| (start < end).then(|| Interval { text: String::new(), start, end });
    let mut tier: Vec<Interval> = Vec::new();
    let mut done = 0.0;
    for interval in intervals {
        tier.extend(silence(done, interval.start));
        tier.push(interval.clone());
        done = interval.end;
    }
    tier.extend(silence(done, duration));
    tier
}
