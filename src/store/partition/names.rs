//! Blocks of series as ascending numbers of their label pairs. Series are in label order, so each
//! shares its beginning with the one before.
//!
//! ```text
//! block  := series*
//! series := numbers shared with the series before · count of the others
//!           · each other's distance from the number before it, less one
//! ```

use crate::store::codec::{Cursor, put_varint};

/// Series that are stored together.
pub(super) const SERIES_IN_BLOCK: usize = 256;

/// Encodes series, each the ascending numbers of its pairs.
pub(super) fn encode<'a>(series: impl Iterator<Item = &'a [u32]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before: &[u32] = &[];
    for numbers in series {
        let shared = before.iter().zip(numbers).take_while(|(a, b)| a == b).count();
        put_varint(shared as u64, &mut out);
        put_varint((numbers.len() - shared) as u64, &mut out);
        let mut last = shared.checked_sub(1).and_then(|i| numbers.get(i)).map_or(0, |n| n + 1);
        for number in numbers.iter().skip(shared) {
            put_varint(u64::from(number - last), &mut out);
            last = number + 1;
        }
        before = numbers;
    }
    out
}

/// A block as it is read.
#[derive(Debug, Default)]
pub(super) struct NamesBlock {
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

impl NamesBlock {
    /// Reads `count` series that [`encode`] wrote; `None` where the bytes are not that.
    pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut out = Self::default();
        let mut before = 0..0;
        for _ in 0..count {
            let shared = usize::try_from(cursor.varint().ok()?).ok().filter(|shared| *shared <= before.len())?;
            let from = out.numbers.len();
            out.numbers.extend_from_within(before.start..before.start + shared);
            let mut next = if shared > 0 { out.numbers.last()?.checked_add(1)? } else { 0 };
            for _ in 0..cursor.count_of(1).ok()? {
                let number = next.checked_add(u32::try_from(cursor.varint().ok()?).ok()?)?;
                next = number.checked_add(1)?;
                out.numbers.push(number);
            }
            before = from..out.numbers.len();
            out.ends.push(before.end);
        }
        cursor.finish().ok()?;
        Some(out)
    }

    /// The pairs of the series at a place.
    pub(super) fn get(&self, at: usize) -> Option<&[u32]> {
        let from = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.numbers.get(from..*self.ends.get(at)?)
    }

    /// The pairs of all series, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn series_come_back(series in prop::collection::btree_set(prop::collection::btree_set(0u32..300, 0..6).prop_map(|s| s.into_iter().collect::<Vec<_>>()), 0..60)) {
            let bytes = encode(series.iter().map(Vec::as_slice));
            let block = NamesBlock::decode(&bytes, series.len()).unwrap();
            let found: Vec<Vec<u32>> = block.iter().map(<[u32]>::to_vec).collect();
            prop_assert_eq!(found, series.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0usize..20) {
            let _ = NamesBlock::decode(&bytes, count);
        }
    }
}
