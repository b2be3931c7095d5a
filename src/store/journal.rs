//! The journal: rows of samples in redb files, one durable commit for a group of batches.
//!
//! A file takes rows until it holds 32 MiB, then the next one begins; a file is unlinked when every
//! window that it touches is sealed through the file's last row for that window. Numbers of series
//! are per file, so each file can be read alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase, ReadableTable};

use super::extras::{self, Extra, Item};
use super::files::{Files, JOURNAL};
use super::layout::ROWS;
use super::row::{self, RowSeries, RowState};
use super::{JournalSync, StoreError};
use crate::clock::Stopwatch;
use crate::model::{Sample, Tier, Timestamp};

/// Payload of one file.
const FILE_BYTES: u64 = 32 << 20;
/// Payload from which a file is closed once a window of it is sealed: below it a new file, with all
/// labels anew, costs more than it saves.
const TURN_BYTES: u64 = 1 << 20;
/// A row is cut here: a larger value would take twice its length on redb's pages.
const ROW_BYTES: usize = 48 << 10;

/// Sequences left free behind a file that cannot be read: more than one file holds.
const PASSED_OVER: u64 = 1 << 24;

/// A window of the head: tier and start.
pub(super) type WindowKey = (Tier, Timestamp);

/// A file that is not written any more.
#[derive(Debug)]
struct Closed {
    name: String,
    bytes: u64,
    touched: BTreeMap<WindowKey, u64>,
}

#[derive(Debug)]
struct Current {
    name: String,
    database: Database,
    state: RowState,
    /// Number in this file by series of the head; 0: none, else number + 1.
    numbers: Vec<u32>,
    touched: BTreeMap<WindowKey, u64>,
    payload: u64,
}

/// Samples of one series on their way into the journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) tier: Tier,
    /// The series' number in the head.
    pub(super) series: u32,
    pub(super) labels: &'a [u8],
    pub(super) samples: &'a [Sample],
}

/// Where a sample that is read back stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The file's first sequence.
    pub(super) file: u64,
    /// The row's.
    pub(super) sequence: u64,
    pub(super) tier: Tier,
    /// The series' number in the file.
    pub(super) number: u32,
    pub(super) labels: &'a [u8],
}

/// The journal, owned by the one writer.
#[derive(Debug)]
pub(super) struct Journal {
    files: Arc<Files>,
    current: Option<Current>,
    closed: Vec<Closed>,
    next_sequence: u64,
    sync: JournalSync,
    unsynced: Option<Stopwatch>,
    /// Payload of all commits.
    pub(super) written: u64,
}

impl Journal {
    /// Opens the journal and hands everything in every row, in order of sequence, to `replay`, which
    /// says whether it took one (false: it is sealed already).
    /// A damaged file is left where it is, out of the way, and named in the notes.
    pub(super) fn open(
        files: &Arc<Files>,
        sync: JournalSync,
        sequence: u64,
        window: impl Fn(Tier, Timestamp) -> Timestamp,
        mut replay: impl FnMut(Place<'_>, Item) -> bool,
        notes: &mut Vec<String>,
    ) -> Result<Self, StoreError> {
        let mut journal = Self { files: files.clone(), current: None, closed: Vec::new(), next_sequence: sequence + 1, sync, unsynced: None, written: 0 };
        for name in files.list(JOURNAL)? {
            if !name.ends_with(".redb") {
                continue;
            }
            if files.is_unborn(&name) {
                files.remove(&name)?;
                continue;
            }
            match journal.read(&name, &window, &mut replay) {
                Ok(touched) => journal.closed.push(Closed { bytes: files.allocated(&name), name, touched }),
                Err(error) if error.kind() == crate::model::ErrorKind::Unavailable => return Err(error),
                Err(error) => {
                    notes.push(format!("journal file {name} cannot be read to its end and is left aside: {error}"));
                    journal.next_sequence = journal.next_sequence.max(first_sequence(&name) + PASSED_OVER);
                }
            }
        }
        Ok(journal)
    }

    fn read(
        &mut self,
        name: &str,
        window: &impl Fn(Tier, Timestamp) -> Timestamp,
        replay: &mut impl FnMut(Place<'_>, Item) -> bool,
    ) -> Result<BTreeMap<WindowKey, u64>, StoreError> {
        // Opening for writing repairs what a crash left; the file is not written again after this.
        let database = self.files.create(name)?;
        let fail = |e: redb::Error| self.files.database("read", name, e);
        let table = match database.begin_read().map_err(|e| fail(e.into()))?.open_table(ROWS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
            Err(e) => return Err(fail(e.into())),
        };
        let mut touched = BTreeMap::new();
        let mut newest = None;
        let file = first_sequence(name);
        let mut state = RowState::default();
        let mut labels: Vec<Vec<u8>> = Vec::new();
        let (mut samples, mut items) = (Vec::new(), Vec::new());
        let mut next = self.next_sequence;
        for entry in table.iter().map_err(|e| fail(e.into()))? {
            let (key, value) = entry.map_err(|e| fail(e.into()))?;
            let sequence = key.value();
            samples.clear();
            items.clear();
            let new = &mut labels;
            let keep = |l: &[u8]| {
                new.push(l.to_vec());
                Some(())
            };
            let bytes = value.value();
            let decoded = if bytes.first().is_some_and(|kind| *kind >= extras::ROW_KIND) {
                extras::decode_row(&mut state, bytes, keep, |tier, number, item| items.push((tier, number, item)))
            } else {
                row::decode(&mut state, bytes, keep, |tier, number, sample| samples.push((tier, number, sample)))
            };
            decoded.ok_or_else(|| StoreError::Damaged { what: format!("{name}, row {sequence}"), reason: "it does not decode".into() })?;
            let beside = items.drain(..);
            for (tier, number, item) in samples.drain(..).map(|(tier, number, sample)| (tier, number, Item::Sample(sample))).chain(beside) {
                let t = item.t();
                // Only what is still unsealed keeps the file.
                if labels.get(number as usize).is_some_and(|labels| replay(Place { file, sequence, tier, number, labels }, item)) {
                    let key = (tier, window(tier, t));
                    if newest.replace((key, sequence)) != Some((key, sequence)) {
                        touched.insert(key, sequence);
                    }
                }
            }
            next = next.max(sequence + 1);
        }
        self.next_sequence = next;
        Ok(touched)
    }

    /// The sequence of the newest row.
    pub(super) fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Bytes on the disk and number of files.
    pub(super) fn figures(&self) -> (u64, u64) {
        let payload = self.current.as_ref().map_or(0, |c| c.payload);
        let closed: u64 = self.closed.iter().map(|f| f.bytes).sum();
        (closed + payload, self.closed.len() as u64 + u64::from(self.current.is_some()))
    }

    /// Makes all entries and extras durable in one commit and yields the sequence of the last row.
    ///
    /// After an error nothing of the group is in the journal and the file is not written again.
    pub(super) fn commit(&mut self, entries: &[Entry<'_>], extras: &[Extra<'_>], window: impl Fn(Tier, Timestamp) -> Timestamp) -> Result<u64, StoreError> {
        // What was given up for the clean-up must not be filled with samples.
        if self.files.room.is_given_up() {
            return Err(self.files.full());
        }
        let mut current = match self.current.take() {
            Some(current) if current.payload < FILE_BYTES => current,
            full => {
                self.retire(full);
                self.create()?
            }
        };
        let immediate = match self.sync {
            JournalSync::Always => true,
            JournalSync::Interval(every) => self.unsynced.get_or_insert_with(Stopwatch::start).elapsed() >= every,
        };
        let first = self.next_sequence;
        let before = current.payload;
        match current.write(entries, extras, first, immediate, window) {
            Ok(next) => {
                if immediate {
                    self.unsynced = None;
                }
                self.next_sequence = next;
                self.written += current.payload - before;
                self.current = Some(current);
                Ok(next - 1)
            }
            Err(error) => {
                let error = self.files.database("append", &current.name, error);
                // redb refuses this handle from now on. Its committed rows stay; what may have reached the
                // disk of this group is passed over, so that no sequence is given out twice.
                self.next_sequence += (entries.len() + extras.len()) as u64 + 1;
                self.retire(Some(current));
                Err(error)
            }
        }
    }

    fn create(&mut self) -> Result<Current, StoreError> {
        let name = format!("{JOURNAL}/{:020}.redb", self.next_sequence);
        // Whatever stands under this name was never acknowledged, or the number would be taken.
        self.files.remove(&name)?;
        let database = self.files.create(&name).inspect_err(|_| {
            // Best effort: the disk is full, and what was begun takes room.
            let _ = self.files.remove(&name);
        })?;
        Ok(Current { name, database, state: RowState::default(), numbers: Vec::new(), touched: BTreeMap::new(), payload: 0 })
    }

    fn retire(&mut self, current: Option<Current>) {
        // What an interval left unsynced is synced with the file: it is not written again. redb syncs
        // when it is closed; what that cannot say, the next commit's error does.
        self.unsynced = None;
        if let Some(Current { name, touched, payload, .. }) = current {
            self.closed.push(Closed { name, bytes: payload, touched });
        }
    }

    /// Unlinks every file of which `sealed` holds each touched window through its last row.
    pub(super) fn cut(&mut self, sealed: impl Fn(WindowKey, u64) -> bool) -> Result<(), StoreError> {
        let done = |touched: &BTreeMap<WindowKey, u64>| touched.iter().all(|(key, last)| sealed(*key, *last));
        // A file whose windows begin to be sealed takes no more, or it would live as long as it has room.
        let begun = |c: &Current| c.payload >= TURN_BYTES && c.touched.iter().any(|(key, last)| sealed(*key, *last));
        if self.current.as_ref().is_some_and(|c| c.payload > 0 && (done(&c.touched) || begun(c))) {
            let current = self.current.take();
            self.retire(current);
        }
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.closed).into_iter().partition(|file| done(&file.touched));
        self.closed = kept;
        let mut result = Ok(());
        for file in gone {
            if let Err(error) = self.files.remove(&file.name) {
                self.closed.push(file);
                result = Err(error);
            }
        }
        result
    }

    /// Begins a new file with the next commit: the head's numbers of series mean others from now on.
    pub(super) fn turn(&mut self) {
        let current = self.current.take();
        self.retire(current);
    }

    /// Syncs what an interval left unsynced.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced.take().is_none() {
            return Ok(());
        }
        let Some(current) = &self.current else { return Ok(()) };
        let done = current.database.begin_write().map_err(redb::Error::from).and_then(|t| t.commit().map_err(Into::into));
        done.map_err(|e| self.files.database("sync", &current.name, e))
    }
}

/// The sequence that a file's name carries.
fn first_sequence(name: &str) -> u64 {
    name.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

impl Current {
    fn write(
        &mut self,
        entries: &[Entry<'_>],
        extras: &[Extra<'_>],
        first: u64,
        immediate: bool,
        window: impl Fn(Tier, Timestamp) -> Timestamp,
    ) -> Result<u64, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(if immediate { Durability::Immediate } else { Durability::None })?;
        let mut sequence = first;
        let mut written = 0;
        {
            let mut table = transaction.open_table(ROWS)?;
            let mut rest = entries;
            while let Some(tier) = rest.first().map(|e| e.tier) {
                let (bytes, taken) = self.encode_row(tier, rest);
                let mut newest = None;
                for sample in rest.iter().take(taken).flat_map(|e| e.samples) {
                    let key = (tier, window(tier, sample.t));
                    if newest.replace(key) != Some(key) {
                        self.touched.insert(key, sequence);
                    }
                }
                table.insert(sequence, bytes.as_slice())?;
                written += bytes.len() as u64;
                sequence += 1;
                rest = rest.get(taken..).unwrap_or_default();
            }
            let mut rest = extras;
            while let Some(tier) = rest.first().map(|e| e.tier) {
                let (bytes, taken) = self.encode_extras(tier, rest);
                for extra in rest.iter().take(taken) {
                    self.touched.insert((tier, window(tier, extra.t())), sequence);
                }
                table.insert(sequence, bytes.as_slice())?;
                written += bytes.len() as u64;
                sequence += 1;
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
        transaction.commit()?;
        self.payload += written;
        Ok(sequence)
    }

    /// One row of the first entries of one tier, as many as fit.
    fn encode_row(&mut self, tier: Tier, entries: &[Entry<'_>]) -> (Vec<u8>, usize) {
        let mut new: Vec<&[u8]> = Vec::new();
        let mut series: Vec<RowSeries<'_>> = Vec::new();
        let mut estimate = 0;
        let known = self.state.known();
        for entry in entries.iter().take_while(|e| e.tier == tier) {
            let number = self.number(entry.series, entry.labels, known, &mut new, &mut estimate);
            series.push(RowSeries { number, samples: entry.samples });
            estimate += 2 + entry.samples.len() * 6;
            if estimate >= ROW_BYTES {
                break;
            }
        }
        let mut bytes = Vec::with_capacity(estimate + 16);
        row::encode(&mut self.state, tier, &new, &series, &mut bytes);
        (bytes, series.len())
    }

    /// The number of a series in this file; one that is new joins those that the row introduces.
    fn number<'a>(&mut self, series: u32, labels: &'a [u8], known: u32, new: &mut Vec<&'a [u8]>, estimate: &mut usize) -> u32 {
        let index = series as usize;
        if self.numbers.len() <= index {
            self.numbers.resize(index + 1, 0);
        }
        if self.numbers[index] == 0 {
            new.push(labels);
            self.numbers[index] = known + new.len() as u32;
            *estimate += labels.len() + 2;
        }
        self.numbers[index] - 1
    }

    /// One row of the first histograms and exemplars of one tier, as many as fit.
    fn encode_extras(&mut self, tier: Tier, extras: &[Extra<'_>]) -> (Vec<u8>, usize) {
        let mut new: Vec<&[u8]> = Vec::new();
        let mut numbers = Vec::new();
        let mut estimate = 0;
        let known = self.state.known();
        for extra in extras.iter().take_while(|e| e.tier == tier) {
            numbers.push(self.number(extra.series, extra.labels, known, &mut new, &mut estimate));
            estimate += extra.weight();
            if estimate >= ROW_BYTES {
                break;
            }
        }
        let mut bytes = Vec::with_capacity(estimate + 16);
        extras::encode_row(&mut self.state, tier, &new, extras.get(..numbers.len()).unwrap_or_default(), &numbers, &mut bytes);
        (bytes, numbers.len())
    }
}
