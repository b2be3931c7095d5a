//! What became of alerts, kept in the catalog: the newest 5,000 events. Knows neither rules nor states.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::AlertError;
use super::state::Alert;
use crate::model::{Severity, TimeRange, Timestamp};
use crate::store::{Catalog, DocumentKind, Edits, StoreError};

/// Events that are kept: months of an unquiet machine.
const LIMIT: usize = 5000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It began to fire.
    Fired,
    /// It is over.
    Resolved,
}

/// An alert that began to fire or is over. Also what is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub change: Change,
    /// The rule's id at that time.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its severity.
    pub severity: Severity,
    /// The alert as it was.
    pub alert: Alert,
}

/// The events. Cheap to clone. Calls take disk: use the pool.
#[derive(Clone, Debug)]
pub(super) struct History {
    catalog: Catalog,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Ids of what is stored, oldest first.
    ids: VecDeque<String>,
    /// Counts events, so that those of one instant differ and keep their order.
    next: u64,
}

impl History {
    pub(super) fn open(catalog: Catalog) -> Result<Self, StoreError> {
        let ids: VecDeque<String> = catalog.list::<Event>(DocumentKind::AlertEvent)?.into_iter().map(|document| document.id).collect();
        let number = |id: &String| id.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok());
        let next = ids.iter().filter_map(number).max().map_or(0, |n| n + 1);
        Ok(Self { catalog, known: Arc::new(Mutex::new(Known { ids, next })) })
    }

    /// Adds an event to `edits`, and the removal of the oldest where there are too many. An id whose
    /// edits then fail is skipped over by later removals.
    pub(super) fn note(&self, edits: &mut Edits, event: &Event) -> Result<(), StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("{:020}-{:010}", event.at.0.max(0), known.next);
        edits.put(DocumentKind::AlertEvent, &id, event)?;
        known.next += 1;
        known.ids.push_back(id);
        while known.ids.len() > LIMIT {
            if let Some(oldest) = known.ids.pop_front() {
                edits.remove(DocumentKind::AlertEvent, &oldest);
            }
        }
        Ok(())
    }

    /// At most `limit` events of `range`, newest first.
    pub(super) fn list(&self, range: TimeRange, limit: usize) -> Result<Vec<Event>, AlertError> {
        let all = self.catalog.list::<Event>(DocumentKind::AlertEvent)?;
        Ok(all.into_iter().rev().map(|document| document.body).filter(|event| range.contains(event.at)).take(limit).collect())
    }
}
