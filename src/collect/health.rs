//! How collecting goes, by source: counts for the API, the state for the health board. Knows no
//! source itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::Timestamp;
use crate::telemetry::{Component, Health, HealthBoard};

/// Figures of one source since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceStats {
    /// Collections that were due.
    pub runs: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Why the newest failure failed.
    pub last_error: Option<String>,
    /// The round of the newest success.
    pub last_success: Option<Timestamp>,
    /// How long the newest collection that returned took.
    pub last_duration: Option<Duration>,
}

/// Figures of the collectors since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectStats {
    /// Rounds.
    pub runs: u64,
    /// Rounds in which anything failed, storing included.
    pub failures: u64,
    /// How long the newest round took, from its start until everything was gathered.
    pub last_duration: Option<Duration>,
    /// By name of the source.
    pub sources: BTreeMap<String, SourceStats>,
}

/// The figures as they are shared. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<CollectStats>>);

impl Ledger {
    /// The figures now.
    pub(crate) fn stats(&self) -> CollectStats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts one collection of a source.
    pub(crate) fn source(&self, name: &str, t: Timestamp, took: Option<Duration>, error: Option<String>) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = stats.sources.entry(name.to_owned()).or_default();
        source.runs += 1;
        source.last_duration = took.or(source.last_duration);
        match error {
            Some(error) => {
                source.failures += 1;
                source.last_error = Some(error);
            }
            None => source.last_success = Some(t),
        }
    }

    /// Counts a round.
    pub(crate) fn round(&self, took: Duration, failed: bool) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stats.runs += 1;
        stats.failures += u64::from(failed);
        stats.last_duration = Some(took);
    }

    /// Forgets sources that are no more.
    pub(crate) fn keep(&self, names: &[String]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sources.retain(|name, _| names.contains(name));
    }
}

/// Writes on the board how the newest round went: which sources failed, or that nothing was stored.
pub(crate) fn report(board: &HealthBoard, failing: &[(String, String)], sources: usize, stored: Result<(), &str>) {
    let list: Vec<String> = failing.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    let (health, message) = match stored {
        Err(reason) => (Health::Unhealthy, Some(format!("what was collected could not be stored: {reason}"))),
        Ok(()) if failing.is_empty() => (Health::Healthy, None),
        Ok(()) if failing.len() == sources => (Health::Unhealthy, Some(list.join("; "))),
        Ok(()) => (Health::Degraded, Some(list.join("; "))),
    };
    board.set(Component::Collector, health, message);
}
