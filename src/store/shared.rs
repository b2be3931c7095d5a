//! What the writer, the readers and the keeper share: the head, the set of partitions and the
//! dropped-through times, all behind one lock that is held for a few lines.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::catalog::{Catalog, Change, Partitions};
use super::deletion::Deletion;
use super::files::Files;
use super::head::{Head, HeadWindow};
use super::journal::WindowKey;
use super::pace::Pace;
use super::partition::{OpenFiles, Partition};
use super::reserve::NAME as RESERVE;
use super::retention::{Edges, Retention};
use super::stats::{StorageForecast, StoreStats, TierPace, TierStats, bytes_after};
use super::touched::Touched;
use super::windows::Windows;
use super::{Coverage, Options, StoreError};
use crate::clock::SharedClock;
use crate::model::{Tier, TimeRange, Timestamp};

const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// A window that is younger says nothing of how many samples come.
const LEAST_PACE_SECONDS: f64 = 30.0;

/// Everything that changes together.
#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Head,
    /// In order of generation.
    pub(super) set: Arc<Vec<Arc<Partition>>>,
    /// Nothing at or before it is in the tier; moves forward only, on window edges.
    pub(super) dropped: Edges,
    /// Where the tiers of some series begin later.
    pub(super) retention: Arc<Retention>,
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
    /// Through where a tier was looked through for what of a retention rule is past.
    pub(super) purged: Mutex<HashMap<(Tier, usize), Timestamp>>,
    /// How long each tier kept when it was last on.
    pub(super) kept_before: [Option<Duration>; 3],
    generation: AtomicU64,
    /// What the head takes, about.
    pub(super) memory: AtomicU64,
    /// Payload of the journal and bytes of sealed files, since the start.
    pub(super) written: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) commit_micros: AtomicU64,
    pub(super) samples_total: AtomicU64,
    pub(super) duplicates_total: AtomicU64,
    pub(super) last_maintenance_ms: AtomicU64,
    pub(super) journal: JournalFigures,
    /// Which times were written to, for those who keep answers.
    pub(super) touched: Mutex<Touched>,
}

/// Series, and raw samples each second, of the newest window that is long enough to tell.
fn present_pace(state: &State) -> Option<(u64, f64)> {
    let pace = |series: u64, rows: u64, first: Timestamp, last: Timestamp| {
        let seconds = last.0.saturating_sub(first.0) as f64 / 1000.0;
        (seconds >= LEAST_PACE_SECONDS).then(|| (series, rows as f64 / seconds))
    };
    let newest = state.head.newest.map_or(Timestamp::MIN, Timestamp);
    let open = state.head.windows.iter().rev().filter(|((tier, _), _)| *tier == Tier::Raw);
    let of_open = |window: &HeadWindow| pace(window.series().count() as u64, window.rows(), window.first()?, newest.min(window.range.end));
    let sealed = || state.set.iter().map(|p| &p.record).filter(|r| r.tier == Tier::Raw).max_by_key(|r| r.last);
    open.map(|(_, window)| window).find_map(of_open).or_else(|| sealed().and_then(|r| pace(r.series, r.rows, r.first, r.last)))
}

impl Shared {
    pub(super) fn new(options: Options, clock: SharedClock, files: Arc<Files>, catalog: Catalog, partitions: &Partitions) -> Result<Self, StoreError> {
        let windows = Windows::of(&options);
        let open = Arc::new(OpenFiles::default());
        let now = clock.now();
        let set = partitions.records.iter().map(|r| Arc::new(Partition::new(r.clone(), &files, &open))).collect();
        let dropped = Tier::ALL.map(|tier| {
            // A tier that is off holds nothing; a fresh one holds nothing older than it keeps. What is
            // stored stands whatever the clock says: unsealed and unrolled windows may lie before the edge.
            let edge = options.longest_in(tier).map_or(Timestamp::MAX, |keep| windows.edge(tier, now - keep));
            if edge == Timestamp::MAX { edge } else { partitions.dropped[tier.index()].unwrap_or(edge) }
        });
        let state = State {
            head: Head::default(),
            set: Arc::new(set),
            dropped,
            retention: Arc::new(Retention::open(&options.rules, partitions.rules.clone())?),
            rolled: partitions.rolled.iter().copied().collect(),
            deletions: Arc::new(partitions.deletions.clone()),
        };
        Ok(Self {
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
            purged: Mutex::default(),
            kept_before: partitions.keeps,
            generation: AtomicU64::new(partitions.generation),
            memory: AtomicU64::new(0),
            written: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            commit_micros: AtomicU64::new(0),
            samples_total: AtomicU64::new(0),
            duplicates_total: AtomicU64::new(0),
            last_maintenance_ms: AtomicU64::new(0),
            journal: JournalFigures::default(),
            touched: Mutex::default(),
        })
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

    /// Which tier answers when for every series, by the state that the caller holds.
    pub(super) fn coverage(&self, state: &State) -> Coverage {
        self.coverage_of(state.retention.newest(state.dropped))
    }

    /// Which tier answers when for series whose tiers begin there.
    pub(super) fn coverage_of(&self, [raw, aggregated, summary]: Edges) -> Coverage {
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
        let on = Tier::ALL.into_iter().filter_map(|tier| self.options.longest_in(tier).map(|keeps| (tier, keeps)));
        let keeps: Vec<_> = on.filter(|(tier, keeps)| known.keeps[tier.index()] != Some(*keeps)).collect();
        let retention = self.read().retention.stored();
        let retention = (retention != known.rules && !(known.rules.is_empty() && self.options.rules.is_empty())).then_some(retention);
        if dropped.is_empty() && windows.is_empty() && keeps.is_empty() && retention.is_none() {
            return Ok(());
        }
        let forget_rolled = forgotten.into_iter().map(|(key, _)| key).collect();
        self.change(&Change { dropped, windows, keeps, retention, forget_rolled, ..Change::default() })
    }

    /// Makes a change of the partitions durable.
    pub(super) fn change(&self, change: &Change) -> Result<(), StoreError> {
        self.settle_doubt()?;
        self.catalog.change(change)
    }

    /// A commit that failed may have reached the disk all the same: says again what is so, before
    /// anything is built on it. Otherwise a deletion would miss a partition that nobody here knows of.
    pub(super) fn settle_doubt(&self) -> Result<(), StoreError> {
        if !self.catalog.is_in_doubt() {
            return Ok(());
        }
        let (set, rolled, deletions) = {
            let state = self.read();
            (state.set.clone(), state.rolled.clone(), state.deletions.clone())
        };
        self.catalog.restate(set.iter().map(|p| &p.record), &rolled, &deletions)
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

    /// Time of the oldest row of any tier, about: late samples of unsealed windows are not looked at.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let state = self.read();
        let sealed = state.set.iter().map(|p| p.record.first).min();
        // Windows come in order of time, within each tier.
        let unsealed = state.head.all_windows().map(|(_, window)| window).filter(|window| sealed.is_none_or(|t| window.range.start < t));
        unsealed.filter_map(HeadWindow::first).chain(sealed).min()
    }

    /// What the store will take, from sealed files and from the newest raw window.
    pub(super) fn storage(&self) -> StorageForecast {
        let bytes = self.stats().bytes();
        let paces = self.paces();
        let raw = paces.first().and_then(|pace| pace.bytes_per_row);
        let budget_bytes = self.options.max_bytes.map(|budget| budget.0);
        let (week_bytes, full_retention_bytes) = (bytes_after(&paces, WEEK), bytes_after(&paces, Duration::MAX));
        StorageForecast { bytes, budget_bytes, bytes_per_sample: raw, week_bytes, full_retention_bytes }
    }

    /// Of every tier that is on. A coarse tier without sealed files is taken to need what the one
    /// before it needs: both hold the same buckets.
    fn paces(&self) -> Vec<TierPace> {
        let state = self.read();
        let pace = present_pace(&state);
        let mut buckets = None;
        let mut paces = Vec::new();
        for tier in Tier::ALL {
            let Some(keeps) = self.options.keeps(tier) else { continue };
            let sealed = state.set.iter().filter(|p| p.record.tier == tier).fold((0, 0), |(bytes, rows), p| (bytes + p.record.bytes, rows + p.record.rows));
            let measured = (sealed.1 > 0).then(|| sealed.0 as f64 / sealed.1 as f64);
            let rows_per_second = match tier {
                Tier::Raw => pace.map(|(_, samples)| samples),
                _ => pace.map(|(series, _)| series as f64 / self.options.widths.of(tier).as_secs_f64()),
            };
            if tier != Tier::Raw {
                buckets = measured.or(buckets);
            }
            let bytes_per_row = if tier == Tier::Raw { measured } else { buckets };
            paces.push(TierPace { bytes_per_row, rows_per_second, keeps });
        }
        paces
    }

    pub(super) fn stats(&self) -> StoreStats {
        let state = self.read();
        let mut tiers = [TierStats::default(); 3];
        for p in state.set.iter() {
            let r = &p.record;
            let tier = &mut tiers[r.tier.index()];
            tier.series = tier.series.max(r.series);
            tier.samples += r.rows;
            tier.sealed += r.rows;
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
            figures.series = figures.series.max(window.series().count() as u64);
            let newest = state.head.newest.map_or(window.range.end, |t| Timestamp(t).min(window.range.end));
            if let Some(first) = window.first() {
                extend(figures, first, newest.max(first));
            }
        }
        let waiting = unrolled(&state, self);
        let now = self.clock.now();
        let since = |t: Timestamp| Duration::from_millis(now.0.saturating_sub(t.0).max(0) as u64);
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
            reserve_bytes: self.files.on_disk(RESERVE).map_or(0, |_| self.files.allocated(RESERVE)),
            memory_bytes: self.memory.load(Ordering::Relaxed),
            written_bytes: self.written.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            commit_time: Duration::from_micros(self.commit_micros.load(Ordering::Relaxed)),
            journal_lag: state.head.all_windows().map(|(_, w)| w.range.start).min().map(since),
            compaction_lag: waiting.iter().map(|(tier, start)| *start + self.windows.length(*tier)).min().map(since),
            compaction_backlog: waiting.len() as u64,
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
            let dropped = state.dropped[tier.index()];
            // Of a file of several windows the first may be dropped, and with them their marks.
            let length = shared.windows.length(tier);
            for start in shared.windows.touched(tier, p.record.range).filter(|start| *start + length > dropped) {
                let mark = newest.entry((tier, start)).or_default();
                *mark = (*mark).max(p.record.generation);
            }
        }
    }
    newest.into_iter().filter(|(key, generation)| state.rolled.get(key).is_none_or(|mark| mark < generation)).map(|(key, _)| key).collect()
}
