//! Instant and range selectors and sub-queries: from the source to rows and tracks.

use std::sync::Arc;

use super::QueryError;
use super::eval::Evaluator;
use super::plan;
use super::series::{Cursor, Points, Track, tiers_of};
use super::smooth;
use super::tree::{Edges, Expr, Node, Selector, Shift};
use super::value::{Evaluated, Grid, HOLE, Held, Row, is_hole};
use crate::model::{Column, Histogram, HistogramColumn, ResetHint, SeriesData, TimeRange};
use crate::store::Selection;

/// The step of a sub-query that names none.
const SUBQUERY_STEP_MS: i64 = 60_000;

/// Series over windows, and the windows.
pub(super) struct Windows {
    pub(super) tracks: Vec<Track>,
    /// Length of each window in milliseconds.
    pub(super) range: i64,
    pub(super) shift: Shift,
    pub(super) edges: Edges,
    /// How far beyond the edges samples are looked for, in milliseconds.
    pub(super) beyond: i64,
}

/// What of a sample an instant selector yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yield {
    Value,
    /// Its time in seconds.
    Time,
    /// When its counter began, in seconds.
    Start,
}

impl Evaluator<'_> {
    /// Reads a selector, or takes what another like it has read.
    fn read(&mut self, selector: &Selector, range: TimeRange) -> Result<Arc<Vec<SeriesData>>, QueryError> {
        self.deadline.check()?;
        let selection = Selection { matchers: selector.matchers.clone(), range, tier: self.frame.tier };
        if let Some((_, found)) = self.cache.iter().find(|(known, _)| *known == selection && !selector.counts_alone) {
            return Ok(found.clone());
        }
        let mut found = self.source.select(&selection, self.deadline).map_err(QueryError::of_store)?;
        if selector.counts_alone {
            hinted(&mut found);
        }
        let floats: usize = found.iter().flat_map(|s| &s.segments).map(crate::model::Segment::rows).sum();
        let histograms: usize = found.iter().flat_map(|s| &s.histograms).map(|s| s.column.len()).sum();
        self.budget.read(found.len(), floats + histograms, self.options)?;
        let found = Arc::new(found);
        if self.repeated.contains(&selector.matchers) && !selector.counts_alone {
            self.cache.push((selection, found.clone()));
        }
        Ok(found)
    }

    pub(super) fn lookback(&self) -> i64 {
        i64::try_from(self.options.lookback.as_millis()).unwrap_or(i64::MAX / 16)
    }

    /// The value of each series at each step.
    pub(super) fn instant(&mut self, selector: &Selector, grid: &Grid, what: Yield) -> Result<Vec<Row>, QueryError> {
        if selector.edges == Edges::Smoothed {
            return self.smoothed(selector, grid);
        }
        let (first, last) = self.frame.span(&selector.shift, grid);
        let configured = self.lookback();
        let coverage = self.coverage;
        let range = plan::instant_range(&coverage, &self.frame, configured, first, last);
        let found = self.read(selector, range)?;
        self.budget.hold(found.len().saturating_mul(grid.count), self.options)?;
        let mut rows = Vec::with_capacity(found.len());
        for data in found.iter() {
            self.deadline.check()?;
            let starts = if what == Yield::Start { self.source.starts(&data.labels, range) } else { Vec::new() };
            let points = Points::new(data, |tier| plan::lookback(&coverage, tier, configured));
            let mut row = Row::hollow(data.labels.clone(), grid.count, tiers_of(data));
            self.look_up(&points, &mut row, selector, grid, what, &starts);
            if !row.is_empty() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn look_up(&self, points: &Points<'_>, row: &mut Row, selector: &Selector, grid: &Grid, what: Yield, starts: &[(i64, i64)]) {
        let time = |i: usize| self.frame.reference(&selector.shift, grid.time(i));
        let pinned = selector.shift.at.is_some();
        if what == Yield::Value && !points.has_histograms() {
            let mut cursor = Cursor::default();
            if pinned {
                let v = points.float_at(time(0), &mut cursor).map_or(HOLE, |(_, v)| v);
                row.values.fill(v);
                return;
            }
            for (i, v) in row.values.iter_mut().enumerate() {
                *v = points.float_at(time(i), &mut cursor).map_or(HOLE, |(_, v)| v);
            }
            return;
        }
        let (mut floats, mut histograms) = (Cursor::default(), Cursor::default());
        for i in 0..grid.count {
            let held = points.at(time(i), &mut floats, &mut histograms).and_then(|(at, held)| match what {
                Yield::Value => Some(held),
                Yield::Time => Some(Held::Float(at as f64 / 1000.0)),
                Yield::Start => {
                    let start = starts.binary_search_by_key(&at, |(t, _)| *t).ok().map(|k| starts[k].1);
                    start.filter(|start| *start != 0).map(|start| Held::Float(start as f64 / 1000.0))
                }
            });
            row.put(i, held);
        }
    }

    /// Values between samples, where there are some on both sides.
    fn smoothed(&mut self, selector: &Selector, grid: &Grid) -> Result<Vec<Row>, QueryError> {
        let (first, last) = self.frame.span(&selector.shift, grid);
        let look = self.lookback();
        let found = self.read(selector, plan::window_range(look, first, last.saturating_add(look)))?;
        self.budget.hold(found.len().saturating_mul(grid.count), self.options)?;
        let mut rows = Vec::with_capacity(found.len());
        for data in found.iter() {
            self.deadline.check()?;
            let track = Track::new(data.clone(), false);
            let mut row = Row::hollow(track.labels.clone(), grid.count, track.tiers);
            for i in 0..grid.count {
                let t = self.frame.reference(&selector.shift, grid.time(i));
                row.put(i, smooth::at(&track, t, look, &mut self.notes, self.site));
            }
            if !row.is_empty() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// What a range vector reads over all windows of the grid.
    pub(super) fn windows(&mut self, expr: &Expr, grid: &Grid, with_cells: bool) -> Result<Windows, QueryError> {
        match &expr.bare().node {
            Node::Range { selector, range, .. } => {
                let (first, last) = self.frame.span(&selector.shift, grid);
                let look = self.lookback();
                let beyond = if selector.edges == Edges::Plain { 0 } else { look };
                let after = if selector.edges == Edges::Smoothed { look } else { 0 };
                let wanted = plan::window_range(range.saturating_add(beyond), first, last);
                let wanted = TimeRange::new(wanted.start, wanted.end + std::time::Duration::from_millis(after.unsigned_abs()));
                let found = self.read(selector, wanted)?;
                self.budget.hold(found.len().saturating_mul(grid.count), self.options)?;
                let found = Arc::try_unwrap(found).unwrap_or_else(|shared| shared.to_vec());
                let mut tracks: Vec<Track> = found.into_iter().map(|data| Track::new(data, with_cells)).collect();
                if self.options.start_timestamps {
                    for track in &mut tracks {
                        let starts = self.source.starts(&track.labels, wanted);
                        if !starts.is_empty() {
                            track.set_starts(&starts);
                        }
                    }
                }
                Ok(Windows { tracks, range: *range, shift: selector.shift.clone(), edges: selector.edges, beyond })
            }
            Node::Subquery { expr, range, step, shift, .. } => {
                let (first, last) = self.frame.span(shift, grid);
                let tracks = self.subquery(expr, first.saturating_sub(*range), last, step.unwrap_or(SUBQUERY_STEP_MS))?;
                self.budget.hold(tracks.len().saturating_mul(grid.count), self.options)?;
                Ok(Windows { tracks, range: *range, shift: shift.clone(), edges: Edges::Plain, beyond: 0 })
            }
            _ => Err(QueryError::Bad("expected a range vector such as x[5m]".to_owned())),
        }
    }

    /// Evaluates at the multiples of `step` in `(after, last]`.
    fn subquery(&mut self, expr: &Expr, after: i64, last: i64, step: i64) -> Result<Vec<Track>, QueryError> {
        let start = after.div_euclid(step).saturating_add(1).saturating_mul(step);
        if start > last {
            return Ok(Vec::new());
        }
        let count = usize::try_from(last.saturating_sub(start) / step).unwrap_or(usize::MAX).saturating_add(1);
        self.budget.hold(count, self.options)?;
        let inner = Grid { start, step, count };
        let rows = match self.eval(expr, &inner)? {
            Evaluated::Vector(rows) => rows,
            Evaluated::Scalar(values) => vec![Row::floats(crate::model::Labels::default(), values, super::value::TierSet::default())],
            Evaluated::Text(_) => return Err(QueryError::Bad("a sub-query needs a vector".to_owned())),
        };
        let to_track = |row: Row| {
            let (mut points, mut histograms) = (Column::default(), HistogramColumn::default());
            for (i, v) in row.values.iter().enumerate() {
                if !is_hole(*v) {
                    points.push(inner.time(i), *v);
                } else if let Some(h) = row.histogram(i) {
                    histograms.push(inner.time(i), unhinted(h));
                }
            }
            let mut track = Track::computed(row.labels, row.tiers, points, histograms);
            track.drop_name = row.drop_name;
            track
        };
        Ok(rows.into_iter().map(to_track).collect())
    }
}

/// A step of a sub-query does not follow on the one before: what a hint says of that is not known any more.
fn unhinted(h: &Arc<Histogram>) -> Arc<Histogram> {
    match h.reset_hint {
        ResetHint::Gauge | ResetHint::Unknown => h.clone(),
        ResetHint::Reset | ResetHint::NotReset => Arc::new(Histogram { reset_hint: ResetHint::Unknown, ..Histogram::clone(h) }),
    }
}

/// Finds out for each histogram whether it began anew after the one before, where that is not known.
fn hinted(found: &mut [SeriesData]) {
    for segment in found.iter_mut().flat_map(|s| &mut s.histograms) {
        let mut before: Option<Arc<Histogram>> = None;
        for h in &mut segment.column.h {
            let original = h.clone();
            if let Some(before) = before.filter(|_| h.reset_hint == ResetHint::Unknown) {
                let reset_hint = if h.detects_reset(&before) { ResetHint::Reset } else { ResetHint::NotReset };
                *h = Arc::new(Histogram { reset_hint, ..Histogram::clone(h) });
            }
            before = Some(original);
        }
    }
}
