//! `info`: takes labels over from info metrics, whose series say more of the same instance and job.

use std::collections::{HashMap, HashSet};

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::selector::Yield;
use super::super::tree::{Edges, Expr, Node, Selector, Shift};
use super::super::value::{Evaluated, Grid, Row, is_hole};
use super::Args;
use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher};

/// Where nothing else is asked for.
const TARGET_INFO: &str = "target_info";
/// The labels by which series and info series find each other.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// What of the info series is wanted.
struct Wanted {
    /// Of the metric's name.
    names: Vec<Matcher>,
    /// Of the labels to take over; none: all.
    labels: Vec<Matcher>,
}

pub(super) fn info(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let base = args.get(0)?;
    let rows = evaluator.vector(base, grid)?;
    let wanted = wanted(args.args.get(1));
    let is_info = |row: &Row| is_positive(&wanted.names) && wanted.names.iter().all(|m| m.accepts(row.labels.metric_name()));
    let (kept, enriched): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_info);
    let infos = info_rows(evaluator, &enriched, &wanted, shift_of(base), grid)?;
    let mut out = kept;
    let by_signature = signatures(&infos);
    let mut at: HashMap<Labels, usize> = out.iter().enumerate().map(|(i, row)| (row.labels.clone(), i)).collect();
    for row in &enriched {
        evaluator.deadline.check()?;
        for i in (0..grid.count).filter(|i| row.is_there(*i)) {
            let Some(labels) = enrich(row, i, &infos, &by_signature, &wanted)? else { continue };
            let k = *at.entry(labels.clone()).or_insert_with(|| {
                out.push(Row { drop_name: row.drop_name, ..Row::hollow(labels, grid.count, row.tiers) });
                out.len() - 1
            });
            if out[k].is_there(i) {
                return Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()));
            }
            out[k].put(i, row.at(i));
        }
    }
    Ok(Evaluated::Vector(out))
}

/// Whether a name is asked for, not only excluded.
fn is_positive(names: &[Matcher]) -> bool {
    names.iter().any(|m| matches!(m.op, MatchOp::Equal(_) | MatchOp::Regex(_)))
}

fn wanted(selector: Option<&Expr>) -> Wanted {
    match selector.map(|expr| &expr.bare().node) {
        Some(Node::Instant(selector)) => {
            let (names, labels): (Vec<Matcher>, Vec<Matcher>) = selector.matchers.iter().cloned().partition(|m| m.name == METRIC_NAME);
            Wanted { names, labels }
        }
        _ => Wanted { names: vec![Matcher::metric(TARGET_INFO)], labels: Vec::new() },
    }
}

/// The shift of the first selector: info series are looked up at the same times.
fn shift_of(expr: &Expr) -> Shift {
    match &expr.node {
        Node::Instant(selector) | Node::Range { selector, .. } => selector.shift.clone(),
        Node::Subquery { expr, shift, .. } => {
            let inner = shift_of(expr);
            Shift { offset: inner.offset.saturating_add(shift.offset), length: None, at: inner.at.or(shift.at) }
        }
        _ => expr.children().into_iter().map(shift_of).next().unwrap_or_default(),
    }
}

/// An info series: its values, and the times of the samples behind them.
struct InfoRow {
    labels: Labels,
    times: Vec<f64>,
}

fn info_rows(evaluator: &mut Evaluator<'_>, rows: &[Row], wanted: &Wanted, shift: Shift, grid: &Grid) -> Result<Vec<InfoRow>, QueryError> {
    let mut matchers = wanted.names.clone();
    if !is_positive(&matchers) {
        matchers.push(Matcher::metric(TARGET_INFO));
    }
    let mut any = false;
    for label in IDENTIFYING {
        let values: HashSet<&str> = rows.iter().filter_map(|row| row.labels.get(label)).collect();
        if values.is_empty() {
            continue;
        }
        any = true;
        let mut values: Vec<String> = values.into_iter().map(escaped).collect();
        values.sort();
        matchers.push(Matcher::regex(label, &values.join("|")).map_err(|e| QueryError::Execution(e.to_string()))?);
    }
    if !any {
        return Ok(Vec::new());
    }
    matchers.extend(wanted.labels.iter().cloned());
    let selector = Selector { name: None, matchers, shift, edges: Edges::Plain, counts_alone: false };
    let found = evaluator.instant(&selector, grid, Yield::Value)?;
    if found.iter().any(Row::has_histograms) {
        return Err(QueryError::Execution("info sample should be float".to_owned()));
    }
    let times = evaluator.instant(&selector, grid, Yield::Time)?;
    Ok(times.into_iter().map(|row| InfoRow { labels: row.labels, times: row.values }).collect())
}

/// A value as a pattern that matches it alone.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if !(c.is_alphanumeric() || c == '_') && c.is_ascii() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn identity(labels: &Labels) -> Labels {
    labels.filtered(|name| IDENTIFYING.contains(&name))
}

/// Info series by their identifying labels.
fn signatures(infos: &[InfoRow]) -> HashMap<Labels, Vec<usize>> {
    let mut out: HashMap<Labels, Vec<usize>> = HashMap::new();
    for (i, info) in infos.iter().enumerate() {
        out.entry(identity(&info.labels)).or_default().push(i);
    }
    out
}

/// The labels of a series at a step with those of its info series; `None` where it has none, but must.
fn enrich(row: &Row, i: usize, infos: &[InfoRow], by_signature: &HashMap<Labels, Vec<usize>>, wanted: &Wanted) -> Result<Option<Labels>, QueryError> {
    let candidates = by_signature.get(&identity(&row.labels)).map_or(&[][..], Vec::as_slice);
    let mut newest: HashMap<&str, &InfoRow> = HashMap::new();
    for info in candidates.iter().map(|k| &infos[*k]).filter(|info| !is_hole(info.times[i])) {
        match newest.get(info.labels.metric_name()) {
            Some(other) if other.times[i] > info.times[i] => {}
            Some(other) if other.times[i] == info.times[i] => {
                return Err(QueryError::Execution(format!(
                    "found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                    super::super::binary::braces(&other.labels),
                    (other.times[i] * 1000.0) as i64,
                    super::super::binary::braces(&info.labels),
                    (info.times[i] * 1000.0) as i64
                )));
            }
            _ => drop(newest.insert(info.labels.metric_name(), info)),
        }
    }
    if newest.is_empty() && wanted.labels.iter().any(|m| !m.accepts("")) {
        return Ok(None);
    }
    let mut taken: HashMap<&str, &str> = HashMap::new();
    let mut names: Vec<&&str> = newest.keys().collect();
    names.sort();
    for info in names.into_iter().map(|name| newest[*name]) {
        for (name, value) in info.labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
            if !wanted.labels.is_empty() && !wanted.labels.iter().any(|m| m.name == name) {
                continue;
            }
            if taken.get(name).is_some_and(|other| *other != value) {
                return Err(QueryError::Execution(format!("conflicting label: {name}")));
            }
            if row.labels.get(name).is_none() {
                taken.insert(name, value);
            }
        }
    }
    let mut labels = row.labels.to_builder();
    taken.into_iter().for_each(|(name, value)| labels.put(name, value));
    Ok(Some(labels.build()))
}
