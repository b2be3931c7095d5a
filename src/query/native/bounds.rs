//! Where buckets begin and end.

use crate::model::{Buckets, CUSTOM_BUCKETS_SCHEMA, Histogram, Span};

/// One bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Bucket {
    pub(in super::super) lower: f64,
    pub(in super::super) upper: f64,
    pub(in super::super) count: f64,
}

/// Whether it has bounds of its own.
pub(in super::super) fn is_custom(h: &Histogram) -> bool {
    h.schema == CUSTOM_BUCKETS_SCHEMA
}

/// The upper bound of a bucket on the positive side.
pub(super) fn upper(index: i32, schema: i32, custom: &[f64]) -> f64 {
    if schema == CUSTOM_BUCKETS_SCHEMA {
        return match usize::try_from(index) {
            Ok(i) => custom.get(i).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        };
    }
    let bound =
        if schema <= 0 { f64::from(index) * f64::from(1_i32 << schema.unsigned_abs().min(30)) } else { f64::from(index) / f64::from(1_i32 << schema.min(30)) };
    // The last bucket ends at the largest number, so that +Inf has one of its own.
    if bound == 1024.0 { f64::MAX } else { bound.exp2() }
}

/// The bucket's bounds on its side, away from zero.
pub(super) fn bounds(index: i32, schema: i32, custom: &[f64]) -> (f64, f64) {
    (upper(index.saturating_sub(1), schema, custom), upper(index, schema, custom))
}

/// The index in a coarser schema.
pub(super) fn coarser(index: i32, from: i32, to: i32) -> i32 {
    let shift = from.saturating_sub(to).clamp(0, 31).unsigned_abs();
    (index.saturating_sub(1) >> shift).saturating_add(1)
}

/// Buckets from the lowest to the highest: negative ones, the zero bucket where it has something, positive ones.
pub(in super::super) fn all_buckets(h: &Histogram) -> Vec<Bucket> {
    let mut out: Vec<Bucket> = Vec::with_capacity(h.positive.counts.len() + h.negative.counts.len() + 1);
    for (index, count) in h.negative.iter() {
        let (near, far) = bounds(index, h.schema, &h.custom_values);
        out.push(Bucket { lower: -far, upper: (-near).min(-h.zero_threshold), count });
    }
    out.reverse();
    if h.zero_count > 0.0 {
        out.push(Bucket { lower: -h.zero_threshold, upper: h.zero_threshold, count: h.zero_count });
    }
    for (index, count) in h.positive.iter() {
        let (lower, upper) = bounds(index, h.schema, &h.custom_values);
        let lower = if is_custom(h) { lower } else { lower.max(h.zero_threshold) };
        out.push(Bucket { lower, upper, count });
    }
    out
}

/// Buckets of indices in ascending order.
pub(super) fn of_pairs(pairs: impl IntoIterator<Item = (i32, f64)>) -> Buckets {
    let mut out = Buckets::default();
    let mut next = 0_i32;
    for (index, count) in pairs {
        match out.spans.last_mut() {
            Some(span) if next == index => span.length += 1,
            Some(_) => out.spans.push(Span { offset: index - next, length: 1 }),
            None => out.spans.push(Span { offset: index, length: 1 }),
        }
        out.counts.push(count);
        next = index.saturating_add(1);
    }
    out
}
