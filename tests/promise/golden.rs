//! What released versions wrote stays readable: a directory of each format (made by
//! `tests/golden/make.sh`) is opened and gives what was put into it; a newer one is refused; looking at
//! what would be migrated changes no byte; and a byte that went bad in any file of it costs at most
//! that file, never a panic.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use latido::clock::ManualClock;
use latido::model::{Matcher, Segment, SeriesData, Tier, TimeRange, Timestamp};
use latido::store::{self, Opened, Options, Place, Selection, StoreError};
use latido::task::Deadline;
use redb::TableDefinition;

use crate::harness::Setup;

const FORMATS: [&str; 1] = ["format-1"];
/// Samples a minute apart: sealed ones, and all of them.
const SEALED: i64 = 1800;
const ALL: i64 = 1900;

/// A copy of a golden directory, and when its first sample is.
fn unpack(format: &str, into: &Path) -> Timestamp {
    fs::create_dir_all(into).unwrap();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{format}.tar.gz"));
    let status = Command::new("tar").arg("-C").arg(into).arg("-xzf").arg(&archive).status().expect("tar runs");
    assert!(status.success(), "{} unpacks", archive.display());
    let start: i64 = fs::read_to_string(into.join("golden_start")).unwrap().trim().parse().unwrap();
    Timestamp(start * 1000)
}

fn open(data: &Path, start: Timestamp) -> Result<Opened, StoreError> {
    let days = |n: u64| Duration::from_secs(n * 86_400);
    let options = Options { aggregated: Some(days(90)), summary: Some(days(730)), ..Options::of(Place::Disk(data.to_owned())) };
    store::open(options, ManualClock::at(start + Duration::from_secs(33 * 3600)))
}

fn read(opened: &Opened, matcher: Matcher, tier: Tier) -> Vec<SeriesData> {
    opened.reader.select(&Selection { matchers: vec![matcher], range: TimeRange::ALL, tier: Some(tier) }, &Deadline::never()).unwrap()
}

fn samples(data: &SeriesData) -> Vec<(i64, f64)> {
    let of = |segment: &Segment| match segment {
        Segment::Raw(column) => column.t.iter().copied().zip(column.v.iter().copied()).collect::<Vec<_>>(),
        Segment::Rolled { buckets, .. } => buckets.iter().map(|b| (b.end.0, b.sum)).collect(),
    };
    data.segments.iter().flat_map(of).collect()
}

fn check(opened: &Opened, start: Timestamp) {
    let at = |n: i64| start.0 + n * 60_000;
    let gauges = read(opened, Matcher::metric("golden_gauge"), Tier::Raw);
    assert_eq!(gauges.iter().map(|s| s.labels.get("host")).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    for (series, plus) in gauges.iter().zip([0.0, 1.0]) {
        assert_eq!(samples(series), (0..ALL).map(|n| (at(n), n as f64 / 4.0 + plus)).collect::<Vec<_>>());
    }
    let counter = &read(opened, Matcher::metric("golden_counter"), Tier::Raw)[0];
    assert_eq!(samples(counter), (0..ALL).map(|n| (at(n), (3 * (n % 600)) as f64)).collect::<Vec<_>>());
    // A sample a minute is a bucket a minute; sixty of them an hour, which ends on the hour.
    let minutes = &read(opened, Matcher::metric("golden_gauge"), Tier::Aggregated)[0];
    assert_eq!(samples(minutes), (0..SEALED).map(|n| (at(n), n as f64 / 4.0)).collect::<Vec<_>>());
    let mut hours: BTreeMap<i64, f64> = BTreeMap::new();
    for n in 0..SEALED {
        *hours.entry((at(n) - 1).div_euclid(3_600_000) * 3_600_000 + 3_600_000).or_default() += n as f64 / 4.0;
    }
    let summary = &read(opened, Matcher::metric("golden_gauge"), Tier::Summary)[0];
    assert_eq!(samples(summary), hours.into_iter().collect::<Vec<_>>());
    let resets: u32 = read(opened, Matcher::metric("golden_counter"), Tier::Summary)[0]
        .segments
        .iter()
        .flat_map(|s| if let Segment::Rolled { buckets, .. } = s { buckets.resets.clone() } else { Vec::new() })
        .map(|n| n as u32)
        .sum();
    assert!(resets >= 1, "resets of a counter are kept");
}

/// Every file with its bytes.
fn bytes_below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut rest = vec![root.to_owned()];
    while let Some(directory) = rest.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                rest.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                out.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
    }
    out
}

fn latido(arguments: &[&str]) -> (Option<i32>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_latido")).args(arguments).env_remove("LATIDO_ENV").output().expect("latido runs");
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn a_directory_of_every_released_format_gives_what_was_put_into_it() {
    for format in FORMATS {
        let home = tempfile::tempdir().unwrap();
        let start = unpack(format, home.path());
        let mut opened = open(home.path(), start).unwrap();
        assert_eq!(opened.notes, Vec::<String>::new());
        check(&opened, start);
        opened.keeper.settle(&Deadline::never()).unwrap();
        opened.writer.cut().unwrap();
        let rolled = samples(&read(&opened, Matcher::metric("golden_gauge"), Tier::Aggregated)[0]).len() as i64;
        assert_eq!(rolled, ALL, "what was in the journal is sealed and rolled up");
        let verified = opened.keeper.verify(&Deadline::never()).unwrap();
        assert_eq!(verified.problems, Vec::<String>::new());
    }
}

#[test]
fn documents_of_every_released_format_are_there() {
    for format in FORMATS {
        let setup = Setup::quiet();
        unpack(format, &setup.data());
        let daemon = setup.start();
        let client = daemon.client();
        assert_eq!(client.api("dashboards/golden")["title"], "Golden");
        let rules = client.api("alerts/rules");
        assert!(rules["rules"].as_array().unwrap().iter().any(|rule| rule["name"] == "Golden"), "{rules}");
        let metrics = client.api("metrics/custom/list");
        assert!(metrics["metrics"].as_array().unwrap().iter().any(|m| m["name"] == "golden_counter"), "{metrics}");
        daemon.stop();
    }
}

#[test]
fn what_would_be_migrated_is_told_and_no_byte_changes() {
    let home = tempfile::tempdir().unwrap();
    unpack("format-1", home.path());
    let data = home.path().to_str().unwrap();
    let before = bytes_below(home.path());
    let (code, said) = latido(&["migrate", "--dry-run", "--data-dir", data]);
    assert_eq!((code, said.trim()), (Some(0), "would run 0003_room_for_retention_rules"));
    assert!(bytes_below(home.path()) == before, "a look changes nothing");
    let (code, said) = latido(&["migrate", "--data-dir", data]);
    assert_eq!((code, said.trim()), (Some(0), "ran 0003_room_for_retention_rules"));
    assert_eq!(latido(&["migrate", "--dry-run", "--data-dir", data]), (Some(0), "nothing to migrate\n".to_owned()));
    let (code, said) = latido(&["migrate", "--data-dir", "/nowhere/at/all"]);
    assert!(code == Some(2) && said.contains("there is no data directory"), "{said}");
}

#[test]
fn what_a_newer_latido_wrote_is_refused_with_the_way_out() {
    let setup = Setup::quiet();
    unpack("format-1", &setup.data());
    let catalog = redb::Database::create(setup.data().join("catalog.redb")).unwrap();
    let transaction = catalog.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u32, &str>::new("migrations")).unwrap().insert(99, "from_the_future").unwrap();
    transaction.commit().unwrap();
    drop(catalog);
    let before = bytes_below(&setup.data());
    setup.refused(&[]).is(78, &["newer latido", "migration 99", "use a newer latido"]);
    let (code, said) = latido(&["migrate", "--dry-run", "--data-dir", setup.data().to_str().unwrap()]);
    assert!(code == Some(78) && said.contains("migration 99"), "{said}");
    for (path, bytes) in before.iter().filter(|(path, _)| !path.ends_with("catalog.redb")) {
        assert!(fs::read(path).unwrap() == *bytes, "{} changed", path.display());
    }
    fs::write(setup.data().join("FORMAT"), "2\n").unwrap();
    setup.refused(&[]).is(78, &["format 2", "use a newer latido"]);
}

/// Turns one byte of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 0x5a;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_byte_that_went_bad_in_any_file_is_told_and_never_a_panic() {
    let golden = tempfile::tempdir().unwrap();
    let start = unpack("format-1", golden.path());
    // One of each kind.
    let mut kinds: BTreeMap<PathBuf, (PathBuf, Vec<u8>)> = BTreeMap::new();
    for (path, bytes) in bytes_below(golden.path()) {
        let in_root = path.parent() == Some(golden.path());
        let kind = if in_root { path.clone() } else { path.parent().unwrap().to_owned() };
        kinds.entry(kind).or_insert((path, bytes));
    }
    for (path, bytes) in kinds.into_values() {
        let name = path.strip_prefix(golden.path()).unwrap().to_owned();
        if bytes.is_empty() || name == Path::new("golden_start") {
            continue;
        }
        // The head of a file, where redb has its own, then through all of it.
        let places = [0, 9, 16, 40, 70, 130, 200, 330].into_iter().chain((1..12).map(|n| bytes.len() / 12 * n + 7 * n));
        for at in places.filter(|at| *at < bytes.len()) {
            let home = tempfile::tempdir().unwrap();
            unpack("format-1", home.path());
            flip(&home.path().join(&name), at);
            let tried = catch_unwind(AssertUnwindSafe(|| match open(home.path(), start) {
                Err(error) => Err(error.to_string()),
                Ok(opened) => {
                    for tier in Tier::ALL {
                        // What is left must be readable.
                        read(&opened, Matcher::metric("golden_gauge"), tier);
                    }
                    opened.keeper.settle(&Deadline::never()).map_err(|e| e.to_string())?;
                    Ok(opened.reader.lost().len())
                }
            }));
            let Ok(outcome) = tried else { panic!("byte {at} of {} went bad: a panic", name.display()) };
            if let Err(message) = outcome {
                let names = ["catalog", "FORMAT", "journal", name.to_str().unwrap()];
                assert!(names.iter().any(|word| message.contains(word)), "byte {at} of {}: {message}", name.display());
            }
        }
    }
}
