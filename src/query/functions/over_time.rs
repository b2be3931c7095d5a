//! Sums, extremes, counts and quantiles over windows.

use super::super::eval::Notes;
use super::super::kahan::{self, Mean, Sum, Variance};
use super::window::{CellWindow, Over, Window};

pub(super) const AVG: Over = Over::with_cells(
    |w| {
        let mut mean = Mean::default();
        w.samples.v.iter().for_each(|v| mean.add(*v));
        Some(mean.value())
    },
    |w| Some(sum_of_cells(w) / count_of_cells(w)),
);
pub(super) const SUM: Over = Over::with_cells(
    |w| {
        let mut sum = Sum::default();
        w.samples.v.iter().for_each(|v| sum.add(*v));
        Some(sum.value())
    },
    |w| Some(sum_of_cells(w)),
);
pub(super) const COUNT: Over = Over::with_cells(|w| Some(w.samples.v.len() as f64), |w| Some(count_of_cells(w)));
pub(super) const MIN: Over = Over::with_cells(|w| w.samples.v.iter().copied().reduce(smaller), |w| w.cells.iter().map(|c| c.bucket.min).reduce(smaller));
pub(super) const MAX: Over = Over::with_cells(|w| w.samples.v.iter().copied().reduce(larger), |w| w.cells.iter().map(|c| c.bucket.max).reduce(larger));
pub(super) const FIRST: Over = Over { keeps_name: true, ..Over::with_cells(|w| w.samples.v.first().copied(), |w| w.cells.first().map(|c| c.bucket.first)) };
pub(super) const LAST: Over = Over { keeps_name: true, ..Over::with_cells(|w| w.samples.v.last().copied(), |w| w.cells.last().map(|c| c.bucket.last)) };
pub(super) const PRESENT: Over = Over::with_cells(|_| Some(1.0), |_| Some(1.0));
/// Keeps the name, so that no series is in the way of another.
pub(super) const PRESENT_NAMED: Over = Over { keeps_name: true, ..PRESENT };
pub(super) const STDVAR: Over = Over::samples(|w| Some(variance(w)));
pub(super) const STDDEV: Over = Over::samples(|w| Some(variance(w).sqrt()));
pub(super) const QUANTILE: Over = Over::samples(|w| Some(kahan::quantile(*w.params.first()?, &mut w.samples.v.to_vec())));
pub(super) const CHANGES: Over = Over::samples(|w| {
    let changed = |pair: &&[f64]| pair[0] != pair[1] && !(pair[0].is_nan() && pair[1].is_nan());
    Some(w.samples.v.windows(2).filter(changed).count() as f64)
});

fn smaller(a: f64, b: f64) -> f64 {
    if b < a || a.is_nan() { b } else { a }
}

fn larger(a: f64, b: f64) -> f64 {
    if b > a || a.is_nan() { b } else { a }
}

fn sum_of_cells(w: &CellWindow<'_>) -> f64 {
    let mut sum = Sum::default();
    w.cells.iter().for_each(|c| sum.add(c.bucket.sum));
    sum.value()
}

fn count_of_cells(w: &CellWindow<'_>) -> f64 {
    w.cells.iter().map(|c| c.bucket.count).sum::<u64>() as f64
}

fn variance(w: &Window<'_>) -> f64 {
    let mut variance = Variance::default();
    w.samples.v.iter().for_each(|v| variance.add(*v));
    variance.value()
}

/// Warns of a quantile outside `[0, 1]`.
pub(super) fn check_phi(params: &[Vec<f64>], place: &str, notes: &mut Notes) {
    for phi in params.iter().filter_map(|p| p.first()).filter(|phi| !(0.0..=1.0).contains(*phi)) {
        notes.warn(super::super::aggregate::phi_warning(*phi, place));
    }
}
