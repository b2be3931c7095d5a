//! Stored segments as an evaluation sees them: points to look up, or cells to sum up.
//!
//! A cell is what a rolled-up tier keeps; a raw sample is a cell of one, so windows that mix tiers
//! need no case of their own.

use std::borrow::Cow;
use std::sync::Arc;

use super::value::{Held, TierSet};
use crate::model::{Bucket, Column, Histogram, HistogramColumn, Labels, Segment, SeriesData, Tier, Timestamp, is_stale};

/// Samples in order of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples<'a> {
    pub(super) t: &'a [i64],
    pub(super) v: &'a [f64],
}

/// Native histograms in order of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Histograms<'a> {
    pub(super) t: &'a [i64],
    pub(super) h: &'a [Arc<Histogram>],
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
    /// Native histograms without stale markers.
    pub(super) histograms: HistogramColumn,
    /// When the counters behind `points` and `histograms` began, 0 where it is not known; empty where nothing is.
    pub(super) starts: (Vec<i64>, Vec<i64>),
    /// Its name goes at the end of the query.
    pub(super) drop_name: bool,
    /// Set where a rolled-up tier is in it.
    pub(super) cells: Option<Vec<Cell>>,
    /// The coarsest tier.
    pub(super) coarsest: Tier,
}

pub(super) fn tiers_of(data: &SeriesData) -> TierSet {
    let histograms = data.histograms.iter().map(|s| s.tier);
    data.segments.iter().map(Segment::tier).chain(histograms).fold(TierSet::default(), |set, tier| set.with(TierSet::of(tier)))
}

/// The histograms of a series, stale markers left out.
fn histograms_of(data: &SeriesData) -> HistogramColumn {
    let mut out = HistogramColumn::default();
    for column in data.histograms.iter().map(|s| &s.column) {
        for (t, h) in column.t.iter().zip(&column.h).filter(|(_, h)| !is_stale(h.sum)) {
            if out.t.last().is_none_or(|last| last < t) {
                out.push(*t, h.clone());
            }
        }
    }
    out
}

impl Track {
    /// Cells are made only where a function asks for them. Columns are taken over as they are where nothing is to be left out.
    pub(super) fn new(mut data: SeriesData, with_cells: bool) -> Self {
        let coarsest = data.segments.iter().map(Segment::tier).chain(data.histograms.iter().map(|s| s.tier)).max().unwrap_or(Tier::Raw);
        let rolled = data.segments.iter().any(|s| s.tier() != Tier::Raw);
        let cells = (with_cells && rolled).then(|| cells_of(&data));
        let (tiers, histograms) = (tiers_of(&data), histograms_of(&data));
        let points = match data.segments.as_mut_slice() {
            [Segment::Raw(column)] => without_markers(std::mem::take(column)),
            segments => points_of(segments),
        };
        Self { labels: data.labels, tiers, points, histograms, starts: Default::default(), drop_name: false, cells, coarsest }
    }

    /// From points computed by a sub-query.
    pub(super) fn computed(labels: Labels, tiers: TierSet, points: Column, histograms: HistogramColumn) -> Self {
        Self { labels, tiers, points, histograms, starts: Default::default(), drop_name: false, cells: None, coarsest: Tier::Raw }
    }

    /// Says when its counters began: pairs of a sample's time and the start, ascending.
    pub(super) fn set_starts(&mut self, starts: &[(i64, i64)]) {
        let of = |times: &[i64]| -> Vec<i64> { times.iter().map(|t| starts.binary_search_by_key(t, |(at, _)| *at).map_or(0, |i| starts[i].1)).collect() };
        self.starts = (of(&self.points.t), of(&self.histograms.t));
    }

    /// Whether it has nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty() && self.histograms.is_empty()
    }
}

fn without_markers(column: Column) -> Column {
    if !column.v.iter().any(|v| is_stale(*v)) {
        return column;
    }
    let mut out = Column::default();
    column.t.iter().zip(&column.v).filter(|(_, v)| !is_stale(**v)).for_each(|(t, v)| out.push(*t, *v));
    out
}

fn points_of(segments: &[Segment]) -> Column {
    let mut points = Column::default();
    for segment in segments {
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
    points
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
pub(super) struct Points<'a> {
    floats: Vec<(Cow<'a, Column>, i64)>,
    histograms: Vec<(&'a HistogramColumn, i64)>,
}

impl<'a> Points<'a> {
    /// `lookback` says how long a point of a tier counts.
    pub(super) fn new(data: &'a SeriesData, lookback: impl Fn(Tier) -> i64) -> Self {
        let mut floats = Vec::with_capacity(data.segments.len());
        for segment in &data.segments {
            let look = lookback(segment.tier());
            match segment {
                Segment::Raw(column) => floats.push((Cow::Borrowed(column), look)),
                Segment::Rolled { buckets, .. } => floats.push((Cow::Owned(ends_of(buckets.iter())), look)),
            }
        }
        let histograms = data.histograms.iter().map(|s| (&s.column, lookback(s.tier))).collect();
        Self { floats, histograms }
    }

    /// Whether there is any histogram.
    pub(super) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// The number at `t` and its own time.
    pub(super) fn float_at(&self, t: i64, from: &mut Cursor) -> Option<(i64, f64)> {
        let (part, i) = from.find(t, self.floats.len(), |part| &self.floats[part].0.t)?;
        let (column, look) = &self.floats[part];
        let (at, v) = (column.t[i], column.v[i]);
        (at > t.saturating_sub(*look) && !is_stale(v)).then_some((at, v))
    }

    /// The value at `t` and its own time: the newer of a number and a histogram.
    pub(super) fn at(&self, t: i64, floats: &mut Cursor, histograms: &mut Cursor) -> Option<(i64, Held)> {
        let float = floats.find(t, self.floats.len(), |part| &self.floats[part].0.t);
        let histogram = histograms.find(t, self.histograms.len(), |part| &self.histograms[part].0.t);
        let float = float.map(|(part, i)| (self.floats[part].0.t[i], self.floats[part].1, Held::Float(self.floats[part].0.v[i])));
        let histogram = histogram.map(|(part, i)| {
            let (column, look) = &self.histograms[part];
            (column.t[i], *look, Held::Histogram(column.h[i].clone()))
        });
        let (at, look, held) = match (float, histogram) {
            (Some(f), Some(h)) => {
                if h.0 >= f.0 {
                    h
                } else {
                    f
                }
            }
            (f, h) => f.or(h)?,
        };
        let stale = match &held {
            Held::Float(v) => is_stale(*v),
            Held::Histogram(h) => is_stale(h.sum),
        };
        (at > t.saturating_sub(look) && !stale).then_some((at, held))
    }
}

/// Where the last look-up ended; times must not fall.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    part: usize,
    index: usize,
}

impl Cursor {
    /// Part and position of the newest at or before `t`.
    fn find<'a>(&mut self, t: i64, parts: usize, times: impl Fn(usize) -> &'a [i64]) -> Option<(usize, usize)> {
        while self.part + 1 < parts && times(self.part + 1).first().is_some_and(|first| *first <= t) {
            *self = Self { part: self.part + 1, index: 0 };
        }
        if self.part >= parts {
            return None;
        }
        let times = times(self.part);
        if times.get(self.index).is_none_or(|first| *first > t) {
            return None;
        }
        // Steps are often far apart: leap, then search what was leapt over.
        let mut stride = 1;
        while times.get(self.index + stride).is_some_and(|next| *next <= t) {
            self.index += stride;
            stride *= 2;
        }
        let end = (self.index + stride).min(times.len());
        self.index += times[self.index..end].partition_point(|next| *next <= t) - 1;
        Some((self.part, self.index))
    }
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
