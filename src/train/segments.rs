//! Segments of speech that a decoder learns from, and how far its spectra are from theirs.

use rand::{Rng, RngExt};
use tch::{Device, Kind, Tensor};

use super::corpus::{Corpus, Utterance};
use super::distillation::{self, Target};
use crate::codec::{CodecConfig, Decoder, F0_MIN, LogMel, Spectra};
use crate::error::{Error, Result};
use crate::nn::stft::{Stft, magnitude, mel_filters};
use crate::shim::autocast_bf16;

/// Weights of the loss terms.
const MEL: f64 = 1.0;
/// Small: an L1 distance has a steep gradient however close the pitch, and the trunk is shared.
const PITCH: f64 = 0.3;
/// Utterances whose middles are held out.
const HELD_OUT: usize = 24;

/// Segments of speech, their pitch and, if the corpus holds them, the teacher's spectra.
pub struct Batch {
    /// `[B, N]`
    pub samples: Tensor,
    /// Hz, 0 where unvoiced, `[B, T]`.
    pub f0: Tensor,
    spectra: Option<Target>,
}

/// Where segments come from, all equally long.
pub struct Segments<'a> {
    corpus: &'a Corpus,
    config: CodecConfig,
    frames: i64,
    bf16: bool,
    device: Device,
    loss: SpectralLoss,
    colour: Colour,
}

impl<'a> Segments<'a> {
    /// Segments of `frames` token frames.
    pub fn new(corpus: &'a Corpus, config: &CodecConfig, frames: i64, bf16: bool, device: Device) -> Result<Self> {
        if corpus.has_spectra() {
            distillation::check(config).map_err(Error::Training)?;
        }
        let (loss, colour) = (SpectralLoss::new(config, device), Colour::new(config, device));
        Ok(Self { corpus, config: config.clone(), frames, bf16, device, loss, colour })
    }

    /// Samples in a segment.
    pub fn length(&self) -> u32 {
        (self.frames * self.config.frame_length()) as u32
    }

    /// `count` training segments, each at a multiple of the codec's hop.
    pub fn random(&self, count: usize, rng: &mut impl Rng) -> Result<Batch> {
        let hop = self.config.hop_length as u32;
        let rows = (0..count).map(|_| {
            let utterance = self.corpus.pick(rng);
            (utterance, rng.random_range(0..=utterance.samples.saturating_sub(self.length()) / hop) * hop)
        });
        self.collate(&rows.collect::<Vec<_>>())
    }

    /// The middles of some held-out utterances.
    pub fn held_out(&self) -> Result<Batch> {
        let hop = self.config.hop_length as u32;
        let middle = |u: &Utterance| u.samples.saturating_sub(self.length()) / 2 / hop * hop;
        let rows: Vec<_> = self.corpus.held_out.iter().take(HELD_OUT).map(|u| (u, middle(u))).collect();
        self.collate(&rows)
    }

    /// Segments of utterances from these samples on.
    pub fn collate(&self, rows: &[(&Utterance, u32)]) -> Result<Batch> {
        let (hop, rate) = (self.config.hop_length as f64, self.config.sample_rate as f64);
        let len = self.length();
        let hops = len as usize / hop as usize;
        let distills = self.corpus.has_spectra();
        let frame_bytes = distillation::PARTS * (self.config.n_fft as usize / 2 + 1);
        let (mut samples, mut f0, mut spectra) = (Vec::new(), Vec::new(), Vec::new());
        for &(utterance, start) in rows {
            samples.extend(self.corpus.segment(utterance, start, len)?);
            let pitch = |t: usize| utterance.f0_at((f64::from(start) + (t as f64 + 0.5) * hop) / rate);
            f0.extend((0..hops).map(pitch).map(|hz| if hz < F0_MIN as f32 { 0.0 } else { hz }));
            if distills {
                let first = u64::from(start) / hop as u64 * frame_bytes as u64;
                spectra.extend(self.corpus.spectra(utterance, first, hops * frame_bytes)?);
            }
        }
        let tensor = |x: &[f32]| Tensor::from_slice(x).view([rows.len() as i64, -1]).to_device(self.device);
        let target = || Target::from_bytes(&spectra, hops as i64, &self.config, self.device);
        Ok(Batch { samples: tensor(&samples), f0: tensor(&f0), spectra: distills.then(target) })
    }

    /// What latents `[B, D, T]` decode to, and how far its spectra are from the true ones: from the teacher's where the corpus holds
    /// them, else from the waveform's.
    pub fn spectral(&self, decoder: &Decoder, latent: &Tensor, batch: &Batch) -> Result<(Spectra, Tensor)> {
        if let Some(target) = &batch.spectra {
            let spectra = autocast_bf16(self.device, self.bf16, || decoder.spectra(latent))?;
            let loss = target.loss(&spectra, &batch.f0, &self.config);
            return Ok((spectra, loss));
        }
        let (spectra, samples) = self.decode(decoder, latent, batch)?;
        Ok((spectra, self.of_waveforms(&samples, batch)))
    }

    /// What latents `[B, D, T]` of another speaker's words decode to, and how far its colour is from that of a batch. Only the
    /// magnitudes can follow: phases that are learnt from few recordings sound rough.
    pub fn coloured(&self, decoder: &Decoder, latent: &Tensor, batch: &Batch) -> Result<(Spectra, Tensor)> {
        let spectra = autocast_bf16(self.device, self.bf16, || decoder.spectra(latent))?.with_fixed_phases();
        let samples = self.sound(decoder, &spectra, batch)?;
        Ok((spectra, self.colour.distance(&samples, &batch.samples)))
    }

    /// Distance of samples `[B, N]` from the true ones.
    pub fn of_waveforms(&self, samples: &Tensor, batch: &Batch) -> Tensor {
        self.loss.forward(samples, &batch.samples)
    }

    /// Spectra and samples, the pulses following the true pitch.
    pub fn decode(&self, decoder: &Decoder, latent: &Tensor, batch: &Batch) -> Result<(Spectra, Tensor)> {
        let spectra = autocast_bf16(self.device, self.bf16, || decoder.spectra(latent))?;
        let samples = self.sound(decoder, &spectra, batch)?;
        Ok((spectra, samples))
    }

    fn sound(&self, decoder: &Decoder, spectra: &Spectra, batch: &Batch) -> Result<Tensor> {
        let (rows, hops) = batch.f0.size2()?;
        let noise = Tensor::randn(decoder.noise_shape(rows, hops), (Kind::Float, self.device));
        Ok(decoder.synthesize(spectra, &decoder.phase(&batch.f0), &batch.f0, &noise))
    }
}

/// L1 distance of logarithmic pitch where voiced (weighted by loudness if it is known: pitch is vague where the voice fades),
/// and the cross entropy of voicing.
pub fn pitch_losses(spectra: &Spectra, batch: &Batch) -> (Tensor, Tensor) {
    let voiced = batch.f0.gt(0.0).to_kind(Kind::Float);
    let weight = batch.spectra.as_ref().map_or_else(|| voiced.shallow_clone(), |target| target.voice() * &voiced);
    let distance = (spectra.f0.log() - batch.f0.clamp_min(1.0).log()).abs() * &weight;
    let pitch = distance.sum(Kind::Float) / weight.sum(Kind::Float).clamp_min(1.0);
    let none = None::<&Tensor>;
    let voicing = spectra.voicing.binary_cross_entropy_with_logits(&voiced, none, none, tch::Reduction::Mean);
    (pitch * PITCH, voicing)
}

/// Distance of waveforms in log and linear STFT magnitudes at three resolutions, and in log-mel.
struct SpectralLoss {
    stfts: Vec<Stft>,
    mel: LogMel,
}

impl SpectralLoss {
    /// Added to magnitudes before the logarithm.
    const FLOOR: f64 = 1e-2;

    fn new(config: &CodecConfig, device: Device) -> Self {
        let stfts = [512, 1024, 2048].map(|n_fft| Stft::new(n_fft, n_fft / 4, device));
        Self { stfts: stfts.into(), mel: LogMel::new(config, device) }
    }

    /// Both `[B, N]`; a scalar.
    fn forward(&self, output: &Tensor, target: &Tensor) -> Tensor {
        let l1 = |a: &Tensor, b: &Tensor| (a - b).abs().mean(Kind::Float);
        let terms = self.stfts.iter().map(|stft| {
            let (a, b) = (magnitude(&stft.forward(output)), magnitude(&stft.forward(target)));
            l1(&(&a + Self::FLOOR).log(), &(&b + Self::FLOOR).log()) + l1(&a, &b) / b.mean(Kind::Float).clamp_min(1e-3)
        });
        let stft = Tensor::stack(&terms.collect::<Vec<_>>(), 0).mean(Kind::Float);
        stft + l1(&self.mel.forward(output), &self.mel.forward(target)) * MEL
    }
}

/// Log-mel magnitudes at three resolutions, of what is loud.
struct Colour {
    scales: Vec<(Stft, Tensor)>,
}

impl Colour {
    /// Magnitudes below this are silence: rooms are not part of a voice.
    const FLOOR: f64 = 0.3;

    fn new(config: &CodecConfig, device: Device) -> Self {
        let scale = |n_fft: i64, mels: i64| {
            (Stft::new(n_fft, n_fft / 4, device), mel_filters(config.sample_rate, n_fft, mels, device))
        };
        Self { scales: vec![scale(512, 40), scale(1024, 80), scale(2048, 120)] }
    }

    /// Mean L1 distance of samples `[B, N]`; a scalar.
    fn distance(&self, output: &Tensor, target: &Tensor) -> Tensor {
        let terms = self.scales.iter().map(|(stft, filters)| {
            let log_mel = |x: &Tensor| (magnitude(&stft.forward(x)).matmul(filters) + Self::FLOOR).log();
            (log_mel(output) - log_mel(target)).abs().mean(Kind::Float)
        });
        Tensor::stack(&terms.collect::<Vec<_>>(), 0).mean(Kind::Float)
    }
}
