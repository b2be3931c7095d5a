//! Keeping the tiers: seals windows, rolls up, merges generations, drops what is too old.
//!
//! A round does, in this order: seal what an earlier round left frozen, then what is due; roll up
//! sealed windows; merge windows of many generations; drop what is too old, and (`budget`) what
//! takes too much. Each step writes files first and then
//! makes one catalog transaction; a crash between leaves a file that no record names.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::StoreError;
use super::catalog::Change;
use super::deletion::{Deletion, surviving};
use super::head::{HeadWindow, clip, overlay};
use super::journal::WindowKey;
use super::layout::{Combine, Record};
use super::partition::{Partition, PartitionWriter, Values, View};
use super::rollup::{roll_buckets, roll_samples, stack};
use super::shared::{Shared, State, alive, unrolled};
use crate::clock::Stopwatch;
use crate::model::{Column, Labels, Tier, TimeRange, Timestamp, Widths};
use crate::task::Deadline;

/// Unsealed samples beyond which the fullest windows are sealed early: what is unsealed must replay
/// in about a second.
pub(super) const MAX_UNSEALED: u64 = 4_000_000;
/// Unsealed windows that have ended, beyond which the oldest are sealed.
const MAX_WINDOWS: usize = 8;
/// Generations of one window beyond which they are merged.
const MAX_GENERATIONS: usize = 8;

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
enum Urgency {
    Due,
    Everything,
}

impl Keeper {
    /// One round of what is due now.
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
        let rolled = self.roll_due(urgency, deadline, &mut kept);
        let merged = self.merge_due(urgency, deadline, &mut kept);
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

    fn roll_due(&self, urgency: Urgency, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let mut result = Ok(());
        for tier in [Tier::Raw, Tier::Aggregated] {
            for key in self.to_roll(tier, urgency) {
                deadline.check()?;
                match self.roll(key) {
                    Ok(rolled) => kept.rolled += usize::from(rolled),
                    // One damaged file must not hold up all other windows: it is found and set aside.
                    Err(error) => result = result.and(self.after(error, &self.touching(key))),
                }
            }
        }
        result
    }

    fn merge_due(&self, urgency: Urgency, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let mut result = Ok(());
        for key in self.to_merge(urgency) {
            deadline.check()?;
            match self.merge(key) {
                Ok(()) => kept.merged += 1,
                Err(error) => result = result.and(self.after(error, &self.touching(key))),
            }
        }
        result
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
    fn seal_frozen(&self) -> Result<usize, StoreError> {
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
        let mut series: Vec<(Labels, usize)> = {
            let state = shared.read();
            let labels = |n: u32| state.head.series.get(n as usize).map(|s| s.labels.clone()).unwrap_or_default();
            window.chunks.iter().enumerate().map(|(i, (n, _))| (labels(*n), i)).collect()
        };
        series.sort();
        let generation = shared.next_generation();
        let width = shared.options.widths.of(tier);
        let mut writer = PartitionWriter::new(&shared.files, tier, width, generation);
        for (labels, i) in &series {
            let column = window.chunks[*i].1.column();
            let values = if tier == Tier::Raw { Values::Samples(column) } else { Values::Buckets(roll_samples(&column, width)) };
            writer.push(labels, &values);
        }
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
        unrolled(&state, &self.shared).into_iter().filter(|(t, start)| *t == tier && (urgency == Urgency::Everything || *start + length < before)).collect()
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
                let rolled = match values {
                    Values::Samples(column) => roll_samples(&clip(column, range), width),
                    Values::Buckets(buckets) => roll_buckets(&buckets.iter().filter(|b| range.contains(b.end)).collect(), width),
                };
                if shared.options.rolls_into(retention.class_of(labels), coarser)
                    && let Some(rolled) = retention.kept(coarser, labels, Values::Buckets(rolled), dropped)
                {
                    writer.push(labels, &rolled);
                }
            })?;
            writer.finish(blank(coarser, range, generation, 0, Combine::Replace))?
        } else {
            None
        };
        // The generation that this roll of the window replaces is no longer needed, unless it is made of
        // series that are past in the window and so not in this one.
        let old: Vec<u64> = if self.is_cut(tier, range) { Vec::new() } else { self.rolls_of(coarser, range) };
        let change = Change { add: record.iter().cloned().collect(), remove: old.clone(), rolled: Some((key, newest)), ..Change::default() };
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

    /// Windows with too many generations, and ended ones with more than one.
    fn to_merge(&self, urgency: Urgency) -> Vec<WindowKey> {
        let shared = &self.shared;
        let before = shared.clock.now() - shared.options.late_window;
        let state = shared.read();
        let mut count: BTreeMap<WindowKey, usize> = BTreeMap::new();
        for key in state.set.iter().filter_map(|p| self.merges_into(&p.record)) {
            *count.entry(key).or_default() += 1;
        }
        let ended = |(tier, start): &WindowKey| *start + shared.windows.length(*tier) < before;
        let wanted = |key: &WindowKey, n: usize| n > MAX_GENERATIONS || (n > 1 && (urgency == Urgency::Everything || ended(key)));
        count.into_iter().filter(|(key, n)| wanted(key, *n)).map(|(key, _)| key).collect()
    }

    /// The window whose generations a partition is merged with: it lies in it, and a sequence that it
    /// is complete through counts for the whole of it. Partitions of other lengths stay alone.
    pub(super) fn merges_into(&self, record: &Record) -> Option<WindowKey> {
        let window = self.shared.windows.range(record.tier, record.range.end);
        let inside = record.range.start >= window.start && (record.through == 0 || record.range == window);
        inside.then_some((record.tier, window.start))
    }

    /// Makes one generation of all of a window's.
    pub(super) fn merge(&self, key: WindowKey) -> Result<(), StoreError> {
        let sources: Vec<Arc<Partition>> = self.shared.read().set.iter().filter(|p| self.merges_into(&p.record) == Some(key)).cloned().collect();
        self.rewrite(&sources, Some(key))
    }

    /// Makes one generation of some, without what is deleted. `whole`: they are all of that window's.
    pub(super) fn rewrite(&self, sources: &[Arc<Partition>], whole: Option<WindowKey>) -> Result<(), StoreError> {
        let shared = &self.shared;
        let old: Vec<u64> = sources.iter().map(|p| p.record.generation).collect();
        let Some((tier, range)) = sources.iter().map(|p| (p.record.tier, p.record.range)).reduce(|a, b| (a.0, TimeRange::cover(a.1, b.1))) else {
            return Ok(());
        };
        let through = sources.iter().map(|p| p.record.through).max().unwrap_or(0);
        let generation = shared.next_generation();
        let mut writer = PartitionWriter::new(&shared.files, tier, shared.options.widths.of(tier), generation);
        self.merged(sources, |labels, values| writer.push(labels, &values))?;
        // What was merged counts as rolled: it holds late buckets whose samples are nowhere else.
        let record = writer.finish(blank(tier, range, generation, through, Combine::Replace))?;
        let newest = old.last().copied();
        let mark = |key: WindowKey| shared.read().rolled.get(&key).copied().filter(|mark| Some(*mark) >= newest).map(|_| (key, generation));
        let rolled = whole.and_then(mark);
        let change = Change { add: record.iter().cloned().collect(), remove: old.clone(), rolled, ..Change::default() };
        shared.change(&change)?;
        let mut state = shared.write();
        if let Some((key, mark)) = rolled {
            state.rolled.insert(key, mark);
        }
        self.replace(&mut state, &old, record);
        Ok(())
    }

    /// Calls `each` for every series of some generations with what is not deleted of it.
    fn merged(&self, sources: &[Arc<Partition>], mut each: impl FnMut(&Labels, Values)) -> Result<(), StoreError> {
        let (deletions, retention, dropped) = {
            let state = self.shared.read();
            (state.deletions.clone(), state.retention.clone(), state.dropped)
        };
        let Some(tier) = sources.first().map(|p| p.record.tier) else { return Ok(()) };
        merged(sources, &deletions, self.shared.options.widths, |labels, values| {
            if let Some(values) = retention.kept(tier, labels, values, dropped) {
                each(labels, values);
            }
        })
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

fn blank(tier: Tier, range: TimeRange, generation: u64, through: u64, combine: Combine) -> Record {
    let (first, last) = (Timestamp::MAX, Timestamp::MIN);
    Record { tier, range, generation, through, combine, series: 0, rows: 0, first, last, bytes: 0, checksum: 0 }
}

/// Calls `each` for every series of some generations, in label order, with their values as one.
fn merged(sources: &[Arc<Partition>], deletions: &[Deletion], widths: Widths, mut each: impl FnMut(&Labels, Values)) -> Result<(), StoreError> {
    let mut views: Vec<View<'_>> = sources.iter().map(|p| p.view()).collect::<Result<_, _>>()?;
    let mut at = vec![0u32; views.len()];
    let mut next: Vec<Option<Labels>> = Vec::new();
    for (view, source) in views.iter_mut().zip(sources) {
        next.push(if source.record.series > 0 { Some(view.labels(0)?) } else { None });
    }
    while let Some(labels) = next.iter().flatten().min().cloned() {
        let mut samples: Option<Column> = None;
        let mut buckets = Vec::new();
        for (i, view) in views.iter_mut().enumerate() {
            if next[i].as_ref() != Some(&labels) {
                continue;
            }
            match surviving(deletions, &sources[i].record, widths, &labels, view.read(at[i])?.1) {
                Some(Values::Samples(newer)) => samples = Some(samples.map_or_else(|| newer.clone(), |older| overlay(older, newer.clone()))),
                Some(Values::Buckets(b)) => buckets.push((sources[i].record.combine, b)),
                None => {}
            }
            at[i] += 1;
            next[i] = if u64::from(at[i]) < sources[i].record.series { Some(view.labels(at[i])?) } else { None };
        }
        match samples {
            Some(column) => each(&labels, Values::Samples(column)),
            None if buckets.is_empty() => {}
            None => each(&labels, Values::Buckets(stack(buckets))),
        }
    }
    Ok(())
}
