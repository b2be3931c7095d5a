//! The catalog: partition records, dropped-through times, and documents with a revision each.
//! Every call is one durable transaction.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::deletion::{Deletion, StoredDeletion};
use super::files::{self, Files, QUARANTINE};
use super::layout::{COUNTERS, DELETIONS, DOCUMENTS, DROPPED, MIGRATIONS, RECORDS, ROLLED, RULES, Record};
use super::retention::StoredClass;
use super::{StoreError, document, migrate};
use crate::model::{Tier, Timestamp};

pub(super) const NAME: &str = "catalog.redb";

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// Metadata of a metric, by its name.
    Metadata,
    /// A custom metric's definition, by its name.
    CustomMetric,
    /// A dashboard, by its id.
    Dashboard,
    /// A rule of alerts, by its id.
    Rule,
    /// The state of a rule's alerts, by the rule's id.
    AlertState,
    /// What became of alerts, by time and a number.
    AlertEvent,
    /// A notification that is not delivered yet, by a number.
    Outbox,
    /// An account, by its name.
    User,
    /// A key for programs, by its id.
    Key,
    /// A signed-in browser, by the hash of its token.
    Session,
}

impl DocumentKind {
    const fn key(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::CustomMetric => "custom_metric",
            Self::Dashboard => "dashboard",
            Self::Rule => "rule",
            Self::AlertState => "alert_state",
            Self::AlertEvent => "alert_event",
            Self::Outbox => "outbox",
            Self::User => "user",
            Self::Key => "key",
            Self::Session => "session",
        }
    }
}

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<T> {
    /// Its name among its kind.
    pub id: String,
    /// Counts its changes, from 1.
    pub revision: u64,
    /// What it says.
    pub body: T,
}

/// Changes of documents of any kind that are made together or not at all.
#[derive(Debug, Default)]
pub struct Edits(Vec<(DocumentKind, String, Option<Vec<u8>>)>);

impl Edits {
    /// Stores a document, whatever its revision.
    ///
    /// # Errors
    /// It cannot be encoded, or is larger than a document may be.
    pub fn put<T: Serialize>(&mut self, kind: DocumentKind, id: &str, body: &T) -> Result<(), StoreError> {
        self.0.push((kind, id.to_owned(), Some(document::encode(id, body)?)));
        Ok(())
    }

    /// Removes a document where it is there.
    pub fn remove(&mut self, kind: DocumentKind, id: &str) {
        self.0.push((kind, id.to_owned(), None));
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Documents in `catalog.redb`. Cheap to clone. Calls take disk: use the pool.
#[derive(Clone, Debug)]
pub struct Catalog {
    files: Arc<Files>,
    /// Empty after a failed write: redb refuses further ones on that handle, so it is opened anew.
    database: Arc<Mutex<Option<Database>>>,
    /// A change of the partitions failed, and may be durable or not.
    in_doubt: Arc<AtomicBool>,
}

/// What the catalog says of the partitions.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    pub(super) records: Vec<Record>,
    pub(super) dropped: [Option<Timestamp>; 3],
    pub(super) rolled: Vec<((Tier, Timestamp), u64)>,
    pub(super) generation: u64,
    pub(super) sequence: u64,
    /// Lengths of the windows at the last start.
    pub(super) windows: [Option<Duration>; 3],
    /// How long each tier kept when it was last on.
    pub(super) keeps: [Option<Duration>; 3],
    /// Retention rules and where their tiers begin.
    pub(super) rules: Vec<StoredClass>,
    /// What is deleted and may still be in files.
    pub(super) deletions: Vec<Deletion>,
}

/// A change of the partitions, made in one transaction.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) add: Vec<Record>,
    pub(super) remove: Vec<u64>,
    pub(super) dropped: Vec<(Tier, Timestamp)>,
    pub(super) rolled: Vec<((Tier, Timestamp), u64)>,
    pub(super) forget_rolled: Vec<(Tier, Timestamp)>,
    /// Lengths of the windows from now on.
    pub(super) windows: Vec<(Tier, Duration)>,
    /// How long tiers that are on keep from now on.
    pub(super) keeps: Vec<(Tier, Duration)>,
    /// In the place of all that is stored of retention rules.
    pub(super) retention: Option<Vec<StoredClass>>,
    /// The highest journal sequence so far.
    pub(super) sequence: u64,
}

impl Catalog {
    pub(super) fn open(files: &Arc<Files>) -> Result<Self, StoreError> {
        // The power went during the very first start. Beside any data it is damage, and stays.
        if files.is_unborn(NAME) && files.is_bare()? {
            tracing::warn!("{NAME} was begun and never finished: it is set aside, and made anew");
            files.set_aside(NAME, &format!("{QUARANTINE}/{NAME}"))?;
        }
        let database = files.create(NAME)?;
        migrate::run(files, &database)?;
        Ok(Self { files: files.clone(), database: Arc::new(Mutex::new(Some(database))), in_doubt: Arc::default() })
    }

    /// Runs `call` on the open database; opens it anew where an earlier write failed.
    fn with<T>(&self, doing: &'static str, call: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut guard: MutexGuard<'_, Option<Database>> = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let database = match guard.take() {
            Some(open) => open,
            None => self.files.create(NAME)?,
        };
        let result = call(&database);
        if !matches!(result, Err(Failure::Database(_))) {
            *guard = Some(database);
        }
        result.map_err(|failure| match failure {
            Failure::Database(e) => self.files.database(doing, NAME, *e),
            Failure::Store(e) => e,
        })
    }

    fn write<T>(&self, doing: &'static str, call: impl FnOnce(&WriteTransaction) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.with(doing, |database| {
            let transaction = database.begin_write()?;
            let value = call(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// As [`write`](Self::write), and remembers that a failure may have been none.
    fn doubting<T>(&self, doing: &'static str, call: impl FnOnce(&WriteTransaction) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.write(doing, call).inspect_err(|_| self.in_doubt.store(true, Ordering::SeqCst))
    }

    /// Whether a change of the partitions failed since it was last said what is so.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::SeqCst)
    }

    /// Says what is so of partitions, rollups and deletions, whatever an earlier change has left.
    pub(super) fn restate<'a>(
        &self,
        records: impl Iterator<Item = &'a Record>,
        rolled: &HashMap<(Tier, Timestamp), u64>,
        deletions: &[Deletion],
    ) -> Result<(), StoreError> {
        self.write("record partitions again", |transaction| {
            let mut table = transaction.open_table(RECORDS)?;
            table.retain(|_, _| false)?;
            for record in records {
                let bytes = document::encode("partition record", record).map_err(Failure::Store)?;
                table.insert(record.generation, bytes.as_slice())?;
            }
            let mut table = transaction.open_table(ROLLED)?;
            table.retain(|_, _| false)?;
            for ((tier, start), generation) in rolled {
                table.insert((tier.index() as u8, start.0), generation)?;
            }
            let mut table = transaction.open_table(DELETIONS)?;
            table.retain(|_, _| false)?;
            for deletion in deletions {
                let bytes = document::encode("deletion", &deletion.stored()).map_err(Failure::Store)?;
                table.insert(deletion.id, bytes.as_slice())?;
            }
            Ok(())
        })?;
        self.in_doubt.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// One document.
    ///
    /// # Errors
    /// The catalog cannot be read, or the document is of another shape.
    pub fn get<T: DeserializeOwned>(&self, kind: DocumentKind, id: &str) -> Result<Option<Document<T>>, StoreError> {
        self.with("read", |database| {
            let table = database.begin_read()?.open_table(DOCUMENTS)?;
            table.get((kind.key(), id))?.map(|value| decode(id, value.value())).transpose().map_err(Failure::Store)
        })
    }

    /// All documents of a kind, in order of id.
    ///
    /// # Errors
    /// The catalog cannot be read, or a document is of another shape.
    pub fn list<T: DeserializeOwned>(&self, kind: DocumentKind) -> Result<Vec<Document<T>>, StoreError> {
        self.with("read", |database| {
            let table = database.begin_read()?.open_table(DOCUMENTS)?;
            let mut out = Vec::new();
            for entry in table.range((kind.key(), "")..)? {
                let (key, value) = entry?;
                let (found, id) = key.value();
                if found != kind.key() {
                    break;
                }
                out.push(decode(id, value.value()).map_err(Failure::Store)?);
            }
            Ok(out)
        })
    }

    /// Stores a document; with `expected` only where the stored revision is that one (0: it must be
    /// new). Yields the new revision. Durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::StaleRevision`] where another revision is stored; nothing was changed then.
    pub fn put<T: Serialize>(&self, kind: DocumentKind, id: &str, expected: Option<u64>, body: &T) -> Result<u64, StoreError> {
        self.write("write", |transaction| put(transaction, kind, id, expected, body))
    }

    /// Stores many documents in one durable transaction, whatever their revisions.
    ///
    /// # Errors
    /// The catalog cannot be written; nothing was changed then.
    pub fn put_all<T: Serialize>(&self, kind: DocumentKind, documents: &[(String, T)]) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            for (id, body) in documents {
                put(transaction, kind, id, None, body)?;
            }
            Ok(())
        })
    }

    /// Makes all changes of `edits`, in their order, in one durable transaction.
    ///
    /// # Errors
    /// The catalog cannot be written; nothing was changed then.
    pub fn edit(&self, edits: Edits) -> Result<(), StoreError> {
        self.write("write", |transaction| {
            for (kind, id, bytes) in &edits.0 {
                match bytes {
                    Some(bytes) => put_encoded(transaction, *kind, id, None, bytes).map(|_| ())?,
                    None => {
                        transaction.open_table(DOCUMENTS)?.remove((kind.key(), id.as_str()))?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Removes a document; false where it was not there.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn remove(&self, kind: DocumentKind, id: &str) -> Result<bool, StoreError> {
        self.write("write", |transaction| Ok(transaction.open_table(DOCUMENTS)?.remove((kind.key(), id))?.is_some()))
    }

    /// Everything about partitions, from one snapshot.
    pub(super) fn partitions(&self) -> Result<Partitions, StoreError> {
        self.with("read", |database| {
            let transaction = database.begin_read()?;
            let mut out = Partitions::default();
            for entry in transaction.open_table(RECORDS)?.iter()? {
                out.records.push(document::decode("partition record", entry?.1.value()).map_err(Failure::Store)?);
            }
            let dropped = transaction.open_table(DROPPED)?;
            for tier in Tier::ALL {
                out.dropped[tier.index()] = dropped.get(tier.index() as u8)?.map(|t| Timestamp(t.value()));
            }
            for entry in transaction.open_table(ROLLED)?.iter()? {
                let (key, value) = entry?;
                let (tier, start) = key.value();
                if let Some(tier) = Tier::ALL.get(usize::from(tier)) {
                    out.rolled.push(((*tier, Timestamp(start)), value.value()));
                }
            }
            for entry in transaction.open_table(DELETIONS)?.iter()? {
                let (id, value) = entry?;
                let stored: StoredDeletion = document::decode("deletion", value.value()).map_err(Failure::Store)?;
                out.deletions.push(Deletion::load(id.value(), stored).map_err(Failure::Store)?);
            }
            let counters = transaction.open_table(COUNTERS)?;
            out.generation = counters.get("generation")?.map_or(0, |v| v.value());
            out.sequence = counters.get("sequence")?.map_or(0, |v| v.value());
            for tier in Tier::ALL {
                out.windows[tier.index()] = counters.get(window_counter(tier))?.map(|v| Duration::from_millis(v.value()));
                out.keeps[tier.index()] = counters.get(keeps_counter(tier))?.map(|v| Duration::from_millis(v.value()));
            }
            for entry in transaction.open_table(RULES)?.iter()? {
                out.rules.push(document::decode("retention rule", entry?.1.value()).map_err(Failure::Store)?);
            }
            Ok(out)
        })
    }

    /// Makes a change of the partitions durable, all of it or nothing.
    pub(super) fn change(&self, change: &Change) -> Result<(), StoreError> {
        self.doubting("record partitions", |transaction| {
            let mut records = transaction.open_table(RECORDS)?;
            let mut counters = transaction.open_table(COUNTERS)?;
            for record in &change.add {
                let bytes = document::encode("partition record", record).map_err(Failure::Store)?;
                records.insert(record.generation, bytes.as_slice())?;
                raise(&mut counters, "generation", record.generation)?;
            }
            raise(&mut counters, "sequence", change.sequence)?;
            for generation in &change.remove {
                records.remove(generation)?;
            }
            let mut dropped = transaction.open_table(DROPPED)?;
            for (tier, t) in &change.dropped {
                let index = tier.index() as u8;
                // Forward only, whatever the caller knows of a tier that is off.
                let now = dropped.get(index)?.map_or(i64::MIN, |now| now.value());
                dropped.insert(index, t.0.max(now))?;
            }
            if let Some(classes) = &change.retention {
                let mut rules = transaction.open_table(RULES)?;
                rules.retain(|_, _| false)?;
                for (number, class) in classes.iter().enumerate() {
                    let bytes = document::encode("retention rule", class).map_err(Failure::Store)?;
                    rules.insert(number as u32, bytes.as_slice())?;
                }
            }
            for (tier, kept) in &change.keeps {
                counters.insert(keeps_counter(*tier), kept.as_millis() as u64)?;
            }
            for (tier, length) in &change.windows {
                counters.insert(window_counter(*tier), length.as_millis() as u64)?;
            }
            let mut rolled = transaction.open_table(ROLLED)?;
            for ((tier, start), generation) in &change.rolled {
                rolled.insert((tier.index() as u8, start.0), generation)?;
            }
            for (tier, start) in &change.forget_rolled {
                rolled.remove((tier.index() as u8, start.0))?;
            }
            Ok(())
        })
    }

    /// Makes deletions durable, and that no later generation has their numbers.
    pub(super) fn add_deletions(&self, deletions: &[Deletion]) -> Result<(), StoreError> {
        self.doubting("record deletions", |transaction| {
            let mut table = transaction.open_table(DELETIONS)?;
            let mut counters = transaction.open_table(COUNTERS)?;
            for deletion in deletions {
                let bytes = document::encode("deletion", &deletion.stored()).map_err(Failure::Store)?;
                table.insert(deletion.id, bytes.as_slice())?;
                raise(&mut counters, "generation", deletion.id)?;
            }
            Ok(())
        })
    }

    /// Forgets deletions that are worked into every file.
    pub(super) fn forget_deletions(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.doubting("forget deletions", |transaction| {
            let mut table = transaction.open_table(DELETIONS)?;
            for id in ids {
                table.remove(id)?;
            }
            Ok(())
        })
    }

    /// The catalog as the bytes of a file of its own, from one snapshot.
    pub(super) fn image(&self) -> Result<Vec<u8>, StoreError> {
        self.with("copy", |database| {
            let from = database.begin_read()?;
            let bytes = files::image(|to| {
                let into = to.begin_write()?;
                copy(&from, &into, RECORDS)?;
                copy(&from, &into, DROPPED)?;
                copy(&from, &into, ROLLED)?;
                copy(&from, &into, COUNTERS)?;
                copy(&from, &into, DOCUMENTS)?;
                copy(&from, &into, DELETIONS)?;
                copy(&from, &into, RULES)?;
                copy(&from, &into, MIGRATIONS)?;
                Ok(into.commit()?)
            });
            bytes.map_err(|e| Failure::Database(Box::new(e)))
        })
    }

    /// Bytes that the catalog takes.
    pub(super) fn bytes(&self) -> u64 {
        self.files.allocated(NAME)
    }
}

/// The partitions that the catalog of a directory names, without a change to it.
pub(super) fn records_of(files: &Files) -> Result<Vec<Record>, StoreError> {
    let fail = |e: redb::Error| files.database("read", NAME, e);
    let database = files.open_read(NAME)?;
    let table = database.begin_read().map_err(|e| fail(e.into()))?.open_table(RECORDS).map_err(|e| fail(e.into()))?;
    let mut out = Vec::new();
    for entry in table.iter().map_err(|e| fail(e.into()))? {
        out.push(document::decode("partition record", entry.map_err(|e| fail(e.into()))?.1.value())?);
    }
    Ok(out)
}

fn copy<K: redb::Key + 'static, V: redb::Value + 'static>(
    from: &redb::ReadTransaction,
    into: &WriteTransaction,
    table: redb::TableDefinition<'static, K, V>,
) -> Result<(), redb::Error> {
    let mut target = into.open_table(table)?;
    for entry in from.open_table(table)?.iter()? {
        let (key, value) = entry?;
        target.insert(key.value(), value.value())?;
    }
    Ok(())
}

const fn window_counter(tier: Tier) -> &'static str {
    match tier {
        Tier::Raw => "raw_window_ms",
        Tier::Aggregated => "aggregated_window_ms",
        Tier::Summary => "summary_window_ms",
    }
}

const fn keeps_counter(tier: Tier) -> &'static str {
    match tier {
        Tier::Raw => "raw_keeps_ms",
        Tier::Aggregated => "aggregated_keeps_ms",
        Tier::Summary => "summary_keeps_ms",
    }
}

fn raise(counters: &mut redb::Table<'_, &'static str, u64>, name: &'static str, to: u64) -> Result<(), Failure> {
    let now = counters.get(name)?.map_or(0, |v| v.value());
    if to > now {
        counters.insert(name, to)?;
    }
    Ok(())
}

fn put<T: Serialize>(transaction: &WriteTransaction, kind: DocumentKind, id: &str, expected: Option<u64>, body: &T) -> Result<u64, Failure> {
    let body = document::encode(id, body).map_err(Failure::Store)?;
    put_encoded(transaction, kind, id, expected, &body)
}

fn put_encoded(transaction: &WriteTransaction, kind: DocumentKind, id: &str, expected: Option<u64>, body: &[u8]) -> Result<u64, Failure> {
    let mut table = transaction.open_table(DOCUMENTS)?;
    let found = table.get((kind.key(), id))?.map_or(Ok(0), |value| revision(id, value.value())).map_err(Failure::Store)?;
    if let Some(expected) = expected
        && expected != found
    {
        return Err(Failure::Store(StoreError::StaleRevision { id: id.to_owned(), expected, found }));
    }
    let mut bytes = (found + 1).to_le_bytes().to_vec();
    bytes.extend_from_slice(body);
    table.insert((kind.key(), id), bytes.as_slice())?;
    Ok(found + 1)
}

fn revision(id: &str, bytes: &[u8]) -> Result<u64, StoreError> {
    let head = bytes.first_chunk::<8>().ok_or_else(|| StoreError::Damaged { what: id.to_owned(), reason: "it is too short".into() })?;
    Ok(u64::from_le_bytes(*head))
}

fn decode<T: DeserializeOwned>(id: &str, bytes: &[u8]) -> Result<Document<T>, StoreError> {
    Ok(Document { id: id.to_owned(), revision: revision(id, bytes)?, body: document::decode(id, bytes.get(8..).unwrap_or_default())? })
}

/// What ends a transaction early: redb, after which the handle is not used again, or the content.
enum Failure {
    Database(Box<redb::Error>),
    Store(StoreError),
}

macro_rules! from_redb {
    ($($error:ty),+) => { $(impl From<$error> for Failure {
        fn from(e: $error) -> Self { Self::Database(Box::new(e.into())) }
    })+ };
}
from_redb!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);
