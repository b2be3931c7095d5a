//! Collectors (stub).
#![allow(missing_docs, clippy::unimplemented, clippy::allow_attributes, reason = "stub")]
use crate::clock::{CronSchedule, SharedClock};
use crate::ingest::{Intake, Registry};
use crate::model::Timestamp;
use crate::store::Reader;
use crate::task::Stop;
use crate::telemetry::{HealthBoard, OwnMetrics};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    pub enabled: bool,
    pub interval: Duration,
    pub deadline: Duration,
    /// Pace of the top processes.
    pub process_interval: Duration,
    pub process_top: usize,
    pub plugins: Vec<PluginOptions>,
    pub cache_efficiency: bool,
}
#[derive(Clone, Debug)]
pub struct PluginOptions {
    pub name: String,
    pub command: Vec<String>,
    pub when: When,
    pub timeout: Duration,
}
#[derive(Clone, Debug)]
pub enum When {
    Every(Duration),
    Cron(CronSchedule),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceStats {
    pub runs: u64,
    pub failures: u64,
    pub last_error: Option<String>,
    pub last_success: Option<Timestamp>,
    pub last_duration: Option<Duration>,
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectStats {
    pub runs: u64,
    pub failures: u64,
    pub last_duration: Option<Duration>,
    pub sources: BTreeMap<String, SourceStats>,
}

/// The running collectors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector(());
#[derive(Clone, Debug)]
pub struct Handles {
    pub intake: Intake,
    pub registry: Registry,
    pub reader: Reader,
    pub own: OwnMetrics,
    pub health: HealthBoard,
    pub clock: SharedClock,
    pub stop: Stop,
}
impl Collector {
    /// Starts the rounds: the first now, the second 1 s later, then every interval.
    pub fn start(_options: Options, _handles: Handles) -> Self {
        unimplemented!()
    }
    pub fn stats(&self) -> CollectStats {
        unimplemented!()
    }
    /// New options after a reload.
    pub fn reload(&self, _options: Options) {
        unimplemented!()
    }
}
/// The machine's host name: the `instance` label of what is collected.
pub fn host_name() -> String {
    unimplemented!()
}
