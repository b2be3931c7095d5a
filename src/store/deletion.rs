//! Deleting series by selector and range.
//!
//! 1. Everything unsealed is sealed, so that what came before lies in partitions, and their
//!    generations have a bound: what arrives later has a higher one and lives.
//! 2. The deletion is written to the catalog with that bound. From then on no reader sees what it
//!    covers, also after a crash: replay skips what is sealed.
//! 3. The next round of maintenance writes the touched windows anew without it, and forgets it.
//!
//! Of a rolled-up tier every bucket goes that has any part of the range: a bucket cannot be split.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::histograms::at_times;
use super::keeper::{Keeper, Kept};
use super::layout::Record;
use super::partition::{Partition, Values, WithHistograms};
use crate::model::{BucketColumns, Column, Labels, MatchOp, Matcher, PatternError, Tier, TimeRange, Widths};
use crate::task::Deadline;

/// Name, operator and value of a matcher, as it is stored.
pub(super) type StoredMatcher = (String, u8, String);

pub(super) fn stored_matchers(matchers: &[Matcher]) -> Vec<StoredMatcher> {
    let stored = |m: &Matcher| match &m.op {
        MatchOp::Equal(v) => (m.name.clone(), 0, v.clone()),
        MatchOp::NotEqual(v) => (m.name.clone(), 1, v.clone()),
        MatchOp::Regex(p) => (m.name.clone(), 2, p.as_str().to_owned()),
        MatchOp::NotRegex(p) => (m.name.clone(), 3, p.as_str().to_owned()),
    };
    matchers.iter().map(stored).collect()
}

/// Matchers of what is stored; `what` they belong to is named where they do not read.
pub(super) fn load_matchers(what: &str, stored: Vec<StoredMatcher>) -> Result<Vec<Matcher>, StoreError> {
    let damaged = |e: PatternError| StoreError::Damaged { what: what.to_owned(), reason: e.to_string() };
    let load = |(name, op, value): StoredMatcher| match op {
        0 => Ok(Matcher::equal(&name, &value)),
        1 => Ok(Matcher::not_equal(&name, &value)),
        2 => Matcher::regex(&name, &value),
        _ => Matcher::not_regex(&name, &value),
    };
    stored.into_iter().map(load).collect::<Result<_, _>>().map_err(damaged)
}

/// A deletion as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredDeletion {
    matchers: Vec<StoredMatcher>,
    /// Left-open.
    range: TimeRange,
    /// Partitions of a higher generation came later.
    generation: u64,
}

/// A deletion that is not worked into every file yet.
#[derive(Clone, Debug)]
pub(super) struct Deletion {
    pub(super) id: u64,
    pub(super) matchers: Vec<Matcher>,
    pub(super) range: TimeRange,
    pub(super) generation: u64,
}

impl Deletion {
    pub(super) fn stored(&self) -> StoredDeletion {
        StoredDeletion { matchers: stored_matchers(&self.matchers), range: self.range, generation: self.generation }
    }

    pub(super) fn load(id: u64, stored: StoredDeletion) -> Result<Self, StoreError> {
        let matchers = load_matchers(&format!("deletion {id}"), stored.matchers)?;
        Ok(Self { id, matchers, range: stored.range, generation: stored.generation })
    }

    fn touches(&self, record: &Record, widths: Widths) -> bool {
        let end = record.range.end + widths.of(record.tier);
        record.generation <= self.generation && TimeRange::new(record.range.start, end).overlaps(self.range)
    }

    fn covers(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|m| m.accepts_labels(labels))
    }
}

/// What of a series of a partition is left after deletions; `None`: it is gone altogether.
pub(super) fn surviving(deletions: &[Deletion], record: &Record, widths: Widths, labels: &Labels, mut values: Values) -> Option<Values> {
    for deletion in deletions.iter().filter(|d| d.touches(record, widths) && d.covers(labels)) {
        values = match values {
            Values::Samples(column) => Values::Samples(without(&column, deletion.range)),
            Values::Buckets(buckets) => {
                let width = widths.of(record.tier);
                let kept = |end: crate::model::Timestamp| !TimeRange::new(end - width, end).overlaps(deletion.range);
                Values::Buckets(buckets.iter().filter(|b| kept(b.end)).collect::<BucketColumns>())
            }
            Values::Histograms(both) => {
                let WithHistograms { floats, histograms } = *both;
                let floats = floats.and_then(|floats| surviving(deletions, record, widths, labels, floats));
                let width = widths.of(record.tier);
                let kept = |t: crate::model::Timestamp| match record.tier {
                    Tier::Raw => !deletion.range.contains(t),
                    _ => !TimeRange::new(t.cell_start(width), t.cell_end(width)).overlaps(deletion.range),
                };
                Values::Histograms(Box::new(WithHistograms { floats, histograms: at_times(&histograms, kept) }))
            }
        };
    }
    let (floats, histograms) = values.split();
    Values::join(floats, histograms)
}

fn without(column: &Column, range: TimeRange) -> Column {
    let mut out = Column::default();
    for (t, v) in column.t.iter().zip(&column.v).filter(|(t, _)| !range.contains(crate::model::Timestamp(**t))) {
        out.push(*t, *v);
    }
    out
}

impl Keeper {
    /// Deletes what any of the matcher sets accepts in a range. Durable, and seen by no reader, when
    /// it returns; the space comes back with the next round of maintenance.
    ///
    /// # Errors
    /// What is unsealed cannot be sealed, or the catalog cannot be written: nothing is deleted then.
    pub fn delete(&self, any_of: &[Vec<Matcher>], range: TimeRange, deadline: &Deadline) -> Result<(), StoreError> {
        let shared = &self.shared;
        let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.seal_everything(deadline, &mut Kept::default())?;
        // A generation of its own, so that whatever is sealed from now on has a higher one.
        let generation = shared.next_generation();
        let deletions: Vec<Deletion> =
            any_of.iter().enumerate().map(|(i, matchers)| Deletion { id: generation + i as u64, matchers: matchers.clone(), range, generation }).collect();
        for _ in 1..deletions.len() {
            shared.next_generation();
        }
        shared.settle_doubt()?;
        shared.catalog.add_deletions(&deletions)?;
        let mut state = shared.write();
        state.deletions = Arc::new(state.deletions.iter().cloned().chain(deletions).collect());
        // Kept answers may show what is gone.
        shared.touched.lock().unwrap_or_else(PoisonError::into_inner).note(Some(range.start));
        Ok(())
    }

    /// Writes every touched window anew, and forgets the deletions that no file needs any more.
    pub(super) fn work_in_deletions(&self, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let shared = &self.shared;
        let deletions = shared.read().deletions.clone();
        if deletions.is_empty() {
            return Ok(());
        }
        // What is written anew has a higher generation and is not touched any more.
        while let Some((tier, range)) = self.first_touched(&deletions) {
            deadline.check()?;
            self.unite(tier, range)?;
            kept.merged += 1;
        }
        shared.settle_doubt()?;
        shared.catalog.forget_deletions(&deletions.iter().map(|d| d.id).collect::<Vec<_>>())?;
        let mut state = shared.write();
        state.deletions = Arc::new(state.deletions.iter().filter(|d| !deletions.iter().any(|gone| gone.id == d.id)).cloned().collect());
        Ok(())
    }

    /// Tier and range of a file that may hold what is deleted.
    fn first_touched(&self, deletions: &[Deletion]) -> Option<(Tier, TimeRange)> {
        let touched = |p: &&Arc<Partition>| deletions.iter().any(|d| d.touches(&p.record, self.shared.options.widths));
        self.shared.read().set.iter().find(touched).map(|p| (p.record.tier, p.record.range))
    }
}
