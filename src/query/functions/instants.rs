//! From one sample to the next: changes, resets, and the gain between the last two.

use super::super::native::{self, Wide};
use super::super::notes::Notes;
use super::super::tree::Edges;
use super::super::value::Held;
use super::histograms::sub;
use super::rate::began_anew;
use super::window::{CellWindow, Over, Window};
use crate::model::{Histogram, ResetHint};

pub(super) const IRATE: Over = Over::full(|w| last_two(w, true), |w, notes| last_two_of_all(w, true, notes));
pub(super) const IDELTA: Over = Over::full(|w| last_two(w, false), |w, notes| last_two_of_all(w, false, notes));
pub(super) const RESETS: Over =
    Over::full(|w| Some(w.samples.v.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64), |w, _| count_pairs(w, is_reset)).with_cells(resets_of_cells);
pub(super) const CHANGES: Over =
    Over::full(|w| Some(w.samples.v.windows(2).filter(|pair| differ(pair[0], pair[1])).count() as f64), |w, _| count_pairs(w, is_change));

fn differ(a: f64, b: f64) -> bool {
    a != b && !(a.is_nan() && b.is_nan())
}

/// A sample of either kind.
#[derive(Clone, Copy)]
struct Point<'a> {
    t: i64,
    /// When its counter began; 0: not known.
    start: i64,
    v: f64,
    h: Option<&'a Histogram>,
}

/// All samples in order of time.
fn points<'a>(w: &Window<'a>) -> Vec<Point<'a>> {
    let start = |starts: &[i64], i: usize| starts.get(i).copied().unwrap_or(0);
    let floats = w.samples.t.iter().zip(w.samples.v).enumerate().map(|(i, (t, v))| Point { t: *t, start: start(w.starts.0, i), v: *v, h: None });
    let histograms = w.histograms.t.iter().zip(w.histograms.h).enumerate();
    let mut out: Vec<Point<'a>> = floats.chain(histograms.map(|(i, (t, h))| Point { t: *t, start: start(w.starts.1, i), v: f64::NAN, h: Some(h) })).collect();
    out.sort_by_key(|point| point.t);
    out
}

/// How many neighbours satisfy a condition; an anchored window begins with the last sample before it.
fn count_pairs(w: &Window<'_>, holds: fn(&Point<'_>, &Point<'_>) -> bool) -> Option<Held> {
    let points = points(w);
    let mut points = points.as_slice();
    if w.edges == Edges::Anchored {
        if points.last()?.t <= w.start {
            return None;
        }
        points = &points[points.partition_point(|point| point.t <= w.start).saturating_sub(1)..];
    }
    Some(Held::Float(points.windows(2).filter(|pair| holds(&pair[0], &pair[1])).count() as f64))
}

fn is_reset(before: &Point<'_>, now: &Point<'_>) -> bool {
    match (before.h, now.h) {
        (None, None) => now.v < before.v || began_anew((before.start, before.t), (now.start, now.t)),
        (Some(before_h), Some(h)) => began_anew((before.start, before.t), (now.start, now.t)) || h.detects_reset(before_h),
        _ => true,
    }
}

fn is_change(before: &Point<'_>, now: &Point<'_>) -> bool {
    match (before.h, now.h) {
        (None, None) => differ(before.v, now.v),
        (Some(before), Some(h)) => !native::same(before, h),
        _ => true,
    }
}

fn resets_of_cells(w: &CellWindow<'_>) -> Option<f64> {
    let inside: u64 = w.cells.iter().map(|c| c.bucket.resets).sum();
    let between = w.cells.windows(2).filter(|pair| pair[1].bucket.first < pair[0].bucket.last).count();
    Some(inside as f64 + between as f64)
}

fn last_two(w: &Window<'_>, per_second: bool) -> Option<f64> {
    let ([.., t0, t1], [.., v0, v1]) = (w.samples.t, w.samples.v) else { return None };
    if !per_second {
        return Some(v1 - v0);
    }
    let gain = if v1 < v0 { *v1 } else { v1 - v0 };
    Some(gain / ((t1 - t0) as f64 / 1000.0))
}

fn last_two_of_all(w: &Window<'_>, rate: bool, notes: &mut Notes) -> Option<Held> {
    let points = points(w);
    let [.., before, now] = points.as_slice() else { return None };
    let seconds = (now.t - before.t) as f64 / 1000.0;
    if seconds == 0.0 {
        return None;
    }
    let anew = rate && began_anew((before.start, before.t), (now.start, now.t));
    match (before.h, now.h) {
        (None, None) => {
            let gain = if rate && (now.v < before.v || anew) { now.v } else { now.v - before.v };
            Some(Held::Float(if rate { gain / seconds } else { gain }))
        }
        (Some(before), Some(now)) => {
            let all = |gauge: bool| [before, now].iter().all(|h| (h.reset_hint == ResetHint::Gauge) == gauge);
            if rate && !all(false) {
                notes.no_counter(w.name, w.site);
            }
            if !rate && !all(true) {
                notes.no_gauge(w.name, w.site);
            }
            let mut gain = Wide::of(now);
            if !rate || !(anew || now.detects_reset(before)) {
                sub(&mut gain, before, w, notes)?;
            }
            if rate {
                gain.divide(seconds);
            }
            gain.set_hint(ResetHint::Gauge);
            Some(Held::of(gain.finish()))
        }
        _ => {
            notes.mixed(w.name, w.site);
            None
        }
    }
}
