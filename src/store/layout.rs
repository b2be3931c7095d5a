//! Every redb table and key of the store, and the records in the catalog. Nothing else names a table.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use crate::model::{Tier, TimeRange, Timestamp};

/// Journal: sequence → encoded row.
pub(super) const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

/// Catalog: generation → bincode of [`Record`].
pub(super) const RECORDS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("records");
/// Catalog: tier index → dropped-through time in Unix ms.
pub(super) const DROPPED: TableDefinition<'static, u8, i64> = TableDefinition::new("dropped_through");
/// Catalog: (tier index, window start) → the newest generation of that window that is rolled up.
pub(super) const ROLLED: TableDefinition<'static, (u8, i64), u64> = TableDefinition::new("rolled_through");
/// Catalog: counters by name: `generation` and `sequence`, the highest ever given out, and
/// `<tier>_window_ms` and `<tier>_keeps_ms`, the lengths of the windows at the last start and how
/// long the tier kept when it was last on.
pub(super) const COUNTERS: TableDefinition<'static, &str, u64> = TableDefinition::new("counters");
/// Catalog: (kind, id) → revision (8 bytes, little-endian) and bincode of the document.
pub(super) const DOCUMENTS: TableDefinition<'static, (&str, &str), &[u8]> = TableDefinition::new("documents");
/// Catalog: number → bincode of a deletion that is not worked into every file yet.
pub(super) const DELETIONS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("deletions");
/// Catalog: number → bincode of the series of one retention rule and where their tiers begin.
pub(super) const RULES: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("retention_rules");
/// Catalog: migration number → its name.
pub(super) const MIGRATIONS: TableDefinition<'static, u32, &str> = TableDefinition::new("migrations");

/// Partition: number of a piece → [`PIECE_BYTES`] of the stream, the last one less.
pub(super) const STREAM: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("stream");
/// Length of a piece: two pages of redb, less what it puts around one value.
pub(super) const PIECE_BYTES: usize = 8192 - 16;
/// Partition: number → exemplars of one series with its labels. Absent where there are none.
pub(super) const EXEMPLARS: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("exemplars");

/// Partition before streams: (label name, value) → ascending local series numbers, as varint differences.
pub(super) const POSTINGS: TableDefinition<'static, (&str, &str), &[u8]> = TableDefinition::new("postings");
/// Partition before streams: row of [`SERIES_IN_ROW`] series → their labels and where their columns lie.
pub(super) const SERIES: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("series");
/// Partition before streams: number of a distinct time column → its encoding.
pub(super) const TIMES: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("times");
/// Partition before streams: the columns of all series, cut into pieces of [`EXTENT_BYTES`].
pub(super) const EXTENTS: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("extents");
/// Series in a row of [`SERIES`].
pub(super) const SERIES_IN_ROW: u32 = 32;
/// Length of a piece in [`EXTENTS`].
pub(super) const EXTENT_BYTES: usize = 16_384 - 128;

/// What a column of values holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ColumnKind {
    /// Samples: a number of a time column, then floats.
    Float = 0,
    /// Buckets of floats.
    FloatBuckets = 1,
    /// Native histograms, behind whatever floats the series has: length · (kind · column) or nothing.
    Histogram = 2,
}

impl ColumnKind {
    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Float),
            1 => Some(Self::FloatBuckets),
            2 => Some(Self::Histogram),
            _ => None,
        }
    }
}

/// How the rows of a partition combine with older generations of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Combine {
    /// Same series and time: this one stands. Raw samples, and buckets rolled up from a whole window.
    Replace,
    /// Buckets of samples that came after the finer tier was dropped: merged into what is there.
    Merge,
}

/// A sealed partition as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) tier: Tier,
    /// Left-open time that it covers.
    pub(super) range: TimeRange,
    /// Unique, rising: later generations are newer.
    pub(super) generation: u64,
    /// The journal sequence through which it (with its older generations) is complete; 0 for what
    /// was rolled up from sealed files.
    pub(super) through: u64,
    pub(super) combine: Combine,
    pub(super) series: u64,
    pub(super) rows: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) bytes: u64,
    pub(super) checksum: u64,
}

impl Record {
    /// The file's name below the data directory.
    pub(super) fn name(&self) -> String {
        format!("{}/{}-{}.redb", self.tier, self.range.start, self.generation)
    }
}
