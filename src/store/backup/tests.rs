//! A backup holds what was acknowledged before it was asked for, whatever is sealed, merged and
//! dropped meanwhile; a damaged one is known as such; restoring overwrites nothing.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::model::{Batch, Labels, Matcher, Origin, Sample, Segment, TimeRange, Timestamp};
use crate::store::{Opened, Options, Place, Selection, StoreError, open};
use crate::task::Deadline;

const MINUTE: i64 = 60_000;
const START: i64 = 1_790_000_000_000 / 86_400_000 * 86_400_000;

fn options(directory: &Path) -> Options {
    let hours = |h: u64| Duration::from_secs(3600 * h);
    Options {
        raw: hours(4),
        aggregated: Some(hours(48)),
        summary: Some(hours(2000)),
        late_window: Duration::from_secs(600),
        ..Options::of(Place::Disk(directory.into()))
    }
}

fn write(opened: &mut Opened, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let mut batch = Batch::new(Origin::Pushed);
        batch.push(&Labels::from_pairs([("__name__", "m")]).unwrap(), Sample { t: Timestamp(START + minute * MINUTE), v: minute as f64 });
        opened.writer.append(&[batch]).unwrap();
    }
}

/// Count and sum of all that is there, whatever tier answers.
fn totals(directory: &Path, now: i64) -> (u64, f64) {
    let opened = open(options(directory), ManualClock::at(Timestamp(now))).unwrap();
    let selection = Selection { matchers: vec![Matcher::metric("m")], range: TimeRange::ALL, tier: None };
    let mut out = (0, 0.0);
    for segment in opened.reader.select(&selection, &Deadline::never()).unwrap().iter().flat_map(|s| &s.segments) {
        match segment {
            Segment::Raw(c) => out = (out.0 + c.len() as u64, out.1 + c.v.iter().sum::<f64>()),
            Segment::Rolled { buckets, .. } => out = (out.0 + buckets.count.iter().sum::<u64>(), out.1 + buckets.sum.iter().sum::<f64>()),
        }
    }
    out
}

fn sum(minutes: i64) -> (u64, f64) {
    (minutes as u64, (0..minutes).map(|m| m as f64).sum())
}

#[test]
fn a_backup_holds_all_until_it_was_asked_for_whatever_happens_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let (data, backups) = (directory.path().join("data"), directory.path().join("backups"));
    let clock = ManualClock::at(Timestamp(START));
    let mut opened = open(options(&data), clock.clone()).unwrap();
    let never = Deadline::never();
    let mut written = 0;
    for round in 0..5 {
        let more = written + 97;
        write(&mut opened, written..more);
        written = more;
        let snapshot = opened.keeper.snapshot(&never).unwrap();
        // Between the picture and its files: later samples, sealing, merging, dropping.
        write(&mut opened, written..written + 50);
        written += 50;
        clock.set(Timestamp(START + written * MINUTE + if round == 3 { 5 * 3_600_000 } else { 0 }));
        opened.keeper.settle(&never).unwrap();
        opened.writer.cut().unwrap();
        let mut stream = Vec::new();
        let manifest = snapshot.write(&mut stream, &never).unwrap();
        assert!(manifest.damaged.is_empty());
        let to = backups.join(round.to_string());
        std::fs::create_dir_all(&backups).unwrap();
        let verified = unpack(&stream[..], &to).unwrap();
        assert_eq!(verified.problems, [""; 0]);
        let restored = directory.path().join(format!("restored{round}"));
        restore(&to, &restored, false, Timestamp(1)).unwrap();
        assert_eq!(totals(&restored, START + written * MINUTE), sum(more), "round {round}");
        // The restored store opens again after its own first stop.
        assert_eq!(totals(&restored, START + written * MINUTE), sum(more), "round {round}, opened again");
    }
    drop(opened);
    assert_eq!(totals(&data, START + written * MINUTE), sum(written));
}

fn made(directory: &Path) -> std::path::PathBuf {
    let mut opened = open(options(&directory.join("data")), ManualClock::at(Timestamp(START + 60 * MINUTE))).unwrap();
    write(&mut opened, 0..60);
    let mut stream = Vec::new();
    opened.keeper.snapshot(&Deadline::never()).unwrap().write(&mut stream, &Deadline::never()).unwrap();
    let to = directory.join("backup");
    unpack(&stream[..], &to).unwrap();
    assert!(matches!(unpack(&stream[..], &to), Err(StoreError::Exists { .. })), "an earlier backup is not overwritten");
    assert!(unpack(&stream[..stream.len() / 2], &directory.join("half")).is_err());
    assert!(!directory.join("half").exists() && !directory.join("half.partial").exists());
    to
}

#[test]
fn any_changed_byte_of_a_backup_is_found_and_nothing_is_restored_from_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let backup = made(directory.path());
    let names: Vec<String> = Manifest::parse(&std::fs::read(backup.join("manifest.json")).unwrap())
        .unwrap()
        .files
        .iter()
        .map(|f| f.name.clone())
        .chain(["manifest.json".to_owned()])
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let path = backup.join(&name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let every = name == "manifest.json";
        let places = if every { (0..whole.len()).collect() } else { vec![0, whole.len() / 2, whole.len() - 1] };
        for at in places {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(!verify(&backup).is_ok_and(|found| found.problems.is_empty()), "{name}, byte {at}");
            assert!(restore(&backup, &directory.path().join("new"), false, Timestamp(1)).is_err(), "{name}, byte {at}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(!verify(&backup).is_ok_and(|found| found.problems.is_empty()), "{name} is missing");
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(verify(&backup).unwrap().problems, [""; 0]);
}

#[test]
fn a_restore_overwrites_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let backup = made(directory.path());
    let data = directory.path().join("data");
    assert!(matches!(restore(&backup, &data, false, Timestamp(7)), Err(StoreError::Exists { .. })));
    let opened = open(options(&data), ManualClock::at(Timestamp(START + 60 * MINUTE))).unwrap();
    assert!(matches!(restore(&backup, &data, true, Timestamp(7)), Err(StoreError::InUse { .. })), "a running store is left alone");
    drop(opened);
    let done = restore(&backup, &data, true, Timestamp(7)).unwrap();
    let aside = done.moved_to.unwrap();
    assert_eq!(totals(&aside, START + 60 * MINUTE), sum(60));
    assert_eq!(totals(&data, START + 60 * MINUTE), sum(60));
}
