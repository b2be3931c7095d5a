//! The monitoring API's `metrics/query`: names, matchers, aggregation and grouping as the same tree
//! that PromQL gives.
//!
//! Without `group_by` each series is summed up over time, in left-open steps; with it series are
//! summed up with each other at each step.

use std::time::Duration;

use super::tree::{AggregateOp, Edges, Expr, Grouping, Node, Selector, Shift};
use super::value::Series;
use super::{QueryError, Stats, functions};
use crate::model::{Category, METRIC_NAME, Matcher, Tier, Timestamp};

/// Points over the whole range where no step is given.
const DEFAULT_POINTS: u64 = 250;
const MIN_STEP_MS: u64 = 1000;

/// `metrics/query` as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsQuery {
    /// Names; none means all that the rest accepts.
    pub metrics: Vec<String>,
    /// What labels must be.
    pub matchers: Vec<Matcher>,
    /// Only metrics of this category.
    pub category: Option<Category>,
    /// The first step.
    pub start: Timestamp,
    /// No step after this.
    pub end: Timestamp,
    /// Distance of steps; a 250th of the range without it, at least 1 s.
    pub step: Option<Duration>,
    /// How values are summed up.
    pub aggregation: Option<Aggregation>,
    /// Sum up over series, by these labels.
    pub group_by: Option<Vec<String>>,
    /// Only from this tier.
    pub tier: Option<Tier>,
    /// At most so many series.
    pub limit: Option<usize>,
}

/// How values are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word on the wire")]
pub enum Aggregation {
    Avg,
    Sum,
    Min,
    Max,
    Count,
    Last,
    Rate,
    P50,
    P90,
    P95,
    P99,
}

impl Aggregation {
    fn phi(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }

    fn over_time(self) -> &'static str {
        match self {
            Self::Avg => "avg_over_time",
            Self::Sum => "sum_over_time",
            Self::Min => "min_over_time",
            Self::Max => "max_over_time",
            Self::Count => "count_over_time",
            Self::Last => "last_over_time",
            Self::Rate => "rate",
            Self::P50 | Self::P90 | Self::P95 | Self::P99 => "quantile_over_time",
        }
    }
}

/// The answer to a [`MetricsQuery`].
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsAnswer {
    /// In label order.
    pub series: Vec<Series>,
    /// `limit` left some out.
    pub truncated: bool,
    /// What is good to know.
    pub infos: Vec<String>,
    /// What it cost.
    pub stats: Stats,
}

/// What the shorthand needs to know of names: owned here, implemented by `app` over the registry.
pub trait Names: Send + Sync {
    /// The names of a category.
    fn of_category(&self, category: Category) -> Vec<String>;
    /// Whether a name is a histogram, kept as `_bucket`, `_sum` and `_count`.
    fn is_histogram(&self, name: &str) -> bool;
}

/// An expression to evaluate, and the name its series get where it cannot keep theirs.
pub(super) struct Part {
    pub(super) expr: Expr,
    pub(super) name: Option<String>,
}

pub(super) struct Plan {
    pub(super) step: Duration,
    pub(super) parts: Vec<Part>,
    /// Series keep their names through functions over time: they are still the series asked for.
    pub(super) keeps_names: bool,
}

pub(super) fn plan(query: &MetricsQuery, names: &dyn Names) -> Result<Plan, QueryError> {
    if query.metrics.is_empty() && query.matchers.is_empty() && query.category.is_none() {
        return Err(QueryError::Bad("name metrics, matchers or a category".to_owned()));
    }
    if query.group_by.is_some() && query.aggregation == Some(Aggregation::Last) {
        return Err(QueryError::Bad("`last` cannot be taken over series: leave out group_by or choose another aggregation".to_owned()));
    }
    let step = step_of(query);
    let keeps_names = query.group_by.is_none();
    let Some(wanted) = wanted_names(query, names) else {
        let selector = select(query, Vec::new());
        return Ok(Plan { step, parts: vec![Part { expr: build(query, selector, step)?, name: None }], keeps_names });
    };
    let phi = query.aggregation.and_then(Aggregation::phi);
    let (histograms, plain): (Vec<String>, Vec<String>) = wanted.into_iter().partition(|name| phi.is_some() && names.is_histogram(name));
    let mut parts = Vec::new();
    if !plain.is_empty() {
        let selector = select(query, vec![any_of(&plain)?]);
        parts.push(Part { expr: build(query, selector, step)?, name: None });
    }
    for name in histograms {
        let selector = select(query, vec![Matcher::metric(&format!("{name}_bucket"))]);
        let expr = histogram(query, selector, phi.unwrap_or(f64::NAN), step)?;
        parts.push(Part { expr, name: keeps_names.then_some(name) });
    }
    Ok(Plan { step, parts, keeps_names })
}

fn step_of(query: &MetricsQuery) -> Duration {
    query.step.unwrap_or_else(|| {
        let length = u64::try_from(query.end.0.saturating_sub(query.start.0)).unwrap_or(0);
        Duration::from_millis((length / DEFAULT_POINTS).max(MIN_STEP_MS))
    })
}

/// The names asked for; `None` where any name will do.
fn wanted_names(query: &MetricsQuery, names: &dyn Names) -> Option<Vec<String>> {
    let mut wanted = match (query.category, query.metrics.is_empty()) {
        (None, true) => return None,
        (None, false) => query.metrics.clone(),
        (Some(category), all) => names.of_category(category).into_iter().filter(|name| all || query.metrics.contains(name)).collect(),
    };
    wanted.sort();
    wanted.dedup();
    Some(wanted)
}

/// A matcher of the metric's name that accepts each of `names`.
fn any_of(names: &[String]) -> Result<Matcher, QueryError> {
    if let [name] = names {
        return Ok(Matcher::metric(name));
    }
    let escape = |name: &String| {
        let mut out = String::with_capacity(name.len());
        for c in name.chars() {
            if !(c.is_alphanumeric() || matches!(c, '_' | ':')) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let pattern: Vec<String> = names.iter().map(escape).collect();
    Matcher::regex(METRIC_NAME, &pattern.join("|")).map_err(|e| QueryError::Bad(e.to_string()))
}

fn select(query: &MetricsQuery, mut matchers: Vec<Matcher>) -> Selector {
    matchers.extend(query.matchers.iter().cloned());
    Selector { name: None, matchers, shift: Shift::default(), edges: Edges::Plain, counts_alone: false }
}

fn call(name: &str, args: Vec<Expr>) -> Result<Expr, QueryError> {
    let function = functions::find(name).ok_or_else(|| QueryError::Unsupported(format!("the function {name}()")))?;
    Ok(Expr::nowhere(Node::Call { function, args }))
}

fn number(v: f64) -> Expr {
    Expr::nowhere(Node::Number(v, false))
}

fn windows(selector: Selector, step: Duration) -> Expr {
    Expr::nowhere(Node::Range { selector, range: i64::try_from(step.as_millis()).unwrap_or(i64::MAX / 16), length: None })
}

fn build(query: &MetricsQuery, selector: Selector, step: Duration) -> Result<Expr, QueryError> {
    let Some(aggregation) = query.aggregation else {
        return Ok(Expr::nowhere(Node::Instant(selector)));
    };
    let phi = aggregation.phi().map(number);
    let Some(labels) = &query.group_by else {
        let mut args: Vec<Expr> = phi.into_iter().collect();
        args.push(windows(selector, step));
        return call(aggregation.over_time(), args);
    };
    let (op, expr) = match aggregation {
        Aggregation::Avg => (AggregateOp::Avg, Expr::nowhere(Node::Instant(selector))),
        Aggregation::Sum => (AggregateOp::Sum, Expr::nowhere(Node::Instant(selector))),
        Aggregation::Min => (AggregateOp::Min, Expr::nowhere(Node::Instant(selector))),
        Aggregation::Max => (AggregateOp::Max, Expr::nowhere(Node::Instant(selector))),
        Aggregation::Count => (AggregateOp::Count, Expr::nowhere(Node::Instant(selector))),
        Aggregation::Rate => (AggregateOp::Sum, call("rate", vec![windows(selector, step)])?),
        _ => (AggregateOp::Quantile, Expr::nowhere(Node::Instant(selector))),
    };
    Ok(by(op, expr, phi, labels.clone()))
}

fn by(op: AggregateOp, expr: Expr, param: Option<Expr>, labels: Vec<String>) -> Expr {
    Expr::nowhere(Node::Aggregate { op, expr: Box::new(expr), param: param.map(Box::new), grouping: Grouping { labels, without: false } })
}

/// The quantile of a histogram: of each series, or summed by `le` first.
fn histogram(query: &MetricsQuery, selector: Selector, phi: f64, step: Duration) -> Result<Expr, QueryError> {
    let rates = call("rate", vec![windows(selector, step)])?;
    let buckets = match &query.group_by {
        None => rates,
        Some(labels) => by(AggregateOp::Sum, rates, None, labels.iter().cloned().chain(["le".to_owned()]).collect()),
    };
    call("histogram_quantile", vec![number(phi), buckets])
}
