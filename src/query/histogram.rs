//! Quantiles and fractions of classic histograms: cumulative counts by upper bound `le`.

use std::collections::BTreeMap;

use super::QueryError;
use super::eval::{Evaluator, Notes};
use super::functions::Args;
use super::value::{Evaluated, Grid, HOLE, Row, TierSet, is_hole};
use crate::model::{Labels, METRIC_NAME};

const BUCKET_LABEL: &str = "le";
/// Counts that differ by less are taken as equal: scraping is not atomic.
const SMALL_DELTA: f64 = 1e-12;

/// The buckets of one histogram over all steps, by rising bound.
struct Histogram {
    labels: Labels,
    name: String,
    bounds: Vec<(f64, Row)>,
    tiers: TierSet,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

pub(super) fn quantile(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let phi = evaluator.scalar(args.get(0)?, grid)?;
    let rows = evaluator.vector(args.get(1)?, grid)?;
    let histograms = gather(rows, args.place(1), &mut evaluator.notes);
    for phi in phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
        evaluator.notes.warn(super::aggregate::phi_warning(*phi, args.place(0)));
    }
    let mut fixed = Vec::new();
    let out = per_step(histograms, grid, |i, name, buckets| {
        let (value, forced) = quantile_of(phi[i], buckets);
        if forced && !fixed.iter().any(|n| n == name) {
            fixed.push(name.to_owned());
        }
        value
    });
    for name in fixed {
        evaluator.notes.info(format!("PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name {name:?} ({})", args.place(1)));
    }
    Ok(Evaluated::Vector(super::value::merge_equal(out)?))
}

pub(super) fn fraction(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let lower = evaluator.scalar(args.get(0)?, grid)?;
    let upper = evaluator.scalar(args.get(1)?, grid)?;
    let rows = evaluator.vector(args.get(2)?, grid)?;
    let histograms = gather(rows, args.place(2), &mut evaluator.notes);
    let out = per_step(histograms, grid, |i, _, buckets| fraction_of(lower[i], upper[i], buckets));
    Ok(Evaluated::Vector(super::value::merge_equal(out)?))
}

fn gather(rows: Vec<Row>, place: &str, notes: &mut Notes) -> Vec<Histogram> {
    let mut out: BTreeMap<(Labels, String), Histogram> = BTreeMap::new();
    for row in rows {
        let le = row.labels.get(BUCKET_LABEL).unwrap_or("");
        let name = row.labels.metric_name().to_owned();
        let Some(bound) = parse_bound(le) else {
            notes.warn(format!("PromQL warning: bucket label \"le\" is missing or has a malformed value of {le:?} for metric name {name:?} ({place})"));
            continue;
        };
        let labels = row.labels.filtered(|n| n != BUCKET_LABEL && n != METRIC_NAME);
        let entry = out.entry((labels.clone(), name.clone())).or_insert_with(|| Histogram { labels, name, bounds: Vec::new(), tiers: TierSet::default() });
        entry.tiers = entry.tiers.with(row.tiers);
        entry.bounds.push((bound, row));
    }
    let mut out: Vec<Histogram> = out.into_values().collect();
    out.iter_mut().for_each(|h| h.bounds.sort_by(|a, b| a.0.total_cmp(&b.0)));
    out
}

fn parse_bound(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|b| !b.is_nan())
}

fn per_step(histograms: Vec<Histogram>, grid: &Grid, mut f: impl FnMut(usize, &str, Vec<Bucket>) -> f64) -> Vec<Row> {
    let mut out = Vec::with_capacity(histograms.len());
    for h in histograms {
        let mut values = vec![HOLE; grid.count];
        for (i, value) in values.iter_mut().enumerate() {
            let there = h.bounds.iter().filter(|(_, row)| !is_hole(row.values[i]));
            let buckets: Vec<Bucket> = there.map(|(upper, row)| Bucket { upper: *upper, count: row.values[i] }).collect();
            if !buckets.is_empty() {
                *value = f(i, &h.name, buckets);
            }
        }
        out.push(Row { labels: h.labels, values, tiers: h.tiers });
    }
    out
}

/// Buckets of one bound become one; `None` where the last bound is not infinite.
fn coalesce(buckets: Vec<Bucket>) -> Option<Vec<Bucket>> {
    let mut out: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for b in buckets {
        match out.last_mut() {
            Some(last) if last.upper == b.upper => last.count += b.count,
            _ => out.push(b),
        }
    }
    out.last().is_some_and(|b| b.upper == f64::INFINITY).then_some(out)
}

/// Makes counts rise; says whether one fell by more than rounding.
fn make_monotonic(buckets: &mut [Bucket]) -> bool {
    let mut forced = false;
    let mut before = f64::NEG_INFINITY;
    for (i, b) in buckets.iter_mut().enumerate() {
        if i > 0 && (b.count - before).abs() / (b.count.abs() + before.abs()) < SMALL_DELTA {
            b.count = before;
        } else if i > 0 && b.count < before {
            b.count = before;
            forced = true;
        }
        before = b.count;
    }
    forced
}

fn quantile_of(phi: f64, buckets: Vec<Bucket>) -> (f64, bool) {
    if phi.is_nan() {
        return (f64::NAN, false);
    }
    if !(0.0..=1.0).contains(&phi) {
        return (if phi < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }, false);
    }
    let Some(mut buckets) = coalesce(buckets) else { return (f64::NAN, false) };
    let forced = make_monotonic(&mut buckets);
    let (Some(total), true) = (buckets.last().map(|b| b.count), buckets.len() > 1) else { return (f64::NAN, forced) };
    if total == 0.0 || total.is_nan() {
        return (f64::NAN, forced);
    }
    let rank = phi * total;
    let last = buckets.len() - 1;
    let b = buckets[..last].iter().position(|b| b.count >= rank).unwrap_or(last);
    if b == last {
        return (buckets[last - 1].upper, forced);
    }
    if b == 0 && buckets[0].upper <= 0.0 {
        return (buckets[0].upper, forced);
    }
    let (start, below) = if b == 0 { (0.0, 0.0) } else { (buckets[b - 1].upper, buckets[b - 1].count) };
    let Bucket { upper, count } = buckets[b];
    (start + (upper - start) * ((rank - below) / (count - below)), forced)
}

fn fraction_of(lower: f64, upper: f64, buckets: Vec<Bucket>) -> f64 {
    let Some(mut buckets) = coalesce(buckets) else { return f64::NAN };
    make_monotonic(&mut buckets);
    let total = buckets.last().map_or(0.0, |b| b.count);
    if total == 0.0 || total.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, &buckets, total) - rank_of(lower, &buckets, total)) / total
}

/// How many observations lie at or below `v`.
fn rank_of(v: f64, buckets: &[Bucket], total: f64) -> f64 {
    let mut rank = 0.0;
    for (i, b) in buckets.iter().enumerate() {
        let low = match i {
            0 if b.upper > 0.0 => 0.0,
            0 => f64::NEG_INFINITY,
            _ => buckets[i - 1].upper,
        };
        if low >= v {
            return rank;
        }
        if b.upper > v {
            return match (low.is_infinite(), b.upper.is_infinite()) {
                (true, _) => b.count,
                (_, true) => rank,
                _ => rank + (b.count - rank) * (v - low) / (b.upper - low),
            };
        }
        rank = b.count;
    }
    total
}

/// A number as Go prints it without an exponent.
pub(super) fn number(v: f64) -> String {
    if v.is_nan() {
        "NaN".to_owned()
    } else if v.is_infinite() {
        if v > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{v}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(of: &[(f64, f64)]) -> Vec<Bucket> {
        of.iter().map(|&(upper, count)| Bucket { upper, count }).collect()
    }

    #[test]
    fn quantiles_interpolate_within_a_bucket() {
        let b = buckets(&[(0.1, 1.0), (0.2, 3.0), (f64::INFINITY, 4.0)]);
        assert!((quantile_of(0.5, b.clone()).0 - 0.15).abs() < 1e-12);
        assert_eq!(quantile_of(1.0, b.clone()).0, 0.2);
        assert!(quantile_of(0.5, b[..2].to_vec()).0.is_nan());
        assert!((fraction_of(0.0, 0.2, b) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn falling_counts_are_lifted_and_said() {
        let (_, forced) = quantile_of(0.5, buckets(&[(1.0, 5.0), (2.0, 3.0), (f64::INFINITY, 6.0)]));
        assert!(forced);
    }
}
