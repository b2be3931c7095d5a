//! What a reader asks for, and which tier answers when.

use crate::model::{Matcher, Tier, TimeRange, Timestamp, Widths};

/// Which series, and of which time.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// All must accept a series.
    pub matchers: Vec<Matcher>,
    /// Samples in this left-open range; of a rolled-up tier every bucket whose cell overlaps it.
    pub range: TimeRange,
    /// Only this tier; without it each instant is answered by the finest tier that has it whole.
    pub tier: Option<Tier>,
}

/// Which tier answers when: raw after `raw`, the aggregated tier in `(aggregated, raw]`, the
/// summary tier in `(summary, aggregated]`. A tier that is off has its boundary at the finer one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Raw answers after this.
    pub raw: Timestamp,
    /// The aggregated tier answers after this.
    pub aggregated: Timestamp,
    /// The summary tier answers after this.
    pub summary: Timestamp,
    /// Bucket widths.
    pub widths: Widths,
}

impl Coverage {
    /// The instants that a tier answers.
    #[must_use]
    pub fn of(&self, tier: Tier) -> TimeRange {
        match tier {
            Tier::Raw => TimeRange::new(self.raw, Timestamp::MAX),
            Tier::Aggregated => TimeRange::new(self.aggregated, self.raw),
            Tier::Summary => TimeRange::new(self.summary, self.aggregated),
        }
    }

    /// The tier that answers an instant; the coarsest for what is older than all.
    #[must_use]
    pub fn tier_at(&self, t: Timestamp) -> Tier {
        if t > self.raw {
            Tier::Raw
        } else if t > self.aggregated {
            Tier::Aggregated
        } else {
            Tier::Summary
        }
    }
}
