//! The one way in. Callers check their batch and wait; one thread owns the store's writer, makes
//! all that waits one group, appends it with one sync and answers each.
//!
//! After an error nothing of the group was kept, and each waiter hears so. A panic while appending
//! leaves the writer in a state that nobody knows: from then on everything is refused and the store
//! is shown as unhealthy, so that a supervisor restarts the daemon, which replays the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};

use super::custom::{Plan, Totals};
use super::limits::{Cause, Checked, check};
use super::{Board, IngestError, Options, Recording, Registry, Rejection, Report};
use crate::clock::{SharedClock, Stopwatch};
use crate::model::{Batch, Origin};
use crate::store::{Appended, StoreError, Writer};
use crate::telemetry::{Component, Health, HealthBoard, OwnMetrics};

/// Requests that may wait; more are told to come again.
const QUEUE: usize = 1024;
/// Requests in one group.
const GROUP_REQUESTS: usize = 64;
/// Bytes in one group, so that one commit stays short.
const GROUP_BYTES: usize = 8 << 20;

/// Totals of cumulative custom series; whoever builds on them holds them until the outcome is known.
pub(super) type SharedTotals = Arc<tokio::sync::Mutex<Totals>>;

type Done = Box<dyn FnOnce(&Result<Report, IngestError>) + Send>;
type Answer<T> = oneshot::Sender<Result<T, IngestError>>;

enum Order {
    Append(Box<Waiter>),
    Cut(Answer<()>),
    Close(Answer<()>),
}

struct Waiter {
    checked: Checked,
    done: Option<Done>,
    answer: Answer<Report>,
}

/// The bridge for writing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake {
    orders: mpsc::Sender<Order>,
    full: Arc<Notify>,
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
        let keeper = Thread { writer, receiver, full: Arc::clone(&full), clock: Arc::clone(&clock), own: own.clone(), health, board, broken: None };
        std::thread::Builder::new().name("intake".to_owned()).spawn(move || keeper.run()).map_err(|source| StoreError::File {
            doing: "start the thread of",
            path: PathBuf::from("intake"),
            source,
        })?;
        Ok(Self { orders, full, options: Arc::new(options), clock, own })
    }

    /// Checks, makes durable, answers. An error: nothing of it was kept.
    ///
    /// # Errors
    /// The queue is full, the daemon stops, or the store failed.
    pub async fn submit(&self, batch: Batch) -> Result<Report, IngestError> {
        self.send(batch, None)?.await.unwrap_or(Err(IngestError::Stopped))
    }

    /// Queues a batch. `done` hears the outcome on the intake's thread even if nobody waits for the
    /// answer any more.
    fn send(&self, batch: Batch, done: Option<Done>) -> Result<oneshot::Receiver<Result<Report, IngestError>>, IngestError> {
        let checked = check(batch, &self.options, self.clock.now());
        for cause in &checked.causes {
            self.own.samples_rejected.with_label_values(&[cause.as_str()]).inc();
        }
        let (answer, receiver) = oneshot::channel();
        let waiter = Waiter { checked, done, answer };
        if waiter.checked.batch.is_empty() {
            waiter.finish(&Ok(Appended::default()));
            return Ok(receiver);
        }
        match self.orders.try_send(Order::Append(Box::new(waiter))) {
            Ok(()) => Ok(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => Err(IngestError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(IngestError::Stopped),
        }
    }

    /// Unlinks journal files of which nothing is needed.
    ///
    /// # Errors
    /// The daemon stops, or the store failed.
    pub async fn cut(&self) -> Result<(), IngestError> {
        self.ask(Order::Cut).await
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
    /// # Errors
    /// As [`Intake::submit`]: nothing was kept.
    pub async fn record(&self, intake: &Intake, recordings: Vec<Recording>) -> Result<Report, IngestError> {
        // Held until the outcome is known, by the intake's thread if the caller goes away: whoever
        // comes next must build on totals that are durable, or an increment would be lost.
        let mut totals = self.totals().lock_owned().await;
        let registry = self.clone();
        let (plan, mut totals) = tokio::task::spawn_blocking(move || {
            let plan = registry.plan(&mut totals, &recordings);
            (plan, totals)
        })
        .await
        .map_err(|_| IngestError::Stopped)?;
        let Plan { batch, owners, after, count, mut rejected } = plan?;
        let done: Done = Box::new(move |outcome| totals.settle(after, outcome));
        let report = intake.send(batch, Some(done))?.await.unwrap_or(Err(IngestError::Stopped))?;
        for refused in report.rejected {
            for &index in owners.get(refused.index).into_iter().flatten() {
                rejected.push(Rejection { index, reason: refused.reason.clone() });
            }
        }
        rejected.sort_by_key(|r| r.index);
        rejected.dedup_by_key(|r| r.index);
        Ok(Report { accepted: count - rejected.len(), rejected })
    }
}

impl Waiter {
    /// Answers with what the store says of this batch.
    fn finish(self, outcome: &Result<Appended, Arc<StoreError>>) {
        let result = match outcome {
            Ok(appended) => Ok(report_of(&self.checked, appended)),
            Err(error) => Err(IngestError::Store(Arc::clone(error))),
        };
        if let Some(done) = self.done {
            done(&result);
        }
        // Nobody waits any more: it is durable all the same.
        let _ = self.answer.send(result);
    }
}

fn report_of(checked: &Checked, appended: &Appended) -> Report {
    let old = |&index: &usize| Rejection { index: checked.position(index), reason: "no tier keeps this time any more".to_owned() };
    let mut rejected: Vec<Rejection> = checked.rejected.iter().cloned().chain(appended.too_old.iter().map(old)).collect();
    rejected.sort_by_key(|r| r.index);
    Report { accepted: appended.accepted, rejected }
}

/// What the intake's thread owns.
struct Thread {
    writer: Writer,
    receiver: mpsc::Receiver<Order>,
    full: Arc<Notify>,
    clock: SharedClock,
    own: OwnMetrics,
    health: HealthBoard,
    board: Board,
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
                    Order::Append(waiter) => group.push(waiter),
                    Order::Cut(answer) => {
                        self.append(std::mem::take(&mut group));
                        let _ = answer.send(self.guarded("cut the journal", Writer::cut));
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

    fn append(&mut self, group: Vec<Box<Waiter>>) {
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
                }
            }
            Err(IngestError::Store(error)) => {
                if self.broken.is_none() {
                    self.health.degraded(Component::Journal, error.to_string());
                }
                tracing::error!(error = %error, requests = waiters.len(), "a group of batches could not be stored");
                let failed = Err(error);
                waiters.into_iter().for_each(|waiter| waiter.finish(&failed));
            }
            // The writer yields store errors alone; dropping the waiters tells them that it stops.
            Err(other) => tracing::error!(error = %other, "a group of batches could not be stored"),
        }
    }

    fn count(&self, origin: Origin, appended: &Appended) {
        let origin = match origin {
            Origin::Collected => "collected",
            Origin::Custom => "custom",
            Origin::Pushed => "pushed",
        };
        self.own.samples_accepted.with_label_values(&[origin]).inc_by(appended.accepted as u64);
        if !appended.too_old.is_empty() {
            self.own.samples_rejected.with_label_values(&[Cause::Old.as_str()]).inc_by(appended.too_old.len() as u64);
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
