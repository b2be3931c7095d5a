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

use redb::ReadableDatabase;

use super::StoreError;
use super::codec;
use super::files::Files;
use super::index;
use super::layout::{ColumnKind, Record};
use crate::model::{BucketColumns, Column, Labels, Matcher};

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
}

/// Values of an encoded column and its times; else what is wrong with them.
fn values_of(kind: ColumnKind, times: Option<Vec<i64>>, column: &[u8]) -> Result<Values, String> {
    match (kind, times) {
        (ColumnKind::Float, Some(t)) => {
            let v = codec::decode_floats(column).map_err(|e| e.to_string())?;
            if t.len() == v.len() { Ok(Values::Samples(Column { t, v })) } else { Err("times and values differ in length".to_owned()) }
        }
        (ColumnKind::Float, None) => Err("no time column".to_owned()),
        (ColumnKind::FloatBuckets, _) => codec::decode_buckets(column).map(Values::Buckets).map_err(|e| e.to_string()),
        (ColumnKind::Histogram, _) => Err("native histograms are not read yet".to_owned()),
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
        self.read(|view| (0..series).try_for_each(|number| view.read(number).map(|_| ()))).map(|_| ())
    }

    /// Lets the file go when nobody reads it any more.
    pub(super) fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Opens it for reading.
    pub(super) fn view(&self) -> Result<View<'_>, StoreError> {
        let file = self.open.get(self.record.generation, || self.open_file())?;
        let transaction = file.database.begin_read().map_err(|e| self.failed(e))?;
        let form = match file.directory.clone() {
            Some(directory) => {
                let stream = Stream::open(self, &transaction)?.ok_or_else(|| self.damaged("its stream is missing"))?;
                Form::Stream(Box::new(StreamView::new(self, file, directory, stream)))
            }
            None => Form::Old(Box::new(OldView::new(self, file, transaction))),
        };
        Ok(View { partition: self, form })
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

    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        self.files.database("read", &self.record.name(), error)
    }

    fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: format!("partition {}", self.record.name()), reason: reason.into() }
    }
}

/// A partition that is open for one reader.
pub(super) struct View<'a> {
    partition: &'a Partition,
    form: Form<'a>,
}

enum Form<'a> {
    Stream(Box<StreamView<'a>>),
    Old(Box<OldView<'a>>),
}

impl View<'_> {
    /// Ascending numbers of the series that all matchers accept.
    pub(super) fn matching(&mut self, matchers: &[Matcher]) -> Result<Arc<[u32]>, StoreError> {
        let Self { partition, form } = self;
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
