//! Merging: generations of one time into one, and neighbours into longer files, so that labels are
//! stored once and columns code better. Knows no readers: they see one set of files, then another.
//!
//! Files of a tier that overlap belong together (a *group*) and are merged together or not at all:
//! what is merged gets a new generation, and it must not come between others of the same time. A
//! merged file says the sequence through which it is complete, and that counts for its whole range:
//! so whatever is unsealed there is sealed first, and the sequence is that of the moment when it was.

use std::sync::Arc;

use super::StoreError;
use super::catalog::Change;
use super::deletion::{Deletion, surviving};
use super::exemplars::Fate;
use super::head::overlay;
use super::histograms::{self, thin};
use super::journal::WindowKey;
use super::keeper::{Keeper, Kept, Urgency, blank};
use super::layout::Combine;
use super::partition::{Partition, PartitionWriter, Values, View};
use super::rollup::stack;
use super::shared::{State, unrolled};
use super::windows::Windows;
use crate::clock::Stopwatch;
use crate::model::{ByteCount, Column, HistogramColumn, Labels, Tier, TimeRange, Widths};
use crate::task::Deadline;

/// Files of a group beyond which it is merged though its time goes on.
const MAX_GENERATIONS: usize = 8;
/// A file that spans several windows takes up late samples when they are this part of it.
const WORTH: u64 = 8;
/// No merged file is larger; nor than a part of the budget, or it could not be given up bit by bit.
const LARGEST: ByteCount = ByteCount::mib(64);
const PARTS_OF_BUDGET: u64 = 16;
/// Rows of a series beyond which a longer file costs readers more than it saves.
const MOST_ROWS: [u64; 3] = [6_000, 10_080, 10_080];

/// Files of one tier that overlap or lie in one window, oldest generation first.
struct Group {
    tier: Tier,
    range: TimeRange,
    files: Vec<Arc<Partition>>,
}

impl Group {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|p| p.record.bytes).sum()
    }

    fn rows(&self) -> u64 {
        self.files.iter().map(|p| p.record.rows).sum()
    }

    fn series(&self) -> u64 {
        self.files.iter().map(|p| p.record.series).max().unwrap_or(0)
    }
}

/// The files of a tier by group, in order of time.
fn groups(state: &State, windows: Windows, tier: Tier) -> Vec<Group> {
    let mut files: Vec<&Arc<Partition>> = state.set.iter().filter(|p| p.record.tier == tier).collect();
    files.sort_by_key(|p| (p.record.range.start, p.record.range.end));
    let mut out: Vec<Group> = Vec::new();
    for file in files {
        match out.last_mut() {
            Some(group) if file.record.range.start < group.range.end || group.range.start >= windows.start(tier, file.record.range.end) => {
                group.range = group.range.cover(file.record.range);
                group.files.push(file.clone());
            }
            _ => out.push(Group { tier, range: file.record.range, files: vec![file.clone()] }),
        }
    }
    out.iter_mut().for_each(|group| group.files.sort_by_key(|p| p.record.generation));
    out
}

impl Keeper {
    /// Merges groups, then neighbours: all of them, or those that are due and of neighbours one file a tier.
    pub(super) fn merge_due(&self, urgency: Urgency, watch: &Stopwatch, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let mut result = Ok(());
        for group in self.groups_to_merge(urgency) {
            deadline.check()?;
            if urgency == Urgency::Due && self.should_yield(watch) {
                kept.more = true;
                return result;
            }
            match self.unite(group.tier, group.range) {
                Ok(()) => kept.merged += 1,
                Err(error) => result = result.and(self.after(error, &group.files)),
            }
        }
        for tier in Tier::ALL {
            while let Some(neighbours) = self.neighbours(tier, urgency) {
                deadline.check()?;
                if urgency == Urgency::Due && self.should_yield(watch) {
                    kept.more = true;
                    return result;
                }
                let range = neighbours.iter().map(|g| g.range).reduce(TimeRange::cover).unwrap_or(TimeRange::ALL);
                if let Err(error) = self.unite(tier, range) {
                    let files: Vec<Arc<Partition>> = neighbours.into_iter().flat_map(|g| g.files).collect();
                    result = result.and(self.after(error, &files));
                    break;
                }
                kept.merged += 1;
                if urgency == Urgency::Due {
                    break;
                }
            }
        }
        result
    }

    /// Groups of too many files, and ended ones of more than one.
    fn groups_to_merge(&self, urgency: Urgency) -> Vec<Group> {
        let shared = &self.shared;
        let before = shared.clock.now() - shared.options.late_window;
        let state = shared.read();
        let wanted = |group: &Group| {
            let late = group.bytes() - group.files.iter().map(|p| p.record.bytes).max().unwrap_or(0);
            let window = shared.windows.length(group.tier);
            let is_long = group.files.iter().any(|p| p.record.range.start + window < p.record.range.end);
            let is_worth = !is_long || late * WORTH >= group.bytes();
            let count = group.files.len();
            count > MAX_GENERATIONS || (count > 1 && (urgency == Urgency::Everything || (group.range.end < before && is_worth)))
        };
        Tier::ALL.into_iter().flat_map(|tier| groups(&state, shared.windows, tier)).filter(wanted).collect()
    }

    /// Neighbouring groups of a tier that make one file: the longest stretch that has ended, holds
    /// nothing unsealed or not rolled up, and is not too large.
    fn neighbours(&self, tier: Tier, urgency: Urgency) -> Option<Vec<Group>> {
        let shared = &self.shared;
        let before = shared.clock.now() - shared.options.late_window;
        let lost: Vec<TimeRange> = shared.lost().into_iter().filter(|l| l.tier == tier).map(|l| l.range).collect();
        let state = shared.read();
        let waiting =
            unrolled(&state, shared).into_iter().filter(|(t, _)| *t == tier).map(|(_, start)| TimeRange::new(start, start + shared.windows.length(tier)));
        let unsealed = state.head.all_windows().filter(|((t, _), _)| *t == tier).map(|(_, window)| window.range);
        // A lost stretch may be in the journal still: nothing may say that it is complete.
        let held: Vec<TimeRange> = waiting.chain(unsealed).chain(lost).collect();
        let dropped = state.dropped[tier.index()];
        let lengths = shared.windows.merged_lengths(tier, shared.options.keeps(tier)?);
        lengths.iter().rev().find_map(|length| {
            let mut groups = groups(&state, shared.windows, tier);
            while let Some(first) = groups.first() {
                let range = shared.windows.merged_range(&lengths, *length, first.range.end);
                let later = groups.split_off(groups.iter().position(|g| g.range.start >= range.end).unwrap_or(groups.len()));
                let found = std::mem::replace(&mut groups, later);
                let cover = found.iter().map(|g| g.range).reduce(TimeRange::cover).unwrap_or(range);
                let is_due = urgency == Urgency::Everything || range.end < before;
                let is_free = cover.start >= range.start.max(dropped) && cover.end <= range.end && !held.iter().any(|h| h.overlaps(cover));
                if found.len() > 1 && is_due && is_free && self.fits(tier, &found) {
                    return Some(found);
                }
            }
            None
        })
    }

    /// Whether groups make a file of a size that is good to read.
    fn fits(&self, tier: Tier, groups: &[Group]) -> bool {
        let sum = |of: fn(&Group) -> u64| groups.iter().map(of).sum::<u64>();
        let largest = self.shared.options.max_bytes.map_or(LARGEST.0, |budget| LARGEST.0.min(budget.0 / PARTS_OF_BUDGET));
        let series = groups.iter().map(Group::series).max().unwrap_or(0).max(1);
        sum(Group::bytes) <= largest && sum(Group::rows) / series <= MOST_ROWS[tier.index()]
    }

    /// Makes one file, without what is deleted, of all files of a tier that have anything of a range,
    /// and of what those overlap.
    pub(super) fn unite(&self, tier: Tier, mut range: TimeRange) -> Result<(), StoreError> {
        let (sources, through) = loop {
            let overlapping = |state: &State| -> Vec<Arc<Partition>> {
                state.set.iter().filter(|p| p.record.tier == tier && p.record.range.overlaps(range)).cloned().collect()
            };
            let found = overlapping(&self.shared.read());
            // Each that says anything says it of all: so does the newest.
            let through = found.iter().map(|p| p.record.through).max().unwrap_or(0);
            let (found, through) = if found.iter().all(|p| p.record.range == range || p.record.through == 0) {
                (found, through)
            } else {
                let through = self.seal_range(tier, range)?;
                (overlapping(&self.shared.read()), through)
            };
            let cover = found.iter().map(|p| p.record.range).fold(range, TimeRange::cover);
            if cover == range {
                break (found, through);
            }
            range = cover;
        };
        self.rewrite(tier, range, &sources, through)
    }

    /// Seals what a range has unsealed, and yields the newest sequence of the moment before which
    /// everything of the range is in files now.
    fn seal_range(&self, tier: Tier, range: TimeRange) -> Result<u64, StoreError> {
        let through = {
            let mut state = self.shared.write();
            let open = |(key, window): (&WindowKey, &super::head::HeadWindow)| (key.0 == tier && window.range.overlaps(range)).then_some(*key);
            let keys: Vec<WindowKey> = state.head.windows.iter().filter_map(open).collect();
            keys.into_iter().for_each(|key| state.head.freeze(key));
            state.head.applied
        };
        self.seal_frozen()?;
        Ok(through)
    }

    /// Puts one file in the place of all that a range has.
    fn rewrite(&self, tier: Tier, range: TimeRange, sources: &[Arc<Partition>], through: u64) -> Result<(), StoreError> {
        let shared = &self.shared;
        let old: Vec<u64> = sources.iter().map(|p| p.record.generation).collect();
        let generation = shared.next_generation();
        let mut writer = PartitionWriter::new(&shared.files, tier, shared.options.widths.of(tier), generation);
        self.merged(sources, |labels, values| writer.push(labels, &values))?;
        let fate = Fate::of(&shared.read());
        writer.carry_exemplars(sources, &fate)?;
        let record = writer.finish(blank(tier, range, generation, through, Combine::Replace))?;
        let rolled = self.marks(tier, range, generation);
        let change = Change { add: record.iter().cloned().collect(), remove: old.clone(), rolled: rolled.clone(), ..Change::default() };
        shared.change(&change)?;
        let mut state = shared.write();
        state.rolled.extend(rolled);
        self.replace(&mut state, &old, record);
        Ok(())
    }

    /// Marks for the windows of a range that do not wait for their rollup: they do not with this
    /// generation either, for it may hold late buckets whose samples are nowhere else.
    fn marks(&self, tier: Tier, range: TimeRange, generation: u64) -> Vec<(WindowKey, u64)> {
        let shared = &self.shared;
        if tier.coarser().and_then(|coarser| shared.options.keeps(coarser)).is_none() {
            return Vec::new();
        }
        let state = shared.read();
        let waiting = unrolled(&state, shared);
        let (length, dropped) = (shared.windows.length(tier), state.dropped[tier.index()]);
        let starts = shared.windows.touched(tier, range).filter(|start| *start + length > dropped);
        starts.map(|start| ((tier, start), generation)).filter(|(key, _)| !waiting.contains(key)).collect()
    }

    /// Calls `each` for every series of some generations with what is neither deleted nor past of it.
    pub(super) fn merged(&self, sources: &[Arc<Partition>], mut each: impl FnMut(&Labels, Values)) -> Result<(), StoreError> {
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
        let mut histograms = HistogramColumn::default();
        for (i, view) in views.iter_mut().enumerate() {
            if next[i].as_ref() != Some(&labels) {
                continue;
            }
            let (floats, newer) = surviving(deletions, &sources[i].record, widths, &labels, view.read(at[i])?.1).map(Values::split).unwrap_or_default();
            histograms = histograms::overlay(histograms, newer);
            match floats {
                Some(Values::Samples(newer)) => samples = Some(samples.map_or_else(|| newer.clone(), |older| overlay(older, newer.clone()))),
                Some(Values::Buckets(b)) => buckets.push((sources[i].record.combine, b)),
                Some(Values::Histograms(_)) | None => {}
            }
            at[i] += 1;
            next[i] = if u64::from(at[i]) < sources[i].record.series { Some(view.labels(at[i])?) } else { None };
        }
        let floats = samples.map(Values::Samples).or_else(|| (!buckets.is_empty()).then(|| Values::Buckets(stack(buckets))));
        // Late histograms may have come between those that a rolled-up tier kept.
        let histograms = match sources.first().map(|p| p.record.tier) {
            Some(tier) if tier != Tier::Raw => thin(&histograms, widths.of(tier)),
            _ => histograms,
        };
        if let Some(values) = Values::join(floats, histograms) {
            each(&labels, values);
        }
    }
    Ok(())
}
