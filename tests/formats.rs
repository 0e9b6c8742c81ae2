//! What was written is read again by other decoders.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::fs;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use opusic_c::{Channels, Decoder, SampleRate};
use symphonia::core::codecs::audio::{AudioDecoderOptions, FinalizeResult};
use symphonia::core::formats::TrackType;
use symphonia::core::io::MediaSourceStream;
use tempfile::TempDir;
use tts::atomic_file::AtomicFile;
use tts::audio::format::{Depth, Encoding, Format};
use tts::audio::limiter::CEILING;
use tts::audio::sink::{EncodedSink, Gain, Poured, Sink, pour};
use tts::audio::wav;

/// A tone that swells, with its second harmonic.
fn sound(sample_rate: u32, count: usize) -> Vec<f32> {
    let angle = |i: usize| TAU * 300.0 * i as f64 / f64::from(sample_rate);
    let loudness = |i: usize| 0.6 * i as f64 / count as f64;
    (0..count).map(|i| (loudness(i) * (angle(i).sin() + 0.5 * (2.0 * angle(i)).sin())) as f32).collect()
}

/// Writes the samples, in uneven pieces, into a file.
fn file(format: Format, depth: Option<Depth>, sample_rate: u32, samples: &[f32]) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("sound");
    let encoding = Encoding::new(format, depth, None).unwrap();
    let file = AtomicFile::create(&path).unwrap();
    let mut sink = EncodedSink::file(&path, file, encoding, sample_rate).unwrap();
    assert_eq!(sink.sample_rate(), sample_rate);
    samples.chunks(777).for_each(|piece| sink.push(piece).unwrap());
    assert!(!path.exists());
    sink.finish().unwrap();
    fs::read(&path).unwrap()
}

#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stream(format: Format, depth: Option<Depth>, sample_rate: u32, samples: &[f32]) -> Vec<u8> {
    let pipe = Pipe::default();
    let encoding = Encoding::new(format, depth, None).unwrap();
    let mut sink = EncodedSink::stream("pipe", Box::new(pipe.clone()), encoding, sample_rate).unwrap();
    samples.chunks(777).for_each(|piece| sink.push(piece).unwrap());
    sink.finish().unwrap();
    pipe.0.lock().unwrap().clone()
}

/// Samples, rate and, where the format has a digest, whether it is right: by Symphonia.
fn decoded(bytes: Vec<u8>) -> (Vec<f32>, u32, FinalizeResult) {
    decoded_with(AudioDecoderOptions::default().verify(true), bytes)
}

fn decoded_with(options: AudioDecoderOptions, bytes: Vec<u8>) -> (Vec<f32>, u32, FinalizeResult) {
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let probe = symphonia::default::get_probe();
    let mut reader = probe.probe(&Default::default(), source, Default::default(), Default::default()).unwrap();
    let track = reader.default_track(TrackType::Audio).unwrap();
    let parameters = track.codec_params.as_ref().unwrap().audio().unwrap().clone();
    let mut decoder = symphonia::default::get_codecs().make_audio_decoder(&parameters, &options).unwrap();
    let (mut samples, mut piece) = (Vec::<f32>::new(), Vec::new());
    while let Some(packet) = reader.next_packet().unwrap() {
        let buffer = decoder.decode(&packet).unwrap();
        assert_eq!(buffer.spec().channels().count(), 1);
        buffer.copy_to_vec_interleaved(&mut piece);
        samples.append(&mut piece);
    }
    (samples, parameters.sample_rate.unwrap(), decoder.finalize())
}

fn quantized(depth: Depth, samples: &[f32]) -> Vec<f32> {
    let scale = 2f32.powi(i32::from(depth.bits()) - 1);
    samples.iter().map(|&s| depth.quantize(s) as f32 / scale).collect()
}

/// How much of `b` is the same as `a`, in decibels.
fn signal_to_noise(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let energy = |samples: &mut dyn Iterator<Item = f32>| samples.map(|s| s * s).sum::<f32>();
    let noise = energy(&mut a.iter().zip(b).map(|(a, b)| a - b));
    10.0 * (energy(&mut a.iter().copied()) / noise).log10()
}

#[test]
fn wav_and_raw_hold_every_sample_at_every_depth() {
    let dir = TempDir::new().unwrap();
    let samples = sound(22050, 10_001);
    for depth in Depth::ALL {
        let expected = if depth == Depth::Float { samples.clone() } else { quantized(depth, &samples) };
        let bytes = file(Format::Wav, Some(depth), 22050, &samples);
        let width = usize::from(depth.bits() / 8);
        assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
        assert_eq!(bytes.len() % 2, 0);
        fs::write(dir.path().join("a.wav"), &bytes).unwrap();
        let read = wav::read(&dir.path().join("a.wav")).unwrap();
        assert_eq!((read.sample_rate, read.samples), (22050, expected));
        let raw = file(Format::Raw, Some(depth), 22050, &samples);
        let header = bytes.len() - raw.len() - raw.len() % 2;
        assert_eq!((raw.len(), &raw[..]), (samples.len() * width, &bytes[header..header + raw.len()]));
    }
}

#[test]
fn a_wav_stream_is_the_file_but_for_its_sizes() {
    let samples = sound(22050, 3000);
    let (mut file, stream) = (file(Format::Wav, None, 22050, &samples), stream(Format::Wav, None, 22050, &samples));
    file[4..8].fill(0xff);
    file[40..44].fill(0xff);
    assert!(file == stream);
}

#[test]
fn flac_is_lossless_and_its_digest_right() {
    for depth in [Depth::Int16, Depth::Int24] {
        for count in [0, 1, 4096, 20_001] {
            let samples = sound(22050, count);
            let bytes = file(Format::Flac, Some(depth), 22050, &samples);
            let total = u32::from_be_bytes(bytes[22..26].try_into().unwrap());
            assert_eq!(total as usize, count);
            if count == 0 {
                continue; // nothing to decode
            }
            let (read, rate, result) = decoded(bytes);
            assert_eq!((rate, result.verify_ok), (22050, Some(true)));
            assert!(read == quantized(depth, &samples), "{count} samples of {depth:?}");
        }
    }
}

#[test]
fn a_flac_stream_of_unknown_length_holds_the_same_samples() {
    let samples = sound(16000, 10_000);
    let (read, rate, _) = decoded(stream(Format::Flac, None, 16000, &samples));
    assert_eq!(rate, 16000);
    assert!(read == quantized(Depth::Int16, &samples));
}

#[test]
fn mp3_keeps_the_sound_its_length_and_its_place() {
    for sample_rate in [8000, 16000, 22050, 24000, 44100, 48000] {
        let samples = sound(sample_rate, sample_rate as usize);
        let (read, rate, _) = decoded(file(Format::Mp3, None, sample_rate, &samples));
        assert_eq!(rate, sample_rate);
        let noise = signal_to_noise(&samples, &read);
        assert!(noise > 20.0, "{sample_rate} Hz: {noise} dB");
        // A stream cannot say by how much it is late: the encoder by 576 samples, the decoder by 529.
        let options = AudioDecoderOptions::default().gapless(false);
        let streamed = decoded_with(options, stream(Format::Mp3, None, sample_rate, &samples)).0;
        let noise = signal_to_noise(&samples, &streamed[1105..][..samples.len()]);
        assert!(noise > 20.0, "{sample_rate} Hz, streamed: {noise} dB");
    }
}

/// By the reference decoder, at 48 kHz, with the delay skipped and the end cut as the file says.
fn decoded_opus(bytes: Vec<u8>) -> Vec<f32> {
    let mut ogg = ogg::PacketReader::new(Cursor::new(bytes));
    let head = ogg.read_packet_expected().unwrap().data;
    assert_eq!((&head[..8], head[9]), (&b"OpusHead"[..], 1));
    let skip = u16::from_le_bytes([head[10], head[11]]) as usize;
    assert!(ogg.read_packet_expected().unwrap().data.starts_with(b"OpusTags"));
    let mut decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000).unwrap();
    let (mut samples, mut end) = (Vec::new(), None);
    while let Some(packet) = ogg.read_packet().unwrap() {
        let mut piece = vec![0.0; 5760];
        let count = decoder.decode_float_to_slice(&packet.data, &mut piece, false).unwrap();
        samples.extend_from_slice(&piece[..count]);
        assert!(end.is_none(), "the last packet is marked");
        end = packet.last_in_stream().then(|| packet.absgp_page() as usize);
    }
    samples[skip..end.unwrap()].to_vec()
}

#[test]
fn opus_keeps_the_sound_its_length_and_its_place() {
    for sample_rate in [8000, 16000, 24000, 48000] {
        let samples = sound(sample_rate, sample_rate as usize + 77);
        let bytes = file(Format::OggOpus, None, sample_rate, &samples);
        assert!(bytes == stream(Format::OggOpus, None, sample_rate, &samples));
        let read: Vec<f32> = decoded_opus(bytes).into_iter().step_by((48000 / sample_rate) as usize).collect();
        let noise = signal_to_noise(&samples, &read);
        assert!(noise > 15.0, "{sample_rate} Hz: {noise} dB");
    }
    assert!(decoded_opus(file(Format::OggOpus, None, 24000, &[])).is_empty());
}

#[test]
fn a_format_without_the_rate_of_the_voice_takes_the_next_that_it_has() {
    let rate = |format, chosen, source| Encoding::new(format, None, chosen).unwrap().sample_rate(source);
    assert_eq!(rate(Format::OggOpus, None, 22050), 24000);
    assert_eq!(rate(Format::OggOpus, None, 96000), 48000);
    assert_eq!(rate(Format::OggOpus, Some(16000), 22050), 16000);
    assert_eq!(rate(Format::Mp3, None, 22050), 22050);
    assert_eq!(rate(Format::Wav, None, 12345), 12345);
}

#[test]
fn what_is_poured_is_made_louder_resampled_and_limited_in_that_order() {
    let pipe = Pipe::default();
    let encoding = Encoding::new(Format::Raw, Some(Depth::Float), Some(48000)).unwrap();
    let sink = EncodedSink::stream("pipe", Box::new(pipe.clone()), encoding, 24000).unwrap();
    let blocks = [Ok(vec![0.25; 24000]), Ok(vec![0.75; 24000])];
    let poured = pour(blocks, 24000, Gain::decibels(20.0 * 2f64.log10()).unwrap(), sink).unwrap();
    let bytes = pipe.0.lock().unwrap();
    let samples: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    assert_eq!(samples.len(), 96000);
    assert!((samples[24000] - 0.5).abs() < 1e-3 && (samples[72000] - CEILING).abs() < 1e-4);
    assert!(samples.iter().all(|s| s.abs() < CEILING + 1e-4));
    let Poured { samples: count, limited } = poured;
    assert!(count == 96000 && (47_900..48_100).contains(&limited), "{limited} of {count}");
}
