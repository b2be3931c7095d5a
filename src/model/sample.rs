//! One value at one time, and the marker that says "this series ended here".

use super::Timestamp;

/// A value at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub t: Timestamp,
    /// What; the stale marker is a NaN of its own bit pattern.
    pub v: f64,
}

/// The bits of Prometheus' stale marker; any other NaN is an ordinary value.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that marks the end of a series.
#[must_use]
pub const fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether `v` is the stale marker (compared by bits).
#[must_use]
pub const fn is_stale(v: f64) -> bool {
    v.to_bits() == STALE_BITS
}
