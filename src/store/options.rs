//! What the store has to be told.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{ByteCount, Matcher, Tier, Widths};

/// Where the store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In files below this directory.
    Disk(PathBuf),
    /// In memory; it ends with the process.
    Memory,
}

/// When the journal is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalSync {
    /// Before every acknowledgement.
    Always,
    /// At most this long after it: a power cut takes what came since.
    Interval(Duration),
}

/// How long a tier keeps the series of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As long as the tier keeps.
    AsTier,
    /// This long.
    For(Duration),
    /// Not at all.
    Nothing,
}

/// How long some series are kept, in the place of what the tiers keep.
#[derive(Clone, Debug, PartialEq)]
pub struct RetentionRule {
    /// All must accept a series.
    pub matchers: Vec<Matcher>,
    /// In raw, aggregated and summary. A tier that is off keeps nothing, whatever stands here.
    pub keeps: [Keep; 3],
}

/// The store's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where it lies.
    pub place: Place,
    /// How long raw samples are kept.
    pub raw: Duration,
    /// How long the aggregated tier keeps; `None`: off.
    pub aggregated: Option<Duration>,
    /// How long the summary tier keeps; `None`: off.
    pub summary: Option<Duration>,
    /// What some series keep instead: the first rule that accepts a series counts.
    pub rules: Vec<RetentionRule>,
    /// Widths of the buckets.
    pub widths: Widths,
    /// How long a window waits after its end before it is sealed.
    pub late_window: Duration,
    /// When the journal is synced.
    pub sync: JournalSync,
    /// One budget for redb's caches over all open files.
    pub cache: ByteCount,
    /// Hard budget over every file: when it nears, the oldest is given up early. `None`: no limit.
    pub max_bytes: Option<ByteCount>,
    /// Series that the head may hold: beyond it new ones are refused, known ones go on.
    pub max_series: usize,
    /// What the head may take in memory: beyond it new series are refused, known ones go on. `None`: no limit.
    pub max_memory: Option<ByteCount>,
    /// Whether a clock that jumped ahead may drop history only slowly.
    pub guards_clock: bool,
}

/// What raw keeps where nothing else is said.
const RAW: Duration = Duration::from_secs(2 * 86_400);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Options {
    /// Two days of raw samples at `place`, no coarser tier, nothing limited, and a clock that is
    /// believed: what callers build theirs on.
    #[must_use]
    pub const fn of(place: Place) -> Self {
        Self {
            place,
            raw: RAW,
            aggregated: None,
            summary: None,
            rules: Vec::new(),
            widths: Widths { aggregated: MINUTE, summary: HOUR },
            late_window: HOUR,
            sync: JournalSync::Always,
            cache: ByteCount::mib(8),
            max_bytes: None,
            max_series: usize::MAX,
            max_memory: None,
            guards_clock: false,
        }
    }

    /// How long a tier keeps; `None`: off.
    #[must_use]
    pub const fn keeps(&self, tier: Tier) -> Option<Duration> {
        match tier {
            Tier::Raw => Some(self.raw),
            Tier::Aggregated => self.aggregated,
            Tier::Summary => self.summary,
        }
    }

    /// The longest that a tier keeps any series; `None`: it is off.
    #[must_use]
    pub fn longest_in(&self, tier: Tier) -> Option<Duration> {
        (0..=self.rules.len()).filter_map(|class| self.keeps_of(class, tier)).max()
    }

    /// The longest that any tier keeps any series: what is older is refused.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Tier::ALL.into_iter().filter_map(|tier| self.longest_in(tier)).max().unwrap_or(self.raw)
    }
}
