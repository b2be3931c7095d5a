//! What the store costs: a round of a scrape appended (in memory, so that the disk is left out), the
//! same made durable on disk, a window sealed and rolled up, one series and one metric read, and series
//! found in sealed files.

#![expect(clippy::expect_used, reason = "a bench that cannot start has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use latido::clock::ManualClock;
use latido::model::{Batch, Labels, Matcher, Origin, Sample, TimeRange, Timestamp};
use latido::store::{Opened, Options, Place, Selection, open};
use latido::task::Deadline;

const START: i64 = 1_790_000_000_000;

fn opened(place: Place) -> Opened {
    let days = |d: u64| Duration::from_secs(86_400 * d);
    let options = Options { aggregated: Some(days(90)), summary: Some(days(730)), ..Options::of(place) };
    open(options, ManualClock::at(Timestamp(START))).expect("an empty place opens")
}

fn series(count: usize) -> Vec<Labels> {
    let pairs =
        |i: usize| [("__name__", format!("metric_{}", i % 100)), ("instance", "host-1".into()), ("job", "bench".into()), ("device", format!("d{}", i / 100))];
    (0..count).map(|i| Labels::from_pairs(pairs(i)).expect("sound labels")).collect()
}

/// How many series a measurement is repeated for.
const SERIES: [usize; 3] = [1_000, 100_000, 1_000_000];

/// One sample of each series at step `step`.
fn round(series: &[Labels], step: i64) -> Batch {
    let mut batch = Batch::new(Origin::Pushed);
    for (i, labels) in series.iter().enumerate() {
        batch.push(labels, Sample { t: Timestamp(START + step * 5000), v: (i as i64 * step) as f64 });
    }
    batch
}

fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("append");
    let dir = tempfile::tempdir().expect("a temporary directory");
    for count in SERIES {
        let labels = series(count);
        group.throughput(Throughput::Elements(count as u64));
        for (name, place) in [("memory", Place::Memory), ("disk", Place::Disk(dir.path().join(count.to_string())))] {
            let mut store = opened(place);
            let mut step = 0;
            let mut next = || {
                step += 1;
                [round(&labels, step)]
            };
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter_batched(&mut next, |batch| store.writer.append(&batch).expect("appended"), BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

fn seal_and_read(c: &mut Criterion) {
    let mut group = c.benchmark_group("window of 1,000 series x 720 samples");
    group.sample_size(10);
    let labels = series(1_000);
    let filled = || {
        let mut store = opened(Place::Memory);
        for step in 1..=720 {
            store.writer.append(&[round(&labels, step)]).expect("appended");
        }
        store
    };
    group.throughput(Throughput::Elements(720_000));
    group.bench_function("seal, roll up", |b| {
        b.iter_batched(filled, |store| store.keeper.settle(&Deadline::never()).expect("settled"), BatchSize::PerIteration);
    });
    for (state, settled) in [("head", false), ("sealed", true)] {
        let store = filled();
        if settled {
            store.keeper.settle(&Deadline::never()).expect("settled");
        }
        for (name, matchers) in
            [("one series", vec![Matcher::metric("metric_7"), Matcher::equal("device", "d3")]), ("ten series", vec![Matcher::metric("metric_7")])]
        {
            let selection = Selection { matchers, range: TimeRange::ALL, tier: None };
            group.throughput(Throughput::Elements(if name == "one series" { 720 } else { 7200 }));
            group.bench_function(format!("read {name}, {state}"), |b| {
                b.iter(|| black_box(store.reader.select(&selection, &Deadline::never()).expect("read")));
            });
        }
    }
    group.finish();
}

/// Matchers that no one asked with before, so that nothing is remembered.
fn fresh(matchers: &[Matcher], turn: &mut u64) -> Vec<Matcher> {
    *turn += 1;
    matchers.iter().cloned().chain([Matcher::not_equal("turn", &turn.to_string())]).collect()
}

fn sealed_index(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for count in SERIES {
        let mut group = c.benchmark_group(format!("sealed file of {count} series"));
        group.sample_size(20);
        let place = Place::Disk(dir.path().join(count.to_string()));
        let labels = series(count);
        {
            let mut store = opened(place.clone());
            for step in 1..=4 {
                store.writer.append(&[round(&labels, step)]).expect("appended");
            }
            store.keeper.settle(&Deadline::never()).expect("settled");
            store.writer.cut().expect("cut");
        }
        let regex = |name: &str, pattern: &str| Matcher::regex(name, pattern).expect("a pattern");
        let device = format!("d{}", count / 200);
        let questions = [
            ("equality", vec![Matcher::equal("device", &device), Matcher::metric("metric_7")]),
            ("regex", vec![regex("device", "d.*3"), Matcher::metric("metric_7")]),
            ("regex over all names", vec![regex("__name__", "metric_.*7"), Matcher::equal("device", &device)]),
            ("intersection", vec![Matcher::equal("job", "bench"), Matcher::equal("instance", "host-1"), Matcher::equal("device", &device)]),
        ];
        group.bench_function("open and select one series", |b| {
            b.iter(|| {
                let store = opened(place.clone());
                let selection = Selection { matchers: questions[0].1.clone(), range: TimeRange::ALL, tier: None };
                black_box(store.reader.select(&selection, &Deadline::never()).expect("read"));
            });
        });
        let store = opened(place);
        let mut turn = 0;
        for (name, matchers) in &questions {
            group.bench_function(format!("labels by {name}"), |b| {
                b.iter(|| black_box(store.reader.series(&[fresh(matchers, &mut turn)], TimeRange::ALL, &Deadline::never()).expect("read")));
            });
        }
        group.bench_function("labels by equality, asked before", |b| {
            b.iter(|| black_box(store.reader.series(std::slice::from_ref(&questions[0].1), TimeRange::ALL, &Deadline::never()).expect("read")));
        });
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function("scan all", |b| {
            let selection = Selection { matchers: vec![Matcher::equal("job", "bench")], range: TimeRange::ALL, tier: None };
            b.iter(|| black_box(store.reader.select(&selection, &Deadline::never()).expect("read")));
        });
        group.finish();
    }
}

criterion_group!(benches, append, seal_and_read, sealed_index);
criterion_main!(benches);
