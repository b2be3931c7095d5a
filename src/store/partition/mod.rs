//! Sealed partitions: one redb file for a range of time of one tier, written once in label order,
//! read-only ever after. Self-contained: labels, postings, columns.
//!
//! A file is one stream of bytes (`stream`), in which a `directory` finds the blocks: label `pairs`,
//! series as `names` of pairs, and `places` of columns. `v0` reads the layout before it.

mod directory;
mod names;
mod open;
mod pack;
mod pairs;
mod places;
mod select;
mod stream;
mod times;
mod v0;
mod view;
mod writer;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redb::{ReadOnlyTable, ReadableDatabase, TableError};

use super::StoreError;
use super::codec::{self, CodecError, Cursor, put_varint};
use super::files::Files;
use super::index;
use super::layout::{ColumnKind, EXEMPLARS, Record};
use crate::model::{BucketColumns, Column, HistogramColumn, Labels, Matcher};

use open::OpenFile;
pub(super) use open::OpenFiles;
use stream::Stream;
use v0::OldView;
use view::StreamView;
pub(super) use writer::PartitionWriter;

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

/// Values of an encoded column and its times or frame; else what is wrong with them.
fn values_of(kind: ColumnKind, times: Option<Vec<i64>>, frame: Option<BucketColumns>, column: &[u8]) -> Result<Values, String> {
    match (kind, times) {
        (ColumnKind::Float, Some(t)) => {
            let v = codec::decode_floats(column).map_err(|e| e.to_string())?;
            if t.len() == v.len() { Ok(Values::Samples(Column { t, v })) } else { Err("times and values differ in length".to_owned()) }
        }
        (ColumnKind::Float, None) => Err("no time column".to_owned()),
        (ColumnKind::FloatBuckets, _) => codec::decode_buckets(column, frame).map(Values::Buckets).map_err(|e| e.to_string()),
        (ColumnKind::Histogram, Some(t)) => histograms_of(t, column).map_err(|e| e.to_string()),
        (ColumnKind::Histogram, None) => Err("no time column".to_owned()),
    }
}

/// Histograms, and before them the floats that [`floats_beside`] wrote.
fn histograms_of(t: Vec<i64>, column: &[u8]) -> Result<Values, CodecError> {
    let mut cursor = Cursor::new(column);
    let mut beside = Cursor::new(cursor.block()?);
    let floats = match beside.rest() {
        [] => None,
        _ => Some(match ColumnKind::from_byte(beside.byte()?) {
            Some(ColumnKind::Float) => {
                let t = codec::decode_times(beside.block()?)?;
                let v = codec::decode_floats(beside.rest())?;
                if t.len() != v.len() {
                    return Err(CodecError::Damaged("times and values differ in length"));
                }
                Values::Samples(Column { t, v })
            }
            Some(ColumnKind::FloatBuckets) => {
                let frame = codec::decode_frame(beside.block()?)?;
                Values::Buckets(codec::decode_buckets(beside.rest(), Some(frame))?)
            }
            _ => return Err(CodecError::Damaged("histograms within histograms")),
        }),
    };
    let h = codec::decode_histograms(cursor.rest())?;
    if t.len() != h.len() {
        return Err(CodecError::Damaged("times and histograms differ in number"));
    }
    Ok(Values::Histograms(Box::new(WithHistograms { floats, histograms: HistogramColumn { t, h } })))
}

/// What a series has of floats, as it stands before its histograms.
fn floats_beside(floats: Option<&Values>, width: Duration) -> Vec<u8> {
    let mut out = Vec::new();
    match floats {
        Some(Values::Samples(column)) => {
            let mut times = Vec::new();
            codec::encode_times(&column.t, &mut times);
            out.push(ColumnKind::Float as u8);
            put_varint(times.len() as u64, &mut out);
            out.extend(times);
            codec::encode_floats(&column.v, &mut out);
        }
        Some(Values::Buckets(buckets)) => {
            let mut frame = Vec::new();
            codec::encode_frame(buckets, width, &mut frame);
            out.push(ColumnKind::FloatBuckets as u8);
            put_varint(frame.len() as u64, &mut out);
            out.extend(frame);
            codec::encode_buckets(buckets, &mut out);
        }
        Some(Values::Histograms(_)) | None => {}
    }
    out
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
        let file = self.open.get(self.record.generation, || self.open_file())?;
        let transaction = file.database.begin_read().map_err(|e| self.failed(e))?;
        let exemplars = match transaction.open_table(EXEMPLARS) {
            Ok(table) => Some(table),
            // Most files have none.
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(self.failed(error)),
        };
        let form = match file.directory.clone() {
            Some(directory) => {
                let stream = Stream::open(self, &transaction)?.ok_or_else(|| self.damaged("its stream is missing"))?;
                Form::Stream(Box::new(StreamView::new(self, file, directory, stream)))
            }
            None => Form::Old(Box::new(OldView::new(self, file, transaction))),
        };
        Ok(View { partition: self, form, exemplars })
    }

    fn open_file(&self) -> Result<OpenFile, StoreError> {
        let database = self.files.open_read(&self.record.name())?;
        let transaction = database.begin_read().map_err(|e| self.failed(e))?;
        let directory = Stream::open(self, &transaction)?.map(|mut stream| stream.directory()).transpose()?;
        if directory.as_ref().is_some_and(|d| u64::from(d.series) != self.record.series) {
            return Err(self.damaged("it holds other series than the catalog says"));
        }
        drop(transaction);
        Ok(OpenFile { database, directory: directory.map(Arc::new) })
    }

    pub(super) fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        self.files.database("read", &self.record.name(), error)
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: format!("partition {}", self.record.name()), reason: reason.into() }
    }
}

/// A partition that is open for one reader.
pub(super) struct View<'a> {
    partition: &'a Partition,
    form: Form<'a>,
    exemplars: Option<ReadOnlyTable<u32, &'static [u8]>>,
}

enum Form<'a> {
    Stream(Box<StreamView<'a>>),
    Old(Box<OldView<'a>>),
}

impl View<'_> {
    pub(super) const fn partition(&self) -> &Partition {
        self.partition
    }

    /// The table of exemplars, where the file has one.
    pub(super) const fn exemplars_table(&self) -> Option<&ReadOnlyTable<u32, &'static [u8]>> {
        self.exemplars.as_ref()
    }

    /// Ascending numbers of the series that all matchers accept.
    pub(super) fn matching(&mut self, matchers: &[Matcher]) -> Result<Arc<[u32]>, StoreError> {
        let Self { partition, form, .. } = self;
        let text: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
        partition.open.selection(partition.record.generation, text.join(","), || match form {
            Form::Stream(view) => select::matching(view, matchers),
            Form::Old(view) => index::matching(&**view, matchers),
        })
    }

    /// The labels of a series.
    pub(super) fn labels(&mut self, number: u32) -> Result<Labels, StoreError> {
        match &mut self.form {
            Form::Stream(view) => view.labels(number),
            Form::Old(view) => view.labels(number),
        }
    }

    /// The labels and values of a series.
    pub(super) fn read(&mut self, number: u32) -> Result<(Labels, Values), StoreError> {
        Ok(match &mut self.form {
            Form::Stream(view) => (view.labels(number)?, view.values(number)?),
            Form::Old(view) => (view.labels(number)?, view.values(number)?),
        })
    }

    /// Calls `each` for every label name and value.
    pub(super) fn pairs(&mut self, each: impl FnMut(&str, &str)) -> Result<(), StoreError> {
        match &mut self.form {
            Form::Stream(view) => view.each_pair(each),
            Form::Old(view) => view.each_pair(each),
        }
    }
}
