//! Retention by selector: which rule a series is of, where each of its tiers begins, and how what is
//! past is got rid of.
//!
//! 1. The first rule whose matchers accept a series says how long each tier keeps it; what it leaves
//!    open, and series that no rule accepts, keep as long as the tier does.
//! 2. The series of a rule have an edge in each tier, as the tier itself has: it moves forward only, on
//!    the edges of windows, never past what is unsealed or not rolled up, and is in the catalog before
//!    it counts. A tier answers for a series after that edge, the next coarser one before it.
//! 3. A tier's own edge, behind which files go whole, is the oldest of these. Between it and the edge
//!    of a rule, windows are written anew without what is past: few in a round, the oldest first.
//! 4. A tier begins no later than the next finer one, whatever it keeps: what comes late is still rolled
//!    up through it.
//! 5. When rules change, the edges of those before bind their series until all others have passed
//!    them: a tier must not be said to answer for what was cut out of it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use super::catalog::Change;
use super::deletion::{StoredMatcher, load_matchers, stored_matchers};
use super::journal::WindowKey;
use super::keeper::{Keeper, Kept};
use super::partition::{Partition, Values};
use super::shared::State;
use super::{Keep, Options, RetentionRule, StoreError};
use crate::model::{BucketColumns, Labels, Matcher, Tier, TimeRange, Timestamp};
use crate::task::Deadline;

#[cfg(test)]
mod tests;

/// Where the tiers begin for some series: raw, aggregated, summary.
pub(super) type Edges = [Timestamp; 3];

/// Windows of a tier that one round writes anew because something in them is past.
const WINDOWS_A_ROUND: usize = 2;
/// Files of a tier that one round looks through for something past.
const LOOKS_A_ROUND: usize = 32;
/// Sets of rules of the past that are told apart; of more, the oldest binds all series.
const MOST_PAST: usize = 16;

const UNKNOWN: Edges = [Timestamp::MIN; 3];

/// Series that keep alike.
#[derive(Clone, Debug, PartialEq)]
struct Class {
    /// All must accept a series; none: any is accepted.
    matchers: Vec<Matcher>,
    edges: Edges,
}

impl Class {
    fn accepts(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|m| m.accepts_labels(labels))
    }
}

/// A class as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredClass {
    /// Which set of rules it belongs to: 0 the present one, higher ones are of the past, the oldest first.
    set: u32,
    matchers: Vec<StoredMatcher>,
    edges: Edges,
}

/// The classes of a store, and their edges.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Retention {
    /// One for each rule, in order; the last is of the series that no rule accepts.
    classes: Vec<Class>,
    /// The same of rules before these, the oldest first.
    past: Vec<Vec<Class>>,
}

impl Retention {
    /// The classes of these rules with what the catalog knows of their edges.
    ///
    /// # Errors
    /// What is stored does not decode.
    pub(super) fn open(rules: &[RetentionRule], stored: Vec<StoredClass>) -> Result<Self, StoreError> {
        let selectors: Vec<Vec<Matcher>> = rules.iter().map(|rule| rule.matchers.clone()).chain([Vec::new()]).collect();
        let mut sets: BTreeMap<u32, Vec<Class>> = BTreeMap::new();
        for class in stored {
            let matchers = load_matchers("a retention rule", class.matchers)?;
            sets.entry(class.set).or_default().push(Class { matchers, edges: class.edges });
        }
        let present = sets.remove(&0).unwrap_or_default();
        let mut past: Vec<Vec<Class>> = sets.into_values().collect();
        if present.iter().map(|class| &class.matchers).eq(&selectors) {
            return Ok(Self { classes: present, past });
        }
        if !present.is_empty() {
            past.push(present);
        }
        let classes = selectors.into_iter().map(|matchers| Class { matchers, edges: UNKNOWN }).collect();
        let mut made = Self { classes, past };
        made.forget_passed(UNKNOWN);
        Ok(made)
    }

    pub(super) fn stored(&self) -> Vec<StoredClass> {
        let of = |set: usize, class: &Class| StoredClass { set: set as u32, matchers: stored_matchers(&class.matchers), edges: class.edges };
        std::iter::once(&self.classes).chain(&self.past).enumerate().flat_map(|(set, classes)| classes.iter().map(move |class| of(set, class))).collect()
    }

    /// Whether all series keep alike.
    pub(super) fn is_plain(&self) -> bool {
        self.classes.len() == 1 && self.past.is_empty()
    }

    /// Which rule a series is of; the number of rules: of none.
    pub(super) fn class_of(&self, labels: &Labels) -> usize {
        self.classes.iter().position(|class| class.accepts(labels)).unwrap_or(self.classes.len() - 1)
    }

    /// Where the tiers begin for a series, where they begin for any at `dropped`.
    pub(super) fn edges(&self, labels: &Labels, dropped: Edges) -> Edges {
        if self.is_plain() {
            return dropped;
        }
        let first = |classes: &Vec<Class>| classes.iter().find(|class| class.accepts(labels)).map_or(UNKNOWN, |class| class.edges);
        std::iter::once(&self.classes).chain(&self.past).map(first).fold(dropped, later)
    }

    /// Where the tiers begin for every series.
    pub(super) fn newest(&self, dropped: Edges) -> Edges {
        self.classes.iter().chain(self.past.iter().flatten()).fold(dropped, |edges, class| later(edges, class.edges))
    }

    /// As [`edges`](Self::edges) of a series that comes with samples from `oldest` on: the labels are
    /// read only where they matter.
    pub(super) fn edges_from(&self, oldest: Option<Timestamp>, canonical: &[u8], dropped: Edges) -> Edges {
        if self.is_plain() || oldest.is_none_or(|t| t > self.newest(dropped)[0]) {
            return dropped;
        }
        Labels::from_canonical(canonical).map_or(dropped, |labels| self.edges(&labels, dropped))
    }

    /// What of a series' values in a tier is not past; `None`: all of it is.
    pub(super) fn kept(&self, tier: Tier, labels: &Labels, values: Values, dropped: Edges) -> Option<Values> {
        if self.is_plain() {
            return Some(values);
        }
        let edge = self.edges(labels, dropped)[tier.index()];
        let after = TimeRange::new(edge, Timestamp::MAX);
        let (floats, histograms) = values.split();
        let kept = floats.and_then(|floats| match floats {
            Values::Samples(column) => Some(Values::Samples(super::head::clip(column, after))),
            Values::Buckets(buckets) => Some(Values::Buckets(buckets.iter().filter(|b| after.contains(b.end)).collect::<BucketColumns>())),
            Values::Histograms(_) => None,
        });
        Values::join(kept, super::histograms::clip(histograms, after))
    }

    /// Moves the edges of a tier forward; yields the oldest.
    fn advance(&mut self, tier: Tier, wanted: &[Timestamp], dropped: Edges) -> Timestamp {
        for (class, wanted) in self.classes.iter_mut().zip(wanted) {
            let edge = &mut class.edges[tier.index()];
            *edge = (*edge).max(*wanted).max(dropped[tier.index()]);
        }
        let oldest = self.classes.iter().map(|class| class.edges[tier.index()]).min().unwrap_or(dropped[tier.index()]);
        self.forget_passed(dropped);
        oldest
    }

    /// Forgets the sets of the past that bind no series any more.
    fn forget_passed(&mut self, dropped: Edges) {
        let edges: Vec<Edges> = self.classes.iter().map(|class| later(class.edges, dropped)).collect();
        let binds = |class: &Class| (0..3).any(|tier| edges.iter().any(|edges| edges[tier] < class.edges[tier]));
        self.past.retain(|classes| classes.iter().any(binds));
        while self.past.len() > MOST_PAST {
            let newest = self.past.remove(0).iter().fold(UNKNOWN, |edges, class| later(edges, class.edges));
            self.classes.iter_mut().for_each(|class| class.edges = later(class.edges, newest));
        }
    }
}

fn later(a: Edges, b: Edges) -> Edges {
    [a[0].max(b[0]), a[1].max(b[1]), a[2].max(b[2])]
}

impl Options {
    /// How long a tier keeps the series of a rule (of none: the number of rules); `None`: it does not.
    pub(super) fn keeps_of(&self, class: usize, tier: Tier) -> Option<std::time::Duration> {
        let whole = self.keeps(tier)?;
        match self.rules.get(class).map_or(Keep::AsTier, |rule| rule.keeps[tier.index()]) {
            Keep::AsTier => Some(whole),
            Keep::For(age) => Some(age),
            Keep::Nothing => None,
        }
    }

    /// Whether a tier or one behind it keeps the series of a rule.
    pub(super) fn rolls_into(&self, class: usize, tier: Tier) -> bool {
        Tier::ALL.into_iter().filter(|t| *t >= tier).any(|t| self.keeps_of(class, t).is_some())
    }
}

/// What moved when a tier was made shorter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expired {
    /// Files that were dropped.
    pub(super) files: usize,
    /// Whether the edge of a rule moved.
    pub(super) moved: bool,
}

impl Keeper {
    /// The edges that the classes of a tier should have at a time, by their ages.
    pub(super) fn wanted_edges(&self, tier: Tier, now: Timestamp) -> Vec<Timestamp> {
        let shared = &self.shared;
        let age = |class| match shared.options.keeps(tier) {
            Some(_) => shared.options.keeps_of(class, tier).unwrap_or_default(),
            // What was kept before the tier was switched off goes with the age that it had.
            None => shared.kept_before[tier.index()].unwrap_or(shared.options.raw),
        };
        (0..=shared.options.rules.len()).map(|class| shared.windows.edge(tier, now - age(class))).collect()
    }

    /// The edges of the classes of a tier now.
    pub(super) fn present_edges(&self, tier: Tier) -> Vec<Timestamp> {
        let state = self.shared.read();
        let dropped = if self.shared.options.keeps(tier).is_some() { state.dropped[tier.index()] } else { Timestamp::MIN };
        state.retention.classes.iter().map(|class| class.edges[tier.index()].max(dropped)).collect()
    }

    /// Where the next finer tier that is on begins for each class; at the end of time where there is none.
    fn finer_edges(&self, state: &State, tier: Tier) -> Vec<Timestamp> {
        let options = &self.shared.options;
        let finer = Tier::ALL.into_iter().rfind(|t| *t < tier && options.keeps(*t).is_some() && options.keeps(tier).is_some());
        let edge = |class: &Class, finer: Tier| class.edges[finer.index()].max(state.dropped[finer.index()]);
        state.retention.classes.iter().map(|class| finer.map_or(Timestamp::MAX, |finer| edge(class, finer))).collect()
    }

    /// Moves the edges of a tier, one by class, as far as nothing unsealed or not rolled up holds
    /// them, and drops the files that lie behind all of them.
    pub(super) fn expire(&self, tier: Tier, wanted: &[Timestamp]) -> Result<Expired, StoreError> {
        let shared = &self.shared;
        let is_off = shared.options.keeps(tier).is_none();
        // No sample is between its decision and its window while an edge moves, and the edge is
        // durable before it counts: or it would lie further back after a crash.
        let _accepting = shared.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        let (edge, gone, forget, moved) = {
            let state = shared.read();
            let held = self.held(&state, tier);
            // What a finer tier still takes is rolled up through this one: it begins no later, at a window's edge.
            let finer = self.finer_edges(&state, tier);
            let wanted: Vec<Timestamp> = wanted.iter().zip(finer).map(|(edge, finer)| shared.windows.edge(tier, (*edge).min(held).min(finer))).collect();
            let now = if is_off { Timestamp::MIN } else { state.dropped[tier.index()] };
            let mut moved = Retention::clone(&state.retention);
            let oldest = if is_off || moved.is_plain() { wanted.iter().min().copied().unwrap_or(now) } else { moved.advance(tier, &wanted, state.dropped) };
            let edge = oldest.max(now);
            let moved = Some(moved).filter(|moved| *moved != *state.retention);
            let gone: Vec<u64> = state.set.iter().filter(|p| p.record.tier == tier && p.record.range.end <= edge).map(|p| p.record.generation).collect();
            if (is_off || edge == now) && gone.is_empty() && moved.is_none() {
                return Ok(Expired::default());
            }
            let forget: Vec<WindowKey> = state.rolled.keys().filter(|(t, start)| *t == tier && *start < edge).copied().collect();
            (edge, gone, forget, moved)
        };
        let retention = moved.as_ref().map(Retention::stored);
        let change = Change { remove: gone.clone(), dropped: vec![(tier, edge)], forget_rolled: forget.clone(), retention, ..Change::default() };
        shared.change(&change)?;
        let mut state = shared.write();
        if !is_off {
            state.dropped[tier.index()] = edge;
        }
        let expired = Expired { files: gone.len(), moved: moved.is_some() };
        if let Some(moved) = moved {
            state.retention = Arc::new(moved);
        }
        forget.iter().for_each(|key| {
            state.rolled.remove(key);
        });
        self.replace(&mut state, &gone, None);
        Ok(expired)
    }

    /// Whether something of a window may be past already, and so missing from what is read of it.
    pub(super) fn is_cut(&self, tier: Tier, range: TimeRange) -> bool {
        let state = self.shared.read();
        !state.retention.is_plain() && state.retention.newest(state.dropped)[tier.index()] > range.start
    }

    /// Writes the oldest windows anew that hold something past: a few of each tier.
    pub(super) fn purge(&self, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        if self.shared.read().retention.is_plain() {
            return Ok(());
        }
        let mut result = Ok(());
        for tier in Tier::ALL.into_iter().filter(|tier| self.shared.options.keeps(*tier).is_some()) {
            for class in 0..=self.shared.options.rules.len() {
                deadline.check()?;
                result = result.and(self.purge_class(tier, class, kept));
            }
        }
        result
    }

    fn purge_class(&self, tier: Tier, class: usize, kept: &mut Kept) -> Result<(), StoreError> {
        let shared = &self.shared;
        let done = shared.purged.lock().unwrap_or_else(PoisonError::into_inner).get(&(tier, class)).copied().unwrap_or(Timestamp::MIN);
        let edge = self.present_edges(tier).get(class).copied().unwrap_or(Timestamp::MIN);
        let mut behind: Vec<Arc<Partition>> = {
            let state = shared.read();
            let is_behind = |p: &Partition| p.record.tier == tier && p.record.range.end > done && p.record.range.end <= edge;
            state.set.iter().filter(|p| is_behind(p)).cloned().collect()
        };
        behind.sort_by_key(|p| p.record.range.end);
        // Looked through is what ends before the first partition that is not.
        let (mut through, mut last, mut written) = (edge.max(done), done, 0);
        let mut before = done;
        for (looked, partition) in behind.iter().enumerate() {
            if written >= WINDOWS_A_ROUND || looked >= LOOKS_A_ROUND {
                through = if partition.record.range.end > last { last } else { before };
                break;
            }
            if partition.record.range.end > last {
                (before, last) = (last, partition.record.range.end);
            }
            // Another one of the same window may have taken it along.
            let is_there = shared.read().set.iter().any(|p| p.record.generation == partition.record.generation);
            if is_there && self.holds(partition, class)? {
                self.write_anew(partition)?;
                written += 1;
                kept.merged += 1;
            }
        }
        shared.purged.lock().unwrap_or_else(PoisonError::into_inner).insert((tier, class), through);
        Ok(())
    }

    /// Writes the window of a partition without what is past.
    fn write_anew(&self, partition: &Arc<Partition>) -> Result<(), StoreError> {
        let written = self.unite(partition.record.tier, partition.record.range);
        written.or_else(|error| self.after(error, std::slice::from_ref(partition)))
    }

    /// Whether a partition has a series of a class.
    fn holds(&self, partition: &Partition, class: usize) -> Result<bool, StoreError> {
        let retention = self.shared.read().retention.clone();
        let Some(of) = retention.classes.get(class) else { return Ok(false) };
        let found = partition.read(|view| {
            for number in view.matching(&of.matchers)?.iter().copied() {
                if retention.class_of(&view.labels(number)?) == class {
                    return Ok(true);
                }
            }
            let mut found = false;
            // A series may have exemplars alone.
            view.exemplars(|labels, _| found |= retention.class_of(&labels) == class)?;
            Ok(found)
        })?;
        Ok(found.unwrap_or(false))
    }
}
