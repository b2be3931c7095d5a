//! Operators between scalars and vectors, and how series of two vectors find each other.

use hashbrown::HashMap;

use super::QueryError;
use super::native::{self, Incompatible, Wide};
use super::notes::{Notes, Site};
use super::tree::{BinaryOp, Many, Matching};
use super::value::{Evaluated, Grid, HOLE, Held, Row, drop_names, is_hole, is_metadata, merge_equal};
use crate::model::{Histogram, Labels, METRIC_NAME, ResetHint};

/// What an operator has beside its sides.
pub(super) struct Context<'a> {
    pub(super) notes: &'a mut Notes,
    pub(super) site: Site,
    /// Names go at the end of the query.
    pub(super) delayed: bool,
}

pub(super) fn apply(
    op: BinaryOp,
    left: Evaluated,
    right: Evaluated,
    matching: &Matching,
    grid: &Grid,
    context: &mut Context<'_>,
) -> Result<Evaluated, QueryError> {
    match (left, right) {
        (Evaluated::Scalar(a), Evaluated::Scalar(b)) => Ok(Evaluated::Scalar(a.iter().zip(&b).map(|(a, b)| scalars(op, *a, *b)).collect())),
        (Evaluated::Vector(rows), Evaluated::Scalar(b)) => with_scalar(op, rows, &b, false, matching, context),
        (Evaluated::Scalar(a), Evaluated::Vector(rows)) => with_scalar(op, rows, &a, true, matching, context),
        (Evaluated::Vector(a), Evaluated::Vector(b)) if op.is_set() => Ok(Evaluated::Vector(set(op, a, b, matching, grid)?)),
        (Evaluated::Vector(a), Evaluated::Vector(b)) => Ok(Evaluated::Vector(matched(op, a, b, matching, grid, context)?)),
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
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless | BinaryOp::TrimUpper | BinaryOp::TrimLower => (f64::NAN, false),
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

/// The value of an operator on values of either kind, and whether a comparison holds; `None` where they do not go together.
fn combine(op: BinaryOp, a: &Held, b: &Held, context: &mut Context<'_>) -> Option<(Held, bool)> {
    let kind = |held: &Held| if matches!(held, Held::Float(_)) { "float" } else { "histogram" };
    let found = match (a, b) {
        (Held::Float(_), Held::Float(_)) if matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower) => None,
        (Held::Float(a), Held::Float(b)) => {
            let (value, holds) = compute(op, *a, *b);
            Some((Held::Float(value), holds))
        }
        (Held::Float(v), Held::Histogram(h)) if op == BinaryOp::Mul => Some((Held::of(native::scaled(h, *v)), true)),
        (Held::Histogram(h), Held::Float(v)) => match op {
            BinaryOp::Mul => Some((Held::of(native::scaled(h, *v)), true)),
            BinaryOp::Div => Some((Held::of(native::divided(h, *v)), true)),
            BinaryOp::TrimUpper | BinaryOp::TrimLower => Some((Held::of(native::trimmed(h, *v, op == BinaryOp::TrimUpper)), true)),
            _ => None,
        },
        (Held::Histogram(a), Held::Histogram(b)) => match op {
            BinaryOp::Add | BinaryOp::Sub => return sum(op, a, b, context).map(|h| (Held::of(h), true)),
            BinaryOp::Equal => Some((Held::Histogram(a.clone()), native::same(a, b))),
            BinaryOp::NotEqual => Some((Held::Histogram(a.clone()), !native::same(a, b))),
            _ => None,
        },
        _ => None,
    };
    if found.is_none() {
        context.notes.incompatible_types(kind(a), op.sign(), kind(b), context.site);
    }
    found
}

/// Sum or difference of histograms; a difference is no counter any more.
fn sum(op: BinaryOp, a: &Histogram, b: &Histogram, context: &mut Context<'_>) -> Option<Histogram> {
    let mut out = Wide::of(a);
    let (merged, operation) = if op == BinaryOp::Add { (out.add(b), "addition") } else { (out.sub(b), "subtraction") };
    match merged {
        Err(Incompatible) => {
            context.notes.incompatible_layout(op.sign(), context.site);
            return None;
        }
        Ok(merged) => {
            if merged.collision {
                context.notes.colliding_resets(operation, context.site);
            }
            if merged.reconciled {
                context.notes.reconciled(operation, context.site);
            }
        }
    }
    if op == BinaryOp::Sub {
        out.set_hint(ResetHint::Gauge);
    }
    Some(out.finish())
}

fn with_scalar(
    op: BinaryOp,
    mut rows: Vec<Row>,
    scalar: &[f64],
    swapped: bool,
    matching: &Matching,
    context: &mut Context<'_>,
) -> Result<Evaluated, QueryError> {
    let trims = matches!(op, BinaryOp::TrimUpper | BinaryOp::TrimLower);
    let result = |v: f64, result: f64, holds: bool| match (op.is_comparison(), matching.return_bool) {
        (false, _) => result,
        (true, true) => flag(holds),
        // A filter keeps the vector's value, whichever side it stands on.
        (true, false) if holds => v,
        (true, false) => HOLE,
    };
    for row in &mut rows {
        if !row.has_histograms() && !trims {
            row.map(|i, v| {
                let (a, b) = if swapped { (scalar[i], v) } else { (v, scalar[i]) };
                let (value, holds) = compute(op, a, b);
                result(v, value, holds)
            });
            continue;
        }
        for (i, number) in scalar.iter().enumerate() {
            let Some(held) = row.at(i) else { continue };
            let number = Held::Float(*number);
            let found = if swapped { combine(op, &number, &held, context) } else { combine(op, &held, &number, context) };
            let out = match (found, &held) {
                (None, _) => None,
                (Some((Held::Float(value), holds)), Held::Float(v)) => Some(Held::Float(result(*v, value, holds))),
                (Some((value, _)), _) => Some(value),
            };
            row.put(i, out.filter(|held| !matches!(held, Held::Float(v) if is_hole(*v))));
        }
    }
    rows.retain(|row| !row.is_empty());
    let loses_name = op.changes_metric() || matching.return_bool;
    Ok(Evaluated::Vector(if !loses_name {
        rows
    } else if context.delayed {
        rows.iter_mut().for_each(|row| row.drop_name = true);
        rows
    } else {
        drop_names(rows)?
    }))
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
        at.iter_mut().enumerate().for_each(|(i, p)| *p |= row.is_there(i));
    }
    out
}

fn set(op: BinaryOp, mut left: Vec<Row>, mut right: Vec<Row>, matching: &Matching, grid: &Grid) -> Result<Vec<Row>, QueryError> {
    let keep_where = |rows: &mut Vec<Row>, other: &HashMap<Labels, Vec<bool>>, wanted: bool| {
        for row in rows.iter_mut() {
            let there = other.get(&signature(&row.labels, matching));
            row.keep(|i| there.is_some_and(|p| p[i]) == wanted);
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

/// Series of both sides with one signature.
#[derive(Default)]
struct Match<'a> {
    many: Vec<&'a Row>,
    one: Vec<&'a Row>,
}

/// Results by their labels, filled step by step.
struct Results<'a, 'c> {
    op: BinaryOp,
    matching: &'a Matching,
    context: &'a mut Context<'c>,
    swapped: bool,
    at: HashMap<Labels, usize>,
    rows: Vec<Row>,
    /// Steps at which a pair was found, by signature or, where a side may have many, by result:
    /// whether a comparison then holds does not matter.
    used: HashMap<Labels, Vec<bool>>,
}

fn matched(op: BinaryOp, left: Vec<Row>, right: Vec<Row>, matching: &Matching, grid: &Grid, context: &mut Context<'_>) -> Result<Vec<Row>, QueryError> {
    let swapped = matching.many == Many::Right;
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    // The left fill stands for the side of many and the right one for the side of one, also where those are swapped.
    let (fill_many, fill_one) = matching.fill;
    let mut matches: HashMap<Labels, Match<'_>> = HashMap::new();
    let mut order: Vec<Labels> = Vec::new();
    for (rows, of_many) in [(&many, true), (&one, false)] {
        for row in rows {
            let sig = signature(&row.labels, matching);
            let found = matches.entry(sig.clone()).or_insert_with(|| {
                order.push(sig);
                Match::default()
            });
            if of_many { &mut found.many } else { &mut found.one }.push(row);
        }
    }
    let any_many: Vec<bool> = (0..grid.count).map(|i| fill_many.is_some() || many.iter().any(|row| row.is_there(i))).collect();
    for sig in &order {
        if let Some(found) = matches.get(sig).filter(|found| found.one.len() > 1) {
            check_unique(sig, &found.one, &any_many, swapped)?;
        }
    }
    let mut results = Results { op, matching, context, swapped, at: HashMap::new(), rows: Vec::new(), used: HashMap::new() };
    for sig in &order {
        let Some(Match { many, one }) = matches.get(sig) else { continue };
        for row in many {
            one.iter().try_for_each(|other| results.pair(sig, row, other))?;
        }
        if let Some(filler) = fill_one.map(|v| filler(sig, v, one, grid)) {
            many.iter().try_for_each(|row| results.pair(sig, row, &filler))?;
        }
        if let Some(filler) = fill_many.map(|v| filler(sig, v, many, grid)) {
            one.iter().try_for_each(|row| results.pair(sig, &filler, row))?;
        }
    }
    results.rows.retain(|row| !row.is_empty());
    Ok(results.rows)
}

/// What stands for a side at the steps where it has nothing.
fn filler(sig: &Labels, value: f64, side: &[&Row], grid: &Grid) -> Row {
    let values = (0..grid.count).map(|i| if side.iter().any(|row| row.is_there(i)) { HOLE } else { value }).collect();
    Row::floats(sig.clone(), values, super::value::TierSet::default())
}

/// The side of one may have one series per signature at each step.
fn check_unique(sig: &Labels, rows: &[&Row], any_many: &[bool], swapped: bool) -> Result<(), QueryError> {
    for (i, _) in any_many.iter().enumerate().filter(|(_, any)| **any) {
        let mut there = rows.iter().filter(|row| row.is_there(i));
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
pub(super) fn braces(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={}", super::parse::quote(v))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn several(one_to_one: bool) -> QueryError {
    QueryError::Execution(if one_to_one {
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)".to_owned()
    } else {
        "multiple matches for labels: grouping labels must ensure unique matches".to_owned()
    })
}

impl Results<'_, '_> {
    fn pair(&mut self, sig: &Labels, many: &Row, one: &Row) -> Result<(), QueryError> {
        let steps = many.values.len();
        if !(0..steps).any(|i| many.is_there(i) && one.is_there(i)) {
            return Ok(());
        }
        let labels = self.labels(many, one);
        let one_to_one = self.matching.many == Many::Neither;
        let mut used = self.used.remove(if one_to_one { sig } else { &labels }).unwrap_or_else(|| vec![false; steps]);
        let drop_name = self.context.delayed && (self.op.changes_metric() || self.matching.return_bool);
        let index = *self.at.entry(labels.clone()).or_insert_with(|| {
            self.rows.push(Row { drop_name: drop_name || many.drop_name, ..Row::hollow(labels.clone(), steps, many.tiers) });
            self.rows.len() - 1
        });
        self.rows[index].tiers = self.rows[index].tiers.with(many.tiers).with(one.tiers);
        let plain = !many.has_histograms() && !one.has_histograms() && !matches!(self.op, BinaryOp::TrimUpper | BinaryOp::TrimLower);
        for (i, used) in used.iter_mut().enumerate() {
            if !many.is_there(i) || !one.is_there(i) {
                continue;
            }
            if std::mem::replace(used, true) {
                return Err(several(one_to_one));
            }
            let found = if plain { self.floats(many.values[i], one.values[i]).map(Held::Float) } else { self.held(many.at(i), one.at(i)) };
            let Some(held) = found else { continue };
            let out = &mut self.rows[index];
            if out.is_there(i) {
                return Err(several(false));
            }
            match held {
                Held::Float(v) => out.values[i] = v,
                held @ Held::Histogram(_) => out.put(i, Some(held)),
            }
        }
        self.used.insert(if one_to_one { sig.clone() } else { labels }, used);
        Ok(())
    }

    fn as_flag(&self) -> bool {
        self.op.is_comparison() && self.matching.return_bool
    }

    fn floats(&self, many: f64, one: f64) -> Option<f64> {
        let (value, holds) = if self.swapped { compute(self.op, one, many) } else { compute(self.op, many, one) };
        if self.as_flag() { Some(flag(holds)) } else { holds.then_some(value) }
    }

    fn held(&mut self, many: Option<Held>, one: Option<Held>) -> Option<Held> {
        let (many, one) = many.zip(one)?;
        let found = if self.swapped { combine(self.op, &one, &many, self.context) } else { combine(self.op, &many, &one, self.context) };
        let (value, holds) = found?;
        if self.as_flag() { Some(Held::Float(flag(holds))) } else { holds.then_some(value) }
    }

    fn labels(&self, many: &Row, one: &Row) -> Labels {
        let matching = self.matching;
        let drops_name = !self.context.delayed && (self.op.changes_metric() || matching.return_bool);
        let listed = |name: &str| matching.labels.iter().any(|l| l == name);
        let kept = many.labels.filtered(|name| {
            let in_match = matching.many != Many::Neither || listed(name) == matching.on;
            in_match && !(drops_name && is_metadata(name))
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
