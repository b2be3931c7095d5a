//! What a query yields: outside as `Answer`, inside as rows over the steps of a grid.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{Explained, QueryError, Stats};
use crate::model::{Histogram, Labels, METRIC_NAME, Tier, Timestamp, is_stale, stale_marker};

/// One series of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Times and values, ascending.
    pub points: Vec<(Timestamp, f64)>,
    /// Times and native histograms, ascending. No time has both.
    pub histograms: Vec<(Timestamp, Arc<Histogram>)>,
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
    /// What each part cost, where it was asked for.
    pub explained: Option<Explained>,
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

    pub(super) fn names(self) -> Vec<&'static str> {
        Tier::ALL.into_iter().filter(|tier| self.0 & Self::of(*tier).0 != 0).map(Tier::as_str).collect()
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

/// One value: a number or a distribution.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Float(f64),
    Histogram(Arc<Histogram>),
}

impl Held {
    pub(super) fn of(h: Histogram) -> Self {
        Self::Histogram(Arc::new(h))
    }
}

/// One series over all steps of a grid; holes where it has no value.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) labels: Labels,
    /// Numbers; holes where there is none.
    pub(super) values: Vec<f64>,
    /// Histograms by step; empty where the series has none at all. Where one stands, `values` has a hole.
    pub(super) histograms: Vec<Option<Arc<Histogram>>>,
    pub(super) tiers: TierSet,
    /// The name goes at the end of the query.
    pub(super) drop_name: bool,
}

impl Row {
    /// Of numbers alone.
    pub(super) fn floats(labels: Labels, values: Vec<f64>, tiers: TierSet) -> Self {
        Self { labels, values, histograms: Vec::new(), tiers, drop_name: false }
    }

    /// Without a value at any step.
    pub(super) fn hollow(labels: Labels, count: usize, tiers: TierSet) -> Self {
        Self::floats(labels, vec![HOLE; count], tiers)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|v| is_hole(*v)) && self.histograms.iter().all(Option::is_none)
    }

    /// Whether it has any histogram.
    pub(super) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    pub(super) fn histogram(&self, i: usize) -> Option<&Arc<Histogram>> {
        self.histograms.get(i).and_then(Option::as_ref)
    }

    /// Whether there is a value at a step.
    pub(super) fn is_there(&self, i: usize) -> bool {
        !is_hole(self.values[i]) || self.histogram(i).is_some()
    }

    pub(super) fn at(&self, i: usize) -> Option<Held> {
        match self.histogram(i) {
            Some(h) => Some(Held::Histogram(h.clone())),
            None if is_hole(self.values[i]) => None,
            None => Some(Held::Float(self.values[i])),
        }
    }

    /// Puts a value, or nothing, at a step.
    pub(super) fn put(&mut self, i: usize, held: Option<Held>) {
        self.values[i] = HOLE;
        if let Some(h) = self.histograms.get_mut(i) {
            *h = None;
        }
        match held {
            None => {}
            Some(Held::Float(v)) => self.values[i] = v,
            Some(Held::Histogram(h)) => {
                if self.histograms.is_empty() {
                    self.histograms = vec![None; self.values.len()];
                }
                self.histograms[i] = Some(h);
            }
        }
    }

    /// Leaves the values of those steps alone for which `keep` is true.
    pub(super) fn keep(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for i in 0..self.values.len() {
            if !keep(i) {
                self.values[i] = HOLE;
                if let Some(h) = self.histograms.get_mut(i) {
                    *h = None;
                }
            }
        }
    }

    /// Replaces every number; holes stay.
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
    for mut row in rows {
        let Some(&i) = at.get(&row.labels) else {
            at.insert(row.labels.clone(), out.len());
            out.push(row);
            continue;
        };
        let into = &mut out[i];
        into.tiers = into.tiers.with(row.tiers);
        for step in 0..row.values.len() {
            if !row.is_there(step) {
                continue;
            }
            if into.is_there(step) {
                return Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()));
            }
            let held = row.at(step);
            into.put(step, held);
        }
        row.values.clear();
    }
    Ok(out)
}

/// Whether a label says what the metric is: its name, type and unit go together.
pub(super) fn is_metadata(label: &str) -> bool {
    matches!(label, METRIC_NAME | "__type__" | "__unit__")
}

/// Without the metric's name, type and unit.
pub(super) fn nameless(labels: &Labels) -> Labels {
    labels.filtered(|label| !is_metadata(label))
}

/// Whether all rows have the same name, type and unit: without them they still differ.
pub(super) fn of_one_metric(rows: &[Row]) -> bool {
    let mut metrics = rows.iter().map(|row| row.labels.iter().filter(|(label, _)| is_metadata(label)));
    let Some(first) = metrics.next() else { return true };
    metrics.all(|metric| metric.eq(first.clone()))
}

/// Drops the metric's name of every row, then joins what became equal.
pub(super) fn drop_names(mut rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    let differ = of_one_metric(&rows);
    for row in &mut rows {
        row.labels = nameless(&row.labels);
    }
    if differ { Ok(rows) } else { merge_equal(rows) }
}
