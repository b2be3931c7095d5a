//! Lays windows over series: which samples or cells a function sees at each step.

use super::super::QueryError;
use super::super::eval::{Evaluator, Notes};
use super::super::selector::Windows;
use super::super::series::{Cell, Samples, Track};
use super::super::tree::Expr;
use super::super::value::{Evaluated, Grid, HOLE, Row, drop_names, merge_equal};
use super::{Args, parameters};
use crate::model::Tier;

/// Samples in the left-open window `(start, end]`.
pub(in super::super) struct Window<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The time of the step, which `@` and `offset` may have moved the window from.
    pub(super) step_time: i64,
    pub(super) params: &'a [f64],
}

/// Cells whose end lies in `(start, end]`, at least one.
pub(in super::super) struct CellWindow<'a> {
    pub(super) cells: &'a [Cell],
    pub(super) start: i64,
    pub(super) end: i64,
}

/// A function over windows.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Over {
    pub(super) samples: fn(&Window<'_>) -> Option<f64>,
    /// From what rolled-up tiers keep; without it the function sees one sample per bucket.
    pub(super) cells: Option<fn(&CellWindow<'_>) -> Option<f64>>,
    pub(super) keeps_name: bool,
    /// Grows with the window, so a part of a bucket gets its share.
    pub(super) proportional: bool,
}

impl Over {
    pub(super) const fn samples(samples: fn(&Window<'_>) -> Option<f64>) -> Self {
        Self { samples, cells: None, keeps_name: false, proportional: false }
    }

    pub(super) const fn with_cells(samples: fn(&Window<'_>) -> Option<f64>, cells: fn(&CellWindow<'_>) -> Option<f64>) -> Self {
        Self { samples, cells: Some(cells), keeps_name: false, proportional: false }
    }
}

/// Applies a function to the windows of the range vector among `args`.
pub(in super::super) fn over(evaluator: &mut Evaluator<'_>, call: Args<'_>, over: &Over, grid: &Grid) -> Result<Evaluated, QueryError> {
    let (name, args) = (call.function, call.args);
    let Some(at) = args.iter().position(Expr::is_range) else {
        return Err(QueryError::Bad(format!("{name}() needs a range vector such as x[5m]")));
    };
    let params = parameters(evaluator, args, at, grid)?;
    if name == "quantile_over_time" {
        super::over_time::check_phi(&params, call.place(0), &mut evaluator.notes);
    }
    let windows = evaluator.windows(&args[at], grid, over.cells.is_some())?;
    let mut rows = Vec::with_capacity(windows.tracks.len());
    for track in &windows.tracks {
        evaluator.deadline.check()?;
        note_approximation(over, name, track, &mut evaluator.notes);
        note_no_counter(call, track, &mut evaluator.notes);
        let spans = Spans { grid, windows: &windows, frame: &evaluator.frame };
        let values = match (&track.cells, over.cells) {
            (Some(cells), Some(f)) => over_cells(cells, f, over, &spans, &mut evaluator.notes, name),
            _ => over_samples(track, over, &spans, &params),
        };
        let row = Row { labels: track.labels.clone(), values, tiers: track.tiers };
        if !row.is_empty() {
            rows.push(row);
        }
    }
    Ok(Evaluated::Vector(if over.keeps_name || evaluator.frame.keeps_names { merge_equal(rows)? } else { drop_names(rows)? }))
}

fn note_approximation(over: &Over, name: &str, track: &Track, notes: &mut Notes) {
    if over.cells.is_none() && track.coarsest != Tier::Raw {
        notes.info(format!("{name}(): approximated from {}", track.coarsest));
    }
}

/// Says that a rate is taken of something that is no counter by its name.
fn note_no_counter(call: Args<'_>, track: &Track, notes: &mut Notes) {
    let name = track.labels.metric_name();
    let counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end));
    // The shorthand's calls have no place in a text, and nobody to tell.
    let place = call.place(0);
    if matches!(call.function, "rate" | "increase") && !name.is_empty() && !counter && !place.is_empty() && !track.points.is_empty() {
        notes.info(format!("PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?} ({place})"));
    }
}

struct Spans<'a> {
    grid: &'a Grid,
    windows: &'a Windows,
    frame: &'a super::super::plan::Frame,
}

impl Spans<'_> {
    /// The window of a step.
    fn at(&self, i: usize) -> (i64, i64) {
        let end = self.frame.reference(&self.windows.shift, self.grid.time(i));
        (end.saturating_sub(self.windows.range), end)
    }
}

/// Moves `from` to the first position whose time is after `t`; times must not fall between calls.
fn advance(from: &mut usize, len: usize, t: i64, time: impl Fn(usize) -> i64) {
    while *from < len && time(*from) <= t {
        *from += 1;
    }
}

fn over_samples(track: &Track, over: &Over, spans: &Spans<'_>, params: &[Vec<f64>]) -> Vec<f64> {
    let all = Samples { t: &track.points.t, v: &track.points.v };
    let (mut low, mut high) = (0, 0);
    let mut out = Vec::with_capacity(spans.grid.count);
    for i in 0..spans.grid.count {
        let (start, end) = spans.at(i);
        advance(&mut low, all.t.len(), start, |k| all.t[k]);
        advance(&mut high, all.t.len(), end, |k| all.t[k]);
        if low >= high {
            out.push(HOLE);
            continue;
        }
        let params = params.get(i).map_or(&[][..], Vec::as_slice);
        let window = Window { samples: all.slice(low, high), start, end, step_time: spans.grid.time(i), params };
        out.push((over.samples)(&window).unwrap_or(HOLE));
    }
    out
}

fn over_cells(cells: &[Cell], f: fn(&CellWindow<'_>) -> Option<f64>, over: &Over, spans: &Spans<'_>, notes: &mut Notes, name: &str) -> Vec<f64> {
    let (mut low, mut high) = (0, 0);
    let mut out = Vec::with_capacity(spans.grid.count);
    for i in 0..spans.grid.count {
        let (start, end) = spans.at(i);
        advance(&mut low, cells.len(), start, |k| cells[k].bucket.end.0);
        advance(&mut high, cells.len(), end, |k| cells[k].bucket.end.0);
        let value = if low < high {
            f(&CellWindow { cells: &cells[low..high], start, end })
        } else {
            inside_cell(cells, high, f, over, (start, end)).inspect(|_| {
                notes.info(format!("{name}(): approximated from {}, whose buckets are wider than the window", cells[high].tier));
            })
        };
        out.push(value.unwrap_or(HOLE));
    }
    out
}

/// The answer for a window that lies within the cell at `i`: the cell's own, in proportion.
fn inside_cell(cells: &[Cell], i: usize, f: fn(&CellWindow<'_>) -> Option<f64>, over: &Over, (start, end): (i64, i64)) -> Option<f64> {
    let cell = cells.get(i)?;
    let range = end.saturating_sub(start);
    let left = cell.bucket.end.0 - cell.width;
    if range >= cell.width || left >= end {
        return None;
    }
    let own = CellWindow { cells: &cells[i..=i], start: left, end: cell.bucket.end.0 };
    let (value, width) = match f(&own) {
        Some(value) => (value, cell.width),
        // A cell of one sample has no rate of its own: take the one before along.
        None => {
            let before = i.checked_sub(1).filter(|b| cells[*b].bucket.end.0 >= left)?;
            (f(&CellWindow { cells: &cells[before..=i], start: left - cell.width, end: cell.bucket.end.0 })?, 2 * cell.width)
        }
    };
    Some(if over.proportional { value * range as f64 / width as f64 } else { value })
}
