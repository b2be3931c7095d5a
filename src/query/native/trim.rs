//! Cutting off observations above or below a value (`</` and `>/`). The bucket that the value falls
//! into is split; the sum is estimated anew from the middles of what is left.

use super::bounds::{Bucket, bounds, is_custom, of_pairs};
use crate::model::{Buckets, Histogram};

/// What is done, and to what kind of bucket.
#[derive(Clone, Copy)]
struct Cut {
    at: f64,
    /// Keeps what lies below.
    keeps_below: bool,
    custom: bool,
}

/// What is left, summed up.
#[derive(Default)]
struct Left {
    count: f64,
    sum: f64,
    changed: bool,
}

/// The observations on one side of a value.
pub(in super::super) fn trimmed(h: &Histogram, at: f64, keeps_below: bool) -> Histogram {
    let cut = Cut { at, keeps_below, custom: is_custom(h) };
    let mut left = Left::default();
    let mut out = h.clone();
    out.positive = side(h, &h.positive, true, cut, &mut left);
    out.negative = side(h, &h.negative, false, cut, &mut left);
    if h.zero_count > 0.0 {
        let has = |buckets: &Buckets| buckets.counts.iter().any(|c| *c != 0.0);
        let (kept, middle) = zero(h, cut, has(&h.negative), has(&h.positive));
        left.changed |= kept != h.zero_count;
        left.count += kept;
        left.sum = middle.mul_add(kept, left.sum);
        out.zero_count = kept;
    }
    if !left.changed {
        return h.clone();
    }
    (out.count, out.sum) = (left.count, left.sum);
    super::compacted(&out)
}

fn side(h: &Histogram, buckets: &Buckets, positive: bool, cut: Cut, left: &mut Left) -> Buckets {
    let keep = |(index, count): (i32, f64)| {
        if count == 0.0 {
            return (index, count);
        }
        let (near, far) = bounds(index, h.schema, &h.custom_values);
        let b = if positive { Bucket { lower: near, upper: far, count } } else { Bucket { lower: -far, upper: -near, count } };
        let (kept, middle) = trim_bucket(&b, cut, positive);
        left.changed |= kept != count;
        left.count += kept;
        if kept != 0.0 {
            left.sum = middle.mul_add(kept, left.sum);
        }
        (index, kept)
    };
    of_pairs(buckets.iter().map(keep).collect::<Vec<_>>())
}

/// How much of a bucket is kept, and the middle of that.
fn trim_bucket(b: &Bucket, cut: Cut, positive: bool) -> (f64, f64) {
    let (whole, split) = if cut.keeps_below { (b.upper <= cut.at, b.lower < cut.at) } else { (b.lower >= cut.at, b.upper > cut.at) };
    if whole {
        return (b.count, middle(b.lower, b.upper, positive, cut.custom));
    }
    if !split {
        return (0.0, 0.0);
    }
    if b.lower == f64::NEG_INFINITY || b.upper == f64::INFINITY {
        return endless(b, cut);
    }
    let below = b.count * share_below(b, cut.at, positive, cut.custom);
    if cut.keeps_below { (below, middle(b.lower, cut.at, positive, cut.custom)) } else { (b.count - below, middle(cut.at, b.upper, positive, cut.custom)) }
}

/// Of an endless bucket little is known: it is kept whole or dropped, unless it can begin at zero.
fn endless(b: &Bucket, cut: Cut) -> (f64, f64) {
    let finite = |v: f64| if v.is_infinite() { 0.0 } else { v };
    if b.lower == f64::NEG_INFINITY {
        let bounded = b.upper > 0.0 && b.upper != f64::INFINITY;
        return match cut.keeps_below {
            true if cut.at >= b.upper => (b.count, 0.0),
            true if cut.at > 0.0 && bounded => (b.count * cut.at / b.upper, cut.at / 2.0),
            true if b.upper <= 0.0 => (b.count, cut.at),
            false if cut.at <= b.lower => (b.count, 0.0),
            false if cut.at >= 0.0 && b.upper > cut.at && bounded => (b.count * (1.0 - cut.at / b.upper), f64::midpoint(cut.at, b.upper)),
            _ => (0.0, finite(b.upper)),
        };
    }
    if !cut.keeps_below && cut.at >= b.lower { (b.count, cut.at) } else { (0.0, finite(b.lower)) }
}

fn share_below(b: &Bucket, at: f64, positive: bool, linear: bool) -> f64 {
    if linear {
        return (at - b.lower) / (b.upper - b.lower);
    }
    let (lower, upper, at) = (b.lower.abs().log2(), b.upper.abs().log2(), at.abs().log2());
    if positive { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
}

fn middle(lower: f64, upper: f64, positive: bool, linear: bool) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => return 0.0,
        (true, false) => return if upper > 0.0 { upper / 2.0 } else { upper },
        (false, true) => return lower,
        (false, false) => {}
    }
    if linear {
        return f64::midpoint(lower, upper);
    }
    let geometric = (lower * upper).abs().sqrt();
    if positive { geometric } else { -geometric }
}

/// How much of the zero bucket is kept, and the middle of that.
fn zero(h: &Histogram, cut: Cut, has_negative: bool, has_positive: bool) -> (f64, f64) {
    let lower = if has_positive && !has_negative { 0.0 } else { -h.zero_threshold };
    let upper = if has_negative && !has_positive { 0.0 } else { h.zero_threshold };
    let whole = (h.zero_count, f64::midpoint(lower, upper));
    let share = |part: f64| h.zero_count * (part / (upper - lower));
    match cut.keeps_below {
        true if cut.at <= lower => (0.0, 0.0),
        true if cut.at >= upper => whole,
        true => (share(cut.at - lower), f64::midpoint(lower, cut.at)),
        false if cut.at <= lower => whole,
        false if cut.at >= upper => (0.0, 0.0),
        false => (share(upper - cut.at), f64::midpoint(cut.at, upper)),
    }
}
