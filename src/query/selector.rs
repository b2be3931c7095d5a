//! Instant and range selectors and sub-queries: from the source to rows and tracks.

use super::QueryError;
use super::eval::Evaluator;
use super::plan;
use super::series::{Cursor, Points, Track, tiers_of};
use super::tree::{Expr, Selector, Shift};
use super::value::{Evaluated, Grid, HOLE, Row, is_hole};
use crate::model::{Column, SeriesData, TimeRange};
use crate::store::Selection;

/// The step of a sub-query that names none.
const SUBQUERY_STEP_MS: i64 = 60_000;

/// Series over windows, and the windows.
pub(super) struct Windows {
    pub(super) tracks: Vec<Track>,
    /// Length of each window in milliseconds.
    pub(super) range: i64,
    pub(super) shift: Shift,
}

impl Evaluator<'_> {
    fn read(&mut self, selector: &Selector, range: TimeRange) -> Result<Vec<SeriesData>, QueryError> {
        self.deadline.check()?;
        let selection = Selection { matchers: selector.matchers.clone(), range, tier: self.frame.tier };
        let found = self.source.select(&selection, self.deadline).map_err(QueryError::of_store)?;
        let rows = found.iter().flat_map(|s| &s.segments).map(crate::model::Segment::rows).sum();
        self.budget.read(found.len(), rows, self.options)?;
        Ok(found)
    }

    /// The value of each series at each step; with `times`, the time of the sample instead.
    pub(super) fn instant(&mut self, selector: &Selector, grid: &Grid, times: bool) -> Result<Vec<Row>, QueryError> {
        let (first, last) = self.frame.span(&selector.shift, grid);
        let configured = self.options.lookback.as_millis() as i64;
        let coverage = self.coverage;
        let range = plan::instant_range(&coverage, &self.frame, configured, first, last);
        let found = self.read(selector, range)?;
        self.budget.hold(found.len().saturating_mul(grid.count), self.options)?;
        let pinned = selector.shift.at.is_some();
        let mut rows = Vec::with_capacity(found.len());
        for data in found {
            self.deadline.check()?;
            let labels = data.labels.clone();
            let tiers = tiers_of(&data);
            let points = Points::new(data, |tier| plan::lookback(&coverage, tier, configured));
            let mut cursor = Cursor::default();
            let mut value = |t: i64| points.at(t, &mut cursor).map_or(HOLE, |(at, v)| if times { at as f64 / 1000.0 } else { v });
            let values = if pinned {
                vec![value(first); grid.count]
            } else {
                (0..grid.count).map(|i| value(grid.time(i).saturating_sub(selector.shift.offset))).collect()
            };
            let row = Row { labels, values, tiers };
            if !row.is_empty() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// What a range vector reads over all windows of the grid.
    pub(super) fn windows(&mut self, expr: &Expr, grid: &Grid, with_cells: bool) -> Result<Windows, QueryError> {
        match expr {
            Expr::Range { selector, range } => {
                let (first, last) = self.frame.span(&selector.shift, grid);
                let found = self.read(selector, plan::window_range(*range, first, last))?;
                self.budget.hold(found.len().saturating_mul(grid.count), self.options)?;
                let tracks = found.iter().map(|data| Track::new(data, with_cells)).collect();
                Ok(Windows { tracks, range: *range, shift: selector.shift })
            }
            Expr::Subquery { expr, range, step, shift } => {
                let (first, last) = self.frame.span(shift, grid);
                let tracks = self.subquery(expr, first.saturating_sub(*range), last, step.unwrap_or(SUBQUERY_STEP_MS))?;
                self.budget.hold(tracks.len().saturating_mul(grid.count), self.options)?;
                Ok(Windows { tracks, range: *range, shift: *shift })
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
            Evaluated::Scalar(values) => vec![Row { labels: crate::model::Labels::default(), values, tiers: super::value::TierSet::default() }],
            Evaluated::Text(_) => return Err(QueryError::Bad("a sub-query needs a vector".to_owned())),
        };
        let to_track = |row: Row| {
            let mut points = Column::default();
            for (i, v) in row.values.iter().enumerate().filter(|(_, v)| !is_hole(**v)) {
                points.push(inner.time(i), *v);
            }
            Track::computed(row.labels, row.tiers, points)
        };
        Ok(rows.into_iter().map(to_track).collect())
    }
}
