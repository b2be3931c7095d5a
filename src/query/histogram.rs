//! Functions on histograms: native ones, and classic ones, which are cumulative counts by upper bound `le`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::QueryError;
use super::eval::Evaluator;
use super::functions::Args;
use super::native;
use super::notes::{Notes, Site};
use super::parse::plain;
use super::value::{Evaluated, Grid, HOLE, Held, Row, TierSet, is_hole};
use crate::model::{Histogram, Labels};

const BUCKET_LABEL: &str = "le";
/// Counts that differ by less are taken as equal: scraping is not atomic.
const SMALL_DELTA: f64 = 1e-12;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// One histogram over all steps: native, classic, or by turns.
#[derive(Default)]
struct Family {
    labels: Labels,
    /// The buckets of a classic histogram by rising bound.
    bounds: Vec<(f64, Row)>,
    native: Option<Row>,
    tiers: TierSet,
    drop_name: bool,
}

macro_rules! of_each {
    ($($name:ident = $f:expr;)+) => {
        $(pub(super) fn $name(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
            of_native(evaluator, args, grid, $f)
        })+
    };
}

of_each! {
    count = |h| h.count;
    sum = |h| h.sum;
    avg = |h| h.sum / h.count;
    stdvar = native::variance;
    stddev = |h| native::variance(h).sqrt();
}

/// A function of native histograms; numbers are left out.
fn of_native(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid, f: fn(&Histogram) -> f64) -> Result<Evaluated, QueryError> {
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    rows.retain(Row::has_histograms);
    for row in &mut rows {
        for i in 0..grid.count {
            let value = row.histogram(i).map(|h| Held::Float(f(h)));
            row.put(i, value);
        }
        row.histograms.clear();
    }
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

/// What one histogram yields at a step.
type Of<'a> = dyn FnMut(usize, Shape<'_>, &str, &mut Notes) -> f64 + 'a;

/// A histogram of either kind.
enum Shape<'a> {
    Native(&'a Histogram),
    Classic(&'a mut Vec<Bucket>),
}

pub(super) fn quantile(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let phi = evaluator.scalar(args.get(0)?, grid)?;
    let rows = evaluator.vector(args.get(1)?, grid)?;
    let families = gather(rows, args.site(1), grid, &mut evaluator.notes);
    phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)).for_each(|phi| evaluator.notes.bad_quantile(*phi, args.site(0)));
    let delayed = evaluator.options.delayed_name_removal;
    let sites = (args.site(0), args.site(1));
    let rows = per_step(&families, grid, &mut evaluator.notes, &mut |i, shape, name, notes| quantile_of_shape(phi[i], shape, name, delayed, sites, notes));
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

/// Several quantiles at once, told apart by a label.
pub(super) fn quantiles(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let label = args.text(1)?;
    let rows = evaluator.vector(args.get(0)?, grid)?;
    let families = gather(rows, args.site(0), grid, &mut evaluator.notes);
    let delayed = evaluator.options.delayed_name_removal;
    let mut out: Vec<Row> = Vec::new();
    let mut at: HashMap<Labels, usize> = HashMap::new();
    for k in 2..args.args.len() {
        let phi = evaluator.scalar(args.get(k)?, grid)?;
        phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)).for_each(|phi| evaluator.notes.bad_quantile(*phi, args.site(k)));
        let sites = (args.site(0), args.site(1));
        let rows = per_step(&families, grid, &mut evaluator.notes, &mut |i, shape, name, notes| quantile_of_shape(phi[i], shape, name, delayed, sites, notes));
        for row in rows {
            // The quantile may differ from step to step, and the label with it.
            for i in (0..grid.count).filter(|i| row.is_there(*i)) {
                let labels = row.labels.to_builder().set(label, &open_metrics(phi[i])).build();
                let at = *at.entry(labels.clone()).or_insert_with(|| {
                    out.push(Row { drop_name: row.drop_name, ..Row::hollow(labels, grid.count, row.tiers) });
                    out.len() - 1
                });
                if out[at].is_there(i) {
                    return Err(QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned()));
                }
                out[at].values[i] = row.values[i];
            }
        }
    }
    Ok(Evaluated::Vector(evaluator.nameless(out)?))
}

/// A number as OpenMetrics writes it: whole ones with `.0`.
fn open_metrics(v: f64) -> String {
    let text = plain(v);
    if v.is_finite() && !text.contains('.') { format!("{text}.0") } else { text }
}

fn quantile_of_shape(phi: f64, shape: Shape<'_>, name: &str, delayed: bool, sites: (Site, Site), notes: &mut Notes) -> f64 {
    match shape {
        Shape::Native(h) => {
            let value = native::quantile(phi, h);
            if h.sum.is_nan() && (0.0..=1.0).contains(&phi) && h.count > 0.0 {
                if value.is_nan() {
                    notes.nan_result(name, sites.0);
                } else if observations(h) < h.count {
                    notes.nan_skew(name, sites.0);
                }
            }
            value
        }
        Shape::Classic(buckets) => {
            let (value, forced) = quantile_of(phi, buckets);
            if forced {
                notes.forced_monotonicity(if delayed { name } else { "" }, sites.1);
            }
            value
        }
    }
}

/// Observations that lie in buckets: those of NaN do not.
fn observations(h: &Histogram) -> f64 {
    native::all_buckets(h).iter().map(|b| b.count).sum()
}

pub(super) fn fraction(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let lower = evaluator.scalar(args.get(0)?, grid)?;
    let upper = evaluator.scalar(args.get(1)?, grid)?;
    let rows = evaluator.vector(args.get(2)?, grid)?;
    let families = gather(rows, args.site(2), grid, &mut evaluator.notes);
    let site = args.site(0);
    let rows = per_step(&families, grid, &mut evaluator.notes, &mut |i, shape, name, notes| match shape {
        Shape::Native(h) => {
            if h.sum.is_nan() && h.count > 0.0 && observations(h) < h.count {
                notes.nan_fraction(name, site);
            }
            native::fraction(lower[i], upper[i], h)
        }
        Shape::Classic(buckets) => fraction_of(lower[i], upper[i], buckets),
    });
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}

/// Puts the buckets of classic histograms together. Where a histogram is there in both ways, neither counts.
fn gather(rows: Vec<Row>, site: Site, grid: &Grid, notes: &mut Notes) -> Vec<Family> {
    let mut out: BTreeMap<Labels, Family> = BTreeMap::new();
    for mut row in rows {
        if row.values.iter().any(|v| !is_hole(*v)) {
            let le = row.labels.get(BUCKET_LABEL).unwrap_or("");
            match parse_bound(le) {
                None => notes.bad_bound(le, row.labels.metric_name(), site),
                Some(bound) => {
                    let floats = Row { histograms: Vec::new(), values: std::mem::take(&mut row.values), ..row.clone() };
                    row.values = if row.has_histograms() { vec![HOLE; grid.count] } else { Vec::new() };
                    family(&mut out, row.labels.filtered(|n| n != BUCKET_LABEL), &row).bounds.push((bound, floats));
                }
            }
        }
        if row.has_histograms() {
            let family = family(&mut out, row.labels.clone(), &row);
            family.native = Some(row);
        }
    }
    let mut out: Vec<Family> = out.into_values().collect();
    for family in &mut out {
        family.bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(native) = &mut family.native {
            let mixed = |i: usize| native.histogram(i).is_some() && family.bounds.iter().any(|(_, row)| !is_hole(row.values[i]));
            let both: Vec<bool> = (0..grid.count).map(mixed).collect();
            if both.contains(&true) {
                notes.mixed_classic(family.labels.metric_name(), site);
                native.keep(|i| !both[i]);
                family.bounds.iter_mut().for_each(|(_, row)| row.keep(|i| !both[i]));
            }
        }
    }
    out
}

/// The histogram of these labels; the name is among them, since it tells histograms apart.
fn family<'a>(families: &'a mut BTreeMap<Labels, Family>, labels: Labels, row: &Row) -> &'a mut Family {
    let found = families.entry(labels.clone()).or_insert_with(|| Family { labels, drop_name: row.drop_name, ..Family::default() });
    found.tiers = found.tiers.with(row.tiers);
    found
}

fn parse_bound(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|b| !b.is_nan())
}

fn per_step(families: &[Family], grid: &Grid, notes: &mut Notes, f: &mut Of<'_>) -> Vec<Row> {
    let mut out = Vec::with_capacity(families.len());
    let mut buckets: Vec<Bucket> = Vec::new();
    for family in families {
        let name = family.labels.metric_name();
        let mut row = Row { drop_name: family.drop_name, ..Row::hollow(family.labels.clone(), grid.count, family.tiers) };
        for i in 0..grid.count {
            if let Some(h) = family.native.as_ref().and_then(|row| row.histogram(i)) {
                row.values[i] = f(i, Shape::Native(h), name, notes);
                continue;
            }
            buckets.clear();
            let there = family.bounds.iter().filter(|(_, row)| !is_hole(row.values[i]));
            buckets.extend(there.map(|(upper, row)| Bucket { upper: *upper, count: row.values[i] }));
            if !buckets.is_empty() {
                row.values[i] = f(i, Shape::Classic(&mut buckets), name, notes);
            }
        }
        if !row.is_empty() {
            out.push(row);
        }
    }
    out
}

/// A native histogram as Prometheus prints it: counts by bucket, bounds in brackets that say whether they are part of it.
pub(super) fn text(h: &Histogram) -> String {
    let mut out = format!("{{count:{}, sum:{}", super::notes::general(h.count), super::notes::general(h.sum));
    for b in native::all_buckets(h).into_iter().filter(|b| b.count != 0.0) {
        let zero = b.lower <= 0.0 && b.upper >= 0.0 && !native::is_custom(h);
        let (open, close) = if zero {
            ('[', ']')
        } else if b.upper <= 0.0 && !native::is_custom(h) {
            ('[', ')')
        } else {
            ('(', ']')
        };
        // Writing into a text does not fail.
        let _ = write!(out, ", {open}{},{}{close}:{}", super::notes::general(b.lower), super::notes::general(b.upper), super::notes::general(b.count));
    }
    out.push('}');
    out
}

/// Buckets of one bound become one; `false` where the last bound is not infinite.
fn coalesce(buckets: &mut Vec<Bucket>) -> bool {
    buckets.dedup_by(|later, kept| {
        let same = later.upper == kept.upper;
        kept.count += if same { later.count } else { 0.0 };
        same
    });
    buckets.last().is_some_and(|b| b.upper == f64::INFINITY)
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

fn quantile_of(phi: f64, buckets: &mut Vec<Bucket>) -> (f64, bool) {
    if phi.is_nan() {
        return (f64::NAN, false);
    }
    if !(0.0..=1.0).contains(&phi) {
        return (if phi < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }, false);
    }
    if !coalesce(buckets) {
        return (f64::NAN, false);
    }
    let forced = make_monotonic(buckets);
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

fn fraction_of(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !coalesce(buckets) {
        return f64::NAN;
    }
    make_monotonic(buckets);
    let total = buckets.last().map_or(0.0, |b| b.count);
    if total == 0.0 || total.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, total) - rank_of(lower, buckets, total)) / total
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

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(of: &[(f64, f64)]) -> Vec<Bucket> {
        of.iter().map(|&(upper, count)| Bucket { upper, count }).collect()
    }

    #[test]
    fn quantiles_interpolate_within_a_bucket() {
        let b = buckets(&[(0.1, 1.0), (0.2, 3.0), (f64::INFINITY, 4.0)]);
        assert!((quantile_of(0.5, &mut b.clone()).0 - 0.15).abs() < 1e-12);
        assert_eq!(quantile_of(1.0, &mut b.clone()).0, 0.2);
        assert!(quantile_of(0.5, &mut b[..2].to_vec()).0.is_nan());
        assert!((fraction_of(0.0, 0.2, &mut b.clone()) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn falling_counts_are_lifted_and_said() {
        let (_, forced) = quantile_of(0.5, &mut buckets(&[(1.0, 5.0), (2.0, 3.0), (f64::INFINITY, 6.0)]));
        assert!(forced);
    }
}
