//! From recordings and their text to a corpus: the ear finds when each phoneme is spoken.

use std::fs;
use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};

use super::corpus::{Corpus, F0_INTERVAL, Utterance};
use crate::atomic_file::write_atomically;
use crate::audio::loudness::{amplitude, integrated};
use crate::audio::pitch;
use crate::audio::recording;
use crate::audio::resample::resample;
use crate::audio::wav::{self, Audio};
use crate::ear::{Alignment, Ear};
use crate::error::{Error, Result};
use crate::recordings::Recording;
use crate::text::{FrontEnd, Vocab};

/// Seconds of silence that are kept before the first and after the last phoneme.
const LEAD: f64 = 0.15;
const TAIL: f64 = 0.2;
/// No voice sounds below the first frequency, in Hz; from the second on nothing is taken away.
const RUMBLE: [f64; 2] = [45.0, 75.0];
/// The highest peak after that.
const HIGHEST_PEAK: f32 = 0.97;
/// Nats a frame below which the text is not what is said. With the shipped ear one of 400 recordings of Kathleen and of 34 speakers of LibriSpeech
/// lies below; with the text of another recording as long, all but two do.
const WORST_FIT: f64 = -1.5;

/// What became of a list of recordings.
#[derive(Debug, Default)]
pub struct Aligned {
    pub kept: usize,
    /// Of those kept.
    pub seconds: f64,
    /// The others, and why.
    pub left_out: Vec<(String, String)>,
}

/// How the recordings of a corpus are to be.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub sample_rate: u32,
    /// Integrated loudness of each, in LUFS.
    pub loudness: f64,
}

impl Default for Shape {
    /// As the teacher speaks.
    fn default() -> Self {
        Self { sample_rate: 24_000, loudness: -26.4 }
    }
}

/// Writes a corpus into the folder `out`: the recordings in one shape, with a duration for each phoneme and without long
/// silence at both ends. Those that do not say their text are left out; `report(done, all)` hears of each.
pub fn align(
    ear: &Ear,
    recordings: &[Recording],
    out: &Path,
    shape: Shape,
    report: &mut dyn FnMut(usize, usize),
) -> Result<Aligned> {
    let front_end = FrontEnd::new()?;
    let wavs = out.join("wavs");
    fs::create_dir_all(&wavs).map_err(Error::io(&wavs))?;
    let (mut aligned, mut rows) = (Aligned::default(), String::new());
    for (index, item) in recordings.iter().enumerate() {
        match utterance(ear, &front_end, item, shape)? {
            Ok((utterance, audio)) => {
                wav::write(&out.join(&utterance.audio), &audio)?;
                aligned.kept += 1;
                aligned.seconds += audio.samples.len() as f64 / f64::from(shape.sample_rate);
                let row = serde_json::to_string(&utterance).map_err(|e| Error::Training(e.to_string()))?;
                rows += &format!("{row}\n");
            }
            Err(reason) => aligned.left_out.push((item.id.clone(), reason)),
        }
        report(index + 1, recordings.len());
    }
    write_atomically(&out.join("corpus.jsonl"), rows.as_bytes())?;
    Ok(aligned)
}

/// The utterance of a recording and its sound, or why there is none.
fn utterance(
    ear: &Ear,
    front_end: &FrontEnd,
    item: &Recording,
    shape: Shape,
) -> Result<std::result::Result<(Utterance, Audio), String>> {
    let mut audio = without_rumble(resample(recording::read(&item.path)?, shape.sample_rate)?)?;
    let Some(loudness) = integrated(&audio.samples, shape.sample_rate)? else {
        return Ok(Err("it is silent, or shorter than 0.4 s".into()));
    };
    let peak = audio.samples.iter().fold(1e-9f32, |peak, s| peak.max(s.abs()));
    let gain = amplitude(shape.loudness - loudness).min(HIGHEST_PEAK / peak);
    audio.samples.iter_mut().for_each(|s| *s *= gain);
    let phonemes = front_end.phonemes(&item.text)?;
    let alignment = match ear.listen(audio.clone())?.align(&phonemes) {
        Ok(alignment) if alignment.fit >= WORST_FIT => alignment,
        Ok(alignment) => return Ok(Err(format!("it does not sound like its text (fit {:.1})", alignment.fit))),
        Err(reason) => return Ok(Err(reason.to_string())),
    };
    let (audio, alignment) = trim(audio, alignment, &phonemes);
    let utterance = Utterance {
        id: item.id.clone(),
        audio: PathBuf::from("wavs").join(format!("{}.wav", item.id)),
        text: item.text.clone(),
        phonemes,
        samples: audio.samples.len() as u32,
        durations: alignment.durations,
        lead: alignment.lead,
        tail: alignment.tail,
        f0: pitch::track(audio.clone(), F0_INTERVAL)?.into_iter().map(|hz| (hz * 10.0).round() / 10.0).collect(),
        spectra: None,
        speed: None,
        dropped: None,
    };
    Ok(Ok((utterance, audio)))
}

/// Takes away what sounds lower than a voice: rooms, traffic, mains.
fn without_rumble(audio: Audio) -> Result<Audio> {
    let count = audio.samples.len() as i64;
    let spectrum = Tensor::from_slice(&audio.samples).fft_rfft(None::<i64>, 0, "backward");
    let hz = Tensor::arange(spectrum.size()[0], (Kind::Float, spectrum.device()))
        * (f64::from(audio.sample_rate) / count as f64);
    let gain = ((hz - RUMBLE[0]) / (RUMBLE[1] - RUMBLE[0])).clamp(0.0, 1.0);
    let samples = (spectrum * gain).fft_irfft(count, 0, "backward");
    Ok(Audio { samples: Vec::try_from(samples)?, ..audio })
}

/// Cuts what is longer than [`LEAD`] and [`TAIL`]; a last punctuation mark is silence, too.
fn trim(mut audio: Audio, mut alignment: Alignment, phonemes: &str) -> (Audio, Alignment) {
    let samples = |seconds: f64| (seconds * f64::from(audio.sample_rate)).round() as usize;
    let mut cut = (alignment.lead - LEAD).max(0.0);
    let start = samples(cut);
    alignment.lead -= cut;
    let ends_in_silence = phonemes.chars().last().is_some_and(|last| !Vocab::is_sound(last));
    let last = alignment.durations.last_mut().filter(|_| ends_in_silence);
    let silence = alignment.tail + last.as_ref().map_or(0.0, |last| **last);
    cut = (silence - TAIL).max(0.0);
    let end = audio.samples.len().saturating_sub(samples(cut));
    let from_tail = cut.min((alignment.tail - 0.025).max(0.0));
    alignment.tail -= from_tail;
    if let Some(last) = last {
        *last -= cut - from_tail;
    }
    audio.samples = audio.samples[start.min(end)..end].to_vec();
    (audio, alignment)
}

/// Seconds by which each boundary between symbols that the ear finds in the held-out utterances of a corpus lies beside the
/// known one, in order of size; of at most `most` utterances.
pub fn boundary_errors(
    ear: &Ear,
    corpus: &Corpus,
    most: usize,
    report: &mut dyn FnMut(usize, usize),
) -> Result<Vec<f64>> {
    let utterances: Vec<&Utterance> = corpus.held_out.iter().take(most).collect();
    let mut errors = Vec::new();
    for (index, utterance) in utterances.iter().enumerate() {
        let audio = wav::read(&corpus.root.join(&utterance.audio))?;
        let alignment = ear.listen(audio)?.align(&utterance.phonemes)?;
        let known = ends(utterance.lead, &utterance.durations);
        errors.extend(known.zip(ends(alignment.lead, &alignment.durations)).map(|(a, b)| (a - b).abs()));
        report(index + 1, utterances.len());
    }
    errors.sort_by(f64::total_cmp);
    Ok(errors)
}

/// When each symbol ends, from the silence before the first to the last phoneme.
fn ends(lead: f64, durations: &[f64]) -> impl Iterator<Item = f64> {
    let mut end = 0.0;
    [lead].into_iter().chain(durations.iter().copied()).map(move |duration| {
        end += duration;
        end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rumbles_below_a_voice_is_taken_away() {
        let tone = |hz: f32| move |n: usize| 0.3 * (std::f32::consts::TAU * hz * n as f32 / 8000.0).sin();
        let sound = |tones: &[f32]| {
            let samples = (0..8000).map(|n| tones.iter().map(|&hz| tone(hz)(n)).sum()).collect();
            Audio { samples, sample_rate: 8000 }
        };
        let clean = without_rumble(sound(&[20.0, 90.0, 1000.0])).unwrap_or_else(|e| panic!("{e}"));
        let expected = sound(&[90.0, 1000.0]);
        let error = clean.samples.iter().zip(&expected.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error < 1e-3, "{error}");
    }
}
