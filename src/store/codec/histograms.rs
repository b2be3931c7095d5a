//! A column of native histograms without its times: hints, then stretches of one shape, each with the shape
//! once and its counts bucket by bucket over time. Knows no tier.

use std::sync::Arc;

use super::bytes::{Cursor, put_block, put_varint};
use super::histogram::{buckets_of, fill, hint_byte, hint_of, put_shape, same_shape, take_shape, whole};
use super::integers::Aim;
use super::{CodecError, floats, integers};
use crate::model::Histogram;

/// The first byte of an encoded column.
const VERSION: u8 = 1;
/// Values of one stretch: past it another begins, so that no list of numbers is too long.
const MAX_STRETCH: usize = 1 << 20;

/// How the counts of a stretch are kept. Numbers are for ever; new forms take new ones.
#[repr(u8)]
enum Form {
    /// Whole numbers: of the count what it is beyond the sum of all buckets; of each bucket the first
    /// value, then the differences over time.
    Whole = 1,
    /// As they are.
    Floats = 2,
}

/// Appends the column.
pub(super) fn encode(all: &[Arc<Histogram>], out: &mut Vec<u8>) {
    out.push(VERSION);
    let hints: Vec<i64> = all.iter().map(|h| i64::from(hint_byte(h.reset_hint))).collect();
    put_block(out, |block| integers::encode(&hints, Aim::Size, block));
    let stretches = stretches(all);
    put_varint(stretches.len() as u64, out);
    for (shape, stretch) in stretches {
        put_varint(stretch.len() as u64, out);
        put_shape(shape, out);
        let sums: Vec<f64> = stretch.iter().map(|h| h.sum).collect();
        put_block(out, |block| floats::encode(&sums, Aim::Size, block));
        put_counts(stretch, out);
    }
}

/// Runs of histograms of one shape, each with its first.
fn stretches(all: &[Arc<Histogram>]) -> Vec<(&Histogram, &[Arc<Histogram>])> {
    let mut out: Vec<(&Histogram, &[Arc<Histogram>])> = Vec::new();
    let mut rest = all;
    while let Some(first) = rest.first() {
        let most = (MAX_STRETCH / (places(first))).max(1);
        let length = rest.iter().take(most).take_while(|h| same_shape(h, first)).count().max(1);
        let (stretch, later) = rest.split_at(length);
        out.push((first, stretch));
        rest = later;
    }
    out
}

/// Zero bucket, positive and negative ones, and the count.
fn places(h: &Histogram) -> usize {
    2 + buckets_of(&h.positive) + buckets_of(&h.negative)
}

fn buckets(h: &Histogram) -> impl Iterator<Item = f64> + '_ {
    [h.zero_count].into_iter().chain(h.positive.counts.iter().copied()).chain(h.negative.counts.iter().copied())
}

fn put_counts(stretch: &[Arc<Histogram>], out: &mut Vec<u8>) {
    if let Some(rows) = stretch.iter().map(|h| whole_row(h)).collect::<Option<Vec<_>>>() {
        out.push(Form::Whole as u8);
        let first = rows.first().map(Vec::as_slice).unwrap_or_default();
        put_block(out, |block| integers::encode(first, Aim::Size, block));
        let difference = |place: usize| {
            let of = move |row: &Vec<i64>| row.get(place).copied().unwrap_or(0);
            rows.iter().zip(rows.iter().skip(1)).map(move |(before, now)| of(now).wrapping_sub(of(before)))
        };
        let differences: Vec<i64> = (0..first.len()).flat_map(difference).collect();
        put_block(out, |block| integers::encode(&differences, Aim::Size, block));
        return;
    }
    out.push(Form::Floats as u8);
    let rows: Vec<Vec<f64>> = stretch.iter().map(|h| [h.count].into_iter().chain(buckets(h)).collect()).collect();
    let width = rows.first().map_or(0, Vec::len);
    let values: Vec<f64> = (0..width).flat_map(|place| rows.iter().map(move |row| row.get(place).copied().unwrap_or(0.0))).collect();
    put_block(out, |block| floats::encode(&values, Aim::Size, block));
}

/// What the count is beyond all buckets, then the buckets; `None` where any is no whole number.
fn whole_row(h: &Histogram) -> Option<Vec<i64>> {
    let mut row = vec![whole(h.count)?];
    for count in buckets(h) {
        row.push(whole(count)?);
    }
    let within = row.iter().skip(1).fold(0_i64, |sum, count| sum.wrapping_add(*count));
    if let Some(count) = row.first_mut() {
        *count = count.wrapping_sub(within);
    }
    Some(row)
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Arc<Histogram>>, CodecError> {
    let mut cursor = Cursor::new(bytes);
    match cursor.byte()? {
        VERSION => {}
        other => return Err(CodecError::UnknownCodec(other)),
    }
    let hints = integers::decode(cursor.block()?)?;
    let mut h = Vec::new();
    for _ in 0..cursor.count_of(1)? {
        let length = cursor.count()?;
        if length == 0 || length > hints.len() - h.len() {
            return Err(CodecError::Damaged("histograms differ in number from their hints"));
        }
        take_stretch(&mut cursor, length, &mut h)?;
    }
    cursor.finish()?;
    let mut h = same_length(h, hints.len())?;
    for (histogram, hint) in h.iter_mut().zip(hints) {
        histogram.reset_hint = u8::try_from(hint).map_err(|_| CodecError::Damaged("an unknown reset hint")).and_then(hint_of)?;
    }
    Ok(h.into_iter().map(Arc::new).collect())
}

fn take_stretch(cursor: &mut Cursor<'_>, length: usize, out: &mut Vec<Histogram>) -> Result<(), CodecError> {
    let shape = take_shape(cursor)?;
    let sums = same_length(floats::decode(cursor.block()?)?, length)?;
    let width = places(&shape);
    let columns = match cursor.byte()? {
        1 => take_whole(cursor, length, width)?,
        2 => same_length(floats::decode(cursor.block()?)?, length * width)?,
        other => return Err(CodecError::UnknownCodec(other)),
    };
    for (i, sum) in sums.into_iter().enumerate() {
        let mut h = shape.clone();
        let mut row = columns.iter().skip(i).step_by(length).copied();
        let (count, zero_count) = (row.next().unwrap_or(0.0), row.next().unwrap_or(0.0));
        fill(&mut h, [count, zero_count, sum].into_iter().chain(row));
        out.push(h);
    }
    Ok(())
}

/// The counts, then each bucket over time.
fn take_whole(cursor: &mut Cursor<'_>, length: usize, width: usize) -> Result<Vec<f64>, CodecError> {
    let first = same_length(integers::decode(cursor.block()?)?, width)?;
    let differences = same_length(integers::decode(cursor.block()?)?, width * (length - 1))?;
    let mut differences = differences.into_iter();
    let mut columns: Vec<i64> = Vec::with_capacity(width * length);
    for mut value in first {
        columns.push(value);
        columns.extend(differences.by_ref().take(length - 1).map(|d| {
            value = value.wrapping_add(d);
            value
        }));
    }
    let (beyond, buckets) = columns.split_at(length);
    let counts =
        beyond.iter().enumerate().map(|(i, beyond)| buckets.iter().skip(i).step_by(length).fold(*beyond, |sum, count| sum.wrapping_add(*count)) as f64);
    Ok(counts.chain(buckets.iter().map(|count| *count as f64)).collect())
}

fn same_length<T>(values: Vec<T>, count: usize) -> Result<Vec<T>, CodecError> {
    if values.len() == count { Ok(values) } else { Err(CodecError::Damaged("columns differ in length")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::histogram::{put_histogram, take_histogram};
    use super::*;
    use crate::model::{Buckets, ResetHint, Span};

    fn count() -> impl Strategy<Value = f64> {
        prop_oneof![8 => (0_u32..1000).prop_map(f64::from), 1 => any::<f64>(), 1 => Just(f64::from_bits(0x7ff0_0000_0000_0002)), 1 => Just(-0.0)]
    }

    fn side() -> impl Strategy<Value = Buckets> {
        prop::collection::vec((0_i32..5, 0_u32..4), 0..3).prop_flat_map(|spans| {
            let spans: Vec<Span> = spans.into_iter().map(|(offset, length)| Span { offset, length }).collect();
            let total = spans.iter().map(|s| s.length as usize).sum::<usize>();
            prop::collection::vec(count(), total).prop_map(move |counts| Buckets { spans: spans.clone(), counts })
        })
    }

    fn histogram() -> impl Strategy<Value = Histogram> {
        let hint = prop_oneof![Just(ResetHint::Unknown), Just(ResetHint::Reset), Just(ResetHint::NotReset), Just(ResetHint::Gauge)];
        let custom = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(any::<f64>(), 0..3)];
        (prop_oneof![Just(-53), -4..=8_i32], count(), count(), count(), count(), side(), side(), custom, hint).prop_map(
            |(schema, zero_threshold, zero_count, count, sum, positive, negative, custom_values, reset_hint)| Histogram {
                schema,
                zero_threshold,
                zero_count,
                count,
                sum,
                positive,
                negative,
                custom_values,
                reset_hint,
            },
        )
    }

    /// Histograms of which many keep the shape of the one before.
    fn column() -> impl Strategy<Value = Vec<Arc<Histogram>>> {
        let step = (histogram(), any::<bool>(), prop::collection::vec(count(), 12));
        prop::collection::vec(step, 0..20).prop_map(|steps| {
            let mut column: Vec<Arc<Histogram>> = Vec::new();
            for (fresh, same, counts) in steps {
                let h = match column.last() {
                    Some(before) if same => {
                        let mut h = Histogram::clone(before);
                        fill(&mut h, counts.into_iter().chain(std::iter::repeat(1.0)));
                        h
                    }
                    _ => fresh,
                };
                column.push(Arc::new(h));
            }
            column
        })
    }

    /// With every float as its bits, so that NaN compares.
    fn bits(h: &Histogram) -> (String, Vec<u64>) {
        let shape = format!("{} {:?} {:?} {:?}", h.schema, h.positive.spans, h.negative.spans, h.reset_hint);
        let floats = [h.count, h.zero_count, h.sum, h.zero_threshold].into_iter();
        (shape, floats.chain(h.positive.counts.iter().chain(&h.negative.counts).chain(&h.custom_values).copied()).map(f64::to_bits).collect())
    }

    fn all_bits(column: &[Arc<Histogram>]) -> Vec<(String, Vec<u64>)> {
        column.iter().map(|h| bits(h)).collect()
    }

    proptest! {
        #[test]
        fn columns_read_back_to_the_bit(column in column()) {
            let mut bytes = Vec::new();
            encode(&column, &mut bytes);
            prop_assert_eq!(all_bits(&decode(&bytes).unwrap()), all_bits(&column));
        }

        #[test]
        fn one_after_another_reads_back_to_the_bit(column in column()) {
            let mut bytes = Vec::new();
            let mut before = None;
            for h in &column {
                put_histogram(before, h, &mut bytes);
                before = Some(h.as_ref());
            }
            let mut cursor = Cursor::new(&bytes);
            let mut before: Option<Histogram> = None;
            for h in &column {
                let read = take_histogram(before.as_ref(), &mut cursor).unwrap();
                prop_assert_eq!(bits(&read), bits(h));
                before = Some(read);
            }
            prop_assert!(cursor.finish().is_ok());
        }

        #[test]
        fn damaged_bytes_do_not_panic(column in column(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut bytes = Vec::new();
            encode(&column, &mut bytes);
            let _ = decode(bytes.get(..cut.index(bytes.len())).unwrap());
            let at = at.index(bytes.len());
            *bytes.get_mut(at).unwrap() = byte;
            let _ = decode(&bytes);
            let _ = take_histogram(None, &mut Cursor::new(&bytes));
        }

        #[test]
        fn garbage_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = take_histogram(None, &mut Cursor::new(&bytes));
        }
    }

    fn latency(second: u32) -> Histogram {
        let counts: Vec<f64> = (0..4_u32).map(|bucket| f64::from(second * (bucket + 1))).collect();
        Histogram {
            schema: 2,
            zero_threshold: 0.5,
            zero_count: f64::from(second),
            count: f64::from(second * 11),
            sum: f64::from(second) * 1.5,
            positive: Buckets { spans: vec![Span { offset: -3, length: 3 }, Span { offset: 2, length: 1 }], counts },
            reset_hint: ResetHint::NotReset,
            ..Histogram::default()
        }
    }

    #[test]
    fn the_bytes_are_those_that_format_1_promises() {
        let column: Vec<Arc<Histogram>> = (1..=4).map(|second| Arc::new(latency(second))).collect();
        let mut bytes = Vec::new();
        encode(&column, &mut bytes);
        let read = decode(&of_hex(GOLDEN_COLUMN)).unwrap();
        assert_eq!((all_bits(&read), all_bits(&decode(&bytes).unwrap())), (all_bits(&column), all_bits(&column)));
        let mut pair = Vec::new();
        put_histogram(None, &latency(1), &mut pair);
        put_histogram(Some(&latency(1)), &latency(2), &mut pair);
        assert_eq!(pair, of_hex(GOLDEN_PAIR));
    }

    fn of_hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2).unwrap(), 16).unwrap()).collect()
    }

    const GOLDEN_COLUMN: &str = "010401040400010404000000000000e03f020503040100000702010001041e1e010802060002020406080b0612040302050202020202";
    const GOLDEN_PAIR: &str = "0604000000000000e03f0205030401\
0000\
2c0401000000000000f83f04080c10\
022c0401000000000000084004080c10";

    #[test]
    fn a_bucket_and_sample_take_less_than_a_byte() {
        let column: Vec<Arc<Histogram>> = (1..=120).map(|second| Arc::new(latency(second))).collect();
        let mut bytes = Vec::new();
        encode(&column, &mut bytes);
        assert!(bytes.len() < 120 * 4 / 4, "{} bytes", bytes.len());
    }
}
