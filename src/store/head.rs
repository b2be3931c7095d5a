//! The head: what is acknowledged and not sealed, compressed in memory, window by window.
//!
//! A window is the time of one future partition of one tier. A window of a rolled-up tier holds
//! samples that came after raw was dropped there; they become buckets when read or sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashTable;

use super::chunk::HeadChunk;
use super::extras::WindowExtras;
use super::index::MemoryIndex;
use super::journal::WindowKey;
use crate::model::{Column, Fingerprint, Labels, Sample, TimeRange};

/// So few series without a sample are not worth the numbering anew.
const MIN_IDLE: usize = 1000;
/// Late samples that a chunk carries before they are worked in.
const MAX_LATE: usize = 256;

/// One series of the head.
#[derive(Debug)]
pub(super) struct HeadSeries {
    pub(super) labels: Labels,
    pub(super) fingerprint: Fingerprint,
}

/// Samples of one series in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct SeriesChunk {
    chunk: HeadChunk,
    /// In order of arrival; each came when its time was not after the chunk's last.
    late: Vec<(i64, f64)>,
}

impl SeriesChunk {
    /// Adds a sample; true where it replaced one that is known to have the same time.
    fn push(&mut self, sample: Sample) -> bool {
        match self.chunk.last_t() {
            Some(last) if sample.t.0 <= last => {
                let known = last == sample.t.0 || self.late.iter().any(|(t, _)| *t == sample.t.0);
                self.late.push((sample.t.0, sample.v));
                if self.late.len() >= MAX_LATE {
                    self.work_in();
                }
                known
            }
            _ => {
                self.chunk.push(sample.t.0, sample.v);
                false
            }
        }
    }

    fn work_in(&mut self) {
        let column = self.column();
        let mut chunk = HeadChunk::new();
        column.t.iter().zip(&column.v).for_each(|(t, v)| chunk.push(*t, *v));
        *self = Self { chunk, late: Vec::new() };
    }

    /// The samples in order of time; of one time the last that came.
    pub(super) fn column(&self) -> Column {
        let mut column = Column::default();
        self.chunk.decode_into(&mut column);
        if self.late.is_empty() {
            return column;
        }
        let mut late = Column::default();
        let mut sorted = self.late.clone();
        sorted.sort_by_key(|(t, _)| *t);
        for (i, (t, v)) in sorted.iter().enumerate() {
            if sorted.get(i + 1).is_none_or(|(next, _)| next != t) {
                late.push(*t, *v);
            }
        }
        overlay(column, late)
    }

    fn len(&self) -> usize {
        self.chunk.len() + self.late.len()
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.chunk.bytes() + self.late.capacity() * size_of::<(i64, f64)>()
    }
}

/// Two columns as one; of one time the value of `newer`.
pub(super) fn overlay(older: Column, newer: Column) -> Column {
    match (older.t.last(), newer.t.first()) {
        (None, _) => return newer,
        (_, None) => return older,
        (Some(last), Some(first)) if last < first => {
            let mut out = older;
            out.t.extend(newer.t);
            out.v.extend(newer.v);
            return out;
        }
        _ => {}
    }
    let mut out = Column { t: Vec::with_capacity(older.len() + newer.len()), v: Vec::with_capacity(older.len() + newer.len()) };
    let (mut a, mut b) = (0, 0);
    loop {
        let take_newer = match (older.t.get(a), newer.t.get(b)) {
            (None, None) => return out,
            (Some(x), Some(y)) if x == y => {
                a += 1;
                true
            }
            (Some(x), Some(y)) => y < x,
            (None, Some(_)) => true,
            (Some(_), None) => false,
        };
        let (from, i) = if take_newer { (&newer, &mut b) } else { (&older, &mut a) };
        out.push(from.t[*i], from.v[*i]);
        *i += 1;
    }
}

/// Only the samples in a range.
pub(super) fn clip(mut column: Column, range: TimeRange) -> Column {
    let to = column.t.partition_point(|t| *t <= range.end.0);
    let from = column.t.partition_point(|t| *t <= range.start.0).min(to);
    if from > 0 || to < column.len() {
        column.t.truncate(to);
        column.v.truncate(to);
        column.t.drain(..from);
        column.v.drain(..from);
    }
    column
}

/// The samples of one window.
#[derive(Debug)]
pub(super) struct HeadWindow {
    pub(super) range: TimeRange,
    /// Position + 1 in `chunks` by series; 0: none.
    slots: Vec<u32>,
    pub(super) chunks: Vec<(u32, SeriesChunk)>,
    pub(super) samples: u64,
    /// Native histograms and exemplars.
    pub(super) extras: WindowExtras,
    /// Newest row that is in it; set when it is frozen to the newest row of all.
    pub(super) through: u64,
}

impl HeadWindow {
    fn new(range: TimeRange) -> Self {
        Self { range, slots: Vec::new(), chunks: Vec::new(), samples: 0, extras: WindowExtras::default(), through: 0 }
    }

    fn push(&mut self, series: u32, sample: Sample) -> bool {
        let index = series as usize;
        if self.slots.len() <= index {
            self.slots.resize(index + 1, 0);
        }
        if self.slots[index] == 0 {
            self.chunks.push((series, SeriesChunk::default()));
            self.slots[index] = self.chunks.len() as u32;
        }
        self.samples += 1;
        self.chunks[self.slots[index] as usize - 1].1.push(sample)
    }

    /// The chunk of a series.
    pub(super) fn chunk(&self, series: u32) -> Option<&SeriesChunk> {
        let slot = *self.slots.get(series as usize)?;
        self.chunks.get((slot as usize).checked_sub(1)?).map(|(_, chunk)| chunk)
    }

    /// Whether it has samples or histograms of a series.
    pub(super) fn holds(&self, series: u32) -> bool {
        self.chunk(series).is_some() || self.extras.histograms.contains_key(&series)
    }

    /// Numbers of the series that have samples or histograms.
    pub(super) fn series(&self) -> impl Iterator<Item = u32> + '_ {
        let beside = self.extras.histograms.keys().copied().filter(|n| self.chunk(*n).is_none());
        self.chunks.iter().map(|(n, _)| *n).chain(beside)
    }

    /// Time of its first sample, about: late ones are not looked at.
    pub(super) fn first(&self) -> Option<crate::model::Timestamp> {
        self.chunks.iter().filter_map(|(_, c)| c.chunk.first_t()).chain(self.extras.first_t()).min().map(crate::model::Timestamp)
    }

    /// Samples including those that replace others.
    pub(super) fn rows(&self) -> u64 {
        self.chunks.iter().map(|(_, c)| c.len() as u64).sum::<u64>() + self.extras.rows()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * 4 + self.chunks.iter().map(|(_, c)| c.bytes()).sum::<usize>() + self.extras.bytes()
    }
}

/// A window of the head while samples are pushed into it.
pub(super) struct OpenWindow<'a> {
    window: &'a mut HeadWindow,
    newest: &'a mut Option<i64>,
}

impl OpenWindow<'_> {
    /// Adds a sample of the window's time; true where it replaced one.
    pub(super) fn push(&mut self, series: u32, sample: Sample) -> bool {
        *self.newest = Some(self.newest.map_or(sample.t.0, |t| t.max(sample.t.0)));
        self.window.push(series, sample)
    }
}

/// Everything unsealed.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) series: Vec<HeadSeries>,
    by_labels: HashTable<u32>,
    pub(super) index: MemoryIndex,
    pub(super) windows: BTreeMap<WindowKey, HeadWindow>,
    /// Being sealed, oldest first; still read.
    pub(super) frozen: Vec<(WindowKey, Arc<HeadWindow>)>,
    /// Sequence of the newest row that is in it.
    pub(super) applied: u64,
    /// The newest sample's time, so that retention does not run ahead of the data.
    pub(super) newest: Option<i64>,
}

impl Head {
    /// A known series.
    pub(super) fn find(&self, canonical: &[u8], fingerprint: Fingerprint) -> Option<u32> {
        let same = |n: &u32| self.series.get(*n as usize).is_some_and(|s| s.fingerprint == fingerprint && s.labels.canonical() == canonical);
        self.by_labels.find(fingerprint.0 as u64, same).copied()
    }

    /// The series that became known just after `before`, if it has these labels: senders keep an order,
    /// and this needs no hash and no search.
    pub(super) fn find_next(&self, before: Option<u32>, canonical: &[u8]) -> Option<u32> {
        let next = before?.checked_add(1)?;
        self.series.get(next as usize).filter(|series| series.labels.canonical() == canonical).map(|_| next)
    }

    /// A series, made known where it is new and fewer than `most` are known.
    pub(super) fn find_or_add_below(&mut self, most: usize, canonical: &[u8]) -> Option<u32> {
        if self.series.len() < most { self.find_or_add(canonical) } else { self.find(canonical, Fingerprint::of(canonical)) }
    }

    /// A series, made known where it is new. `canonical` comes from a batch or a checked row.
    pub(super) fn find_or_add(&mut self, canonical: &[u8]) -> Option<u32> {
        let fingerprint = Fingerprint::of(canonical);
        if let Some(known) = self.find(canonical, fingerprint) {
            return Some(known);
        }
        let labels = Labels::from_canonical(canonical).ok()?;
        let number = self.series.len() as u32;
        self.index.add(&labels);
        self.series.push(HeadSeries { labels, fingerprint });
        let series = &self.series;
        self.by_labels.insert_unique(fingerprint.0 as u64, number, |n| series.get(*n as usize).map_or(0, |s| s.fingerprint.0 as u64));
        Some(number)
    }

    /// A window, begun where there is none.
    pub(super) fn window(&mut self, key: WindowKey, range: TimeRange) -> &mut HeadWindow {
        self.windows.entry(key).or_insert_with(|| HeadWindow::new(range))
    }

    /// The window for a stretch of time, to push into.
    pub(super) fn open(&mut self, key: WindowKey, range: TimeRange) -> OpenWindow<'_> {
        OpenWindow { window: self.windows.entry(key).or_insert_with(|| HeadWindow::new(range)), newest: &mut self.newest }
    }

    /// Forgets the series that have nothing in any window, where they are many, so that those that
    /// came and went do not stay for ever. Numbers change: true says so, and the journal must begin
    /// a new file. While a window is being sealed nothing is done.
    pub(super) fn forget_idle(&mut self) -> bool {
        let mut lives = vec![false; self.series.len()];
        for number in self.windows.values().flat_map(|w| w.chunks.iter().map(|(n, _)| *n).chain(w.extras.series())) {
            if let Some(lives) = lives.get_mut(number as usize) {
                *lives = true;
            }
        }
        let idle = lives.iter().filter(|lives| !**lives).count();
        if !self.frozen.is_empty() || idle < MIN_IDLE || idle * 2 < self.series.len() {
            return false;
        }
        let mut numbers = vec![None; lives.len()];
        let known = std::mem::take(&mut self.series);
        (self.by_labels, self.index) = (HashTable::new(), MemoryIndex::default());
        for (old, series) in known.into_iter().enumerate().filter(|(old, _)| lives[*old]) {
            numbers[old] = self.find_or_add(series.labels.canonical());
        }
        for window in self.windows.values_mut() {
            window.slots = Vec::new();
            window.extras.renumber(&numbers);
            window.chunks.retain_mut(|(number, _)| numbers.get(*number as usize).copied().flatten().map(|new| *number = new).is_some());
            for (position, (number, _)) in window.chunks.iter().enumerate() {
                let index = *number as usize;
                if window.slots.len() <= index {
                    window.slots.resize(index + 1, 0);
                }
                window.slots[index] = position as u32 + 1;
            }
        }
        true
    }

    /// Takes a window out for sealing. It stays readable, and what comes for its time from now on
    /// starts a new window.
    pub(super) fn freeze(&mut self, key: WindowKey) {
        if let Some(mut window) = self.windows.remove(&key) {
            window.through = self.applied;
            self.frozen.push((key, Arc::new(window)));
        }
    }

    /// Every window, frozen ones first, so that later ones win.
    pub(super) fn all_windows(&self) -> impl Iterator<Item = (WindowKey, &HeadWindow)> {
        self.frozen.iter().map(|(k, w)| (*k, w.as_ref())).chain(self.windows.iter().map(|(k, w)| (*k, w)))
    }

    /// Samples in all windows, those that are being sealed included.
    pub(super) fn unsealed(&self) -> u64 {
        self.all_windows().map(|(_, w)| w.samples).sum()
    }

    /// Samples in windows that are not frozen.
    pub(super) fn open_samples(&self) -> u64 {
        self.windows.values().map(|w| w.samples).sum()
    }
}
