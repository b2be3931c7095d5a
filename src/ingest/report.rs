//! What was taken of a request, and why the rest was not.

use serde::Serialize;

/// One sample that was refused: position in the request and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Position in the request, from 0.
    pub index: usize,
    /// Why, and what would be right.
    pub reason: String,
}

/// What was taken of a batch. Only what is durable is counted as accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many were taken.
    pub accepted: usize,
    /// In order of position.
    pub rejected: Vec<Rejection>,
}
