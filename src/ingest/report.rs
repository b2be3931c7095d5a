//! What was taken of a request, and why the rest was not.

use serde::Serialize;

/// One sample that was refused: position in the request and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Position in the request, from 0; histograms stand behind all samples.
    pub index: usize,
    /// Why, and what would be right.
    pub reason: String,
}

/// What was taken of a batch. Only what is durable is counted as accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many samples and histograms were taken.
    pub accepted: usize,
    /// Histograms among them.
    pub histograms: usize,
    /// How many exemplars were taken. One that is not taken is counted by the daemon's own metrics alone.
    pub exemplars: usize,
    /// In order of position.
    pub rejected: Vec<Rejection>,
}
