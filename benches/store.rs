//! What the store costs: a round of a scrape appended (in memory, so that the disk is left out), the
//! same made durable on disk, a window sealed and rolled up, one series and one metric read.

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
    for count in [1_000, 100_000] {
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

criterion_group!(benches, append, seal_and_read);
criterion_main!(benches);
