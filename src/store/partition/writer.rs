//! Writes a sealed file, series by series in label order. Knows no catalog: it yields the record.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use redb::WriteTransaction;

use super::directory::{Directory, PairsAt, SeriesAt};
use super::names::{self, SERIES_IN_BLOCK};
use super::pack::pack;
use super::pairs::{self, PAIRS_IN_BLOCK, Pair, Runs};
use super::places::{self, At, Entry, Place};
use super::times::Times;
use super::{Values, floats_beside, stream};
use crate::model::{Labels, Tier, Timestamp};
use crate::store::StoreError;
use crate::store::codec::{self, put_varint};
use crate::store::files::Files;
use crate::store::layout::{ColumnKind, EXEMPLARS, Record};

/// Columns up to this length lie beside their entry, where they deflate together; longer ones hardly
/// deflate, and are stored once where several series have the same.
const SHORT_COLUMN_BYTES: usize = 128;

/// The pairs of all series, numbered as they come.
#[derive(Default)]
struct Pairs {
    numbers: HashMap<String, HashMap<String, u32>>,
    /// Blocks of series, by number.
    runs: Vec<Runs>,
}

impl Pairs {
    /// The number of a pair, which occurs in a block of series.
    fn number(&mut self, name: &str, value: &str, block: u32) -> u32 {
        let values = match self.numbers.get_mut(name) {
            Some(values) => values,
            None => self.numbers.entry(name.to_owned()).or_default(),
        };
        let number = match values.get(value) {
            Some(number) => *number,
            None => {
                let number = self.runs.len() as u32;
                values.insert(value.to_owned(), number);
                self.runs.push(Runs::new());
                number
            }
        };
        if let Some(runs) = self.runs.get_mut(number as usize) {
            match runs.last_mut() {
                Some(run) if run.end > block => {}
                Some(run) if run.end == block => run.end += 1,
                _ => runs.push(block..block + 1),
            }
        }
        number
    }

    /// All pairs in order, with the numbers that they have now.
    fn in_order(&self) -> Vec<(&str, &str, u32)> {
        let mut out: Vec<(&str, &str, u32)> =
            self.numbers.iter().flat_map(|(name, values)| values.iter().map(move |(value, number)| (name.as_str(), value.as_str(), *number))).collect();
        out.sort_unstable();
        out
    }
}

/// Writes a partition, series by series in label order.
pub(in crate::store) struct PartitionWriter<'a> {
    files: &'a Files,
    temporary: String,
    width: Duration,
    pairs: Pairs,
    /// Numbers of all series' pairs, and where each series ends.
    numbers: Vec<u32>,
    ends: Vec<usize>,
    stream: Vec<u8>,
    /// Of the block that is being filled.
    entries: Vec<Entry<Vec<u8>>>,
    base: u64,
    blocks: Vec<SeriesAt>,
    times: Times,
    /// Columns by what they are: the same bytes are stored once.
    stored: HashMap<u128, At>,
    exemplars: Vec<Vec<u8>>,
    rows: u64,
    first: i64,
    last: i64,
}

impl<'a> PartitionWriter<'a> {
    pub(in crate::store) fn new(files: &'a Files, tier: Tier, width: Duration, generation: u64) -> Self {
        Self {
            files,
            temporary: format!("{tier}/{generation}.tmp"),
            width,
            pairs: Pairs::default(),
            numbers: Vec::new(),
            ends: Vec::new(),
            stream: Vec::new(),
            entries: Vec::new(),
            base: 0,
            blocks: Vec::new(),
            times: Times::default(),
            stored: HashMap::new(),
            exemplars: Vec::new(),
            rows: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    /// Adds the next series; labels must come in ascending order. An empty one is left out.
    pub(in crate::store) fn push(&mut self, labels: &Labels, values: &Values) {
        let mut column = Vec::new();
        let kind = match values {
            Values::Samples(c) => {
                codec::encode_floats(&c.v, &mut column);
                ColumnKind::Float
            }
            Values::Buckets(b) => {
                codec::encode_buckets(b, &mut column);
                ColumnKind::FloatBuckets
            }
            Values::Histograms(both) => {
                let beside = floats_beside(both.floats.as_ref(), self.width);
                put_varint(beside.len() as u64, &mut column);
                column.extend(beside);
                codec::encode_histograms(&both.histograms.h, &mut column);
                ColumnKind::Histogram
            }
        };
        let Some((rows, first, last)) = extent(values) else { return };
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.rows += rows as u64;
        let block = self.blocks.len() as u32;
        for (name, value) in labels.iter() {
            self.numbers.push(self.pairs.number(name, value, block));
        }
        self.ends.push(self.numbers.len());
        let times = Some(self.times_of(values));
        let place = if column.len() <= SHORT_COLUMN_BYTES { Place::Here(column) } else { Place::Stream(self.store(&column)) };
        self.entries.push(Entry { kind, times, place });
        if self.entries.len() == SERIES_IN_BLOCK {
            self.end_block();
        }
    }

    /// Where the stream has when the values are: times, or the frame of buckets.
    fn times_of(&mut self, values: &Values) -> At {
        match values {
            Values::Samples(c) => self.times.put(&c.t, &mut self.stream),
            Values::Buckets(b) => {
                let mut frame = Vec::new();
                codec::encode_frame(b, self.width, &mut frame);
                self.store(&frame)
            }
            Values::Histograms(both) => self.times.put(&both.histograms.t, &mut self.stream),
        }
    }

    /// Takes a row of the table of exemplars.
    pub(in crate::store) fn put_exemplars(&mut self, row: Vec<u8>) {
        self.exemplars.push(row);
    }

    /// Where the stream has these bytes: each distinct column is stored once.
    fn store(&mut self, bytes: &[u8]) -> At {
        let hash = xxhash_rust::xxh3::xxh3_128(bytes);
        *self.stored.entry(hash).or_insert_with(|| {
            let at = At { from: self.stream.len() as u64, len: bytes.len() };
            self.stream.extend_from_slice(bytes);
            at
        })
    }

    fn end_block(&mut self) {
        let places = put(&places::encode(&self.entries, self.base), &mut self.stream);
        self.blocks.push(SeriesAt { base: self.base, places, names: At { from: 0, len: 0 } });
        self.base = self.stream.len() as u64;
        self.entries.clear();
    }

    /// Writes, compacts, syncs and publishes the file; yields what the catalog has to know.
    /// `None` where nothing was added: no file is made then, unless it has a sequence to say through
    /// which its range is complete, or the journal would bring back what is deleted.
    pub(in crate::store) fn finish(mut self, mut record: Record) -> Result<Option<Record>, StoreError> {
        if self.ends.is_empty() && self.exemplars.is_empty() && record.through == 0 {
            return Ok(None);
        }
        if !self.entries.is_empty() {
            self.end_block();
        }
        self.end_stream();
        self.files.remove(&self.temporary)?;
        let written = self.write();
        if written.is_err() {
            // Best effort: a leftover is removed at the next start as well.
            let _ = self.files.remove(&self.temporary);
        }
        written?;
        record.series = self.ends.len() as u64;
        record.rows = self.rows;
        let has_rows = self.rows > 0;
        record.first = if has_rows { Timestamp(self.first) } else { record.range.end };
        record.last = if has_rows { Timestamp(self.last) } else { record.range.start };
        record.checksum = self.files.checksum(&self.temporary)?;
        self.files.publish(&self.temporary, &record.name())?;
        record.bytes = self.files.allocated(&record.name());
        Ok(Some(record))
    }

    /// Appends what is known only now: names, pairs and the directory.
    fn end_stream(&mut self) {
        let in_order = self.pairs.in_order();
        let mut numbers = vec![0u32; in_order.len()];
        for (number, (_, _, came)) in in_order.iter().enumerate() {
            if let Some(place) = numbers.get_mut(*came as usize) {
                *place = number as u32;
            }
        }
        for number in &mut self.numbers {
            *number = numbers.get(*number as usize).copied().unwrap_or_default();
        }
        let mut from = 0;
        let series: Vec<Range<usize>> = self.ends.iter().map(|end| std::mem::replace(&mut from, *end)..*end).collect();
        for (block, series) in self.blocks.iter_mut().zip(series.chunks(SERIES_IN_BLOCK)) {
            block.names = put(&names::encode(series.iter().filter_map(|range| self.numbers.get(range.clone()))), &mut self.stream);
        }
        let mut pairs = Vec::new();
        for (chunk, number) in in_order.chunks(PAIRS_IN_BLOCK).zip((0..).step_by(PAIRS_IN_BLOCK)) {
            let runs = |came: u32| self.pairs.runs.get(came as usize).map(Vec::as_slice).unwrap_or_default();
            let list: Vec<Pair<'_>> = chunk.iter().map(|(name, value, came)| Pair { name, value, runs: runs(*came) }).collect();
            let at = put(&pairs::encode(&list, self.blocks.len() as u32), &mut self.stream);
            let (name, value) = list.first().map_or(("", ""), |first| (first.name, first.value));
            pairs.push(PairsAt { at, number, count: chunk.len(), name: name.to_owned(), value: value.to_owned() });
        }
        let directory = Directory { series: self.ends.len() as u32, rows: self.rows, blocks: std::mem::take(&mut self.blocks), pairs };
        stream::close(&directory, &mut self.stream);
    }

    fn fill_exemplars(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        if !self.exemplars.is_empty() {
            let mut table = transaction.open_table(EXEMPLARS)?;
            for (number, row) in self.exemplars.iter().enumerate() {
                table.insert(number as u32, row.as_slice())?;
            }
        }
        Ok(())
    }

    fn write(&self) -> Result<(), StoreError> {
        let mut database = self.files.create(&self.temporary)?;
        let fail = |e: redb::Error| self.files.database("write", &self.temporary, e);
        let transaction = database.begin_write().map_err(|e| fail(e.into()))?;
        stream::fill(&transaction, &self.stream).map_err(fail)?;
        self.fill_exemplars(&transaction).map_err(fail)?;
        transaction.commit().map_err(|e| fail(e.into()))?;
        database.compact().map_err(|e| fail(e.into()))?;
        database.close().map_err(|e| fail(e.into()))
    }
}

/// Rows, and their first and last time; `None` where there are none.
fn extent(values: &Values) -> Option<(usize, i64, i64)> {
    match values {
        Values::Samples(c) => Some((c.len(), *c.t.first()?, *c.t.last()?)),
        Values::Buckets(b) => Some((b.len(), *b.first_t.first()?, *b.last_t.last()?)),
        Values::Histograms(both) => {
            let t = &both.histograms.t;
            let (rows, first, last) = (t.len(), *t.first()?, *t.last()?);
            let beside = both.floats.as_ref().and_then(extent);
            Some(beside.map_or((rows, first, last), |(more, from, to)| (rows + more, first.min(from), last.max(to))))
        }
    }
}

/// Appends a packed block to a stream.
fn put(block: &[u8], stream: &mut Vec<u8>) -> At {
    let from = stream.len() as u64;
    At { from, len: pack(block, stream) }
}
