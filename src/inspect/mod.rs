//! How a text was spoken, stage by stage, and a page that shows it. Knows nothing of the command line.

mod figure;
pub(crate) mod image;
mod page;

use std::ops::Range;

use tch::{Device, Kind, Tensor, no_grad};

use crate::codec::{CodecConfig, LogMel};
use crate::error::Result;
use crate::synthesizer::{Chunk, SpeechOptions, StageTimes, Synthesizer};
use crate::timing::symbol_starts;
use crate::voice::VoiceConfig;
use image::Grid;
pub(crate) use page::escape;

/// Natural-log magnitudes so far below the loudest one are shown as silence: 80 dB.
const SHOWN_RANGE: f64 = 9.2;

/// Everything that happened between a text and its samples.
#[derive(Debug)]
pub struct Inspection {
    voice: VoiceConfig,
    options: SpeechOptions,
    scenes: Vec<Scene>,
}

/// One utterance and what its samples were made from.
#[derive(Debug)]
struct Scene {
    chunk: Chunk,
    timing: Timing,
    /// Log-mel spectrogram: a row a band, the highest first, a column a hop.
    mel: Grid,
    /// A row a codebook, a column a token frame.
    codes: Grid,
    /// Hz a hop, zero where unvoiced.
    pitch: Vec<f32>,
    /// Seconds.
    start: f64,
    length: f64,
}

/// Seconds from the start of an utterance.
#[derive(Debug)]
struct Timing {
    /// Seconds of a token frame.
    frame: f64,
    symbols: Vec<Range<f64>>,
    words: Vec<Range<f64>>,
}

impl Timing {
    fn new(chunk: &Chunk, frame: f64) -> Self {
        let starts = symbol_starts(&chunk.pointer, chunk.utterance.phonemes.chars().count());
        let starts: Vec<f64> = starts.into_iter().skip(1).map(|start| start * frame).collect();
        let symbols = starts.windows(2).map(|bounds| bounds[0]..bounds[1]);
        let words = chunk.utterance.words.iter().map(|word| starts[word.phonemes.start]..starts[word.phonemes.end]);
        Self { frame, words: words.collect(), symbols: symbols.collect() }
    }
}

impl Inspection {
    /// Speaks `text` and keeps what is seen on the way.
    pub fn new(synthesizer: &Synthesizer, text: &str, options: &SpeechOptions) -> Result<Self> {
        let mut utterances: Vec<Chunk> = Vec::new();
        for chunk in synthesizer.speak(text, options)? {
            let chunk = chunk?;
            match utterances.last_mut() {
                Some(last) if !last.is_last || chunk.pointer.is_empty() => last.append(chunk),
                _ if chunk.pointer.is_empty() => {} // silence before anything is said
                _ => utterances.push(chunk),
            }
        }
        let (mut scenes, mut start) = (Vec::new(), 0.0);
        for chunk in utterances {
            let scene = Scene::new(synthesizer, chunk, start)?;
            start += scene.length;
            scenes.push(scene);
        }
        Ok(Self { voice: synthesizer.voice().config.clone(), options: options.clone(), scenes })
    }

    fn samples(&self) -> Vec<f32> {
        self.scenes.iter().flat_map(|scene| scene.chunk.samples.iter().copied()).collect()
    }

    /// Seconds.
    fn length(&self) -> f64 {
        self.scenes.iter().map(|scene| scene.length).sum()
    }

    fn times(&self) -> StageTimes {
        self.scenes.iter().fold(StageTimes::default(), |mut sum, scene| {
            sum += scene.chunk.times;
            sum
        })
    }
}

impl Scene {
    fn new(synthesizer: &Synthesizer, chunk: Chunk, start: f64) -> Result<Self> {
        let config = &synthesizer.voice().config.codec;
        let (mel, pitch) = (spectrogram(config, &chunk.samples)?, no_grad(|| pitch(synthesizer, &chunk))?);
        let largest = (config.codebook_size - 1).max(1) as f64;
        let shade = |code: &i64| (*code as f64 / largest * 255.0) as u8;
        let codes = Grid { rows: chunk.codes.iter().map(|row| row.iter().map(shade).collect()).collect() };
        let timing = Timing::new(&chunk, config.frame_length() as f64 / config.sample_rate as f64);
        let length = chunk.samples.len() as f64 / config.sample_rate as f64;
        Ok(Self { chunk, timing, mel, codes, pitch, start, length })
    }
}

/// Log-mel spectrogram of samples at the codec's rate: a row a band, the highest first, a column a hop; 80 dB from black to white.
pub(crate) fn spectrogram(config: &CodecConfig, samples: &[f32]) -> Result<Grid> {
    no_grad(|| {
        let samples = Tensor::from_slice(samples).unsqueeze(0);
        let mel = LogMel::new(config, Device::Cpu).forward(&samples).squeeze_dim(0).flip([0]); // [n_mels, T]
        let loudest = mel.max();
        let shades = ((mel - loudest) / SHOWN_RANGE + 1.0).clamp(0.0, 1.0) * 255.0;
        Ok(Grid { rows: Vec::<Vec<u8>>::try_from(shades.to_kind(Kind::Uint8))? })
    })
}

/// The pitch that the decoder takes from the codes.
fn pitch(synthesizer: &Synthesizer, chunk: &Chunk) -> Result<Vec<f32>> {
    let (voice, frames) = (synthesizer.voice(), chunk.pointer.len() as i64);
    let codes = Tensor::from_slice(&chunk.codes.concat()).view([1, -1, frames]).to_device(voice.device); // [1, n_q, T]
    let spectra = voice.codec.decoder.spectra(&voice.codec.quantizer.decode(&codes));
    Ok(Vec::<f32>::try_from(spectra.pitch().view([-1]))?)
}
