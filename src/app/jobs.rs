//! The list of periodic jobs: sealing, rolling up and dropping; free space; loops that were started
//! again. Each runs until the stop, and is started again if it panics.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::access::Accounts;
use crate::clock::format_rfc3339;
use crate::config::{Space, space_of};
use crate::ingest::{IngestError, Intake};
use crate::model::ByteCount;
use crate::store::{Keeper, Lost, Reader, StoreError};
use crate::task::{Deadline, Interrupted, Pool, PoolError, RestartCount, Stop, spawn_supervised};
use crate::telemetry::{Component, Health, HealthBoard, OwnMetrics};

const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(10);
/// Between two rounds that the intake asked for, so that one that cannot help does not spin.
const MAINTENANCE_REST: Duration = Duration::from_millis(100);
/// A round that takes longer is broken off, and goes on where it was in the next one.
const MAINTENANCE_LIMIT: Duration = Duration::from_secs(600);
const SESSIONS_INTERVAL: Duration = Duration::from_secs(300);
const WATCH_INTERVAL: Duration = Duration::from_secs(10);
/// Below it the next sealing may fail.
const LEAST_FREE: ByteCount = ByteCount::mib(64);
/// A hundredth of a large disk is still a lot: beyond this nobody needs a warning.
const ENOUGH_FREE: ByteCount = ByteCount::mib(1024);

/// Lost stretches that the health message names.
const NAMED: usize = 5;

/// What the jobs work on.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) keeper: Keeper,
    pub(super) reader: Reader,
    pub(super) intake: Intake,
    pub(super) accounts: Accounts,
    pub(super) health: HealthBoard,
    pub(super) own: OwnMetrics,
    /// `None` where nothing lies on disk.
    pub(super) data_dir: Option<PathBuf>,
    /// How often the journal is synced, where no acknowledgement waits for it.
    pub(super) sync_every: Option<Duration>,
    pub(super) stop: Stop,
}

/// Starts all jobs; each handle yields after the stop.
pub(super) fn start(parts: &Parts) -> Vec<JoinHandle<()>> {
    let sync = RestartCount::default();
    let maintenance = RestartCount::default();
    let watch = RestartCount::default();
    let sessions = RestartCount::default();
    let counted = vec![("maintenance", maintenance.clone()), ("watch", watch.clone()), ("sessions", sessions.clone()), ("sync", sync.clone())];
    // A pool of its own: queries that fill the other one must not keep windows from being sealed.
    let pool = Pool::new(1, 4);
    let (keeping, watching, tidying, tidier) = (parts.clone(), parts.clone(), parts.clone(), pool.clone());
    let mut jobs = vec![
        spawn_supervised("maintenance", parts.stop.clone(), maintenance, move || maintain(keeping.clone(), pool.clone())),
        spawn_supervised("sessions", parts.stop.clone(), sessions, move || tidy(tidying.clone(), tidier.clone())),
        spawn_supervised("watch", parts.stop.clone(), watch, move || look(watching.clone(), counted.clone())),
    ];
    if let Some(every) = parts.sync_every {
        let syncing = parts.clone();
        jobs.push(spawn_supervised("sync", parts.stop.clone(), sync, move || sync_journal(syncing.clone(), every)));
    }
    jobs
}

/// Keeps what a power cut may take within the interval.
async fn sync_journal(parts: Parts, every: Duration) {
    while parts.stop.sleep(every).await {
        if let Err(error) = parts.intake.sync().await
            && !matches!(error, IngestError::Stopped)
        {
            tracing::error!(%error, "the journal cannot be synced");
            parts.health.degraded(Component::Journal, error.to_string());
        }
    }
}

/// Why a round of maintenance failed.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("cannot cut the journal: {0}")]
    Cut(#[from] IngestError),
}

impl RoundError {
    /// Whether it was the stop, not a failure.
    const fn is_stop(&self) -> bool {
        matches!(self, Self::Store(StoreError::Interrupted(Interrupted::Canceled)) | Self::Pool(PoolError::Stopped) | Self::Cut(IngestError::Stopped))
    }
}

async fn maintain(parts: Parts, pool: Pool) {
    let mut failing = false;
    let mut more = false;
    loop {
        let pause = if more { MAINTENANCE_REST } else { MAINTENANCE_INTERVAL };
        let (asked, alive) = tokio::select! {
            alive = parts.stop.sleep(pause) => (false, alive),
            () = parts.intake.full() => (true, true),
        };
        if !alive {
            return;
        }
        let result = round(&parts, &pool).await;
        more = result.as_ref().is_ok_and(|more| *more);
        note(&parts.health, result.map(|_| ()), &mut failing);
        if asked && !parts.stop.sleep(MAINTENANCE_REST).await {
            return;
        }
    }
}

/// Yields whether work is left that should follow at once.
async fn round(parts: &Parts, pool: &Pool) -> Result<bool, RoundError> {
    let deadline = Deadline::after(MAINTENANCE_LIMIT);
    let (keeper, limit) = (parts.keeper.clone(), deadline.clone());
    let mut work = std::pin::pin!(pool.run(move || keeper.maintain(&limit)));
    let kept = tokio::select! {
        kept = &mut work => kept?,
        () = parts.stop.stopped() => {
            deadline.cancel();
            work.await?
        }
    };
    // After the round, never before: only what it sealed may leave the journal. Also after one that
    // failed, for it may have sealed something first.
    parts.intake.cut().await?;
    let kept = kept?;
    if kept.sealed + kept.rolled + kept.merged + kept.dropped > 0 {
        tracing::debug!(
            sealed = kept.sealed,
            rolled = kept.rolled,
            merged = kept.merged,
            dropped = kept.dropped,
            took_ms = kept.took.as_millis() as u64,
            "maintained"
        );
    }
    Ok(kept.more)
}

fn note(health: &HealthBoard, result: Result<(), RoundError>, failing: &mut bool) {
    match result {
        Ok(()) => {
            if std::mem::take(failing) {
                tracing::info!("maintenance works again");
            }
            health.healthy(Component::Compactor);
        }
        Err(error) if error.is_stop() => {}
        Err(error) => {
            // Said once, not every ten seconds as long as it lasts.
            if !std::mem::replace(failing, true) {
                tracing::error!(%error, "maintenance failed, it is tried again");
            }
            health.degraded(Component::Compactor, error.to_string());
        }
    }
}

/// Forgets sessions that have ended, and writes down when the others were used.
async fn tidy(parts: Parts, pool: Pool) {
    while parts.stop.sleep(SESSIONS_INTERVAL).await {
        let accounts = parts.accounts.clone();
        if let Ok(Err(error)) = pool.run(move || accounts.tidy()).await {
            tracing::warn!(%error, "ended sessions stay for now");
        }
    }
}

async fn look(parts: Parts, counted: Vec<(&'static str, RestartCount)>) {
    let mut lost = 0;
    loop {
        if let Some(data_dir) = &parts.data_dir {
            watch_space(&parts.health, space_of(data_dir), parts.reader.stats().reserve_bytes > 0);
        }
        let missing = parts.reader.lost();
        parts.own.store.with_label_values(&["all", "quarantined"]).set(missing.len() as f64);
        watch_lost(&parts.health, &missing, &mut lost);
        show_parts(&parts.health, &parts.own);
        for (name, restarts) in &counted {
            let counter = parts.own.task_restarts.with_label_values(&[name]);
            counter.inc_by(restarts.get().saturating_sub(counter.get()));
        }
        if !parts.stop.sleep(WATCH_INTERVAL).await {
            return;
        }
    }
}

/// Makes the state of each part a metric, so that rules can look at it.
fn show_parts(health: &HealthBoard, own: &OwnMetrics) {
    for (component, state) in health.overall().components {
        let is_degraded = state.health > Health::Healthy;
        own.component_degraded.with_label_values(&[component.as_str()]).set(f64::from(u8::from(is_degraded)));
    }
}

fn watch_space(health: &HealthBoard, space: Option<Space>, has_reserve: bool) {
    match space {
        Some(_) if !has_reserve => health.degraded(
            Component::Disk,
            "the disk is full: the reserve is given up, so that what is old can be rolled up and dropped, and no sample is taken until there is room",
        ),
        Some(space) if is_short(space) => {
            let free = space.free.0 >> 20;
            health.degraded(Component::Disk, format!("only {free} MiB are free where the data lies: free space, or lower retention.max_bytes"));
        }
        Some(_) => health.healthy(Component::Disk),
        None => health.degraded(Component::Disk, "the file system of the data cannot be asked for its free space"),
    }
}

/// Names the first stretches that were lost; a list of hundreds helps nobody.
fn watch_lost(health: &HealthBoard, lost: &[Lost], before: &mut usize) {
    // Only a change is said: what else was found of the store must stand.
    if std::mem::replace(before, lost.len()) == lost.len() {
        return;
    }
    if lost.is_empty() {
        return health.healthy(Component::Store);
    }
    let one = |l: &Lost| format!("{} from {} to {} ({})", l.tier, format_rfc3339(l.range.start), format_rfc3339(l.range.end), l.file);
    let named = lost.iter().take(NAMED).map(one).collect::<Vec<_>>().join("; ");
    let more = lost.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    health.degraded(
        Component::Store,
        format!("damaged files were set aside, so this is missing: {named}{more}. Restore a backup, or remove them from quarantine/ to accept the loss"),
    );
}

/// Less than 64 MiB, or less than a hundredth where that is not a lot.
fn is_short(space: Space) -> bool {
    let hundredth = ByteCount(space.total.0 / 100);
    space.free < LEAST_FREE.max(hundredth.min(ENOUGH_FREE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Tier, TimeRange, Timestamp};

    fn space(total_mib: u64, free_mib: u64) -> Space {
        Space { total: ByteCount::mib(total_mib), free: ByteCount::mib(free_mib) }
    }

    #[test]
    fn a_nearly_full_disk_degrades_and_a_large_one_is_not_called_full() {
        assert!(is_short(space(1000, 63)) && !is_short(space(1000, 64)));
        assert!(is_short(space(50_000, 499)) && !is_short(space(50_000, 500)));
        assert!(!is_short(space(10_000_000, 1024)));
        let health = HealthBoard::default();
        watch_space(&health, Some(space(1000, 1)), true);
        assert_eq!(health.overall().health, Health::Degraded);
        watch_space(&health, Some(space(1000, 500)), false);
        assert_eq!(health.overall().health, Health::Degraded);
        watch_space(&health, Some(space(1000, 500)), true);
        assert_eq!(health.overall().health, Health::Healthy);
    }

    #[test]
    fn what_was_lost_is_named_until_it_is_accepted() {
        let health = HealthBoard::default();
        let range = TimeRange::new(Timestamp(0), Timestamp(3_600_000));
        let lost = Lost { tier: Tier::Raw, range, file: "quarantine/x".into() };
        let mut before = 0;
        watch_lost(&health, &[lost], &mut before);
        let overall = health.overall();
        assert_eq!(overall.health, Health::Degraded);
        let message = overall.components[&Component::Store].message.clone().unwrap();
        assert!(message.contains("raw from 1970-01-01T00:00:00") && message.contains("quarantine/x"), "{message}");
        watch_lost(&health, &[], &mut before);
        assert_eq!(health.overall().health, Health::Healthy);
    }

    #[test]
    fn a_failing_round_degrades_until_one_works_and_a_stop_is_no_failure() {
        let (health, mut failing) = (HealthBoard::default(), false);
        note(&health, Err(RoundError::Pool(PoolError::Stopped)), &mut failing);
        assert_eq!(health.overall().health, Health::Healthy);
        note(&health, Err(RoundError::Pool(PoolError::Panicked)), &mut failing);
        assert!(failing && health.overall().health == Health::Degraded);
        note(&health, Ok(()), &mut failing);
        assert!(!failing && health.overall().health == Health::Healthy);
    }
}
