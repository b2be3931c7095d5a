//! A native histogram: a whole distribution as one sample. Knows no wire format and no arithmetic:
//! what adds, scales or asks for quantiles is `query`'s.
//!
//! The shape is Prometheus's float histogram. Bucket *i* of an exponential schema *s* covers
//! (base^(i-1), base^i] with base = 2^(2^-s); schema −53 has its own upper bounds in `custom_values`.

use std::sync::Arc;

use super::is_stale;

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

/// Buckets that one sample may have. Prometheus' own clients stay below a few hundred.
pub const MAX_HISTOGRAM_BUCKETS: usize = 10_000;

impl Histogram {
    /// Whether it is the end of its series: its sum is the stale marker.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// What is wrong with it, if anything: an unknown schema, spans that do not fit, too many
    /// buckets, bounds out of order, a negative count.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let buckets = self.positive.counts.len() + self.negative.counts.len();
        if self.schema != CUSTOM_BUCKETS_SCHEMA && !(-4..=8).contains(&self.schema) {
            return Some(format!("a histogram has the schema {}: -4 to 8 and {CUSTOM_BUCKETS_SCHEMA} are known", self.schema));
        }
        let spans = self.positive.spans.len() + self.negative.spans.len();
        let most = buckets.max(self.custom_values.len()).max(spans);
        if most > MAX_HISTOGRAM_BUCKETS {
            return Some(format!("a histogram has {most} buckets, bounds or spans, the limit is {MAX_HISTOGRAM_BUCKETS}"));
        }
        if !self.positive.is_well_formed() || !self.negative.is_well_formed() {
            return Some("a histogram's spans do not fit its buckets".to_owned());
        }
        let custom = if self.schema == CUSTOM_BUCKETS_SCHEMA {
            self.custom_fault()
        } else {
            (!self.custom_values.is_empty()).then_some("an exponential histogram has bounds of its own")
        };
        if let Some(reason) = custom {
            return Some(reason.to_owned());
        }
        let negative = |v: &f64| *v < 0.0;
        let any = self.positive.counts.iter().chain(&self.negative.counts).chain([&self.count, &self.zero_count]).any(negative);
        (any || negative(&self.zero_threshold)).then(|| "a histogram has a negative count or zero threshold".to_owned())
    }

    fn custom_fault(&self) -> Option<&'static str> {
        if self.custom_values.iter().any(|bound| !bound.is_finite()) {
            return Some("a histogram's bounds must be finite: +Inf is always the last");
        }
        if !self.custom_values.is_sorted_by(|a, b| a < b) {
            return Some("a histogram's bounds do not ascend");
        }
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 || !self.negative.counts.is_empty() || !self.negative.spans.is_empty() {
            return Some("a histogram with bounds of its own has neither a zero bucket nor negative ones");
        }
        let most = self.custom_values.len() as i64;
        let beyond = self.positive.iter().any(|(index, _)| index < 0 || i64::from(index) > most);
        beyond.then_some("a histogram has buckets beyond its bounds")
    }

    /// About the bytes it takes in memory.
    #[must_use]
    pub const fn weight(&self) -> usize {
        let spans = self.positive.spans.len() + self.negative.spans.len();
        let numbers = self.positive.counts.len() + self.negative.counts.len() + self.custom_values.len();
        size_of::<Self>() + spans * size_of::<Span>() + numbers * size_of::<f64>()
    }
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

    #[test]
    fn what_is_malformed_is_said() {
        let buckets = |offset, counts: &[f64]| Buckets { spans: vec![Span { offset, length: counts.len() as u32 }], counts: counts.to_vec() };
        let good = Histogram { schema: 3, count: 3.0, positive: buckets(-5, &[1.0, 2.0]), ..Histogram::default() };
        let custom =
            Histogram { schema: CUSTOM_BUCKETS_SCHEMA, positive: buckets(0, &[1.0, 2.0, 0.0]), custom_values: vec![-1.0, 2.0], ..Histogram::default() };
        assert_eq!((good.fault(), custom.fault()), (None, None));
        for (bad, why) in [
            (Histogram { schema: 9, ..good.clone() }, "schema"),
            (Histogram { positive: buckets(0, &[0.0; MAX_HISTOGRAM_BUCKETS + 1]), ..good.clone() }, "limit"),
            (Histogram { positive: Buckets { counts: vec![1.0], ..buckets(0, &[1.0, 2.0]) }, ..good.clone() }, "spans"),
            (Histogram { positive: buckets(0, &[-1.0]), ..good.clone() }, "negative"),
            (Histogram { custom_values: vec![1.0], ..good }, "bounds"),
            (Histogram { custom_values: vec![2.0, 2.0], ..custom.clone() }, "ascend"),
            (Histogram { custom_values: vec![1.0, f64::INFINITY], ..custom.clone() }, "finite"),
            (Histogram { custom_values: vec![1.0], ..custom.clone() }, "beyond"),
            (Histogram { zero_count: 1.0, ..custom }, "zero bucket"),
        ] {
            assert!(bad.fault().is_some_and(|reason| reason.contains(why)), "{why}: {:?}", bad.fault());
        }
    }
}
