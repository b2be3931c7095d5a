//! What `ingest` has to be told.

use std::time::Duration;

/// Limits on what may enter.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How far ahead of now a sample may lie.
    pub max_future: Duration,
    /// The longest that any tier keeps.
    pub longest: Duration,
    /// Labels of one series, its name included.
    pub max_labels: usize,
    /// Bytes of one label name.
    pub max_label_name_bytes: usize,
    /// Bytes of one label value.
    pub max_label_value_bytes: usize,
    /// Register an unknown custom name as a gauge.
    pub auto_register: bool,
    /// Which packs of known metrics are on.
    pub packs: Packs,
}

/// Which packs of known metrics are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packs {
    /// Sales, revenue, satisfaction, sessions.
    pub business_metrics: bool,
    /// Retrieval-augmented generation.
    pub rag_performance: bool,
    /// Caches by level.
    pub cache_efficiency: bool,
    /// What users see: latency, Apdex, satisfaction.
    pub user_experience: bool,
}
