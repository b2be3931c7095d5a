//! When rules are evaluated: each group at multiples of its interval, so that its times are the same
//! after every restart; a group that was changed also at once. Groups run on the pool, and one that
//! takes long holds up no other: its next turn is skipped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::alerts::Alerts;
use super::group::GroupKey;
use super::notify;
use crate::ingest::Intake;
use crate::model::{Batch, Timestamp};
use crate::task::{Pool, PoolError, RestartCount, Stop, spawn_supervised};
use crate::telemetry::Component;

/// The longest sleep, so that a clock that is set does not leave rules unevaluated for long.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Groups that are evaluated at once; and how many may wait for their turn.
const THREADS: usize = 2;
const WAITING: usize = 1024;

/// Starts the two loops: evaluating and sending. Both end with the stop. `pool` is for what sending
/// takes of the disk; rules have threads of their own, so that queries cannot keep them waiting.
#[must_use]
pub fn start(alerts: &Alerts, intake: Intake, pool: Pool, stop: Stop) -> Vec<JoinHandle<()>> {
    let bell = |bell: &super::outbox::Bell| {
        let woken = Arc::new(Notify::new());
        let ring = Arc::clone(&woken);
        bell.answer(move || ring.notify_one());
        woken
    };
    let (changed, posted) = (bell(&alerts.0.changed), bell(alerts.0.outbox.bell()));
    let schedule = Schedule { alerts: alerts.clone(), intake, pool: Pool::new(THREADS, WAITING), stop: stop.clone(), changed };
    let (sending, sending_stop) = (alerts.clone(), stop.clone());
    vec![
        spawn_supervised("alerts", stop.clone(), RestartCount::default(), move || schedule.clone().run()),
        spawn_supervised("notify", stop, RestartCount::default(), move || {
            notify::run(sending.clone(), pool.clone(), sending_stop.clone(), Arc::clone(&posted))
        }),
    ]
}

#[derive(Clone)]
struct Schedule {
    alerts: Alerts,
    intake: Intake,
    pool: Pool,
    stop: Stop,
    changed: Arc<Notify>,
}

/// When a group is next evaluated, and whether it is being evaluated.
#[derive(Clone, Copy, Debug)]
struct Turn {
    due: Timestamp,
    is_running: bool,
}

impl Schedule {
    async fn run(self) {
        let mut turns: BTreeMap<GroupKey, Turn> = BTreeMap::new();
        let mut running = FuturesUnordered::new();
        loop {
            let now = self.alerts.0.handles.clock.now();
            follow(&mut turns, self.alerts.groups(), now);
            for key in self.alerts.take_fresh() {
                if let Some(turn) = turns.get_mut(&key) {
                    turn.due = now;
                }
            }
            for key in due(&mut turns, now) {
                running.push(self.evaluate(key, now));
            }
            let next = turns.values().filter(|turn| !turn.is_running).map(|turn| turn.due).min();
            let sleep = next.map_or(LONGEST_SLEEP, |due| until(now, due).min(LONGEST_SLEEP));
            tokio::select! {
                () = self.stop.stopped() => return,
                () = tokio::time::sleep(sleep) => {}
                () = self.changed.notified() => {}
                Some(done) = running.next(), if !running.is_empty() => {
                    if let Some(turn) = turns.get_mut(&done) {
                        turn.is_running = false;
                    }
                }
            }
        }
    }

    /// One turn of a group; yields the group when it is over.
    async fn evaluate(&self, key: GroupKey, now: Timestamp) -> GroupKey {
        let (alerts, asked) = (self.alerts.clone(), key.clone());
        match self.pool.run(move || alerts.evaluate(&asked, now)).await {
            Ok(batch) => self.write(batch).await,
            Err(PoolError::Stopped) => {}
            Err(error) => {
                self.alerts.0.handles.health.degraded(Component::Alerts, format!("the group {:?} was not evaluated: {error}", key.name));
                tracing::error!(group = key.name, %error, "a group of rules was not evaluated");
            }
        }
        key
    }

    async fn write(&self, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        match self.intake.submit(batch).await {
            Ok(report) => {
                if let Some(refused) = report.rejected.first() {
                    tracing::debug!(reason = refused.reason, "a series of an alert was not stored");
                }
            }
            Err(error) => tracing::warn!(%error, "the series of alerts were not stored"),
        }
    }
}

/// Takes groups in that are new and forgets those that are gone. A clock that was set back is
/// followed: nothing waits for longer than its interval.
fn follow(turns: &mut BTreeMap<GroupKey, Turn>, groups: std::collections::BTreeSet<GroupKey>, now: Timestamp) {
    turns.retain(|key, turn| turn.is_running || groups.contains(key));
    for key in groups {
        let next = next_turn(&key, now);
        let turn = turns.entry(key).or_insert(Turn { due: next, is_running: false });
        turn.due = turn.due.min(next);
    }
}

/// The groups whose turn it is; each gets its next one.
fn due(turns: &mut BTreeMap<GroupKey, Turn>, now: Timestamp) -> Vec<GroupKey> {
    let mut out = Vec::new();
    for (key, turn) in turns.iter_mut().filter(|(_, turn)| turn.due <= now && !turn.is_running) {
        *turn = Turn { due: next_turn(key, now), is_running: true };
        out.push(key.clone());
    }
    out
}

/// The next multiple of the interval after `now`.
fn next_turn(key: &GroupKey, now: Timestamp) -> Timestamp {
    let interval = i64::try_from(key.interval.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp(now.0.div_euclid(interval).saturating_add(1).saturating_mul(interval))
}

fn until(now: Timestamp, due: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn key(name: &str, seconds: u64) -> GroupKey {
        GroupKey { name: name.into(), interval: Duration::from_secs(seconds) }
    }

    #[test]
    fn groups_are_evaluated_at_multiples_of_their_interval() {
        let groups = BTreeSet::from([key("a", 15), key("b", 60)]);
        let mut turns = BTreeMap::new();
        follow(&mut turns, groups.clone(), Timestamp(1_000));
        assert!(due(&mut turns, Timestamp(14_999)).is_empty());
        assert_eq!(due(&mut turns, Timestamp(15_000)), [key("a", 15)]);
        follow(&mut turns, groups.clone(), Timestamp(30_000));
        assert!(due(&mut turns, Timestamp(30_000)).is_empty(), "it is still running");
        turns.get_mut(&key("a", 15)).unwrap().is_running = false;
        assert_eq!(due(&mut turns, Timestamp(60_001)), [key("a", 15), key("b", 60)]);
        assert_eq!(turns[&key("a", 15)].due, Timestamp(75_000));
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed_and_a_group_that_is_gone_forgotten() {
        let mut turns = BTreeMap::new();
        follow(&mut turns, BTreeSet::from([key("a", 15)]), Timestamp(1_000_000));
        follow(&mut turns, BTreeSet::from([key("a", 15)]), Timestamp(1_000));
        assert_eq!(turns[&key("a", 15)].due, Timestamp(15_000));
        follow(&mut turns, BTreeSet::new(), Timestamp(1_000));
        assert!(turns.is_empty());
    }
}
