//! The store against a plain map: whatever is appended, sealed, rolled up, dropped and reopened,
//! the answers are those of the map. Guards against losing, doubling and raising from the dead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;
use crate::model::{Batch, ByteCount, Labels, Matcher, Origin, Sample, Segment, Tier, TimeRange, Timestamp};
use crate::task::Deadline;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const START: i64 = 1_790_000_000_000 / (24 * HOUR) * (24 * HOUR);

pub(super) type Model = BTreeMap<String, BTreeMap<i64, u64>>;

pub(super) fn options(place: Place) -> Options {
    let hours = |h: u64| Duration::from_secs(3600 * h);
    Options { raw: hours(4), aggregated: Some(hours(48)), summary: Some(hours(2000)), late_window: Duration::from_secs(600), ..Options::of(place) }
}

pub(super) fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "test")]).unwrap()
}

pub(super) fn batch(rows: &[(&str, i64, f64)]) -> Batch {
    let mut out = Batch::new(Origin::Pushed);
    for (name, t, v) in rows {
        out.push(&labels(name), Sample { t: Timestamp(*t), v: *v });
    }
    out
}

pub(super) fn read(reader: &Reader, matcher: Matcher, tier: Option<Tier>) -> Vec<crate::model::SeriesData> {
    let selection = Selection { matchers: vec![matcher], range: TimeRange::ALL, tier };
    reader.select(&selection, &Deadline::never()).unwrap()
}

pub(super) fn raw(reader: &Reader) -> Model {
    let mut out = Model::new();
    for series in read(reader, Matcher::equal("job", "test"), Some(Tier::Raw)) {
        for segment in &series.segments {
            let Segment::Raw(column) = segment else { panic!("raw was asked for") };
            let entry = out.entry(series.labels.metric_name().to_owned()).or_default();
            for (t, v) in column.t.iter().zip(&column.v) {
                assert!(entry.insert(*t, v.to_bits()).is_none(), "a sample is there twice");
            }
        }
    }
    out
}

/// Count and sum of everything of a series, whatever tier answers.
pub(super) fn totals(reader: &Reader, name: &str) -> (u64, f64) {
    let mut total = (0, 0.0);
    for segment in read(reader, Matcher::metric(name), None).iter().flat_map(|s| &s.segments) {
        match segment {
            Segment::Raw(column) => {
                total.0 += column.len() as u64;
                total.1 += column.v.iter().sum::<f64>();
            }
            Segment::Rolled { buckets, .. } => {
                total.0 += buckets.count.iter().sum::<u64>();
                total.1 += buckets.sum.iter().sum::<f64>();
            }
        }
    }
    total
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, i64, f64)>),
    /// Everything of a series.
    Delete(usize),
    Advance(i64),
    Maintain,
    Settle,
    Cut,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![12 => -1e6f64..1e6, 1 => Just(crate::model::stale_marker())];
    prop_oneof![
        // Times on ten seconds, so that some come twice.
        6 => prop::collection::vec((0usize..4, (-180i64..30).prop_map(|n| n * 10_000), value), 1..12).prop_map(Step::Append),
        1 => (0usize..4).prop_map(Step::Delete),
        3 => (1i64..40).prop_map(|m| Step::Advance(m * MINUTE)),
        2 => Just(Step::Maintain),
        1 => Just(Step::Settle),
        1 => Just(Step::Cut),
        2 => Just(Step::Reopen),
    ]
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_sequence_of_steps_answers_like_a_map(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp(START));
        let place = Place::Disk(dir.path().join("data"));
        let mut open_store = Some(open(options(place.clone()), clock.clone()).unwrap());
        let mut model = Model::new();
        let mut all: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
        for step in steps {
            let now = crate::clock::Clock::now(clock.as_ref()).0;
            let store = open_store.as_mut().unwrap();
            match step {
                Step::Append(rows) => {
                    let rows: Vec<(&str, i64, f64)> = rows.iter().map(|(n, dt, v)| (NAMES[*n], now + dt, *v)).collect();
                    let taken = store.writer.append(&[batch(&rows)]).unwrap();
                    prop_assert_eq!(taken[0].accepted, rows.len());
                    for (name, t, v) in rows {
                        model.entry(name.to_owned()).or_default().insert(t, v.to_bits());
                        all.entry(name).or_default().insert(t, v);
                    }
                }
                Step::Delete(n) => {
                    store.keeper.delete(&[vec![Matcher::metric(NAMES[n])]], TimeRange::ALL, &Deadline::never()).unwrap();
                    model.remove(NAMES[n]);
                    all.remove(NAMES[n]);
                }
                Step::Advance(by) => clock.advance(Duration::from_millis(by as u64)),
                Step::Maintain => { store.keeper.maintain(&Deadline::never()).unwrap(); }
                Step::Settle => { store.keeper.settle(&Deadline::never()).unwrap(); }
                Step::Cut => store.writer.cut().unwrap(),
                Step::Reopen => {
                    // Dropped, not closed: as after a kill.
                    drop(open_store.take());
                    open_store = Some(open(options(place.clone()), clock.clone()).unwrap());
                }
            }
            let store = open_store.as_ref().unwrap();
            let from = store.reader.coverage().raw.0;
            for samples in model.values_mut() {
                samples.retain(|t, _| *t > from);
            }
            model.retain(|_, samples| !samples.is_empty());
            prop_assert_eq!(&raw(&store.reader), &model);
            // A stale marker is a sample of raw and in no bucket.
            for (name, samples) in all.iter().filter(|(_, samples)| samples.values().all(|v| !v.is_nan())) {
                let (count, sum) = totals(&store.reader, name);
                let want: f64 = samples.values().sum();
                prop_assert_eq!(count, samples.len() as u64, "count of {} over the tiers", name);
                prop_assert!((sum - want).abs() <= 1e-6 * samples.values().map(|v| v.abs()).sum::<f64>().max(1.0), "sum of {} over the tiers", name);
            }
        }
    }
}

#[test]
fn late_samples_after_raw_is_gone_are_merged_into_their_bucket() {
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let mut store = open(options(Place::Memory), clock.clone()).unwrap();
    store.writer.append(&[batch(&[("a", START + 10, 1.0), ("a", START + 20, 2.0)])]).unwrap();
    clock.advance(Duration::from_secs(6 * 3600));
    store.keeper.settle(&Deadline::never()).unwrap();
    assert!(store.reader.coverage().raw.0 > START, "raw was dropped");
    assert_eq!(totals(&store.reader, "a"), (2, 3.0));
    store.writer.append(&[batch(&[("a", START + 30, 4.0), ("b", START + 30, 7.0)])]).unwrap();
    assert_eq!(totals(&store.reader, "a"), (3, 7.0), "unsealed");
    store.keeper.settle(&Deadline::never()).unwrap();
    assert_eq!(totals(&store.reader, "a"), (3, 7.0), "sealed and merged");
    assert_eq!(totals(&store.reader, "b"), (1, 7.0));
    store.keeper.settle(&Deadline::never()).unwrap();
    assert_eq!(totals(&store.reader, "a"), (3, 7.0), "settling again changes nothing");
}

#[test]
fn old_history_goes_to_the_tier_that_covers_it_and_older_is_refused() {
    let clock = ManualClock::at(Timestamp(START + 100 * 24 * HOUR));
    let now = START + 100 * 24 * HOUR;
    let mut store = open(options(Place::Memory), clock).unwrap();
    let taken = store.writer.append(&[batch(&[("a", now - 10 * HOUR, 1.0), ("a", now - 500 * HOUR, 2.0), ("a", now - 5000 * HOUR, 3.0)])]).unwrap();
    assert_eq!((taken[0].accepted, taken[0].too_old.as_slice()), (2, [2].as_slice()));
    store.keeper.settle(&Deadline::never()).unwrap();
    let tiers: Vec<Tier> = read(&store.reader, Matcher::metric("a"), None)[0].segments.iter().map(Segment::tier).collect();
    assert_eq!(tiers, [Tier::Summary, Tier::Aggregated]);
}

#[test]
fn summary_takes_over_when_aggregated_is_dropped() {
    let clock = ManualClock::at(Timestamp(START));
    let mut store = open(options(Place::Memory), clock.clone()).unwrap();
    for hour in 0..120 {
        let t = START + hour * HOUR;
        clock.set(Timestamp(t));
        let rows: Vec<(&str, i64, f64)> = (0..60).map(|m| ("a", t - m * MINUTE, 1.0)).rev().collect();
        store.writer.append(&[batch(&rows)]).unwrap();
        store.keeper.maintain(&Deadline::never()).unwrap();
        store.writer.cut().unwrap();
    }
    let series = read(&store.reader, Matcher::metric("a"), None);
    let tiers: Vec<Tier> = series[0].segments.iter().map(Segment::tier).collect();
    assert_eq!(tiers, [Tier::Summary, Tier::Aggregated, Tier::Raw]);
    assert_eq!(totals(&store.reader, "a"), (7200, 7200.0));
    let stats = store.reader.stats();
    assert!(stats.tiers.iter().all(|t| t.samples > 0 && t.bytes > 0), "{stats:?}");
    assert!(stats.journal_files <= 2, "the journal is cut: {stats:?}");
}

#[test]
fn a_second_store_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START));
    let place = Place::Disk(dir.path().to_owned());
    let first = open(options(place.clone()), clock.clone()).unwrap();
    assert!(matches!(open(options(place.clone()), clock.clone()), Err(StoreError::InUse { .. })));
    drop(first);
    assert!(open(options(place), clock).is_ok());
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("FORMAT"), "999\n").unwrap();
    let opened = open(options(Place::Disk(dir.path().to_owned())), ManualClock::at(Timestamp(START)));
    assert!(matches!(opened, Err(StoreError::NewerFormat { found: 999, .. })));
    assert_eq!(std::fs::read_to_string(dir.path().join("FORMAT")).unwrap(), "999\n");
}

#[test]
fn labels_and_values_are_found_in_head_and_files() {
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let mut store = open(options(Place::Memory), clock).unwrap();
    store.writer.append(&[batch(&[("a", START + 10, 1.0)])]).unwrap();
    store.keeper.settle(&Deadline::never()).unwrap();
    store.writer.append(&[batch(&[("b", START + HOUR, 1.0)])]).unwrap();
    let (reader, never) = (&store.reader, Deadline::never());
    assert_eq!(reader.label_names(&[], TimeRange::ALL, &never).unwrap(), ["__name__", "job"]);
    assert_eq!(reader.label_values("__name__", &[], TimeRange::ALL, &never).unwrap(), ["a", "b"]);
    let late = TimeRange::new(Timestamp(START + HOUR - 1), Timestamp::MAX);
    assert_eq!(reader.series(&[vec![Matcher::equal("job", "test")]], late, &never).unwrap(), [labels("b")]);
    assert_eq!(reader.last(&labels("a"), &never).unwrap(), Some(Sample { t: Timestamp(START + 10), v: 1.0 }));
}

#[test]
fn documents_keep_their_revision() {
    let store = open(options(Place::Memory), ManualClock::at(Timestamp(START))).unwrap();
    let (catalog, kind) = (&store.catalog, DocumentKind::CustomMetric);
    assert_eq!(catalog.put(kind, "x", Some(0), &"one").unwrap(), 1);
    assert!(matches!(catalog.put(kind, "x", Some(0), &"two"), Err(StoreError::StaleRevision { found: 1, .. })));
    assert_eq!(catalog.put(kind, "x", Some(1), &"two").unwrap(), 2);
    catalog.put(DocumentKind::Metadata, "x", None, &"other").unwrap();
    let all: Vec<Document<String>> = catalog.list(kind).unwrap();
    assert_eq!(all, [Document { id: "x".into(), revision: 2, body: "two".into() }]);
    assert!(catalog.remove(kind, "x").unwrap() && !catalog.remove(kind, "x").unwrap());
}

#[test]
fn sealed_files_do_not_change_while_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let mut store = open(options(Place::Disk(dir.path().to_owned())), clock.clone()).unwrap();
    store.writer.append(&[batch(&[("a", START + 10, 1.0), ("b", START + 20, f64::NAN)])]).unwrap();
    store.keeper.settle(&Deadline::never()).unwrap();
    store.writer.cut().unwrap();
    let bytes = || -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let mut out: Vec<_> = ["raw", "aggregated", "summary"]
            .iter()
            .flat_map(|d| std::fs::read_dir(dir.path().join(d)).unwrap())
            .map(|e| e.unwrap().path())
            .map(|p| (p.clone(), std::fs::read(&p).unwrap()))
            .collect();
        out.sort();
        out
    };
    let before = bytes();
    assert_eq!(before.len(), 3);
    let model = raw(&store.reader);
    drop(store);
    let store = open(options(Place::Disk(dir.path().to_owned())), clock).unwrap();
    assert_eq!((raw(&store.reader), store.replayed), (model, 0));
    drop(store);
    assert_eq!(bytes(), before);
}

#[test]
fn readers_see_every_acknowledged_sample_once_while_windows_are_sealed() {
    let clock = ManualClock::at(Timestamp(START + 3 * HOUR));
    let mut store = open(options(Place::Memory), clock).unwrap();
    let (reader, keeper) = (store.reader.clone(), store.keeper.clone());
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..300 {
                store.writer.append(&[batch(&[("a", START + HOUR + i * 1000, 1.0)])]).unwrap();
                let (count, _) = totals(&store.reader, "a");
                assert_eq!(count, i as u64 + 1);
                if i % 50 == 0 {
                    store.writer.cut().unwrap();
                }
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                keeper.settle(&Deadline::never()).unwrap();
            }
        });
    });
    assert_eq!(totals(&reader, "a"), (300, 300.0));
}

#[test]
fn a_journal_file_that_was_never_finished_does_not_stand_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let place = Place::Disk(dir.path().to_owned());
    drop(open(options(place.clone()), clock.clone()).unwrap());
    let begun = dir.path().join("journal/00000000000000000001.redb");
    std::fs::write(&begun, [0; 4096]).unwrap();
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    assert!(store.notes.is_empty() && !begun.exists());
    store.writer.append(&[batch(&[("a", START + HOUR, 1.0)])]).unwrap();
    drop(store);
    std::fs::write(dir.path().join("journal/00000000000000000002.redb"), b"this is no database").unwrap();
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    assert_eq!(store.notes.len(), 1, "a damaged file is named: {:?}", store.notes);
    store.writer.append(&[batch(&[("a", START + HOUR + 1, 2.0)])]).unwrap();
    drop(store);
    let store = open(options(place), clock).unwrap();
    assert_eq!(totals(&store.reader, "a"), (2, 3.0));
    assert!(dir.path().join("journal/00000000000000000002.redb").exists(), "what is damaged is kept");
}

#[test]
fn what_was_acknowledged_before_a_long_stop_is_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START));
    let place = Place::Disk(dir.path().to_owned());
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    store.writer.append(&[batch(&[("a", START - 1000, 1.0), ("a", START, 2.0)])]).unwrap();
    drop(store);
    // Raw keeps four hours; nothing was sealed, nothing rolled up.
    clock.advance(Duration::from_secs(30 * 3600));
    let store = open(options(place), clock).unwrap();
    assert_eq!((store.replayed, totals(&store.reader, "a")), (2, (2, 3.0)));
    store.keeper.maintain(&Deadline::never()).unwrap();
    store.keeper.maintain(&Deadline::never()).unwrap();
    assert_eq!(totals(&store.reader, "a"), (2, 3.0));
    assert!(read(&store.reader, Matcher::metric("a"), Some(Tier::Raw)).is_empty(), "rolled up, then dropped");
}

#[test]
fn windows_may_change_their_length_between_starts() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START + 3 * HOUR));
    let place = Place::Disk(dir.path().to_owned());
    let with = |hours: u64| Options { raw: Duration::from_secs(3600 * hours), ..options(place.clone()) };
    let mut expected = 0;
    for (turn, hours) in [(0, 16u64), (1, 8), (2, 4), (3, 16), (4, 8)] {
        let mut store = open(with(hours), clock.clone()).unwrap();
        for minute in 0..30 {
            let t = START + 2 * HOUR + minute * 2 * MINUTE + turn;
            store.writer.append(&[batch(&[("a", t, 1.0)])]).unwrap();
            expected += 1;
            if minute == 15 {
                store.keeper.settle(&Deadline::never()).unwrap();
            }
        }
        store.writer.cut().unwrap();
        assert_eq!(totals(&store.reader, "a").0, expected, "turn {turn}");
        drop(store);
    }
    clock.advance(Duration::from_secs(20 * 3600));
    let store = open(with(4), clock).unwrap();
    assert_eq!(totals(&store.reader, "a").0, expected);
    store.keeper.settle(&Deadline::never()).unwrap();
    assert_eq!(totals(&store.reader, "a").0, expected, "rolled up and dropped");
}

/// Bytes of every file of a data directory.
fn bytes_below(directory: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|e| if e.file_type().unwrap().is_dir() { bytes_below(&e.path()) } else { e.metadata().unwrap().blocks() * 512 }).sum()
}

#[test]
fn the_budget_holds_and_takes_resolution_before_history() {
    let directory = tempfile::tempdir().unwrap();
    let budget = ByteCount::mib(24);
    let options = Options { raw: Duration::from_secs(3600 * 48), max_bytes: Some(budget), ..options(Place::Disk(directory.path().into())) };
    let clock = ManualClock::at(Timestamp(START));
    let Opened { mut writer, reader, keeper, .. } = open(options, clock.clone()).unwrap();
    let names: Vec<String> = (0..300).map(|i| format!("m{i}")).collect();
    let mut spared = 0;
    let mut noise = 1u64;
    // A day of values that no codec makes small.
    for minute in 0..24 * 60 {
        clock.set(Timestamp(START + minute * MINUTE));
        let mut value = || {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from_bits(noise >> 12 | 0x3ff0_0000_0000_0000)
        };
        let times = (0..4).map(|quarter| START + minute * MINUTE + quarter * MINUTE / 4);
        let rows: Vec<(&str, i64, f64)> = times.flat_map(|t| names.iter().map(move |name| (name.as_str(), t))).map(|(name, t)| (name, t, value())).collect();
        writer.append(&[batch(&rows)]).unwrap();
        if minute % 30 == 0 {
            spared += keeper.maintain(&Deadline::never()).unwrap().spared;
            writer.cut().unwrap();
        }
    }
    assert!(spared > 0, "the budget was never near");
    let used = bytes_below(directory.path());
    assert!(used <= budget.0, "{used} bytes are more than the budget");
    // Everything is still there, coarser.
    let (count, _) = totals(&reader, "m7");
    assert_eq!(count, 4 * 24 * 60);
    assert!(reader.coverage().raw > Timestamp(START));
}

#[test]
fn what_the_store_will_take_is_measured_on_what_is_sealed() {
    let clock = ManualClock::at(Timestamp(START));
    let options = Options { max_bytes: Some(ByteCount::mib(100)), ..options(Place::Memory) };
    let Opened { mut writer, reader, keeper, .. } = open(options, clock.clone()).unwrap();
    assert_eq!(reader.oldest(), None);
    for quarter in 0..4 * 60 * 2 {
        clock.set(Timestamp(START + quarter * MINUTE / 4));
        writer.append(&[batch(&[("a", START + quarter * MINUTE / 4, quarter as f64), ("b", START + quarter * MINUTE / 4, 1.0)])]).unwrap();
    }
    let before = reader.storage();
    assert_eq!((before.budget_bytes, before.bytes_per_sample, before.week_bytes, before.full_retention_bytes), (Some(100 << 20), None, None, None));
    assert_eq!(reader.oldest(), Some(Timestamp(START)));
    keeper.settle(&Deadline::never()).unwrap();
    let (after, raw) = (reader.storage(), reader.stats().tiers[0]);
    let per_sample = after.bytes_per_sample.unwrap();
    assert!((per_sample - raw.bytes as f64 / raw.samples as f64).abs() < 1e-9 && after.bytes > 0, "{after:?}");
    let (week, full) = (after.week_bytes.unwrap(), after.full_retention_bytes.unwrap());
    // Raw keeps four hours of eight samples a minute; buckets come on top.
    assert!(full > week && week as f64 > per_sample * 8.0 * 60.0 * 3.9, "{after:?}");
    assert_eq!(reader.oldest(), Some(Timestamp(START)));
}

/// Overwrites the middle of a sealed file, as a dying disk would.
fn scratch(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let from = bytes.len() / 8;
    bytes[from..].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_or_missing_partition_is_set_aside_and_everything_else_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(Place::Disk(directory.path().into()));
    let clock = ManualClock::at(Timestamp(START + 3 * HOUR));
    let sealed = |tier: &str| {
        let mut names: Vec<_> = std::fs::read_dir(directory.path().join(tier)).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        names
    };
    {
        let Opened { mut writer, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
        for minute in 0..180 {
            writer.append(&[batch(&[("a", START + minute * MINUTE, 1.0), ("b", START + minute * MINUTE, 2.0)])]).unwrap();
        }
        keeper.settle(&Deadline::never()).unwrap();
        writer.cut().unwrap();
        writer.append(&[batch(&[("a", START + 3 * HOUR, 7.0)])]).unwrap();
    }
    let raw_files = sealed("raw");
    assert!(raw_files.len() >= 4, "{raw_files:?}");
    scratch(&raw_files[1]);
    std::fs::remove_file(&raw_files[2]).unwrap();
    let Opened { writer, reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    let kept: usize = raw(&reader)["a"].len();
    assert!(kept > 60 && kept < 181, "{kept} samples are left");
    assert_eq!(reader.lost().len(), 2);
    keeper.maintain(&Deadline::never()).unwrap();
    drop((writer, keeper));
    assert_eq!(std::fs::read_dir(directory.path().join("quarantine")).unwrap().count(), 2);
    drop(reader);
    // It stays known, and the tier's edge moves on without it.
    let Opened { reader, keeper, .. } = open(options, clock.clone()).unwrap();
    assert_eq!(reader.lost().iter().map(|l| l.tier).collect::<Vec<_>>(), [Tier::Raw, Tier::Raw]);
    clock.set(Timestamp(START + 30 * HOUR));
    keeper.settle(&Deadline::never()).unwrap();
    assert!(reader.coverage().raw >= Timestamp(START + 24 * HOUR));
    let (count, _) = totals(&reader, "a");
    assert_eq!(count, 181, "what was rolled up before the damage is still there");
}

#[test]
fn series_that_came_and_went_leave_the_head_and_stay_readable() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(Place::Disk(directory.path().into()));
    let clock = ManualClock::at(Timestamp(START));
    let Opened { mut writer, reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    let window = 30 * MINUTE;
    for round in 0..6 {
        clock.set(Timestamp(START + round * window + MINUTE));
        let names: Vec<String> = (0..1200).map(|i| format!("pod{round}_{i}")).chain(["steady".to_owned()]).collect();
        let rows: Vec<(&str, i64, f64)> = names.iter().map(|n| (n.as_str(), START + round * window + MINUTE, f64::from(round as i32))).collect();
        writer.append(&[batch(&rows)]).unwrap();
        keeper.maintain(&Deadline::never()).unwrap();
        writer.cut().unwrap();
    }
    assert!(reader.stats().series < 5000, "{} series in the head", reader.stats().series);
    let check = |reader: &Reader| {
        let found = raw(reader);
        assert_eq!(found.len(), 6 * 1200 + 1);
        assert_eq!(found["steady"].len(), 6);
        assert_eq!(found["pod3_77"].values().copied().collect::<Vec<_>>(), [3f64.to_bits()]);
        assert_eq!(found["pod5_1199"].values().copied().collect::<Vec<_>>(), [5f64.to_bits()]);
    };
    check(&reader);
    drop((writer, reader, keeper));
    check(&open(options, clock).unwrap().reader);
}

#[test]
fn what_is_deleted_is_gone_at_once_stays_gone_and_frees_its_space() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(Place::Disk(directory.path().into()));
    let clock = ManualClock::at(Timestamp(START + 10 * HOUR));
    let Opened { mut writer, reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    for minute in 0..600 {
        let t = START + minute * MINUTE;
        writer.append(&[batch(&[("keep", t, 1.0), ("part", t, 2.0), ("gone", t, 3.0)])]).unwrap();
        if minute == 300 {
            keeper.maintain(&Deadline::never()).unwrap();
        }
    }
    let never = Deadline::never();
    // From the third hour to the eighth: rolled up, sealed and unsealed.
    let range = TimeRange::new(Timestamp(START + 3 * HOUR), Timestamp(START + 8 * HOUR));
    keeper.delete(&[vec![Matcher::metric("gone")]], TimeRange::ALL, &never).unwrap();
    keeper.delete(&[vec![Matcher::metric("part"), Matcher::equal("job", "test")]], range, &never).unwrap();
    writer.append(&[batch(&[("gone", START + 10 * HOUR, 9.0)])]).unwrap();
    let check = |reader: &Reader, when: &str| {
        assert_eq!(totals(reader, "keep"), (600, 600.0), "{when}");
        assert_eq!(totals(reader, "gone"), (1, 9.0), "{when}: what came after the deletion lives");
        assert_eq!(totals(reader, "part").0, 300, "{when}");
        let part = raw(reader).get("part").cloned().unwrap_or_default();
        assert!(part.keys().all(|t| !range.contains(Timestamp(*t))), "{when}");
    };
    let early = TimeRange::new(Timestamp(START), Timestamp(START + 9 * HOUR));
    assert_eq!(reader.label_values("__name__", &[], early, &never).unwrap(), ["keep", "part"]);
    check(&reader, "at once");
    drop((writer, reader, keeper));
    let Opened { reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    check(&reader, "after a restart");
    let before = reader.stats().tiers[0].samples;
    keeper.maintain(&never).unwrap();
    check(&reader, "after maintenance");
    assert!(reader.stats().tiers[0].samples < before);
    keeper.settle(&never).unwrap();
    drop((reader, keeper));
    check(&open(options, clock).unwrap().reader, "after all of it");
}

#[test]
fn what_is_deleted_altogether_does_not_come_back_from_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(Place::Disk(directory.path().into()));
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let Opened { mut writer, reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    let never = Deadline::never();
    writer.append(&[batch(&[("gone", START + 10, 1.0)])]).unwrap();
    keeper.delete(&[vec![Matcher::metric("gone")]], TimeRange::ALL, &never).unwrap();
    keeper.maintain(&never).unwrap();
    // The journal is not cut: as after a kill.
    drop((writer, reader, keeper));
    let Opened { reader, keeper, replayed, .. } = open(options, clock).unwrap();
    assert_eq!((replayed, totals(&reader, "gone")), (0, (0, 0.0)));
    keeper.settle(&never).unwrap();
    assert_eq!(totals(&reader, "gone"), (0, 0.0));
}

#[test]
fn a_clock_that_jumps_ahead_drops_one_window_at_a_time() {
    let options = Options { guards_clock: true, ..options(Place::Memory) };
    let clock = ManualClock::at(Timestamp(START));
    let Opened { mut writer, reader, keeper, .. } = open(options, clock.clone()).unwrap();
    let never = Deadline::never();
    for half_hour in 0..8 {
        writer.append(&[batch(&[("a", START + half_hour * 30 * MINUTE + MINUTE, 1.0)])]).unwrap();
    }
    keeper.settle(&never).unwrap();
    let before = raw(&reader)["a"].len();
    assert_eq!(before, 8);
    // The clock of a machine without a battery, set wrong at the boot.
    clock.set(Timestamp(START + 40 * HOUR));
    for _ in 0..5 {
        keeper.maintain(&never).unwrap();
    }
    assert_eq!(raw(&reader)["a"].len(), before - 1, "one window of raw is gone, not all");
    assert_eq!(totals(&reader, "a").0, 8, "and what it held is rolled up");
    clock.set(Timestamp(START + 4 * HOUR));
    keeper.maintain(&never).unwrap();
    assert_eq!(raw(&reader)["a"].len(), before - 1);
}

#[test]
fn beyond_the_memory_budget_new_series_are_refused_and_known_ones_go_on() {
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let with = Options { max_memory: Some(ByteCount::mib(1)), ..options(Place::Memory) };
    let Opened { mut writer, reader, keeper, .. } = open(with, clock).unwrap();
    let names: Vec<String> = (0..20_000).map(|i| format!("pod_{i}")).collect();
    let mut refused = None;
    for chunk in names.chunks(500) {
        let taken = writer.append(&[batch(&chunk.iter().map(|name| (name.as_str(), START + HOUR, 1.0)).collect::<Vec<_>>())]).unwrap();
        if let Some(grown) = &taken[0].grown {
            refused = Some(grown.clone());
            break;
        }
    }
    let said = refused.expect("the budget was never met");
    assert!(said.contains("storage.memory is 1MiB") && said.contains("pod_"), "{said}");
    assert!(writer.is_full(), "sealing is asked for");
    let known = writer.append(&[batch(&[("pod_0", START + HOUR + 1, 2.0)])]).unwrap();
    assert_eq!((known[0].accepted, known[0].no_room.len()), (1, 0));
    assert!(reader.stats().memory_bytes > 1 << 20);
    // What is sealed early makes room.
    assert!(keeper.maintain(&Deadline::never()).unwrap().sealed > 0);
    writer.cut().unwrap();
    keeper.maintain(&Deadline::never()).unwrap();
    let new = writer.append(&[batch(&[("fresh", START + HOUR + 2, 3.0)])]).unwrap();
    assert_eq!(new[0].accepted, 1);
}

/// What a long life does, with windows of two hours that are merged into files of eight, days into weeks.
#[derive(Clone, Debug)]
enum Event {
    Append(Vec<(usize, i64, f64)>),
    Fill(i64),
    Delete(usize),
    Advance(i64),
    Maintain,
    Settle,
    Seal,
    Cut,
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    let append = |back: i64| prop::collection::vec((0usize..4, -back * HOUR..5 * MINUTE, -1e6f64..1e6), 1..12).prop_map(Event::Append);
    prop_oneof![
        2 => append(1),
        2 => append(30),
        1 => append(200),
        4 => (2i64..12).prop_map(Event::Fill),
        1 => (0usize..4).prop_map(Event::Delete),
        2 => (1i64..20).prop_map(|h| Event::Advance(h * HOUR)),
        4 => Just(Event::Maintain),
        1 => Just(Event::Settle),
        1 => Just(Event::Seal),
        2 => Just(Event::Cut),
        2 => Just(Event::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn merged_neighbours_answer_like_a_map(events in prop::collection::vec(event(), 20..70)) {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp(START));
        let hours = |h: u64| Duration::from_secs(3600 * h);
        let options = Options { raw: hours(64), aggregated: Some(hours(24 * 64)), ..options(Place::Disk(dir.path().join("data"))) };
        let mut open_store = Some(open(options.clone(), clock.clone()).unwrap());
        let mut all: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
        for event in events {
            let now = crate::clock::Clock::now(clock.as_ref()).0;
            let store = open_store.as_mut().unwrap();
            let append = |rows: Vec<(&'static str, i64, f64)>, store: &mut Opened, all: &mut BTreeMap<&str, BTreeMap<i64, f64>>| {
                let (raw, rows): (i64, Vec<_>) = (store.reader.coverage().raw.0, rows);
                // Where raw is gone, the same time again would be another sample.
                let rows: Vec<_> = rows.into_iter().filter(|(name, t, _)| *t > raw || !all.get(name).is_some_and(|known| known.contains_key(t))).collect();
                let taken = store.writer.append(&[batch(&rows)]).unwrap();
                assert_eq!(taken[0].accepted, rows.len());
                for (name, t, v) in rows {
                    all.entry(name).or_default().insert(t, v);
                }
            };
            match event {
                Event::Append(rows) => append(rows.iter().map(|(n, dt, v)| (NAMES[*n], now + dt, *v)).collect(), store, &mut all),
                Event::Fill(hours) => {
                    let rows = (0..hours * 12).flat_map(|k| NAMES.map(|name| (name, now + k * 5 * MINUTE, (now / HOUR + k) as f64))).collect();
                    clock.advance(Duration::from_millis((hours * HOUR) as u64));
                    append(rows, store, &mut all);
                }
                Event::Delete(name) => {
                    store.keeper.delete(&[vec![Matcher::metric(NAMES[name])]], TimeRange::ALL, &Deadline::never()).unwrap();
                    all.remove(NAMES[name]);
                }
                Event::Advance(by) => clock.advance(Duration::from_millis(by as u64)),
                Event::Maintain => { store.keeper.maintain(&Deadline::never()).unwrap(); }
                Event::Settle => { store.keeper.settle(&Deadline::never()).unwrap(); }
                Event::Seal => { drop(store.keeper.snapshot(&Deadline::never()).unwrap()); }
                Event::Cut => store.writer.cut().unwrap(),
                Event::Reopen => {
                    drop(open_store.take());
                    open_store = Some(open(options.clone(), clock.clone()).unwrap());
                }
            }
            let store = open_store.as_ref().unwrap();
            let from = store.reader.coverage().raw.0;
            let want: Model = all.iter().map(|(name, samples)| ((*name).to_owned(), samples.range(from + 1..).map(|(t, v)| (*t, v.to_bits())).collect())).filter(|(_, samples): &(String, BTreeMap<i64, u64>)| !samples.is_empty()).collect();
            prop_assert_eq!(&raw(&store.reader), &want);
            for (name, samples) in &all {
                let (count, sum) = totals(&store.reader, name);
                prop_assert_eq!(count, samples.len() as u64, "count of {} over the tiers", name);
                let want: f64 = samples.values().sum();
                prop_assert!((sum - want).abs() <= 1e-6 * samples.values().map(|v| v.abs()).sum::<f64>().max(1.0), "sum of {} over the tiers", name);
            }
        }
    }
}

#[test]
fn a_month_of_windows_becomes_a_few_files() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START));
    let days = |d: u64| Duration::from_secs(86_400 * d);
    let options = Options { raw: days(16), aggregated: Some(days(90)), ..options(Place::Disk(directory.path().into())) };
    let Opened { mut writer, reader, keeper, .. } = open(options.clone(), clock.clone()).unwrap();
    let never = Deadline::never();
    for hour in 0..24 * 30 {
        let rows: Vec<(&str, i64, f64)> = (1..=4).map(|quarter| ("a", START + hour * HOUR + quarter * 15 * MINUTE, 1.0)).collect();
        clock.set(Timestamp(START + (hour + 1) * HOUR));
        writer.append(&[batch(&rows)]).unwrap();
        keeper.maintain(&never).unwrap();
        writer.cut().unwrap();
    }
    let files = |tier: Tier| reader.stats().tiers[tier.index()].partitions;
    assert!(files(Tier::Raw) <= 16 + 2 + 12, "{} files of raw", files(Tier::Raw));
    assert!(files(Tier::Aggregated) <= 16, "{} files of aggregated", files(Tier::Aggregated));
    assert_eq!(totals(&reader, "a"), (4 * 24 * 30, 4.0 * 24.0 * 30.0));
    assert!(reader.stats().journal_files <= 2, "the journal is cut: {:?}", reader.stats());
    assert_eq!(keeper.verify(&never).unwrap().problems, [""; 0]);
    // A late sample of a merged day is read at once, and rolled up; the day is not rolled up again.
    writer.append(&[batch(&[("a", START + 20 * 24 * HOUR + 7, 100.0)])]).unwrap();
    keeper.settle(&never).unwrap();
    assert_eq!(totals(&reader, "a").1, 4.0 * 24.0 * 30.0 + 100.0);
    assert_eq!(keeper.settle(&never).unwrap().rolled, 0);
    drop((writer, reader, keeper));
    let Opened { reader, keeper, replayed, .. } = open(options, clock).unwrap();
    assert_eq!((replayed, totals(&reader, "a").0), (0, 4 * 24 * 30 + 1));
    assert_eq!(keeper.settle(&never).unwrap().rolled, 0);
}
