//! Parts of speech: spaCy's tagger of `en_core_web_sm`.
//!
//! Hashed embeddings of each token's features, five maxout layers over neighbouring tokens, a linear layer (Honnibal's
//! `HashEmbedCNN` of the library thinc). It computes what `misaki_rs::spacy_tagger` does, but parses nothing at the start and lets the
//! compiler use vector instructions, which makes it many times faster.

use std::sync::LazyLock;

use half::f16;
use misaki_rs::spacy_tagger::debug_features as features;

/// Channels.
const DIM: usize = 96;
/// Linear pieces of which the largest counts.
const PIECES: usize = 3;
/// Rows and hash seed of the table of each feature: norm, prefix, suffix, shape, space after, is space.
const TABLES: [(usize, u32); 6] = [(5000, 8), (1000, 9), (2500, 10), (2500, 11), (50, 12), (50, 13)];
/// Layers that read a token's neighbours.
const DEPTH: usize = 4;
/// Rows of zeros before the first and after the last token; the layers change them, too.
const PADDING: usize = 4;
/// Added to the variance.
const EPSILON: f32 = 1e-8;

/// Tables, layers, the last layer.
static WEIGHTS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    // Each row of the tables is a scale in half precision, little-endian, and DIM signed bytes; the layers are in half precision.
    let rows: usize = TABLES.iter().map(|(rows, _)| rows).sum();
    let (tables, layers) = include_bytes!("data/tagger.bin").split_at(rows * (2 + DIM));
    let tables = tables.as_chunks::<{ 2 + DIM }>().0.iter().flat_map(|row| {
        let scale = f16::from_le_bytes([row[0], row[1]]).to_f32();
        row[2..].iter().map(move |&byte| scale * f32::from(byte.cast_signed()))
    });
    let layers = layers.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32());
    tables.chain(layers).collect()
});

/// The tag of each row of the last layer.
const TAGS: &str = include_str!("data/tagger.txt");

/// A maxout layer and the norm after it.
struct Layer {
    weight: &'static [f32], // [DIM, PIECES, from]
    bias: &'static [f32],   // [DIM, PIECES]
    scale: &'static [f32],  // [DIM]
    shift: &'static [f32],  // [DIM]
}

/// Finds the parts of speech of a sentence's tokens.
pub struct Tagger {
    tables: [&'static [f32]; 6], // [rows, DIM] each
    input: Layer,
    layers: [Layer; DEPTH],
    weight: &'static [f32], // [tags, DIM]
    bias: &'static [f32],   // [tags]
    tags: Vec<&'static str>,
}

impl Tagger {
    /// The tagger that ships with the crate.
    pub fn new() -> Self {
        let tags: Vec<&str> = TAGS.lines().collect();
        let mut rest: &[f32] = &WEIGHTS;
        let mut take = |count: usize| {
            let (taken, after) = rest.split_at(count);
            rest = after;
            taken
        };
        let tables = TABLES.map(|(rows, _)| take(rows * DIM));
        let mut layer = |from: usize| {
            let (weight, bias) = (take(DIM * PIECES * from), take(DIM * PIECES));
            Layer { weight, bias, scale: take(DIM), shift: take(DIM) }
        };
        let input = layer(TABLES.len() * DIM);
        let layers = [(); DEPTH].map(|()| layer(3 * DIM));
        let (weight, bias) = (take(tags.len() * DIM), take(tags.len()));
        Self { tables, input, layers, weight, bias, tags }
    }

    /// Penn Treebank tags of tokens: each its text, its norm (in small letters and without contraction), and whether white
    /// space follows.
    pub fn tag(&self, tokens: &[(String, String, bool)]) -> Vec<&'static str> {
        let embedded: Vec<f32> =
            tokens.iter().flat_map(|(text, norm, spaced)| self.embed(text, norm, *spaced)).collect();
        let padding = [0.0; PADDING * DIM];
        let mut states = [&padding[..], &self.input.forward(&embedded)[..], &padding[..]].concat();
        for layer in &self.layers {
            let change = layer.forward(&with_neighbours(&states));
            states.iter_mut().zip(change).for_each(|(state, change)| *state += change);
        }
        let states = states.chunks_exact(DIM).skip(PADDING).take(tokens.len());
        states
            .map(|state| {
                self.tags[largest(self.weight.chunks_exact(DIM).zip(self.bias).map(|(w, b)| dot(w, state) + b))]
            })
            .collect()
    }

    /// Sums of the rows that a token's features fall on, side by side.
    fn embed(&self, text: &str, norm: &str, spaced: bool) -> Vec<f32> {
        let mut embedded = vec![0.0; TABLES.len() * DIM];
        let parts = embedded.chunks_exact_mut(DIM).zip(features(text, norm, spaced));
        for ((part, feature), (table, (rows, seed))) in parts.zip(self.tables.iter().zip(TABLES)) {
            for key in hash(feature, seed) {
                let row = &table[key as usize % rows * DIM..][..DIM];
                part.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        embedded
    }
}

impl Layer {
    /// `[tokens, from]` to `[tokens, DIM]`.
    fn forward(&self, x: &[f32]) -> Vec<f32> {
        let from = self.weight.len() / (DIM * PIECES);
        let mut y = vec![0.0; x.len() / from * DIM];
        for (o, (weight, bias)) in
            self.weight.chunks_exact(PIECES * from).zip(self.bias.chunks_exact(PIECES)).enumerate()
        {
            for (x, y) in x.chunks_exact(from).zip(y.chunks_exact_mut(DIM)) {
                let pieces = weight.chunks_exact(from).zip(bias).map(|(weight, bias)| dot(weight, x) + bias);
                y[o] = pieces.fold(f32::NEG_INFINITY, f32::max);
            }
        }
        y.chunks_exact_mut(DIM).for_each(|row| self.normalize(row));
        y
    }

    fn normalize(&self, row: &mut [f32]) {
        let mean = row.iter().sum::<f32>() / DIM as f32;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / DIM as f32;
        let factor = 1.0 / (variance + EPSILON).sqrt();
        for ((x, scale), shift) in row.iter_mut().zip(self.scale).zip(self.shift) {
            *x = (*x - mean) * factor * scale + shift;
        }
    }
}

/// `[tokens, DIM]` to `[tokens, 3·DIM]`: the row before, the row, the row after; zeros beyond the ends.
fn with_neighbours(x: &[f32]) -> Vec<f32> {
    let edge = [0.0; DIM];
    let padded = [&edge[..], x, &edge[..]].concat();
    padded.windows(3 * DIM).step_by(DIM).flatten().copied().collect()
}

/// Sixteen sums side by side; lengths are multiples of that.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

fn largest(scores: impl Iterator<Item = f32>) -> usize {
    scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

/// thinc's hash of a feature to four keys: MurmurHash3 (x86, 128 bits) of one 64-bit number.
fn hash(value: u64, seed: u32) -> [u32; 4] {
    let mix = |h: u64| {
        let h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    };
    let seed = u64::from(seed) ^ 8;
    let first = value.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f);
    let first = (first ^ seed).wrapping_add(seed);
    let second = mix(seed.wrapping_add(first));
    let first = mix(first).wrapping_add(second);
    let second = second.wrapping_add(first);
    [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_tagger_it_stands_for() {
        let (ours, theirs) = (Tagger::new(), misaki_rs::spacy_tagger::Tagger::load());
        let texts = [include_str!("../../README.md"), include_str!("../../tests/data/hard.txt")];
        let (mut all, mut other) = (0, 0);
        for line in texts.iter().flat_map(|text| text.lines()) {
            let tokens: Vec<_> = line
                .split_inclusive(' ')
                .map(|word| {
                    let text = word.trim_end();
                    (text.to_string(), text.to_lowercase(), text.len() < word.len())
                })
                .collect();
            let (ours, theirs) = (ours.tag(&tokens), theirs.tag(&tokens));
            assert_eq!(ours.len(), theirs.len(), "{line}");
            all += ours.len();
            other += ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
        }
        // Rounding decides a few ties the other way.
        assert!(all > 2000 && other * 250 <= all, "{other} of {all} tags differ");
    }
}
