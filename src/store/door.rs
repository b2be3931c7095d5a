//! The door (stub).
#![allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
use super::{Catalog, Coverage, Options, Selection, StoreError, StoreStats};
use crate::clock::SharedClock;
use crate::model::{Batch, Labels, Matcher, Sample, SeriesData, TimeRange};
use crate::task::Deadline;
use std::time::Duration;

/// What opening yields.
#[derive(Debug)]
pub struct Opened {
    pub writer: Writer,
    pub reader: Reader,
    pub keeper: Keeper,
    pub catalog: Catalog,
    /// Samples taken back from the journal.
    pub replayed: u64,
    /// What was found amiss and mended, for the log.
    pub notes: Vec<String>,
}

/// Opens or creates the store.
pub fn open(_options: Options, _clock: SharedClock) -> Result<Opened, StoreError> {
    unimplemented!()
}

/// What was taken of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    pub accepted: usize,
    /// Positions (as in `Batch::samples`) of samples that no tier keeps any more.
    pub too_old: Vec<usize>,
    pub duplicates: usize,
}

/// The one writer.
#[derive(Debug)]
pub struct Writer(());
impl Writer {
    /// Makes the group durable, then visible, then says what was taken of each batch. One sync for the group.
    pub fn append(&mut self, _group: &[Batch]) -> Result<Vec<Appended>, StoreError> {
        unimplemented!()
    }
    /// Unlinks journal files of which nothing is needed.
    pub fn cut(&mut self) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Whether sealing is due by size (32 MiB of journal or 4 M samples).
    pub fn is_full(&self) -> bool {
        unimplemented!()
    }
    /// Ends cleanly.
    pub fn close(self) -> Result<(), StoreError> {
        unimplemented!()
    }
}

/// Reads while others write. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(());
impl Reader {
    /// Series in label order, with stitched segments; a series without rows in the range is left out.
    pub fn select(&self, _selection: &Selection, _deadline: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        unimplemented!()
    }
    /// Label sets with data in the range that any of the matcher sets accepts (none given: all), in label order.
    pub fn series(&self, _any_of: &[Vec<Matcher>], _range: TimeRange, _deadline: &Deadline) -> Result<Vec<Labels>, StoreError> {
        unimplemented!()
    }
    pub fn label_names(&self, _any_of: &[Vec<Matcher>], _range: TimeRange, _deadline: &Deadline) -> Result<Vec<String>, StoreError> {
        unimplemented!()
    }
    pub fn label_values(&self, _name: &str, _any_of: &[Vec<Matcher>], _range: TimeRange, _deadline: &Deadline) -> Result<Vec<String>, StoreError> {
        unimplemented!()
    }
    /// The newest sample of one series over all tiers.
    pub fn last(&self, _labels: &Labels, _deadline: &Deadline) -> Result<Option<Sample>, StoreError> {
        unimplemented!()
    }
    pub fn coverage(&self) -> Coverage {
        unimplemented!()
    }
    pub fn stats(&self) -> StoreStats {
        unimplemented!()
    }
}

/// What a round of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub sealed: usize,
    pub rolled: usize,
    pub merged: usize,
    pub dropped: usize,
    pub took: Duration,
}

/// Seals, rolls up, merges and drops. Cheap to clone; rounds take turns. Takes disk: use the pool.
#[derive(Clone, Debug)]
pub struct Keeper(());
impl Keeper {
    /// One round of what is due now.
    pub fn maintain(&self, _deadline: &Deadline) -> Result<Kept, StoreError> {
        unimplemented!()
    }
    /// Seals every window, rolls everything up, merges, drops. The journal is cut by the writer afterwards.
    pub fn settle(&self, _deadline: &Deadline) -> Result<Kept, StoreError> {
        unimplemented!()
    }
}
