//! Opus in Ogg (RFC 7845).

use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, Encoder as Opus, ErrorCode, SampleRate, Signal};

use super::{Encoder, Result};

/// Bits per second: beyond that, speech sounds no better.
const BIT_RATE: u32 = 40_000;
/// Packets a second, and the most bytes of one.
const PACKETS: u32 = 50;
const LONGEST_PACKET: usize = 4000;
/// Positions in the stream count at this rate, whatever that of the samples.
const GRANULE_RATE: u32 = 48_000;
/// Number of the one stream in the file.
const SERIAL: u32 = 1;

pub struct OggOpus {
    opus: Opus,
    ogg: PacketWriter<'static, Vec<u8>>,
    sample_rate: u32,
    /// Samples by which the codec is late, to be skipped by the player.
    delay: u32,
    /// Samples that wait until a packet is full.
    pending: Vec<f32>,
    taken: u64,
    packets: u64,
}

impl OggOpus {
    pub fn new(sample_rate: u32) -> Result<Self> {
        let rates =
            [SampleRate::Hz8000, SampleRate::Hz12000, SampleRate::Hz16000, SampleRate::Hz24000, SampleRate::Hz48000];
        let rate = rates.into_iter().find(|&r| r as u32 == sample_rate);
        let rate = rate.ok_or_else(|| format!("Opus has no rate of {sample_rate} Hz"))?;
        let mut opus = Opus::new(Channels::Mono, rate, Application::Audio).map_err(failed)?;
        opus.set_bitrate(Bitrate::Value(BIT_RATE)).map_err(failed)?;
        opus.set_signal(Signal::Voice).map_err(failed)?;
        let delay = opus.get_look_ahead().map_err(failed)?;
        let ogg = PacketWriter::new(Vec::new());
        Ok(Self { opus, ogg, sample_rate, delay, pending: Vec::new(), taken: 0, packets: 0 })
    }

    /// Samples of a packet.
    fn packet(&self) -> usize {
        (self.sample_rate / PACKETS) as usize
    }

    fn granule(&self, samples: u64) -> u64 {
        samples * u64::from(GRANULE_RATE / self.sample_rate)
    }

    fn head(&self) -> Vec<u8> {
        let skip = self.granule(u64::from(self.delay)) as u16;
        let mut head = b"OpusHead\x01\x01".to_vec(); // version, channels
        head.extend_from_slice(&skip.to_le_bytes());
        head.extend_from_slice(&self.sample_rate.to_le_bytes());
        head.extend_from_slice(&[0, 0, 0]); // gain, mapping of channels
        head
    }

    fn tags() -> Vec<u8> {
        let vendor = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        let length = (vendor.len() as u32).to_le_bytes();
        [b"OpusTags", &length[..], vendor.as_bytes(), &[0; 4]].concat()
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, granule: u64) -> Result<()> {
        self.ogg.write_packet(packet, SERIAL, end, granule).map_err(|e| format!("Ogg: {e}"))
    }

    /// Encodes the next packet; `last` is the position of the end of the sound, if it lies in this packet.
    fn encode_packet(&mut self, samples: &[f32], last: Option<u64>) -> Result<()> {
        let mut packet = vec![0; LONGEST_PACKET];
        let length = self.opus.encode_float_to_slice(samples, &mut packet).map_err(failed)?;
        packet.truncate(length);
        self.packets += 1;
        let position = last.unwrap_or(self.packets * samples.len() as u64);
        let end = match last {
            Some(_) => PacketWriteEndInfo::EndStream,
            None if self.packets.is_multiple_of(u64::from(PACKETS)) => PacketWriteEndInfo::EndPage,
            None => PacketWriteEndInfo::NormalPacket,
        };
        self.write(packet, end, self.granule(position))
    }
}

impl Encoder for OggOpus {
    fn start(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        self.write(self.head(), PacketWriteEndInfo::EndPage, 0)?;
        self.write(Self::tags(), PacketWriteEndInfo::EndPage, 0)?;
        bytes.append(self.ogg.inner_mut());
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()> {
        self.taken += samples.len() as u64;
        self.pending.extend_from_slice(samples);
        let whole = self.pending.len() / self.packet() * self.packet();
        let ready: Vec<f32> = self.pending.drain(..whole).collect();
        ready.chunks(self.packet()).try_for_each(|packet| self.encode_packet(packet, None))?;
        bytes.append(self.ogg.inner_mut());
        Ok(())
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let mut rest = std::mem::take(&mut self.pending);
        rest.resize((rest.len() + self.delay as usize).next_multiple_of(self.packet()), 0.0);
        let packets = rest.len() / self.packet();
        let end = self.taken + u64::from(self.delay);
        for (i, packet) in rest.chunks(self.packet()).enumerate() {
            self.encode_packet(packet, (i + 1 == packets).then_some(end))?;
        }
        bytes.append(self.ogg.inner_mut());
        Ok(())
    }
}

fn failed(error: ErrorCode) -> String {
    format!("Opus: {}", error.message())
}
