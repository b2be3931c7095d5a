//! Settings of dashboards.

use std::path::PathBuf;
use std::time::Duration;

/// How dashboards are shown.
#[derive(Clone, Debug)]
pub struct Options {
    /// From frame to frame.
    pub update_interval: Duration,
    /// Viewers at once.
    pub max_connections: usize,
    /// Directory of dashboards as YAML files.
    pub directory: Option<PathBuf>,
    /// How long a chart's data may be shown again, unless newer data contradicts it.
    pub chart_cache: Duration,
    /// The same for aggregations.
    pub aggregation_cache: Duration,
}
