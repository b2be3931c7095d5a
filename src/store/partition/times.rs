//! Time columns: each distinct one is stored once, and one whose times are all in another says only
//! which of those it has. All series of one target share the rounds, and those that came later, went
//! earlier or missed one are parts of them.
//!
//! ```text
//! column := encoded times | 0 · place and length of the other · count of runs · (times left out · times taken)*
//! ```

use std::collections::HashMap;

use super::places::At;
use crate::store::codec::{self, CodecError, Cursor, put_varint};

/// No codec has this number.
const PART: u8 = 0;
/// Columns of which others may be parts.
const WHOLES: usize = 32;

/// A column that is stored whole.
struct Whole {
    t: Vec<i64>,
    at: At,
    uses: u32,
}

/// Stores time columns in a stream.
#[derive(Default)]
pub(super) struct Times {
    stored: HashMap<u128, At>,
    wholes: Vec<Whole>,
}

impl Times {
    /// Where the stream has these times; appends what it does not have.
    pub(super) fn put(&mut self, t: &[i64], stream: &mut Vec<u8>) -> At {
        let mut encoded = Vec::new();
        codec::encode_times(t, &mut encoded);
        let hash = xxhash_rust::xxh3::xxh3_128(&encoded);
        if let Some(at) = self.stored.get(&hash) {
            return *at;
        }
        let at = |bytes: &[u8], stream: &mut Vec<u8>| {
            let from = stream.len() as u64;
            stream.extend_from_slice(bytes);
            At { from, len: bytes.len() }
        };
        let part = self.part(t).filter(|part| part.len() < encoded.len());
        let place = at(part.as_ref().unwrap_or(&encoded), stream);
        self.stored.insert(hash, place);
        if part.is_none() {
            self.remember(t, place);
        }
        place
    }

    /// The smallest form as a part of a column that is stored whole.
    fn part(&mut self, t: &[i64]) -> Option<Vec<u8>> {
        let forms = self.wholes.iter_mut().filter_map(|whole| part_of(&whole.t, whole.at, t).map(|form| (form, &mut whole.uses)));
        let (form, uses) = forms.min_by_key(|(form, _)| form.len())?;
        *uses += 1;
        Some(form)
    }

    fn remember(&mut self, t: &[i64], at: At) {
        if self.wholes.len() >= WHOLES
            && let Some(least) = self.wholes.iter().enumerate().min_by_key(|(_, whole)| (whole.uses, whole.t.len())).map(|(i, _)| i)
        {
            self.wholes.remove(least);
        }
        self.wholes.push(Whole { t: t.to_vec(), at, uses: 0 });
    }
}

fn part_of(whole: &[i64], at: At, t: &[i64]) -> Option<Vec<u8>> {
    let has = |i: usize| t.get(i).is_some_and(|t| whole.binary_search(t).is_ok());
    // Most that are no part show it at once.
    if t.len() > whole.len() || !(has(0) && has(t.len() / 2) && has(t.len() - 1)) {
        return None;
    }
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut rest = whole;
    let mut wanted = t;
    while let Some(first) = wanted.first() {
        let left_out = rest.binary_search(first).ok()?;
        rest = rest.get(left_out..)?;
        let taken = rest.iter().zip(wanted).take_while(|(a, b)| a == b).count();
        runs.push((left_out as u64, taken as u64));
        (rest, wanted) = (rest.get(taken..)?, wanted.get(taken..)?);
    }
    let mut out = vec![PART];
    put_varint(at.from, &mut out);
    put_varint(at.len as u64, &mut out);
    put_varint(runs.len() as u64, &mut out);
    for (left_out, taken) in runs {
        put_varint(left_out, &mut out);
        put_varint(taken, &mut out);
    }
    Some(out)
}

/// A stored time column.
pub(super) enum Stored<'a> {
    Whole(Vec<i64>),
    Part(Part<'a>),
}

/// Which times of another column are taken.
pub(super) struct Part<'a> {
    /// Where the other lies.
    pub(super) of: At,
    runs: Cursor<'a>,
    count: usize,
}

/// Reads what [`Times::put`] stored.
pub(super) fn read(bytes: &[u8]) -> Result<Stored<'_>, CodecError> {
    if bytes.first() != Some(&PART) {
        return codec::decode_times(bytes).map(Stored::Whole);
    }
    let mut runs = Cursor::new(bytes);
    runs.byte()?;
    let from = runs.varint()?;
    let len = usize::try_from(runs.varint()?).map_err(|_| CodecError::Truncated)?;
    let count = runs.count_of(2)?;
    Ok(Stored::Part(Part { of: At { from, len }, runs, count }))
}

impl Part<'_> {
    /// The times, of those of the other column.
    pub(super) fn of(mut self, whole: &[i64]) -> Result<Vec<i64>, CodecError> {
        let damaged = || CodecError::Damaged("part of a time column");
        let mut rest = whole;
        let mut out = Vec::new();
        for _ in 0..self.count {
            let mut length = || self.runs.varint().and_then(|n| usize::try_from(n).map_err(|_| damaged()));
            let (left_out, taken) = (length()?, length()?);
            rest = rest.get(left_out..).ok_or_else(damaged)?;
            let (run, later) = rest.split_at_checked(taken).ok_or_else(damaged)?;
            out.extend_from_slice(run);
            rest = later;
        }
        self.runs.finish()?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(stream: &[u8], at: At) -> Vec<i64> {
        let bytes = |at: At| &stream[at.from as usize..at.from as usize + at.len];
        match read(bytes(at)).unwrap() {
            Stored::Whole(t) => t,
            Stored::Part(part) => match read(bytes(part.of)).unwrap() {
                Stored::Whole(whole) => part.of(&whole).unwrap(),
                Stored::Part(_) => panic!("a part of a part"),
            },
        }
    }

    proptest! {
        #[test]
        fn columns_come_back(columns in prop::collection::vec((0i64..50, 1usize..200, prop::collection::vec(any::<prop::sample::Index>(), 0..8)), 1..60)) {
            let (mut times, mut stream) = (Times::default(), Vec::new());
            let mut stored = Vec::new();
            for (target, length, missed) in columns {
                let mut t: Vec<i64> = (0..length as i64).map(|k| target % 3 + k * 1000 + (k * k * 7919 + target % 3) % 13).collect();
                for index in missed {
                    if t.len() > 1 {
                        t.remove(index.index(t.len()));
                    }
                }
                stored.push((times.put(&t, &mut stream), t));
            }
            for (at, t) in stored {
                prop_assert_eq!(get(&stream, at), t);
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(mut bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            bytes.insert(0, PART);
            if let Ok(Stored::Part(part)) = read(&bytes) {
                let _ = part.of(&[1, 2, 3, 4]);
            }
        }
    }

    #[test]
    fn a_series_that_came_late_costs_a_few_bytes() {
        let t: Vec<i64> = (0..1800).map(|k| k * 1000 + (k * k * 7919) % 13).collect();
        let (mut times, mut stream) = (Times::default(), Vec::new());
        let whole = times.put(&t, &mut stream);
        let part = times.put(&t[900..], &mut stream);
        assert!(whole.len > 100 && part.len < 12, "{} and {} bytes", whole.len, part.len);
        assert_eq!(times.put(&t[900..], &mut stream), part);
    }
}
