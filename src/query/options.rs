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
    /// Bytes that the values of one query may take at once.
    pub max_memory: usize,
    /// What Prometheus keeps behind a flag is allowed: functions, `smoothed`, `fill`, `step()` in durations.
    pub experimental: bool,
    /// A metric's name goes at the end of a query, not with the first function.
    pub delayed_name_removal: bool,
    /// Starts of counters, where the source knows them, tell of resets.
    pub start_timestamps: bool,
    /// Queries that take longer are logged.
    pub slow: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(300),
            timeout: Duration::from_secs(30),
            max_samples: 50_000_000,
            max_series: 100_000,
            max_points: 11_000,
            max_memory: 1 << 30,
            experimental: false,
            delayed_name_removal: false,
            start_timestamps: false,
            slow: Duration::from_secs(10),
        }
    }
}
