//! Damaged and missing partitions: taken out of the set, kept in `quarantine/` under a name that
//! says tier and range, so that what was lost is known after every start until somebody removes the
//! file. Everything else goes on.

use std::sync::Arc;

use super::StoreError;
use super::catalog::Change;
use super::files::QUARANTINE;
use super::keeper::Keeper;
use super::layout::Record;
use super::partition::Partition;
use super::shared::Shared;
use crate::model::{Tier, TimeRange, Timestamp};

/// A stretch of a tier whose partition was damaged or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Whose.
    pub tier: Tier,
    /// Left-open.
    pub range: TimeRange,
    /// Where the damaged file lies, below the data directory; empty where it was missing.
    pub file: String,
}

impl Lost {
    fn name(record: &Record) -> String {
        format!("{QUARANTINE}/{}_{}_{}_{}.redb", record.tier, record.range.start, record.range.end, record.generation)
    }

    fn parse(file: &str) -> Option<Self> {
        let name = file.rsplit('/').next()?.strip_suffix(".redb")?;
        let [tier, start, end, _] = name.split('_').collect::<Vec<_>>()[..] else { return None };
        let tier = Tier::ALL.into_iter().find(|t| t.as_str() == tier)?;
        let time = |text: &str| text.parse().ok().map(Timestamp);
        Some(Self { tier, range: TimeRange::new(time(start)?, time(end)?), file: file.to_owned() })
    }
}

impl Shared {
    /// Everything that lies in quarantine, oldest first.
    pub(super) fn lost(&self) -> Vec<Lost> {
        let mut lost: Vec<Lost> = self.files.list(QUARANTINE).unwrap_or_default().iter().filter_map(|file| Lost::parse(file)).collect();
        lost.extend(self.read().set.iter().filter(|p| p.sick().is_some()).map(|p| Lost { tier: p.record.tier, range: p.record.range, file: p.record.name() }));
        lost.sort_by_key(|l| (l.range.start, l.tier.index()));
        lost
    }
}

impl Keeper {
    /// Takes what was found damaged out of the set. The file is moved first: a crash between leaves
    /// a record without a file, which is found missing and set aside again.
    pub(super) fn set_aside(&self) -> Result<(), StoreError> {
        let sick: Vec<Arc<Partition>> = self.shared.read().set.iter().filter(|p| p.sick().is_some()).cloned().collect();
        for partition in sick {
            let record = &partition.record;
            self.shared.files.set_aside(&record.name(), &Lost::name(record))?;
            self.shared.change(&Change { remove: vec![record.generation], ..Change::default() })?;
            let mut state = self.shared.write();
            let set = state.set.iter().filter(|p| p.record.generation != record.generation).cloned().collect();
            state.set = Arc::new(set);
        }
        Ok(())
    }

    /// What is left of an error after its damaged sources were found: nothing, for the next round
    /// does the window without them.
    pub(super) fn after(&self, error: StoreError, sources: &[Arc<Partition>]) -> Result<(), StoreError> {
        if !error.is_damage() {
            return Err(error);
        }
        for source in sources {
            source.examine()?;
        }
        self.set_aside()
    }
}
