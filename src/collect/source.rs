//! The trait behind which every collector stands, and the list of those that watch the machine.
//! Knows no scheduler.

use std::time::Duration;

use super::gathered::Gathered;
use super::system;
use super::{CollectError, Options};
use crate::model::{Category, Timestamp};

/// One thing that is read in one go and fails alone.
pub trait Source: Send {
    /// Its name, as `up` and the statistics show it.
    fn name(&self) -> &str;

    /// Reads everything now. What was added before an error is thrown away.
    ///
    /// # Errors
    /// It could not be read; the source stays usable and is asked again at the next round.
    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError>;

    /// Whether it wants to be read in the round at `now`.
    fn is_due(&mut self, _now: Timestamp) -> bool {
        true
    }

    /// The `job` label of its series.
    fn job(&self) -> &'static str {
        "node"
    }

    /// What its metrics are about.
    fn category(&self) -> Category {
        Category::System
    }

    /// How long it may take where that is longer than a round waits. Such a source's values join
    /// the round in which they are there, and stand until the next.
    fn patience(&self) -> Option<Duration> {
        None
    }
}

/// Makes one source.
pub(crate) type Make = fn(&Options) -> Box<dyn Source>;

/// Every source that watches the machine.
pub(crate) const SOURCES: &[Make] = &[
    |_| Box::new(system::Cpu::default()),
    |_| Box::new(system::Memory::default()),
    |_| Box::new(system::Vmstat::default()),
    |_| Box::new(system::Disk),
    |_| Box::new(system::Filesystem::default()),
    |_| Box::new(system::Network::default()),
    |_| Box::new(system::Netstat::default()),
    |_| Box::new(system::Sockstat::default()),
    |_| Box::new(system::Processes::default()),
    |_| Box::new(system::Load),
    |_| Box::new(system::Thermal::default()),
    |_| Box::new(system::PressureStall),
    |_| Box::new(system::Uptime),
    |_| Box::new(system::Uname),
    |_| Box::new(system::Kernel::default()),
    |options| Box::new(system::Top::new(options.process_interval, options.process_top)),
];

/// Whether a pace has a new beat since `last`. Beats lie on multiples of `every`, so that a round
/// that comes a little early or late skips none.
pub(crate) fn beat(every: Duration, last: Option<Timestamp>, now: Timestamp) -> bool {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    last.is_none_or(|last| last.millis().div_euclid(every) != now.millis().div_euclid(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_pace_beats_once_in_its_time() {
        let pace = Duration::from_secs(30);
        let mut last = None;
        let beats: Vec<i64> = (0..20)
            .map(|i| 1000 + i * 5000)
            .filter(|t| {
                let due = beat(pace, last, Timestamp(*t));
                last = if due { Some(Timestamp(*t)) } else { last };
                due
            })
            .collect();
        assert_eq!(beats, [1000, 31_000, 61_000, 91_000]);
    }
}
