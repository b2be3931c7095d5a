//! Sealed partitions: one redb file for a range of time of one tier, written once in label order,
//! read-only ever after. Self-contained: labels, postings, columns.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use redb::{ReadOnlyDatabase, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::StoreError;
use super::codec;
use super::codec::{Cursor, put_varint};
use super::files::{Files, MAX_OPEN};
use super::index::{EachValue, Index};
use super::layout::{ColumnKind, EXEMPLARS, EXTENT_BYTES, EXTENTS, POSTINGS, Record, SERIES, SERIES_IN_BLOCK, SUMMARY, TIMES};
use crate::model::{BucketColumns, Column, HistogramColumn, Labels, Tier, Timestamp};

/// The values of one series in a partition.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub(super) enum Values {
    Samples(Column),
    Buckets(BucketColumns),
    /// Native histograms, with whatever floats the series has as well.
    Histograms(Box<WithHistograms>),
}

/// Native histograms of a series, and its floats: samples or buckets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WithHistograms {
    pub(super) floats: Option<Values>,
    pub(super) histograms: HistogramColumn,
}

impl Values {
    /// Both as one; floats alone where there are no histograms.
    pub(super) fn join(floats: Option<Self>, histograms: HistogramColumn) -> Option<Self> {
        let floats = floats.filter(|values| !values.is_empty());
        if histograms.is_empty() { floats } else { Some(Self::Histograms(Box::new(WithHistograms { floats, histograms }))) }
    }

    /// Floats, if there are any, and histograms.
    pub(super) fn split(self) -> (Option<Self>, HistogramColumn) {
        match self {
            Self::Histograms(both) => (both.floats, both.histograms),
            floats => (Some(floats), HistogramColumn::default()),
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Samples(column) => column.is_empty(),
            Self::Buckets(buckets) => buckets.is_empty(),
            Self::Histograms(both) => both.histograms.is_empty() && both.floats.as_ref().is_none_or(Self::is_empty),
        }
    }
}

/// Writes a partition, series by series in label order.
pub(super) struct PartitionWriter<'a> {
    files: &'a Files,
    temporary: String,
    width: Duration,
    postings: BTreeMap<(String, String), Vec<u32>>,
    times: HashMap<u128, u32>,
    time_columns: Vec<Vec<u8>>,
    block: Vec<u8>,
    blocks: Vec<Vec<u8>>,
    before: Vec<u8>,
    extents: Vec<Vec<u8>>,
    exemplars: Vec<Vec<u8>>,
    exemplars_span: Option<(Timestamp, Timestamp)>,
    series: u32,
    rows: u64,
    first: i64,
    last: i64,
}

impl<'a> PartitionWriter<'a> {
    pub(super) fn new(files: &'a Files, tier: Tier, width: Duration, generation: u64) -> Self {
        Self {
            files,
            temporary: format!("{tier}/{generation}.tmp"),
            width,
            postings: BTreeMap::new(),
            times: HashMap::new(),
            time_columns: Vec::new(),
            block: Vec::new(),
            blocks: Vec::new(),
            before: Vec::new(),
            extents: vec![Vec::new()],
            exemplars: Vec::new(),
            exemplars_span: None,
            series: 0,
            rows: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    /// Adds the next series; labels must come in ascending order. An empty one is left out.
    pub(super) fn push(&mut self, labels: &Labels, values: &Values) {
        let mut column = Vec::new();
        let (kind, rows, span) = self.encode(values, &mut column);
        let Some((first, last)) = span else { return };
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.rows += rows as u64;
        for (name, value) in labels.iter() {
            self.postings.entry((name.to_owned(), value.to_owned())).or_default().push(self.series);
        }
        self.put_series(labels.canonical(), kind, column.len());
        self.put_column(&column);
        self.series += 1;
        if self.series.is_multiple_of(SERIES_IN_BLOCK) {
            self.blocks.push(std::mem::take(&mut self.block));
            self.before.clear();
        }
    }

    /// Appends the column; yields what it is, its rows, and their first and last time.
    fn encode(&mut self, values: &Values, column: &mut Vec<u8>) -> (ColumnKind, usize, Option<(i64, i64)>) {
        let ends = |first: Option<&i64>, last: Option<&i64>| first.copied().zip(last.copied());
        match values {
            Values::Samples(c) => {
                put_varint(u64::from(self.time_column(&c.t)), column);
                codec::encode_floats(&c.v, column);
                (ColumnKind::Float, c.len(), ends(c.t.first(), c.t.last()))
            }
            Values::Buckets(b) => {
                codec::encode_buckets(b, self.width, column);
                (ColumnKind::FloatBuckets, b.len(), ends(b.first_t.first(), b.last_t.last()))
            }
            Values::Histograms(both) => {
                let mut floats = Vec::new();
                let (mut rows, mut span) = (both.histograms.len(), ends(both.histograms.t.first(), both.histograms.t.last()));
                if let Some(values) = &both.floats {
                    floats.push(0);
                    let (kind, more, other) = self.encode(values, &mut floats);
                    floats[0] = kind as u8;
                    rows += more;
                    span = span.zip(other).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))).or(span).or(other);
                }
                put_varint(floats.len() as u64, column);
                column.extend_from_slice(&floats);
                codec::encode_histograms(&both.histograms, column);
                (ColumnKind::Histogram, rows, span)
            }
        }
    }

    /// Takes a row of the table of exemplars.
    pub(super) fn put_exemplars(&mut self, row: Vec<u8>, first: Timestamp, last: Timestamp) {
        self.exemplars.push(row);
        self.exemplars_span = Some(self.exemplars_span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
    }

    /// Labels share a prefix with the series before; the column lies behind the one before.
    fn put_series(&mut self, canonical: &[u8], kind: ColumnKind, column_len: usize) {
        if self.block.is_empty() {
            let offset = (self.extents.len() - 1) * EXTENT_BYTES + self.extents.last().map_or(0, Vec::len);
            put_varint(offset as u64, &mut self.block);
        }
        let shared = self.before.iter().zip(canonical).take_while(|(a, b)| a == b).count();
        put_varint(shared as u64, &mut self.block);
        put_varint((canonical.len() - shared) as u64, &mut self.block);
        self.block.extend(canonical.iter().skip(shared));
        self.block.push(kind as u8);
        put_varint(column_len as u64, &mut self.block);
        canonical.clone_into(&mut self.before);
    }

    fn put_column(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.extents.last().is_none_or(|e| e.len() == EXTENT_BYTES) {
                self.extents.push(Vec::new());
            }
            if let Some(extent) = self.extents.last_mut() {
                let (now, later) = bytes.split_at(bytes.len().min(EXTENT_BYTES - extent.len()));
                extent.extend_from_slice(now);
                bytes = later;
            }
        }
    }

    /// The number of a time column: each distinct one is stored once.
    fn time_column(&mut self, t: &[i64]) -> u32 {
        let mut encoded = Vec::new();
        codec::encode_times(t, &mut encoded);
        let hash = xxhash_rust::xxh3::xxh3_128(&encoded);
        *self.times.entry(hash).or_insert_with(|| {
            self.time_columns.push(encoded);
            self.time_columns.len() as u32 - 1
        })
    }

    /// Writes, compacts, syncs and publishes the file; yields what the catalog has to know.
    /// `None` where nothing was added: no file is made then.
    pub(super) fn finish(mut self, mut record: Record) -> Result<Option<Record>, StoreError> {
        if let Some((first, last)) = self.exemplars_span.filter(|_| self.series == 0) {
            (self.first, self.last) = (first.0, last.0);
        } else if self.series == 0 {
            return Ok(None);
        }
        if !self.block.is_empty() {
            self.blocks.push(std::mem::take(&mut self.block));
        }
        self.files.remove(&self.temporary)?;
        let written = self.write();
        if written.is_err() {
            // Best effort: a leftover is removed at the next start as well.
            let _ = self.files.remove(&self.temporary);
        }
        written?;
        record.series = u64::from(self.series);
        record.rows = self.rows;
        record.first = Timestamp(self.first);
        record.last = Timestamp(self.last);
        record.checksum = self.files.checksum(&self.temporary)?;
        self.files.publish(&self.temporary, &record.name())?;
        record.bytes = self.files.allocated(&record.name());
        Ok(Some(record))
    }

    fn write(&self) -> Result<(), StoreError> {
        let mut database = self.files.create(&self.temporary)?;
        let fail = |e: redb::Error| self.files.database("write", &self.temporary, e);
        let transaction = database.begin_write().map_err(|e| fail(e.into()))?;
        self.fill(&transaction).map_err(fail)?;
        transaction.commit().map_err(|e| fail(e.into()))?;
        database.compact().map_err(|e| fail(e.into()))?;
        database.close().map_err(|e| fail(e.into()))
    }

    fn fill(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut postings = transaction.open_table(POSTINGS)?;
        for ((name, value), numbers) in &self.postings {
            let mut bytes = Vec::new();
            let mut before = 0;
            for n in numbers {
                put_varint(u64::from(n - before), &mut bytes);
                before = *n;
            }
            postings.insert((name.as_str(), value.as_str()), bytes.as_slice())?;
        }
        for (definition, values) in [(SERIES, &self.blocks), (TIMES, &self.time_columns), (EXTENTS, &self.extents)] {
            let mut table = transaction.open_table(definition)?;
            for (i, bytes) in values.iter().enumerate() {
                table.insert(i as u32, bytes.as_slice())?;
            }
        }
        if !self.exemplars.is_empty() {
            let mut table = transaction.open_table(EXEMPLARS)?;
            for (i, bytes) in self.exemplars.iter().enumerate() {
                table.insert(i as u32, bytes.as_slice())?;
            }
        }
        let mut summary = transaction.open_table(SUMMARY)?;
        summary.insert("series", u64::from(self.series))?;
        summary.insert("rows", self.rows)?;
        Ok(())
    }
}

/// Sealed files that are open, the least recently used closed first.
#[derive(Default)]
pub(super) struct OpenFiles {
    list: Mutex<Vec<(u64, Arc<ReadOnlyDatabase>)>>,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
}

impl std::fmt::Debug for OpenFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenFiles")
    }
}

impl OpenFiles {
    fn get(&self, generation: u64, open: impl FnOnce() -> Result<ReadOnlyDatabase, StoreError>) -> Result<Arc<ReadOnlyDatabase>, StoreError> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(i) = list.iter().position(|(g, _)| *g == generation) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            let entry = list.remove(i);
            let database = entry.1.clone();
            list.push(entry);
            return Ok(database);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let database = Arc::new(open()?);
        if list.len() >= MAX_OPEN {
            list.remove(0);
        }
        list.push((generation, database.clone()));
        Ok(database)
    }

    fn forget(&self, generation: u64) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).retain(|(g, _)| *g != generation);
    }
}

/// A sealed partition. Opened when it is first read.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) record: Record,
    files: Arc<Files>,
    open: Arc<OpenFiles>,
    /// Its record is gone: the file goes with the last reader.
    doomed: AtomicBool,
    /// What is wrong with it: from then on it is left out, and set aside by the next round.
    sick: OnceLock<String>,
}

impl Drop for Partition {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Relaxed) {
            self.open.forget(self.record.generation);
            if let Err(error) = self.files.remove(&self.record.name()) {
                tracing::warn!(%error, "a dropped partition is left for the next start");
            }
        }
    }
}

impl Partition {
    pub(super) fn new(record: Record, files: &Arc<Files>, open: &Arc<OpenFiles>) -> Self {
        Self { record, files: files.clone(), open: open.clone(), doomed: AtomicBool::new(false), sick: OnceLock::new() }
    }

    /// Reads something of it; `None` where it is damaged or missing, which is remembered: one bad
    /// file must not take the answers of all others.
    ///
    /// # Errors
    /// Reading failed for another reason, such as too many open files; a later try may work.
    pub(super) fn read<T>(&self, call: impl FnOnce(&mut View<'_>) -> Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        if self.sick().is_some() {
            return Ok(None);
        }
        // Bytes that are not what was written can also make redb panic.
        let reason = match catch_unwind(AssertUnwindSafe(|| self.view().and_then(|mut view| call(&mut view)))) {
            Ok(Ok(value)) => return Ok(Some(value)),
            Ok(Err(error)) if !error.is_damage() => return Err(error),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "its pages do not hang together".to_owned(),
        };
        self.remember(reason);
        Ok(None)
    }

    fn remember(&self, reason: String) {
        let Record { tier, range, .. } = &self.record;
        let (from, to) = (range.start.0, range.end.0);
        if self.sick.set(reason.clone()).is_ok() {
            self.open.forget(self.record.generation);
            tracing::error!(%tier, from, to, reason, file = self.record.name(), "a partition is damaged: what it holds is left out, the rest goes on");
        }
    }

    /// Whether the file's bytes are still those that were written; one that they are not of is left
    /// out from now on.
    ///
    /// # Errors
    /// The file cannot be read now.
    pub(super) fn is_as_written(&self) -> Result<bool, StoreError> {
        if self.sick().is_none() {
            match self.files.checksum(&self.record.name()) {
                Ok(checksum) if checksum == self.record.checksum => {}
                Ok(_) => self.remember("its checksum differs".to_owned()),
                Err(error) if error.is_damage() => self.remember(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(self.sick().is_none())
    }

    /// What is wrong with it, if anything was found.
    pub(super) fn sick(&self) -> Option<&str> {
        self.sick.get().map(String::as_str)
    }

    /// Looks at every series, so that damage is found.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) fn examine(&self) -> Result<(), StoreError> {
        let series = self.record.series as u32;
        self.read(|view| {
            view.exemplars(|_, _| ())?;
            (0..series).try_for_each(|number| view.read(number).map(|_| ()))
        })
        .map(|_| ())
    }

    /// Lets the file go when nobody reads it any more.
    pub(super) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Opens it for reading.
    pub(super) fn view(&self) -> Result<View<'_>, StoreError> {
        let database = self.open.get(self.record.generation, || self.files.open_read(&self.record.name()))?;
        let transaction = database.begin_read().map_err(|e| self.failed(e))?;
        Ok(View { partition: self, transaction, _database: database, extent: None, block: None })
    }

    pub(super) fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        self.files.database("read", &self.record.name(), error)
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: format!("partition {}", self.record.name()), reason: reason.into() }
    }
}

#[derive(Clone, Debug)]
struct SeriesEntry {
    labels: Labels,
    kind: ColumnKind,
    offset: usize,
    len: usize,
}

/// A partition that is open for one reader; keeps the piece and the block that it read last.
pub(super) struct View<'a> {
    partition: &'a Partition,
    transaction: ReadTransaction,
    _database: Arc<ReadOnlyDatabase>,
    extent: Option<(u32, Vec<u8>)>,
    block: Option<(u32, Vec<SeriesEntry>)>,
}

impl View<'_> {
    pub(super) const fn partition(&self) -> &Partition {
        self.partition
    }

    pub(super) const fn transaction(&self) -> &ReadTransaction {
        &self.transaction
    }

    fn table<K: redb::Key + 'static, V: redb::Value + 'static>(&self, definition: TableDefinition<'static, K, V>) -> Result<ReadOnlyTable<K, V>, StoreError> {
        self.transaction.open_table(definition).map_err(|e| self.partition.failed(e))
    }

    fn bytes(&self, definition: TableDefinition<'static, u32, &'static [u8]>, key: u32) -> Result<Vec<u8>, StoreError> {
        let table = self.table(definition)?;
        let value = table.get(key).map_err(|e| self.partition.failed(e))?;
        value.map(|v| v.value().to_vec()).ok_or_else(|| self.partition.damaged(format!("row {key} is missing")))
    }

    fn entry(&mut self, number: u32) -> Result<SeriesEntry, StoreError> {
        let block = number / SERIES_IN_BLOCK;
        if self.block.as_ref().is_none_or(|(b, _)| *b != block) {
            let bytes = self.bytes(SERIES, block)?;
            let entries = read_block(&bytes).ok_or_else(|| self.partition.damaged(format!("series block {block} does not decode")))?;
            self.block = Some((block, entries));
        }
        let entry = self.block.as_ref().and_then(|(_, entries)| entries.get((number % SERIES_IN_BLOCK) as usize)).cloned();
        entry.ok_or_else(|| self.partition.damaged(format!("series {number} is missing")))
    }

    /// The labels of a series.
    pub(super) fn labels(&mut self, number: u32) -> Result<Labels, StoreError> {
        Ok(self.entry(number)?.labels)
    }

    /// The labels and values of a series.
    pub(super) fn read(&mut self, number: u32) -> Result<(Labels, Values), StoreError> {
        let entry = self.entry(number)?;
        let mut column = Vec::with_capacity(entry.len);
        let mut at = entry.offset;
        while column.len() < entry.len {
            let (extent, from) = ((at / EXTENT_BYTES) as u32, at % EXTENT_BYTES);
            if self.extent.as_ref().is_none_or(|(e, _)| *e != extent) {
                self.extent = Some((extent, self.bytes(EXTENTS, extent)?));
            }
            let piece = self.extent.as_ref().and_then(|(_, bytes)| bytes.get(from..)).unwrap_or_default();
            if piece.is_empty() {
                return Err(self.partition.damaged(format!("the column of series {number} is cut short")));
            }
            let take = piece.len().min(entry.len - column.len());
            column.extend(piece.iter().take(take));
            at += take;
        }
        Ok((entry.labels.clone(), self.values(number, entry.kind, &column)?))
    }

    fn values(&self, number: u32, kind: ColumnKind, column: &[u8]) -> Result<Values, StoreError> {
        let damaged = |e: &dyn std::fmt::Display| self.partition.damaged(format!("the column of series {number}: {e}"));
        match kind {
            ColumnKind::Float => {
                let mut cursor = Cursor::new(column);
                let times = cursor.varint().ok().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| damaged(&"no time column"))?;
                let v = codec::decode_floats(cursor.rest()).map_err(|e| damaged(&e))?;
                let t = codec::decode_times(&self.bytes(TIMES, times)?).map_err(|e| damaged(&e))?;
                if t.len() == v.len() { Ok(Values::Samples(Column { t, v })) } else { Err(damaged(&"times and values differ in length")) }
            }
            ColumnKind::FloatBuckets => codec::decode_buckets(column).map(Values::Buckets).map_err(|e| damaged(&e)),
            ColumnKind::Histogram => {
                let mut cursor = Cursor::new(column);
                let floats = match cursor.block().map_err(|e| damaged(&e))?.split_first() {
                    None => None,
                    Some((kind, rest)) => match ColumnKind::from_byte(*kind) {
                        Some(kind @ (ColumnKind::Float | ColumnKind::FloatBuckets)) => Some(self.values(number, kind, rest)?),
                        _ => return Err(damaged(&"histograms within histograms")),
                    },
                };
                let histograms = codec::decode_histograms(cursor.rest()).map_err(|e| damaged(&e))?;
                Ok(Values::Histograms(Box::new(WithHistograms { floats, histograms })))
            }
        }
    }

    /// Calls `each` for every label name and value.
    pub(super) fn pairs(&self, mut each: impl FnMut(&str, &str)) -> Result<(), StoreError> {
        let table = self.table(POSTINGS)?;
        for entry in table.iter().map_err(|e| self.partition.failed(e))? {
            let (key, _) = entry.map_err(|e| self.partition.failed(e))?;
            let (name, value) = key.value();
            each(name, value);
        }
        Ok(())
    }
}

impl Index for View<'_> {
    fn len(&self) -> u32 {
        self.partition.record.series as u32
    }

    fn equal(&self, name: &str, value: &str) -> Result<Vec<u32>, StoreError> {
        let table = self.table(POSTINGS)?;
        let found = table.get((name, value)).map_err(|e| self.partition.failed(e))?;
        Ok(found.map(|v| read_postings(v.value())).unwrap_or_default())
    }

    fn values(&self, name: &str, each: &mut EachValue<'_>) -> Result<(), StoreError> {
        let table = self.table(POSTINGS)?;
        for entry in table.range((name, "")..).map_err(|e| self.partition.failed(e))? {
            let (key, numbers) = entry.map_err(|e| self.partition.failed(e))?;
            let (found, value) = key.value();
            if found != name {
                break;
            }
            each(value, &mut || read_postings(numbers.value()));
        }
        Ok(())
    }
}

fn read_postings(bytes: &[u8]) -> Vec<u32> {
    let mut cursor = Cursor::new(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    let mut number = 0u32;
    while let Ok(step) = cursor.varint() {
        number = number.wrapping_add(step as u32);
        out.push(number);
    }
    out
}

fn read_block(bytes: &[u8]) -> Option<Vec<SeriesEntry>> {
    let mut cursor = Cursor::new(bytes);
    let mut offset = usize::try_from(cursor.varint().ok()?).ok()?;
    let mut out = Vec::new();
    let mut canonical: Vec<u8> = Vec::new();
    while !cursor.rest().is_empty() {
        let shared = usize::try_from(cursor.varint().ok()?).ok()?;
        let rest = cursor.block().ok()?;
        if shared > canonical.len() {
            return None;
        }
        canonical.truncate(shared);
        canonical.extend_from_slice(rest);
        let kind = ColumnKind::from_byte(cursor.byte().ok()?)?;
        let len = usize::try_from(cursor.varint().ok()?).ok()?;
        out.push(SeriesEntry { labels: Labels::from_canonical(&canonical).ok()?, kind, offset, len });
        offset = offset.checked_add(len)?;
    }
    Some(out)
}
