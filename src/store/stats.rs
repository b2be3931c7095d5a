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
    /// Those among them that are sealed.
    pub sealed: u64,
    /// Bytes on disk (in the memory profile: in memory).
    pub bytes: u64,
    /// Sealed partition files.
    pub partitions: u64,
    /// Time of the oldest row.
    pub oldest: Option<Timestamp>,
    /// Time of the newest row.
    pub newest: Option<Timestamp>,
}

impl TierStats {
    /// Bytes of a sealed row; `None` where none is sealed.
    #[must_use]
    pub fn bytes_per_sample(&self) -> Option<f64> {
        (self.sealed > 0).then(|| self.bytes as f64 / self.sealed as f64)
    }
}

/// What the store takes and will take, measured on what is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StorageForecast {
    /// Bytes of every file.
    pub bytes: u64,
    /// The hard budget over them; `None`: no limit.
    pub budget_bytes: Option<u64>,
    /// Of a raw sample on disk; `None` before the first window is sealed.
    pub bytes_per_sample: Option<f64>,
    /// What a week of data takes at the present pace; `None`: not measured yet.
    pub week_bytes: Option<u64>,
    /// What is there once every tier is full, without regard to the budget; `None`: not measured yet.
    pub full_retention_bytes: Option<u64>,
}

/// One tier, as far as a forecast needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TierPace {
    /// Of one row in sealed files.
    pub(super) bytes_per_row: Option<f64>,
    /// Rows that come each second.
    pub(super) rows_per_second: Option<f64>,
    /// How long it keeps.
    pub(super) keeps: Duration,
}

/// What tiers that are on take after `age`; `None` where one is not measured.
pub(super) fn bytes_after(tiers: &[TierPace], age: Duration) -> Option<u64> {
    let of = |tier: &TierPace| Some(tier.bytes_per_row? * tier.rows_per_second? * tier.keeps.min(age).as_secs_f64());
    tiers.iter().map(of).sum::<Option<f64>>().map(|bytes| bytes as u64)
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
    /// Bytes of the reserve for a full disk; 0 while it is given up.
    pub reserve_bytes: u64,
    /// Bytes of chunks in the head.
    pub head_bytes: u64,
    /// What the head takes in memory with its series and their index, about.
    pub memory_bytes: u64,
    /// Payload of the journal and bytes of sealed files that were written since the start.
    pub written_bytes: u64,
    /// Commits of the journal since the start.
    pub commits: u64,
    /// How long they took in all.
    pub commit_time: Duration,
    /// How far back what is unsealed reaches; `None`: all is sealed.
    pub journal_lag: Option<Duration>,
    /// How long the oldest sealed window waits for its rollup; `None`: none does.
    pub compaction_lag: Option<Duration>,
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
        self.tiers.iter().map(|tier| tier.bytes).sum::<u64>() + self.journal_bytes + self.catalog_bytes + self.reserve_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn tier(bytes_per_row: f64, rows_per_second: f64, days: u32) -> TierPace {
        TierPace { bytes_per_row: Some(bytes_per_row), rows_per_second: Some(rows_per_second), keeps: DAY * days }
    }

    #[test]
    fn each_tier_grows_until_it_is_full() {
        let tiers = [tier(2.0, 100.0, 2), tier(20.0, 10.0, 90)];
        assert_eq!(bytes_after(&tiers, DAY * 7), Some(2 * 100 * 86_400 * 2 + 20 * 10 * 86_400 * 7));
        assert_eq!(bytes_after(&tiers, Duration::MAX), Some(2 * 100 * 86_400 * 2 + 20 * 10 * 86_400 * 90));
    }

    #[test]
    fn what_is_not_measured_is_not_made_up() {
        let unknown = TierPace { bytes_per_row: None, ..tier(0.0, 10.0, 90) };
        assert_eq!(bytes_after(&[tier(2.0, 100.0, 2), unknown], DAY), None);
    }
}
