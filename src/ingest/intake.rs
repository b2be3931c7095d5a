//! The one way in. Callers check their batch and wait; one thread owns the store's writer, makes
//! all that waits one group, appends it with one sync and answers each.
//!
//! After an error nothing of the group was kept, and each waiter hears so. A panic while appending
//! leaves the writer in a state that nobody knows: from then on everything is refused and the store
//! is shown as unhealthy, so that a supervisor restarts the daemon, which replays the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedMutexGuard, mpsc, oneshot};

use super::custom::{Plan, Totals};
use super::limits::{Cause, Checked, check};
use super::{Board, IngestError, Options, Recording, Registry, Rejection, Report};
use crate::clock::{SharedClock, Stopwatch};
use crate::model::{Batch, Origin};
use crate::store::{Appended, StoreError, Writer};
use crate::telemetry::{Component, Health, HealthBoard, OwnMetrics};

/// Requests that may wait; more are told to come again.
const QUEUE: usize = 1024;
/// Bytes of batches that may wait, so that a burst of large requests cannot take all memory. One
/// batch of any size is taken where nothing waits.
const QUEUE_BYTES: usize = 128 << 20;
/// Requests in one group.
const GROUP_REQUESTS: usize = 64;
/// Bytes in one group, so that one commit stays short.
const GROUP_BYTES: usize = 8 << 20;

/// How long a caller waits for sealing to catch up before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two lines of the log that say the same.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Hears the outcome, on the intake's thread.
type Done = Box<dyn FnOnce(Result<Report, IngestError>) + Send>;
type Answer<T> = oneshot::Sender<Result<T, IngestError>>;

enum Order {
    Append(Box<Waiter>),
    Cut(Answer<()>),
    Sync(Answer<()>),
    Close(Answer<()>),
}

/// Closed while what is unsealed must not grow.
#[derive(Debug, Default)]
struct Gate {
    closed: AtomicBool,
    changed: Notify,
}

impl Gate {
    fn set(&self, closed: bool) {
        if self.closed.swap(closed, Ordering::SeqCst) && !closed {
            self.changed.notify_waiters();
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    async fn opened(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.is_closed() {
                return;
            }
            changed.await;
        }
    }
}

struct Waiter {
    checked: Checked,
    done: Done,
}

/// The bridge for writing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake {
    orders: mpsc::Sender<Order>,
    waiting: Arc<AtomicUsize>,
    full: Arc<Notify>,
    gate: Arc<Gate>,
    options: Arc<Options>,
    clock: SharedClock,
    own: OwnMetrics,
}

impl Intake {
    /// Starts the thread that owns the writer.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(writer: Writer, options: Options, clock: SharedClock, own: OwnMetrics, health: HealthBoard, board: Board) -> Result<Self, IngestError> {
        let (orders, receiver) = mpsc::channel(QUEUE);
        let full = Arc::new(Notify::new());
        let gate = Arc::new(Gate::default());
        let waiting = Arc::new(AtomicUsize::new(0));
        health.healthy(Component::Journal);
        let keeper = Thread {
            writer,
            receiver,
            waiting: Arc::clone(&waiting),
            full: Arc::clone(&full),
            gate: Arc::clone(&gate),
            clock: Arc::clone(&clock),
            own: own.clone(),
            health,
            board,
            said: None,
            broken: None,
        };
        std::thread::Builder::new().name("intake".to_owned()).spawn(move || keeper.run()).map_err(|source| StoreError::File {
            doing: "start the thread of",
            path: PathBuf::from("intake"),
            source,
        })?;
        Ok(Self { orders, waiting, full, gate, options: Arc::new(options), clock, own })
    }

    /// Checks, makes durable, answers. An error: nothing of it was kept. Where more came than could be
    /// sealed, it waits first.
    ///
    /// # Errors
    /// The queue is full, the daemon stops, or the store failed.
    pub async fn submit(&self, batch: Batch) -> Result<Report, IngestError> {
        if self.gate.is_closed() && tokio::time::timeout(PATIENCE, self.gate.opened()).await.is_err() {
            return Err(IngestError::Busy);
        }
        let (answer, receiver) = oneshot::channel();
        self.send(
            batch,
            Box::new(move |outcome| {
                // Nobody waits any more: it is durable all the same.
                let _ = answer.send(outcome);
            }),
        );
        receiver.await.unwrap_or(Err(IngestError::Stopped))
    }

    /// Checks and queues a batch; `done` hears the outcome.
    fn send(&self, batch: Batch, done: Done) {
        let checked = check(batch, &self.options, self.clock.now());
        for cause in &checked.causes {
            self.own.samples_rejected.with_label_values(&[cause.as_str()]).inc();
        }
        let waiter = Waiter { checked, done };
        if waiter.checked.batch.is_empty() {
            return waiter.finish(&Ok(Appended::default()));
        }
        let bytes = waiter.checked.batch.weight();
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before.saturating_add(bytes) > QUEUE_BYTES {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            return (waiter.done)(Err(IngestError::Busy));
        }
        match self.orders.try_send(Order::Append(Box::new(waiter))) {
            Err(mpsc::error::TrySendError::Full(Order::Append(waiter))) => {
                self.waiting.fetch_sub(bytes, Ordering::Relaxed);
                (waiter.done)(Err(IngestError::Busy));
            }
            Err(mpsc::error::TrySendError::Closed(Order::Append(waiter))) => (waiter.done)(Err(IngestError::Stopped)),
            _ => {}
        }
    }

    /// Unlinks journal files of which nothing is needed.
    ///
    /// # Errors
    /// The daemon stops, or the store failed.
    pub async fn cut(&self) -> Result<(), IngestError> {
        self.ask(Order::Cut).await
    }

    /// Syncs what an interval left unsynced.
    ///
    /// # Errors
    /// The daemon stops, or the store failed.
    pub async fn sync(&self) -> Result<(), IngestError> {
        self.ask(Order::Sync).await
    }

    /// Yields whenever sealing is due by size.
    pub async fn full(&self) {
        self.full.notified().await;
    }

    /// Answers what waits, closes the store's writer, ends the thread.
    ///
    /// # Errors
    /// It is closed already, or the store failed.
    pub async fn close(&self) -> Result<(), IngestError> {
        self.ask(Order::Close).await
    }

    async fn ask(&self, order: impl FnOnce(Answer<()>) -> Order) -> Result<(), IngestError> {
        let (answer, receiver) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| IngestError::Stopped)?;
        receiver.await.unwrap_or(Err(IngestError::Stopped))
    }
}

impl Registry {
    /// Turns recordings into a batch by type and sends it through the intake. The indexes of
    /// rejections are those of `recordings`; `accepted` counts recordings.
    ///
    /// Whoever holds the totals takes along what all others left on the desk meanwhile, so that
    /// many small recordings share one commit. They are held until the outcome is known: who comes
    /// next must build on what is durable, or an increment would be lost.
    ///
    /// # Errors
    /// As [`Intake::submit`]: nothing was kept.
    pub async fn record(&self, intake: &Intake, recordings: Vec<Recording>) -> Result<Report, IngestError> {
        let (answer, mut receiver) = oneshot::channel();
        self.desk().leave(Recorded { recordings, answer });
        let totals = tokio::select! {
            biased;
            answered = &mut receiver => return answered.unwrap_or(Err(IngestError::Stopped)),
            totals = self.desk().totals() => totals,
        };
        let (registry, intake) = (self.clone(), intake.clone());
        // Detached from the caller: what was taken from the desk is answered even if it goes away.
        drop(tokio::task::spawn_blocking(move || registry.record_waiting(&intake, totals)));
        receiver.await.unwrap_or(Err(IngestError::Stopped))
    }

    fn record_waiting(&self, intake: &Intake, mut totals: OwnedMutexGuard<Totals>) {
        let waiting = self.desk().take();
        let recordings: Vec<&Recording> = waiting.iter().flat_map(|w| &w.recordings).collect();
        if recordings.is_empty() {
            return answer_each(waiting, Vec::new(), &Ok(Report::default()));
        }
        match self.plan(&mut totals, &recordings) {
            Err(error) => answer_each(waiting, Vec::new(), &Err(error)),
            Ok(Plan { batch, owners, after, mut rejected }) => intake.send(
                batch,
                Box::new(move |outcome| {
                    totals.settle(after, &outcome);
                    for refused in outcome.iter().flat_map(|report| &report.rejected) {
                        let of = owners.get(refused.index).into_iter().flatten();
                        rejected.extend(of.map(|&index| Rejection { index, reason: refused.reason.clone() }));
                    }
                    answer_each(waiting, rejected, &outcome);
                }),
            ),
        }
    }
}

/// Tells each who recorded what became of theirs; positions in `rejected` run through all of them.
fn answer_each(waiting: Vec<Recorded>, mut rejected: Vec<Rejection>, outcome: &Result<Report, IngestError>) {
    rejected.sort_by_key(|r| r.index);
    rejected.dedup_by_key(|r| r.index);
    let mut rejected = rejected.into_iter().peekable();
    let mut start = 0;
    for Recorded { recordings, answer } in waiting {
        let end = start + recordings.len();
        let mut mine = Vec::new();
        while let Some(refused) = rejected.next_if(|r| r.index < end) {
            mine.push(Rejection { index: refused.index - start, ..refused });
        }
        let report = Report { accepted: recordings.len() - mine.len(), rejected: mine, ..Report::default() };
        start = end;
        // Nobody waits any more: it is recorded all the same.
        let _ = answer.send(outcome.as_ref().map(|_| report).map_err(Clone::clone));
    }
}

/// What one call recorded, and who waits for it.
#[derive(Debug)]
struct Recorded {
    recordings: Vec<Recording>,
    answer: Answer<Report>,
}

/// Where recordings wait for whoever holds the totals of cumulative series.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: Mutex<Vec<Recorded>>,
    totals: Arc<tokio::sync::Mutex<Totals>>,
}

impl Desk {
    fn leave(&self, recorded: Recorded) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
    }

    fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn totals(&self) -> impl Future<Output = OwnedMutexGuard<Totals>> + use<> {
        Arc::clone(&self.totals).lock_owned()
    }
}

impl Waiter {
    /// Answers with what the store says of this batch.
    fn finish(self, outcome: &Result<Appended, Arc<StoreError>>) {
        (self.done)(match outcome {
            Ok(appended) => Ok(report_of(&self.checked, appended)),
            Err(error) => Err(IngestError::Store(Arc::clone(error))),
        });
    }
}

fn report_of(checked: &Checked, appended: &Appended) -> Report {
    let old = |&index: &usize| Rejection { index: checked.position(index), reason: "no tier keeps this time any more".to_owned() };
    let room = appended.grown.as_deref().unwrap_or("there is no room for new series");
    let new = |&index: &usize| Rejection { index: checked.position(index), reason: room.to_owned() };
    let refused = appended.too_old.iter().map(old).chain(appended.no_room.iter().map(new));
    let mut rejected: Vec<Rejection> = checked.rejected.iter().cloned().chain(refused).collect();
    rejected.sort_by_key(|r| r.index);
    Report { accepted: appended.accepted, histograms: appended.histograms, exemplars: appended.exemplars, rejected }
}

/// What the intake's thread owns.
struct Thread {
    writer: Writer,
    receiver: mpsc::Receiver<Order>,
    /// Bytes of the batches in the queue.
    waiting: Arc<AtomicUsize>,
    full: Arc<Notify>,
    gate: Arc<Gate>,
    clock: SharedClock,
    own: OwnMetrics,
    health: HealthBoard,
    board: Board,
    /// When it was last said that there is no room for new series.
    said: Option<Stopwatch>,
    /// Set by a panic: the writer is not touched any more.
    broken: Option<Arc<StoreError>>,
}

impl Thread {
    fn run(mut self) {
        let mut closing: Option<Answer<()>> = None;
        while let Some(order) = self.receiver.blocking_recv() {
            let mut group = Vec::new();
            let mut next = Some(order);
            while let Some(order) = next.take() {
                match order {
                    Order::Append(waiter) => {
                        self.waiting.fetch_sub(waiter.checked.batch.weight(), Ordering::Relaxed);
                        group.push(*waiter);
                    }
                    Order::Cut(answer) => {
                        self.append(std::mem::take(&mut group));
                        let cut = self.guarded("cut the journal", Writer::cut);
                        self.gate.set(self.broken.is_none() && self.writer.is_overfull());
                        let _ = answer.send(cut);
                    }
                    Order::Sync(answer) => {
                        let _ = answer.send(self.guarded("sync the journal", Writer::sync));
                    }
                    Order::Close(answer) => {
                        // What is queued already is still taken; nothing new is.
                        self.receiver.close();
                        closing = Some(answer);
                    }
                }
                let bytes: usize = group.iter().map(|w| w.checked.batch.weight()).sum();
                if group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
                    next = self.receiver.try_recv().ok();
                }
            }
            self.append(group);
        }
        let closed = self.close();
        if let Some(answer) = closing {
            let _ = answer.send(closed);
        }
    }

    fn append(&mut self, group: Vec<Waiter>) {
        self.own.queue_depth.with_label_values(&["intake"]).set(self.receiver.len() as f64);
        if group.is_empty() {
            return;
        }
        // The store wants the batches in a row.
        let mut waiters = group;
        let batches: Vec<Batch> = waiters.iter_mut().map(|w| std::mem::take(&mut w.checked.batch)).collect();
        let watch = Stopwatch::start();
        match self.guarded("append", |writer| writer.append(&batches)) {
            Ok(all) => {
                self.own.commits.inc();
                self.own.commit_duration.observe(watch.elapsed().as_secs_f64());
                self.health.healthy(Component::Journal);
                let now = self.clock.now();
                let mut all = all.into_iter();
                for (waiter, batch) in waiters.into_iter().zip(&batches) {
                    let appended = all.next().unwrap_or_default();
                    self.count(batch.origin, &appended);
                    self.board.take(batch, now);
                    waiter.finish(&Ok(appended));
                }
                if self.writer.is_full() {
                    self.full.notify_one();
                    self.gate.set(self.writer.is_overfull());
                }
            }
            Err(IngestError::Store(error)) => {
                if self.broken.is_none() {
                    self.health.degraded(Component::Journal, error.to_string());
                }
                tracing::error!(error = %error, requests = waiters.len(), "a group of batches could not be stored");
                if matches!(*error, StoreError::Full { .. }) {
                    // The next round of maintenance makes room.
                    self.full.notify_one();
                }
                let failed = Err(error);
                waiters.into_iter().for_each(|waiter| waiter.finish(&failed));
            }
            // The writer yields store errors alone; dropping the waiters tells them that it stops.
            Err(other) => tracing::error!(error = %other, "a group of batches could not be stored"),
        }
    }

    fn count(&mut self, origin: Origin, appended: &Appended) {
        let origin = match origin {
            Origin::Collected => "collected",
            Origin::Custom => "custom",
            Origin::Derived => "derived",
            Origin::Pushed => "pushed",
        };
        self.own.samples_accepted.with_label_values(&[origin]).inc_by(appended.accepted as u64);
        if !appended.too_old.is_empty() {
            self.own.samples_rejected.with_label_values(&[Cause::Old.as_str()]).inc_by(appended.too_old.len() as u64);
        }
        if let Some(grown) = &appended.grown {
            self.own.samples_rejected.with_label_values(&[Cause::Room.as_str()]).inc_by(appended.no_room.len() as u64);
            // Every request may bring some: once a minute is enough to be read.
            if self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
                self.said = Some(Stopwatch::start());
                tracing::warn!(refused = appended.no_room.len(), "{grown}");
            }
        }
    }

    /// Calls the writer unless a panic broke it; a panic breaks it.
    fn guarded<T>(&mut self, doing: &'static str, call: impl FnOnce(&mut Writer) -> Result<T, StoreError>) -> Result<T, IngestError> {
        if let Some(error) = &self.broken {
            return Err(IngestError::Store(Arc::clone(error)));
        }
        let writer = &mut self.writer;
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| call(writer))) {
            return Ok(result?);
        }
        let reason = format!("a fault of the program while it was to {doing}: nothing is taken until the daemon is restarted");
        self.health.set(Component::Store, Health::Unhealthy, Some(reason.clone()));
        self.health.set(Component::Journal, Health::Unhealthy, Some(reason.clone()));
        let error = Arc::new(StoreError::Damaged { what: "the state of the writer".to_owned(), reason });
        self.broken = Some(Arc::clone(&error));
        Err(IngestError::Store(error))
    }

    fn close(self) -> Result<(), IngestError> {
        match self.broken {
            Some(error) => Err(IngestError::Store(error)),
            None => Ok(self.writer.close()?),
        }
    }
}

#[cfg(test)]
mod tests;
