//! Utterances as the language models see them: codes, phoneme ids, the pointer's path. Codes are made once by the codec and
//! kept beside the corpus under the codec's fingerprint.

use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use rand::Rng;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::coarse::teacher_forced;
use super::corpus::{Corpus, Utterance, pick_alike};
use crate::checkpoint::Checkpoint;
use crate::coarse::{ADVANCES, CoarseModel};
use crate::codec::{Codec, CodecConfig, Encoder};
use crate::error::{Error, Result};
use crate::nn::aligned::{FramePath, stays};
use crate::text::Vocab;
use crate::voice::weights;

/// Utterances whose tokens are made plausible together, and rounds in which they are.
const PLAUSIBLE_BATCH: usize = 16;
const ROUNDS: usize = 8;
/// A token as far from the latent as the nearest one is on average is this many nats less likely by one: the lower, the more what
/// was heard counts. Of the phonemes in recordings of another voice than heart's, spoken from such tokens, 22 % are heard wrong (the tokens
/// as they were: 33 %; the recordings themselves: 25 %), and of 0.05, 0.2, 0.5 and 100 it keeps most of the melody.
const DOUBT: f64 = 0.2;

/// One utterance in tokens.
#[derive(Debug)]
pub struct TokenSequence {
    /// `BEGIN`, phonemes, `END`.
    pub phonemes: Vec<i64>,
    /// `[n_q, T]`, 16-bit.
    pub codes: Tensor,
    /// Phoneme that each frame speaks, `T` values.
    pub pointer: Vec<i64>,
    /// Speed at which it was spoken.
    pub speed: f64,
}

impl TokenSequence {
    pub fn frames(&self) -> usize {
        self.pointer.len()
    }
}

/// Token sequences of a corpus, and the codebooks that their codes stand for.
pub struct TokenCorpus {
    pub training: Vec<TokenSequence>,
    pub held_out: Vec<TokenSequence>,
    pub codebooks: Vec<Tensor>,
    pub codec: CodecConfig,
}

impl TokenCorpus {
    /// Opens the corpus `root` through the codec trained in the folder `run`; `report(done, all)` hears of encoding.
    pub fn open(
        root: &Path,
        run: &Path,
        config: &CodecConfig,
        device: Device,
        report: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let corpus = Corpus::open(root, config.sample_rate)?;
        let (codec, _) = load(run, config, device)?;
        let fingerprint = fingerprint(run, &codec)?;
        let cache = root.join(format!("codes-{fingerprint:016x}.safetensors"));
        let codes = if cache.exists() {
            Checkpoint::load(&cache)?
        } else {
            let codes = encode(&corpus, run, config, device, report)?;
            codes.save(&cache, None)?;
            codes
        };
        let sequences =
            |part: &[Utterance]| part.iter().map(|u| sequence(u, &codes, config, &cache)).collect::<Result<_>>();
        let codebooks = codec.quantizer.codebooks().iter().map(Tensor::detach).collect();
        Ok(Self {
            training: sequences(&corpus.training)?,
            held_out: sequences(&corpus.held_out)?,
            codebooks,
            codec: config.clone(),
        })
    }

    /// Replaces the tokens of codebook 0 by those that explain what was heard as speech of the voice that `model` knows: a codec hears
    /// the speech of others as that of its own voice, said badly. Each is the likeliest one by its distance from the latent and
    /// by what the model expects after the others; `report(done, all)` hears of each utterance.
    pub fn make_plausible(&mut self, model: &CoarseModel, device: Device, report: &mut dyn FnMut(usize, usize)) {
        let mut sequences: Vec<&mut TokenSequence> = self.training.iter_mut().chain(&mut self.held_out).collect();
        sequences.sort_by_key(|s| s.frames());
        let (mut done, all) = (0, sequences.len());
        for some in sequences.chunks_mut(PLAUSIBLE_BATCH) {
            let batch = TokenBatch::new(&some.iter().map(|s| &**s).collect::<Vec<_>>(), device);
            let tokens = no_grad(|| plausible(model, &batch, &self.codebooks)).to_kind(Kind::Int16);
            for (row, sequence) in some.iter_mut().enumerate() {
                let frames = sequence.frames() as i64;
                sequence.codes = sequence.codes.copy();
                sequence.codes.get(0).copy_(&tokens.get(row as i64).narrow(0, 0, frames));
            }
            done += some.len();
            report(done, all);
        }
    }

    /// Training sequences of similar length with at most `frames` frames, padding included.
    pub fn pick(&self, frames: usize, rng: &mut impl Rng) -> Vec<&TokenSequence> {
        pick_alike(&self.training, TokenSequence::frames, frames, rng)
    }
}

/// Padded tensors of several sequences.
pub struct TokenBatch {
    /// `[B, S]`
    pub phonemes: Tensor,
    /// `[B]`
    pub phoneme_lengths: Tensor,
    /// `[B, n_q, T]`
    pub codes: Tensor,
    /// Of every frame.
    pub path: FramePath,
    /// Where the pointer goes after each frame, minus where it is: `0..ADVANCES`, `[B, T]`.
    pub advance: Tensor,
    /// `[B]`
    pub frame_lengths: Tensor,
    /// 1 where a frame is real, `[B, T]`.
    pub mask: Tensor,
    /// `[B]`
    pub log_speed: Tensor,
}

impl TokenBatch {
    pub fn new(sequences: &[&TokenSequence], device: Device) -> Self {
        let longest = sequences.iter().map(|s| s.frames()).max().unwrap_or(0);
        let symbols = sequences.iter().map(|s| s.phonemes.len()).max().unwrap_or(0);
        let rows = |row: &dyn Fn(&TokenSequence) -> Vec<i64>, width: usize| {
            let mut flat = Vec::with_capacity(sequences.len() * width);
            for s in sequences {
                let start = flat.len();
                flat.extend(row(s));
                flat.resize(start + width, 0);
            }
            Tensor::from_slice(&flat).view([-1, width as i64]).to_device(device)
        };
        let column = |value: &dyn Fn(&TokenSequence) -> i64| {
            Tensor::from_slice(&sequences.iter().map(|s| value(s)).collect::<Vec<_>>()).to_device(device)
        };
        let codes: Vec<Tensor> = sequences
            .iter()
            .map(|s| s.codes.to_kind(Kind::Int64).constant_pad_nd([0, (longest - s.frames()) as i64]))
            .collect();
        let frame_lengths = column(&|s| s.frames() as i64);
        let position = Tensor::arange(longest as i64, (Kind::Int64, device));
        let speeds: Vec<f32> = sequences.iter().map(|s| s.speed.ln() as f32).collect();
        Self {
            phonemes: rows(&|s| s.phonemes.clone(), symbols),
            phoneme_lengths: column(&|s| s.phonemes.len() as i64),
            codes: Tensor::stack(&codes, 0).to_device(device),
            path: FramePath {
                pointer: rows(&|s| s.pointer.clone(), longest),
                since: rows(&|s| stays(&s.pointer).0, longest),
                until: rows(&|s| stays(&s.pointer).1, longest),
            },
            advance: rows(&|s| advances(&s.pointer, s.phonemes.len()), longest),
            mask: position.unsqueeze(0).lt_tensor(&frame_lengths.unsqueeze(1)).to_kind(Kind::Float),
            frame_lengths,
            log_speed: Tensor::from_slice(&speeds).to_device(device),
        }
    }

    /// Mean of `values` `[B, T]` over the real frames.
    pub fn mean(&self, values: &Tensor) -> Tensor {
        (values * &self.mask).sum(Kind::Float) / self.mask.sum(Kind::Float)
    }

    /// Codes of one level, `[B, T]`.
    pub fn level(&self, level: i64) -> Tensor {
        self.codes.select(1, level)
    }
}

/// Tokens `[B, T]` that are near the latents of a batch's codes and that `model` expects beside each other.
fn plausible(model: &CoarseModel, batch: &TokenBatch, codebooks: &[Tensor]) -> Tensor {
    let heard = latent(&batch.codes, codebooks, batch.codes.size()[1]);
    let far = Tensor::cdist(&heard, &codebooks[0].unsqueeze(0), 2.0, None::<i64>).square(); // [B, T, V]
    let nearest = batch.mean(&far.amin([2i64].as_slice(), false));
    let likelihood = -far / (nearest * DOUBT);
    let mut tokens = batch.level(0);
    for _ in 0..ROUNDS {
        let expected = model.token_logits(&teacher_forced(model, batch, &tokens)).log_softmax(-1, Kind::Float);
        tokens = (&likelihood + expected.narrow(2, 0, likelihood.size()[2])).argmax(-1, false);
    }
    tokens
}

/// Cross entropy of each frame, `[B, T]`, from logits `[B, T, V]`.
pub fn frame_cross_entropy(logits: &Tensor, target: &Tensor) -> Tensor {
    let (batch, frames) = target.size2().unwrap_or_default();
    let flat = logits.to_kind(Kind::Float).reshape([batch * frames, -1]);
    let none = None::<&Tensor>;
    flat.cross_entropy_loss(&target.reshape([-1]), none, tch::Reduction::None, -100, 0.0).view([batch, frames])
}

/// The sum of the vectors of the first `levels` levels of codes `[B, K, T]`, `[B, T, D]`.
pub fn latent(codes: &Tensor, codebooks: &[Tensor], levels: i64) -> Tensor {
    let vector = |k: i64| Tensor::embedding(&codebooks[k as usize], &codes.select(1, k), -1, false, false);
    (1..levels).fold(vector(0), |sum, k| sum + vector(k))
}

/// Random entries of `codes` replaced by random ones, each with probability `rate`.
pub fn nudge(codes: &Tensor, rate: f64, codebook_size: i64) -> Tensor {
    let random = Tensor::randint_like(codes, codebook_size);
    let chosen = Tensor::rand(codes.size(), (Kind::Float, codes.device())).lt(rate);
    random.where_self(&chosen, codes)
}

/// How far the pointer moves after each frame of its path over `symbols` symbols.
pub(super) fn advances(path: &[i64], symbols: usize) -> Vec<i64> {
    let next = path[1..].iter().copied().chain([symbols as i64]);
    path.iter().zip(next).map(|(&here, next)| (next - here).min(ADVANCES - 1)).collect()
}

/// The phoneme at the middle of each frame; it starts at the first and never moves faster than the model can.
pub(super) fn pointer_path(utterance: &Utterance, frames: usize, frame_rate: f64) -> Vec<i64> {
    let mut here = 0;
    let path = utterance.symbols_at(frames, 1.0 / frame_rate).enumerate().map(|(t, spoken)| {
        here = if t == 0 { 0 } else { (spoken as i64).min(here + ADVANCES - 1) };
        here
    });
    path.collect()
}

fn sequence(utterance: &Utterance, codes: &Checkpoint, config: &CodecConfig, cache: &Path) -> Result<TokenSequence> {
    let codes = codes.tensors.get(&utterance.id);
    let codes = codes.ok_or_else(|| Error::weights(cache, format!("lacks utterance {}; remove it", utterance.id)))?;
    Ok(TokenSequence {
        phonemes: Vocab::encode_utterance(&utterance.phonemes)?,
        codes: codes.shallow_clone(),
        pointer: pointer_path(utterance, codes.size()[1] as usize, config.frame_rate()),
        speed: utterance.speed.unwrap_or(1.0),
    })
}

/// A codec and its encoder, for one thread.
fn load(run: &Path, config: &CodecConfig, device: Device) -> Result<(Codec, Encoder)> {
    let (mut vs, mut encoder_vs) = (VarStore::new(device), VarStore::new(device));
    let codec = Codec::new(vs.root(), config);
    let encoder = Encoder::new(encoder_vs.root() / "encoder", config);
    vs.freeze();
    encoder_vs.freeze();
    weights::load(run, "codec", &vs)?;
    weights::load(run, "encoder", &encoder_vs)?;
    Ok((codec, encoder))
}

/// Codes of every utterance, `[n_q, T]` by id, made by one worker a thread: threads within so small an operation gain little.
fn encode(
    corpus: &Corpus,
    run: &Path,
    config: &CodecConfig,
    device: Device,
    report: &mut dyn FnMut(usize, usize),
) -> Result<Checkpoint> {
    let utterances: Vec<&Utterance> = corpus.training.iter().chain(&corpus.held_out).collect();
    let threads = tch::get_num_threads();
    let workers = if device.is_cuda() { 1 } else { threads.max(1) as usize };
    let next = AtomicUsize::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    let work = |sender: Sender<(usize, Tensor)>| -> Result<()> {
        tch::set_num_threads(1);
        let (codec, encoder) = load(run, config, device)?;
        while let Some((index, utterance)) =
            Some(next.fetch_add(1, Relaxed)).and_then(|i| Some((i, utterances.get(i)?)))
        {
            let samples = corpus.segment(utterance, 0, utterance.samples)?;
            let samples = Tensor::from_slice(&samples).unsqueeze(0).to_device(device);
            let codes = no_grad(|| codec.encode(&encoder, &samples)).squeeze_dim(0);
            if sender.send((index, codes.to_kind(Kind::Int16).to_device(Device::Cpu))).is_err() {
                break; // nobody listens any more
            }
        }
        Ok(())
    };
    let mut codes = Checkpoint::default();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn({
                    let sender = sender.clone();
                    || work(sender)
                })
            })
            .collect();
        drop(sender);
        for (index, row) in receiver {
            codes.tensors.insert(utterances[index].id.clone(), row);
            report(codes.tensors.len(), utterances.len());
        }
        handles.into_iter().try_for_each(|h| h.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    tch::set_num_threads(threads);
    Ok(codes)
}

/// Of what the codes depend on: the encoder and the codebooks.
fn fingerprint(run: &Path, codec: &Codec) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    let (whole, adapter) = weights::files(run, "encoder")?;
    for path in [whole].into_iter().chain(adapter) {
        hasher.write(&std::fs::read(&path).map_err(Error::io(&path))?);
    }
    hasher.write_u64(codec.quantizer.fingerprint());
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coarse::CoarseConfig;
    use crate::nn::transformer::TransformerConfig;

    #[test]
    fn tokens_are_near_what_was_heard_and_what_is_expected() {
        let vs = VarStore::new(Device::Cpu);
        let trunk = TransformerConfig { dim: 8, layers: 1, heads: 1, hidden: 8 };
        let model = CoarseModel::new(
            vs.root(),
            &CoarseConfig {
                symbols: Vocab::len(),
                codebook_size: 4,
                window: 4,
                max_stay: 4,
                encoder: trunk.clone(),
                decoder: trunk,
            },
        );
        // What the model expects is its bias alone, whatever it was told.
        let mut variables = vs.variables();
        let mut variable = |name: &str| variables.remove(name).unwrap_or_default();
        let (mut weight, mut bias) = (variable("head.weight"), variable("head.bias"));
        let _ = no_grad(|| weight.zero_());
        // Codes 0 and 1 are near to each other, 2 and 3 far away.
        let codebook = Tensor::from_slice(&[0.0f32, 1.0, 50.0, -50.0]).view([4, 1]);
        let residual = Tensor::full([4, 1], 0.4, (Kind::Float, Device::Cpu));
        let sequence = |tokens: [i16; 3]| TokenSequence {
            phonemes: vec![Vocab::BEGIN, Vocab::END],
            codes: Tensor::stack(&[Tensor::from_slice(&tokens), Tensor::zeros([3], (Kind::Int16, Device::Cpu))], 0),
            pointer: vec![0, 0, 1],
            speed: 1.0,
        };
        let mut made = |expected: i64| {
            let _ = no_grad(|| bias.zero_().get(expected).fill_(8.0));
            let (training, held_out) = (vec![sequence([0, 1, 2]), sequence([3, 0, 2])], vec![]);
            let codebooks = vec![codebook.shallow_clone(), residual.shallow_clone()];
            let mut corpus = TokenCorpus { training, held_out, codebooks, codec: config() };
            let mut done = 0;
            corpus.make_plausible(&model, Device::Cpu, &mut |now, _| done = now);
            assert_eq!(done, 2);
            let codes = |level: i64| {
                corpus.training.iter().map(move |s| Vec::<i64>::try_from(s.codes.get(level)).unwrap_or_default())
            };
            assert!(codes(1).all(|codes| codes == [0, 0, 0]), "only codebook 0 is replaced");
            codes(0).collect::<Vec<_>>()
        };
        assert_eq!(made(1), [[1, 1, 2], [3, 1, 2]]);
        assert_eq!(made(0), [[0, 1, 2], [3, 0, 2]]);
    }

    fn config() -> CodecConfig {
        CodecConfig {
            sample_rate: 8000,
            hop_length: 100,
            frame_stride: 4,
            n_fft: 400,
            n_mels: 20,
            encoder_dim: 8,
            encoder_fast_layers: 1,
            encoder_slow_layers: 1,
            latent_dim: 1,
            n_q: 2,
            codebook_size: 4,
            decoder_slow_dim: 8,
            decoder_slow_layers: 1,
            decoder_fast_dim: 8,
            decoder_fast_layers: 1,
        }
    }
}
