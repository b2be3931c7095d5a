//! The door: starts the rounds, tells how they go, takes new options.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::health::Ledger;
use super::own::Own;
use super::plugin::Plugin;
use super::scheduler::{Around, Beat, Scheduler, Sink, collect_once};
use super::source::SOURCES;
use super::{CollectStats, Options, Source, host_name};
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::ingest::{IngestError, Intake, Registry};
use crate::model::{Batch, MetricMeta, Timestamp};
use crate::store::Reader;
use crate::task::{Pool, RestartCount, Stop, spawn_supervised};
use crate::telemetry::{Component, Health, HealthBoard, OwnMetrics};

/// What the collectors work with.
#[derive(Clone, Debug)]
pub struct Handles {
    /// Where rounds go.
    pub intake: Intake,
    /// Where metadata goes.
    pub registry: Registry,
    /// For figures of the store.
    pub reader: Reader,
    /// For the daemon's own metrics.
    pub own: OwnMetrics,
    /// Where the state of the collectors is shown.
    pub health: HealthBoard,
    /// Gives rounds their time.
    pub clock: SharedClock,
    /// Ends the rounds.
    pub stop: Stop,
}

/// The running collectors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    ledger: Ledger,
    options: Arc<watch::Sender<Options>>,
    pace: Arc<watch::Sender<Option<Duration>>>,
    stored: Arc<watch::Sender<Timestamp>>,
}

impl Collector {
    /// Starts the rounds: the first now, the second 1 s later, then every interval. Must be called
    /// where a tokio runtime is at hand.
    #[must_use]
    pub fn start(options: Options, handles: Handles) -> Self {
        let ledger = Ledger::default();
        let (sender, receiver) = watch::channel(options);
        let pace = Arc::new(watch::Sender::new(None));
        let stored = Arc::new(watch::Sender::new(Timestamp::MIN));
        let beat = Beat { pace: pace.clone(), stored: stored.clone() };
        let (stop, restarts, kept) = (handles.stop.clone(), RestartCount::default(), ledger.clone());
        let counted = restarts.clone();
        let make = move || {
            let restarted = handles.own.task_restarts.with_label_values(&["collector"]);
            restarted.inc_by(counted.get().saturating_sub(restarted.get()));
            rounds(receiver.clone(), handles.clone(), kept.clone(), beat.clone())
        };
        // The loop ends by itself when stop is said.
        drop(spawn_supervised("collector", stop, restarts, make));
        Self { ledger, options: Arc::new(sender), pace, stored }
    }

    /// How it goes, since the start.
    #[must_use]
    pub fn stats(&self) -> CollectStats {
        self.ledger.stats()
    }

    /// Rounds come at least at this pace from now on; `None`: at the configured interval again.
    pub fn hasten(&self, pace: Option<Duration>) {
        self.pace.send_replace(pace);
    }

    /// The time of the newest round that is stored; the earliest time of all where none ever was.
    #[must_use]
    pub fn stored(&self) -> watch::Receiver<Timestamp> {
        self.stored.subscribe()
    }

    /// New options after a reload: the sources are made anew, the figures go on.
    pub fn reload(&self, options: Options) {
        self.options.send_replace(options);
    }
}

/// Rounds with the newest options, until stop is said.
async fn rounds(mut options: watch::Receiver<Options>, handles: Handles, ledger: Ledger, beat: Beat) {
    while !handles.stop.is_stopped() {
        let now = options.borrow_and_update().clone();
        let run = async {
            if now.enabled {
                scheduler(&now, &handles, &ledger).run(now.interval, &beat, handles.stop.clone()).await;
            } else {
                handles.health.set(Component::Collector, Health::Disabled, Some("collection.enabled is false".to_owned()));
                handles.stop.stopped().await;
            }
        };
        tokio::select! {
            () = run => return,
            // The sender lives as long as any Collector; without one nothing changes any more.
            Ok(()) = options.changed() => {}
        }
    }
}

fn scheduler(options: &Options, handles: &Handles, ledger: &Ledger) -> Scheduler<Store> {
    let mut sources: Vec<Box<dyn Source>> = SOURCES.iter().map(|make| make(options)).collect();
    sources.push(Box::new(Own::new(handles.own.clone(), handles.reader.clone(), options.cache_efficiency)));
    for plugin in &options.plugins {
        let mut plugin = plugin.clone();
        // Two sources of one name would share one `up`.
        if sources.iter().any(|source| source.name() == plugin.name) {
            plugin.name.insert_str(0, "plugin:");
        }
        sources.push(Box::new(Plugin::new(plugin, handles.stop.clone())));
    }
    let around = Around {
        sink: Store { intake: handles.intake.clone(), registry: handles.registry.clone(), pool: Pool::new(1, 1) },
        clock: handles.clock.clone(),
        own: handles.own.clone(),
        health: handles.health.clone(),
        ledger: ledger.clone(),
        instance: host_name(),
    };
    Scheduler::new(around, sources, options.deadline)
}

/// The way into the store.
struct Store {
    intake: Intake,
    registry: Registry,
    pool: Pool,
}

impl Sink for Store {
    async fn submit(&self, batch: Batch) -> Result<(), String> {
        let report = match self.intake.submit(batch).await {
            Ok(report) => report,
            // The daemon ends in the middle of a round: that is no failure.
            Err(IngestError::Stopped) => return Ok(()),
            Err(e) => return Err(e.to_string()),
        };
        match report.rejected.first() {
            None => Ok(()),
            Some(first) => Err(format!("{} samples were refused, the first because {}", report.rejected.len(), first.reason)),
        }
    }

    async fn learn(&self, metadata: Vec<(String, MetricMeta)>) -> Result<(), String> {
        let registry = self.registry.clone();
        let learned = self.pool.run(move || registry.learn(&metadata)).await.map_err(|e| e.to_string())?;
        learned.map_err(|e| e.to_string())
    }
}

/// One value that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The sample's name.
    pub name: String,
    /// Its labels, without `job` and `instance`.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

/// Reads every source that watches the machine once, on this thread. One that fails is left out.
#[must_use]
pub fn gather_once() -> Vec<Reading> {
    let day = Duration::from_secs(86_400);
    let options = Options { enabled: true, interval: day, deadline: day, process_interval: day, process_top: 10, plugins: Vec::new(), cache_efficiency: false };
    let t = SystemClock.now();
    let mut out = Vec::new();
    for make in SOURCES {
        let gathered = collect_once(make(&options).as_mut(), t);
        out.extend(gathered.rows().iter().map(|row| Reading {
            name: row.name.to_string(),
            labels: row.labels.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            value: row.value,
        }));
    }
    out
}
