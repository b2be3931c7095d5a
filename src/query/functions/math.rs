//! Rounding and clamping.

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::value::{Evaluated, Grid};
use super::{Args, parameters};

/// To the nearest multiple of the parameter (1 without it); halves go up.
pub(super) fn round(v: f64, params: &[f64]) -> f64 {
    // Dividing by the inverse is exact where multiplying by the fraction is not.
    let inverse = 1.0 / params.first().copied().unwrap_or(1.0);
    (v * inverse + 0.5).floor() / inverse
}

pub(super) fn sgn(v: f64, _: &[f64]) -> f64 {
    if v < 0.0 {
        -1.0
    } else if v > 0.0 {
        1.0
    } else {
        v
    }
}

/// NaN wins, as in Go's `math.Min` and `math.Max`.
pub(super) fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}

pub(super) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

pub(super) fn clamp_max(v: f64, params: &[f64]) -> f64 {
    min(params.first().copied().unwrap_or(f64::NAN), v)
}

pub(super) fn clamp_min(v: f64, params: &[f64]) -> f64 {
    max(params.first().copied().unwrap_or(f64::NAN), v)
}

/// Nothing where the lower bound is above the upper one.
pub(super) fn clamp(evaluator: &mut Evaluator<'_>, args: Args<'_>, grid: &Grid) -> Result<Evaluated, QueryError> {
    let mut rows = evaluator.vector(args.get(0)?, grid)?;
    let params = parameters(evaluator, args.args, 0, grid)?;
    for row in &mut rows {
        row.histograms.clear();
        row.map(|i, v| match params[i][..] {
            [low, high] if low > high => super::super::value::HOLE,
            [low, high] => max(low, min(high, v)),
            _ => f64::NAN,
        });
    }
    rows.retain(|row| !row.is_empty());
    Ok(Evaluated::Vector(evaluator.nameless(rows)?))
}
