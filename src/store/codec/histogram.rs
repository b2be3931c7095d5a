//! One histogram told apart from the one before it: for the journal, where each stands alone, and
//! for the head, where a series' histograms follow each other. Knows no series and no file.
//!
//! ```text
//! histogram := head byte (reset hint; +4: a shape follows) · shape? · value*
//! shape     := schema (signed) · zero threshold (8 bytes) · spans · spans · count · bound (8 bytes)*
//! spans     := count · (offset (signed) · length)*
//! value*    := of count, zero count, sum, positive and negative counts, each against the value in the
//!              same place before (0 after a new shape): an even varint, half of it the zigzag
//!              difference of whole numbers; or an odd one: 1 eight bytes follow, 1 + 2n as before n times
//! ```

use super::CodecError;
use super::bytes::{Cursor, put_varint, unzigzag, zigzag};
use crate::model::{Buckets, Histogram, ResetHint, Span};

const NEW_SHAPE: u8 = 4;
/// More buckets a side than any histogram has that was let in; more is damage.
const MAX_BUCKETS: u64 = 1 << 17;
/// Whole numbers up to here are exact as doubles.
const EXACT: u64 = 1 << 53;

/// Count, zero count, sum: what stands before the buckets.
const HEAD_VALUES: usize = 3;

/// Whether two have the same buckets, bounds and threshold, to the bit.
pub(super) fn same_shape(a: &Histogram, b: &Histogram) -> bool {
    a.schema == b.schema
        && a.zero_threshold.to_bits() == b.zero_threshold.to_bits()
        && a.positive.spans == b.positive.spans
        && a.negative.spans == b.negative.spans
        && a.custom_values.len() == b.custom_values.len()
        && a.custom_values.iter().zip(&b.custom_values).all(|(x, y)| x.to_bits() == y.to_bits())
}

pub(super) fn put_shape(h: &Histogram, out: &mut Vec<u8>) {
    put_varint(zigzag(i64::from(h.schema)), out);
    out.extend_from_slice(&h.zero_threshold.to_bits().to_le_bytes());
    for spans in [&h.positive.spans, &h.negative.spans] {
        put_varint(spans.len() as u64, out);
        for span in spans {
            put_varint(zigzag(i64::from(span.offset)), out);
            put_varint(u64::from(span.length), out);
        }
    }
    put_varint(h.custom_values.len() as u64, out);
    for bound in &h.custom_values {
        out.extend_from_slice(&bound.to_bits().to_le_bytes());
    }
}

/// A histogram with its shape alone; counts are missing.
pub(super) fn take_shape(cursor: &mut Cursor<'_>) -> Result<Histogram, CodecError> {
    let schema = i32::try_from(cursor.signed()?).map_err(|_| CodecError::Damaged("a schema of more than 32 bits"))?;
    let zero_threshold = f64::from_bits(cursor.little_endian(8)?);
    let positive = Buckets { spans: take_spans(cursor)?, counts: Vec::new() };
    let negative = Buckets { spans: take_spans(cursor)?, counts: Vec::new() };
    let custom_values = (0..cursor.count_of(8)?).map(|_| cursor.little_endian(8).map(f64::from_bits)).collect::<Result<_, _>>()?;
    Ok(Histogram { schema, zero_threshold, positive, negative, custom_values, ..Histogram::default() })
}

fn take_spans(cursor: &mut Cursor<'_>) -> Result<Vec<Span>, CodecError> {
    let count = cursor.count_of(2)?;
    let mut spans = Vec::with_capacity(count);
    let mut total = 0;
    for _ in 0..count {
        let offset = i32::try_from(cursor.signed()?).map_err(|_| CodecError::Damaged("an offset of more than 32 bits"))?;
        let length = u32::try_from(cursor.varint()?).map_err(|_| CodecError::Damaged("a span of more than 32 bits"))?;
        total += u64::from(length);
        spans.push(Span { offset, length });
    }
    if total > MAX_BUCKETS { Err(CodecError::TooLong(total)) } else { Ok(spans) }
}

/// How many buckets the spans of a side make.
pub(super) fn buckets_of(buckets: &Buckets) -> usize {
    buckets.spans.iter().map(|span| span.length as usize).sum()
}

pub(super) const fn hint_byte(hint: ResetHint) -> u8 {
    match hint {
        ResetHint::Unknown => 0,
        ResetHint::Reset => 1,
        ResetHint::NotReset => 2,
        ResetHint::Gauge => 3,
    }
}

pub(super) const fn hint_of(byte: u8) -> Result<ResetHint, CodecError> {
    match byte {
        0 => Ok(ResetHint::Unknown),
        1 => Ok(ResetHint::Reset),
        2 => Ok(ResetHint::NotReset),
        3 => Ok(ResetHint::Gauge),
        other => Err(CodecError::UnknownCodec(other)),
    }
}

/// `v` as a whole number that gives back every bit.
pub(super) fn whole(v: f64) -> Option<i64> {
    let integer = v as i64;
    (integer.unsigned_abs() < EXACT && (integer as f64).to_bits() == v.to_bits()).then_some(integer)
}

fn values(h: &Histogram) -> impl Iterator<Item = f64> + '_ {
    [h.count, h.zero_count, h.sum].into_iter().chain(h.positive.counts.iter().copied()).chain(h.negative.counts.iter().copied())
}

/// Appends a histogram; the reader must have the same one before.
pub(in crate::store) fn put_histogram(before: Option<&Histogram>, h: &Histogram, out: &mut Vec<u8>) {
    let same = before.filter(|before| same_shape(before, h));
    out.push(hint_byte(h.reset_hint) | if same.is_some() { 0 } else { NEW_SHAPE });
    if same.is_none() {
        put_shape(h, out);
    }
    let mut old = same.map(values);
    let mut unchanged = 0_u64;
    for v in values(h) {
        let old = old.as_mut().and_then(Iterator::next).unwrap_or(0.0);
        if v.to_bits() == old.to_bits() {
            unchanged += 1;
            continue;
        }
        put_unchanged(std::mem::take(&mut unchanged), out);
        match whole(v).zip(whole(old)) {
            Some((v, old)) => put_varint(zigzag(v - old) << 1, out),
            None => {
                out.push(1);
                out.extend_from_slice(&v.to_bits().to_le_bytes());
            }
        }
    }
    put_unchanged(unchanged, out);
}

fn put_unchanged(count: u64, out: &mut Vec<u8>) {
    if count > 0 {
        put_varint(count << 1 | 1, out);
    }
}

/// Reads what [`put_histogram`] wrote after the same `before`.
pub(in crate::store) fn take_histogram(before: Option<&Histogram>, cursor: &mut Cursor<'_>) -> Result<Histogram, CodecError> {
    let head = cursor.byte()?;
    let hint = hint_of(head & !NEW_SHAPE)?;
    let same = if head & NEW_SHAPE == 0 { Some(before.ok_or(CodecError::Damaged("a histogram without its shape"))?) } else { None };
    let mut h = match same {
        Some(before) => before.clone(),
        None => take_shape(cursor)?,
    };
    let wanted = HEAD_VALUES + buckets_of(&h.positive) + buckets_of(&h.negative);
    let mut old = same.map(values);
    let mut now = Vec::with_capacity(wanted);
    while now.len() < wanted {
        let word = cursor.varint()?;
        if word > 1 && word & 1 == 1 {
            let count = usize::try_from(word >> 1).ok().filter(|n| *n <= wanted - now.len());
            let count = count.ok_or(CodecError::Damaged("more values than buckets"))?;
            now.extend((0..count).map(|_| old.as_mut().and_then(Iterator::next).unwrap_or(0.0)));
            continue;
        }
        let old = old.as_mut().and_then(Iterator::next).unwrap_or(0.0);
        now.push(if word == 1 {
            f64::from_bits(cursor.little_endian(8)?)
        } else {
            whole(old).ok_or(CodecError::Damaged("a difference from what is no whole number"))?.wrapping_add(unzigzag(word >> 1)) as f64
        });
    }
    h.reset_hint = hint;
    fill(&mut h, now.into_iter());
    Ok(h)
}

/// Puts count, zero count, sum and the counts of all buckets, in this order, into a shape.
pub(super) fn fill(h: &mut Histogram, mut values: impl Iterator<Item = f64>) {
    let mut next = || values.next().unwrap_or(0.0);
    (h.count, h.zero_count, h.sum) = (next(), next(), next());
    let (positive, negative) = (buckets_of(&h.positive), buckets_of(&h.negative));
    h.positive.counts = (0..positive).map(|_| next()).collect();
    h.negative.counts = (0..negative).map(|_| next()).collect();
}
