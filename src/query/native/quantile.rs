//! What a histogram says of its observations: quantiles, fractions, variance. Within exponential
//! buckets observations are taken to lie evenly on a logarithmic scale, else on a linear one.

use super::super::kahan::Sum;
use super::bounds::{Bucket, all_buckets, is_custom};
use crate::model::Histogram;

/// The zero bucket reaches only to the side on which there is something.
fn clip_zero(h: &Histogram, b: &mut Bucket) {
    match (h.negative.counts.is_empty(), h.positive.counts.is_empty()) {
        (true, false) => b.lower = 0.0,
        (false, true) => b.upper = 0.0,
        _ => {}
    }
}

fn straddles(b: &Bucket) -> bool {
    b.lower <= 0.0 && b.upper >= 0.0
}

/// The φ-quantile.
pub(in super::super) fn quantile(phi: f64, h: &Histogram) -> f64 {
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    if h.count == 0.0 || phi.is_nan() {
        return f64::NAN;
    }
    // Observations of NaN are in no bucket: then only counting from below finds the rank.
    let forward = h.sum.is_nan() || phi < 0.5;
    let mut rank = if forward { phi * h.count } else { (1.0 - phi) * h.count };
    let mut buckets = all_buckets(h);
    if !forward {
        buckets.reverse();
    }
    let (mut count, mut bucket) = (0.0, Bucket { lower: 0.0, upper: 0.0, count: 0.0 });
    for b in buckets.into_iter().filter(|b| b.count != 0.0) {
        bucket = b;
        count += b.count;
        if count >= rank {
            break;
        }
    }
    if !is_custom(h) && bucket.lower < 0.0 && bucket.upper > 0.0 {
        clip_zero(h, &mut bucket);
    } else if is_custom(h) {
        if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return bucket.upper;
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return bucket.lower;
        }
    }
    count = count.min(h.count);
    // Only with observations of NaN: the rank lies among them.
    if count < rank {
        return if h.sum.is_nan() { f64::NAN } else { bucket.upper };
    }
    rank = if forward { rank - (count - bucket.count) } else { count - rank };
    within(h, &bucket, rank / bucket.count)
}

/// The value at a fraction of a bucket.
fn within(h: &Histogram, b: &Bucket, fraction: f64) -> f64 {
    if is_custom(h) || straddles(b) {
        return b.lower + (b.upper - b.lower) * fraction;
    }
    let (lower, upper) = (b.lower.abs().log2(), b.upper.abs().log2());
    if b.lower > 0.0 { (lower + (upper - lower) * fraction).exp2() } else { -(upper + (lower - upper) * (1.0 - fraction)).exp2() }
}

/// The fraction of observations between two values.
pub(in super::super) fn fraction(lower: f64, upper: f64, h: &Histogram) -> f64 {
    if h.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let mut rank = 0.0;
    let (mut below, mut above) = (None, None);
    let custom = is_custom(h);
    for mut b in all_buckets(h) {
        let linear = custom || straddles(&b);
        if !custom && straddles(&b) {
            clip_zero(h, &mut b);
        } else if custom && b.lower == f64::NEG_INFINITY && b.upper > 0.0 {
            b.lower = 0.0;
        }
        for (value, found) in [(lower, &mut below), (upper, &mut above)] {
            if found.is_some() {
                continue;
            }
            if b.lower >= value {
                *found = Some(rank);
            } else if b.upper > value {
                *found = Some(rank + rank_within(&b, value, linear));
            }
        }
        if below.is_some() && above.is_some() {
            break;
        }
        rank += b.count;
    }
    // Observations of NaN are in no bucket and in no fraction.
    let most = if h.sum.is_nan() { rank_of_all(h) } else { h.count };
    let capped = |found: Option<f64>| found.map_or(most, |rank| rank.min(most));
    (capped(above) - capped(below)) / h.count
}

fn rank_of_all(h: &Histogram) -> f64 {
    all_buckets(h).iter().map(|b| b.count).sum()
}

/// How many of a bucket lie below a value within it.
fn rank_within(b: &Bucket, value: f64, linear: bool) -> f64 {
    if linear {
        return match (b.lower.is_infinite(), b.upper.is_infinite()) {
            // Of an endless bucket nothing is known: all of it lies above the value, or below.
            (true, _) => b.count,
            (_, true) => 0.0,
            _ => b.count * (value - b.lower) / (b.upper - b.lower),
        };
    }
    let (lower, upper, at) = (b.lower.abs().log2(), b.upper.abs().log2(), value.abs().log2());
    let fraction = if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) };
    b.count * fraction
}

/// The variance of the observations, each taken at the middle of its bucket.
pub(in super::super) fn variance(h: &Histogram) -> f64 {
    let mean = h.sum / h.count;
    let mut total = Sum::default();
    for b in all_buckets(h).into_iter().filter(|b| b.count != 0.0) {
        let value = if is_custom(h) {
            f64::midpoint(b.upper, b.lower)
        } else if straddles(&b) {
            0.0
        } else {
            let middle = (b.upper * b.lower).sqrt();
            if b.upper < 0.0 { -middle } else { middle }
        };
        let delta = value - mean;
        total.add(b.count * delta * delta);
    }
    total.value() / h.count
}
