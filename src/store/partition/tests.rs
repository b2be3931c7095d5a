//! Sealed files against plain lists: what is written is read and found again, whatever the labels and
//! matchers. Guards against a selection that misses a series, damage that is not found or that panics, and
//! files of the older layout that cannot be read any more.

use std::io::Read;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Tier, TimeRange, Timestamp};
use crate::store::layout::Combine;
use crate::store::rollup::roll_samples;
use crate::store::{Options, Place};

const WIDTH: Duration = Duration::from_secs(60);

fn files(place: Place) -> Arc<Files> {
    let options = Options { raw: Duration::from_secs(3600), late_window: Duration::from_secs(60), max_series: 1000, ..Options::of(place) };
    Arc::new(Files::open(&options).unwrap())
}

fn record(tier: Tier, generation: u64) -> Record {
    let t = Timestamp(1_790_000_000_000);
    let range = TimeRange::new(t, Timestamp(1_790_000_300_000));
    Record { tier, range, generation, through: 9, combine: Combine::Replace, series: 0, rows: 0, first: t, last: t, bytes: 0, checksum: 0 }
}

fn write(files: &Arc<Files>, series: &[(Labels, Values)]) -> Partition {
    let tier = if matches!(series[0].1, Values::Samples(_)) { Tier::Raw } else { Tier::Aggregated };
    let mut writer = PartitionWriter::new(files, tier, WIDTH, 1);
    series.iter().for_each(|(labels, values)| writer.push(labels, values));
    let record = writer.finish(record(tier, 1)).unwrap().unwrap();
    Partition::new(record, files, &Arc::default())
}

fn column(seed: i64, count: i64) -> Column {
    let t: Vec<i64> = (1..=count).map(|k| 1_790_000_000_000 + k * 1000).collect();
    let v = (1..=count).map(|k| if seed % 3 == 0 { seed as f64 } else { (k * seed * 7919 % 1013) as f64 / 10.0 }).collect();
    Column { t, v }
}

/// What the files below `tests/golden` hold.
fn golden(tier: Tier) -> Vec<(Labels, Values)> {
    let labels = |i: i64| Labels::from_pairs([("__name__", format!("m{}", i / 4)), ("device", format!("d{}", i % 4)), ("job", "old".into())]).unwrap();
    let values = |i: i64| {
        let (t, v) = (1..=300).map(|k| (1_790_000_000_000 + k * 1000, (i * k) as f64 / 10.0)).unzip();
        let column = Column { t, v };
        if tier == Tier::Raw { Values::Samples(column) } else { Values::Buckets(roll_samples(&column, WIDTH)) }
    };
    (0..40).map(|i| (labels(i), values(i))).collect()
}

fn all_of(partition: &Partition) -> Vec<(Labels, Values)> {
    let count = partition.record.series as u32;
    partition.read(|view| (0..count).map(|number| view.read(number)).collect()).unwrap().unwrap()
}

fn matched(partition: &Partition, matchers: &[Matcher]) -> Vec<u32> {
    partition.read(|view| view.matching(matchers)).unwrap().unwrap().to_vec()
}

#[test]
fn files_of_every_layout_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(Place::Disk(directory.path().to_owned()));
    let images = [
        (Tier::Raw, include_bytes!("../../../tests/golden/partition-of-rows-raw.redb.deflate").as_slice()),
        (Tier::Aggregated, include_bytes!("../../../tests/golden/partition-of-rows-aggregated.redb.deflate").as_slice()),
        (Tier::Raw, include_bytes!("../../../tests/golden/partition-of-a-stream-raw.redb.deflate").as_slice()),
        (Tier::Aggregated, include_bytes!("../../../tests/golden/partition-of-a-stream-aggregated.redb.deflate").as_slice()),
    ];
    for (generation, (tier, deflated)) in (1..).zip(images) {
        let mut image = Vec::new();
        flate2::read::DeflateDecoder::new(deflated).read_to_end(&mut image).unwrap();
        let record = Record { series: 40, ..record(tier, generation) };
        std::fs::write(directory.path().join(record.name()), image).unwrap();
        let partition = Partition::new(record, &files, &Arc::default());
        assert_eq!(all_of(&partition), golden(tier));
        assert_eq!(matched(&partition, &[Matcher::metric("m3"), Matcher::not_equal("device", "d2")]), [12, 13, 15]);
        let mut pairs = 0;
        partition.read(|view| view.pairs(|_, _| pairs += 1)).unwrap();
        assert_eq!(pairs, 15);
    }
}

#[test]
fn a_file_without_series_is_made_only_where_it_says_what_is_complete() {
    let files = files(Place::Memory);
    let finish = |through: u64| PartitionWriter::new(&files, Tier::Raw, WIDTH, 3).finish(Record { through, ..record(Tier::Raw, 3) }).unwrap();
    assert_eq!(finish(0), None);
    let partition = Partition::new(finish(9).unwrap(), &files, &Arc::default());
    assert_eq!((all_of(&partition), matched(&partition, &[Matcher::metric("m3")]), matched(&partition, &[])), (Vec::new(), Vec::new(), Vec::new()));
    assert_eq!(partition.sick(), None);
}

#[test]
fn long_and_short_columns_of_many_series_come_back() {
    for place in [Place::Memory, Place::Disk(tempfile::tempdir().unwrap().path().join("data"))] {
        let files = files(place);
        let labels = |i: i64| Labels::from_pairs([("__name__", format!("m{:03}", i / 8)), ("device", format!("d{}", i % 8)), ("job", "x".into())]).unwrap();
        let series: Vec<(Labels, Values)> = (0..700).map(|i| (labels(i), Values::Samples(column(i, 1 + i % 301)))).collect();
        let partition = write(&files, &series);
        assert_eq!(all_of(&partition), series);
        assert_eq!(matched(&partition, &[Matcher::metric("m050")]), (400..408).collect::<Vec<_>>());
        assert_eq!(matched(&partition, &[Matcher::equal("device", "d3"), Matcher::regex("__name__", "m0[0-4].*").unwrap()]).len(), 50);
        let buckets: Vec<(Labels, Values)> = (0..700).map(|i| (labels(i), Values::Buckets(roll_samples(&column(i, 1 + i % 301), WIDTH)))).collect();
        assert_eq!(all_of(&write(&files, &buckets)), buckets);
    }
}

#[test]
fn a_flipped_bit_is_found_or_harmless_and_never_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(Place::Disk(directory.path().to_owned()));
    let series = golden(Tier::Raw);
    let partition = write(&files, &series);
    let path = directory.path().join(partition.record.name());
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let image = std::fs::read(&path).unwrap();
    for at in (0..image.len()).step_by(97) {
        let mut damaged = image.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&path, damaged).unwrap();
        let partition = Partition::new(partition.record.clone(), &files, &Arc::default());
        partition.examine().unwrap();
        matched_or_sick(&partition);
        let again = Partition::new(partition.record.clone(), &files, &Arc::default());
        assert!(!again.is_as_written().unwrap(), "the checksum of the file tells byte {at}");
    }
}

fn matched_or_sick(partition: &Partition) {
    let found = partition.read(|view| view.matching(&[Matcher::metric("m3")])).unwrap();
    assert!(found.is_none() == partition.sick().is_some());
}

fn label_sets() -> impl Strategy<Value = Vec<Labels>> {
    let pairs = prop::collection::btree_map("[ab]{1,2}", "[xyz]{1,2}", 0..4);
    prop::collection::btree_set(pairs.prop_map(|p| Labels::from_pairs(p).unwrap()), 1..60).prop_map(|set| set.into_iter().collect())
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let name = "[ab]{1,2}";
    prop_oneof![
        (name, "[xyz]{0,2}").prop_map(|(n, v)| Matcher::equal(&n, &v)),
        (name, "[xyz]{0,2}").prop_map(|(n, v)| Matcher::not_equal(&n, &v)),
        (name, prop::sample::select(vec!["x|y", "xx|zz|", ".+", ".*", "[xy]z?", "x.*"])).prop_map(|(n, p)| Matcher::regex(&n, p).unwrap()),
        (name, prop::sample::select(vec!["x|y", "xx|zz|", ".+", ".*", "[xy]z?", "x.*"])).prop_map(|(n, p)| Matcher::not_regex(&n, p).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn matchers_agree_with_testing_every_series(labels in label_sets(), sets in prop::collection::vec(prop::collection::vec(matcher(), 0..4), 1..8)) {
        let series: Vec<(Labels, Values)> = labels.iter().map(|l| (l.clone(), Values::Samples(column(3, 2)))).collect();
        let partition = write(&files(Place::Memory), &series);
        for matchers in sets {
            let want: Vec<u32> = (0..labels.len() as u32).filter(|i| matchers.iter().all(|m| m.accepts_labels(&labels[*i as usize]))).collect();
            prop_assert_eq!(matched(&partition, &matchers), want.clone(), "{:?}", matchers);
            prop_assert_eq!(matched(&partition, &matchers), want, "again");
        }
        let mut pairs = std::collections::BTreeSet::new();
        partition.read(|view| view.pairs(|n, v| { pairs.insert((n.to_owned(), v.to_owned())); })).unwrap();
        let want: std::collections::BTreeSet<_> = labels.iter().flat_map(Labels::iter).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(pairs, want);
    }
}
