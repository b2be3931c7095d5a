//! The engine: checks a request, evaluates it and shapes the answer.

use std::sync::Arc;
use std::time::Duration;

use super::eval::Evaluator;
use super::explain::Recorder;
use super::parse::{self, Extent};
use super::plan::{self, Frame};
use super::tree::{Expr, Type};
use super::value::{Answer, Evaluated, Grid, Row, Series, TierSet, Value, is_hole};
use super::{MetricsAnswer, MetricsQuery, Names, Options, QueryError, Source, shorthand};
use crate::clock::Stopwatch;
use crate::model::{Labels, METRIC_NAME, Tier, Timestamp};
use crate::task::Deadline;

/// When an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// At one time.
    Instant(Timestamp),
    /// At `start`, `start + step`, … up to `end`.
    Range {
        /// The first.
        start: Timestamp,
        /// None after this.
        end: Timestamp,
        /// Their distance.
        step: Duration,
    },
}

/// An expression, and how it is to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// PromQL.
    pub expr: &'a str,
    /// When.
    pub when: When,
    /// How far an instant selector looks back, instead of the setting.
    pub lookback: Option<Duration>,
    /// Only from this tier.
    pub tier: Option<Tier>,
    /// With what each part cost.
    pub explain: bool,
}

impl<'a> Request<'a> {
    /// As the settings say.
    #[must_use]
    pub fn new(expr: &'a str, when: When) -> Self {
        Self { expr, when, lookback: None, tier: None, explain: false }
    }
}

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
    /// Malformed, too much, too long, or the source failed.
    pub fn instant(&self, expr: &str, at: Timestamp, deadline: &Deadline) -> Result<Answer, QueryError> {
        self.ask(&Request::new(expr, When::Instant(at)), deadline)
    }

    /// The values of an expression at `start`, `start + step`, … up to `end`.
    ///
    /// # Errors
    /// As [`instant`](Self::instant); also an empty range, a step of nothing or too many steps.
    pub fn range(&self, expr: &str, start: Timestamp, end: Timestamp, step: Duration, deadline: &Deadline) -> Result<Answer, QueryError> {
        self.ask(&Request::new(expr, When::Range { start, end, step }), deadline)
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// As [`range`](Self::range).
    pub fn ask(&self, request: &Request<'_>, deadline: &Deadline) -> Result<Answer, QueryError> {
        let watch = Stopwatch::start();
        let mut expr = parse::parse(request.expr, self.0.options.experimental)?;
        let (grid, frame) = match request.when {
            When::Instant(at) => {
                let frame = Frame { start: at.0, end: at.0, step: 0, tier: request.tier, keeps_names: false };
                (Grid { start: at.0, step: 1, count: 1 }, frame)
            }
            When::Range { start, end, step } => {
                let grid = self.grid(start, end, step)?;
                (grid, Frame { start: start.0, end: end.0, step: grid.step, tier: request.tier, keeps_names: false })
            }
        };
        parse::resolve(&mut expr, Extent { step: frame.step, range: frame.end.saturating_sub(frame.start) })?;
        plan::mark_counts(&mut expr, false);
        let options = Options { lookback: request.lookback.unwrap_or(self.0.options.lookback), ..self.0.options.clone() };
        let mut evaluator = Evaluator::new(&*self.0.source, &options, deadline, frame, request.expr, Some(&expr));
        evaluator.explained = request.explain.then(Recorder::start);
        let value = match request.when {
            When::Instant(at) => instant(&mut evaluator, &expr, at, &grid)?,
            When::Range { .. } => {
                let kind = match expr.kind() {
                    Type::Matrix => Some("range vector"),
                    Type::Text => Some("string"),
                    Type::Scalar | Type::Vector => None,
                };
                if let Some(kind) = kind {
                    return Err(QueryError::Bad(format!("invalid expression type {kind:?} for range query, must be Scalar or instant Vector")));
                }
                Value::Matrix(matrix(&mut evaluator, &expr, &grid)?)
            }
        };
        let answer = finish(evaluator, value, watch);
        if answer.stats.took > self.0.options.slow {
            log_slow(request, &answer);
        }
        Ok(answer)
    }

    /// The monitoring API's `metrics/query`.
    ///
    /// # Errors
    /// As [`range`](Self::range).
    pub fn metrics(&self, query: &MetricsQuery, names: &dyn Names, deadline: &Deadline) -> Result<MetricsAnswer, QueryError> {
        let watch = Stopwatch::start();
        let plan = shorthand::plan(query, names)?;
        let grid = self.grid(query.start, query.end, plan.step)?;
        let frame = Frame { start: query.start.0, end: query.end.0, step: grid.step, tier: query.tier, keeps_names: plan.keeps_names };
        let mut evaluator = Evaluator::new(&*self.0.source, &self.0.options, deadline, frame, "", None);
        let mut series = Vec::new();
        for part in &plan.parts {
            let mut found = matrix(&mut evaluator, &part.expr, &grid)?;
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
}

fn instant(evaluator: &mut Evaluator<'_>, expr: &Expr, at: Timestamp, grid: &Grid) -> Result<Value, QueryError> {
    if expr.is_range() {
        return Ok(Value::Matrix(raw_matrix(evaluator, expr, grid)?));
    }
    Ok(match evaluator.eval(expr, grid)? {
        Evaluated::Scalar(values) => Value::Scalar(at, values.first().copied().unwrap_or(f64::NAN)),
        Evaluated::Text(text) => Value::String(at, text),
        Evaluated::Vector(rows) => Value::Vector(to_series(evaluator.finish(rows)?, grid, !expr.is_ordered())),
    })
}

fn matrix(evaluator: &mut Evaluator<'_>, expr: &Expr, grid: &Grid) -> Result<Vec<Series>, QueryError> {
    match evaluator.eval(expr, grid)? {
        Evaluated::Scalar(values) => Ok(to_series(vec![Row::floats(Labels::default(), values, TierSet::default())], grid, true)),
        Evaluated::Vector(rows) => Ok(to_series(evaluator.finish(rows)?, grid, true)),
        Evaluated::Text(_) => Err(QueryError::Bad("a range query has no string answer".to_owned())),
    }
}

/// Bytes of an expression that the log shows.
const LOGGED_BYTES: usize = 1000;

fn log_slow(request: &Request<'_>, answer: &Answer) {
    let end = request.expr.floor_char_boundary(LOGGED_BYTES);
    let (took_ms, samples, series) = (answer.stats.took.as_millis(), answer.stats.samples, answer.stats.series);
    tracing::warn!(expr = &request.expr[..end], when = ?request.when, took_ms, samples, series, "slow query");
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
    let explained = evaluator.explained.and_then(Recorder::finish);
    Answer { value, warnings: evaluator.notes.warnings, infos: evaluator.notes.infos, stats, explained }
}

fn to_series(rows: Vec<Row>, grid: &Grid, sort: bool) -> Vec<Series> {
    let mut out: Vec<Series> = rows
        .into_iter()
        .filter(|row| !row.is_empty())
        .map(|row| Series {
            points: row.values.iter().enumerate().filter(|(_, v)| !is_hole(**v)).map(|(i, v)| (Timestamp(grid.time(i)), *v)).collect(),
            histograms: row.histograms.into_iter().enumerate().filter_map(|(i, h)| Some((Timestamp(grid.time(i)), h?))).collect(),
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
    let inside = |t: &i64| *t > start && *t <= end;
    let mut out = Vec::new();
    for track in windows.tracks {
        if track.coarsest != Tier::Raw {
            evaluator.notes.info(format!("range selector: approximated from {}", track.coarsest));
        }
        let points: Vec<(Timestamp, f64)> = track.points.t.iter().zip(&track.points.v).filter(|(t, _)| inside(t)).map(|(t, v)| (Timestamp(*t), *v)).collect();
        let histograms: Vec<_> =
            track.histograms.t.iter().zip(&track.histograms.h).filter(|(t, _)| inside(t)).map(|(t, h)| (Timestamp(*t), h.clone())).collect();
        if !points.is_empty() || !histograms.is_empty() {
            let labels = if track.drop_name { super::value::nameless(&track.labels) } else { track.labels };
            out.push(Series { labels, points, histograms, tier: track.tiers.only() });
        }
    }
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(out)
}
