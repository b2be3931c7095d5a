//! Native histograms and exemplars through the whole store: whatever is appended, sealed, rolled up,
//! deleted, merged and reopened, they are there once, with the samples beside them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::histograms::thin;
use super::*;
use crate::clock::ManualClock;
use crate::model::{
    Batch, Buckets, ByteCount, Exemplar, ExemplarRow, Histogram, HistogramColumn, HistogramRow, Labels, Matcher, Origin, Sample, Segment, Span, Tier,
    TimeRange, Timestamp, Widths, stale_marker,
};
use crate::task::Deadline;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const START: i64 = 1_790_000_000_000 / (24 * HOUR) * (24 * HOUR);

fn options(place: Place) -> Options {
    let hours = |h: u64| Duration::from_secs(3600 * h);
    Options {
        raw: hours(4),
        aggregated: Some(hours(48)),
        summary: Some(hours(2000)),
        widths: Widths { aggregated: Duration::from_secs(60), summary: hours(1) },
        late_window: Duration::from_secs(600),
        cache: ByteCount::mib(8),
        ..tests::options(place)
    }
}

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "test")]).unwrap()
}

/// A counter of `n` observations in two buckets.
fn histogram(n: u32) -> Arc<Histogram> {
    let counts = vec![f64::from(n / 3), f64::from(n - n / 3)];
    let positive = Buckets { spans: vec![Span { offset: 2, length: 2 }], counts };
    Arc::new(Histogram { schema: 1, count: f64::from(n), sum: f64::from(n) * 1.25, positive, ..Histogram::default() })
}

fn histograms(rows: &[(&str, i64, u32)]) -> Batch {
    let row = |(name, t, n): &(&str, i64, u32)| HistogramRow { labels: labels(name), t: Timestamp(*t), histogram: histogram(*n) };
    let mut batch = Batch::new(Origin::Pushed);
    batch.histograms = rows.iter().map(row).collect();
    batch
}

fn exemplar(t: i64, id: &str) -> Exemplar {
    Exemplar { labels: Labels::from_pairs([("trace_id", id)]).unwrap(), value: 0.5, t: Timestamp(t) }
}

fn exemplars(rows: &[(&str, i64, &str)]) -> Batch {
    let row = |(name, t, id): &(&str, i64, &str)| ExemplarRow { labels: labels(name), exemplar: exemplar(*t, id) };
    let mut batch = Batch::new(Origin::Pushed);
    batch.exemplars = rows.iter().map(row).collect();
    batch
}

fn read(reader: &Reader, name: &str, tier: Option<Tier>) -> Option<crate::model::SeriesData> {
    let selection = Selection { matchers: vec![Matcher::metric(name)], range: TimeRange::ALL, tier };
    reader.select(&selection, &Deadline::never()).unwrap().into_iter().next()
}

fn column(reader: &Reader, name: &str, tier: Tier) -> HistogramColumn {
    let mut all = read(reader, name, Some(tier)).map(|series| series.histograms).unwrap_or_default();
    assert!(all.len() <= 1 && all.iter().all(|segment| segment.tier == tier));
    all.pop().map(|segment| segment.column).unwrap_or_default()
}

fn traces(reader: &Reader, name: &str) -> Vec<(i64, String)> {
    let found = reader.exemplars(&[vec![Matcher::metric(name)]], TimeRange::ALL, &Deadline::never()).unwrap();
    found.iter().flat_map(|(_, list)| list).map(|e| (e.t.0 - START, e.labels.get("trace_id").unwrap().to_owned())).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, i64, u32)>),
    Floats(Vec<(usize, i64)>),
    Advance(i64),
    Maintain,
    Settle,
    Cut,
    Reopen,
    Delete(usize, i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0_usize..3, -30 * MINUTE..5 * MINUTE, 0_u32..60), 1..12).prop_map(Step::Append),
        2 => prop::collection::vec((0_usize..3, -30 * MINUTE..5 * MINUTE), 1..4).prop_map(Step::Floats),
        3 => (1_i64..40).prop_map(|m| Step::Advance(m * MINUTE)),
        2 => Just(Step::Maintain),
        1 => Just(Step::Settle),
        1 => Just(Step::Cut),
        2 => Just(Step::Reopen),
        1 => (0_usize..3, -30 * MINUTE..0, 1..40 * MINUTE).prop_map(|(name, from, length)| Step::Delete(name, from, length)),
    ]
}

const NAMES: [&str; 3] = ["a", "b", "c"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_sequence_of_steps_answers_like_a_map(steps in prop::collection::vec(step(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(Timestamp(START));
        let place = Place::Disk(dir.path().join("data"));
        let mut open_store = Some(open(options(place.clone()), clock.clone()).unwrap());
        let mut model: BTreeMap<&str, BTreeMap<i64, Arc<Histogram>>> = BTreeMap::new();
        let mut floats: BTreeMap<&str, BTreeMap<i64, f64>> = BTreeMap::new();
        for step in steps {
            let now = crate::clock::Clock::now(clock.as_ref()).0;
            let store = open_store.as_mut().unwrap();
            match step {
                Step::Append(rows) => {
                    let rows: Vec<(&str, i64, u32)> = rows.iter().map(|(n, dt, v)| (NAMES[*n], now + dt, *v)).collect();
                    let taken = store.writer.append(&[histograms(&rows)]).unwrap();
                    prop_assert_eq!((taken[0].accepted, taken[0].histograms), (rows.len(), rows.len()));
                    rows.iter().for_each(|(name, t, n)| { model.entry(name).or_default().insert(*t, histogram(*n)); });
                }
                Step::Floats(rows) => {
                    let mut batch = Batch::new(Origin::Pushed);
                    for (n, dt) in rows {
                        batch.push(&labels(NAMES[n]), Sample { t: Timestamp(now + dt), v: 7.0 });
                        floats.entry(NAMES[n]).or_default().insert(now + dt, 7.0);
                    }
                    store.writer.append(&[batch]).unwrap();
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
                Step::Delete(name, from, length) => {
                    let range = TimeRange::new(Timestamp(now + from), Timestamp(now + from + length));
                    store.keeper.delete(&[vec![Matcher::metric(NAMES[name])]], range, &Deadline::never()).unwrap();
                    let gone = |t: i64| range.contains(Timestamp(t));
                    model.entry(NAMES[name]).or_default().retain(|t, _| !gone(*t));
                    floats.entry(NAMES[name]).or_default().retain(|t, _| !gone(*t));
                }
            }
            let reader = &open_store.as_ref().unwrap().reader;
            let from = reader.coverage().raw.0;
            for name in NAMES {
                let kept: Vec<(i64, Arc<Histogram>)> = model.entry(name).or_default().range(from + 1..).map(|(t, h)| (*t, h.clone())).collect();
                let found = column(reader, name, Tier::Raw);
                prop_assert_eq!(found.t.into_iter().zip(found.h).collect::<Vec<_>>(), kept);
                let kept: Vec<i64> = floats.entry(name).or_default().range(from + 1..).map(|(t, _)| *t).collect();
                let segments = read(reader, name, Some(Tier::Raw)).map(|series| series.segments).unwrap_or_default();
                let found: Vec<i64> = segments.iter().flat_map(|s| if let Segment::Raw(column) = s { column.t.clone() } else { Vec::new() }).collect();
                prop_assert_eq!(found, kept);
            }
        }
    }
}

/// Four hours of a counter that begins anew now and then, and late ones.
fn lived(store: &mut Opened, clock: &ManualClock) -> HistogramColumn {
    let mut all = BTreeMap::new();
    for i in 0..600_u32 {
        let t = START + i64::from(i) * 24_000 + 1;
        clock.set(Timestamp(t));
        let n = (i % 97) * 3;
        store.writer.append(&[histograms(&[("a", t, n)])]).unwrap();
        all.insert(t, histogram(n));
        if i % 150 == 149 {
            let late = t - 20 * MINUTE - 5;
            store.writer.append(&[histograms(&[("a", late, 1)])]).unwrap();
            all.insert(late, histogram(1));
            store.keeper.settle(&Deadline::never()).unwrap();
        }
    }
    HistogramColumn { t: all.keys().copied().collect(), h: all.into_values().collect() }
}

#[test]
fn a_tier_keeps_what_rates_over_whole_buckets_need_and_answers_when_raw_is_gone() {
    let clock = ManualClock::at(Timestamp(START));
    let mut store = open(options(Place::Memory), clock.clone()).unwrap();
    let all = lived(&mut store, &clock);
    assert_eq!(column(&store.reader, "a", Tier::Raw), all);
    assert_eq!(column(&store.reader, "a", Tier::Aggregated), thin(&all, Duration::from_secs(60)));
    assert_eq!(column(&store.reader, "a", Tier::Summary), thin(&all, Duration::from_secs(3600)));
    clock.advance(Duration::from_secs(3 * 3600));
    store.keeper.settle(&Deadline::never()).unwrap();
    let segments = read(&store.reader, "a", None).unwrap().histograms;
    assert_eq!(segments.iter().map(|s| (s.tier, s.width.as_secs())).collect::<Vec<_>>(), [(Tier::Aggregated, 60), (Tier::Raw, 0)]);
    let raw = store.reader.coverage().raw;
    assert!(segments[0].column.t.last().unwrap() <= &raw.0 && segments[1].column.t[0] > raw.0, "nothing is counted twice at the seam");
    // Late, where raw is gone: it joins its bucket.
    let late = START + 30 * MINUTE + 7;
    store.writer.append(&[histograms(&[("a", late, 2)])]).unwrap();
    let mut more: BTreeMap<i64, Arc<Histogram>> = thin(&all, Duration::from_secs(60)).t.into_iter().zip(thin(&all, Duration::from_secs(60)).h).collect();
    more.insert(late, histogram(2));
    let want = thin(&HistogramColumn { t: more.keys().copied().collect(), h: more.into_values().collect() }, Duration::from_secs(60));
    assert_eq!(column(&store.reader, "a", Tier::Aggregated), want, "unsealed");
    store.keeper.settle(&Deadline::never()).unwrap();
    assert_eq!(column(&store.reader, "a", Tier::Aggregated), want, "sealed and merged");
}

#[test]
fn a_series_may_change_from_floats_to_histograms_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let place = Place::Disk(dir.path().to_owned());
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    let mut both = histograms(&[("a", START + 20, 3), ("only", START + 20, 3)]);
    both.push(&labels("a"), Sample { t: Timestamp(START + 10), v: 1.0 });
    both.push(&labels("a"), Sample { t: Timestamp(START + 30), v: stale_marker() });
    store.writer.append(&[both]).unwrap();
    for round in ["unsealed", "replayed", "sealed", "reopened"] {
        let series = read(&store.reader, "a", Some(Tier::Raw)).unwrap();
        let Segment::Raw(floats) = &series.segments[0] else { panic!("raw was asked for") };
        assert_eq!((floats.t.as_slice(), series.histograms[0].column.t.as_slice()), ([START + 10, START + 30].as_slice(), [START + 20].as_slice()), "{round}");
        let never = Deadline::never();
        assert_eq!(store.reader.series(&[vec![Matcher::equal("job", "test")]], TimeRange::ALL, &never).unwrap(), [labels("a"), labels("only")], "{round}");
        assert_eq!(store.reader.label_values("__name__", &[], TimeRange::ALL, &never).unwrap(), ["a", "only"], "{round}");
        match round {
            "replayed" => {
                store.keeper.settle(&never).unwrap();
                store.writer.cut().unwrap();
            }
            _ => {
                drop(store);
                store = open(options(place.clone()), clock.clone()).unwrap();
                assert_eq!(store.replayed, if round == "unsealed" { 4 } else { 0 }, "{round}");
            }
        }
    }
    let found = store.keeper.verify(&Deadline::never()).unwrap();
    assert!(found.problems.is_empty() && found.rows >= 4, "{found:?}");
}

#[test]
fn exemplars_are_kept_through_seal_merge_and_kill_and_go_with_raw_or_by_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let place = Place::Disk(dir.path().to_owned());
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    let never = Deadline::never();
    let taken = store.writer.append(&[exemplars(&[("a", START + 5, "one"), ("b", START + 6, "two"), ("a", START - 100 * HOUR, "old")])]).unwrap();
    assert_eq!((taken[0].accepted, taken[0].exemplars), (0, 2));
    let one = vec![(5, "one".to_owned())];
    assert_eq!(traces(&store.reader, "a"), one);
    drop(store);
    let mut store = open(options(place.clone()), clock.clone()).unwrap();
    assert_eq!(traces(&store.reader, "a"), one, "replayed");
    store.keeper.settle(&never).unwrap();
    store.writer.cut().unwrap();
    assert_eq!(traces(&store.reader, "a"), one, "sealed, without a sample beside it");
    store.writer.append(&[exemplars(&[("a", START + 4, "three"), ("a", START + 5, "one")])]).unwrap();
    store.keeper.settle(&never).unwrap();
    let both = vec![(4, "three".to_owned()), (5, "one".to_owned())];
    assert_eq!(traces(&store.reader, "a"), both, "merged");
    let only = TimeRange::new(Timestamp(START + 4), Timestamp(START + 5));
    assert_eq!(store.reader.exemplars(&[vec![]], only, &never).unwrap(), [(labels("a"), vec![exemplar(START + 5, "one")])]);
    store.keeper.delete(&[vec![Matcher::metric("a")]], only, &never).unwrap();
    let rest = vec![(4, "three".to_owned())];
    assert_eq!(traces(&store.reader, "a"), rest, "deleted");
    store.keeper.settle(&never).unwrap();
    drop(store);
    let store = open(options(place), clock.clone()).unwrap();
    assert_eq!(traces(&store.reader, "a"), rest, "and it stays so");
    clock.advance(Duration::from_secs(8 * 3600));
    store.keeper.settle(&never).unwrap();
    assert!(traces(&store.reader, "a").is_empty() && traces(&store.reader, "b").is_empty(), "raw is gone");
}

#[test]
fn histograms_of_new_series_need_room_like_samples() {
    let clock = ManualClock::at(Timestamp(START + HOUR));
    let mut store = open(Options { max_series: 1, ..options(Place::Memory) }, clock).unwrap();
    let mut batch = histograms(&[("a", START + HOUR, 1), ("b", START + HOUR, 1), ("a", START - 5000 * HOUR, 1)]);
    batch.push(&labels("a"), Sample { t: Timestamp(START + HOUR), v: 1.0 });
    let taken = store.writer.append(&[batch]).unwrap();
    assert_eq!((taken[0].accepted, taken[0].no_room.as_slice(), taken[0].too_old.as_slice()), (2, [2].as_slice(), [3].as_slice()));
    assert!(taken[0].grown.is_some());
    let again = store.writer.append(&[histograms(&[("a", START + HOUR, 2)])]).unwrap();
    assert_eq!(again[0].duplicates, 1);
    assert_eq!(column(&store.reader, "a", Tier::Raw).h, [histogram(2)]);
}
