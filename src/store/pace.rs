//! A wrong clock must not delete history. When the clock jumps ahead, or the newest sample is older
//! than a day at the start, whatever seems too old by it goes one window a minute and tier, so that
//! there is time to set the clock right. When nothing waits any more the pace is free again.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::StoreError;
use super::keeper::Keeper;
use super::partition::Partition;
use crate::clock::Stopwatch;
use crate::model::{Tier, Timestamp};

/// A clock that runs ahead of the time that passed by more than this has jumped.
const TOLERANCE: Duration = Duration::from_secs(600);
/// A store whose newest sample is older than this at the start was off for long, or the clock is wrong.
const LONG_OFF: Duration = Duration::from_secs(86_400);
/// Between two windows of a tier that are dropped after a jump.
const BETWEEN: Duration = Duration::from_secs(60);

/// What is remembered of the clock between two rounds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<(Timestamp, Stopwatch)>,
    jumped: bool,
    dropped: [Option<Stopwatch>; 3],
}

impl Pace {
    /// Looks at the clock; says it once when it has jumped.
    fn look(&mut self, now: Timestamp, newest: Option<Timestamp>) {
        let jumped = match &self.last {
            Some((then, passed)) => now > *then + passed.elapsed() + TOLERANCE,
            None => newest.is_some_and(|newest| now > newest + LONG_OFF),
        };
        if jumped && !self.jumped {
            tracing::warn!("the clock is far ahead of the newest sample or has jumped: what is too old by it is dropped slowly");
        }
        self.jumped |= jumped;
        self.last = Some((now, Stopwatch::start()));
    }
}

impl Keeper {
    /// Drops what every tier keeps no longer, slowly after the clock jumped.
    pub(super) fn drop_expired(&self) -> Result<usize, StoreError> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let mut pace = shared.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.options.guards_clock {
            pace.look(now, self.newest());
        }
        let mut dropped = Ok(0);
        let mut waiting = false;
        for tier in Tier::ALL {
            let wanted = self.wanted_edges(tier, now);
            let allowed = if pace.jumped { self.next_edges(tier, &wanted) } else { wanted.clone() };
            if pace.jumped && allowed != wanted {
                waiting = true;
                if pace.dropped[tier.index()].is_some_and(|since| since.elapsed() < BETWEEN) {
                    continue;
                }
            }
            match self.expire(tier, &allowed) {
                Ok(expired) => {
                    if expired.files > 0 || expired.moved {
                        pace.dropped[tier.index()] = Some(Stopwatch::start());
                    }
                    dropped = dropped.map(|so_far| so_far + expired.files);
                }
                Err(error) => dropped = Err(error),
            }
        }
        pace.jumped &= waiting;
        dropped
    }

    /// The newest sample of all.
    fn newest(&self) -> Option<Timestamp> {
        let state = self.shared.read();
        let sealed = state.set.iter().map(|p| p.record.last).max();
        sealed.max(state.head.newest.map(Timestamp))
    }

    /// For each class the end of the oldest sealed window that goes by `wanted`; that itself where none does.
    fn next_edges(&self, tier: Tier, wanted: &[Timestamp]) -> Vec<Timestamp> {
        let edges = self.present_edges(tier);
        let state = self.shared.read();
        let end = |p: &Arc<Partition>| self.shared.windows.range(tier, p.record.range.end).end;
        let ends: Vec<Timestamp> = state.set.iter().filter(|p| p.record.tier == tier).map(end).collect();
        let next = |(edge, wanted): (&Timestamp, &Timestamp)| ends.iter().filter(|end| *end > edge).min().map_or(*wanted, |end| (*end).min(*wanted));
        edges.iter().zip(wanted).map(next).collect()
    }
}
