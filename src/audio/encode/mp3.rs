//! MP3, by LAME.

use std::fmt::Display;
use std::num::NonZeroU32;

use mp3lame_encoder::{
    Builder, Encoder as Lame, FlushGap, Mode, MonoPcm, Quality, VbrMode, max_required_buffer_size,
};

use super::{Encoder, Result};

/// Most bytes that are still to come after the last sample, by LAME's own word.
const LAST_BYTES: usize = 7200;
/// Samples that are encoded at a time.
const BLOCK: usize = 8192;

pub struct Mp3 {
    lame: Lame,
}

impl Mp3 {
    /// A file begins with a tag that says how long it is; on a pipe it would stay empty.
    pub fn new(sample_rate: u32, in_file: bool) -> Result<Self> {
        let lame = Builder::new().ok_or("MP3: out of memory")?;
        let lame = lame.with_num_channels(1).and_then(|l| l.with_mode(Mode::Mono)).map_err(failed)?;
        let lame = lame.with_sample_rate(sample_rate).map_err(failed)?;
        let lame = lame.with_output_sample_rate(NonZeroU32::new(sample_rate)).map_err(failed)?;
        let lame = lame.with_vbr_mode(VbrMode::Mtrh).and_then(|l| l.with_vbr_quality(Quality::Nice)).map_err(failed)?;
        let lame = lame.with_to_write_vbr_tag(in_file).map_err(failed)?;
        Ok(Self { lame: lame.build().map_err(failed)? })
    }
}

impl Encoder for Mp3 {
    fn start(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn encode(&mut self, samples: &[f32], bytes: &mut Vec<u8>) -> Result<()> {
        for block in samples.chunks(BLOCK) {
            bytes.reserve(max_required_buffer_size(block.len()));
            self.lame.encode_to_vec(MonoPcm(block), bytes).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.reserve(LAST_BYTES);
        self.lame.flush_to_vec::<FlushGap>(bytes).map_err(failed)?;
        Ok(())
    }

    fn replace_start(&self) -> Result<Vec<u8>> {
        let mut tag = Vec::with_capacity(self.lame.lame_tag_size());
        self.lame.lame_tag_encode_to_vec(&mut tag);
        Ok(tag)
    }
}

fn failed(error: impl Display) -> String {
    format!("MP3: {error}")
}
