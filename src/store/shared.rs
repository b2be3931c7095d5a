//! What the writer, the readers and the keeper share: the head, the set of partitions and the
//! dropped-through times, all behind one lock that is held for a few lines.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::catalog::{Catalog, Change, Partitions};
use super::deletion::Deletion;
use super::files::Files;
use super::head::Head;
use super::journal::WindowKey;
use super::pace::Pace;
use super::partition::{OpenFiles, Partition};
use super::stats::{StoreStats, TierStats};
use super::touched::Touched;
use super::windows::Windows;
use super::{Coverage, Options, StoreError};
use crate::clock::SharedClock;
use crate::model::{Tier, TimeRange, Timestamp};

/// Everything that changes together.
#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Head,
    /// In order of generation.
    pub(super) set: Arc<Vec<Arc<Partition>>>,
    /// Nothing at or before it is in the tier; moves forward only, on window edges.
    pub(super) dropped: [Timestamp; 3],
    /// The newest generation of a window that is rolled up.
    pub(super) rolled: HashMap<WindowKey, u64>,
    /// What is deleted and may still be in files.
    pub(super) deletions: Arc<Vec<Deletion>>,
}

/// Bytes and number of journal files, for the figures.
#[derive(Debug, Default)]
pub(super) struct JournalFigures {
    pub(super) bytes: AtomicU64,
    pub(super) files: AtomicU64,
}

/// The store's shared part.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) clock: SharedClock,
    pub(super) files: Arc<Files>,
    pub(super) open: Arc<OpenFiles>,
    pub(super) catalog: Catalog,
    pub(super) windows: Windows,
    state: RwLock<State>,
    /// Held from deciding a sample's tier until it is applied, and while a tier's edge moves.
    pub(super) accepting: Mutex<()>,
    /// Rounds of the keeper take turns.
    pub(super) turn: Mutex<()>,
    pub(super) pace: Mutex<Pace>,
    generation: AtomicU64,
    pub(super) samples_total: AtomicU64,
    pub(super) duplicates_total: AtomicU64,
    pub(super) last_maintenance_ms: AtomicU64,
    pub(super) journal: JournalFigures,
    /// Which times were written to, for those who keep answers.
    pub(super) touched: Mutex<Touched>,
}

impl Shared {
    pub(super) fn new(options: Options, clock: SharedClock, files: Arc<Files>, catalog: Catalog, partitions: &Partitions) -> Self {
        let windows = Windows::of(&options);
        let open = Arc::new(OpenFiles::default());
        let now = clock.now();
        let set = partitions.records.iter().map(|r| Arc::new(Partition::new(r.clone(), &files, &open))).collect();
        let dropped = Tier::ALL.map(|tier| {
            // A tier that is off holds nothing; a fresh one holds nothing older than it keeps. What is
            // stored stands whatever the clock says: unsealed and unrolled windows may lie before the edge.
            let edge = options.keeps(tier).map_or(Timestamp::MAX, |keep| windows.edge(tier, now - keep));
            if edge == Timestamp::MAX { edge } else { partitions.dropped[tier.index()].unwrap_or(edge) }
        });
        let state = State {
            head: Head::default(),
            set: Arc::new(set),
            dropped,
            rolled: partitions.rolled.iter().copied().collect(),
            deletions: Arc::new(partitions.deletions.clone()),
        };
        Self {
            options,
            clock,
            files,
            open,
            catalog,
            windows,
            state: RwLock::new(state),
            accepting: Mutex::default(),
            turn: Mutex::default(),
            pace: Mutex::default(),
            generation: AtomicU64::new(partitions.generation),
            samples_total: AtomicU64::new(0),
            duplicates_total: AtomicU64::new(0),
            last_maintenance_ms: AtomicU64::new(0),
            journal: JournalFigures::default(),
            touched: Mutex::default(),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A generation that no partition ever had.
    pub(super) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Which tier answers when, by the state that the caller holds.
    pub(super) fn coverage(&self, state: &State) -> Coverage {
        let [raw, aggregated, summary] = state.dropped;
        let aggregated = aggregated.min(raw);
        Coverage { raw, aggregated, summary: summary.min(aggregated), widths: self.options.widths }
    }

    /// Writes down, before anything is taken, where each tier begins and how long windows are now.
    pub(super) fn write_down(&self, known: &Partitions, forgotten: Vec<(WindowKey, u64)>) -> Result<(), StoreError> {
        let edges = self.read().dropped;
        let fresh = |tier: &Tier| known.dropped[tier.index()].is_none() && self.options.keeps(*tier).is_some();
        let dropped: Vec<_> = Tier::ALL.into_iter().filter(fresh).map(|tier| (tier, edges[tier.index()])).collect();
        let changed = |tier: &Tier| known.windows[tier.index()] != Some(self.windows.length(*tier));
        let windows: Vec<_> = Tier::ALL.into_iter().filter(changed).map(|tier| (tier, self.windows.length(tier))).collect();
        if dropped.is_empty() && windows.is_empty() {
            return Ok(());
        }
        let forget_rolled = forgotten.into_iter().map(|(key, _)| key).collect();
        self.catalog.change(&Change { dropped, windows, forget_rolled, ..Change::default() })
    }

    /// Removes files that no record names: what a crash left between writing and recording.
    pub(super) fn remove_orphans(&self) -> Result<Vec<String>, StoreError> {
        let known: Vec<String> = self.read().set.iter().map(|p| p.record.name()).collect();
        let mut removed = Vec::new();
        for tier in Tier::ALL {
            for name in self.files.list(tier.as_str())? {
                if !known.contains(&name) {
                    self.files.remove(&name)?;
                    removed.push(name);
                }
            }
        }
        Ok(removed)
    }

    pub(super) fn stats(&self) -> StoreStats {
        let state = self.read();
        let mut tiers = [TierStats::default(); 3];
        for p in state.set.iter() {
            let r = &p.record;
            let tier = &mut tiers[r.tier.index()];
            tier.series = tier.series.max(r.series);
            tier.samples += r.rows;
            tier.bytes += r.bytes;
            tier.partitions += 1;
            extend(tier, r.first, r.last);
        }
        let mut head_bytes = 0;
        for ((tier, _), window) in state.head.all_windows() {
            head_bytes += window.bytes() as u64;
            let figures = &mut tiers[tier.index()];
            if tier == Tier::Raw {
                figures.samples += window.rows();
            }
            figures.series = figures.series.max(window.chunks.len() as u64);
            let newest = state.head.newest.map_or(window.range.end, |t| Timestamp(t).min(window.range.end));
            if let Some(first) = window.first() {
                extend(figures, first, newest.max(first));
            }
        }
        let took = self.last_maintenance_ms.load(Ordering::Relaxed);
        StoreStats {
            series: state.head.series.len() as u64,
            samples_total: self.samples_total.load(Ordering::Relaxed),
            duplicates_total: self.duplicates_total.load(Ordering::Relaxed),
            tiers,
            journal_bytes: self.journal.bytes.load(Ordering::Relaxed),
            journal_files: self.journal.files.load(Ordering::Relaxed),
            head_bytes,
            catalog_bytes: self.catalog.bytes(),
            compaction_backlog: unrolled(&state, self).len() as u64,
            open_file_hits: self.open.hits.load(Ordering::Relaxed),
            open_file_misses: self.open.misses.load(Ordering::Relaxed),
            last_maintenance: (took > 0).then(|| std::time::Duration::from_millis(took)),
        }
    }
}

fn extend(tier: &mut TierStats, first: Timestamp, last: Timestamp) {
    tier.oldest = Some(tier.oldest.map_or(first, |t| t.min(first)));
    tier.newest = Some(tier.newest.map_or(last, |t| t.max(last)));
}

/// Whether any part of `range` is after what is dropped.
pub(super) fn alive(range: TimeRange, dropped: Timestamp) -> bool {
    range.end > dropped
}

/// Windows with a generation that is not rolled up, where there is a coarser tier.
pub(super) fn unrolled(state: &State, shared: &Shared) -> Vec<WindowKey> {
    let mut newest: BTreeMap<WindowKey, u64> = BTreeMap::new();
    for p in state.set.iter() {
        let tier = p.record.tier;
        if tier.coarser().is_some_and(|c| shared.options.keeps(c).is_some()) {
            for start in shared.windows.touched(tier, p.record.range) {
                let mark = newest.entry((tier, start)).or_default();
                *mark = (*mark).max(p.record.generation);
            }
        }
    }
    newest.into_iter().filter(|(key, generation)| state.rolled.get(key).is_none_or(|mark| mark < generation)).map(|(key, _)| key).collect()
}
