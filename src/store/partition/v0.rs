//! Reads sealed files of the layout before streams: a row for each pair, each 32 series and each
//! time column. Nothing writes it any more.

use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition};

use super::open::OpenFile;
use super::{Partition, Values, values_of};
use crate::model::Labels;
use crate::store::StoreError;
use crate::store::codec::{self, Cursor};
use crate::store::index::{EachValue, Index};
use crate::store::layout::{ColumnKind, EXTENT_BYTES, EXTENTS, POSTINGS, SERIES, SERIES_IN_ROW, TIMES};

#[derive(Clone, Debug)]
struct SeriesEntry {
    labels: Labels,
    kind: ColumnKind,
    offset: usize,
    len: usize,
}

/// One reader's view; keeps the piece and the series that it read last.
pub(super) struct OldView<'a> {
    partition: &'a Partition,
    transaction: ReadTransaction,
    _file: Arc<OpenFile>,
    extent: Option<(u32, Vec<u8>)>,
    series: Option<(u32, Vec<SeriesEntry>)>,
}

impl<'a> OldView<'a> {
    pub(super) const fn new(partition: &'a Partition, file: Arc<OpenFile>, transaction: ReadTransaction) -> Self {
        Self { partition, transaction, _file: file, extent: None, series: None }
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
        let row = number / SERIES_IN_ROW;
        if self.series.as_ref().is_none_or(|(r, _)| *r != row) {
            let bytes = self.bytes(SERIES, row)?;
            let entries = read_series(&bytes).ok_or_else(|| self.partition.damaged(format!("series row {row} does not decode")))?;
            self.series = Some((row, entries));
        }
        let entry = self.series.as_ref().and_then(|(_, entries)| entries.get((number % SERIES_IN_ROW) as usize)).cloned();
        entry.ok_or_else(|| self.partition.damaged(format!("series {number} is missing")))
    }

    /// The labels of a series.
    pub(super) fn labels(&mut self, number: u32) -> Result<Labels, StoreError> {
        Ok(self.entry(number)?.labels)
    }

    /// The values of a series.
    pub(super) fn values(&mut self, number: u32) -> Result<Values, StoreError> {
        let entry = self.entry(number)?;
        // Not reserved: a damaged length may say anything.
        let mut column = Vec::new();
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
        let damaged = |e: &dyn std::fmt::Display| self.partition.damaged(format!("the column of series {number}: {e}"));
        let mut cursor = Cursor::new(&column);
        let mut times = None;
        if entry.kind == ColumnKind::Float {
            let row = cursor.varint().ok().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| damaged(&"no time column"))?;
            times = Some(codec::decode_times(&self.bytes(TIMES, row)?).map_err(|e| damaged(&e))?);
        }
        values_of(entry.kind, times, cursor.rest()).map_err(|e| damaged(&e))
    }

    /// Calls `each` for every label name and value.
    pub(super) fn each_pair(&self, mut each: impl FnMut(&str, &str)) -> Result<(), StoreError> {
        let table = self.table(POSTINGS)?;
        for entry in table.iter().map_err(|e| self.partition.failed(e))? {
            let (key, _) = entry.map_err(|e| self.partition.failed(e))?;
            let (name, value) = key.value();
            each(name, value);
        }
        Ok(())
    }
}

impl Index for OldView<'_> {
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

fn read_series(bytes: &[u8]) -> Option<Vec<SeriesEntry>> {
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
