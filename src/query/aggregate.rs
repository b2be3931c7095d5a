//! Aggregation over series, step by step.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::QueryError;
use super::eval::Notes;
use super::kahan::{self, Mean, Sum, Variance};
use super::tree::{AggregateOp, Grouping};
use super::value::{Evaluated, Grid, HOLE, Row, TierSet, is_hole, merge_equal};
use crate::model::{Labels, METRIC_NAME};

/// Rows that fall together.
struct Group {
    labels: Labels,
    rows: Vec<Row>,
}

impl Group {
    fn tiers(&self) -> TierSet {
        self.rows.iter().fold(TierSet::default(), |set, row| set.with(row.tiers))
    }

    /// The values at a step.
    fn at(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        self.rows.iter().map(move |row| row.values[i]).filter(|v| !is_hole(*v))
    }
}

pub(super) fn aggregate(
    op: AggregateOp,
    rows: Vec<Row>,
    param: Option<Evaluated>,
    grouping: &Grouping,
    grid: &Grid,
    (notes, place): (&mut Notes, &str),
) -> Result<Vec<Row>, QueryError> {
    if op == AggregateOp::CountValues {
        return count_values(rows, param, grouping, grid);
    }
    let numbers = match param {
        Some(Evaluated::Scalar(values)) => values,
        None => Vec::new(),
        Some(_) => return Err(QueryError::Bad("the parameter of an aggregation must be a scalar".to_owned())),
    };
    let groups = group(rows, grouping);
    if matches!(op, AggregateOp::Topk | AggregateOp::Bottomk) {
        return extremes(groups, &numbers, op == AggregateOp::Topk, grid);
    }
    if op == AggregateOp::Quantile {
        for phi in numbers.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
            notes.warn(phi_warning(*phi, place));
        }
    }
    let fold = |group: Group| {
        let mut scratch = Vec::new();
        let values = (0..grid.count).map(|i| fold_step(op, &group, i, numbers.get(i).copied().unwrap_or(f64::NAN), &mut scratch)).collect();
        Row { tiers: group.tiers(), labels: group.labels, values }
    };
    Ok(groups.into_iter().map(fold).filter(|row| !row.is_empty()).collect())
}

/// The warning about a quantile outside `[0, 1]`.
pub(super) fn phi_warning(phi: f64, place: &str) -> String {
    format!("PromQL warning: quantile value should be between 0 and 1, got {} ({place})", super::histogram::number(phi))
}

fn key(labels: &Labels, grouping: &Grouping) -> Labels {
    labels.filtered(|name| {
        let listed = grouping.labels.iter().any(|l| l == name);
        if grouping.without { !listed && name != METRIC_NAME } else { listed }
    })
}

/// Groups in order of their labels.
fn group(rows: Vec<Row>, grouping: &Grouping) -> Vec<Group> {
    let mut at: HashMap<Labels, usize> = HashMap::new();
    let mut out: Vec<Group> = Vec::new();
    for row in rows {
        let labels = key(&row.labels, grouping);
        let i = *at.entry(labels.clone()).or_insert_with(|| {
            out.push(Group { labels, rows: Vec::new() });
            out.len() - 1
        });
        out[i].rows.push(row);
    }
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    out
}

fn fold_step(op: AggregateOp, group: &Group, i: usize, param: f64, scratch: &mut Vec<f64>) -> f64 {
    let mut values = group.at(i).peekable();
    if values.peek().is_none() {
        return HOLE;
    }
    match op {
        AggregateOp::Sum => {
            let mut sum = Sum::default();
            values.for_each(|v| sum.add(v));
            sum.value()
        }
        AggregateOp::Avg => {
            let mut mean = Mean::default();
            values.for_each(|v| mean.add(v));
            mean.value()
        }
        AggregateOp::Min => values.reduce(|a, b| if b < a || a.is_nan() { b } else { a }).unwrap_or(HOLE),
        AggregateOp::Max => values.reduce(|a, b| if b > a || a.is_nan() { b } else { a }).unwrap_or(HOLE),
        AggregateOp::Count => values.count() as f64,
        AggregateOp::Stddev | AggregateOp::Stdvar => {
            let mut variance = Variance::default();
            values.for_each(|v| variance.add(v));
            if op == AggregateOp::Stddev { variance.value().sqrt() } else { variance.value() }
        }
        AggregateOp::Quantile => {
            scratch.clear();
            scratch.extend(values);
            kahan::quantile(param, scratch)
        }
        AggregateOp::Group | AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::CountValues => 1.0,
    }
}

/// The k largest or smallest at each step, with their own labels.
fn extremes(groups: Vec<Group>, k: &[f64], largest: bool, grid: &Grid) -> Result<Vec<Row>, QueryError> {
    if let Some(bad) = k.iter().find(|k| k.is_nan() || k.abs() > 9.2e18) {
        let what = if bad.is_nan() { "Parameter value is NaN".to_owned() } else { format!("Scalar value {} overflows int64", super::histogram::number(*bad)) };
        return Err(QueryError::Execution(what));
    }
    let mut out = Vec::new();
    for group in groups {
        let mut kept: Vec<Vec<f64>> = vec![vec![HOLE; grid.count]; group.rows.len()];
        let mut order: Vec<usize> = Vec::new();
        for (i, k) in k.iter().enumerate().take(grid.count) {
            order.clear();
            order.extend((0..group.rows.len()).filter(|r| !is_hole(group.rows[*r].values[i])));
            order.sort_by(|a, b| by_rank(group.rows[*a].values[i], group.rows[*b].values[i], largest));
            for r in order.iter().take(k.max(0.0) as usize) {
                kept[*r][i] = group.rows[*r].values[i];
            }
        }
        let mut rows: Vec<Row> = group.rows.into_iter().zip(kept).map(|(row, values)| Row { values, ..row }).filter(|row| !row.is_empty()).collect();
        if grid.count == 1 {
            rows.sort_by(|a, b| by_rank(a.values[0], b.values[0], largest));
        }
        out.append(&mut rows);
    }
    Ok(out)
}

/// NaN comes last either way.
fn by_rank(a: f64, b: f64, largest: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if largest => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

fn count_values(rows: Vec<Row>, param: Option<Evaluated>, grouping: &Grouping, grid: &Grid) -> Result<Vec<Row>, QueryError> {
    let Some(Evaluated::Text(label)) = param else {
        return Err(QueryError::Bad("count_values needs the name of a label".to_owned()));
    };
    if label.is_empty() {
        return Err(QueryError::Execution(format!("invalid label name {label:?}")));
    }
    let mut counted: HashMap<Labels, Row> = HashMap::new();
    for group in group(rows, grouping) {
        let tiers = group.tiers();
        for i in 0..grid.count {
            for v in group.at(i) {
                let labels = group.labels.to_builder().set(&label, &super::histogram::number(v)).build();
                let row = counted.entry(labels.clone()).or_insert_with(|| Row { labels, values: vec![HOLE; grid.count], tiers });
                row.values[i] = if is_hole(row.values[i]) { 1.0 } else { row.values[i] + 1.0 };
            }
        }
    }
    let mut out: Vec<Row> = counted.into_values().collect();
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    merge_equal(out)
}
