//! The three retention tiers and the widths of their buckets. The tier names appear here and on the wire only.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where a sample lies by its age: as it came, or rolled up into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Samples as they came.
    Raw,
    /// Buckets of `rollup.aggregated` (1 min by default).
    Aggregated,
    /// Buckets of `rollup.summary` (1 h by default).
    Summary,
}

impl Tier {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Aggregated, Self::Summary];

    /// The name on the wire and of its directory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Aggregated => "aggregated",
            Self::Summary => "summary",
        }
    }

    /// Reads a name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }

    /// The next coarser tier.
    #[must_use]
    pub const fn coarser(self) -> Option<Self> {
        match self {
            Self::Raw => Some(Self::Aggregated),
            Self::Aggregated => Some(Self::Summary),
            Self::Summary => None,
        }
    }

    /// Position from the finest, 0 to 2.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How wide the buckets of the two rolled-up tiers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Of the aggregated tier.
    pub aggregated: Duration,
    /// Of the summary tier; a multiple of `aggregated`.
    pub summary: Duration,
}

impl Widths {
    /// The bucket width of a tier; zero for raw, which has none.
    #[must_use]
    pub const fn of(&self, tier: Tier) -> Duration {
        match tier {
            Tier::Raw => Duration::ZERO,
            Tier::Aggregated => self.aggregated,
            Tier::Summary => self.summary,
        }
    }
}
