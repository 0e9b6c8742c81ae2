//! Recordings in the formats that people have them in: WAV, FLAC, MP3, and Opus in Ogg. Mono in memory.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ogg::PacketReader;
use opusic_c::{Channels, Decoder as Opus, SampleRate};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::TrackType;
use symphonia::core::io::MediaSourceStream;

use super::wav::{self, Audio};
use crate::error::{Error, Result};

/// Endings of files that [`read`] understands.
pub const ENDINGS: [&str; 5] = ["wav", "flac", "mp3", "opus", "ogg"];

/// Rate that Opus is decoded at, and that its positions count in.
const OPUS_RATE: u32 = 48_000;
/// Samples of the longest packet that Opus knows: 120 ms.
const LONGEST_PACKET: usize = OPUS_RATE as usize * 120 / 1000;

/// Reads a whole file, whatever its name says; several channels are averaged.
pub fn read(path: &Path) -> Result<Audio> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut magic = Vec::new();
    file.by_ref().take(4).read_to_end(&mut magic).map_err(Error::io(path))?;
    file.rewind().map_err(Error::io(path))?;
    match magic.as_slice() {
        b"RIFF" => wav::read(path),
        b"OggS" => opus(file).map_err(|e| Error::audio(path, format!("expected Opus in Ogg: {e}"))),
        _ => other(file).map_err(|e| Error::audio(path, format!("expected WAV, FLAC, MP3 or Opus in Ogg: {e}"))),
    }
}

/// Opus in Ogg (RFC 7845).
fn opus(file: File) -> std::result::Result<Audio, String> {
    let mut packets = PacketReader::new(BufReader::new(file));
    let head = packets.read_packet_expected().map_err(|e| e.to_string())?.data;
    if head.len() < 19 || !head.starts_with(b"OpusHead") {
        return Err("the stream holds something else".into());
    }
    let skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
    packets.read_packet_expected().map_err(|e| e.to_string())?; // tags
    let mut decoder = Opus::new(Channels::Mono, SampleRate::Hz48000).map_err(|e| e.message().to_string())?;
    let (mut samples, mut piece, mut end) = (Vec::new(), vec![0.0; LONGEST_PACKET], 0);
    while let Some(packet) = packets.read_packet().map_err(|e| e.to_string())? {
        let count = decoder.decode_float_to_slice(&packet.data, &mut piece, false);
        samples.extend_from_slice(&piece[..count.map_err(|e| e.message().to_string())?]);
        end = packet.absgp_page() as usize;
    }
    samples.truncate(end);
    samples.drain(..skip.min(samples.len()));
    Ok(Audio { samples, sample_rate: OPUS_RATE })
}

/// What Symphonia reads.
fn other(file: File) -> std::result::Result<Audio, String> {
    let source = MediaSourceStream::new(Box::new(file), Default::default());
    let probe = symphonia::default::get_probe();
    let reader = probe.probe(&Default::default(), source, Default::default(), Default::default());
    let mut reader = reader.map_err(|e| e.to_string())?;
    let track = reader.default_track(TrackType::Audio).ok_or("no sound in it")?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or("no sound in it")?.clone();
    let sample_rate = parameters.sample_rate.ok_or("it does not say its rate")?;
    let codecs = symphonia::default::get_codecs();
    let decoder = codecs.make_audio_decoder(&parameters, &AudioDecoderOptions::default());
    let mut decoder = decoder.map_err(|e| e.to_string())?;
    let (mut samples, mut piece) = (Vec::new(), Vec::<f32>::new());
    while let Some(packet) = reader.next_packet().map_err(|e| e.to_string())? {
        let buffer = decoder.decode(&packet).map_err(|e| e.to_string())?;
        let channels = buffer.spec().channels().count().max(1);
        buffer.copy_to_vec_interleaved(&mut piece);
        samples.extend(piece.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
    }
    Ok(Audio { samples, sample_rate })
}
