//! How long the windows of each tier are, and which one an instant lies in. Windows are left-open,
//! aligned to the epoch, and a multiple of the bucket widths that they must hold whole.

use std::time::Duration;

use super::Options;
use crate::model::{Tier, TimeRange, Timestamp};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// Lengths in minutes that a raw window may have.
const RAW_MINUTES: [u32; 6] = [5, 10, 15, 30, 60, 120];

/// The windows of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows([Duration; 3]);

impl Windows {
    pub(super) fn of(options: &Options) -> Self {
        let eighth = options.raw / 8;
        let raw = RAW_MINUTES.iter().rev().map(|m| MINUTE * *m).find(|w| *w <= eighth).unwrap_or(MINUTE * 5);
        let raw = whole(raw.max(options.widths.aggregated), options.widths.aggregated);
        let aggregated = whole(DAY, options.widths.summary);
        Self([raw, aggregated, whole(DAY * 30, aggregated)])
    }

    /// The length of a tier's windows.
    pub(super) fn length(&self, tier: Tier) -> Duration {
        self.0[tier.index()]
    }

    /// The start of the window that holds an instant.
    pub(super) fn start(&self, tier: Tier, t: Timestamp) -> Timestamp {
        t.cell_start(self.length(tier))
    }

    /// The window that holds an instant.
    pub(super) fn range(&self, tier: Tier, t: Timestamp) -> TimeRange {
        let start = self.start(tier, t);
        TimeRange::new(start, start + self.length(tier))
    }

    /// Starts of all windows that a range touches. One may span several where lengths were others once.
    pub(super) fn touched(&self, tier: Tier, range: TimeRange) -> impl Iterator<Item = Timestamp> + use<> {
        let length = self.length(tier);
        let first = self.start(tier, range.start + Duration::from_millis(1));
        std::iter::successors(Some(first), move |start| Some(*start + length)).take_while(move |start| *start < range.end)
    }

    /// The newest window edge that is not after `t`.
    pub(super) fn edge(&self, tier: Tier, t: Timestamp) -> Timestamp {
        let length = self.length(tier).as_millis() as i64;
        Timestamp(t.0.div_euclid(length) * length)
    }
}

/// The smallest multiple of `of` that is at least `length`.
fn whole(length: Duration, of: Duration) -> Duration {
    let of = of.as_millis().max(1) as u64;
    Duration::from_millis((length.as_millis() as u64).div_ceil(of) * of)
}
