//! Sums, extremes, counts and quantiles over windows.

use std::sync::Arc;

use super::super::QueryError;
use super::super::kahan::{self, Mean, Sum, Variance};
use super::super::notes::{Notes, Site};
use super::super::value::Held;
use super::histograms;
use super::window::{CellWindow, Over, Window};

pub(super) const AVG: Over =
    Over::full(mean, |w, notes| histograms::either(w, notes, mean, histograms::mean)).with_cells(|w| Some(sum_of_cells(w) / count_of_cells(w)));
pub(super) const SUM: Over = Over::full(sum, |w, notes| histograms::either(w, notes, sum, histograms::sum)).with_cells(|w| Some(sum_of_cells(w)));
pub(super) const COUNT: Over = Over::full(|w| Some(w.samples.v.len() as f64), |w, _| Some(Held::Float((w.samples.t.len() + w.histograms.t.len()) as f64)))
    .with_cells(|w| Some(count_of_cells(w)));
pub(super) const MIN: Over =
    Over::samples(|w| w.samples.v.iter().copied().reduce(smaller)).with_cells(|w| w.cells.iter().map(|c| c.bucket.min).reduce(smaller));
pub(super) const MAX: Over = Over::samples(|w| w.samples.v.iter().copied().reduce(larger)).with_cells(|w| w.cells.iter().map(|c| c.bucket.max).reduce(larger));
pub(super) const FIRST: Over =
    Over { keeps_name: true, ..Over::full(|w| w.samples.v.first().copied(), |w, _| first(w)).with_cells(|w| w.cells.first().map(|c| c.bucket.first)) };
pub(super) const LAST: Over =
    Over { keeps_name: true, ..Over::full(|w| w.samples.v.last().copied(), |w, _| last(w)).with_cells(|w| w.cells.last().map(|c| c.bucket.last)) };
pub(super) const PRESENT: Over = Over::full(|_| Some(1.0), |_, _| Some(Held::Float(1.0))).with_cells(|_| Some(1.0));
/// Keeps the name, so that no series is in the way of another.
pub(super) const PRESENT_NAMED: Over = Over { keeps_name: true, ..PRESENT };
pub(super) const STDVAR: Over = Over::samples(|w| Some(variance(w)));
pub(super) const STDDEV: Over = Over::samples(|w| Some(variance(w).sqrt()));
pub(super) const QUANTILE: Over = Over { check: Some(check_phi), ..Over::samples(|w| Some(kahan::quantile(*w.params.first()?, &mut w.samples.v.to_vec()))) };
pub(super) const MAD: Over = Over::samples(|w| {
    let mut values = w.samples.v.to_vec();
    let median = kahan::quantile(0.5, &mut values);
    values.iter_mut().for_each(|v| *v = (*v - median).abs());
    Some(kahan::quantile(0.5, &mut values))
});
pub(super) const TS_OF_FIRST: Over =
    Over::full(|w| seconds(w.samples.t.first()), |w, _| seconds(w.samples.t.first().into_iter().chain(w.histograms.t.first()).min()).map(Held::Float));
pub(super) const TS_OF_LAST: Over =
    Over::full(|w| seconds(w.samples.t.last()), |w, _| seconds(w.samples.t.last().into_iter().chain(w.histograms.t.last()).max()).map(Held::Float));
pub(super) const TS_OF_MAX: Over = Over::samples(|w| time_of(w, |v, best| v >= best));
pub(super) const TS_OF_MIN: Over = Over::samples(|w| time_of(w, |v, best| v <= best));

fn seconds(t: Option<&i64>) -> Option<f64> {
    t.map(|t| *t as f64 / 1000.0)
}

/// The time of the last sample than which none is better.
fn time_of(w: &Window<'_>, better: fn(f64, f64) -> bool) -> Option<f64> {
    let (mut best, mut at) = (*w.samples.v.first()?, *w.samples.t.first()?);
    for (t, v) in w.samples.t.iter().zip(w.samples.v) {
        if better(*v, best) || best.is_nan() {
            (best, at) = (*v, *t);
        }
    }
    Some(at as f64 / 1000.0)
}

fn mean(w: &Window<'_>) -> Option<f64> {
    let mut mean = Mean::default();
    w.samples.v.iter().for_each(|v| mean.add(*v));
    Some(mean.value())
}

fn sum(w: &Window<'_>) -> Option<f64> {
    let mut sum = Sum::default();
    w.samples.v.iter().for_each(|v| sum.add(*v));
    Some(sum.value())
}

fn first(w: &Window<'_>) -> Option<Held> {
    match (w.samples.t.first(), w.histograms.t.first()) {
        (Some(t), Some(h)) if t < h => w.samples.v.first().map(|v| Held::Float(*v)),
        (_, Some(_)) => w.histograms.h.first().map(|h| Held::Histogram(Arc::clone(h))),
        (_, None) => w.samples.v.first().map(|v| Held::Float(*v)),
    }
}

fn last(w: &Window<'_>) -> Option<Held> {
    match (w.samples.t.last(), w.histograms.t.last()) {
        (Some(t), Some(h)) if h < t => w.samples.v.last().map(|v| Held::Float(*v)),
        (_, Some(_)) => w.histograms.h.last().map(|h| Held::Histogram(Arc::clone(h))),
        (_, None) => w.samples.v.last().map(|v| Held::Float(*v)),
    }
}

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
fn check_phi(params: &[f64], notes: &mut Notes, site: Site) -> Result<(), QueryError> {
    if let Some(phi) = params.first().filter(|phi| !(0.0..=1.0).contains(*phi)) {
        notes.bad_quantile(*phi, site);
    }
    Ok(())
}
