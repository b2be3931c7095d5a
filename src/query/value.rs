//! What a query yields: outside as `Answer`, inside as rows over the steps of a grid.

use super::{QueryError, Stats};
use crate::model::{Labels, Tier, Timestamp, is_stale, stale_marker};
use std::collections::HashMap;

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Times and values, ascending.
    pub points: Vec<(Timestamp, f64)>,
    /// The tier that answered, `None` where several did (or none, as for `vector(1)`).
    pub tier: Option<Tier>,
}

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(Timestamp, f64),
    /// A text.
    String(Timestamp, String),
    /// Each series has one point.
    Vector(Vec<Series>),
    /// Series over time.
    Matrix(Vec<Series>),
}

/// A value with what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What is probably wrong.
    pub warnings: Vec<String>,
    /// What is good to know.
    pub infos: Vec<String>,
    /// What it cost.
    pub stats: Stats,
}

/// The instants of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Grid {
    pub(super) fn time(&self, i: usize) -> i64 {
        self.start.saturating_add((i as i64).saturating_mul(self.step))
    }

    pub(super) fn end(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }
}

/// Which tiers had a part in a value, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TierSet(u8);

impl TierSet {
    pub(super) fn of(tier: Tier) -> Self {
        Self(1 << tier.index())
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn only(self) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| Self::of(*tier) == self)
    }
}

/// No value at a step. The stale marker never is a value, so it serves as the hole.
pub(super) const HOLE: f64 = stale_marker();

pub(super) fn is_hole(v: f64) -> bool {
    is_stale(v)
}

/// One series over all steps of a grid; holes where it has no value.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) labels: Labels,
    pub(super) values: Vec<f64>,
    pub(super) tiers: TierSet,
}

impl Row {
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|v| is_hole(*v))
    }

    /// Replaces every value; holes stay.
    pub(super) fn map(&mut self, mut f: impl FnMut(usize, f64) -> f64) {
        for (i, v) in self.values.iter_mut().enumerate() {
            if !is_hole(*v) {
                *v = f(i, *v);
            }
        }
    }
}

/// What a node evaluates to.
#[derive(Clone, Debug)]
pub(super) enum Evaluated {
    Scalar(Vec<f64>),
    Text(String),
    Vector(Vec<Row>),
}

/// Joins rows of equal labels that have no step in common; an error where they have one.
pub(super) fn merge_equal(rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    let mut at: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(&i) = at.get(&row.labels) else {
            at.insert(row.labels.clone(), out.len());
            out.push(row);
            continue;
        };
        let into = &mut out[i];
        into.tiers = into.tiers.with(row.tiers);
        for (to, v) in into.values.iter_mut().zip(&row.values) {
            match (is_hole(*to), is_hole(*v)) {
                (true, _) => *to = *v,
                (false, true) => {}
                (false, false) => return Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned())),
            }
        }
    }
    Ok(out)
}

/// Drops the metric's name of every row, then joins what became equal.
pub(super) fn drop_names(mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    for row in &mut rows {
        row.labels = row.labels.without_name();
    }
    merge_equal(rows)
}
