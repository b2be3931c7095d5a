//! A native histogram: a whole distribution as one sample. Knows no wire format and no arithmetic:
//! what adds, scales or asks for quantiles is `query`'s.
//!
//! The shape is Prometheus's float histogram. Bucket *i* of an exponential schema *s* covers
//! (base^(i-1), base^i] with base = 2^(2^-s); schema −53 has its own upper bounds in `custom_values`.

use std::sync::Arc;

/// The schema whose bounds are given one by one.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

/// Whether a counter histogram began anew with this sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResetHint {
    /// Not said: it has to be found by comparison.
    #[default]
    Unknown,
    /// It did.
    Reset,
    /// It did not.
    NotReset,
    /// It is no counter.
    Gauge,
}

/// Buckets in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Of the first span: index of the first bucket. Of a later one: how many buckets are left out before it.
    pub offset: i32,
    /// How many there are.
    pub length: u32,
}

/// The buckets of one side, from the zero bucket outwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Which indices there are.
    pub spans: Vec<Span>,
    /// The count in each, not cumulative; as many as the spans' lengths add up to.
    pub counts: Vec<f64>,
}

impl Buckets {
    /// Index and count of each bucket, ascending in index.
    pub fn iter(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        let mut next = 0_i32;
        let indices = self.spans.iter().flat_map(move |span| {
            let first = next.saturating_add(span.offset);
            next = first.saturating_add_unsigned(span.length);
            first..next
        });
        indices.zip(self.counts.iter().copied())
    }

    /// Whether the spans fit the counts: their lengths add up, and no later offset is negative.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let total: u64 = self.spans.iter().map(|span| u64::from(span.length)).sum();
        total == self.counts.len() as u64 && self.spans.iter().skip(1).all(|span| span.offset >= 0)
    }
}

/// One sample of a native histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Resolution: −4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// What is not farther from zero lies in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations, NaN included.
    pub count: f64,
    /// Sum of all observations.
    pub sum: f64,
    /// Above zero; with custom bounds all of them.
    pub positive: Buckets,
    /// Below zero, by distance from it.
    pub negative: Buckets,
    /// Upper bounds of [`CUSTOM_BUCKETS_SCHEMA`], ascending, without +Inf.
    pub custom_values: Vec<f64>,
    /// Whether it began anew.
    pub reset_hint: ResetHint,
}

/// Histograms of one series: times strictly ascending, values at the same positions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramColumn {
    /// Unix milliseconds, strictly ascending.
    pub t: Vec<i64>,
    /// Values.
    pub h: Vec<Arc<Histogram>>,
}

impl HistogramColumn {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.t.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.t.is_empty()
    }

    /// Appends a histogram later than the last.
    pub fn push(&mut self, t: i64, h: Arc<Histogram>) {
        debug_assert!(self.t.last().is_none_or(|last| *last < t), "histograms come in ascending order");
        self.t.push(t);
        self.h.push(h);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_say_which_bucket_a_count_belongs_to() {
        let buckets = Buckets { spans: vec![Span { offset: -2, length: 2 }, Span { offset: 1, length: 1 }], counts: vec![1.0, 2.0, 3.0] };
        assert_eq!(buckets.iter().collect::<Vec<_>>(), [(-2, 1.0), (-1, 2.0), (1, 3.0)]);
        assert!(buckets.is_well_formed());
        assert!(!Buckets { counts: vec![1.0], ..Buckets::default() }.is_well_formed());
    }
}
