//! Everything that enters the store enters here (stub).
#![allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
use crate::clock::SharedClock;
use crate::model::{Batch, Category, ErrorKind, Labels, MetricMeta, MetricType, Sample, Timestamp};
use crate::store::{Catalog, Reader, StoreError, Writer};
use crate::telemetry::{HealthBoard, OwnMetrics};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Limits on what may enter.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub max_future: std::time::Duration,
    /// The longest that any tier keeps.
    pub longest: std::time::Duration,
    pub max_labels: usize,
    pub max_label_name_bytes: usize,
    pub max_label_value_bytes: usize,
    /// Register an unknown custom name as a gauge.
    pub auto_register: bool,
    pub packs: Packs,
}
/// Which packs of known metrics are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packs {
    pub business_metrics: bool,
    pub rag_performance: bool,
    pub cache_efficiency: bool,
    pub user_experience: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("{message}")]
    Invalid { field: Option<String>, message: String },
    #[error("{0}")]
    Conflict(String),
    #[error("the daemon cannot take more now: try again in a moment")]
    Busy,
    #[error("the daemon is stopping")]
    Stopped,
    #[error(transparent)]
    Store(#[from] std::sync::Arc<StoreError>),
}
impl IngestError {
    pub fn kind(&self) -> ErrorKind {
        unimplemented!()
    }
}

/// One sample that was refused: position in the request and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    pub index: usize,
    pub reason: String,
}
/// What was taken of a batch. Only what is durable is counted as accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub accepted: usize,
    pub rejected: Vec<Rejection>,
}

/// The bridge for writing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake(());
impl Intake {
    /// Starts the thread that owns the writer.
    pub fn start(_writer: Writer, _options: Options, _clock: SharedClock, _own: OwnMetrics, _health: HealthBoard, _board: Board) -> Result<Self, IngestError> {
        unimplemented!()
    }
    /// Checks, makes durable, answers. An error: nothing of it was kept.
    pub async fn submit(&self, _batch: Batch) -> Result<Report, IngestError> {
        unimplemented!()
    }
    /// Unlinks journal files of which nothing is needed.
    pub async fn cut(&self) -> Result<(), IngestError> {
        unimplemented!()
    }
    /// Yields whenever sealing is due by size.
    pub async fn full(&self) {
        unimplemented!()
    }
    /// Answers what waits, closes the store's writer, ends the thread.
    pub async fn close(&self) -> Result<(), IngestError> {
        unimplemented!()
    }
}

/// Newest value of each series that this daemon collected itself or that was recorded as custom: what expositions show.
#[derive(Clone, Debug)]
pub struct Board(());
impl Board {
    pub fn new() -> Self {
        unimplemented!()
    }
    /// Values not older than `oldest`, in label order; stale ones left out.
    pub fn newer_than(&self, _oldest: Timestamp) -> Vec<(Labels, Sample)> {
        unimplemented!()
    }
}

/// A custom metric's definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomMetric {
    pub name: String,
    pub kind: MetricType,
    pub unit: String,
    pub help: String,
    pub category: Category,
    pub labels: Vec<String>,
    pub buckets: Vec<f64>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    New,
    Same,
}
/// One recording as the API takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub name: String,
    pub value: Option<f64>,
    pub increment: Option<f64>,
    pub labels: BTreeMap<String, String>,
    pub timestamp: Option<Timestamp>,
}

/// Known metrics, the catalogue's and custom ones. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry(());
impl Registry {
    /// Loads definitions and metadata from the catalog, adds the packs that are on.
    pub fn open(_catalog: Catalog, _reader: Reader, _options: Options, _clock: SharedClock) -> Result<Self, IngestError> {
        unimplemented!()
    }
    /// What is known of a metric family; `_bucket`, `_sum`, `_count` are traced back to their family.
    pub fn meta(&self, _name: &str) -> Option<MetricMeta> {
        unimplemented!()
    }
    /// Everything known, in order of name.
    pub fn all_meta(&self) -> BTreeMap<String, MetricMeta> {
        unimplemented!()
    }
    /// Learns metadata that came along (collectors, remote write); written to the catalog only where it changed. Sync, takes disk.
    pub fn learn(&self, _metadata: &[(String, MetricMeta)]) -> Result<(), IngestError> {
        unimplemented!()
    }
    pub fn register(&self, _metric: CustomMetric) -> Result<Registered, IngestError> {
        unimplemented!()
    }
    /// Custom metrics and those of the packs that are on, in order of name.
    pub fn list(&self) -> Vec<CustomMetric> {
        unimplemented!()
    }
    /// Turns recordings into a batch by type and sends it through the intake. The indexes of rejections are those of `recordings`.
    pub async fn record(&self, _intake: &Intake, _recordings: Vec<Recording>) -> Result<Report, IngestError> {
        unimplemented!()
    }
}
