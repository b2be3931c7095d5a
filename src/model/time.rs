//! Instants in Unix milliseconds, and left-open ranges of them. Knows no clock and no calendar.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant in milliseconds since the Unix epoch; negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Before every sample.
    pub const MIN: Self = Self(i64::MIN);
    /// After every sample.
    pub const MAX: Self = Self(i64::MAX);

    /// Unix milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Unix seconds with a fraction, as PromQL's `time()` gives them.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The last multiple of `width` that is strictly before this instant: the open left edge of the
    /// left-open, right-closed cell that holds it. `width` of 0 counts as 1 ms.
    #[must_use]
    pub fn cell_start(self, width: Duration) -> Self {
        let width = (width.as_millis() as i64).max(1);
        Self(self.0.saturating_sub(1).div_euclid(width).saturating_mul(width))
    }

    /// The closed right edge of the left-open cell that holds this instant.
    #[must_use]
    pub fn cell_end(self, width: Duration) -> Self {
        self.cell_start(width) + width
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The instants after `start` up to and including `end`: left-open and right-closed, as PromQL's
/// ranges, buckets and windows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    /// Excluded.
    pub start: Timestamp,
    /// Included.
    pub end: Timestamp,
}

impl TimeRange {
    /// All time.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// `(start, end]`; empty where `end <= start`.
    #[must_use]
    pub const fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    /// Whether nothing lies in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `t` lies in it.
    #[must_use]
    pub fn contains(self, t: Timestamp) -> bool {
        t > self.start && t <= self.end
    }

    /// Whether any instant lies in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        !self.intersect(other).is_empty()
    }

    /// The instants in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_left_open_and_right_closed() {
        let minute = Duration::from_secs(60);
        assert_eq!(Timestamp(60_000).cell_start(minute), Timestamp(0));
        assert_eq!(Timestamp(60_000).cell_end(minute), Timestamp(60_000));
        assert_eq!(Timestamp(60_001).cell_start(minute), Timestamp(60_000));
        assert_eq!(Timestamp(0).cell_end(minute), Timestamp(0));
        assert_eq!(Timestamp(-1).cell_end(minute), Timestamp(0));
    }

    #[test]
    fn ranges_exclude_their_start() {
        let range = TimeRange::new(Timestamp(10), Timestamp(20));
        assert!(!range.contains(Timestamp(10)));
        assert!(range.contains(Timestamp(20)));
        assert!(!range.overlaps(TimeRange::new(Timestamp(20), Timestamp(30))));
    }
}
