//! FLAC, block by block.

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, Stream, StreamInfo};
use flacenc::config;
use flacenc::encode_fixed_size_frame;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::{Encoder, Result};
use crate::audio::format::Depth;

/// Samples in a block.
const BLOCK: usize = 4096;

pub struct Flac {
    config: Verified<config::Encoder>,
    depth: Depth,
    info: StreamInfo,
    /// Counts and digests what was encoded.
    context: Context,
    block: FrameBuf,
    /// Samples that wait until a block is full.
    pending: Vec<i32>,
}

impl Flac {
    pub fn new(sample_rate: u32, depth: Depth) -> Result<Self> {
        let bits = usize::from(depth.bits());
        let mut info = StreamInfo::new(sample_rate as usize, 1, bits).map_err(failed)?;
        info.set_block_sizes(BLOCK, BLOCK).map_err(failed)?;
        info.set_frame_sizes(0, 0).map_err(failed)?; // unknown
        Ok(Self {
            config: config::Encoder::default().into_verified().map_err(|(_, e)| failed(e))?,
            depth,
            info,
            context: Context::new(bits, 1),
            block: FrameBuf::with_size(1, BLOCK).map_err(failed)?,
            pending: Vec::new(),
        })
    }

    fn encode_block(&mut self, samples: &[i32], bytes: &mut Vec<u8>) -> Result<()> {
        self.block.fill_interleaved(samples).map_err(failed)?;
        self.context.fill_interleaved(samples).map_err(failed)?;
        let number = self.context.current_frame_number().unwrap_or_default();
        let frame = encode_fixed_size_frame(&self.config, &self.block, number, &self.info).map_err(failed)?;
        write(&frame, bytes)
    }
}

impl Encoder for Flac {
    fn start(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        write(&Stream::with_stream_info(self.info.clone()), bytes)
    }

    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()> {
        self.pending.extend(samples.iter().map(|&s| self.depth.quantize(s)));
        let whole = self.pending.len() / BLOCK * BLOCK;
        let ready: Vec<i32> = self.pending.drain(..whole).collect();
        ready.chunks(BLOCK).try_for_each(|block| self.encode_block(block, bytes))
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let rest = std::mem::take(&mut self.pending);
        if rest.is_empty() { Ok(()) } else { self.encode_block(&rest, bytes) }
    }

    fn replace_start(&self) -> Result<Vec<u8>> {
        let mut info = self.info.clone();
        info.set_total_samples(self.context.total_samples());
        info.set_md5_digest(&self.context.md5_digest());
        let mut bytes = Vec::new();
        write(&Stream::with_stream_info(info), &mut bytes)?;
        Ok(bytes)
    }
}

fn write(component: &impl BitRepr, bytes: &mut Vec<u8>) -> Result<()> {
    let mut sink = ByteSink::new();
    component.write(&mut sink).map_err(failed)?;
    bytes.extend_from_slice(sink.as_slice());
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("FLAC: {error}")
}
