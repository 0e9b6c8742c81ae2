//! What a text holds besides its words: pauses, marks, and how a passage is to be spoken.
//!
//! Plain text may hold `[pause 500ms]`; a text that starts with `<speak` is SSML. Either becomes a sequence of
//! parts, read here without looking at the words.

use std::mem;

use super::line::ends_with_stop;
use super::split::{Sentence, halve, sentences};
use super::ssml;
use crate::error::{Error, Result};

/// Longest pause that a text may ask for, in seconds.
const LONGEST_PAUSE: f64 = 60.0;

/// A stretch of the input.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text(Passage),
    /// Silence, in seconds.
    Pause(f64),
    /// A named place between passages.
    Mark(String),
}

/// How a passage is spoken, next to the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prosody {
    /// Factor of the speaking rate.
    pub rate: f64,
    /// Semitones by which the voice is higher.
    pub pitch: f64,
    /// Gain of the samples; minus infinity is silence.
    pub volume_db: f64,
}

impl Default for Prosody {
    fn default() -> Self {
        Self { rate: 1.0, pitch: 0.0, volume_db: 0.0 }
    }
}

/// What ends together with a passage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Nothing: its sentence goes on in the next passage.
    #[default]
    Open,
    Sentence,
    Paragraph,
}

/// Text spoken in one manner.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passage {
    pub text: String,
    pub prosody: Prosody,
    /// Named places and where they lie in `text`, in bytes.
    pub marks: Vec<(usize, String)>,
    /// Whether it is one sentence because the input says so.
    pub is_sentence: bool,
    pub end: End,
}

/// The parts of a text in either form.
pub fn parts(text: &str) -> Result<Vec<Part>> {
    if ssml::is_ssml(text) {
        return ssml::parts(text);
    }
    let mut script = Script::default();
    script.text(text).map_err(|(at, reason)| markup_error(text, at, reason))?;
    Ok(script.finish())
}

/// An error at byte `at` of the input.
pub(super) fn markup_error(input: &str, at: usize, reason: String) -> Error {
    let before = input.get(..at).unwrap_or(input);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    Error::Markup { line, column: before[line_start..].chars().count() + 1, reason }
}

/// `500ms` or `1.2s` in seconds.
pub(super) fn seconds(written: &str) -> std::result::Result<f64, String> {
    let (number, units) = written.strip_suffix("ms").map_or((written.strip_suffix('s'), 1.0), |n| (Some(n), 1000.0));
    let number = number.map(|n| n.trim_end().trim_start_matches('+')).filter(|n| n.chars().all(is_decimal));
    let value = number.and_then(|n| n.parse::<f64>().ok()).map(|n| n / units);
    value.filter(|value| *value <= LONGEST_PAUSE).ok_or_else(|| {
        format!("expected a time of 0 to {LONGEST_PAUSE} seconds such as 500ms or 1.2s, found `{written}`")
    })
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// Parts while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Script {
    parts: Vec<Part>,
    /// The passage that text is added to.
    open: Passage,
}

impl Script {
    /// Adds text, in which `[pause 500ms]` is a pause. A pause that cannot be kept is an error at a byte of `text`.
    pub fn text(&mut self, text: &str) -> std::result::Result<(), (usize, String)> {
        let mut done = 0;
        while let Some((at, length, written)) = next_pause(&text[done..]) {
            let start = done + at;
            let pause = seconds(written).map_err(|reason| (start, format!("[pause]: {reason}")))?;
            self.open.text.push_str(&text[done..start]);
            done = start + length;
            let apart = blank_line(&text[..start], &text[done..]);
            self.pause(pause, if apart { End::Paragraph } else { End::Open });
        }
        self.open.text.push_str(&text[done..]);
        Ok(())
    }

    /// Adds text as it is.
    pub fn verbatim(&mut self, text: &str) {
        self.open.text.push_str(text);
    }

    /// Adds a word, kept apart from one that ends right before it.
    pub fn word(&mut self, text: &str) {
        if self.open.text.ends_with(char::is_alphanumeric) {
            self.open.text.push(' ');
        }
        self.verbatim(text);
    }

    /// Adds silence; none leaves the passage whole.
    pub fn pause(&mut self, seconds: f64, end: End) {
        if seconds > 0.0 {
            self.end(end);
            self.parts.push(Part::Pause(seconds));
        }
    }

    pub fn mark(&mut self, name: &str) {
        self.open.marks.push((self.open.text.len(), name.to_string()));
    }

    pub fn prosody(&self) -> Prosody {
        self.open.prosody
    }

    /// From here on it is spoken so.
    pub fn set_prosody(&mut self, prosody: Prosody) {
        if prosody != self.open.prosody {
            self.end(End::Open);
            self.open.prosody = prosody;
        }
    }

    /// From here on a passage is, or is not, one sentence.
    pub fn set_sentence(&mut self, is_sentence: bool) {
        self.end(End::Sentence);
        self.open.is_sentence = is_sentence;
    }

    /// Closes the passage.
    pub fn end(&mut self, end: End) {
        let next = Passage { prosody: self.open.prosody, is_sentence: self.open.is_sentence, ..Default::default() };
        let done = mem::replace(&mut self.open, next);
        if !done.text.trim().is_empty() {
            return self.parts.push(Part::Text(Passage { end, ..done }));
        }
        let last = self.parts.iter_mut().rev().find_map(|part| match part {
            Part::Text(passage) => Some(passage),
            _ => None,
        });
        if let Some(last) = last {
            last.end = last.end.max(end);
        }
        self.parts.extend(done.marks.into_iter().map(|(_, name)| Part::Mark(name)));
    }

    pub fn finish(mut self) -> Vec<Part> {
        self.end(End::Paragraph);
        self.parts
    }
}

/// Where the next `[pause TIME]` begins, its length in bytes, and its time as written. Other words after `[pause` are text.
fn next_pause(text: &str) -> Option<(usize, usize, &str)> {
    const OPEN: &str = "[pause";
    text.match_indices(OPEN).find_map(|(at, _)| {
        let rest = &text[at + OPEN.len()..];
        let inside = rest.find(['[', ']']).filter(|&end| rest[end..].starts_with(']')).map(|end| &rest[..end])?;
        let written = inside.trim();
        let is_time = written.starts_with(|c: char| is_decimal(c) || matches!(c, '+' | '-'));
        let is_markup = is_time && inside.starts_with(char::is_whitespace) && !text[..at].ends_with('[');
        is_markup.then_some((at, OPEN.len() + inside.len() + 1, written))
    })
}

/// Whether a blank line lies where two texts meet.
fn blank_line(before: &str, after: &str) -> bool {
    let blank = |space: &str| space.matches('\n').count() > 1;
    blank(&before[before.trim_end().len()..]) || blank(&after[..after.len() - after.trim_start().len()])
}

impl Passage {
    /// Its sentences, each as a passage; none if it is nothing but punctuation.
    pub fn sentences(&self) -> Vec<Self> {
        let whole = || vec![Sentence { text: self.text.trim(), ends_paragraph: true }];
        let found = if self.is_sentence { whole() } else { sentences(&self.text) };
        let end = |sentence: &Sentence| if sentence.ends_paragraph { End::Paragraph } else { End::Sentence };
        self.cut(&found.iter().map(|sentence| (sentence.text, end(sentence))).collect::<Vec<_>>())
    }

    /// Two passages for a sentence that is too long to be spoken at once.
    pub fn halves(&self) -> Option<[Self; 2]> {
        let (first, second) = halve(&self.text)?;
        self.cut(&[(first, End::Open), (second, End::Open)]).try_into().ok()
    }

    /// Slices of the text as passages. What ends with the last one is what ends with the whole.
    fn cut(&self, pieces: &[(&str, End)]) -> Vec<Self> {
        let start = |piece: &str| piece.as_ptr() as usize - self.text.as_ptr() as usize;
        let (prosody, is_sentence) = (self.prosody, self.is_sentence);
        let passage = |(text, end): &(&str, End)| Self {
            text: text.to_string(),
            prosody,
            marks: Vec::new(),
            is_sentence,
            end: *end,
        };
        let mut passages: Vec<Self> = pieces.iter().map(passage).collect();
        if let Some(last) = passages.last_mut() {
            last.end = if ends_with_stop(&last.text) { self.end.max(End::Sentence) } else { self.end };
        }
        for (at, name) in &self.marks {
            let ended = pieces.partition_point(|(text, _)| start(text) + text.len() <= *at);
            let index = ended.min(pieces.len().saturating_sub(1));
            if let (Some(passage), Some((text, _))) = (passages.get_mut(index), pieces.get(index)) {
                passage.marks.push((at.saturating_sub(start(text)).min(text.len()), name.clone()));
            }
        }
        passages
    }
}
