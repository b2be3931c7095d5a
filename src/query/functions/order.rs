//! Functions that put series in order. Only an instant answer keeps it.

use std::cmp::Ordering;

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::value::{Evaluated, Grid, Row};
use super::Args;

pub(super) fn sort(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    sorted(evaluator, args, grid, false)
}

pub(super) fn sort_desc(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    sorted(evaluator, args, grid, true)
}

pub(super) fn sort_by_label(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    by_label(evaluator, args, grid, false)
}

pub(super) fn sort_by_label_desc(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    by_label(evaluator, args, grid, true)
}

/// By the value of the first step, NaN last; histograms are left out.
fn sorted(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, descending: bool) -> Result<Evaluated, QueryError> {
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    rows.iter_mut().for_each(|row| row.histograms.clear());
    rows.retain(|row| !row.is_empty());
    rows.sort_by(|a, b| by_value(a, b, descending));
    Ok(Evaluated::Vector(rows))
}

fn by_value(a: &Row, b: &Row, descending: bool) -> Ordering {
    let (a, b) = (a.values[0], b.values[0]);
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// By the values of labels, numbers in them by size; then by all labels.
fn by_label(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, descending: bool) -> Result<Evaluated, QueryError> {
    let labels = (1..args.args.len()).map(|i| args.text(i)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    rows.sort_by(|a, b| {
        let value = |row: &Row, label: &str| row.labels.get(label).unwrap_or("").to_owned();
        let by = labels.iter().map(|label| natural(&value(a, label), &value(b, label))).find(|order| order.is_ne());
        let order = by.unwrap_or_else(|| a.labels.cmp(&b.labels));
        if descending { order.reverse() } else { order }
    });
    Ok(Evaluated::Vector(rows))
}

/// Compares texts so that `x9` comes before `x10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b) = (chunks(a), chunks(b));
    for (x, y) in a.iter().zip(&b) {
        let order = match (number(x), number(y)) {
            (Some(n), Some(m)) => n.cmp(&m).then_with(|| y.len().cmp(&x.len())),
            _ => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn number(text: &str) -> Option<u128> {
    text.parse().ok()
}

/// Runs of digits and of what is between them.
fn chunks(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        out.push(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_are_compared_by_size() {
        let mut names = vec!["x10", "x9", "x", "a2b10", "a2b9", "", "10", "9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["", "9", "10", "a2b9", "a2b10", "x", "x9", "x10"]);
    }
}
