//! What a counter or gauge gained in a window, extrapolated to its edges as Prometheus does.

use super::window::{CellWindow, Over, Window};

pub(super) const RATE: Over = Over::with_cells(|w| extrapolated(&of_samples(w, true)?, true, true), |w| extrapolated(&of_cells(w, true)?, true, true));
pub(super) const INCREASE: Over =
    Over { proportional: true, ..Over::with_cells(|w| extrapolated(&of_samples(w, true)?, true, false), |w| extrapolated(&of_cells(w, true)?, true, false)) };
pub(super) const DELTA: Over = Over {
    proportional: true,
    ..Over::with_cells(|w| extrapolated(&of_samples(w, false)?, false, false), |w| extrapolated(&of_cells(w, false)?, false, false))
};
pub(super) const IRATE: Over = Over::samples(|w| last_two(w, true));
pub(super) const IDELTA: Over = Over::samples(|w| last_two(w, false));
pub(super) const RESETS: Over = Over::with_cells(resets_of_samples, resets_of_cells);

/// What is known of a window's samples.
struct Gain {
    count: f64,
    first: f64,
    first_t: i64,
    last_t: i64,
    /// Last minus first, with what resets lost.
    gain: f64,
    start: i64,
    end: i64,
}

fn of_samples(w: &Window<'_>, counter: bool) -> Option<Gain> {
    let (t, v) = (w.samples.t, w.samples.v);
    let [first, .., last] = v else { return None };
    let mut gain = last - first;
    if counter {
        let mut before = *first;
        for v in &v[1..] {
            if *v < before {
                gain += before;
            }
            before = *v;
        }
    }
    Some(Gain { count: v.len() as f64, first: *first, first_t: t[0], last_t: t[t.len() - 1], gain, start: w.start, end: w.end })
}

fn of_cells(w: &CellWindow<'_>, counter: bool) -> Option<Gain> {
    let (first, last) = (&w.cells.first()?.bucket, &w.cells.last()?.bucket);
    let count: u64 = w.cells.iter().map(|c| c.bucket.count).sum();
    if count < 2 {
        return None;
    }
    let mut gain = last.last - first.first;
    if counter {
        gain += w.cells.iter().map(|c| c.bucket.correction).sum::<f64>();
        for pair in w.cells.windows(2) {
            if pair[1].bucket.first < pair[0].bucket.last {
                gain += pair[0].bucket.last;
            }
        }
    }
    Some(Gain { count: count as f64, first: first.first, first_t: first.first_t.0, last_t: last.last_t.0, gain, start: w.start, end: w.end })
}

/// Extends the gain to the edges of the window where the samples reach near them, and no further
/// than to where a counter was zero.
fn extrapolated(g: &Gain, counter: bool, per_second: bool) -> Option<f64> {
    let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1000.0;
    let sampled = seconds(g.first_t, g.last_t);
    let between = sampled / (g.count - 1.0);
    let threshold = between * 1.1;
    let mut to_start = seconds(g.start, g.first_t);
    let mut to_end = seconds(g.last_t, g.end);
    if to_start >= threshold {
        to_start = between / 2.0;
    }
    if counter && g.gain > 0.0 && g.first >= 0.0 {
        to_start = to_start.min(sampled * (g.first / g.gain));
    }
    if to_end >= threshold {
        to_end = between / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if per_second {
        factor /= seconds(g.start, g.end);
    }
    Some(g.gain * factor)
}

fn last_two(w: &Window<'_>, per_second: bool) -> Option<f64> {
    let ([.., t0, t1], [.., v0, v1]) = (w.samples.t, w.samples.v) else { return None };
    if !per_second {
        return Some(v1 - v0);
    }
    let gain = if v1 < v0 { *v1 } else { v1 - v0 };
    Some(gain / ((t1 - t0) as f64 / 1000.0))
}

fn resets_of_samples(w: &Window<'_>) -> Option<f64> {
    Some(w.samples.v.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64)
}

fn resets_of_cells(w: &CellWindow<'_>) -> Option<f64> {
    let inside: u64 = w.cells.iter().map(|c| c.bucket.resets).sum();
    let between = w.cells.windows(2).filter(|pair| pair[1].bucket.first < pair[0].bucket.last).count();
    Some(inside as f64 + between as f64)
}
