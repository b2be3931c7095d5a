//! One journal row: samples of one tier with their series by number, and the labels of numbers that
//! the file has not seen. Stateful on both sides: a value is written as the difference from the
//! series' last value in the same file, so a file is only ever read from its beginning.
//!
//! ```text
//! row     := tier byte · new count · new labels* · base time · series count · series*
//! series  := number difference · flag/extra count · (time difference)* · value*
//! value   := 0 same as last | 1+k decimal at 10^k, difference | 15 raw 8 bytes
//! ```

use super::codec::{Cursor, put_varint, zigzag};
use crate::model::{Sample, Tier, Timestamp};

const RAW: u8 = 15;
const SCALES: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
/// Beyond this an f64 does not tell neighbouring integers apart.
const MAX_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Samples of one series within a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowSeries<'a> {
    pub(super) number: u32,
    pub(super) samples: &'a [Sample],
}

/// What a file knows of its numbers: their last values.
#[derive(Clone, Debug, Default)]
pub(super) struct RowState {
    last: Vec<f64>,
}

impl RowState {
    /// How many numbers were introduced.
    pub(super) fn known(&self) -> u32 {
        self.last.len() as u32
    }

    /// Takes the next number as known.
    pub(super) fn introduce(&mut self) {
        self.last.push(0.0);
    }
}

/// Encodes a row; `new` are the labels of the numbers that follow the known ones.
pub(super) fn encode(state: &mut RowState, tier: Tier, new: &[&[u8]], series: &[RowSeries<'_>], out: &mut Vec<u8>) {
    out.push(tier.index() as u8);
    put_varint(new.len() as u64, out);
    for labels in new {
        put_varint(labels.len() as u64, out);
        out.extend_from_slice(labels);
        state.introduce();
    }
    let base = series.iter().find_map(|s| s.samples.first()).map_or(0, |s| s.t.0);
    put_varint(zigzag(base), out);
    put_varint(series.len() as u64, out);
    let mut expected = 0u32;
    for s in series {
        put_varint(zigzag(i64::from(s.number) - i64::from(expected)), out);
        expected = s.number + 1;
        put_samples(&mut state.last[s.number as usize], base, s.samples, out);
    }
}

fn put_samples(last: &mut f64, base: i64, samples: &[Sample], out: &mut Vec<u8>) {
    // 0: one sample at the base time; else count + 1 and each time's difference.
    if let [one] = samples
        && one.t.0 == base
    {
        out.push(0);
    } else {
        put_varint(samples.len() as u64 + 1, out);
        let mut before = base;
        for s in samples {
            put_varint(zigzag(s.t.0.wrapping_sub(before)), out);
            before = s.t.0;
        }
    }
    for s in samples {
        put_value(*last, s.v, out);
        *last = s.v;
    }
}

fn put_value(last: f64, v: f64, out: &mut Vec<u8>) {
    if v.to_bits() == last.to_bits() {
        out.push(0);
        return;
    }
    match SCALES.iter().enumerate().find_map(|(k, scale)| Some((k, exact(v, *scale)?))) {
        Some((k, integer)) => {
            out.push(1 + k as u8);
            put_varint(zigzag(integer - exact(last, SCALES[k]).unwrap_or(0)), out);
        }
        None => {
            out.push(RAW);
            out.extend_from_slice(&v.to_le_bytes());
        }
    }
}

/// `v * scale` as an integer where dividing again gives `v` to the bit.
fn exact(v: f64, scale: f64) -> Option<i64> {
    let scaled = (v * scale).round();
    let integer = scaled as i64;
    // Through the integer, which has no negative zero.
    (scaled.abs() < MAX_INTEGER && (integer as f64 / scale).to_bits() == v.to_bits()).then_some(integer)
}

fn read_value(last: f64, cursor: &mut Cursor<'_>) -> Option<f64> {
    match cursor.byte().ok()? {
        0 => Some(last),
        RAW => cursor.little_endian(8).ok().map(f64::from_bits),
        form => {
            let scale = *SCALES.get(usize::from(form) - 1)?;
            let integer = exact(last, scale).unwrap_or(0).checked_add(cursor.signed().ok()?)?;
            Some(integer as f64 / scale)
        }
    }
}

/// Decodes a row: calls `labels` for each new number in turn, then `sample` for each sample.
/// `None` where the bytes are not a row.
pub(super) fn decode(state: &mut RowState, bytes: &[u8], mut labels: impl FnMut(&[u8]) -> Option<()>, mut sample: impl FnMut(Tier, u32, Sample)) -> Option<()> {
    let mut cursor = Cursor::new(bytes);
    let tier = *Tier::ALL.get(usize::from(cursor.byte().ok()?))?;
    for _ in 0..cursor.count_of(1).ok()? {
        labels(cursor.block().ok()?)?;
        state.introduce();
    }
    let base = cursor.signed().ok()?;
    let mut expected = 0i64;
    let mut times = Vec::new();
    for _ in 0..cursor.count_of(1).ok()? {
        let number = u32::try_from(expected.checked_add(cursor.signed().ok()?)?).ok()?;
        expected = i64::from(number) + 1;
        times.clear();
        match cursor.count_of(1).ok()? {
            0 => times.push(base),
            more => {
                let mut before = base;
                for _ in 1..more {
                    before = before.wrapping_add(cursor.signed().ok()?);
                    times.push(before);
                }
            }
        }
        let last = state.last.get_mut(number as usize)?;
        for t in &times {
            *last = read_value(*last, &mut cursor)?;
            sample(tier, number, Sample { t: Timestamp(*t), v: *last });
        }
    }
    cursor.finish().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), (-1_000_000i64..1_000_000).prop_map(|v| v as f64 / 100.0), Just(f64::from_bits(0x7ff0_0000_0000_0002)), Just(-0.0)]
    }

    proptest! {
        #[test]
        fn rows_read_back_to_the_bit(rows in prop::collection::vec(prop::collection::vec(prop::collection::vec((-1i64 << 45..1i64 << 45, values()), 1..4), 1..5), 1..5)) {
            let (mut writing, mut reading) = (RowState::default(), RowState::default());
            for row in &rows {
                let samples: Vec<Vec<Sample>> = row.iter().map(|s| s.iter().map(|&(t, v)| Sample { t: Timestamp(t), v }).collect()).collect();
                let series: Vec<RowSeries> = samples.iter().enumerate().map(|(i, s)| RowSeries { number: i as u32, samples: s }).collect();
                let new: Vec<&[u8]> = (writing.known()..series.len() as u32).map(|_| b"labels".as_slice()).collect();
                let mut bytes = Vec::new();
                encode(&mut writing, Tier::Raw, &new, &series, &mut bytes);
                let mut got = Vec::new();
                prop_assert!(decode(&mut reading, &bytes, |l| (l == b"labels").then_some(()), |_, n, s| got.push((n, s.t.0, s.v.to_bits()))).is_some());
                let want: Vec<_> = samples.iter().enumerate().flat_map(|(i, s)| s.iter().map(move |s| (i as u32, s.t.0, s.v.to_bits()))).collect();
                prop_assert_eq!(got, want);
            }
        }

        #[test]
        fn damaged_rows_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut state = RowState::default();
            let _ = decode(&mut state, &bytes, |_| Some(()), |_, _, _| {});
        }
    }
}
