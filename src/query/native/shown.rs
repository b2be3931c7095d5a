//! Buckets as an answer shows them.

use super::bounds::{all_buckets, is_custom};
use crate::model::Histogram;

/// One bucket that holds something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShownBucket {
    /// Lower bound.
    pub lower: f64,
    /// Whether the lower bound is part of it.
    pub with_lower: bool,
    /// Upper bound.
    pub upper: f64,
    /// Whether the upper bound is part of it.
    pub with_upper: bool,
    /// Observations in it.
    pub count: f64,
}

/// The buckets of a histogram that hold something, from the lowest to the highest.
#[must_use]
pub fn shown_buckets(h: &Histogram) -> Vec<ShownBucket> {
    let custom = is_custom(h);
    let shown = |b: super::bounds::Bucket| ShownBucket {
        lower: b.lower,
        with_lower: if custom { b.lower == f64::NEG_INFINITY } else { b.lower < 0.0 || (b.lower == 0.0 && b.upper == 0.0) },
        upper: b.upper,
        with_upper: custom || b.upper > 0.0 || (b.lower == 0.0 && b.upper == 0.0),
        count: b.count,
    };
    all_buckets(h).into_iter().filter(|b| b.count != 0.0).map(shown).collect()
}
