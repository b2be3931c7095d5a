//! Answers that are kept for a while and never contradict newer data.
//!
//! Of a curve (one query at the points of a grid) every point before the oldest time that was
//! written to since stands as it is, for its value depends on nothing later; only what comes after
//! is computed. Kept as a whole for `chart_cache`. Queries that look ahead or are pinned are not
//! kept. An answer of `metrics/query` is kept whole for `aggregation_cache`, and shown again only
//! where nothing up to its end was written to. Where rolled-up tiers answer, a sample counts for
//! its whole bucket. A tier whose edge moved throws out everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Options;
use crate::clock::Stopwatch;
use crate::model::{Tier, Timestamp};
use crate::query::{Answer, Engine, MetricsAnswer, MetricsQuery, Names, Outline, QueryError, Series, Value, outline};
use crate::store::{Coverage, Reader};
use crate::task::Deadline;
use crate::telemetry::OwnMetrics;

/// Points that all kept curves may have: 8 MB.
const MAX_POINTS: usize = 500_000;
/// Answers of `metrics/query` that are kept.
const MAX_ANSWERS: usize = 64;
/// Points of one answer that is kept.
const MAX_ANSWER_POINTS: usize = 20_000;

/// The points at which a query is evaluated: `start`, `start + step`, … up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step: Duration,
}

impl Grid {
    fn step_ms(&self) -> i64 {
        i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    /// The last point at or before `t`.
    fn last_through(&self, t: Timestamp) -> Timestamp {
        let back = self.end.0.saturating_sub(self.start.0).min(t.0.saturating_sub(self.start.0));
        Timestamp(self.start.0.saturating_add(back.div_euclid(self.step_ms()).saturating_mul(self.step_ms())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CurveKey {
    query: String,
    step_ms: i64,
    phase_ms: i64,
}

/// When something was computed, and on which state of the store.
#[derive(Clone, Debug)]
struct State {
    since: Stopwatch,
    write: u64,
    coverage: Coverage,
}

#[derive(Clone, Debug)]
struct Curve {
    state: State,
    grid: Grid,
    series: Arc<Vec<Series>>,
}

struct Inner {
    engine: Engine,
    reader: Reader,
    own: OwnMetrics,
    chart_limit: Duration,
    aggregation_limit: Duration,
    curves: Mutex<HashMap<CurveKey, Curve>>,
    answers: Mutex<HashMap<String, (State, Arc<MetricsAnswer>)>>,
}

/// Kept answers over an engine. Sync; run it on the pool. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Cache {
    /// Over this engine, which reads from `reader`.
    #[must_use]
    pub fn new(engine: Engine, reader: Reader, own: OwnMetrics, options: &Options) -> Self {
        Self(Arc::new(Inner {
            engine,
            reader,
            own,
            chart_limit: options.chart_cache,
            aggregation_limit: options.aggregation_cache,
            curves: Mutex::default(),
            answers: Mutex::default(),
        }))
    }

    /// Look-ups that were answered from what was kept, and those that were not.
    #[must_use]
    pub fn figures(&self) -> (u64, u64) {
        let total = |result: &str| ["charts", "aggregations"].iter().map(|cache| self.0.own.cache_requests.with_label_values(&[cache, result]).get()).sum();
        (total("hit"), total("miss"))
    }

    /// The engine's limit of time for one query.
    pub(super) fn timeout(&self) -> Duration {
        self.0.engine.options().timeout
    }

    /// The value of a query at one time; never kept.
    pub(super) fn newest(&self, query: &str, at: Timestamp, deadline: &Deadline) -> Result<Vec<Series>, QueryError> {
        Ok(series_of(self.0.engine.instant(query, at, deadline)?))
    }

    /// The values of a query at the points of a grid.
    pub(super) fn curve(&self, query: &str, grid: Grid, deadline: &Deadline) -> Result<Arc<Vec<Series>>, QueryError> {
        if grid.end < grid.start {
            return Ok(Arc::default());
        }
        let outline = outline(query).map_err(|flaw| QueryError::Bad(flaw.to_string()))?;
        if !outline.steady {
            return Ok(Arc::new(self.evaluate(query, grid, deadline)?));
        }
        let key = CurveKey { query: query.to_owned(), step_ms: grid.step_ms(), phase_ms: grid.start.0.rem_euclid(grid.step_ms()) };
        // Before anything is read: what is written meanwhile counts as written later.
        let state = State { since: Stopwatch::start(), write: self.0.reader.writes(), coverage: self.0.reader.coverage() };
        let kept = lock(&self.0.curves).get(&key).cloned();
        let standing = kept.and_then(|kept| Some((self.standing(&kept, &state, &outline, grid)?, kept)));
        self.count("charts", standing.is_some());
        let Some((through, kept)) = standing else {
            let series = Arc::new(self.evaluate(query, grid, deadline)?);
            self.keep(key, Curve { state, grid, series: series.clone() });
            return Ok(series);
        };
        if through >= grid.last_through(grid.end) {
            return Ok(Arc::new(cut(&kept.series, grid.start, grid.end)));
        }
        let fresh = self.evaluate(query, Grid { start: through + grid.step, ..grid }, deadline)?;
        let series = Arc::new(joined(cut(&kept.series, kept.grid.start, through), fresh));
        let asked = Arc::new(cut(&series, grid.start, grid.end));
        let grid = Grid { start: kept.grid.start, ..grid };
        self.keep(key, Curve { state: State { since: kept.state.since, ..state }, grid, series });
        Ok(asked)
    }

    /// The same without a look at what is kept, and without keeping it.
    pub(super) fn fresh(&self, query: &str, grid: Grid, deadline: &Deadline) -> Result<Vec<Series>, QueryError> {
        if grid.end < grid.start { Ok(Vec::new()) } else { self.evaluate(query, grid, deadline) }
    }

    /// The last point of `grid` through which what is kept stands as it is.
    fn standing(&self, kept: &Curve, now: &State, outline: &Outline, grid: Grid) -> Option<Timestamp> {
        let fresh = kept.state.since.elapsed() < self.0.chart_limit && kept.state.coverage == now.coverage;
        if !fresh || kept.grid.start > grid.start || kept.grid.end < grid.start {
            return None;
        }
        let oldest = grid.start - outline.reach - self.0.engine.options().lookback;
        let untouched = match self.touched(&kept.state, oldest) {
            Some(touched) => Timestamp(touched.0.saturating_sub(1)),
            None => Timestamp::MAX,
        };
        let through = grid.last_through(untouched.min(kept.grid.last_through(kept.grid.end)));
        (through >= grid.start).then_some(through)
    }

    /// The oldest time at which values may have changed since, for who reads back to `oldest`.
    fn touched(&self, state: &State, oldest: Timestamp) -> Option<Timestamp> {
        let touched = self.0.reader.touched_since(state.write)?;
        let raw_alone = oldest >= state.coverage.raw;
        Some(if raw_alone { touched } else { touched - state.coverage.widths.of(Tier::Summary) })
    }

    fn evaluate(&self, query: &str, grid: Grid, deadline: &Deadline) -> Result<Vec<Series>, QueryError> {
        Ok(series_of(self.0.engine.range(query, grid.start, grid.end, grid.step, deadline)?))
    }

    fn keep(&self, key: CurveKey, curve: Curve) {
        let points = |curve: &Curve| curve.series.iter().map(|series| series.points.len() + 4).sum::<usize>() + 16;
        let mut curves = lock(&self.0.curves);
        curves.insert(key, curve);
        curves.retain(|_, curve| curve.state.since.elapsed() < self.0.chart_limit);
        if curves.values().map(points).sum::<usize>() > MAX_POINTS {
            curves.clear();
        }
    }

    /// `metrics/query`, kept.
    ///
    /// # Errors
    /// As [`Engine::metrics`].
    pub fn metrics(&self, query: &MetricsQuery, names: &dyn Names, deadline: &Deadline) -> Result<Arc<MetricsAnswer>, QueryError> {
        let key = format!("{query:?}");
        let state = State { since: Stopwatch::start(), write: self.0.reader.writes(), coverage: self.0.reader.coverage() };
        let kept = lock(&self.0.answers).get(&key).cloned();
        let oldest = query.start - query.step.unwrap_or(query_step(query)) - self.0.engine.options().lookback;
        let kept = kept.filter(|(kept, _)| {
            let untouched = self.touched(kept, oldest).is_none_or(|touched| touched > query.end);
            kept.since.elapsed() < self.0.aggregation_limit && kept.coverage == state.coverage && untouched
        });
        self.count("aggregations", kept.is_some());
        if let Some((_, answer)) = kept {
            return Ok(answer);
        }
        let answer = Arc::new(self.0.engine.metrics(query, names, deadline)?);
        if answer.series.iter().map(|series| series.points.len()).sum::<usize>() <= MAX_ANSWER_POINTS {
            let mut answers = lock(&self.0.answers);
            answers.retain(|_, (state, _)| state.since.elapsed() < self.0.aggregation_limit);
            if answers.len() >= MAX_ANSWERS {
                answers.clear();
            }
            answers.insert(key, (state, answer.clone()));
        }
        Ok(answer)
    }

    fn count(&self, cache: &str, hit: bool) {
        self.0.own.cache_requests.with_label_values(&[cache, if hit { "hit" } else { "miss" }]).inc();
    }
}

/// At least the step that a query without one gets.
fn query_step(query: &MetricsQuery) -> Duration {
    let span = query.end.0.saturating_sub(query.start.0).unsigned_abs();
    Duration::from_millis(span / 250).max(Duration::from_secs(1))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn series_of(answer: Answer) -> Vec<Series> {
    match answer.value {
        Value::Vector(series) | Value::Matrix(series) => series,
        Value::Scalar(t, v) => vec![Series { labels: crate::model::Labels::default(), points: vec![(t, v)], ..Series::default() }],
        Value::String(..) => Vec::new(),
    }
}

/// Only the points from `start` through `end`.
fn cut(series: &[Series], start: Timestamp, end: Timestamp) -> Vec<Series> {
    let part = |series: &Series| {
        let from = series.points.partition_point(|(t, _)| *t < start);
        let to = series.points.partition_point(|(t, _)| *t <= end);
        let points = series.points.get(from..to).unwrap_or_default().to_vec();
        (!points.is_empty()).then(|| Series { labels: series.labels.clone(), points, histograms: Vec::new(), tier: series.tier })
    };
    series.iter().filter_map(part).collect()
}

/// Older and newer points of the same series in one, in order of labels.
pub(super) fn joined(older: Vec<Series>, newer: Vec<Series>) -> Vec<Series> {
    let mut out = older;
    let mut places: HashMap<crate::model::Labels, usize> = out.iter().enumerate().map(|(i, series)| (series.labels.clone(), i)).collect();
    for series in newer {
        match places.get(&series.labels).and_then(|i| out.get_mut(*i)) {
            Some(known) => {
                known.tier = known.tier.filter(|tier| series.tier == Some(*tier));
                known.points.extend(series.points);
            }
            None => {
                places.insert(series.labels.clone(), out.len());
                out.push(series);
            }
        }
    }
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    out
}
