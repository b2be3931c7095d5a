//! The hard budget over every file. When it nears, resolution goes before history: the oldest raw
//! window is rolled up early and dropped, one after the other; when raw has no more to give, the
//! oldest of the aggregated tier, then of the summary. What is unsealed is never touched.

use std::sync::Arc;

use super::StoreError;
use super::journal::WindowKey;
use super::keeper::{Keeper, Kept};
use super::partition::Partition;
use super::shared::unrolled;
use crate::model::{ByteCount, Tier, Timestamp};
use crate::task::Deadline;

/// What is left free of the budget, for the journal and for what the next round seals.
const ROOM: ByteCount = ByteCount::mib(64);

impl Keeper {
    /// Gives up the oldest until the files fit the budget again.
    pub(super) fn spare(&self, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let Some(budget) = self.shared.options.max_bytes else { return Ok(()) };
        let target = budget.0 - ROOM.0.min(budget.0 / 4);
        while self.shared.stats().bytes() > target {
            deadline.check()?;
            let Some(dropped) = self.spare_one()? else { return Ok(()) };
            kept.dropped += dropped;
            kept.spared += dropped;
        }
        Ok(())
    }

    /// Drops the oldest window of the finest tier that has one to give; `None` where none has.
    pub(super) fn spare_one(&self) -> Result<Option<usize>, StoreError> {
        let mut failed = Ok(None);
        for tier in Tier::ALL {
            let Some(end) = self.oldest_end(tier) else { continue };
            match self.roll_through(tier, end).and_then(|()| self.drop_through(tier, end)) {
                Ok(0) => {}
                Ok(dropped) => return Ok(Some(dropped)),
                // A disk that is too full for the rollup is freed by a coarser tier.
                Err(error) => failed = Err(error),
            }
        }
        failed
    }

    /// The end of the oldest sealed window of a tier, if a newer one remains after it.
    fn oldest_end(&self, tier: Tier) -> Option<Timestamp> {
        let state = self.shared.read();
        // The edge moves by whole windows, whatever part of one a partition covers.
        let end = |p: &Arc<Partition>| self.shared.windows.range(tier, p.record.range.end).end;
        let mut ends: Vec<Timestamp> = state.set.iter().filter(|p| p.record.tier == tier).map(end).collect();
        ends.extend(state.head.all_windows().filter(|((t, _), _)| *t == tier).map(|(_, window)| window.range.end));
        ends.sort_unstable();
        let (oldest, newest) = (*ends.first()?, *ends.last()?);
        (oldest < newest).then_some(oldest)
    }

    /// Rolls up what a drop through `end` would lose.
    fn roll_through(&self, tier: Tier, end: Timestamp) -> Result<(), StoreError> {
        let waiting: Vec<WindowKey> = {
            let state = self.shared.read();
            unrolled(&state, &self.shared).into_iter().filter(|(t, start)| *t == tier && *start < end).collect()
        };
        waiting.into_iter().try_for_each(|key| self.roll(key).map(|_| ()))
    }
}
