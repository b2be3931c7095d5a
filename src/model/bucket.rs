//! What a rolled-up tier keeps of the samples in one left-open cell of time.
//!
//! The columns are enough for `rate`, `increase`, `delta`, `resets` and `avg`, `sum`, `count`,
//! `min`, `max`, `first`, `last`, `present_over_time` over whole buckets to equal raw: what a
//! counter gained between two buckets follows from the earlier `last` and the later `first`, so
//! it is not stored.

use super::{Sample, Timestamp, is_stale};

/// The samples of one series in `(end - width, end]`, rolled up. With `count` 0 only a stale
/// marker fell into it: then `ended` is set and the values mean nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Right edge of the cell, included.
    pub end: Timestamp,
    /// Samples without stale markers.
    pub count: u64,
    /// Compensated sum.
    pub sum: f64,
    /// Smallest value; NaN only where all are.
    pub min: f64,
    /// Largest value; NaN only where all are.
    pub max: f64,
    /// Value of the first sample.
    pub first: f64,
    /// Value of the last sample.
    pub last: f64,
    /// Time of the first sample (of the marker where `count` is 0).
    pub first_t: Timestamp,
    /// Time of the last sample (of the marker where `count` is 0).
    pub last_t: Timestamp,
    /// Sum of the values lost at counter resets inside: `last - first + correction` is the increase.
    pub correction: f64,
    /// Counter resets inside.
    pub resets: u64,
    /// A stale marker came after the last sample.
    pub ended: bool,
    /// Two sets of samples that interleave in time were merged without being at hand.
    pub approximate: bool,
}

impl Bucket {
    /// Rolls up samples in ascending order of time; `None` where there is none.
    #[must_use]
    pub fn of(end: Timestamp, samples: impl IntoIterator<Item = Sample>) -> Option<Self> {
        let mut out: Option<Self> = None;
        let mut lost = 0.0;
        for Sample { t, v } in samples {
            match (&mut out, is_stale(v)) {
                (Some(b), true) => b.ended = true,
                (None, true) => out = Some(Self::marker(end, t)),
                (Some(b), false) if b.count > 0 => b.extend(t, v, &mut lost),
                (_, false) => out = Some(Self::single(end, t, v)),
            }
        }
        if let Some(b) = &mut out
            && b.sum.is_finite()
        {
            b.sum += lost;
        }
        out
    }

    fn single(end: Timestamp, t: Timestamp, v: f64) -> Self {
        Self { end, count: 1, sum: v, min: v, max: v, first: v, last: v, first_t: t, last_t: t, correction: 0.0, resets: 0, ended: false, approximate: false }
    }

    fn marker(end: Timestamp, t: Timestamp) -> Self {
        Self { count: 0, ended: true, ..Self::single(end, t, 0.0) }
    }

    /// Neumaier's compensated sum: what an addition loses is gathered in `lost`.
    fn extend(&mut self, t: Timestamp, v: f64, lost: &mut f64) {
        let sum = self.sum + v;
        *lost += if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= v.abs() {
            (self.sum - sum) + v
        } else {
            (v - sum) + self.sum
        };
        self.sum = sum;
        if v < self.min || self.min.is_nan() {
            self.min = v;
        }
        if v > self.max || self.max.is_nan() {
            self.max = v;
        }
        if v < self.last {
            self.correction += self.last;
            self.resets += 1;
        }
        self.count += 1;
        self.last = v;
        self.last_t = t;
        self.ended = false;
    }

    /// This bucket and another of the same series as one bucket that ends at `end`. Exact where
    /// one lies wholly before the other; else marked approximate.
    #[must_use]
    pub fn merge(self, other: Self, end: Timestamp) -> Self {
        let (a, b) = if other.first_t < self.first_t { (other, self) } else { (self, other) };
        if b.count == 0 {
            return Self { end, ended: if b.last_t >= a.last_t { b.ended } else { a.ended }, ..a };
        }
        if a.count == 0 {
            return Self { end, ..b };
        }
        let apart = b.first_t > a.last_t;
        let later = if b.last_t >= a.last_t { &b } else { &a };
        let between = apart && b.first < a.last;
        Self {
            end,
            count: a.count + b.count,
            sum: a.sum + b.sum,
            min: if b.min < a.min || a.min.is_nan() { b.min } else { a.min },
            max: if b.max > a.max || a.max.is_nan() { b.max } else { a.max },
            first: a.first,
            last: later.last,
            first_t: a.first_t,
            last_t: later.last_t,
            correction: a.correction + b.correction + if between { a.last } else { 0.0 },
            resets: a.resets + b.resets + u64::from(between),
            ended: later.ended,
            approximate: a.approximate || b.approximate || !apart,
        }
    }
}

/// Buckets of one series in ascending order of `end`, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each column is the field of the same name in Bucket")]
pub struct BucketColumns {
    pub end: Vec<i64>,
    pub count: Vec<u64>,
    pub sum: Vec<f64>,
    pub min: Vec<f64>,
    pub max: Vec<f64>,
    pub first: Vec<f64>,
    pub last: Vec<f64>,
    pub first_t: Vec<i64>,
    pub last_t: Vec<i64>,
    pub correction: Vec<f64>,
    pub resets: Vec<u64>,
    pub ended: Vec<bool>,
    pub approximate: Vec<bool>,
}

impl BucketColumns {
    /// Number of buckets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.is_empty()
    }

    /// Appends one; its end must be later than the last one's.
    pub fn push(&mut self, b: &Bucket) {
        debug_assert!(self.end.last().is_none_or(|end| *end < b.end.0), "buckets come in ascending order");
        self.end.push(b.end.0);
        self.count.push(b.count);
        self.sum.push(b.sum);
        self.min.push(b.min);
        self.max.push(b.max);
        self.first.push(b.first);
        self.last.push(b.last);
        self.first_t.push(b.first_t.0);
        self.last_t.push(b.last_t.0);
        self.correction.push(b.correction);
        self.resets.push(b.resets);
        self.ended.push(b.ended);
        self.approximate.push(b.approximate);
    }

    /// The bucket at `i`, which must be below [`len`](Self::len).
    #[must_use]
    pub fn get(&self, i: usize) -> Bucket {
        Bucket {
            end: Timestamp(self.end[i]),
            count: self.count[i],
            sum: self.sum[i],
            min: self.min[i],
            max: self.max[i],
            first: self.first[i],
            last: self.last[i],
            first_t: Timestamp(self.first_t[i]),
            last_t: Timestamp(self.last_t[i]),
            correction: self.correction[i],
            resets: self.resets[i],
            ended: self.ended[i],
            approximate: self.approximate[i],
        }
    }

    /// All buckets in order.
    pub fn iter(&self) -> impl Iterator<Item = Bucket> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}

impl FromIterator<Bucket> for BucketColumns {
    fn from_iter<I: IntoIterator<Item = Bucket>>(buckets: I) -> Self {
        let mut out = Self::default();
        for b in buckets {
            out.push(&b);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stale_marker;

    fn of(end: i64, samples: &[(i64, f64)]) -> Bucket {
        Bucket::of(Timestamp(end), samples.iter().map(|&(t, v)| Sample { t: Timestamp(t), v })).unwrap()
    }

    #[test]
    fn a_counter_that_starts_anew_keeps_its_increase() {
        let b = of(10, &[(1, 5.0), (2, 9.0), (3, 2.0), (4, 4.0)]);
        assert_eq!((b.last - b.first + b.correction, b.resets, b.count), (8.0, 1, 4));
        assert_eq!((b.min, b.max, b.sum), (2.0, 9.0, 20.0));
    }

    #[test]
    fn merging_neighbours_equals_rolling_up_all() {
        let all = [(1, 5.0), (2, 9.0), (11, 2.0), (14, 4.0), (15, 1.0)];
        let whole = of(20, &all);
        let merged = of(10, &all[..2]).merge(of(20, &all[2..]), Timestamp(20));
        assert_eq!(whole, merged);
        let reversed = of(20, &all[2..]).merge(of(10, &all[..2]), Timestamp(20));
        assert_eq!(whole, reversed);
    }

    #[test]
    fn interleaved_samples_are_marked_approximate() {
        let merged = of(10, &[(1, 1.0), (5, 3.0)]).merge(of(10, &[(3, 2.0)]), Timestamp(10));
        assert!(merged.approximate);
        assert_eq!((merged.count, merged.first, merged.last, merged.sum), (3, 1.0, 3.0, 6.0));
    }

    #[test]
    fn a_stale_marker_ends_the_bucket_and_a_later_sample_revives_it() {
        assert!(of(10, &[(1, 1.0), (2, stale_marker())]).ended);
        assert!(!of(10, &[(1, 1.0), (2, stale_marker()), (3, 2.0)]).ended);
        let only = of(10, &[(2, stale_marker())]);
        assert_eq!((only.count, only.ended), (0, true));
        let merged = of(10, &[(1, 1.0)]).merge(of(20, &[(12, stale_marker())]), Timestamp(20));
        assert_eq!((merged.count, merged.ended), (1, true));
    }
}
