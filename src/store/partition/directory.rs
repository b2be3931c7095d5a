//! The directory of a sealed file: which blocks there are, and where in the stream they lie. The
//! file's last bytes say where it begins.
//!
//! ```text
//! stream    := (columns and time columns · block of places)* · block of names* · block of pairs*
//!              · directory · length of the directory (4 bytes) · 1
//! directory := series · rows · (bytes of columns · length of the block of places · of the block of names)*
//!              · count of blocks of pairs · (length · count of pairs · first name · its value)*
//!              · count of sections · (tag · place · length)*
//! ```
//! Blocks and directory are packed. Sections are for statistics; one of an unknown tag is passed over.

use super::names::SERIES_IN_BLOCK;
use super::places::At;
use crate::store::codec::{Cursor, put_varint};

/// The form that this says; the last byte of a stream.
pub(super) const FORM: u8 = 1;
/// Length and form behind the directory.
pub(super) const FOOTER_BYTES: usize = 5;

/// Blocks that go with [`SERIES_IN_BLOCK`] series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeriesAt {
    /// Where the columns begin.
    pub(super) base: u64,
    pub(super) places: At,
    pub(super) names: At,
}

/// A block of pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PairsAt {
    pub(super) at: At,
    /// Number of the first pair.
    pub(super) number: u32,
    pub(super) count: usize,
    pub(super) name: String,
    pub(super) value: String,
}

impl PairsAt {
    pub(super) fn holds(&self, number: u32) -> bool {
        number.checked_sub(self.number).is_some_and(|after| (after as usize) < self.count)
    }
}

/// What a file has, and where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) series: u32,
    pub(super) rows: u64,
    pub(super) blocks: Vec<SeriesAt>,
    pub(super) pairs: Vec<PairsAt>,
}

impl Directory {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(u64::from(self.series), &mut out);
        put_varint(self.rows, &mut out);
        for block in &self.blocks {
            put_varint(block.places.from - block.base, &mut out);
            put_varint(block.places.len as u64, &mut out);
            put_varint(block.names.len as u64, &mut out);
        }
        put_varint(self.pairs.len() as u64, &mut out);
        for block in &self.pairs {
            put_varint(block.at.len as u64, &mut out);
            put_varint(block.count as u64, &mut out);
            for text in [&block.name, &block.value] {
                put_varint(text.len() as u64, &mut out);
                out.extend_from_slice(text.as_bytes());
            }
        }
        put_varint(0, &mut out);
        out
    }

    /// Reads a directory that begins at `end` of the stream; `None` where the bytes are none, or it
    /// names what does not lie before itself.
    pub(super) fn decode(bytes: &[u8], end: u64) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut length = || cursor.varint().ok().and_then(|n| usize::try_from(n).ok());
        let mut out = Self { series: u32::try_from(length()?).ok()?, rows: length()? as u64, ..Self::default() };
        let mut at = 0u64;
        let mut names = Vec::new();
        for _ in 0..(out.series as usize).div_ceil(SERIES_IN_BLOCK) {
            let base = at;
            let places = At { from: base.checked_add(length()? as u64)?, len: length()? };
            at = places.from.checked_add(places.len as u64)?;
            names.push(length()?);
            out.blocks.push(SeriesAt { base, places, names: At { from: 0, len: 0 } });
        }
        let mut next = |len: usize| {
            let from = at;
            at = at.checked_add(len as u64)?;
            Some(At { from, len })
        };
        for (block, len) in out.blocks.iter_mut().zip(names) {
            block.names = next(len)?;
        }
        let mut number = 0u32;
        for _ in 0..cursor.count_of(4).ok()? {
            let mut length = || cursor.varint().ok().and_then(|n| usize::try_from(n).ok());
            let (at, count) = (next(length()?)?, length()?);
            let mut text = || cursor.block().ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
            out.pairs.push(PairsAt { at, number, count, name: text()?, value: text()? });
            number = number.checked_add(u32::try_from(count).ok()?)?;
        }
        for _ in 0..cursor.count_of(3).ok()? {
            for _ in 0..3 {
                cursor.varint().ok()?;
            }
        }
        (cursor.finish().is_ok() && at <= end).then_some(out)
    }

    /// How many series the block holds.
    pub(super) fn count_in(&self, block: usize) -> usize {
        (self.series as usize).saturating_sub(block * SERIES_IN_BLOCK).min(SERIES_IN_BLOCK)
    }

    /// The block that holds a pair, by its number.
    pub(super) fn pairs_of(&self, number: u32) -> usize {
        self.pairs.partition_point(|block| block.number <= number).saturating_sub(1)
    }

    /// The block where a pair stands or would stand.
    pub(super) fn pairs_at(&self, name: &str, value: &str) -> usize {
        self.pairs.partition_point(|block| (block.name.as_str(), block.value.as_str()) <= (name, value)).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_directory_comes_back() {
        let at = |from: u64, len: usize| At { from, len };
        let blocks = vec![SeriesAt { base: 0, places: at(1000, 50), names: at(1370, 7) }, SeriesAt { base: 1050, places: at(1350, 20), names: at(1377, 9) }];
        let pairs = vec![
            PairsAt { at: at(1386, 100), number: 0, count: 256, name: "__name__".into(), value: "up".into() },
            PairsAt { at: at(1486, 30), number: 256, count: 3, name: "job".into(), value: "ü".into() },
        ];
        let directory = Directory { series: 300, rows: 9_000_000, blocks, pairs };
        let bytes = directory.encode();
        assert_eq!(Directory::decode(&bytes, 1516), Some(directory));
        assert_eq!(Directory::decode(&bytes, 1515), None, "a block may not lie past the directory");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Directory::decode(&bytes, 1 << 30);
        }
    }
}
