//! PromQL (stub).
#![allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
use crate::model::{Category, ErrorKind, Labels, Matcher, SeriesData, Tier, TimeRange, Timestamp};
use crate::store::{Coverage, Reader, Selection, StoreError};
use crate::task::Deadline;
use std::sync::Arc;
use std::time::Duration;

/// Where columns come from.
pub trait Source: Send + Sync {
    fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError>;
    fn coverage(&self) -> Coverage;
}
impl Source for Reader {
    fn select(&self, selection: &Selection, deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        Reader::select(self, selection, deadline)
    }
    fn coverage(&self) -> Coverage {
        Reader::coverage(self)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub lookback: Duration,
    pub timeout: Duration,
    pub max_samples: usize,
    pub max_series: usize,
    pub max_points: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Malformed: Prometheus' bad_data.
    #[error("{0}")]
    Bad(String),
    /// Cannot be evaluated: Prometheus' execution.
    #[error("{0}")]
    Execution(String),
    #[error("{0} is not supported yet")]
    Unsupported(String),
    #[error("query timed out: raise query.timeout or ask for less")]
    Timeout,
    #[error("query was canceled")]
    Canceled,
    #[error(transparent)]
    Store(#[from] StoreError),
}
impl QueryError {
    pub fn kind(&self) -> ErrorKind {
        unimplemented!()
    }
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub labels: Labels,
    pub points: Vec<(Timestamp, f64)>,
    /// The tier that answered, `None` where several did.
    pub tier: Option<Tier>,
}
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Scalar(Timestamp, f64),
    String(Timestamp, String),
    /// Each series has one point.
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
}
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    pub series: usize,
    pub samples: usize,
    pub took: Duration,
}
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub value: Value,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
    pub stats: Stats,
}

/// `metrics/query` of the API as CONTRACT gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsQuery {
    pub metrics: Vec<String>,
    pub matchers: Vec<Matcher>,
    pub category: Option<Category>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub step: Option<Duration>,
    pub aggregation: Option<Aggregation>,
    pub group_by: Option<Vec<String>>,
    pub tier: Option<Tier>,
    pub limit: Option<usize>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsAnswer {
    pub series: Vec<Series>,
    pub truncated: bool,
    pub infos: Vec<String>,
    pub stats: Stats,
}
/// What the shorthand needs to know of names: owned here, implemented by `app` over `ingest::Registry`.
pub trait Names: Send + Sync {
    fn of_category(&self, category: Category) -> Vec<String>;
    fn is_histogram(&self, name: &str) -> bool;
}

/// One request in, one answer out. Sync; run it on the pool. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<()>);
impl Engine {
    pub fn new(_source: Arc<dyn Source>, _options: Options) -> Self {
        unimplemented!()
    }
    pub fn options(&self) -> &Options {
        unimplemented!()
    }
    pub fn instant(&self, _expr: &str, _at: Timestamp, _deadline: &Deadline) -> Result<Answer, QueryError> {
        unimplemented!()
    }
    pub fn range(&self, _expr: &str, _start: Timestamp, _end: Timestamp, _step: Duration, _deadline: &Deadline) -> Result<Answer, QueryError> {
        unimplemented!()
    }
    pub fn metrics(&self, _query: &MetricsQuery, _names: &dyn Names, _deadline: &Deadline) -> Result<MetricsAnswer, QueryError> {
        unimplemented!()
    }
}
/// Reads a series selector such as `up{job="node"}` (for `match[]`).
pub fn parse_selector(_text: &str) -> Result<Vec<Matcher>, QueryError> {
    unimplemented!()
}
#[allow(dead_code, reason = "stub")]
fn _unused(_: TimeRange) {}
