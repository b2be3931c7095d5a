//! What reading yields: the times and values of one series, tier by tier.

use std::time::Duration;

use super::{BucketColumns, HistogramColumn, Labels, Tier};

/// Samples of one series: times strictly ascending, values at the same positions. Stale markers
/// are in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Unix milliseconds, strictly ascending.
    pub t: Vec<i64>,
    /// Values.
    pub v: Vec<f64>,
}

impl Column {
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

    /// Appends a sample later than the last.
    pub fn push(&mut self, t: i64, v: f64) {
        debug_assert!(self.t.last().is_none_or(|last| *last < t), "samples come in ascending order");
        self.t.push(t);
        self.v.push(v);
    }
}

/// A stretch of one series that one tier answers.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a series has one to three segments: a box would cost more than the room")]
pub enum Segment {
    /// Samples as they came.
    Raw(Column),
    /// Buckets of a rolled-up tier.
    Rolled {
        /// Aggregated or summary.
        tier: Tier,
        /// Width of each bucket.
        width: Duration,
        /// Ascending, at least one.
        buckets: BucketColumns,
    },
}

impl Segment {
    /// Which tier answered.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        match self {
            Self::Raw(_) => Tier::Raw,
            Self::Rolled { tier, .. } => *tier,
        }
    }

    /// Stored rows: samples or buckets.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Raw(column) => column.len(),
            Self::Rolled { buckets, .. } => buckets.len(),
        }
    }
}

/// A stretch of one series' native histograms that one tier answers. A rolled-up tier keeps of each
/// bucket its first and last histogram, and those on both sides of a counter reset.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSegment {
    /// Which tier.
    pub tier: Tier,
    /// Width of its buckets; zero for raw.
    pub width: Duration,
    /// The histograms.
    pub column: HistogramColumn,
}

/// One series as reading yields it: disjoint segments in order of time, the oldest (coarsest) first.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesData {
    /// Which series.
    pub labels: Labels,
    /// None is empty.
    pub segments: Vec<Segment>,
    /// Native histograms, in order of time; none is empty. A series may have both.
    pub histograms: Vec<HistogramSegment>,
}
