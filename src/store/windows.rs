//! How long the windows of each tier are, and which one an instant lies in. Windows are left-open,
//! aligned to the epoch, and a multiple of the bucket widths that they must hold whole.

use std::time::Duration;

use super::Options;
use crate::model::{Tier, TimeRange, Timestamp};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// Lengths in minutes that a raw window may have.
const RAW_MINUTES: [u32; 6] = [5, 10, 15, 30, 60, 120];

/// Lengths of merged files beyond which little is gained: a day, a week, a year, each of whole windows.
const LONGEST: [Duration; 3] = [DAY, Duration::from_secs(7 * 86_400), Duration::from_secs(360 * 86_400)];
/// Files that make the next longer one.
const FOLD: u32 = 4;

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

    /// How long merged files of a tier that keeps so long may be: lengths that each hold several of
    /// the one before, from a window on, up to what keeps nothing for longer than an eighth more.
    pub(super) fn merged_lengths(&self, tier: Tier, keeps: Duration) -> Vec<Duration> {
        let window = self.length(tier);
        let most = whole_below(LONGEST[tier.index()].min(keeps / 8), window);
        let mut lengths = vec![window];
        while let Some(longest) = lengths.last().copied().filter(|longest| *longest < most) {
            lengths.push((longest * FOLD).min(most));
        }
        lengths
    }

    /// The stretch of one of the [`merged_lengths`](Self::merged_lengths) that the window ending at,
    /// or holding, an instant lies in. Shorter ones lie within longer ones.
    pub(super) fn merged_range(&self, lengths: &[Duration], length: Duration, t: Timestamp) -> TimeRange {
        let longest = lengths.last().copied().unwrap_or(length);
        let start = t.cell_start(longest);
        let steps = (t.0 - 1 - start.0).div_euclid(length.as_millis().max(1) as i64);
        let from = Timestamp(start.0 + steps * length.as_millis() as i64);
        TimeRange::new(from, (from + length).min(start + longest))
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

/// The largest multiple of `of` that is not more than `length`, and at least `of`.
fn whole_below(length: Duration, of: Duration) -> Duration {
    let of = of.as_millis().max(1) as u64;
    Duration::from_millis((length.as_millis() as u64 / of * of).max(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn merged_files_lie_within_longer_ones_and_end_with_their_windows() {
        let windows = Windows([HOUR * 2, DAY, DAY * 30]);
        assert_eq!(windows.merged_lengths(Tier::Raw, DAY * 2), [HOUR * 2, HOUR * 6], "an eighth of what is kept");
        let lengths = windows.merged_lengths(Tier::Aggregated, DAY * 90);
        assert_eq!(lengths, [DAY, DAY * 4, DAY * 7]);
        assert_eq!(windows.merged_lengths(Tier::Summary, DAY * 60), [DAY * 30]);
        for day in 1..40 {
            let end = Timestamp(0) + DAY * day;
            let ranges: Vec<TimeRange> = lengths.iter().map(|length| windows.merged_range(&lengths, *length, end)).collect();
            assert_eq!(ranges[0], TimeRange::new(Timestamp(0) + DAY * (day - 1), end));
            for pair in ranges.windows(2) {
                assert!(pair[1].start <= pair[0].start && pair[1].end >= pair[0].end, "{pair:?}");
            }
            assert_eq!(ranges[2].start.0.rem_euclid((DAY * 7).as_millis() as i64), 0);
        }
    }
}
