//! The door: opens the store and gives out its parts. The writer takes groups of batches.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::cardinality::largest;
use super::catalog::Partitions;
use super::extras::{self, Extra, Item};
use super::files::Files;
use super::head::Head;
use super::journal::{Entry, Journal, Place};
use super::keeper::{Keeper, MAX_UNSEALED, MOST_UNSEALED};
use super::read::Reader;
use super::shared::Shared;
use super::windows::Windows;
use super::{Catalog, Options, StoreError};
use crate::clock::{SharedClock, Stopwatch};
use crate::model::{Batch, Tier, TimeRange, Timestamp};

/// What opening yields.
#[derive(Debug)]
pub struct Opened {
    /// Appends; there is one.
    pub writer: Writer,
    /// Reads; may be cloned.
    pub reader: Reader,
    /// Seals, rolls up, merges, drops.
    pub keeper: Keeper,
    /// Documents.
    pub catalog: Catalog,
    /// Samples taken back from the journal.
    pub replayed: u64,
    /// What was found amiss and mended, for the log.
    pub notes: Vec<String>,
}

/// Opens the documents alone, of a store that no process has open: no sample is read or moved.
///
/// # Errors
/// As [`open`].
pub fn open_catalog(options: &Options) -> Result<Catalog, StoreError> {
    Catalog::open(&Arc::new(Files::open(options)?))
}

/// Opens or creates the store, and takes back what the journal holds and no partition does.
///
/// # Errors
/// The directory is in use, not writable, of another format, or its catalog is damaged.
pub fn open(options: Options, clock: SharedClock) -> Result<Opened, StoreError> {
    let files = Arc::new(Files::open(&options)?);
    let budget = options.max_bytes;
    match open_on(files.clone(), options.clone(), clock.clone()) {
        // Opening mends what a crash left, which takes a little room.
        Err(StoreError::Full { .. }) if files.give_up_reserve() => open_on(files, options, clock),
        Err(error) => Err(error),
        Ok(opened) => {
            files.make_reserve(budget);
            Ok(opened)
        }
    }
}

/// The same on files that are there.
pub(super) fn open_on(files: Arc<Files>, options: Options, clock: SharedClock) -> Result<Opened, StoreError> {
    let catalog = Catalog::open(&files)?;
    let mut partitions = catalog.partitions()?;
    let sync = options.sync;
    let lengths = Windows::of(&options);
    // A mark counts for a window of the length that it had; of another length all is rolled up anew.
    let (kept, forgotten) =
        std::mem::take(&mut partitions.rolled).into_iter().partition(|((tier, _), _)| partitions.windows[tier.index()] == Some(lengths.length(*tier)));
    partitions.rolled = kept;
    let shared = Arc::new(Shared::new(options, clock, files.clone(), catalog.clone(), &partitions)?);
    shared.write_down(&partitions, forgotten)?;
    let mut notes: Vec<String> = shared.remove_orphans()?.into_iter().map(|name| format!("removed {name}, which was not recorded")).collect();
    let windows = shared.windows;
    let mut replayed = 0;
    let journal = {
        let mut state = shared.write();
        let mut replay = Replay::new(&partitions);
        let replay = |place: Place<'_>, item: Item| {
            if item.t() <= state.dropped[place.tier.index()] || replay.is_sealed(place, item.t()) {
                return false;
            }
            let Some(series) = replay.series(place, &mut state.head) else { return false };
            extras::push(&mut state.head, windows, place.tier, series, item);
            replayed += 1;
            true
        };
        let journal = Journal::open(&files, sync, partitions.sequence, |tier, t| windows.start(tier, t), replay, &mut notes)?;
        state.head.applied = journal.last_sequence();
        journal
    };
    let mut writer = Writer { shared: shared.clone(), journal };
    writer.cut()?;
    Ok(Opened { writer, reader: Reader { shared: shared.clone() }, keeper: Keeper { shared }, catalog, replayed, notes })
}

/// What is known already of the rows that are read back: which are sealed, and whose they are.
struct Replay {
    sealed: Vec<(Tier, TimeRange, u64)>,
    /// Those of `sealed` that are complete through the row's sequence.
    through: Vec<(Tier, TimeRange)>,
    row: Option<u64>,
    /// The head's number by the file's.
    numbers: Vec<Option<u32>>,
    file: Option<u64>,
}

impl Replay {
    fn new(partitions: &Partitions) -> Self {
        let sealed = partitions.records.iter().map(|r| (r.tier, r.range, r.through)).collect();
        Self { sealed, through: Vec::new(), row: None, numbers: Vec::new(), file: None }
    }

    fn is_sealed(&mut self, place: Place<'_>, t: Timestamp) -> bool {
        if self.row != Some(place.sequence) {
            self.row = Some(place.sequence);
            self.through.clear();
            self.through.extend(self.sealed.iter().filter(|(_, _, through)| *through >= place.sequence).map(|(tier, range, _)| (*tier, *range)));
        }
        self.through.iter().any(|(tier, range)| *tier == place.tier && range.contains(t))
    }

    fn series(&mut self, place: Place<'_>, head: &mut Head) -> Option<u32> {
        if self.file != Some(place.file) {
            self.file = Some(place.file);
            self.numbers.clear();
        }
        let index = place.number as usize;
        if self.numbers.len() <= index {
            self.numbers.resize(index + 1, None);
        }
        let known = self.numbers.get_mut(index)?;
        if known.is_none() {
            *known = head.find_or_add(place.labels);
        }
        *known
    }
}

/// What was taken of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples and histograms that are durable now.
    pub accepted: usize,
    /// Histograms among them.
    pub histograms: usize,
    /// Exemplars that are durable now.
    pub exemplars: usize,
    /// Positions (as in [`Batch::samples`], histograms behind them) of samples that no tier keeps any more.
    pub too_old: Vec<usize>,
    /// Positions of samples of new series for which the head has no room.
    pub no_room: Vec<usize>,
    /// What grew, where there is no room: a sentence that names metric and label.
    pub grown: Option<Arc<str>>,
    /// Samples that replaced one of the same series and time, as far as that is known at once.
    pub duplicates: usize,
}

/// The one writer.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    journal: Journal,
}

/// Which metric has the most series, and which of its labels the most values.
fn what_grew(head: &Head, options: &Options, most: usize) -> Arc<str> {
    let (metric, series, label) = largest(head);
    let label = label.map_or_else(String::new, |(name, values)| format!(", its label {name} has {values} values"));
    let limit = match options.max_memory {
        Some(memory) if most == 0 => format!("storage.memory is {memory}"),
        _ => format!("ingest.max_series is {most}"),
    };
    format!("there is no room for new series: {limit}. Most belong to the metric {metric}, {series} of them{label}").into()
}

/// Says what grew to all of whom something was refused for want of room.
fn name_what_grew(head: &Head, options: &Options, most: usize, appended: &mut [Appended]) {
    let refused = appended.iter_mut().filter(|result| !result.no_room.is_empty());
    let mut grown = None;
    for result in refused {
        result.grown = Some(grown.get_or_insert_with(|| what_grew(head, options, most)).clone());
    }
}

/// Samples of one series and tier, and which batch they came with.
struct Piece<'a> {
    entry: Entry<'a>,
    batch: usize,
}

impl Writer {
    /// Makes every batch of `group` durable, then visible, then says what was taken of each.
    ///
    /// One sync for the whole group. Samples that no tier keeps any more are left out and listed.
    /// There is one writer, so nothing comes between.
    ///
    /// # Errors
    /// Nothing of the group was acknowledged; callers may retry.
    pub fn append(&mut self, group: &[Batch]) -> Result<Vec<Appended>, StoreError> {
        let shared = self.shared.clone();
        let _accepting = shared.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = shared.read().dropped;
        let mut appended: Vec<Appended> = vec![Appended::default(); group.len()];
        let mut pieces = self.pieces(group, dropped, &mut appended);
        let extras = self.extras(group, dropped, &mut appended);
        if pieces.is_empty() && extras.is_empty() {
            return Ok(appended);
        }
        // Stable: within a tier the order of arrival decides which of two doubles wins.
        pieces.sort_by_key(|p| p.entry.tier);
        let entries: Vec<Entry<'_>> = pieces.iter().map(|p| p.entry).collect();
        let windows = shared.windows;
        let watch = Stopwatch::start();
        let sequence = self.journal.commit(&entries, &extras, |tier, t| windows.start(tier, t))?;
        shared.commits.fetch_add(1, Ordering::Relaxed);
        shared.commit_micros.fetch_add(watch.elapsed().as_micros() as u64, Ordering::Relaxed);
        // After the commit, never before: no reader may see what a crash could take back.
        self.apply(&pieces, &extras, sequence, &mut appended);
        self.measure();
        Ok(appended)
    }

    /// Splits batches into stretches of one series and tier. Most are whole series of raw.
    fn pieces<'a>(&self, group: &'a [Batch], dropped: [Timestamp; 3], appended: &mut [Appended]) -> Vec<Piece<'a>> {
        let mut state = self.shared.write();
        let retention = state.retention.clone();
        let most = self.shared.most_series();
        let series_before = state.head.series.len();
        let mut pieces = Vec::with_capacity(group.iter().map(Batch::series_count).sum());
        for (number, (batch, result)) in group.iter().zip(appended.iter_mut()).enumerate() {
            let mut position = 0;
            let mut before = None;
            for row in batch.series() {
                let edges = if retention.is_plain() { dropped } else { retention.edges_from(row.samples.iter().map(|s| s.t).min(), row.labels, dropped) };
                let tier_of = |t: Timestamp| Tier::ALL.into_iter().find(|tier| t > edges[tier.index()]);
                let mut known = None;
                let mut from = 0;
                while from < row.samples.len() {
                    let rest = &row.samples[from..];
                    let tier = rest.first().and_then(|s| tier_of(s.t));
                    let length = rest.iter().take_while(|s| tier_of(s.t) == tier).count();
                    match tier {
                        Some(tier) => {
                            // Only what is taken becomes known.
                            known = known.or_else(|| state.head.find_next(before, row.labels)).or_else(|| state.head.find_or_add_below(most, row.labels));
                            before = known;
                            let Some(series) = known else {
                                result.no_room.extend(position + from..position + from + length);
                                from += length;
                                continue;
                            };
                            let entry = Entry { tier, series, labels: row.labels, samples: &rest[..length] };
                            pieces.push(Piece { entry, batch: number });
                            result.accepted += length;
                        }
                        None => result.too_old.extend(position + from..position + from + length),
                    }
                    from += length;
                }
                position += row.samples.len();
            }
        }
        name_what_grew(&state.head, &self.shared.options, most, appended);
        let new = state.head.series.get(series_before..).unwrap_or_default();
        let label_bytes = new.iter().map(|series| series.labels.canonical().len() as u64).sum();
        self.shared.add_memory(appended.iter().map(|result| result.accepted as u64).sum(), new.len() as u64, label_bytes);
        pieces
    }

    /// Decides on the histograms and exemplars of a group. Most groups have none.
    fn extras<'a>(&self, group: &'a [Batch], dropped: [Timestamp; 3], appended: &mut [Appended]) -> Vec<Extra<'a>> {
        if group.iter().all(|batch| batch.histograms.is_empty() && batch.exemplars.is_empty()) {
            return Vec::new();
        }
        let mut state = self.shared.write();
        let most = self.shared.most_series();
        let retention = state.retention.clone();
        let edges = |oldest, labels: &[u8]| retention.edges_from(Some(oldest), labels, dropped);
        let mut extras = extras::decide(group, edges, &mut state.head, most, appended);
        name_what_grew(&state.head, &self.shared.options, most, appended);
        extras.sort_by_key(|extra| extra.tier);
        extras
    }

    fn apply(&self, pieces: &[Piece<'_>], extras: &[Extra<'_>], sequence: u64, appended: &mut [Appended]) {
        let mut state = self.shared.write();
        let windows = self.shared.windows;
        let mut samples = 0;
        let mut duplicates = 0;
        let mut all = pieces.iter().flat_map(|piece| piece.entry.samples.iter().map(move |sample| (piece, *sample))).peekable();
        while let Some((piece, sample)) = all.peek() {
            let tier = piece.entry.tier;
            let range = windows.range(tier, sample.t);
            // Nearly always one window takes them all.
            let mut window = state.head.open((tier, range.start), range);
            while let Some((piece, sample)) = all.next_if(|(piece, sample)| piece.entry.tier == tier && range.contains(sample.t)) {
                samples += 1;
                if window.push(piece.entry.series, sample) {
                    duplicates += 1;
                    if let Some(result) = appended.get_mut(piece.batch) {
                        result.duplicates += 1;
                    }
                }
            }
        }
        duplicates += extras::apply(extras, &mut state.head, self.shared.windows, appended);
        samples += extras.iter().filter(|extra| extra.is_histogram()).count() as u64;
        state.head.applied = sequence;
        let oldest = pieces.iter().flat_map(|piece| piece.entry.samples).map(|sample| sample.t).chain(extras.iter().map(Extra::t)).min();
        self.shared.touched.lock().unwrap_or_else(PoisonError::into_inner).note(oldest);
        self.shared.samples_total.fetch_add(samples, Ordering::Relaxed);
        self.shared.duplicates_total.fetch_add(duplicates, Ordering::Relaxed);
    }

    /// Unlinks journal files of which nothing is needed.
    ///
    /// # Errors
    /// A file cannot be unlinked; it is tried again with the next call.
    pub fn cut(&mut self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let windows = shared.windows;
        let (dropped, set) = {
            let state = shared.read();
            (state.dropped, state.set.clone())
        };
        let result = self.journal.cut(|(tier, start), last| {
            let range = TimeRange::new(start, start + windows.length(tier));
            let covers = |r: &super::layout::Record| r.tier == tier && r.through >= last && r.range.start <= range.start && r.range.end >= range.end;
            dropped[tier.index()] >= range.end || set.iter().any(|p| covers(&p.record))
        });
        if result.is_ok() && shared.write().head.forget_idle() {
            self.journal.turn();
        }
        self.measure();
        result
    }

    fn measure(&mut self) {
        let (bytes, files) = self.journal.figures();
        self.shared.written.fetch_add(std::mem::take(&mut self.journal.written), Ordering::Relaxed);
        self.shared.journal.bytes.store(bytes, Ordering::Relaxed);
        self.shared.journal.files.store(files, Ordering::Relaxed);
    }

    /// Whether sealing is due by size: what is unsealed must replay in about a second.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.memory_to_free() > 0 || self.shared.read().head.open_samples() > MAX_UNSEALED
    }

    /// Syncs what an interval left unsynced.
    ///
    /// # Errors
    /// The journal cannot be synced: what was acknowledged since the last sync may not survive a power cut.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.journal.sync()
    }

    /// Whether so much is unsealed that no more should come until some is sealed and
    /// [`cut`](Self::cut): what is taken faster than it can be sealed would lengthen the next start
    /// without bound.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.shared.read().head.unsealed() > MOST_UNSEALED
    }

    /// Syncs what an interval left unsynced and ends.
    ///
    /// # Errors
    /// The journal cannot be synced.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.journal.sync()
    }
}
