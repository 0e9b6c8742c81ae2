//! What the letter-to-sound model looks at: letters around a letter, chunks before it, stress so
//! far.

/// Outside of the word.
const EDGE: u8 = 26;

/// Chunks chosen so far, as much of them as features need.
#[derive(Debug, Clone, Copy, Default)]
pub struct History {
    /// The last three chunks, the latest first, each id plus one.
    last: [u16; 3],
    /// Whether a vowel has the main stress already.
    pub stressed: bool,
    /// Vowels so far, two bits each (1 plain, 2 weak, 3 main stress), the last one lowest.
    rhythm: u8,
}

impl History {
    /// This history after one more chunk.
    pub fn with(&self, id: u16, sound: &str) -> Self {
        let vowel = sound.contains(|c| crate::text::vocab::VOWELS.contains(c) || c == 'ᵊ');
        let beat = match () {
            _ if sound.contains('ˈ') => 3,
            _ if sound.contains('ˌ') => 2,
            _ => 1,
        };
        Self {
            last: [id + 1, self.last[0], self.last[1]],
            stressed: self.stressed || beat == 3,
            rhythm: if vowel { self.rhythm << 2 | beat } else { self.rhythm },
        }
    }
}

/// Hashes of what the letters alone tell at a position.
pub fn letter_features(letters: &[u8], at: usize) -> Vec<u32> {
    const REACH: isize = 5;
    const LONGEST: isize = 8;
    let get = |offset: isize| {
        usize::try_from(at as isize + offset).ok().and_then(|i| letters.get(i)).copied().unwrap_or(EDGE)
    };
    let mut found = Vec::with_capacity(64);
    for start in -REACH..=0 {
        let mut hash = mix(1, (start + REACH) as u32);
        for end in start..=REACH.min(start + LONGEST - 1) {
            hash = mix(hash, u32::from(get(end)));
            if end >= 0 {
                found.push(hash);
            }
        }
    }
    for offset in (-REACH..=REACH).filter(|&offset| offset != 0) {
        found.push(mix(mix(2, (offset + REACH) as u32), u32::from(get(offset))));
    }
    let place = syllables(&letters[..at]) << 4 | syllables(&letters[(at + 1).min(letters.len())..]);
    let letter = u32::from(get(0));
    found.push(mix(mix(3, place), letter));
    found.push(mix(mix(mix(4, place), letter), ending(letters, 3)));
    found.push(mix(mix(mix(5, place), letter), ending(letters, 4)));
    found.push(mix(mix(mix(6, place), letter), ending(letters, 2)));
    found
}

/// Hashes of what the chunks so far tell at a position.
pub fn history_features(letters: &[u8], at: usize, history: &History) -> [u32; 7] {
    let [first, second, third] = history.last.map(u32::from);
    let letter = u32::from(letters[at]);
    let next = letters.get(at + 1).map_or(u32::from(EDGE), |&l| u32::from(l));
    let after = letters.get(at + 2).map_or(u32::from(EDGE), |&l| u32::from(l));
    let rest = syllables(&letters[(at + 1).min(letters.len())..]);
    let pair = mix(mix(mix(10, letter), first), second);
    let rhythm = mix(mix(mix(11, letter), u32::from(history.rhythm)), rest);
    [
        mix(mix(12, letter), first),
        mix(mix(mix(13, letter), first), next),
        mix(mix(mix(mix(14, letter), first), next), after),
        pair,
        mix(pair, third),
        rhythm,
        mix(rhythm, ending(letters, 3)),
    ]
}

/// The place of a feature's weight for a chunk in a table of `size` weights.
pub fn slot(feature: u32, chunk: u16, size: usize) -> usize {
    let hash = (feature ^ u32::from(chunk).wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B);
    (hash ^ hash >> 15) as usize & (size - 1)
}

fn mix(hash: u32, value: u32) -> u32 {
    let mixed = (hash ^ value.wrapping_add(0x9E37_79B9)).wrapping_mul(0x0100_0193);
    mixed.rotate_left(13).wrapping_mul(0xC2B2_AE35)
}

/// The number of groups of vowel letters, at most seven.
fn syllables(letters: &[u8]) -> u32 {
    let is_vowel = |&l: &u8| matches!(l, 0 | 4 | 8 | 14 | 20 | 24);
    let starts = letters.iter().enumerate().filter(|&(i, l)| is_vowel(l) && (i == 0 || !is_vowel(&letters[i - 1])));
    starts.count().min(7) as u32
}

/// The last letters of the word as one number.
fn ending(letters: &[u8], count: usize) -> u32 {
    letters.iter().rev().take(count).fold(1, |sum, &l| sum * 27 + u32::from(l))
}
