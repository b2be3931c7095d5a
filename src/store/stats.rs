//! Figures of the store.

use std::time::Duration;

use crate::model::Timestamp;

/// Figures of one tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierStats {
    /// Distinct series (of sealed files: the most in one file).
    pub series: u64,
    /// Stored rows: samples in raw, buckets elsewhere.
    pub samples: u64,
    /// Bytes on disk (in the memory profile: in memory).
    pub bytes: u64,
    /// Sealed partition files.
    pub partitions: u64,
    /// Time of the oldest row.
    pub oldest: Option<Timestamp>,
    /// Time of the newest row.
    pub newest: Option<Timestamp>,
}

/// Figures of the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Series in the head.
    pub series: u64,
    /// Samples acknowledged since the start.
    pub samples_total: u64,
    /// Samples that replaced one of the same series and time, since the start.
    pub duplicates_total: u64,
    /// Raw, aggregated, summary.
    pub tiers: [TierStats; 3],
    /// Bytes of journal files.
    pub journal_bytes: u64,
    /// Journal files.
    pub journal_files: u64,
    /// Bytes of the catalog.
    pub catalog_bytes: u64,
    /// Bytes of chunks in the head.
    pub head_bytes: u64,
    /// Sealed windows that wait for their rollup.
    pub compaction_backlog: u64,
    /// Reads of sealed files that were open already, since the start.
    pub open_file_hits: u64,
    /// Reads of sealed files that had to be opened, since the start.
    pub open_file_misses: u64,
    /// How long the last round of maintenance took.
    pub last_maintenance: Option<Duration>,
}

impl StoreStats {
    /// Bytes of every file, as the budget counts them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tiers.iter().map(|tier| tier.bytes).sum::<u64>() + self.journal_bytes + self.catalog_bytes
    }
}
