//! What a counter or gauge gained in a window, extrapolated to its edges as Prometheus does.

use super::super::notes::Notes;
use super::super::tree::Edges;
use super::super::value::{HOLE, Held};
use super::window::{CellWindow, Over, Spans, Window, advance};
use super::{extended, histograms};

pub(super) const RATE: Over = Over {
    column: Some(|t, v, spans| column(t, v, spans, true)),
    ..Over::full(|w| extrapolated(&of_samples(w, true)?, true, true), |w, notes| full(w, true, true, notes))
        .with_cells(|w| extrapolated(&of_cells(w, true)?, true, true))
};
pub(super) const INCREASE: Over = Over {
    proportional: true,
    column: Some(|t, v, spans| column(t, v, spans, false)),
    ..Over::full(|w| extrapolated(&of_samples(w, true)?, true, false), |w, notes| full(w, true, false, notes))
        .with_cells(|w| extrapolated(&of_cells(w, true)?, true, false))
};
pub(super) const DELTA: Over = Over {
    proportional: true,
    ..Over::full(|w| extrapolated(&of_samples(w, false)?, false, false), |w, notes| full(w, false, false, notes))
        .with_cells(|w| extrapolated(&of_cells(w, false)?, false, false))
};

/// Of windows with histograms, edges or known starts.
fn full(w: &Window<'_>, counter: bool, per_second: bool, notes: &mut Notes) -> Option<Held> {
    if !w.samples.t.is_empty() && !w.histograms.t.is_empty() {
        notes.mixed(w.name, w.site);
        return None;
    }
    match (w.edges == Edges::Plain, w.histograms.t.is_empty()) {
        (true, true) => from_start(w, counter, per_second, notes).map(Held::Float),
        (true, false) => histograms::rate(w, counter, per_second, notes).map(Held::of),
        (false, true) => extended::floats(w, counter, per_second).map(Held::Float),
        (false, false) => extended::histograms(w, counter, per_second, notes).map(Held::of),
    }
}

/// Whether a counter that was at `before` began anew by `now`, by what is known of its starts; 0 is not known.
pub(super) fn began_anew((before_start, before): (i64, i64), (start, now): (i64, i64)) -> bool {
    if start == 0 || start >= now || start < before {
        return false;
    }
    // A start that is the time of the sample before tells of a delta, unless that sample's own start is unknown.
    start > before || (before_start <= before && before_start != 0 && before_start != before)
}

/// Notes a start that lies before the sample before, though it is another one.
pub(super) fn note_overlap(w: &Window<'_>, times: &[i64], starts: &[i64], notes: &mut Notes) {
    let overlaps = |i: usize| starts[i] != 0 && starts[i] < times[i - 1] && starts[i] != starts[i - 1];
    if (1..starts.len().min(times.len())).any(overlaps) {
        notes.overlapping_start(w.name, w.site);
    }
}

/// The start of the first sample, where it lies in the window: the counter was zero then.
pub(super) fn known_start(w: &Window<'_>, starts: &[i64], first_t: i64) -> Option<i64> {
    starts.first().copied().filter(|start| *start != 0 && *start > w.start && *start < first_t)
}

/// A rate of numbers, with what is known of the counter's starts.
fn from_start(w: &Window<'_>, counter: bool, per_second: bool, notes: &mut Notes) -> Option<f64> {
    let (t, v, starts) = (w.samples.t, w.samples.v, w.starts.0);
    if !counter {
        return extrapolated(&of_samples(w, false)?, false, per_second);
    }
    let (first, last) = (*v.first()?, *v.last()?);
    let mut gain = last - first;
    note_overlap(w, t, starts, notes);
    for i in 1..v.len() {
        let anew = i < starts.len() && began_anew((starts[i - 1], t[i - 1]), (starts[i], t[i]));
        if v[i] < v[i - 1] || anew {
            gain += v[i - 1];
        }
    }
    let mut g = Gain { count: v.len() as f64, first, first_t: t[0], last_t: t[t.len() - 1], gain, start: w.start, end: w.end, from_zero: None };
    if let Some(start) = known_start(w, starts, t[0]) {
        g.gain += first;
        g.from_zero = Some(start);
    } else if v.len() < 2 {
        return None;
    }
    extrapolated(&g, true, per_second)
}

/// What is known of a window's samples.
pub(super) struct Gain {
    count: f64,
    first: f64,
    first_t: i64,
    last_t: i64,
    /// Last minus first, with what resets lost.
    gain: f64,
    start: i64,
    end: i64,
    /// When the counter was zero, where that is known to lie in the window.
    from_zero: Option<i64>,
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
    Some(Gain { count: v.len() as f64, first: *first, first_t: t[0], last_t: t[t.len() - 1], gain, start: w.start, end: w.end, from_zero: None })
}

/// Rates of all windows over a column: what resets lost is summed up once, so a window needs its first and last
/// sample alone, however many lie between. `None` where sums would not stay exact.
fn column(t: &[i64], v: &[f64], spans: &Spans<'_>, per_second: bool) -> Option<Vec<f64>> {
    let mut lost = Vec::with_capacity(v.len());
    let (mut total, mut before, mut resets) = (0.0, f64::NEG_INFINITY, 0_u32);
    for v in v {
        if !v.is_finite() {
            return None;
        }
        if *v < before {
            total += before;
            resets += 1;
        }
        before = *v;
        lost.push(total);
    }
    // Differences of long sums lose digits: with many resets each window is summed up by itself.
    if resets > 64 {
        return None;
    }
    let mut out = vec![HOLE; spans.len()];
    let (mut low, mut high) = (0, 0);
    for (i, out) in out.iter_mut().enumerate() {
        let (start, end) = spans.at(i);
        advance(&mut low, t.len(), start, |k| t[k]);
        high = high.max(low);
        advance(&mut high, t.len(), end, |k| t[k]);
        if high < low + 2 {
            continue;
        }
        let (first, last) = (low, high - 1);
        let gain = v[last] - v[first] + (lost[last] - lost[first]);
        let g = Gain { count: (high - low) as f64, first: v[first], first_t: t[first], last_t: t[last], gain, start, end, from_zero: None };
        *out = g.gain * factor(&g, true, per_second);
    }
    Some(out)
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
    Some(Gain { count: count as f64, first: first.first, first_t: first.first_t.0, last_t: last.last_t.0, gain, start: w.start, end: w.end, from_zero: None })
}

fn extrapolated(g: &Gain, counter: bool, per_second: bool) -> Option<f64> {
    Some(g.gain * factor(g, counter, per_second))
}

impl Gain {
    /// Of histograms: `first` and `gain` are counts of observations.
    pub(super) fn of_counts(w: &Window<'_>, first: f64, gain: f64, from_zero: Option<i64>) -> Option<Self> {
        let t = w.histograms.t;
        Some(Self { count: t.len() as f64, first, first_t: *t.first()?, last_t: *t.last()?, gain, start: w.start, end: w.end, from_zero })
    }
}

/// By what the gain is to be multiplied: it is extended to the edges of the window where the samples reach near
/// them, and no further than to where a counter was zero.
pub(super) fn factor(g: &Gain, counter: bool, per_second: bool) -> f64 {
    let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1000.0;
    let mut sampled = seconds(g.first_t, g.last_t);
    let between = if g.count > 1.0 { sampled / (g.count - 1.0) } else { 0.0 };
    let threshold = between * 1.1;
    let mut to_start = seconds(g.start, g.first_t);
    let mut to_end = seconds(g.last_t, g.end);
    if let Some(start) = g.from_zero {
        to_start = 0.0;
        sampled = seconds(start, g.last_t);
    } else {
        if to_start >= threshold {
            to_start = between / 2.0;
        }
        if counter && g.gain > 0.0 && g.first >= 0.0 {
            to_start = to_start.min(sampled * (g.first / g.gain));
        }
    }
    if to_end >= threshold {
        to_end = between / 2.0;
    }
    let mut factor = if sampled == 0.0 { 1.0 } else { (sampled + to_start + to_end) / sampled };
    if per_second {
        factor /= seconds(g.start, g.end);
    }
    factor
}
