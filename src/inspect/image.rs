//! Grids of shades as images inside a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder};

use crate::error::{Error, Result};

/// Colours from 0 to 255, evenly spaced.
pub type Ramp = [[u8; 3]; 9];

/// From black through red to pale yellow ("magma", CC0).
#[rustfmt::skip]
pub const MAGMA: Ramp = [
    [0, 0, 4], [29, 17, 71], [81, 18, 124], [130, 38, 129], [182, 54, 121], [230, 81, 100], [251, 136, 97], [254, 194, 135],
    [252, 253, 191],
];

/// From violet through green to yellow ("viridis", CC0).
#[rustfmt::skip]
pub const VIRIDIS: Ramp = [
    [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98], [173, 220, 48],
    [253, 231, 37],
];

/// Shades by row, all rows of the same length.
#[derive(Debug)]
pub struct Grid {
    pub rows: Vec<Vec<u8>>,
}

impl Grid {
    /// A `data:` address of a PNG with a pixel for each shade.
    pub fn data_uri(&self, ramp: &Ramp) -> Result<String> {
        let width = self.rows.first().map_or(0, Vec::len) as u32;
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, self.rows.len() as u32);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        encoder.set_palette(palette(ramp));
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.rows.concat()));
        written.map_err(|e| Error::io("an image of the page")(e.into()))?;
        Ok(data_uri("image/png", &bytes))
    }
}

/// Bytes as a `data:` address.
pub fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// The ramp's 256 colours, three bytes each.
fn palette(ramp: &Ramp) -> Vec<u8> {
    let colour = |shade: usize| {
        let position = shade as f64 / 255.0 * (ramp.len() - 1) as f64;
        let (below, part) = ((position as usize).min(ramp.len() - 2), position.fract());
        let part = if position as usize > below { 1.0 } else { part };
        let mix = move |channel: usize| {
            let (from, to) = (f64::from(ramp[below][channel]), f64::from(ramp[below + 1][channel]));
            (from + (to - from) * part).round() as u8
        };
        [mix(0), mix(1), mix(2)]
    };
    (0..256).flat_map(colour).collect()
}
