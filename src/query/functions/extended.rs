//! Gains of anchored and smoothed windows: from edge to edge, without extrapolation.

use super::super::native::{self, Incompatible, Wide};
use super::super::notes::Notes;
use super::super::smooth::{between, between_histograms};
use super::super::tree::Edges;
use super::histograms::{add, sub};
use super::window::Window;
use crate::model::{Histogram, ResetHint};

/// The samples that stand for the edges; `None` where there is nothing in between.
fn edges(w: &Window<'_>, t: &[i64]) -> Option<(usize, usize)> {
    let mut last = t.len().checked_sub(1)?;
    let first = t[..last].partition_point(|t| *t <= w.start).saturating_sub(1);
    if w.edges == Edges::Smoothed {
        last = t[..last].partition_point(|t| *t < w.end);
        if t[first] > w.end {
            return None;
        }
    }
    (t[last] > w.start).then_some((first, last))
}

fn per_second_of(w: &Window<'_>) -> f64 {
    w.range as f64 / 1000.0
}

/// Of numbers.
pub(super) fn floats(w: &Window<'_>, counter: bool, per_second: bool) -> Option<f64> {
    let (t, v) = (w.samples.t, w.samples.v);
    let (mut first, mut last) = edges(w, t)?;
    let smoothed = w.edges == Edges::Smoothed;
    let point = |i: usize| (t[i], v[i]);
    let left = if smoothed && t[first] < w.start { between(point(first), point(first + 1), w.start, counter) } else { v[first] };
    let right = if smoothed && last > 0 && t[last] > w.end { between(point(last - 1), point(last), w.end, counter) } else { v[last] };
    let mut gain = right - left;
    if counter {
        // The edges are `left` and `right`; what lies between them is looked at for resets.
        first += usize::from(t[first] <= w.start);
        let end = last + usize::from(t[last] < w.end);
        let mut before = left;
        for v in v.get(first..end).unwrap_or(&[]).iter().chain([&right]) {
            if *v < before {
                gain += before;
            }
            before = *v;
        }
        last = end;
    }
    debug_assert!(last <= t.len(), "edges lie among the samples");
    Some(if per_second { gain / per_second_of(w) } else { gain })
}

/// Of histograms.
pub(super) fn histograms(w: &Window<'_>, counter: bool, per_second: bool, notes: &mut Notes) -> Option<Histogram> {
    let (t, h) = (w.histograms.t, w.histograms.h);
    let (first, last) = edges(w, t)?;
    let custom = native::is_custom(&h[first]);
    for sample in &h[first..=last] {
        if native::is_custom(sample) != custom {
            notes.mixed_schemas(w.name, w.site);
            return None;
        }
        if counter && sample.reset_hint == ResetHint::Gauge {
            notes.no_counter(w.name, w.site);
        }
    }
    let smoothed = w.edges == Edges::Smoothed;
    let mut interpolate = |i: usize, at: i64| {
        between_histograms((&h[i], t[i]), (&h[i + 1], t[i + 1]), at, counter, notes, w.site).map_err(|Incompatible| notes.mixed_schemas(w.name, w.site)).ok()
    };
    let left = if smoothed && t[first] < w.start { interpolate(first, w.start)? } else { Histogram::clone(&h[first]) };
    let right = if smoothed && last > 0 && t[last] > w.end { interpolate(last - 1, w.end)? } else { Histogram::clone(&h[last]) };
    if !counter && (left.reset_hint != ResetHint::Gauge || right.reset_hint != ResetHint::Gauge) {
        notes.no_gauge(w.name, w.site);
    }
    let mut gain = Wide::of(&right);
    sub(&mut gain, &left, w, notes)?;
    if counter {
        correct(&mut gain, (first, last), &left, &right, w, notes)?;
    }
    if per_second {
        gain.divide(per_second_of(w));
    }
    gain.set_hint(ResetHint::Gauge);
    Some(gain.finish())
}

/// Adds what resets between the edges lost.
fn correct(gain: &mut Wide, (first, last): (usize, usize), left: &Histogram, right: &Histogram, w: &Window<'_>, notes: &mut Notes) -> Option<()> {
    let (t, h) = (w.histograms.t, w.histograms.h);
    let (mut next, mut before) = (first + 1, left);
    // A reset that the left edge was interpolated over is in it already.
    if w.edges == Edges::Smoothed && t[first] < w.start && h[first + 1].detects_reset(&h[first]) {
        before = &h[first + 1];
        next += 1;
    }
    if next > last {
        return Some(());
    }
    for now in h[next..last].iter().map(|h| &**h).chain([right]) {
        if now.detects_reset(before) {
            add(gain, before, "addition", w, notes)?;
        }
        before = now;
    }
    Some(())
}
