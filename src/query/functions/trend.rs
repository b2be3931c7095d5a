//! Straight lines through the samples of a window.

use super::super::kahan::Sum;
use super::super::series::Samples;
use super::window::Over;

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
    if samples.v.iter().all(|v| *v == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let n = samples.v.len() as f64;
    let (x, y, xy, xx) = (sum_x.value(), sum_y.value(), sum_xy.value(), sum_xx.value());
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}
