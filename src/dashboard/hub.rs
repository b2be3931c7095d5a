//! A task for each dashboard that is watched. At every tick it computes once, on the pool, what is
//! new, makes one text of it, and hands the same bytes to all viewers; with nobody left it ends.
//!
//! Ticks lie on multiples of the update interval. While somebody watches, the machine is collected
//! at that pace too, and a tick waits until the round of its time is stored, but not for long.
//! Viewers read from a ring of a few frames: one who is too slow to read it misses frames, and gets
//! a snapshot next, made at most once a tick however many want it. Knows no socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, watch};

use super::frame::{Frames, Trail};
use super::{Book, Dashboard, DashboardError, Entry};
use crate::clock::{SharedClock, Stopwatch};
use crate::model::Timestamp;
use crate::task::{Deadline, Pool, RestartCount, Stop, spawn_supervised};
use crate::telemetry::OwnMetrics;

/// Frames that a viewer may be behind before it has missed one. Shared by all viewers.
const RING: usize = 4;
/// How long a tick waits at most for the round of its time.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// What a hub has to do with the collection of the machine.
pub trait Watched: Send + Sync {
    /// Somebody watches: collect at this pace. `None`: nobody does any more.
    fn pace(&self, pace: Option<Duration>);
    /// The time of the newest round that is stored; the earliest time of all where none ever was.
    fn stored(&self) -> watch::Receiver<Timestamp>;
}

/// What a hub works with.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is the handle that its type documents")]
pub struct Around {
    pub book: Book,
    pub frames: Frames,
    pub pool: Pool,
    pub clock: SharedClock,
    pub own: OwnMetrics,
    pub watched: Arc<dyn Watched>,
    pub stop: Stop,
    /// Where tasks run, whoever asks for them.
    pub runtime: Handle,
    /// From tick to tick.
    pub interval: Duration,
}

/// One frame of the ring.
#[derive(Clone, Debug)]
enum Tick {
    /// What is new since the tick at `before`.
    Update { before: Timestamp, t: Timestamp, text: Bytes },
    /// The document changed: everybody needs a snapshot.
    Renewed,
    /// There is no such dashboard any more.
    Gone,
}

/// A dashboard that is watched.
struct Channel {
    id: String,
    ticks: broadcast::Sender<Tick>,
    /// Of each viewer the tick up to which it was shown everything; later than all before the first.
    viewers: Mutex<Vec<Weak<AtomicI64>>>,
    /// The newest tick, in milliseconds.
    latest: AtomicI64,
    /// The newest snapshot; locked while it is made, so that one is made for all.
    snapshot: tokio::sync::Mutex<Option<Snapshot>>,
}

impl Channel {
    fn viewers(&self) -> MutexGuard<'_, Vec<Weak<AtomicI64>>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Viewers that were not shown everything up to `t`.
    fn behind(&self, t: Timestamp) -> usize {
        self.viewers().iter().filter_map(Weak::upgrade).filter(|position| position.load(Ordering::Relaxed) < t.0).count()
    }
}

#[derive(Clone)]
struct Snapshot {
    t: Timestamp,
    revision: u64,
    text: Bytes,
}

struct Inner {
    around: Around,
    channels: Mutex<HashMap<String, Arc<Channel>>>,
    restarts: RestartCount,
}

/// The tasks of all watched dashboards. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("watched", &self.channels().len()).finish_non_exhaustive()
    }
}

impl Hub {
    /// With nobody watching.
    #[must_use]
    pub fn new(around: Around) -> Self {
        Self(Arc::new(Inner { around, channels: Mutex::default(), restarts: RestartCount::default() }))
    }

    /// Joins those who watch a dashboard; the first one starts its task. `sees` is asked before every
    /// frame: the dashboard or who watches it may have changed.
    #[must_use]
    pub fn watch(&self, id: &str, sees: impl Fn(&Dashboard) -> bool + Send + Sync + 'static) -> Viewer {
        let mut channels = self.channels();
        let known = channels.get(id).cloned();
        let channel = known.unwrap_or_else(|| {
            let channel = Arc::new(Channel {
                id: id.to_owned(),
                ticks: broadcast::Sender::new(RING),
                viewers: Mutex::default(),
                latest: AtomicI64::new(self.last_tick(self.0.around.clock.now()).0),
                snapshot: tokio::sync::Mutex::default(),
            });
            if channels.is_empty() {
                self.0.around.watched.pace(Some(self.0.around.interval));
            }
            channels.insert(id.to_owned(), channel.clone());
            self.spawn(channel.clone());
            channel
        });
        let position = Arc::new(AtomicI64::new(i64::MAX));
        channel.viewers().push(Arc::downgrade(&position));
        Viewer { ticks: channel.ticks.subscribe(), channel, hub: self.clone(), sees: Box::new(sees), shown: None, position }
    }

    fn spawn(&self, channel: Arc<Channel>) {
        let _inside = self.0.around.runtime.enter();
        let (hub, stop) = (self.clone(), self.0.around.stop.clone());
        // It ends by itself: when nobody watches, or at the stop.
        drop(spawn_supervised("dashboard", stop, self.0.restarts.clone(), move || run(hub.clone(), channel.clone())));
    }

    /// The tick at or before `t`.
    fn last_tick(&self, t: Timestamp) -> Timestamp {
        let interval = millis(self.0.around.interval);
        Timestamp(t.0.div_euclid(interval).saturating_mul(interval))
    }

    /// Takes the channel away if nobody watches.
    fn leave(&self, channel: &Channel) -> bool {
        let mut channels = self.channels();
        let mut viewers = channel.viewers();
        viewers.retain(|position| position.strong_count() > 0);
        if !viewers.is_empty() {
            return false;
        }
        channels.remove(&channel.id);
        if channels.is_empty() {
            self.0.around.watched.pace(None);
        }
        true
    }

    /// Takes the channel away whoever watches, and tells them.
    fn forget(&self, channel: &Channel) {
        let mut channels = self.channels();
        channels.remove(&channel.id);
        // Nobody may be there to hear it just now.
        let _ = channel.ticks.send(Tick::Gone);
        if channels.is_empty() {
            self.0.around.watched.pace(None);
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Arc<Channel>>> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshot at the newest tick; made once for all who want it.
    async fn snapshot(&self, channel: &Channel) -> Result<Snapshot, DashboardError> {
        let mut made = channel.snapshot.lock().await;
        let entry = self.0.around.book.find(&channel.id).ok_or_else(|| DashboardError::no_dashboard(&channel.id))?;
        let t = Timestamp(channel.latest.load(Ordering::Acquire));
        if let Some(snapshot) = made.as_ref().filter(|made| made.t == t && made.revision == entry.revision) {
            return Ok(snapshot.clone());
        }
        let frames = self.0.around.frames.clone();
        let snapshot = self.0.around.pool.run(move || snapshot_of(&frames, &entry, t)).await?;
        *made = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Waits until the round of collection at `t` is stored, or long enough.
    async fn collected(&self, t: Timestamp) {
        let mut stored = self.0.around.watched.stored();
        let limit = LONGEST_WAIT.min(self.0.around.interval / 2);
        // Whether it came or not, the tick goes on with what is there.
        let _ = tokio::time::timeout(limit, stored.wait_for(|newest| *newest >= t)).await;
    }
}

fn snapshot_of(frames: &Frames, entry: &Entry, t: Timestamp) -> Snapshot {
    let deadline = Deadline::after(frames.timeout());
    let frame = frames.snapshot(&entry.dashboard, t, &deadline);
    let frame = if entry.dashboard.access.least().is_none() { frame.discreet() } else { frame };
    Snapshot { t, revision: entry.revision, text: frame.snapshot_text(&entry.dashboard.id, entry.revision) }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// The ticks of one dashboard, as long as somebody watches.
async fn run(hub: Hub, channel: Arc<Channel>) {
    let around = &hub.0.around;
    let mut trail = Trail::after(Timestamp(channel.latest.load(Ordering::Acquire)));
    let mut shown = around.book.find(&channel.id);
    loop {
        let now = around.clock.now();
        // The clock was put back: ticks begin anew from there.
        let put_back = trail.before > now + 2 * around.interval;
        if put_back {
            trail = Trail::after(hub.last_tick(now));
        }
        let next = hub.last_tick(now).max(trail.before) + around.interval;
        if !around.stop.sleep(Duration::from_millis(next.0.saturating_sub(now.0).max(0).unsigned_abs())).await {
            return;
        }
        if hub.leave(&channel) {
            return;
        }
        hub.collected(next).await;
        let Some(entry) = around.book.find(&channel.id) else { return hub.forget(&channel) };
        let changed = put_back || shown.as_ref().is_none_or(|shown| !Arc::ptr_eq(&shown.dashboard, &entry.dashboard));
        if changed {
            trail = Trail::after(trail.before);
        }
        shown = Some(entry.clone());
        trail = tick(&hub, &channel, entry, trail, next, changed).await;
    }
}

/// Computes one frame and hands it to whoever watches.
async fn tick(hub: &Hub, channel: &Channel, entry: Entry, trail: Trail, t: Timestamp, renewed: bool) -> Trail {
    let (frames, before) = (hub.0.around.frames.clone(), trail.before);
    let work = move || {
        let mut trail = trail;
        let deadline = Deadline::after(frames.timeout());
        let frame = frames.update(&entry.dashboard, &mut trail, t, &deadline);
        let frame = if entry.dashboard.access.least().is_none() { frame.discreet() } else { frame };
        (trail, frame.update_text())
    };
    let watch = Stopwatch::start();
    match hub.0.around.pool.run(work).await {
        Ok((trail, text)) => {
            hub.0.around.own.query_duration.with_label_values(&["frame"]).observe(watch.elapsed().as_secs_f64());
            channel.latest.store(t.0, Ordering::Release);
            // The frame that falls out of the ring now is lost to whoever has not taken it.
            let fallen = t - hub.0.around.interval * RING as u32;
            hub.0.around.own.dashboard_frames.with_label_values(&["skipped"]).inc_by(channel.behind(fallen) as u64);
            // Nobody may be there to hear it just now.
            let _ = channel.ticks.send(if renewed { Tick::Renewed } else { Tick::Update { before, t, text } });
            trail
        }
        Err(error) => {
            tracing::warn!(dashboard = channel.id, %error, "a tick of a dashboard was left out");
            Trail::after(before)
        }
    }
}

/// What a viewer is handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The text of a frame.
    Frame(Bytes),
    /// The dashboard was deleted, or the daemon stops.
    Gone,
    /// It is no longer for this viewer.
    Denied,
    /// It cannot be shown now; trying again may help.
    Failed(String),
}

/// One who watches a dashboard.
pub struct Viewer {
    ticks: broadcast::Receiver<Tick>,
    channel: Arc<Channel>,
    hub: Hub,
    /// Whether the dashboard is for this viewer.
    sees: Box<dyn Fn(&Dashboard) -> bool + Send + Sync>,
    /// The tick up to which it was shown everything; `None`: a snapshot is due.
    shown: Option<Timestamp>,
    /// The same, for the task to see; it counts as watching as long as this lives.
    position: Arc<AtomicI64>,
}

impl std::fmt::Debug for Viewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Viewer").field("dashboard", &self.channel.id).finish_non_exhaustive()
    }
}

impl Viewer {
    fn was_shown(&mut self, t: Timestamp) {
        self.shown = Some(t);
        self.position.store(t.0, Ordering::Relaxed);
    }

    /// The next frame: a snapshot first and after every frame that was missed, else an update.
    pub async fn next(&mut self) -> Shown {
        let shown = self.newest().await;
        // Asked last: what was waited for may not go out where the access was taken away meanwhile.
        match self.hub.0.around.book.find(&self.channel.id) {
            Some(entry) if !(self.sees)(&entry.dashboard) => Shown::Denied,
            _ => shown,
        }
    }

    async fn newest(&mut self) -> Shown {
        let frames = self.hub.0.around.own.dashboard_frames.clone();
        loop {
            let Some(shown) = self.shown else {
                let text = match self.hub.snapshot(&self.channel).await {
                    Ok(snapshot) => {
                        self.was_shown(snapshot.t);
                        snapshot.text
                    }
                    Err(DashboardError::Missing { .. }) => return Shown::Gone,
                    Err(error) => return Shown::Failed(error.to_string()),
                };
                frames.with_label_values(&["sent"]).inc();
                return Shown::Frame(text);
            };
            match self.ticks.recv().await {
                // It was part of the snapshot.
                Ok(Tick::Update { t, .. }) if t <= shown => {}
                Ok(Tick::Update { before, t, text }) if before <= shown => {
                    self.was_shown(t);
                    frames.with_label_values(&["sent"]).inc();
                    return Shown::Frame(text);
                }
                Ok(Tick::Update { .. } | Tick::Renewed) => self.shown = None,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    // What is in the ring still is older than the snapshot that comes now.
                    self.ticks = self.channel.ticks.subscribe();
                    self.shown = None;
                }
                Ok(Tick::Gone) | Err(broadcast::error::RecvError::Closed) => return Shown::Gone,
            }
        }
    }
}

#[cfg(test)]
mod tests;
