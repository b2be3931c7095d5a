//! Blocks of label pairs: the distinct (name, value) of a file in order, each a number by its place,
//! and in which blocks of series it occurs. Knows no series.
//!
//! ```text
//! block    := count of names · (length · name · count of its values)*
//!             · bytes that each value shares with the one before*  · the rest of each value, ended by 0xFF *
//!             · postings*
//! postings := 0: in every block of series
//!           | count of runs · first block (signed, from the first block of the pair before) · length - 1
//!             · (gap - 1 · length - 1)*
//! ```
//! 0xFF is in no UTF-8 text. Apart from each other the parts deflate better.

use std::ops::Range;

use crate::store::codec::{Cursor, put_varint, zigzag};

/// Pairs that are stored together.
pub(super) const PAIRS_IN_BLOCK: usize = 256;
const END: u8 = 0xff;

/// Blocks of series, ascending and apart from each other: first and one past the last.
pub(super) type Runs = Vec<Range<u32>>;

/// A pair on its way into a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) runs: &'a [Range<u32>],
}

/// Encodes ascending pairs; `blocks` of series there are in all.
pub(super) fn encode(pairs: &[Pair<'_>], blocks: u32) -> Vec<u8> {
    let (mut names, mut shared, mut rest, mut postings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut groups = 0;
    let mut first = 0;
    for group in pairs.chunk_by(|a, b| a.name == b.name) {
        groups += 1;
        let name = group.first().map_or("", |pair| pair.name);
        put_varint(name.len() as u64, &mut names);
        names.extend_from_slice(name.as_bytes());
        put_varint(group.len() as u64, &mut names);
        let mut before: &[u8] = &[];
        for pair in group {
            let value = pair.value.as_bytes();
            let same = before.iter().zip(value).take_while(|(a, b)| a == b).count();
            put_varint(same as u64, &mut shared);
            rest.extend(value.iter().skip(same));
            rest.push(END);
            before = value;
            put_runs(pair.runs, blocks, &mut first, &mut postings);
        }
    }
    let mut out = Vec::new();
    put_varint(groups, &mut out);
    for part in [names, shared, rest, postings] {
        out.extend(part);
    }
    out
}

fn put_runs(runs: &[Range<u32>], blocks: u32, first: &mut u32, out: &mut Vec<u8>) {
    if matches!(runs, [all] if *all == (0..blocks)) {
        out.push(0);
        return;
    }
    put_varint(runs.len() as u64, out);
    let mut end = None;
    for run in runs {
        match end {
            None => {
                put_varint(zigzag(i64::from(run.start) - i64::from(*first)), out);
                *first = run.start;
            }
            Some(end) => put_varint(u64::from(run.start - end - 1), out),
        }
        put_varint(u64::from(run.end - run.start - 1), out);
        end = Some(run.end);
    }
}

/// A block as it is read.
#[derive(Debug)]
pub(super) struct PairsBlock {
    /// Canonical label bytes of all pairs, one after the other.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Postings that nobody asked for yet: a reader of labels needs none.
    postings: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Entry {
    canonical: Range<usize>,
    name: Range<usize>,
    value: Range<usize>,
    runs: Runs,
}

impl PairsBlock {
    /// Reads `count` pairs that [`encode`] wrote, and leaves their postings to [`locate`](Self::locate);
    /// `None` where the bytes are not that.
    pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let groups = cursor.count_of(2).ok()?;
        let mut names: Vec<(&str, usize)> = Vec::with_capacity(groups);
        for _ in 0..groups {
            let name = std::str::from_utf8(cursor.block().ok()?).ok()?;
            names.push((name, usize::try_from(cursor.varint().ok()?).ok()?));
        }
        if names.iter().try_fold(0usize, |sum, (_, n)| sum.checked_add(*n)) != Some(count) || count > cursor.rest().len() {
            return None;
        }
        let shared = (0..count).map(|_| cursor.varint().ok().and_then(|n| usize::try_from(n).ok())).collect::<Option<Vec<usize>>>()?;
        let mut out = Self { bytes: Vec::new(), entries: Vec::with_capacity(count), postings: None };
        let mut shared = shared.into_iter();
        for (name, values) in names {
            let mut value: Vec<u8> = Vec::new();
            for same in shared.by_ref().take(values) {
                let length = cursor.rest().iter().position(|b| *b == END)?;
                value.truncate(if same <= value.len() { same } else { return None });
                value.extend_from_slice(cursor.take(length).ok()?);
                cursor.byte().ok()?;
                out.push(name, std::str::from_utf8(&value).ok()?);
            }
        }
        out.postings = Some(cursor.rest().to_vec());
        Some(out)
    }

    /// Reads in which of so many blocks of series each pair occurs, once; `None` where the bytes are
    /// not that. Before, no pair occurs anywhere.
    pub(super) fn locate(&mut self, blocks: u32) -> Option<()> {
        let Some(bytes) = self.postings.take() else { return Some(()) };
        let mut cursor = Cursor::new(&bytes);
        let mut first = 0;
        for entry in &mut self.entries {
            entry.runs = read_runs(&mut cursor, blocks, &mut first)?;
        }
        cursor.finish().ok()
    }

    fn push(&mut self, name: &str, value: &str) {
        let from = self.bytes.len();
        let mut put = |text: &str| {
            put_varint(text.len() as u64, &mut self.bytes);
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.len() - text.len()..self.bytes.len()
        };
        let (name, value) = (put(name), put(value));
        self.entries.push(Entry { canonical: from..value.end, name, value, runs: Runs::new() });
    }

    /// Canonical label bytes of the pair at a place.
    pub(super) fn canonical(&self, at: usize) -> Option<&[u8]> {
        self.entries.get(at).and_then(|entry| self.bytes.get(entry.canonical.clone()))
    }

    /// Calls `each` with name, value and the blocks of series of every pair.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Runs)> {
        self.entries.iter().map(|entry| (self.text(&entry.name), self.text(&entry.value), &entry.runs))
    }

    /// The place of a pair, and its blocks of series.
    pub(super) fn find(&self, name: &str, value: &str) -> Option<(usize, &Runs)> {
        let at = self.entries.binary_search_by(|entry| (self.text(&entry.name), self.text(&entry.value)).cmp(&(name, value))).ok()?;
        self.entries.get(at).map(|entry| (at, &entry.runs))
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.bytes.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

fn read_runs(cursor: &mut Cursor<'_>, blocks: u32, first: &mut u32) -> Option<Runs> {
    let number = |v: u64| u32::try_from(v).ok();
    let count = cursor.count_of(0).ok()?;
    if count == 0 {
        return Some(std::iter::once(0..blocks).collect());
    }
    let mut out = Runs::with_capacity(count.min(cursor.rest().len()));
    for _ in 0..count {
        let start = match out.last() {
            None => u32::try_from(i64::from(*first).checked_add(cursor.signed().ok()?)?).ok()?,
            Some(before) => before.end.checked_add(number(cursor.varint().ok()?)?)?.checked_add(1)?,
        };
        if out.is_empty() {
            *first = start;
        }
        let end = start.checked_add(number(cursor.varint().ok()?)?)?.checked_add(1).filter(|end| *end <= blocks)?;
        out.push(start..end);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn runs_of(blocks: &BTreeSet<u32>) -> Runs {
        let mut out = Runs::new();
        for block in blocks {
            match out.last_mut() {
                Some(run) if run.end == *block => run.end += 1,
                _ => out.push(*block..*block + 1),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn pairs_come_back(pairs in prop::collection::btree_map(("[a-cü]{1,3}", "[a-dé]{1,6}"), prop::collection::btree_set(0u32..20, 1..12), 0..80)) {
            let pairs: BTreeMap<(String, String), Runs> = pairs.into_iter().map(|(k, blocks)| (k, runs_of(&blocks))).collect();
            let list: Vec<Pair<'_>> = pairs.iter().map(|((name, value), runs)| Pair { name, value, runs }).collect();
            let bytes = encode(&list, 20);
            let mut block = PairsBlock::decode(&bytes, list.len()).unwrap();
            block.locate(20).unwrap();
            let found: Vec<(&str, &str, &Runs)> = block.iter().collect();
            let want: Vec<(&str, &str, &Runs)> = pairs.iter().map(|((n, v), r)| (n.as_str(), v.as_str(), r)).collect();
            prop_assert_eq!(&found, &want);
            for (i, (n, v, r)) in want.iter().enumerate() {
                prop_assert_eq!(block.find(n, v), Some((i, *r)));
            }
            prop_assert!(block.find("zz", "").is_none());
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0usize..20) {
            let _ = PairsBlock::decode(&bytes, count).and_then(|mut block| block.locate(20));
        }
    }
}
