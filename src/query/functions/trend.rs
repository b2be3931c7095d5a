//! Straight lines through the samples of a window, and smoothing that follows a trend.

use super::super::QueryError;
use super::super::kahan::Sum;
use super::super::notes::{Notes, Site};
use super::super::series::Samples;
use super::window::{Over, Window};

pub(super) const DERIV: Over = Over::samples(|w| {
    let from = *w.samples.t.first()?;
    (w.samples.t.len() > 1).then(|| regression(&w.samples, from).0)
});
pub(super) const PREDICT_LINEAR: Over = Over::samples(|w| {
    let ahead = *w.params.first()?;
    (w.samples.t.len() > 1).then(|| {
        let (slope, intercept) = regression(&w.samples, w.step_time);
        slope * ahead + intercept
    })
});
pub(super) const DOUBLE_EXPONENTIAL: Over = Over { check: Some(check_factors), ..Over::samples(double_exponential) };

/// Slope per second and value at `origin` of the least-squares line.
fn regression(samples: &Samples<'_>, origin: i64) -> (f64, f64) {
    let (mut sum_x, mut sum_y, mut sum_xy, mut sum_xx) = (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    let first = samples.v.first().copied().unwrap_or(f64::NAN);
    for (t, y) in samples.t.iter().zip(samples.v) {
        let x = t.saturating_sub(origin) as f64 / 1000.0;
        sum_x.add(x);
        sum_y.add(*y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    if samples.v[1..].iter().all(|v| *v == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let n = samples.v.len() as f64;
    let (x, y, xy, xx) = (sum_x.value(), sum_y.value(), sum_xy.value(), sum_xx.value());
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}

fn check_factors(params: &[f64], _: &mut Notes, _: Site) -> Result<(), QueryError> {
    for (name, value) in ["smoothing", "trend"].into_iter().zip(params) {
        if !(*value > 0.0 && *value < 1.0) {
            let short = if name == "smoothing" { "sf" } else { "tf" };
            return Err(QueryError::Execution(format!("invalid {name} factor. Expected: 0 < {short} < 1, got: {value:.6}")));
        }
    }
    Ok(())
}

/// Holt's linear method: a level and a trend, each smoothed by its factor.
fn double_exponential(w: &Window<'_>) -> Option<f64> {
    let ([smoothing, trend_factor], [first, second, ..]) = (w.params, w.samples.v) else { return None };
    let (mut before, mut level, mut trend) = (0.0, *first, second - first);
    for (i, v) in w.samples.v.iter().enumerate().skip(1) {
        if i > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * v + (1.0 - smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    Some(level)
}
