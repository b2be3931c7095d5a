//! What each part of an expression cost: asked for by `explain`.

use std::time::Duration;

use super::eval::Evaluator;
use super::parse;
use super::tree::{Expr, Node};
use super::value::{Evaluated, Grid, Row, TierSet};
use crate::clock::Stopwatch;

/// One part of an expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explained {
    /// What kind of part it is.
    pub kind: &'static str,
    /// Its text.
    pub expr: String,
    /// How many times it was evaluated for.
    pub steps: usize,
    /// Series that it yields.
    pub series: usize,
    /// Stored rows that were read for it, its parts included.
    pub samples: usize,
    /// The tiers that answered.
    pub tiers: Vec<&'static str>,
    /// How long it took, its parts included.
    pub took: Duration,
    /// The parts it is made of.
    pub children: Vec<Self>,
}

/// Gathers parts as they are evaluated.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// Parts of the node that is being evaluated, level by level.
    levels: Vec<Vec<Explained>>,
}

impl Recorder {
    pub(super) fn start() -> Self {
        Self { levels: vec![Vec::new()] }
    }

    pub(super) fn finish(mut self) -> Option<Explained> {
        self.levels.pop()?.pop()
    }
}

/// Where a node began.
pub(super) struct Mark {
    watch: Stopwatch,
    samples: usize,
}

pub(super) fn enter(evaluator: &mut Evaluator<'_>) -> Mark {
    if let Some(recorder) = &mut evaluator.explained {
        recorder.levels.push(Vec::new());
    }
    Mark { watch: Stopwatch::start(), samples: evaluator.budget.stats.samples }
}

pub(super) fn leave(evaluator: &mut Evaluator<'_>, mark: Mark, expr: &Expr, grid: &Grid, value: &Evaluated) {
    let samples = evaluator.budget.stats.samples - mark.samples;
    let Some(recorder) = &mut evaluator.explained else { return };
    let children = recorder.levels.pop().unwrap_or_default();
    let rows: &[Row] = if let Evaluated::Vector(rows) = value { rows } else { &[] };
    let tiers = rows.iter().fold(TierSet::default(), |set, row| set.with(row.tiers)).names();
    let explained = Explained {
        kind: kind(&expr.node),
        expr: parse::print(expr),
        steps: grid.count,
        series: rows.len(),
        samples,
        tiers,
        took: mark.watch.elapsed(),
        children,
    };
    if let Some(level) = recorder.levels.last_mut() {
        level.push(explained);
    }
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Number(..) => "number",
        Node::Text(_) => "string",
        Node::Instant(_) => "selector",
        Node::Range { .. } => "range selector",
        Node::Subquery { .. } => "subquery",
        Node::Call { .. } => "call",
        Node::Aggregate { .. } => "aggregation",
        Node::Binary { .. } => "binary",
        Node::Negate(_) | Node::Plus(_) => "unary",
        Node::Paren(_) => "parentheses",
    }
}
