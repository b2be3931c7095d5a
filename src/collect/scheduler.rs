//! The rounds. In one, all sources that are due run side by side, each on a thread of its own with
//! its own deadline; what has arrived by then becomes one batch with one time, submitted once.
//!
//! Steps of a round: start what is due; wait for each until the deadline (for patient ones only a
//! moment); settle each into the batch; learn new names; submit; write down how it went. Rounds
//! never overlap. A source that fails, hangs or panics is one `up 0` in the batch, no more.
//!
//! Knows neither the store nor the intake: only [`Sink`].

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::health::{Ledger, report};
use super::round::{Giver, Rounds};
use super::slot::{Outcome, Slot};
use super::{Gathered, Source};
use crate::clock::{SharedClock, Stopwatch};
use crate::model::{Batch, MetricMeta, Timestamp};
use crate::task::{Pool, Stop};
use crate::telemetry::{HealthBoard, OwnMetrics};

/// How long a round waits for sources that may take longer than a round.
const MOMENT: Duration = Duration::from_millis(250);
/// A source that takes longer runs beside the next.
const QUICK: Duration = Duration::from_millis(5);
/// A timer that fires so late or less was meant for the round time before.
const WOKEN_LATE_MS: i64 = 20;
/// The second round comes this long after the first, so that rates show at once.
const SECOND: Duration = Duration::from_secs(1);

/// Takes what a round yields.
pub(crate) trait Sink: Send + Sync + 'static {
    /// Makes the batch durable; the error is a sentence.
    fn submit(&self, batch: Batch) -> impl Future<Output = Result<(), String>> + Send;
    /// Learns metadata of names that are new.
    fn learn(&self, metadata: Vec<(String, MetricMeta)>) -> impl Future<Output = Result<(), String>> + Send;
}

/// How fast rounds are wished for, and which was stored last. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Beat {
    /// At least this often; `None`: as configured.
    pub(crate) pace: Arc<watch::Sender<Option<Duration>>>,
    /// The time of the newest round that is stored.
    pub(crate) stored: Arc<watch::Sender<Timestamp>>,
}

/// What a scheduler works with.
pub(crate) struct Around<S> {
    pub(crate) sink: S,
    pub(crate) clock: SharedClock,
    pub(crate) own: OwnMetrics,
    pub(crate) health: HealthBoard,
    pub(crate) ledger: Ledger,
    pub(crate) instance: String,
}

/// Runs rounds over a list of sources.
pub(crate) struct Scheduler<S> {
    around: Around<S>,
    slots: Vec<Slot>,
    rounds: Rounds,
    pool: Pool,
    deadline: Duration,
    learned: HashSet<String>,
}

impl<S: Sink> Scheduler<S> {
    /// With these sources; each may take `deadline`, unless it is patient.
    pub(crate) fn new(around: Around<S>, sources: Vec<Box<dyn Source>>, deadline: Duration) -> Self {
        let slots: Vec<Slot> = sources.into_iter().map(Slot::new).collect();
        let names: Vec<String> = slots.iter().map(|slot| slot.name.clone()).collect();
        around.ledger.keep(&names);
        // One thread for each source: one that hangs takes none from the others.
        let pool = Pool::new(slots.len(), slots.len());
        let rounds = Rounds::new(around.instance.clone());
        Self { around, slots, rounds, pool, deadline, learned: HashSet::new() }
    }

    /// The first round now, the second 1 s later, then one at every multiple of `interval`, or of
    /// the pace that is wished for meanwhile, where that is shorter.
    pub(crate) async fn run(mut self, interval: Duration, beat: &Beat, stop: Stop) {
        self.round_on(interval, beat).await;
        let mut second = Some(SECOND.min(interval));
        let mut pace = beat.pace.subscribe();
        loop {
            let wished = *pace.borrow_and_update();
            let every = wished.map_or(interval, |wished| wished.min(interval));
            let wait = second.take().unwrap_or_else(|| until_next(self.around.clock.now(), every));
            tokio::select! {
                alive = stop.sleep(wait) => {
                    if !alive {
                        return;
                    }
                    self.round_on(every, beat).await;
                }
                // The sender lives as long as the collector.
                Ok(()) = pace.changed() => {}
            }
        }
    }

    /// One round, told to whoever waits for it once it is stored.
    async fn round_on(&mut self, every: Duration, beat: &Beat) {
        let t = aligned(self.around.clock.now(), every);
        let t = self.round_at(t).await;
        beat.stored.send_replace(t);
    }

    /// One round, now.
    #[cfg(test)]
    pub(crate) async fn round(&mut self) {
        self.round_at(self.around.clock.now()).await;
    }

    /// One round whose values are those of `t`, or just after where that time is taken; yields its time.
    async fn round_at(&mut self, t: Timestamp) -> Timestamp {
        let watch = Stopwatch::start();
        let t = self.rounds.begin(t);
        // Quick ones one after the other: every thread that runs at once keeps memory of its own.
        for slot in &mut self.slots {
            slot.start(t, &self.pool);
            if slot.patience.is_none() {
                slot.wait(QUICK).await;
            }
        }
        for slot in &mut self.slots {
            let most = if slot.patience.is_some() { MOMENT.min(self.deadline) } else { self.deadline };
            slot.wait(most.saturating_sub(watch.elapsed())).await;
        }
        let mut failing = Vec::new();
        let mut metadata = Vec::new();
        for index in 0..self.slots.len() {
            self.settle(index, t, &mut failing, &mut metadata);
        }
        let took = watch.elapsed();
        let stored = self.store(metadata).await;
        self.around.ledger.round(took, !failing.is_empty() || stored.is_err());
        report(&self.around.health, &failing, self.slots.len(), stored.as_ref().copied().map_err(String::as_str));
        t
    }

    /// Puts what came of one source into the batch, and writes it down.
    fn settle(&mut self, index: usize, t: Timestamp, failing: &mut Vec<(String, String)>, metadata: &mut Vec<(String, MetricMeta)>) {
        let slot = &mut self.slots[index];
        let outcome = slot.settle(self.deadline);
        let giver = Giver { index, name: &slot.name, job: slot.job };
        match outcome {
            Outcome::Arrived(gathered, took) => {
                let dropped = self.rounds.arrived(giver, &gathered);
                metadata.extend(gathered.metadata(slot.category, |name| !self.learned.contains(name)));
                self.around.own.collect_duration.with_label_values(&[&slot.name]).observe(took.as_secs_f64());
                let doubles = (dropped > 0).then(|| format!("{dropped} of its series have malformed labels or came from another source already"));
                failing.extend(doubles.clone().map(|reason| (slot.name.clone(), reason)));
                if doubles.is_some() {
                    self.around.own.collect_failures.with_label_values(&[&slot.name]).inc();
                }
                self.around.ledger.source(&slot.name, t, Some(took), doubles);
                slot.up = Some(true);
                slot.held = slot.patience.map(|_| gathered);
            }
            Outcome::Failed(error, took) => {
                let reason = error.to_string();
                if slot.up != Some(false) {
                    tracing::warn!(source = slot.name, error = reason, "a source failed; the others go on");
                }
                self.rounds.failed(giver);
                self.around.own.collect_failures.with_label_values(&[&slot.name]).inc();
                self.around.ledger.source(&slot.name, t, took, Some(reason.clone()));
                failing.push((slot.name.clone(), reason));
                slot.up = Some(false);
                slot.held = None;
            }
            Outcome::Standing => match (&slot.held, slot.up) {
                (Some(held), _) => drop(self.rounds.arrived(giver, held)),
                (None, Some(up)) => self.rounds.standing(giver, up),
                (None, None) => {}
            },
        }
    }

    /// Learns and submits.
    async fn store(&mut self, metadata: Vec<(String, MetricMeta)>) -> Result<(), String> {
        let batch = self.rounds.finish();
        if !metadata.is_empty() {
            let names: Vec<String> = metadata.iter().map(|(name, _)| name.clone()).collect();
            match self.around.sink.learn(metadata).await {
                Ok(()) => self.learned.extend(names),
                Err(error) => tracing::warn!(error, "metadata of new metrics could not be kept; tried again at the next round"),
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let stored = self.around.sink.submit(batch).await;
        if let Err(error) = &stored {
            tracing::error!(error, "a round of collected values could not be stored");
        }
        stored
    }
}

/// The multiple of `every` that `now` was woken for, where it is that near; else `now`. Rounds on
/// round times meet the ticks of dashboards, and take less space.
fn aligned(now: Timestamp, every: Duration) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let late = now.millis().rem_euclid(every);
    if late <= WOKEN_LATE_MS { Timestamp(now.millis() - late) } else { now }
}

/// Time until the next multiple of `interval`.
fn until_next(now: Timestamp, interval: Duration) -> Duration {
    let every = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    Duration::from_millis((every - now.millis().rem_euclid(every)).unsigned_abs())
}

/// What one source yields now, on this thread; for those who ask once.
pub(crate) fn collect_once(source: &mut dyn Source, t: Timestamp) -> Gathered {
    let mut out = Gathered::at(t);
    match source.collect(&mut out) {
        Ok(()) => out,
        Err(error) => {
            tracing::warn!(source = source.name(), %error, "a source failed");
            Gathered::at(t)
        }
    }
}

#[cfg(test)]
mod tests;
