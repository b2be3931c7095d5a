//! Whether a counter histogram began anew, found by comparison as Prometheus finds it. Knows no
//! order of samples: it is told two.

use super::histogram::{Buckets, CUSTOM_BUCKETS_SCHEMA, Histogram, ResetHint};

/// Upper bound of bucket `index` of an exponential schema, above zero.
#[must_use]
pub fn exponential_bound(index: i32, schema: i32) -> f64 {
    let (whole, fraction) = if schema < 0 {
        (i64::from(index) << schema.unsigned_abs().min(31), 0.0)
    } else {
        let shift = schema.min(31);
        let within = i64::from(index) & ((1 << shift) - 1);
        (i64::from(index) >> shift, within as f64 / (1_i64 << shift) as f64)
    };
    // The last bucket before the one of infinite observations.
    if whole == 1024 && fraction == 0.0 { f64::MAX } else { scaled(fraction.exp2(), whole) }
}

/// `v` (1 to 2) times a power of two; in two steps, so that neither leaves the range too early.
fn scaled(v: f64, power: i64) -> f64 {
    let power = power.clamp(-1200, 1200) as i32;
    v * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2)
}

/// The bucket of a coarser schema that a bucket lies in.
const fn coarser(index: i32, by: u32) -> i32 {
    if by > 31 { if index > 0 { 1 } else { 0 } } else { ((index.wrapping_sub(1)) >> by).wrapping_add(1) }
}

impl Histogram {
    /// Whether its bounds are given one by one.
    #[must_use]
    pub const fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// Whether, after `previous`, the counter began anew with this one: its hint says so; or it has
    /// a finer schema, a smaller zero threshold, or anything in it is less than it was before.
    #[must_use]
    pub fn detects_reset(&self, previous: &Self) -> bool {
        match self.reset_hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            // Of a gauge it is only asked where a function for counters is used on it.
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < previous.count || self.has_custom_buckets() != previous.has_custom_buckets() {
            return true;
        }
        if self.has_custom_buckets() {
            return self.shrinks_in_common_bounds(previous);
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        if self.grew_in_place(previous) {
            return false;
        }
        match previous.zero_count_within(self.zero_threshold) {
            Some(before) if self.zero_count >= before || self.zero_count.is_nan() || before.is_nan() => {}
            _ => return true,
        }
        let by = self.schema.abs_diff(previous.schema);
        let shrinks = |now: &Buckets, before: &Buckets| {
            // Before buckets are taken together: a wider one may lie partly in the zero bucket.
            let beyond = |(index, _): &(i32, f64)| exponential_bound(*index, previous.schema) > self.zero_threshold;
            shrinks(&reduced(now.iter(), 0), reduced(before.iter().filter(beyond), by).into_iter())
        };
        shrinks(&self.positive, &previous.positive) || shrinks(&self.negative, &previous.negative)
    }

    /// The usual case, without a list made: the same buckets, and none shrank.
    fn grew_in_place(&self, previous: &Self) -> bool {
        let grew = |now: &Buckets, before: &Buckets| now.spans == before.spans && now.counts.iter().zip(&before.counts).all(|(now, before)| now >= before);
        self.schema == previous.schema
            && self.zero_threshold == previous.zero_threshold
            && self.zero_count >= previous.zero_count
            && grew(&self.positive, &previous.positive)
            && grew(&self.negative, &previous.negative)
    }

    /// What would be in its zero bucket if that reached to `threshold`; `None` where that is amid a
    /// bucket that holds something.
    fn zero_count_within(&self, threshold: f64) -> Option<f64> {
        let mut count = self.zero_count;
        if threshold == self.zero_threshold {
            return Some(count);
        }
        for side in [&self.positive, &self.negative] {
            for (index, within) in side.iter() {
                if exponential_bound(index.saturating_sub(1), self.schema) >= threshold {
                    break;
                }
                if exponential_bound(index, self.schema) > threshold {
                    if within > 0.0 {
                        return None;
                    }
                    break;
                }
                count += within;
            }
        }
        Some(count)
    }

    /// Of custom bounds that differ, those that both have are compared.
    fn shrinks_in_common_bounds(&self, previous: &Self) -> bool {
        if self.custom_values == previous.custom_values {
            return shrinks(&reduced(self.positive.iter(), 0), reduced(previous.positive.iter(), 0).into_iter());
        }
        let common: Vec<f64> =
            self.custom_values.iter().copied().filter(|bound| previous.custom_values.binary_search_by(|other| other.total_cmp(bound)).is_ok()).collect();
        let rolled = |h: &Self| {
            let mut out = vec![0.0; common.len() + 1];
            for (index, count) in h.positive.iter() {
                let upper = usize::try_from(index).ok().and_then(|i| h.custom_values.get(i)).copied().unwrap_or(f64::INFINITY);
                let at = common.partition_point(|bound| *bound < upper);
                if let Some(place) = out.get_mut(at) {
                    *place += count;
                }
            }
            out
        };
        rolled(self).iter().zip(rolled(previous)).any(|(now, before)| *now < before)
    }
}

/// Index and count of each bucket, ascending, with 2^`by` neighbours taken together.
fn reduced(buckets: impl Iterator<Item = (i32, f64)>, by: u32) -> Vec<(i32, f64)> {
    let mut out: Vec<(i32, f64)> = Vec::new();
    for (index, count) in buckets {
        let index = if by == 0 { index } else { coarser(index, by) };
        match out.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => out.push((index, count)),
        }
    }
    out
}

/// Whether any bucket holds less than before; one that is not there any more counts as one that holds nothing.
fn shrinks(now: &[(i32, f64)], before: impl Iterator<Item = (i32, f64)>) -> bool {
    let mut rest = now;
    for (index, count) in before {
        let skip = rest.partition_point(|(i, _)| *i < index);
        rest = rest.get(skip..).unwrap_or_default();
        let shrunk = match rest.first() {
            Some((i, now)) if *i == index => *now < count,
            _ => count != 0.0,
        };
        if shrunk {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    fn histogram(schema: i32, offset: i32, counts: &[f64]) -> Histogram {
        let length = counts.len() as u32;
        Histogram {
            schema,
            zero_threshold: 0.001,
            count: counts.iter().sum(),
            positive: Buckets { spans: vec![Span { offset, length }], counts: counts.to_vec() },
            ..Histogram::default()
        }
    }

    #[test]
    fn bounds_are_powers_of_the_base() {
        assert_eq!([exponential_bound(0, 0), exponential_bound(3, 0), exponential_bound(-2, 0), exponential_bound(1, 1)], [1.0, 8.0, 0.25, 2_f64.sqrt()]);
        assert_eq!([exponential_bound(1, -1), exponential_bound(-1, -2), exponential_bound(1024, 0)], [4.0, 0.0625, f64::MAX]);
        assert_eq!((exponential_bound(-1074, 0), exponential_bound(i32::MAX, -4)), (f64::from_bits(1), f64::INFINITY));
    }

    #[test]
    fn growing_is_no_reset_and_shrinking_anywhere_is() {
        let before = histogram(1, 1, &[1.0, 2.0, 3.0]);
        assert!(!before.detects_reset(&before));
        assert!(!histogram(1, 1, &[1.0, 5.0, 3.0, 1.0]).detects_reset(&before));
        assert!(histogram(1, 1, &[1.0, 1.0, 3.0, 9.0]).detects_reset(&before), "a bucket shrank, though the count grew");
        assert!(histogram(1, 2, &[9.0, 9.0]).detects_reset(&before), "a bucket is gone");
        assert!(!histogram(1, 2, &[2.0, 9.0]).detects_reset(&histogram(1, 1, &[0.0, 2.0])), "one that held nothing is gone");
        let mut hinted = histogram(1, 1, &[9.0, 9.0, 9.0]);
        hinted.reset_hint = ResetHint::Reset;
        assert!(hinted.detects_reset(&before));
        assert!(!Histogram { reset_hint: ResetHint::NotReset, ..histogram(1, 1, &[0.0]) }.detects_reset(&before));
    }

    #[test]
    fn what_the_wider_zero_bucket_took_is_not_missed_in_a_coarser_one() {
        // Buckets 1 and 2 are the coarser bucket 1, and the first of them lies in the zero bucket now.
        let now = Histogram { zero_threshold: 2_f64.sqrt(), zero_count: 5.0, count: 7.0, ..histogram(0, 1, &[2.0]) };
        assert!(!now.detects_reset(&histogram(1, 1, &[5.0, 2.0])));
        assert!(now.detects_reset(&histogram(1, 1, &[5.0, 3.0])));
    }

    #[test]
    fn a_coarser_schema_and_a_wider_zero_bucket_are_no_resets_by_themselves() {
        let before = histogram(1, 1, &[1.0, 2.0, 3.0]);
        assert!(!histogram(0, 1, &[3.0, 3.0]).detects_reset(&before), "buckets 1 and 2 are the coarser bucket 1");
        assert!(histogram(0, 1, &[2.0, 4.0]).detects_reset(&before));
        assert!(before.detects_reset(&histogram(0, 1, &[1.0])), "finer");
        let wide = |zero_count, counts: &[f64]| Histogram { zero_threshold: 2.0, zero_count, count: 9.0, ..histogram(1, 3, counts) };
        assert!(!wide(3.0, &[3.0]).detects_reset(&before), "buckets 1 and 2 end at 2");
        assert!(wide(2.0, &[4.0]).detects_reset(&before));
        assert!(Histogram { zero_threshold: 1.5, ..wide(9.0, &[3.0]) }.detects_reset(&before), "amid a bucket");
        assert!(Histogram { zero_threshold: 0.0, ..before.clone() }.detects_reset(&before));
    }

    #[test]
    fn custom_bounds_are_compared_where_both_have_them() {
        let custom =
            |bounds: &[f64], counts: &[f64]| Histogram { custom_values: bounds.to_vec(), zero_threshold: 0.0, ..histogram(CUSTOM_BUCKETS_SCHEMA, 0, counts) };
        let before = custom(&[1.0, 2.0], &[1.0, 1.0, 1.0]);
        assert!(!custom(&[1.0, 2.0], &[1.0, 1.0, 2.0]).detects_reset(&before));
        assert!(!custom(&[2.0, 3.0], &[2.0, 1.0]).detects_reset(&before));
        assert!(custom(&[2.0, 3.0], &[1.0, 2.0]).detects_reset(&before));
        assert!(before.detects_reset(&histogram(0, 1, &[1.0])));
    }
}
