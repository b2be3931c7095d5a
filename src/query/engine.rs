//! The engine: checks a request, evaluates it and shapes the answer.

use std::sync::Arc;
use std::time::Duration;

use super::eval::Evaluator;
use super::plan::Frame;
use super::tree::Expr;
use super::value::{Answer, Evaluated, Grid, Row, Series, Value, is_hole};
use super::{MetricsAnswer, MetricsQuery, Names, Options, QueryError, Source, parse, shorthand};
use crate::clock::Stopwatch;
use crate::model::{Labels, METRIC_NAME, Tier, Timestamp};
use crate::task::Deadline;

struct Inner {
    source: Arc<dyn Source>,
    options: Options,
}

/// One request in, one answer out. Sync; run it on the pool. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

impl Engine {
    /// An engine over a source.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, options: Options) -> Self {
        Self(Arc::new(Inner { source, options }))
    }

    /// Its settings.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The value of an expression at one time.
    ///
    /// # Errors
    /// Malformed, not supported, too much, too long, or the source failed.
    pub fn instant(&self, expr: &str, at: Timestamp, deadline: &Deadline) -> Result<Answer, QueryError> {
        let watch = Stopwatch::start();
        let expr = parse::parse(expr)?;
        let frame = Frame { start: at.0, end: at.0, tier: None, keeps_names: false };
        let grid = Grid { start: at.0, step: 1, count: 1 };
        let mut evaluator = Evaluator::new(&*self.0.source, &self.0.options, deadline, frame);
        let value = if expr.is_range() {
            Value::Matrix(raw_matrix(&mut evaluator, &expr, &grid)?)
        } else {
            match evaluator.eval(&expr, &grid)? {
                Evaluated::Scalar(values) => Value::Scalar(at, values.first().copied().unwrap_or(f64::NAN)),
                Evaluated::Text(text) => Value::String(at, text),
                Evaluated::Vector(rows) => Value::Vector(to_series(rows, &grid, !expr.is_ordered())),
            }
        };
        Ok(finish(evaluator, value, watch))
    }

    /// The values of an expression at `start`, `start + step`, … up to `end`.
    ///
    /// # Errors
    /// As [`instant`](Self::instant); also an empty range, a step of nothing or too many steps.
    pub fn range(&self, expr: &str, start: Timestamp, end: Timestamp, step: Duration, deadline: &Deadline) -> Result<Answer, QueryError> {
        let watch = Stopwatch::start();
        let expr = parse::parse(expr)?;
        let grid = self.grid(start, end, step)?;
        let kind = match &expr {
            Expr::Range { .. } | Expr::Subquery { .. } => Some("range vector"),
            Expr::Text(_) => Some("string"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(QueryError::Bad(format!("invalid expression type {kind:?} for range query, must be Scalar or instant Vector")));
        }
        let mut evaluator = Evaluator::new(&*self.0.source, &self.0.options, deadline, Frame { start: start.0, end: end.0, tier: None, keeps_names: false });
        let value = Value::Matrix(self.matrix(&mut evaluator, &expr, &grid)?);
        Ok(finish(evaluator, value, watch))
    }

    /// The monitoring API's `metrics/query`.
    ///
    /// # Errors
    /// As [`range`](Self::range).
    pub fn metrics(&self, query: &MetricsQuery, names: &dyn Names, deadline: &Deadline) -> Result<MetricsAnswer, QueryError> {
        let watch = Stopwatch::start();
        let plan = shorthand::plan(query, names)?;
        let grid = self.grid(query.start, query.end, plan.step)?;
        let frame = Frame { start: query.start.0, end: query.end.0, tier: query.tier, keeps_names: plan.keeps_names };
        let mut evaluator = Evaluator::new(&*self.0.source, &self.0.options, deadline, frame);
        let mut series = Vec::new();
        for part in &plan.parts {
            let mut found = self.matrix(&mut evaluator, &part.expr, &grid)?;
            if let Some(name) = &part.name {
                found.iter_mut().for_each(|s| s.labels = s.labels.to_builder().set(METRIC_NAME, name).build());
            }
            series.append(&mut found);
        }
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        let truncated = query.limit.is_some_and(|limit| series.len() > limit);
        series.truncate(query.limit.unwrap_or(usize::MAX));
        let answer = finish(evaluator, Value::Matrix(Vec::new()), watch);
        Ok(MetricsAnswer { series, truncated, infos: answer.infos, stats: answer.stats })
    }

    fn grid(&self, start: Timestamp, end: Timestamp, step: Duration) -> Result<Grid, QueryError> {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        if step <= 0 {
            return Err(QueryError::Bad("zero or negative query resolution step widths are not accepted. Try a positive integer".to_owned()));
        }
        let Some(length) = end.0.checked_sub(start.0).filter(|length| *length >= 0) else {
            return Err(QueryError::Bad("end timestamp must not be before start time".to_owned()));
        };
        let count = usize::try_from(length / step).unwrap_or(usize::MAX).saturating_add(1);
        // Prometheus allows as many steps as points, plus the first.
        if count > self.0.options.max_points.saturating_add(1) {
            return Err(QueryError::Bad(format!(
                "exceeded maximum resolution of {} points per timeseries. Try decreasing the query resolution (?step=XX)",
                thousands(self.0.options.max_points)
            )));
        }
        Ok(Grid { start: start.0, step, count })
    }

    fn matrix(&self, evaluator: &mut Evaluator<'_>, expr: &Expr, grid: &Grid) -> Result<Vec<Series>, QueryError> {
        match evaluator.eval(expr, grid)? {
            Evaluated::Scalar(values) => Ok(to_series(vec![Row { labels: Labels::default(), values, tiers: super::value::TierSet::default() }], grid, true)),
            Evaluated::Vector(rows) => Ok(to_series(rows, grid, true)),
            Evaluated::Text(_) => Err(QueryError::Bad("a range query has no string answer".to_owned())),
        }
    }
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn finish(evaluator: Evaluator<'_>, value: Value, watch: Stopwatch) -> Answer {
    let mut stats = evaluator.budget.stats;
    stats.took = watch.elapsed();
    Answer { value, warnings: evaluator.notes.warnings, infos: evaluator.notes.infos, stats }
}

fn to_series(rows: Vec<Row>, grid: &Grid, sort: bool) -> Vec<Series> {
    let mut out: Vec<Series> = rows
        .into_iter()
        .filter(|row| !row.is_empty())
        .map(|row| Series {
            points: row.values.iter().enumerate().filter(|(_, v)| !is_hole(**v)).map(|(i, v)| (Timestamp(grid.time(i)), *v)).collect(),
            tier: row.tiers.only(),
            labels: row.labels,
        })
        .collect();
    if sort {
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    out
}

/// A range vector by itself: the samples as they are, of a rolled-up tier the last of each bucket.
fn raw_matrix(evaluator: &mut Evaluator<'_>, expr: &Expr, grid: &Grid) -> Result<Vec<Series>, QueryError> {
    let windows = evaluator.windows(expr, grid, false)?;
    let end = evaluator.frame.reference(&windows.shift, grid.start);
    let start = end.saturating_sub(windows.range);
    let mut out = Vec::new();
    for track in windows.tracks {
        if track.coarsest != Tier::Raw {
            evaluator.notes.info(format!("range selector: approximated from {}", track.coarsest));
        }
        let inside = track.points.t.iter().zip(&track.points.v).filter(|(t, _)| **t > start && **t <= end);
        let points: Vec<(Timestamp, f64)> = inside.map(|(t, v)| (Timestamp(*t), *v)).collect();
        if !points.is_empty() {
            out.push(Series { labels: track.labels, points, tier: track.tiers.only() });
        }
    }
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(out)
}
