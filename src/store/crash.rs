//! Power cuts at every sync, and at every write. A disk in memory keeps apart what was synced and what was only written;
//! at the chosen one the power goes, and of what was only written some reaches the disk: none, a
//! beginning, any of it in any order, or torn pages. After each cut the store opens, every acknowledged
//! sample is answered once, and nothing that was deleted comes back. Guards against answering before
//! the sync, against records without their file, and against replaying what is sealed.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redb::StorageBackend;

use super::door::open_on;
use super::files::{Files, Maker, Memory, SharedMemory};
use super::tests::{HOUR, MINUTE, START, batch, options, raw, totals};
use super::*;
use crate::clock::ManualClock;
use crate::model::{ByteCount, Matcher, Tier, TimeRange, Timestamp};
use crate::task::Deadline;

/// Cuts that a run tries at most, spread over all syncs of the script.
const CUTS: u64 = 60;
/// The same of writes, of which there are more.
const CUTS_AT_WRITES: u64 = 200;

/// When the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Never,
    /// At the sync of this number.
    Sync(u64),
    /// At the write of this number.
    Write(u64),
}

#[derive(Debug)]
struct Power {
    syncs: AtomicU64,
    writes: AtomicU64,
    cut: Cut,
    is_gone: AtomicBool,
    files: Mutex<Vec<(usize, Arc<Disk>)>>,
}

#[derive(Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct Bytes {
    durable: Vec<u8>,
    now: Vec<u8>,
    pending: Vec<Pending>,
}

/// A file of the disk.
#[derive(Debug)]
struct Disk {
    power: Arc<Power>,
    bytes: Mutex<Bytes>,
}

impl Power {
    fn until(cut: Cut) -> Arc<Self> {
        Arc::new(Self { syncs: AtomicU64::new(0), writes: AtomicU64::new(0), cut, is_gone: AtomicBool::new(false), files: Mutex::default() })
    }

    /// Counts one more of what may be cut.
    fn count(&self, number: &AtomicU64, cut: fn(u64) -> Cut) -> io::Result<()> {
        self.check()?;
        if cut(number.fetch_add(1, Ordering::SeqCst) + 1) == self.cut {
            self.is_gone.store(true, Ordering::SeqCst);
        }
        self.check()
    }

    fn check(&self) -> io::Result<()> {
        if self.is_gone.load(Ordering::SeqCst) { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct Electric(Arc<Power>);

impl Maker for Electric {
    fn make(&self) -> SharedMemory {
        let disk = Arc::new(Disk { power: self.0.clone(), bytes: Mutex::default() });
        let mut files = self.0.files.lock().unwrap();
        let shared = SharedMemory::of(disk.clone());
        files.push((shared.address(), disk));
        shared
    }

    fn check(&self) -> io::Result<()> {
        self.0.check()
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().unwrap();
        let from = offset as usize;
        out.copy_from_slice(bytes.now.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.power.check()?;
        let mut bytes = self.bytes.lock().unwrap();
        bytes.now.resize(len as usize, 0);
        bytes.pending.push(Pending::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.power.count(&self.power.syncs, Cut::Sync)?;
        let mut bytes = self.bytes.lock().unwrap();
        bytes.durable = bytes.now.clone();
        bytes.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.power.check()?;
        let mut bytes = self.bytes.lock().unwrap();
        put(&mut bytes.now, offset as usize, data);
        bytes.pending.push(Pending::Write(offset as usize, data.to_vec()));
        drop(bytes);
        // The write at which the power goes may have reached the disk.
        self.power.count(&self.power.writes, Cut::Write)
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What is on the disk after the cut.
fn survived(disk: &Disk, dice: &mut Dice) -> Vec<u8> {
    let bytes = disk.bytes.lock().unwrap();
    let mut out = bytes.durable.clone();
    let way = dice.roll(4);
    let until = dice.roll(bytes.pending.len() as u64 + 1) as usize;
    for (i, pending) in bytes.pending.iter().enumerate() {
        match (way, pending) {
            (0, _) => {}
            (1, _) if i >= until => {}
            (2, _) if dice.roll(2) == 0 => {}
            (3, Pending::Write(at, data)) => {
                let half = dice.roll(data.len() as u64 + 1) as usize;
                put(&mut out, *at, &data[..half]);
            }
            (_, Pending::Write(at, data)) => put(&mut out, *at, data),
            (_, Pending::Length(len)) => out.resize(*len, 0),
        }
    }
    out
}

/// What the script was told, and what it was not told.
#[derive(Default)]
struct Told {
    acknowledged: BTreeMap<&'static str, BTreeMap<i64, f64>>,
    /// Of the call during which the power went.
    unsure: Vec<(&'static str, i64)>,
    /// Whether the deletion of `gone` was answered; `None`: the power went meanwhile.
    deleted: Option<bool>,
}

const NAMES: [&str; 3] = ["steady", "late", "gone"];

type Script = fn(Arc<Files>, &Arc<ManualClock>, JournalSync) -> Told;

/// Raw windows of two hours, of which three make a longer file.
fn long_options(sync: JournalSync) -> Options {
    Options { sync, raw: Duration::from_secs(48 * 3600), ..options(Place::Memory) }
}

/// Fills windows, makes one file of neighbours, deletes from it, cleans up and goes on.
fn deleting(files: Arc<Files>, clock: &Arc<ManualClock>, sync: JournalSync) -> Told {
    let mut told = Told { deleted: Some(false), ..Told::default() };
    let Ok(mut store) = open_on(files, long_options(sync), clock.clone()) else { return told };
    let never = Deadline::never();
    for round in 0..9i64 {
        let now = START + round * 90 * MINUTE;
        clock.set(Timestamp(now));
        let mut rows: Vec<(&'static str, i64, f64)> = (0..4).map(|n| ("steady", now - n * MINUTE, (round * 4 + n) as f64)).collect();
        rows.push(("late", now - 100 * MINUTE - round, 1.0));
        if round < 6 {
            rows.push(("gone", now - 1, 1.0));
        }
        if store.writer.append(&[batch(&rows)]).is_err() {
            told.unsure = rows.iter().map(|(name, t, _)| (*name, *t)).collect();
            return told;
        }
        for (name, t, v) in &rows {
            told.acknowledged.entry(name).or_default().insert(*t, *v);
        }
        if round == 6 {
            told.deleted = store.keeper.delete(&[vec![Matcher::metric("gone")]], TimeRange::ALL, &never).ok().map(|()| true);
        }
        let kept = if round % 2 == 1 { store.keeper.settle(&never).and_then(|_| store.writer.cut()) } else { Ok(()) };
        if kept.is_err() || told.deleted.is_none() {
            return told;
        }
    }
    told
}

/// Appends, seals, rolls up, merges, deletes and drops until the power goes.
fn script(files: Arc<Files>, clock: &Arc<ManualClock>, sync: JournalSync) -> Told {
    let mut told = Told { deleted: Some(false), ..Told::default() };
    let Ok(mut store) = open_on(files, Options { sync, ..options(Place::Memory) }, clock.clone()) else { return told };
    let never = Deadline::never();
    for round in 0..36i64 {
        let now = START + round * 15 * MINUTE;
        clock.set(Timestamp(now));
        let mut rows: Vec<(&'static str, i64, f64)> = (0..5).map(|n| ("steady", now - n * MINUTE, (round * 5 + n) as f64)).collect();
        rows.push(("late", now - 100 * MINUTE - round, 1.0));
        if round < 18 {
            rows.push(("gone", now - 1, 1.0));
        }
        match store.writer.append(&[batch(&rows)]) {
            Ok(_) => rows.iter().for_each(|(name, t, v)| {
                told.acknowledged.entry(name).or_default().insert(*t, *v);
            }),
            Err(_) => {
                told.unsure = rows.iter().map(|(name, t, _)| (*name, *t)).collect();
                return told;
            }
        }
        let kept = match round % 6 {
            1 | 3 => store.keeper.maintain(&never).map(|_| ()),
            4 => store.keeper.settle(&never).map(|_| ()),
            5 => store.writer.cut(),
            _ => Ok(()),
        };
        if round == 20 {
            told.deleted = store.keeper.delete(&[vec![Matcher::metric("gone")]], TimeRange::ALL, &never).ok().map(|()| true);
        }
        if kept.is_err() || told.deleted.is_none() {
            return told;
        }
    }
    told
}

fn check(reader: &Reader, told: &Told, cut: Cut, when: &str) {
    let stored = raw(reader);
    let from = reader.coverage().raw.0;
    for name in NAMES {
        if name == "gone" && told.deleted != Some(false) {
            let (count, _) = totals(reader, name);
            let all = told.acknowledged.get(name).map_or(0, BTreeMap::len) as u64;
            assert!(count == 0 || (told.deleted.is_none() && count == all), "{cut:?}, {when}: {count} of what was deleted came back");
            continue;
        }
        let none = BTreeMap::new();
        let acknowledged = told.acknowledged.get(name).unwrap_or(&none);
        let unsure = told.unsure.iter().filter(|(unsure, _)| *unsure == name).count() as u64;
        for (t, v) in acknowledged.range(from + 1..) {
            let found = stored.get(name).and_then(|samples| samples.get(t));
            assert_eq!(found, Some(&v.to_bits()), "{cut:?}, {when}: {name} at {t}");
        }
        let (count, _) = totals(reader, name);
        let least = acknowledged.len() as u64;
        assert!((least..=least + unsure).contains(&count), "{cut:?}, {when}: {count} of {name}, {least} were acknowledged and {unsure} may be there");
    }
}

/// Runs a script until the power goes; what it was told, and the files that survived.
fn cut_and_restart(script: Script, cut: Cut, clock: &Arc<ManualClock>, sync: JournalSync) -> (Told, Arc<Files>) {
    let mut dice = match cut {
        Cut::Never => Dice(0),
        Cut::Sync(number) | Cut::Write(number) => Dice(number),
    };
    let power = Power::until(cut);
    let files = Arc::new(Files::in_memory(Memory::new(Electric(power.clone())), ByteCount::mib(8)));
    let told = script(files.clone(), clock, sync);
    assert!(power.is_gone.load(Ordering::SeqCst), "{cut:?} was never met");
    let disks: HashMap<usize, Arc<Disk>> = power.files.lock().unwrap().iter().cloned().collect();
    let image = files.memory_files().into_iter().filter_map(|(name, file)| Some((name, survived(disks.get(&file.address())?, &mut dice))));
    let after = Memory::new(Electric(Power::until(Cut::Never)));
    for (name, bytes) in image.collect::<BTreeMap<_, _>>() {
        after.put(&name, &bytes).unwrap();
    }
    (told, Arc::new(Files::in_memory(after, ByteCount::mib(8))))
}

#[test]
fn acknowledged_samples_survive_a_power_cut_at_any_sync() {
    let calm = Power::until(Cut::Never);
    script(Arc::new(Files::in_memory(Memory::new(Electric(calm.clone())), ByteCount::mib(8))), &ManualClock::at(Timestamp(START)), JournalSync::Always);
    let syncs = calm.syncs.load(Ordering::SeqCst);
    assert!(syncs > 100, "the script syncs {syncs} times");
    for cut in (1..=syncs).step_by((syncs / CUTS).max(1) as usize) {
        holds(script, &options(Place::Memory), Cut::Sync(cut));
    }
}

/// What was told holds after the cut, when all is settled, and after one more start.
fn holds(script: Script, options: &Options, cut: Cut) {
    let clock = ManualClock::at(Timestamp(START));
    let (told, files) = cut_and_restart(script, cut, &clock, JournalSync::Always);
    let store = open_on(files.clone(), options.clone(), clock.clone()).unwrap_or_else(|e| panic!("{cut:?}: the store does not open: {e}"));
    check(&store.reader, &told, cut, "after the cut");
    store.keeper.settle(&Deadline::never()).unwrap();
    check(&store.reader, &told, cut, "settled");
    drop(store);
    clock.advance(Duration::from_millis(HOUR as u64));
    let store = open_on(files, options.clone(), clock).unwrap();
    store.keeper.settle(&Deadline::never()).unwrap();
    check(&store.reader, &told, cut, "after another start");
}

/// A calm run of the script with a deletion, for its syncs and writes.
fn calm_deletion() -> (u64, u64) {
    let calm = Power::until(Cut::Never);
    let files = Arc::new(Files::in_memory(Memory::new(Electric(calm.clone())), ByteCount::mib(8)));
    let clock = ManualClock::at(Timestamp(START));
    let told = deleting(files.clone(), &clock, JournalSync::Always);
    assert_eq!(told.deleted, Some(true));
    let counted = (calm.syncs.load(Ordering::SeqCst), calm.writes.load(Ordering::SeqCst));
    let store = open_on(files, long_options(JournalSync::Always), clock).unwrap();
    let longest = store.keeper.shared.read().set.iter().filter(|p| p.record.tier == Tier::Raw).map(|p| p.record.range.end.0 - p.record.range.start.0).max();
    assert!(longest > Some(2 * HOUR), "neighbours became one file: {longest:?}");
    counted
}

#[test]
fn a_deletion_and_a_merge_of_neighbours_survive_a_cut_at_any_sync() {
    let (syncs, _) = calm_deletion();
    // The very first start has each of its own.
    (1..10).chain((10..=syncs).step_by(4)).for_each(|cut| holds(deleting, &long_options(JournalSync::Always), Cut::Sync(cut)));
}

#[test]
fn a_deletion_and_a_merge_of_neighbours_survive_a_cut_at_any_write() {
    let (_, writes) = calm_deletion();
    for cut in (1..=writes).step_by((writes / CUTS_AT_WRITES).max(1) as usize) {
        holds(deleting, &long_options(JournalSync::Always), Cut::Write(cut));
    }
}

#[test]
fn a_cut_takes_what_was_acknowledged_before_its_sync() {
    // Or the other test could not fail.
    let lost = (5..60).any(|cut| {
        let clock = ManualClock::at(Timestamp(START));
        let (told, files) = cut_and_restart(script, Cut::Sync(cut), &clock, JournalSync::Interval(Duration::from_secs(3600)));
        let store = open_on(files, options(Place::Memory), clock).unwrap();
        let acknowledged = told.acknowledged.get("steady").map_or(0, BTreeMap::len) as u64;
        totals(&store.reader, "steady").0 < acknowledged
    });
    assert!(lost, "an interval is synced later, so some cut must take something");
}
