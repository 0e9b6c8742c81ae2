//! Look-up in a sorted text of `key<TAB>value` lines, without loading it.

use std::cmp::Ordering;

/// The value of `key`; lines are sorted by the bytes of their keys.
pub fn find<'a>(table: &'a str, key: &str) -> Option<&'a str> {
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let middle = table.floor_char_boundary((low + high) / 2);
        let start = table[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = table[start..].find('\n').map_or(table.len(), |length| start + length);
        let (found, value) = table[start..end].split_once('\t')?;
        match found.cmp(key) {
            Ordering::Equal => return Some(value),
            Ordering::Less => low = (end + 1).min(high),
            Ordering::Greater => high = start,
        }
    }
    None
}
