//! Blocks that say of each series what its column holds, which times go with it, and where it lies.
//! Short columns lie in the block itself, where they deflate together. Knows no labels.
//!
//! ```text
//! block := count of time columns · (place · length)*
//!          · kind of each series* (16 more where its column lies in the stream)
//!          · time column of each, plus one; 0: none*
//!          · length of each column*
//!          · place of each column that lies in the stream, from the end of the one before (signed)*
//!          · bytes of the others, one after the other
//! ```
//! A time column's place counts from where the block before ends in the stream (signed).

use std::ops::Range;

use crate::store::codec::{Cursor, put_varint, zigzag};
use crate::store::layout::ColumnKind;

const IN_STREAM: u8 = 16;

/// A stretch of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) from: u64,
    pub(super) len: usize,
}

/// Where a column's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<B> {
    /// Here.
    Here(B),
    /// In the stream.
    Stream(At),
}

/// What is known of a series' column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<B> {
    pub(super) kind: ColumnKind,
    pub(super) times: Option<At>,
    pub(super) place: Place<B>,
}

/// Encodes entries of a block whose columns begin at `base` of the stream.
pub(super) fn encode(entries: &[Entry<Vec<u8>>], base: u64) -> Vec<u8> {
    let from = |at: u64, base: u64| zigzag(at.cast_signed().wrapping_sub(base.cast_signed()));
    let mut times: Vec<At> = Vec::new();
    let (mut kinds, mut numbers, mut lengths, mut places, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut expected = base;
    for entry in entries {
        let number = entry.times.map_or(0, |at| {
            let known = times.iter().position(|t| *t == at).unwrap_or(times.len());
            if known == times.len() {
                times.push(at);
            }
            known + 1
        });
        put_varint(number as u64, &mut numbers);
        match &entry.place {
            Place::Here(column) => {
                kinds.push(entry.kind as u8);
                put_varint(column.len() as u64, &mut lengths);
                bytes.extend_from_slice(column);
            }
            Place::Stream(at) => {
                kinds.push(entry.kind as u8 | IN_STREAM);
                put_varint(at.len as u64, &mut lengths);
                put_varint(from(at.from, expected), &mut places);
                expected = at.from + at.len as u64;
            }
        }
    }
    let mut out = Vec::new();
    put_varint(times.len() as u64, &mut out);
    for at in times {
        put_varint(from(at.from, base), &mut out);
        put_varint(at.len as u64, &mut out);
    }
    for part in [kinds, numbers, lengths, places, bytes] {
        out.extend(part);
    }
    out
}

/// A block as it is read.
#[derive(Debug)]
pub(super) struct PlacesBlock {
    bytes: Vec<u8>,
    entries: Vec<Entry<Range<usize>>>,
}

impl PlacesBlock {
    /// Reads `count` entries that [`encode`] wrote; `None` where the bytes are not that.
    pub(super) fn decode(bytes: Vec<u8>, count: usize, base: u64) -> Option<Self> {
        let length = |cursor: &mut Cursor<'_>| cursor.varint().ok().and_then(|n| usize::try_from(n).ok());
        let from = |cursor: &mut Cursor<'_>, base: u64| cursor.signed().ok().and_then(|d| base.checked_add_signed(d));
        let mut cursor = Cursor::new(&bytes);
        let mut times = Vec::new();
        for _ in 0..cursor.count_of(2).ok()? {
            times.push(At { from: from(&mut cursor, base)?, len: length(&mut cursor)? });
        }
        let kinds = cursor.take(count).ok()?;
        let numbers = (0..count).map(|_| length(&mut cursor)).collect::<Option<Vec<_>>>()?;
        let lengths = (0..count).map(|_| length(&mut cursor)).collect::<Option<Vec<_>>>()?;
        let mut entries = Vec::with_capacity(count);
        let mut expected = base;
        let mut here = 0usize;
        for ((kind, number), len) in kinds.iter().zip(numbers).zip(lengths) {
            let times = if let Some(number) = number.checked_sub(1) { Some(*times.get(number)?) } else { None };
            let place = if kind & IN_STREAM == 0 {
                let end = here.checked_add(len)?;
                Place::Here(std::mem::replace(&mut here, end)..end)
            } else {
                let at = At { from: from(&mut cursor, expected)?, len };
                expected = at.from.checked_add(len as u64)?;
                Place::Stream(at)
            };
            entries.push(Entry { kind: ColumnKind::from_byte(kind & !IN_STREAM)?, times, place });
        }
        let rest = cursor.rest().len();
        let before = bytes.len() - rest;
        if rest != here {
            return None;
        }
        for entry in &mut entries {
            if let Place::Here(range) = &mut entry.place {
                *range = range.start + before..range.end + before;
            }
        }
        Some(Self { bytes, entries })
    }

    /// The entry at a place.
    pub(super) fn get(&self, at: usize) -> Option<Entry<&[u8]>> {
        let entry = self.entries.get(at)?;
        let place = match &entry.place {
            Place::Here(range) => Place::Here(self.bytes.get(range.clone())?),
            Place::Stream(at) => Place::Stream(*at),
        };
        Some(Entry { kind: entry.kind, times: entry.times, place })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> impl Strategy<Value = At> {
        (0u64..1 << 40, 0usize..1 << 20).prop_map(|(from, len)| At { from, len })
    }

    fn entry() -> impl Strategy<Value = Entry<Vec<u8>>> {
        let place = prop_oneof![prop::collection::vec(any::<u8>(), 0..20).prop_map(Place::Here), at().prop_map(Place::Stream)];
        let kind = prop_oneof![Just(ColumnKind::Float), Just(ColumnKind::FloatBuckets), Just(ColumnKind::Histogram)];
        (kind, prop::option::of(at()), place).prop_map(|(kind, times, place)| Entry { kind, times, place })
    }

    proptest! {
        #[test]
        fn entries_come_back(entries in prop::collection::vec(entry(), 0..40), base in 0u64..1 << 40) {
            let block = PlacesBlock::decode(encode(&entries, base), entries.len(), base).unwrap();
            for (i, want) in entries.iter().enumerate() {
                let got = block.get(i).unwrap();
                let place = match got.place { Place::Here(bytes) => Place::Here(bytes.to_vec()), Place::Stream(at) => Place::Stream(at) };
                prop_assert_eq!(&Entry { kind: got.kind, times: got.times, place }, want);
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0usize..20) {
            let _ = PlacesBlock::decode(bytes, count, 7);
        }
    }
}
