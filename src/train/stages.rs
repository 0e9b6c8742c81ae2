//! The same utterances through more and more of a voice's models: what is lost where can be heard and measured.

use std::fs;
use std::path::Path;

use tch::{Tensor, no_grad};

use super::corpus::{Corpus, Utterance};
use super::tokens::pointer_path;
use crate::atomic_file::write_atomically;
use crate::audio::loudness::amplitude;
use crate::audio::wav::{self, Audio};
use crate::codec::Encoder;
use crate::error::{Error, Result};
use crate::synthesizer::refining::refine;
use crate::synthesizer::{SpeechOptions, Synthesizer};
use crate::text::Vocab;

/// Writes the first `count` utterances of `corpus`, those that are held out before the others, into folders of `dir`: `corpus` (as they
/// are), `codec` (copy synthesis), `fine` (true coarse codes, predicted fine ones), and for each temperature `all-TEMPERATURE`
/// (everything predicted from the text); and `list.tsv` with their texts. `report(done, all)` hears of each utterance.
pub fn speak(
    synthesizer: &Synthesizer,
    corpus: &Corpus,
    count: usize,
    temperatures: &[f64],
    dir: &Path,
    report: &mut dyn FnMut(usize, usize),
) -> Result<()> {
    let voice = synthesizer.voice();
    let encoder = voice.encoder()?;
    let gain = amplitude(voice.config.gain_db());
    let write = |stage: &str, utterance: &Utterance, samples: Vec<f32>| {
        let folder = dir.join(stage);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let audio = Audio { samples, sample_rate: synthesizer.sample_rate() };
        wav::write(&folder.join(format!("{}.wav", utterance.id)), &audio)
    };
    let louder = |samples: Vec<f32>| samples.into_iter().map(|x| x * gain).collect();
    let some: Vec<&Utterance> = corpus.held_out.iter().chain(&corpus.training).take(count).collect();
    for (index, utterance) in some.iter().enumerate() {
        let samples = corpus.segment(utterance, 0, utterance.samples)?;
        let [copied, refined] = no_grad(|| codes(synthesizer, &encoder, utterance, &samples))?;
        write("corpus", utterance, louder(samples))?;
        write("codec", utterance, louder(voice.codec.decode(&copied, 0)?))?;
        write("fine", utterance, louder(voice.codec.decode(&refined, 0)?))?;
        for &temperature in temperatures {
            let mut options = SpeechOptions { paragraph_pause: 0.0, ..SpeechOptions::default() };
            options.sampling.temperature = temperature;
            let spoken = synthesizer.samples(&utterance.text, &options)?;
            write(&format!("all-{temperature}"), utterance, spoken)?;
        }
        report(index + 1, some.len());
    }
    let list: String = some.iter().map(|u| format!("{}\t{}\n", u.id, u.text)).collect();
    write_atomically(&dir.join("list.tsv"), list.as_bytes())
}

/// The codes of an utterance, `[1, n_q, T]`: its own, and its own of codebook 0 with the others predicted.
fn codes(synthesizer: &Synthesizer, encoder: &Encoder, utterance: &Utterance, samples: &[f32]) -> Result<[Tensor; 2]> {
    let voice = synthesizer.voice();
    let row = |ids: &[i64]| Tensor::from_slice(ids).unsqueeze(0).to_device(voice.device);
    let codes = voice.codec.encode(encoder, &Tensor::from_slice(samples).unsqueeze(0).to_device(voice.device));
    let tokens = Vec::<i64>::try_from(codes.select(1, 0).squeeze_dim(0))?;
    let path = pointer_path(utterance, tokens.len(), voice.config.codec.frame_rate());
    let phonemes = voice.fine.phonemes(&row(&Vocab::encode_utterance(&utterance.phonemes)?), None);
    let passes = SpeechOptions::default().nar_steps;
    let refined = refine(voice, &phonemes, &tokens, &path, passes, 0..tokens.len() as i64);
    Ok([codes, refined])
}
