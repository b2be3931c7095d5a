//! Power cuts at every sync. A disk in memory keeps apart what was synced and what was only written;
//! at the chosen sync the power goes, and of what was only written some reaches the disk: none, a
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
use crate::model::{ByteCount, Matcher, TimeRange, Timestamp};
use crate::task::Deadline;

/// Cuts that a run tries at most, spread over all syncs of the script.
const CUTS: u64 = 60;

#[derive(Debug)]
struct Power {
    syncs: AtomicU64,
    cut_at: u64,
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
    fn cut_at(cut_at: u64) -> Arc<Self> {
        Arc::new(Self { syncs: AtomicU64::new(0), cut_at, is_gone: AtomicBool::new(false), files: Mutex::default() })
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
        self.power.check()?;
        if self.power.syncs.fetch_add(1, Ordering::SeqCst) + 1 == self.power.cut_at {
            self.power.is_gone.store(true, Ordering::SeqCst);
            return self.power.check();
        }
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
        Ok(())
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

fn check(reader: &Reader, told: &Told, cut: u64, when: &str) {
    let stored = raw(reader);
    let from = reader.coverage().raw.0;
    for name in NAMES {
        if name == "gone" && told.deleted != Some(false) {
            let (count, _) = totals(reader, name);
            let all = told.acknowledged.get(name).map_or(0, BTreeMap::len) as u64;
            assert!(count == 0 || (told.deleted.is_none() && count == all), "cut {cut}, {when}: {count} of what was deleted came back");
            continue;
        }
        let none = BTreeMap::new();
        let acknowledged = told.acknowledged.get(name).unwrap_or(&none);
        let unsure = told.unsure.iter().filter(|(unsure, _)| *unsure == name).count() as u64;
        for (t, v) in acknowledged.range(from + 1..) {
            let found = stored.get(name).and_then(|samples| samples.get(t));
            assert_eq!(found, Some(&v.to_bits()), "cut {cut}, {when}: {name} at {t}");
        }
        let (count, _) = totals(reader, name);
        let least = acknowledged.len() as u64;
        assert!((least..=least + unsure).contains(&count), "cut {cut}, {when}: {count} of {name}, {least} were acknowledged and {unsure} may be there");
    }
}

/// Runs the script until the power goes at that sync; what it was told, and the files that survived.
fn cut_and_restart(cut: u64, clock: &Arc<ManualClock>, sync: JournalSync) -> (Told, Arc<Files>) {
    let mut dice = Dice(cut);
    let power = Power::cut_at(cut);
    let files = Arc::new(Files::in_memory(Memory::new(Electric(power.clone())), ByteCount::mib(8)));
    let told = script(files.clone(), clock, sync);
    assert!(power.is_gone.load(Ordering::SeqCst), "cut {cut} was never met");
    let disks: HashMap<usize, Arc<Disk>> = power.files.lock().unwrap().iter().cloned().collect();
    let image = files.memory_files().into_iter().filter_map(|(name, file)| Some((name, survived(disks.get(&file.address())?, &mut dice))));
    let after = Memory::new(Electric(Power::cut_at(u64::MAX)));
    for (name, bytes) in image.collect::<BTreeMap<_, _>>() {
        after.put(&name, &bytes).unwrap();
    }
    (told, Arc::new(Files::in_memory(after, ByteCount::mib(8))))
}

#[test]
fn acknowledged_samples_survive_a_power_cut_at_any_sync() {
    let calm = Power::cut_at(u64::MAX);
    script(Arc::new(Files::in_memory(Memory::new(Electric(calm.clone())), ByteCount::mib(8))), &ManualClock::at(Timestamp(START)), JournalSync::Always);
    let syncs = calm.syncs.load(Ordering::SeqCst);
    assert!(syncs > 100, "the script syncs {syncs} times");
    for cut in (1..=syncs).step_by((syncs / CUTS).max(1) as usize) {
        let clock = ManualClock::at(Timestamp(START));
        let (told, files) = cut_and_restart(cut, &clock, JournalSync::Always);
        let store = open_on(files.clone(), options(Place::Memory), clock.clone()).unwrap_or_else(|e| panic!("cut {cut}: the store does not open: {e}"));
        check(&store.reader, &told, cut, "after the cut");
        store.keeper.settle(&Deadline::never()).unwrap();
        check(&store.reader, &told, cut, "settled");
        drop(store);
        clock.advance(Duration::from_millis(HOUR as u64));
        let store = open_on(files, options(Place::Memory), clock).unwrap();
        store.keeper.settle(&Deadline::never()).unwrap();
        check(&store.reader, &told, cut, "after another start");
    }
}

#[test]
fn a_cut_takes_what_was_acknowledged_before_its_sync() {
    // Or the other test could not fail.
    let lost = (5..60).any(|cut| {
        let clock = ManualClock::at(Timestamp(START));
        let (told, files) = cut_and_restart(cut, &clock, JournalSync::Interval(Duration::from_secs(3600)));
        let store = open_on(files, options(Place::Memory), clock).unwrap();
        let acknowledged = told.acknowledged.get("steady").map_or(0, BTreeMap::len) as u64;
        totals(&store.reader, "steady").0 < acknowledged
    });
    assert!(lost, "an interval is synced later, so some cut must take something");
}
