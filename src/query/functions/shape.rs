//! Functions that turn scalars and vectors into each other, ask whether something is there, or order.

use std::cmp::Ordering;

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::tree::{Expr, Selector};
use super::super::value::{Evaluated, Grid, HOLE, Row, TierSet, drop_names, is_hole};
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
    Ok(Evaluated::Vector(vec![Row { labels: Labels::default(), values, tiers: TierSet::default() }]))
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
    let rows = match args.get(0)? {
        Expr::Instant(selector) => evaluator.instant(selector, grid, true)?,
        other => {
            let mut rows = evaluator.vector(other, grid)?;
            rows.iter_mut().for_each(|row| row.map(|i, _| grid.time(i) as f64 / 1000.0));
            rows
        }
    };
    Ok(Evaluated::Vector(drop_names(rows)?))
}

pub(super) fn absent(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let arg = args.get(0)?;
    let rows = evaluator.vector(arg, grid)?;
    let present = |i: usize| rows.iter().any(|row| !is_hole(row.values[i]));
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
    let labels = match arg {
        Expr::Instant(selector) | Expr::Range { selector, .. } => labels_of(selector),
        _ => Labels::default(),
    };
    let row = Row { labels, values: present.map(|p| if p { HOLE } else { 1.0 }).collect(), tiers: TierSet::default() };
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

pub(super) fn sort(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    sorted(evaluator, args, grid, false)
}

pub(super) fn sort_desc(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    sorted(evaluator, args, grid, true)
}

/// By the value of the first step, NaN last; a range answer is ordered by labels afterwards anyway.
fn sorted(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, descending: bool) -> Result<Evaluated, QueryError> {
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    rows.sort_by(|a, b| {
        let (a, b) = (a.values[0], b.values[0]);
        match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if descending => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
            (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    });
    Ok(Evaluated::Vector(rows))
}
