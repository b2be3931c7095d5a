//! Keeping the tiers: seals windows, rolls up, merges (`merge`), drops what is too old.
//!
//! A round does, in this order: seal what an earlier round left frozen, then what is due; roll up
//! sealed windows; merge generations and neighbours; drop what is too old, and (`budget`) what
//! takes too much. Each step writes files first and then
//! makes one catalog transaction; a crash between leaves a file that no record names.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::StoreError;
use super::catalog::Change;
use super::head::{HeadWindow, SeriesChunk, clip};
use super::histograms::{self, HistogramChunk, thin};
use super::journal::WindowKey;
use super::layout::{Combine, Record};
use super::partition::{Partition, PartitionWriter, Values};
use super::rollup::{roll_buckets, roll_samples};
use super::shared::{Shared, State, alive, unrolled};
use crate::clock::Stopwatch;
use crate::model::{Labels, Tier, TimeRange, Timestamp};
use crate::task::Deadline;

/// Unsealed samples beyond which the fullest windows are sealed early: what is unsealed must replay
/// in about a second.
pub(super) const MAX_UNSEALED: u64 = 4_000_000;
/// Unsealed samples beyond which no more should be appended until some are sealed.
pub(super) const MOST_UNSEALED: u64 = 3 * MAX_UNSEALED;
/// How long a round of what is due rolls up and merges before it ends, to go on in the next: between
/// two rounds the journal is cut, and what came meanwhile is sealed first.
const SLICE: Duration = Duration::from_secs(1);
/// Generations that a window collects while samples still come for it, before it is rolled up all the same.
const MAX_UNROLLED: usize = 8;
/// Unsealed windows that have ended, beyond which the oldest are sealed.
const MAX_WINDOWS: usize = 8;

/// What a round of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Windows that became partitions.
    pub sealed: usize,
    /// Windows that were rolled up.
    pub rolled: usize,
    /// Windows whose generations were merged.
    pub merged: usize,
    /// Partitions that were dropped.
    pub dropped: usize,
    /// Those among them that the budget gave up before their age.
    pub spared: usize,
    /// Whether the round ended with work left: the next one should follow at once.
    pub more: bool,
    /// How long it took.
    pub took: Duration,
}

/// Seals, rolls up, merges and drops. Cheap to clone; rounds take turns. Takes disk: use the pool.
#[derive(Clone, Debug)]
pub struct Keeper {
    pub(super) shared: Arc<Shared>,
}

/// How much of a round is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Due,
    Everything,
}

impl Keeper {
    /// One round of what is due now. It takes about a second: [`Kept::more`] says that work is left.
    ///
    /// # Errors
    /// A file or the catalog cannot be written; what was done until then stands, the rest is due again.
    pub fn maintain(&self, deadline: &Deadline) -> Result<Kept, StoreError> {
        self.round(Urgency::Due, deadline)
    }

    /// Seals every window, rolls everything up, merges and drops. The writer cuts the journal afterwards.
    ///
    /// # Errors
    /// As [`maintain`](Self::maintain).
    pub fn settle(&self, deadline: &Deadline) -> Result<Kept, StoreError> {
        self.round(Urgency::Everything, deadline)
    }

    fn round(&self, urgency: Urgency, deadline: &Deadline) -> Result<Kept, StoreError> {
        let _turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = Stopwatch::start();
        let mut kept = Kept::default();
        // A step that fails keeps no other from its work: a disk that is too full to seal is freed by dropping.
        let aside = self.shared.settle_doubt().and(self.set_aside());
        self.shared.measure_memory();
        let relieved = self.relieve(deadline, &mut kept);
        let sealed = self.seal_due(urgency, deadline, &mut kept);
        // Before rolling up: a bucket must not be made of what is deleted.
        let cleaned = self.work_in_deletions(deadline, &mut kept);
        let rolled = self.roll_due(urgency, &watch, deadline, &mut kept);
        let merged = self.merge_due(urgency, &watch, deadline, &mut kept);
        let dropped = self.drop_expired().map(|count| kept.dropped += count);
        let purged = self.purge(deadline, &mut kept);
        let spared = self.spare(deadline, &mut kept);
        let relieved = relieved.and(self.relieve(deadline, &mut kept));
        self.shared.measure_memory();
        kept.took = watch.elapsed();
        self.shared.last_maintenance_ms.store((kept.took.as_millis() as u64).max(1), Ordering::Relaxed);
        aside.and(relieved).and(sealed).and(cleaned).and(rolled).and(merged).and(dropped).and(purged).and(spared).map(|()| kept)
    }

    fn seal_due(&self, urgency: Urgency, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        kept.sealed += self.seal_frozen()?;
        for key in self.due(urgency) {
            deadline.check()?;
            self.shared.write().head.freeze(key);
            kept.sealed += self.seal_frozen()?;
        }
        Ok(())
    }

    /// Seals every window, whatever its time.
    pub(super) fn seal_everything(&self, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        self.seal_due(Urgency::Everything, deadline, kept)
    }

    fn roll_due(&self, urgency: Urgency, watch: &Stopwatch, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let mut result = Ok(());
        for tier in [Tier::Raw, Tier::Aggregated] {
            for key in self.to_roll(tier, urgency) {
                deadline.check()?;
                if urgency == Urgency::Due && self.should_yield(watch) {
                    kept.more = true;
                    return result;
                }
                match self.roll(key) {
                    Ok(rolled) => kept.rolled += usize::from(rolled),
                    // One damaged file must not hold up all other windows: it is found and set aside.
                    Err(error) => result = result.and(self.after(error, &self.touching(key))),
                }
            }
        }
        result
    }

    /// Whether the round has gone on long enough, or something waits that is more urgent: sealing.
    pub(super) fn should_yield(&self, watch: &Stopwatch) -> bool {
        watch.elapsed() > SLICE || self.shared.read().head.open_samples() > MAX_UNSEALED
    }

    /// Windows to seal now: those that waited long enough, and the fullest where too much is unsealed.
    fn due(&self, urgency: Urgency) -> Vec<WindowKey> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let state = shared.read();
        let windows = &state.head.windows;
        if urgency == Urgency::Everything {
            return windows.keys().copied().collect();
        }
        let ended = |w: &HeadWindow| w.range.end + shared.options.late_window < now;
        let mut due: Vec<WindowKey> = windows.iter().filter(|(_, w)| ended(w)).map(|(k, _)| *k).collect();
        let mut rest: Vec<(WindowKey, &HeadWindow)> = windows.iter().filter(|(_, w)| !ended(w)).map(|(k, w)| (*k, w)).collect();
        rest.sort_by_key(|(_, window)| std::cmp::Reverse(window.samples));
        let mut unsealed: u64 = rest.iter().map(|(_, window)| window.samples).sum();
        let mut to_free = shared.memory_to_free();
        let mut count = rest.len();
        for (key, window) in rest {
            if unsealed <= MAX_UNSEALED && count <= MAX_WINDOWS && to_free == 0 {
                break;
            }
            due.push(key);
            unsealed -= window.samples;
            to_free = to_free.saturating_sub(window.bytes() as u64);
            count -= 1;
        }
        due
    }

    /// Seals what is frozen, oldest first: a later generation must not be recorded before an earlier one.
    pub(super) fn seal_frozen(&self) -> Result<usize, StoreError> {
        let mut sealed = 0;
        loop {
            let Some((key, window)) = self.shared.read().head.frozen.first().cloned() else { return Ok(sealed) };
            let record = self.write_window(key, &window)?;
            let change = Change { add: record.iter().cloned().collect(), sequence: window.through, ..Change::default() };
            self.shared.change(&change)?;
            let mut state = self.shared.write();
            state.head.frozen.remove(0);
            self.replace(&mut state, &[], record);
            sealed += 1;
        }
    }

    fn write_window(&self, (tier, _): WindowKey, window: &HeadWindow) -> Result<Option<Record>, StoreError> {
        let shared = &self.shared;
        let sorted = |numbers: &mut dyn Iterator<Item = u32>| {
            let state = shared.read();
            let labels = |n: u32| state.head.series.get(n as usize).map(|s| s.labels.clone()).unwrap_or_default();
            let mut all: Vec<(Labels, u32)> = numbers.map(|n| (labels(n), n)).collect();
            all.sort();
            all
        };
        let series = sorted(&mut window.series());
        let with_exemplars = sorted(&mut window.extras.exemplars.series());
        let generation = shared.next_generation();
        let width = shared.options.widths.of(tier);
        let mut writer = PartitionWriter::new(&shared.files, tier, width, generation);
        for (labels, number) in &series {
            let column = window.chunk(*number).map(SeriesChunk::column);
            let floats = column.map(|column| if tier == Tier::Raw { Values::Samples(column) } else { Values::Buckets(roll_samples(&column, width)) });
            let histograms = window.extras.histograms.get(number).map(HistogramChunk::column).unwrap_or_default();
            let histograms = if tier == Tier::Raw { histograms } else { thin(&histograms, width) };
            Values::join(floats, histograms).iter().for_each(|values| writer.push(labels, values));
        }
        with_exemplars.iter().for_each(|(labels, number)| writer.push_exemplars(labels, window.extras.exemplars.of(*number)));
        let combine = if tier == Tier::Raw { Combine::Replace } else { Combine::Merge };
        writer.finish(blank(tier, window.range, generation, window.through, combine))
    }

    /// Swaps partitions in the set that readers see.
    pub(super) fn replace(&self, state: &mut State, remove: &[u64], add: Option<Record>) {
        self.shared.written.fetch_add(add.as_ref().map_or(0, |record| record.bytes), Ordering::Relaxed);
        let mut set: Vec<Arc<Partition>> = state.set.iter().filter(|p| !remove.contains(&p.record.generation)).cloned().collect();
        state.set.iter().filter(|p| remove.contains(&p.record.generation)).for_each(|p| p.doom());
        if let Some(record) = add {
            set.push(Arc::new(Partition::new(record, &self.shared.files, &self.shared.open)));
        }
        state.set = Arc::new(set);
    }

    fn to_roll(&self, tier: Tier, urgency: Urgency) -> Vec<WindowKey> {
        let state = self.shared.read();
        let before = self.shared.clock.now() - self.shared.options.late_window;
        let length = self.shared.windows.length(tier);
        // A window that is being filled would be rolled up again with each of its generations.
        let filling = |(tier, start): WindowKey| {
            let range = TimeRange::new(start, start + length);
            let generations = || state.set.iter().filter(|p| p.record.tier == tier && p.record.range.overlaps(range)).count();
            state.head.windows.contains_key(&(tier, start)) && generations() < MAX_UNROLLED
        };
        let due = |key: &WindowKey| urgency == Urgency::Everything || (key.1 + length < before && !filling(*key));
        unrolled(&state, &self.shared).into_iter().filter(|key| key.0 == tier && due(key)).collect()
    }

    /// Rolls one window up into one generation of the coarser tier; false where that tier is off
    /// or past it.
    pub(super) fn roll(&self, key: WindowKey) -> Result<bool, StoreError> {
        let shared = &self.shared;
        let (tier, start) = key;
        let Some(coarser) = tier.coarser().filter(|c| shared.options.keeps(*c).is_some()) else { return Ok(false) };
        let sources = self.touching(key);
        let Some(newest) = sources.last().map(|p| p.record.generation) else { return Ok(false) };
        let range = TimeRange::new(start, start + shared.windows.length(tier));
        let width = shared.options.widths.of(coarser);
        let record = if alive(range, shared.read().dropped[coarser.index()]) {
            let generation = shared.next_generation();
            let (retention, dropped) = {
                let state = shared.read();
                (state.retention.clone(), state.dropped)
            };
            let mut writer = PartitionWriter::new(&shared.files, coarser, width, generation);
            self.merged(&sources, |labels, values| {
                // A source may span several windows, where lengths were others once.
                let (floats, histograms) = values.split();
                let rolled = floats.and_then(|floats| match floats {
                    Values::Samples(column) => Some(roll_samples(&clip(column, range), width)),
                    Values::Buckets(buckets) => Some(roll_buckets(&buckets.iter().filter(|b| range.contains(b.end)).collect(), width)),
                    Values::Histograms(_) => None,
                });
                let histograms = thin(&histograms::clip(histograms, range), width);
                if shared.options.rolls_into(retention.class_of(labels), coarser)
                    && let Some(rolled) = Values::join(rolled.map(Values::Buckets), histograms)
                    && let Some(kept) = retention.kept(coarser, labels, rolled, dropped)
                {
                    writer.push(labels, &kept);
                }
            })?;
            writer.finish(blank(coarser, range, generation, 0, Combine::Replace))?
        } else {
            None
        };
        // The generation that this roll of the window replaces is no longer needed, unless it is made of
        // series that are past in the window and so not in this one.
        let old: Vec<u64> = if self.is_cut(tier, range) { Vec::new() } else { self.rolls_of(coarser, range) };
        let change = Change { add: record.iter().cloned().collect(), remove: old.clone(), rolled: vec![(key, newest)], ..Change::default() };
        shared.change(&change)?;
        let mut state = shared.write();
        state.rolled.insert(key, newest);
        self.replace(&mut state, &old, record);
        Ok(true)
    }

    /// Earlier rolls of exactly this range that nothing was merged into yet and no later merge lies above.
    fn rolls_of(&self, tier: Tier, range: TimeRange) -> Vec<u64> {
        let state = self.shared.read();
        let overlapping: Vec<&Arc<Partition>> = state.set.iter().filter(|p| p.record.tier == tier && p.record.range.overlaps(range)).collect();
        let all_rolls = overlapping.iter().all(|p| p.record.combine == Combine::Replace && p.record.through == 0 && p.record.range == range);
        if all_rolls { overlapping.iter().map(|p| p.record.generation).collect() } else { Vec::new() }
    }

    /// Sealed partitions with anything of a window, oldest first.
    fn touching(&self, (tier, start): WindowKey) -> Vec<Arc<Partition>> {
        let range = TimeRange::new(start, start + self.shared.windows.length(tier));
        self.shared.read().set.iter().filter(|p| p.record.tier == tier && p.record.range.overlaps(range)).cloned().collect()
    }

    /// Drops the windows of a tier up to an edge, as far as nothing unsealed or not rolled up holds it.
    pub(super) fn drop_through(&self, tier: Tier, wanted: Timestamp) -> Result<usize, StoreError> {
        self.expire(tier, &vec![wanted; self.shared.options.rules.len() + 1]).map(|expired| expired.files)
    }

    /// Where the first window of a tier starts that is unsealed or waits for its rollup.
    pub(super) fn held(&self, state: &State, tier: Tier) -> Timestamp {
        let unsealed = state.head.all_windows().map(|(key, _)| key);
        let waiting = unrolled(state, &self.shared);
        unsealed.chain(waiting).filter(|(t, _)| *t == tier).map(|(_, start)| start).min().unwrap_or(Timestamp::MAX)
    }
}

pub(super) fn blank(tier: Tier, range: TimeRange, generation: u64, through: u64, combine: Combine) -> Record {
    let (first, last) = (Timestamp::MAX, Timestamp::MIN);
    Record { tier, range, generation, through, combine, series: 0, rows: 0, first, last, bytes: 0, checksum: 0 }
}
