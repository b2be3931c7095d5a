//! Operators between scalars and vectors, and how series of two vectors find each other.

use std::collections::HashMap;

use super::QueryError;
use super::tree::{BinaryOp, Many, Matching};
use super::value::{Evaluated, Grid, HOLE, Row, drop_names, is_hole, merge_equal};
use crate::model::{Labels, METRIC_NAME};

pub(super) fn apply(op: BinaryOp, left: Evaluated, right: Evaluated, matching: &Matching, grid: &Grid) -> Result<Evaluated, QueryError> {
    match (left, right) {
        (Evaluated::Scalar(a), Evaluated::Scalar(b)) => Ok(Evaluated::Scalar(a.iter().zip(&b).map(|(a, b)| scalars(op, *a, *b)).collect())),
        (Evaluated::Vector(rows), Evaluated::Scalar(b)) => with_scalar(op, rows, matching, |i, v| (v, b[i])),
        (Evaluated::Scalar(a), Evaluated::Vector(rows)) => with_scalar(op, rows, matching, |i, v| (a[i], v)),
        (Evaluated::Vector(a), Evaluated::Vector(b)) if op.is_set() => Ok(Evaluated::Vector(set(op, a, b, matching, grid)?)),
        (Evaluated::Vector(a), Evaluated::Vector(b)) => Ok(Evaluated::Vector(matched(op, a, b, matching, grid)?)),
        _ => Err(QueryError::Bad("an operator needs scalars or instant vectors".to_owned())),
    }
}

/// The value of an operator, and whether a comparison holds.
fn compute(op: BinaryOp, a: f64, b: f64) -> (f64, bool) {
    match op {
        BinaryOp::Add => (a + b, true),
        BinaryOp::Sub => (a - b, true),
        BinaryOp::Mul => (a * b, true),
        BinaryOp::Div => (a / b, true),
        BinaryOp::Mod => (a % b, true),
        BinaryOp::Pow => (a.powf(b), true),
        BinaryOp::Atan2 => (a.atan2(b), true),
        BinaryOp::Equal => (a, a == b),
        BinaryOp::NotEqual => (a, a != b),
        BinaryOp::Greater => (a, a > b),
        BinaryOp::Less => (a, a < b),
        BinaryOp::GreaterEqual => (a, a >= b),
        BinaryOp::LessEqual => (a, a <= b),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => (HOLE, false),
    }
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

fn scalars(op: BinaryOp, a: f64, b: f64) -> f64 {
    match compute(op, a, b) {
        (_, holds) if op.is_comparison() => flag(holds),
        (v, _) => v,
    }
}

fn with_scalar(op: BinaryOp, mut rows: Vec<Row>, matching: &Matching, sides: impl Fn(usize, f64) -> (f64, f64)) -> Result<Evaluated, QueryError> {
    for row in &mut rows {
        row.map(|i, v| {
            let (a, b) = sides(i, v);
            let (result, holds) = compute(op, a, b);
            match (op.is_comparison(), matching.return_bool) {
                (false, _) => result,
                (true, true) => flag(holds),
                // A filter keeps the vector's value, whichever side it stands on.
                (true, false) if holds => v,
                (true, false) => HOLE,
            }
        });
    }
    rows.retain(|row| !row.is_empty());
    let filters = op.is_comparison() && !matching.return_bool;
    Ok(Evaluated::Vector(if filters { rows } else { drop_names(rows)? }))
}

/// The labels by which both sides find each other.
fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|l| l == name);
    if matching.on { labels.filtered(listed) } else { labels.filtered(|name| name != METRIC_NAME && !listed(name)) }
}

fn presence(rows: &[Row], matching: &Matching, grid: &Grid) -> HashMap<Labels, Vec<bool>> {
    let mut out: HashMap<Labels, Vec<bool>> = HashMap::new();
    for row in rows {
        let at = out.entry(signature(&row.labels, matching)).or_insert_with(|| vec![false; grid.count]);
        row.values.iter().zip(at).for_each(|(v, p)| *p |= !is_hole(*v));
    }
    out
}

fn set(op: BinaryOp, mut left: Vec<Row>, mut right: Vec<Row>, matching: &Matching, grid: &Grid) -> Result<Vec<Row>, QueryError> {
    let keep_where = |rows: &mut Vec<Row>, other: &HashMap<Labels, Vec<bool>>, wanted: bool| {
        for row in rows.iter_mut() {
            let there = other.get(&signature(&row.labels, matching));
            row.map(|i, v| if there.is_some_and(|p| p[i]) == wanted { v } else { HOLE });
        }
        rows.retain(|row| !row.is_empty());
    };
    match op {
        BinaryOp::And => keep_where(&mut left, &presence(&right, matching, grid), true),
        BinaryOp::Unless => keep_where(&mut left, &presence(&right, matching, grid), false),
        _ => {
            keep_where(&mut right, &presence(&left, matching, grid), false);
            left.append(&mut right);
        }
    }
    merge_equal(left)
}

/// Results by their labels, filled step by step.
struct Results<'a> {
    op: BinaryOp,
    matching: &'a Matching,
    at: HashMap<Labels, usize>,
    rows: Vec<Row>,
    /// Steps at which a pair was found, by signature or, where a side may have many, by result:
    /// whether a comparison then holds does not matter.
    used: HashMap<Labels, Vec<bool>>,
}

fn matched(op: BinaryOp, left: Vec<Row>, right: Vec<Row>, matching: &Matching, grid: &Grid) -> Result<Vec<Row>, QueryError> {
    let swapped = matching.many == Many::Right;
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    let many_there = presence(&many, &Matching { on: true, labels: Vec::new(), ..matching.clone() }, grid);
    let any_many = many_there.into_values().next().unwrap_or_else(|| vec![false; grid.count]);
    let mut by_signature: HashMap<Labels, Vec<&Row>> = HashMap::new();
    for row in &one {
        by_signature.entry(signature(&row.labels, matching)).or_default().push(row);
    }
    for (sig, rows) in by_signature.iter().filter(|(_, rows)| rows.len() > 1) {
        check_unique(sig, rows, &any_many, swapped)?;
    }
    let mut results = Results { op, matching, at: HashMap::new(), rows: Vec::new(), used: HashMap::new() };
    for row in &many {
        let sig = signature(&row.labels, matching);
        let Some(ones) = by_signature.get(&sig) else { continue };
        for other in ones {
            results.pair(&sig, row, other, swapped)?;
        }
    }
    results.rows.retain(|row| !row.is_empty());
    Ok(results.rows)
}

/// The side of one may have one series per signature at each step.
fn check_unique(sig: &Labels, rows: &[&Row], any_many: &[bool], swapped: bool) -> Result<(), QueryError> {
    for (i, _) in any_many.iter().enumerate().filter(|(_, any)| **any) {
        let mut there = rows.iter().filter(|row| !is_hole(row.values[i]));
        if let (Some(first), Some(second)) = (there.next(), there.next()) {
            let side = if swapped { "left" } else { "right" };
            return Err(QueryError::Execution(format!(
                "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                braces(sig),
                braces(&second.labels),
                braces(&first.labels)
            )));
        }
    }
    Ok(())
}

/// Labels with the name among them, as Prometheus prints them in errors.
fn braces(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn several(one_to_one: bool) -> QueryError {
    QueryError::Execution(if one_to_one {
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)".to_owned()
    } else {
        "multiple matches for labels: grouping labels must ensure unique matches".to_owned()
    })
}

impl Results<'_> {
    fn pair(&mut self, sig: &Labels, many: &Row, one: &Row, swapped: bool) -> Result<(), QueryError> {
        let labels = self.labels(many, one);
        let as_flag = self.op.is_comparison() && self.matching.return_bool;
        let one_to_one = self.matching.many == Many::Neither;
        let steps = many.values.len();
        let used = self.used.entry(if one_to_one { sig.clone() } else { labels.clone() }).or_insert_with(|| vec![false; steps]);
        let index = *self.at.entry(labels.clone()).or_insert_with(|| {
            self.rows.push(Row { labels, values: vec![HOLE; steps], tiers: many.tiers });
            self.rows.len() - 1
        });
        let out = &mut self.rows[index];
        out.tiers = out.tiers.with(many.tiers).with(one.tiers);
        for i in (0..steps).filter(|i| !is_hole(many.values[*i]) && !is_hole(one.values[*i])) {
            if std::mem::replace(&mut used[i], true) {
                return Err(several(one_to_one));
            }
            let (m, o) = (many.values[i], one.values[i]);
            let (value, holds) = if swapped { compute(self.op, o, m) } else { compute(self.op, m, o) };
            if !as_flag && !holds {
                continue;
            }
            if !is_hole(out.values[i]) {
                return Err(several(false));
            }
            out.values[i] = if as_flag { flag(holds) } else { value };
        }
        Ok(())
    }

    fn labels(&self, many: &Row, one: &Row) -> Labels {
        let matching = self.matching;
        let drops_name = !self.op.is_comparison() || matching.return_bool;
        let listed = |name: &str| matching.labels.iter().any(|l| l == name);
        let kept = many.labels.filtered(|name| {
            let in_match = matching.many != Many::Neither || listed(name) == matching.on;
            in_match && !(drops_name && name == METRIC_NAME)
        });
        if matching.include.is_empty() {
            return kept;
        }
        let mut builder = kept.to_builder();
        for name in &matching.include {
            builder.put(name, one.labels.get(name).unwrap_or(""));
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_filter_and_arithmetic_does_not() {
        assert_eq!(scalars(BinaryOp::Greater, 2.0, 1.0), 1.0);
        assert_eq!(compute(BinaryOp::Less, 2.0, 1.0), (2.0, false));
        assert!(scalars(BinaryOp::Mod, 1.0, 0.0).is_nan());
    }
}
