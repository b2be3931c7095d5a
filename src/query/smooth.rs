//! Values at times where there is no sample: on the line between the samples on both sides.

use super::native::{self, Incompatible, Wide};
use super::notes::{Notes, Site};
use super::series::Track;
use super::value::Held;
use crate::model::Histogram;

/// The value of a series at `t`, from samples not farther away than `look`; nothing before its first sample.
pub(super) fn at(track: &Track, t: i64, look: i64, notes: &mut Notes, site: Site) -> Option<Held> {
    let within = |times: &[i64]| (times.partition_point(|at| *at <= t.saturating_sub(look)), times.partition_point(|at| *at <= t.saturating_add(look)));
    let (floats, histograms) = (within(&track.points.t), within(&track.histograms.t));
    let (some_floats, some_histograms) = (floats.0 < floats.1, histograms.0 < histograms.1);
    if some_floats && some_histograms {
        notes.mixed(track.labels.metric_name(), site);
        return None;
    }
    if some_histograms {
        let (times, h) = (&track.histograms.t[histograms.0..histograms.1], &track.histograms.h[histograms.0..histograms.1]);
        return match neighbours(times, t)? {
            (before, None) => Some(Held::Histogram(h[before].clone())),
            (before, Some(after)) => match between_histograms((&h[before], times[before]), (&h[after], times[after]), t, true, notes, site) {
                Ok(h) => Some(Held::of(h)),
                Err(Incompatible) => {
                    notes.mixed_schemas(track.labels.metric_name(), site);
                    None
                }
            },
        };
    }
    let (times, v) = (&track.points.t[floats.0..floats.1], &track.points.v[floats.0..floats.1]);
    match neighbours(times, t)? {
        (before, None) => Some(Held::Float(v[before])),
        (before, Some(after)) => Some(Held::Float(between((times[before], v[before]), (times[after], v[after]), t, false))),
    }
}

/// The sample at or before a time and, unless it is right there or the last, the next.
fn neighbours(times: &[i64], t: i64) -> Option<(usize, Option<usize>)> {
    let after = times.partition_point(|at| *at <= t);
    let before = after.checked_sub(1)?;
    Some((before, (times[before] != t && after < times.len()).then_some(after)))
}

/// On the line between two samples. A counter that began anew is taken to have begun at zero.
pub(super) fn between(a: (i64, f64), b: (i64, f64), t: i64, counter: bool) -> f64 {
    let first = if counter && b.1 < a.1 { 0.0 } else { a.1 };
    first + (b.1 - first) * (t - a.0) as f64 / (b.0 - a.0) as f64
}

/// The same of histograms.
pub(super) fn between_histograms(
    (a, a_t): (&Histogram, i64),
    (b, b_t): (&Histogram, i64),
    t: i64,
    counter: bool,
    notes: &mut Notes,
    site: Site,
) -> Result<Histogram, Incompatible> {
    if t == a_t {
        return Ok(a.clone());
    }
    if t == b_t {
        return Ok(b.clone());
    }
    if native::is_custom(a) != native::is_custom(b) {
        return Err(Incompatible);
    }
    let fraction = (t - a_t) as f64 / (b_t - a_t) as f64;
    let mut out = Wide::of(b);
    if counter && b.detects_reset(a) {
        out.scale(fraction);
        return Ok(out.finish());
    }
    if out.sub(a)?.reconciled {
        notes.reconciled("subtraction", site);
    }
    out.scale(fraction);
    if out.add(a)?.reconciled {
        notes.reconciled("addition", site);
    }
    Ok(out.finish())
}
