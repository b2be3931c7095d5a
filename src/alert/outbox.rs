//! Notifications that are not delivered yet, in the catalog: what was told to be sent is sent, also
//! after a crash. In memory are only their ids. Knows no address and no payload.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::store::{Catalog, DocumentKind, Edits, StoreError};

/// Notifications that wait at most; a receiver that is away for a day must not fill the disk.
const LIMIT: usize = 1000;

/// A notification as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    created: Timestamp,
    body: String,
}

/// A notification that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) id: String,
    pub(super) created: Timestamp,
}

type Ring = Box<dyn Fn() + Send + Sync>;

/// Wakes whoever waits for something; silent until somebody does.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<OnceLock<Ring>>);

impl Bell {
    /// Who is woken, once and for all.
    pub(super) fn answer(&self, ring: impl Fn() + Send + Sync + 'static) {
        // The first stays: there is one loop, which outlives its restarts.
        let _ = self.0.set(Box::new(ring));
    }

    pub(super) fn ring(&self) {
        if let Some(ring) = self.0.get() {
            ring();
        }
    }
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bell")
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    next: u64,
}

/// What waits, in order. Cheap to clone. `note`, `body` and `remove` take disk: use the pool.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    catalog: Catalog,
    queue: Arc<Mutex<Queue>>,
    bell: Bell,
}

impl Outbox {
    /// What an earlier run left.
    pub(super) fn open(catalog: Catalog) -> Result<Self, StoreError> {
        let mut queue = Queue::default();
        for document in catalog.list::<Stored>(DocumentKind::Outbox)? {
            queue.next = document.id.parse::<u64>().map_or(queue.next, |n| n + 1);
            queue.waiting.push_back(Notice { id: document.id, created: document.body.created });
        }
        Ok(Self { catalog, queue: Arc::new(Mutex::new(queue)), bell: Bell::default() })
    }

    /// Adds a notification to `edits`; once they are durable it is to be handed to [`queue`](Self::queue).
    pub(super) fn note(&self, edits: &mut Edits, created: Timestamp, body: String) -> Result<Notice, StoreError> {
        let id = self.with(|queue| {
            queue.next += 1;
            format!("{:020}", queue.next - 1)
        });
        edits.put(DocumentKind::Outbox, &id, &Stored { created, body })?;
        Ok(Notice { id, created })
    }

    /// Queues what is durable. Yields how many of the oldest were dropped for it.
    pub(super) fn queue(&self, notices: Vec<Notice>) -> Result<usize, StoreError> {
        if notices.is_empty() {
            return Ok(0);
        }
        let dropped: Vec<Notice> = self.with(|queue| {
            queue.waiting.extend(notices);
            let too_many = queue.waiting.len().saturating_sub(LIMIT);
            queue.waiting.drain(..too_many).collect()
        });
        self.bell.ring();
        let mut edits = Edits::default();
        dropped.iter().for_each(|notice| edits.remove(DocumentKind::Outbox, &notice.id));
        if !edits.is_empty() {
            self.catalog.edit(edits)?;
        }
        Ok(dropped.len())
    }

    /// The oldest that waits.
    pub(super) fn oldest(&self) -> Option<Notice> {
        self.with(|queue| queue.waiting.front().cloned())
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.with(|queue| queue.waiting.len())
    }

    /// What is to be sent; `None` where it was dropped meanwhile.
    pub(super) fn body(&self, id: &str) -> Result<Option<String>, StoreError> {
        Ok(self.catalog.get::<Stored>(DocumentKind::Outbox, id)?.map(|document| document.body.body))
    }

    /// It was delivered, or is given up. It waits no more even where the catalog cannot be written.
    pub(super) fn remove(&self, id: &str) -> Result<(), StoreError> {
        self.with(|queue| queue.waiting.retain(|notice| notice.id != id));
        self.catalog.remove(DocumentKind::Outbox, id).map(|_| ())
    }

    /// Gives up all that waits.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        let mut edits = Edits::default();
        self.with(|queue| std::mem::take(&mut queue.waiting)).iter().for_each(|notice| edits.remove(DocumentKind::Outbox, &notice.id));
        if edits.is_empty() { Ok(()) } else { self.catalog.edit(edits) }
    }

    /// Rings when something comes in.
    pub(super) const fn bell(&self) -> &Bell {
        &self.bell
    }

    fn with<T>(&self, call: impl FnOnce(&mut Queue) -> T) -> T {
        call(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
