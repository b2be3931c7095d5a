//! Samples to buckets, buckets to wider buckets, and generations of buckets one over the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::codec::{exponent_of, from_mantissa, mantissa};
use super::layout::Combine;
use crate::model::{Bucket, BucketColumns, Column, Sample, Timestamp};

/// Decimals that a measured figure has at most.
const MOST_DECIMALS: u8 = 9;
/// Whole numbers up to here are exact as doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// By how much, of its value, a sum of doubles misses the decimal.
const HAIR: f64 = 1e-14;

/// Rolls up samples in ascending order of time into left-open cells of `width`.
pub(super) fn roll_samples(column: &Column, width: Duration) -> BucketColumns {
    let samples = |from: usize, to: usize| (from..to).map(|i| Sample { t: Timestamp(column.t[i]), v: column.v[i] });
    let mut out = BucketColumns::default();
    let mut from = 0;
    while from < column.len() {
        let end = Timestamp(column.t[from]).cell_end(width);
        let to = from + column.t[from..].partition_point(|t| *t <= end.0);
        if let Some(bucket) = Bucket::of(end, samples(from, to)) {
            out.push(&bucket);
        }
        from = to;
    }
    settle_sums(&mut out);
    out
}

/// Decimals add up to decimals, in sums and corrections; their doubles miss that by a hair. The
/// decimal is the truer one, and the smaller to keep.
fn settle_sums(buckets: &mut BucketColumns) {
    let mut exponent = 0;
    for v in buckets.first.iter().chain(&buckets.last).chain(&buckets.min).chain(&buckets.max) {
        if mantissa(*v, exponent).is_none() {
            let Some(needed) = exponent_of(*v, MOST_DECIMALS) else { return };
            exponent = needed.max(exponent);
        }
    }
    for sum in buckets.sum.iter_mut().chain(&mut buckets.correction) {
        let scaled = *sum * 10f64.powi(i32::from(exponent));
        if scaled.abs() < EXACT {
            let settled = from_mantissa(scaled.round() as i64, exponent);
            if (settled - *sum).abs() <= sum.abs() * HAIR {
                *sum = settled;
            }
        }
    }
}

/// Rolls up buckets into cells of `width`, a multiple of their own.
pub(super) fn roll_buckets(buckets: &BucketColumns, width: Duration) -> BucketColumns {
    let mut out = BucketColumns::default();
    let mut open: Option<Bucket> = None;
    for bucket in buckets.iter() {
        let end = bucket.end.cell_end(width);
        open = Some(match open {
            Some(wide) if wide.end == end => wide.merge(bucket, end),
            Some(wide) => {
                out.push(&wide);
                Bucket { end, ..bucket }
            }
            None => Bucket { end, ..bucket },
        });
    }
    open.iter().for_each(|wide| out.push(wide));
    settle_sums(&mut out);
    out
}

/// Generations of one series' buckets, oldest first, as one: a bucket rolled up from a whole window
/// replaces what is there, one of late samples is merged into it.
pub(super) fn stack(generations: Vec<(Combine, BucketColumns)>) -> BucketColumns {
    if generations.len() == 1 {
        return generations.into_iter().next().map(|(_, b)| b).unwrap_or_default();
    }
    let mut out: BTreeMap<Timestamp, Bucket> = BTreeMap::new();
    for (combine, buckets) in &generations {
        for bucket in buckets.iter() {
            out.entry(bucket.end).and_modify(|there| *there = if *combine == Combine::Merge { late(*there, bucket) } else { bucket }).or_insert(bucket);
        }
    }
    out.into_values().collect()
}

/// A bucket of late samples over what is there. The very same again is a batch that was sent twice.
fn late(there: Bucket, came: Bucket) -> Bucket {
    let same = |b: &Bucket| (b.count, b.first_t, b.last_t, b.first.to_bits(), b.last.to_bits(), b.sum.to_bits());
    if same(&there) == same(&came) { there } else { there.merge(came, came.end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(steps: &[(i64, f64)]) -> Column {
        let mut t = 0;
        let mut out = Column::default();
        for (step, v) in steps {
            t += step;
            out.push(t, *v);
        }
        out
    }

    proptest! {
        #[test]
        fn rolling_up_twice_equals_rolling_up_once(steps in prop::collection::vec((1i64..40_000, 0.0f64..100.0), 1..200)) {
            let column = column(&steps);
            let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
            let once = roll_samples(&column, hour);
            let twice = roll_buckets(&roll_samples(&column, minute), hour);
            prop_assert_eq!(once.len(), twice.len());
            for (a, b) in once.iter().zip(twice.iter()) {
                prop_assert_eq!((a.end, a.count, a.min, a.max, a.first, a.last, a.first_t, a.last_t, a.resets, b.approximate), (b.end, b.count, b.min, b.max, b.first, b.last, b.first_t, b.last_t, b.resets, false));
                prop_assert!((a.sum - b.sum).abs() <= 1e-9 * a.sum.abs().max(1.0));
                prop_assert!((a.correction - b.correction).abs() <= 1e-9 * a.correction.abs().max(1.0));
            }
        }
    }

    #[test]
    fn a_rolled_window_replaces_and_late_samples_merge() {
        let width = Duration::from_secs(1);
        let first = roll_samples(&column(&[(100, 1.0), (200, 2.0)]), width);
        let again = roll_samples(&column(&[(100, 1.0), (100, 5.0), (100, 2.0)]), width);
        assert_eq!(stack(vec![(Combine::Replace, first.clone()), (Combine::Replace, again.clone())]), again);
        let merged = stack(vec![(Combine::Replace, first), (Combine::Merge, roll_samples(&column(&[(400, 9.0)]), width))]);
        assert_eq!((merged.count[0], merged.max[0], merged.last[0], merged.approximate[0]), (3, 9.0, 9.0, false));
    }
}
