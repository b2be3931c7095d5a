//! Aggregation over series, step by step.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashMap;

use super::QueryError;
use super::functions::HistogramMean;
use super::kahan::{self, Mean, Sum, Variance};
use super::native::{Incompatible, Wide};
use super::notes::{Notes, Site, general};
use super::tree::{AggregateOp, Grouping};
use super::value::{Evaluated, Grid, HOLE, Held, Row, TierSet, is_hole, merge_equal};
use crate::model::{Histogram, Labels, METRIC_NAME, ResetHint};

/// What notes are about.
#[derive(Clone, Copy)]
pub(super) struct Sites {
    pub(super) call: Site,
    pub(super) expr: Site,
    pub(super) param: Site,
}

/// What an aggregation has beside its series.
pub(super) struct Context<'a> {
    pub(super) notes: &'a mut Notes,
    pub(super) sites: Sites,
}

/// Rows that fall together.
struct Group {
    labels: Labels,
    rows: Vec<Row>,
}

impl Group {
    fn tiers(&self) -> TierSet {
        self.rows.iter().fold(TierSet::default(), |set, row| set.with(row.tiers))
    }

    /// The numbers at a step.
    fn floats(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        self.rows.iter().map(move |row| row.values[i]).filter(|v| !is_hole(*v))
    }

    /// The histograms at a step.
    fn histograms(&self, i: usize) -> impl Iterator<Item = (&Arc<Histogram>, &Row)> + '_ {
        self.rows.iter().filter_map(move |row| row.histogram(i).map(|h| (h, row)))
    }

    fn has_histograms(&self) -> bool {
        self.rows.iter().any(Row::has_histograms)
    }

    /// A row without values for what this group yields.
    fn row(&self, grid: &Grid) -> Row {
        Row { drop_name: self.rows.iter().any(|row| row.drop_name), ..Row::hollow(self.labels.clone(), grid.count, self.tiers()) }
    }
}

pub(super) fn aggregate(
    op: AggregateOp,
    rows: Vec<Row>,
    param: Option<Evaluated>,
    grouping: &Grouping,
    grid: &Grid,
    context: &mut Context<'_>,
) -> Result<Vec<Row>, QueryError> {
    if op == AggregateOp::CountValues {
        return count_values(rows, param, grouping, grid);
    }
    let numbers = match param {
        Some(Evaluated::Scalar(values)) => values,
        None => Vec::new(),
        Some(_) => return Err(QueryError::Bad("the parameter of an aggregation must be a scalar".to_owned())),
    };
    if op.picks() {
        return pick(op, rows, &numbers, grouping, grid, context);
    }
    let groups = group(rows, grouping);
    if op == AggregateOp::Quantile && !groups.is_empty() {
        numbers.iter().filter(|phi| !(0.0..=1.0).contains(*phi)).for_each(|phi| context.notes.bad_quantile(*phi, context.sites.param));
    }
    let mut out = Vec::with_capacity(groups.len());
    for group in &groups {
        let mut row = group.row(grid);
        fold(op, group, &numbers, &mut row, context);
        if !row.is_empty() {
            out.push(row);
        }
    }
    Ok(out)
}

/// Whether a label is part of a group's labels.
fn is_kept(name: &str, grouping: &Grouping) -> bool {
    let listed = grouping.labels.iter().any(|l| l == name);
    if grouping.without { !listed && name != METRIC_NAME } else { listed }
}

/// Groups in order of their labels.
fn group(rows: Vec<Row>, grouping: &Grouping) -> Vec<Group> {
    if !grouping.without && grouping.labels.is_empty() {
        return if rows.is_empty() { Vec::new() } else { vec![Group { labels: Labels::default(), rows }] };
    }
    // Groups are few and series many: only a new group gets labels of its own.
    let mut at: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut key = Vec::new();
    let mut out: Vec<Group> = Vec::new();
    for row in rows {
        key.clear();
        row.labels.filter_into(|name| is_kept(name, grouping), &mut key);
        let i = at.get(key.as_slice()).copied().unwrap_or_else(|| {
            out.push(Group { labels: row.labels.filtered(|name| is_kept(name, grouping)), rows: Vec::new() });
            at.insert(key.clone(), out.len() - 1);
            out.len() - 1
        });
        out[i].rows.push(row);
    }
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    out
}

/// Puts the value of every step into `row`.
fn fold(op: AggregateOp, group: &Group, numbers: &[f64], row: &mut Row, context: &mut Context<'_>) {
    if !group.has_histograms() {
        fold_floats(op, group, numbers, &mut row.values);
        return;
    }
    for i in 0..row.values.len() {
        let held = fold_mixed(op, group, i, numbers.get(i).copied().unwrap_or(f64::NAN), context);
        row.put(i, held);
    }
}

/// Column by column: each series is walked once, which keeps its values in the cache.
fn fold_floats(op: AggregateOp, group: &Group, numbers: &[f64], out: &mut [f64]) {
    match op {
        AggregateOp::Sum => walk(group, out, Sum::default(), |acc: &mut Sum, v| acc.add(v), |acc| acc.value()),
        AggregateOp::Avg => walk(group, out, Mean::default(), |acc: &mut Mean, v| acc.add(v), |acc| acc.value()),
        AggregateOp::Min => walk(group, out, f64::NAN, |acc: &mut f64, v| *acc = smaller(*acc, v), |acc| *acc),
        AggregateOp::Max => walk(group, out, f64::NAN, |acc: &mut f64, v| *acc = larger(*acc, v), |acc| *acc),
        AggregateOp::Count => walk(group, out, 0.0, |acc: &mut f64, _| *acc += 1.0, |acc| *acc),
        AggregateOp::Stddev => walk(group, out, Variance::default(), |acc: &mut Variance, v| acc.add(v), |acc| acc.value().sqrt()),
        AggregateOp::Stdvar => walk(group, out, Variance::default(), |acc: &mut Variance, v| acc.add(v), |acc| acc.value()),
        AggregateOp::Quantile => {
            let mut scratch = Vec::new();
            for (i, to) in out.iter_mut().enumerate() {
                scratch.clear();
                scratch.extend(group.floats(i));
                if !scratch.is_empty() {
                    *to = kahan::quantile(numbers.get(i).copied().unwrap_or(f64::NAN), &mut scratch);
                }
            }
        }
        _ => walk(group, out, (), |(), _| {}, |()| 1.0),
    }
}

fn walk<A: Clone>(group: &Group, out: &mut [f64], start: A, add: impl Fn(&mut A, f64), value: impl Fn(&A) -> f64) {
    let mut accs: Vec<(bool, A)> = vec![(false, start); out.len()];
    for row in &group.rows {
        for (v, (any, acc)) in row.values.iter().zip(&mut accs) {
            if !is_hole(*v) {
                *any = true;
                add(acc, *v);
            }
        }
    }
    for (to, (any, acc)) in out.iter_mut().zip(&accs) {
        *to = if *any { value(acc) } else { HOLE };
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    if b < a || a.is_nan() { b } else { a }
}

fn larger(a: f64, b: f64) -> f64 {
    if b > a || a.is_nan() { b } else { a }
}

/// A step at which there may be histograms.
fn fold_mixed(op: AggregateOp, group: &Group, i: usize, param: f64, context: &mut Context<'_>) -> Option<Held> {
    let (floats, histograms) = (group.floats(i).count(), group.histograms(i).count());
    match op {
        AggregateOp::Count => return (floats + histograms > 0).then_some(Held::Float((floats + histograms) as f64)),
        AggregateOp::Group => return (floats + histograms > 0).then_some(Held::Float(1.0)),
        AggregateOp::Sum | AggregateOp::Avg if histograms > 0 => {
            if floats > 0 {
                context.notes.mixed_aggregation(context.sites.expr);
                return None;
            }
            return combine(op == AggregateOp::Avg, group, i, context).map(Held::of);
        }
        _ => {}
    }
    if histograms > 0 {
        context.notes.ignored_in_aggregation(op.name(), context.sites.expr);
    }
    if floats == 0 {
        return None;
    }
    let plain = Group { labels: Labels::default(), rows: group.floats(i).map(|v| Row::floats(Labels::default(), vec![v], TierSet::default())).collect() };
    let mut out = [HOLE];
    fold_floats(op, &plain, &[param], &mut out);
    Some(Held::Float(out[0]))
}

/// The sum or mean of histograms.
fn combine(mean: bool, group: &Group, i: usize, context: &mut Context<'_>) -> Option<Histogram> {
    let (mut average, mut total): (HistogramMean, Option<Wide>) = (HistogramMean::default(), None);
    let (mut reset, mut not_reset) = (false, false);
    for (h, row) in group.histograms(i) {
        reset |= h.reset_hint == ResetHint::Reset;
        not_reset |= h.reset_hint == ResetHint::NotReset;
        let merged = match &mut total {
            _ if mean => average.add(h),
            Some(total) => total.add(h),
            None => {
                total = Some(Wide::of(h));
                continue;
            }
        };
        match merged {
            Ok(merged) if merged.reconciled => context.notes.reconciled("aggregation", context.sites.expr),
            Ok(_) => {}
            Err(Incompatible) => {
                context.notes.mixed_schemas(row.labels.metric_name(), context.sites.expr);
                return None;
            }
        }
    }
    if reset && not_reset {
        context.notes.colliding_resets("aggregation", context.sites.expr);
    }
    if mean { average.finish() } else { total.map(|total| total.finish()) }
}

/// The parameter of an aggregation that picks series, checked.
fn check_numbers(op: AggregateOp, numbers: &[f64], context: &mut Context<'_>) -> Result<Vec<f64>, QueryError> {
    let ratio = op == AggregateOp::LimitRatio;
    let mut out = Vec::with_capacity(numbers.len());
    for v in numbers {
        if v.is_nan() {
            return Err(QueryError::Execution(if ratio { "Ratio value is NaN".to_owned() } else { "Parameter value is NaN".to_owned() }));
        }
        if ratio {
            let capped = v.clamp(-1.0, 1.0);
            if capped != *v {
                context.notes.bad_ratio(*v, capped, context.sites.param);
            }
            out.push(capped);
            continue;
        }
        if v.abs() >= 9_223_372_036_854_775_808.0 {
            let kind = if *v < 0.0 { "underflows" } else { "overflows" };
            return Err(QueryError::Execution(format!("Scalar value {} {kind} int64", general(*v))));
        }
        out.push(v.trunc());
    }
    Ok(out)
}

/// Some of the series at each step, with their own labels.
fn pick(op: AggregateOp, rows: Vec<Row>, numbers: &[f64], grouping: &Grouping, grid: &Grid, context: &mut Context<'_>) -> Result<Vec<Row>, QueryError> {
    let numbers = check_numbers(op, numbers, context)?;
    if rows.is_empty() || numbers.iter().all(|k| if op == AggregateOp::LimitRatio { *k == 0.0 } else { *k < 1.0 }) {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for mut group in group(rows, grouping) {
        let mut kept = vec![vec![false; grid.count]; group.rows.len()];
        for (i, number) in numbers.iter().enumerate().take(grid.count) {
            chosen(op, &group, i, *number, context).into_iter().for_each(|r| kept[r][i] = true);
        }
        let ranked = matches!(op, AggregateOp::Topk | AggregateOp::Bottomk);
        group.rows.iter_mut().zip(&kept).for_each(|(row, kept)| row.keep(|i| kept[i]));
        group.rows.retain(|row| !row.is_empty());
        if grid.count == 1 && ranked {
            group.rows.sort_by(|a, b| by_rank(a.values[0], b.values[0], op == AggregateOp::Topk));
        }
        out.append(&mut group.rows);
    }
    Ok(out)
}

/// Which rows of a group are chosen at a step.
fn chosen(op: AggregateOp, group: &Group, i: usize, number: f64, context: &mut Context<'_>) -> Vec<usize> {
    let there = (0..group.rows.len()).filter(|r| group.rows[*r].is_there(i));
    match op {
        AggregateOp::Limitk => there.take(number.max(0.0) as usize).collect(),
        AggregateOp::LimitRatio => there.filter(|r| is_sampled(&group.rows[*r].labels, number)).collect(),
        _ => {
            let (mut order, histograms): (Vec<usize>, Vec<usize>) = there.partition(|r| !is_hole(group.rows[*r].values[i]));
            if !histograms.is_empty() && number >= 1.0 {
                context.notes.ignored_in_aggregation(op.name(), context.sites.call);
            }
            let largest = op == AggregateOp::Topk;
            let rank = |a: &usize, b: &usize| by_rank(group.rows[*a].values[i], group.rows[*b].values[i], largest).then(a.cmp(b));
            let k = number.max(0.0) as usize;
            if k < order.len() {
                if k > 0 {
                    order.select_nth_unstable_by(k - 1, rank);
                }
                order.truncate(k);
            }
            order
        }
    }
}

/// Whether a series falls into a share of all; a negative share is what the positive one leaves.
fn is_sampled(labels: &Labels, ratio: f64) -> bool {
    let place = labels.share() as f64 / u64::MAX as f64;
    (ratio >= 0.0 && place < ratio) || (ratio < 0.0 && place >= 1.0 + ratio)
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
    // The name may be grouped by though the label is set over it.
    let mut counted: HashMap<Labels, Row> = HashMap::new();
    for group in group(rows, grouping) {
        let template = group.row(grid);
        for row in &group.rows {
            for i in 0..grid.count {
                let value = match row.at(i) {
                    None => continue,
                    Some(Held::Float(v)) => super::parse::plain(v),
                    Some(Held::Histogram(h)) => super::histogram::text(&h),
                };
                let labels = group.labels.to_builder().set(&label, &value).build();
                let drop_name = template.drop_name && label != METRIC_NAME;
                let into = counted.entry(labels.clone()).or_insert_with(|| Row { labels, drop_name, ..template.clone() });
                into.values[i] = if is_hole(into.values[i]) { 1.0 } else { into.values[i] + 1.0 };
            }
        }
    }
    let mut out: Vec<Row> = counted.into_values().collect();
    out.sort_by(|a, b| a.labels.cmp(&b.labels));
    merge_equal(out)
}
