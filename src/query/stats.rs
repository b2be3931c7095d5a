//! What a query cost.

use std::time::Duration;

/// Figures of one query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Series read, counted per selector.
    pub series: usize,
    /// Stored rows read: samples and buckets.
    pub samples: usize,
    /// Wall time.
    pub took: Duration,
}
