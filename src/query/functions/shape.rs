//! Functions that turn scalars and vectors into each other, or ask whether and when something is there.

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::selector::Yield;
use super::super::tree::{Expr, Node, Selector};
use super::super::value::{Evaluated, Grid, HOLE, Row, TierSet, is_hole};
use super::Args;
use crate::model::{Labels, LabelsBuilder, METRIC_NAME, MatchOp};

pub(super) fn time(_: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar((0..grid.count).map(|i| grid.time(i) as f64 / 1000.0).collect()))
}

pub(super) fn pi(_: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar(vec![std::f64::consts::PI; grid.count]))
}

pub(super) fn vector(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let values = evaluator.scalar(args.get(0)?, grid)?;
    Ok(Evaluated::Vector(vec![Row::floats(Labels::default(), values, TierSet::default())]))
}

/// The value where a step has exactly one, else NaN.
pub(super) fn scalar(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let rows = evaluator.vector(args.get(0)?, grid)?;
    let at = |i: usize| {
        let mut present = rows.iter().map(|row| row.values[i]).filter(|v| !is_hole(*v));
        match (present.next(), present.next()) {
            (Some(v), None) => v,
            _ => f64::NAN,
        }
    };
    Ok(Evaluated::Scalar((0..grid.count).map(at).collect()))
}

/// The time of the sample behind a plain selector, else the time of the step.
pub(super) fn timestamp(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let arg = args.get(0)?;
    let rows = match &arg.bare().node {
        Node::Instant(selector) => evaluator.instant(selector, grid, Yield::Time)?,
        _ => {
            let mut rows = evaluator.vector(arg, grid)?;
            for row in &mut rows {
                for i in 0..grid.count {
                    row.values[i] = if row.is_there(i) { grid.time(i) as f64 / 1000.0 } else { HOLE };
                }
                row.histograms.clear();
            }
            rows
        }
    };
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

/// When the counter behind a plain selector began; nothing of any other expression.
pub(super) fn start_timestamp(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let arg = args.get(0)?;
    let rows = match &arg.bare().node {
        Node::Instant(selector) => evaluator.instant(selector, grid, Yield::Start)?,
        _ => {
            evaluator.vector(arg, grid)?;
            Vec::new()
        }
    };
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

pub(super) fn start(evaluator: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar(vec![evaluator.frame.start as f64 / 1000.0; grid.count]))
}

pub(super) fn end(evaluator: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar(vec![evaluator.frame.end as f64 / 1000.0; grid.count]))
}

pub(super) fn range(evaluator: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar(vec![evaluator.frame.end.saturating_sub(evaluator.frame.start) as f64 / 1000.0; grid.count]))
}

pub(super) fn min_of(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    of_two(evaluator, args, grid, super::math::min)
}

pub(super) fn max_of(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    of_two(evaluator, args, grid, super::math::max)
}

fn of_two(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, f: fn(f64, f64) -> f64) -> Result<Evaluated, QueryError> {
    let (a, b) = (evaluator.scalar(args.get(0)?, grid)?, evaluator.scalar(args.get(1)?, grid)?);
    Ok(Evaluated::Scalar(a.into_iter().zip(b).map(|(a, b)| f(a, b)).collect()))
}

pub(super) fn step(evaluator: &mut Evaluator<'_>, _: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    Ok(Evaluated::Scalar(vec![evaluator.frame.step as f64 / 1000.0; grid.count]))
}

pub(super) fn absent(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let arg = args.get(0)?;
    let rows = evaluator.vector(arg, grid)?;
    let present = |i: usize| rows.iter().any(|row| row.is_there(i));
    Ok(Evaluated::Vector(absence(arg, (0..grid.count).map(present))))
}

pub(super) fn absent_over_time(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let arg = args.get(0)?;
    let mut present = vec![false; grid.count];
    let windows = super::over(evaluator, args, &super::over_time::PRESENT_NAMED, grid)?;
    if let Evaluated::Vector(rows) = windows {
        for row in rows {
            row.values.iter().zip(&mut present).for_each(|(v, p)| *p |= !is_hole(*v));
        }
    }
    Ok(Evaluated::Vector(absence(arg, present.into_iter())))
}

fn absence(arg: &Expr, present: impl Iterator<Item = bool>) -> Vec<Row> {
    let labels = match &arg.bare().node {
        Node::Instant(selector) | Node::Range { selector, .. } => labels_of(selector),
        _ => Labels::default(),
    };
    let row = Row::floats(labels, present.map(|p| if p { HOLE } else { 1.0 }).collect(), TierSet::default());
    if row.is_empty() { Vec::new() } else { vec![row] }
}

/// The labels that every series of a selector has for sure: those compared once, with `=`.
fn labels_of(selector: &Selector) -> Labels {
    let mut out = LabelsBuilder::default();
    for m in selector.matchers.iter().filter(|m| m.name != METRIC_NAME) {
        let times = selector.matchers.iter().filter(|other| other.name == m.name).count();
        if let (MatchOp::Equal(value), 1) = (&m.op, times) {
            out.put(&m.name, value);
        }
    }
    out.build()
}
