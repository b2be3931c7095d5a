//! What a query may take, and how far an instant selector looks back.

use std::time::Duration;

/// Settings of the engine. `config` fills them.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How old the newest sample of a series may be to count as its value.
    pub lookback: Duration,
    /// How long a query may run; callers make the deadline from it.
    pub timeout: Duration,
    /// Samples that one query may read or hold.
    pub max_samples: usize,
    /// Series that one selector may match.
    pub max_series: usize,
    /// Steps of one range query.
    pub max_points: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { lookback: Duration::from_secs(300), timeout: Duration::from_secs(30), max_samples: 50_000_000, max_series: 100_000, max_points: 11_000 }
    }
}
