//! Lays windows over series: which samples or cells a function sees at each step.

use super::super::QueryError;
use super::super::eval::Evaluator;
use super::super::notes::{Notes, Site};
use super::super::selector::Windows;
use super::super::series::{Cell, Histograms, Samples, Track};
use super::super::tree::{Edges, Expr};
use super::super::value::{Evaluated, Grid, HOLE, Held, Row, is_hole, merge_equal, of_one_metric};
use super::{Args, histograms, parameters};
use crate::model::Tier;
use crate::task::{Deadline, in_parts};

/// What lies in the left-open window `(start, end]`; with edges also what is needed beyond them.
pub(in super::super) struct Window<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) histograms: Histograms<'a>,
    /// When the counters behind samples and histograms began; empty where nothing is known.
    pub(super) starts: (&'a [i64], &'a [i64]),
    pub(super) start: i64,
    pub(super) end: i64,
    /// Length in milliseconds.
    pub(super) range: i64,
    /// The time of the step, which `@` and `offset` may have moved the window from.
    pub(super) step_time: i64,
    pub(super) params: &'a [f64],
    pub(super) edges: Edges,
    /// The metric's name, and what notes are about.
    pub(super) name: &'a str,
    pub(super) site: Site,
}

/// Cells whose end lies in `(start, end]`, at least one.
pub(in super::super) struct CellWindow<'a> {
    pub(super) cells: &'a [Cell],
    pub(super) start: i64,
    pub(super) end: i64,
}

/// A function of a window that needs more than plain numbers.
pub(super) type FullFn = fn(&Window<'_>, &mut Notes) -> Option<Held>;

/// Of all windows over times and values; `None`: one by one.
pub(super) type ColumnFn = fn(&[i64], &[f64], &Spans<'_>) -> Option<Vec<f64>>;
/// Looks at the parameters of a step.
pub(super) type CheckFn = fn(&[f64], &mut Notes, Site) -> Result<(), QueryError>;

/// A function over windows.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Over {
    /// Of windows that hold numbers alone.
    pub(super) samples: fn(&Window<'_>) -> Option<f64>,
    /// Of windows with histograms, edges or known starts; without it histograms are left out, with an info.
    pub(super) full: Option<FullFn>,
    /// Of all windows over a column of numbers at once, where that is faster than one by one.
    pub(super) column: Option<ColumnFn>,
    /// From what rolled-up tiers keep; without it the function sees one sample per bucket.
    pub(super) cells: Option<fn(&CellWindow<'_>) -> Option<f64>>,
    /// What is wrong with the parameters.
    pub(super) check: Option<CheckFn>,
    pub(super) keeps_name: bool,
    /// Grows with the window, so a part of a bucket gets its share.
    pub(super) proportional: bool,
}

impl Over {
    pub(super) const fn samples(samples: fn(&Window<'_>) -> Option<f64>) -> Self {
        Self { samples, full: None, column: None, cells: None, check: None, keeps_name: false, proportional: false }
    }

    pub(super) const fn full(samples: fn(&Window<'_>) -> Option<f64>, full: FullFn) -> Self {
        Self { full: Some(full), ..Self::samples(samples) }
    }

    pub(super) const fn with_cells(self, cells: fn(&CellWindow<'_>) -> Option<f64>) -> Self {
        Self { cells: Some(cells), ..self }
    }
}

/// From so many samples on, series are worked on by several processors.
const PARALLEL_FROM: usize = 200_000;

/// One function over the windows of many series.
struct Pass<'a> {
    over: &'a Over,
    name: &'static str,
    site: Site,
    params: &'a [Vec<f64>],
    spans: Spans<'a>,
}

impl Pass<'_> {
    fn rows(&self, tracks: Vec<Track>, deadline: &Deadline, notes: &mut Notes) -> Result<Vec<Row>, QueryError> {
        let mut rows = Vec::with_capacity(tracks.len());
        for track in tracks {
            deadline.check()?;
            note_approximation(self.over, self.name, &track, notes);
            let mut row = Row::hollow(track.labels.clone(), self.spans.len(), track.tiers);
            row.drop_name = track.drop_name;
            match (&track.cells, self.over.cells) {
                (Some(cells), Some(f)) if track.histograms.is_empty() => row.values = over_cells(cells, f, self.over, &self.spans, notes, self.name),
                _ => over_samples(&track, self.over, &self.spans, self.params, self.site, notes, &mut row),
            }
            note_no_counter(self.name, self.site, &row, notes);
            if !row.is_empty() {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// Applies a function to the windows of the range vector among `args`.
pub(in super::super) fn over(evaluator: &mut Evaluator<'_>, call: Args<'_>, over: &Over, grid: &Grid) -> Result<Evaluated, QueryError> {
    let (name, args) = (call.function, call.args);
    let Some(at) = args.iter().position(Expr::is_range) else {
        return Err(QueryError::Bad(format!("{name}() needs a range vector such as x[5m]")));
    };
    let params = parameters(evaluator, args, at, grid)?;
    let mut windows = evaluator.windows(&args[at], grid, over.cells.is_some())?;
    check_edges(name, windows.edges)?;
    let site = call.site(at);
    if let Some(check) = over.check.filter(|_| windows.tracks.iter().any(|track| !track.is_empty())) {
        params.iter().try_for_each(|params| check(params, &mut evaluator.notes, call.site(usize::from(at == 0))))?;
    }
    let tracks = std::mem::take(&mut windows.tracks);
    let pass = Pass { over, name, site, params: &params, spans: Spans { grid, windows: &windows, frame: &evaluator.frame } };
    let (notes, deadline) = (&evaluator.notes, evaluator.deadline);
    let least = if tracks.iter().map(|track| track.points.len()).sum::<usize>() < PARALLEL_FROM { usize::MAX } else { 2 };
    let parts = in_parts(tracks, least, |tracks| {
        let mut notes = notes.part();
        pass.rows(tracks, deadline, &mut notes).map(|rows| (rows, notes))
    });
    let mut rows = Vec::new();
    for part in parts {
        let (mut found, notes) = part?;
        rows.append(&mut found);
        evaluator.notes.absorb(notes);
    }
    if call.names_unseen && !over.keeps_name && of_one_metric(&rows) {
        return Ok(Evaluated::Vector(rows));
    }
    Ok(Evaluated::Vector(if over.keeps_name || evaluator.frame.keeps_names { merge_equal(rows)? } else { evaluator.nameless(rows)? }))
}

/// Not every function knows what to do with samples beyond the window.
fn check_edges(function: &str, edges: Edges) -> Result<(), QueryError> {
    let (name, allowed): (_, &[&str]) = match edges {
        Edges::Plain => return Ok(()),
        Edges::Anchored => ("anchored", &["changes", "delta", "increase", "rate", "resets"]),
        Edges::Smoothed => ("smoothed", &["delta", "increase", "rate"]),
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    Err(QueryError::Execution(format!("{name} modifier can only be used with: {} - not with {function}", allowed.join(", "))))
}

fn note_approximation(over: &Over, name: &str, track: &Track, notes: &mut Notes) {
    if over.cells.is_none() && track.coarsest != Tier::Raw {
        notes.info(format!("{name}(): approximated from {}", track.coarsest));
    }
}

/// Says that a rate was taken of something that is no counter by its name.
fn note_no_counter(function: &str, site: Site, row: &Row, notes: &mut Notes) {
    if !matches!(function, "rate" | "increase") {
        return;
    }
    let name = row.labels.metric_name();
    let counter = ["_total", "_sum", "_count", "_bucket"].iter().any(|end| name.ends_with(end));
    if !counter && !name.is_empty() && row.values.iter().any(|v| !is_hole(*v)) {
        notes.not_named_as_counter(name, site);
    }
}

/// The windows of a grid.
pub(in super::super) struct Spans<'a> {
    grid: &'a Grid,
    windows: &'a Windows,
    frame: &'a super::super::plan::Frame,
}

impl Spans<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.grid.count
    }

    /// The window of a step.
    pub(super) fn at(&self, i: usize) -> (i64, i64) {
        let end = self.frame.reference(&self.windows.shift, self.grid.time(i));
        (end.saturating_sub(self.windows.range), end)
    }
}

/// Moves `from` to the first position whose time is after `t`; times must not fall between calls.
pub(super) fn advance(from: &mut usize, len: usize, t: i64, time: impl Fn(usize) -> i64) {
    while *from < len && time(*from) <= t {
        *from += 1;
    }
}

fn over_samples(track: &Track, over: &Over, spans: &Spans<'_>, params: &[Vec<f64>], site: Site, notes: &mut Notes, row: &mut Row) {
    let (beyond, edges) = (spans.windows.beyond, spans.windows.edges);
    let after = if edges == Edges::Smoothed { beyond } else { 0 };
    let plain = edges == Edges::Plain && track.starts.0.is_empty() && track.starts.1.is_empty();
    let (floats, histograms) = (&track.points, &track.histograms);
    if plain
        && histograms.is_empty()
        && let Some(values) = over.column.and_then(|f| f(&floats.t, &floats.v, spans))
    {
        row.values = values;
        return;
    }
    let (mut low, mut high, mut h_low, mut h_high) = (0, 0, 0, 0);
    let starts = (track.starts.0.as_slice(), track.starts.1.as_slice());
    for i in 0..spans.grid.count {
        let (start, end) = spans.at(i);
        let (from, to) = (start.saturating_sub(beyond), end.saturating_add(after));
        advance(&mut low, floats.t.len(), from, |k| floats.t[k]);
        advance(&mut high, floats.t.len(), to, |k| floats.t[k]);
        advance(&mut h_low, histograms.t.len(), from, |k| histograms.t[k]);
        advance(&mut h_high, histograms.t.len(), to, |k| histograms.t[k]);
        if low >= high && h_low >= h_high {
            continue;
        }
        let window = Window {
            samples: Samples { t: &floats.t[low..high], v: &floats.v[low..high] },
            histograms: Histograms { t: &histograms.t[h_low..h_high], h: &histograms.h[h_low..h_high] },
            starts: (starts.0.get(low..high).unwrap_or(&[]), starts.1.get(h_low..h_high).unwrap_or(&[])),
            start,
            end,
            range: spans.windows.range,
            step_time: spans.grid.time(i),
            params: params.get(i).map_or(&[][..], Vec::as_slice),
            edges,
            name: track.labels.metric_name(),
            site,
        };
        match over.full {
            _ if plain && h_low >= h_high => row.values[i] = (over.samples)(&window).unwrap_or(HOLE),
            Some(full) => row.put(i, full(&window, notes)),
            None => row.values[i] = histograms::ignored(&window, over.samples, notes).unwrap_or(HOLE),
        }
    }
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
