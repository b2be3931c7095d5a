//! An exemplar: one observation behind a series, with labels that lead to its trace. Knows no
//! storage.

use super::{Labels, Timestamp};

/// One observation, given as an example of what a series counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Labels of the observation, such as `trace_id`.
    pub labels: Labels,
    /// What was observed.
    pub value: f64,
    /// When.
    pub t: Timestamp,
}
