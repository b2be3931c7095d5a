//! Stored segments as an evaluation sees them: points to look up, or cells to sum up.
//!
//! A cell is what a rolled-up tier keeps; a raw sample is a cell of one, so windows that mix tiers
//! need no case of their own.

use super::value::TierSet;
use crate::model::{Bucket, Column, Labels, Segment, SeriesData, Tier, Timestamp, is_stale};

/// Samples in order of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples<'a> {
    pub(super) t: &'a [i64],
    pub(super) v: &'a [f64],
}

impl<'a> Samples<'a> {
    pub(super) fn slice(&self, from: usize, to: usize) -> Self {
        Self { t: &self.t[from..to], v: &self.v[from..to] }
    }
}

/// A cell: a bucket and its width in milliseconds, 0 for a raw sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) bucket: Bucket,
    pub(super) width: i64,
    pub(super) tier: Tier,
}

/// One series for functions over windows.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) labels: Labels,
    pub(super) tiers: TierSet,
    /// Samples without stale markers: raw ones, and the last of each bucket.
    pub(super) points: Column,
    /// Set where a rolled-up tier is in it.
    pub(super) cells: Option<Vec<Cell>>,
    /// The coarsest tier.
    pub(super) coarsest: Tier,
}

pub(super) fn tiers_of(data: &SeriesData) -> TierSet {
    data.segments.iter().fold(TierSet::default(), |set, s| set.with(TierSet::of(s.tier())))
}

impl Track {
    /// Cells are made only where a function asks for them.
    pub(super) fn new(data: &SeriesData, with_cells: bool) -> Self {
        let coarsest = data.segments.iter().map(Segment::tier).max().unwrap_or(Tier::Raw);
        let mut points = Column::default();
        for segment in &data.segments {
            match segment {
                Segment::Raw(column) => {
                    for (t, v) in column.t.iter().zip(&column.v).filter(|(_, v)| !is_stale(**v)) {
                        points.push(*t, *v);
                    }
                }
                Segment::Rolled { buckets, .. } => {
                    for b in buckets.iter().filter(|b| b.count > 0) {
                        points.push(b.last_t.0, b.last);
                    }
                }
            }
        }
        let cells = (with_cells && coarsest != Tier::Raw).then(|| cells_of(data));
        Self { labels: data.labels.clone(), tiers: tiers_of(data), points, cells, coarsest }
    }

    /// From points computed by a sub-query.
    pub(super) fn computed(labels: Labels, tiers: TierSet, points: Column) -> Self {
        Self { labels, tiers, points, cells: None, coarsest: Tier::Raw }
    }
}

fn cells_of(data: &SeriesData) -> Vec<Cell> {
    let mut out = Vec::new();
    for segment in &data.segments {
        match segment {
            Segment::Raw(column) => {
                for (t, v) in column.t.iter().zip(&column.v).filter(|(_, v)| !is_stale(**v)) {
                    out.push(Cell { bucket: of_sample(*t, *v), width: 0, tier: Tier::Raw });
                }
            }
            Segment::Rolled { tier, width, buckets } => {
                let width = width.as_millis() as i64;
                out.extend(buckets.iter().filter(|b| b.count > 0).map(|bucket| Cell { bucket, width, tier: *tier }));
            }
        }
    }
    out
}

fn of_sample(t: i64, v: f64) -> Bucket {
    let t = Timestamp(t);
    Bucket { end: t, count: 1, sum: v, min: v, max: v, first: v, last: v, first_t: t, last_t: t, correction: 0.0, resets: 0, ended: false, approximate: false }
}

/// One series for instant selectors: the newest point at or before a time is its value, unless it
/// is a stale marker or older than its look back.
#[derive(Clone, Debug, Default)]
pub(super) struct Points {
    parts: Vec<(Column, i64)>,
}

impl Points {
    /// `lookback` says how long a point of a tier counts.
    pub(super) fn new(data: SeriesData, lookback: impl Fn(Tier) -> i64) -> Self {
        let mut parts = Vec::with_capacity(data.segments.len());
        for segment in data.segments {
            let look = lookback(segment.tier());
            match segment {
                Segment::Raw(column) => parts.push((column, look)),
                Segment::Rolled { buckets, .. } => parts.push((ends_of(buckets.iter()), look)),
            }
        }
        Self { parts }
    }

    /// The value at `t` and its own time.
    pub(super) fn at(&self, t: i64, from: &mut Cursor) -> Option<(i64, f64)> {
        while from.part + 1 < self.parts.len() && self.parts[from.part + 1].0.t.first().is_some_and(|first| *first <= t) {
            *from = Cursor { part: from.part + 1, index: 0 };
        }
        let (column, look) = self.parts.get(from.part)?;
        let mut i = from.index;
        if column.t.get(i).is_none_or(|first| *first > t) {
            return None;
        }
        while column.t.get(i + 1).is_some_and(|next| *next <= t) {
            i += 1;
        }
        from.index = i;
        let (at, v) = (column.t[i], column.v[i]);
        (at > t.saturating_sub(*look) && !is_stale(v)).then_some((at, v))
    }
}

/// Where the last look-up of [`Points::at`] ended; times must not fall.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    part: usize,
    index: usize,
}

/// The last sample of each bucket; where the series ended in a bucket, a stale marker at its end.
fn ends_of(buckets: impl Iterator<Item = Bucket>) -> Column {
    let mut out = Column::default();
    for b in buckets {
        if b.count > 0 {
            if out.t.last().is_some_and(|t| *t >= b.last_t.0) {
                out.t.pop();
                out.v.pop();
            }
            out.push(b.last_t.0, b.last);
        }
        if b.ended {
            let after = out.t.last().map_or(b.end.0, |t| b.end.0.max(t + 1));
            out.push(after, crate::model::stale_marker());
        }
    }
    out
}
