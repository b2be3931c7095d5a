//! What a frame costs: all panels of a dashboard over an hour of 5 s samples, computed anew and from
//! what is kept, with its text.

#![expect(clippy::expect_used, reason = "a bench that cannot start has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use latido::clock::ManualClock;
use latido::dashboard::{Cache, Dashboard, Draft, Frames, Options, Paces, Window};
use latido::ingest::{self, Packs, Registry};
use latido::model::{Batch, Labels, Origin, Sample, Timestamp};
use latido::query::{self, Engine};
use latido::store::{self, Opened, Place, Reader};
use latido::task::Deadline;
use latido::telemetry::OwnMetrics;

const START: i64 = 1_790_000_000_000;
const HOUR: Duration = Duration::from_secs(3600);
const SERIES: usize = 200;
const SAMPLES: i64 = 720;
const PANELS: usize = 20;

/// A store in memory with an hour of samples.
fn filled(clock: &Arc<ManualClock>) -> Opened {
    let options = store::Options::of(Place::Memory);
    let mut opened = store::open(options, clock.clone()).expect("an empty place opens");
    let labels: Vec<Labels> =
        (0..SERIES).map(|i| Labels::from_pairs([("__name__", format!("metric_{}", i % PANELS)), ("device", format!("d{i}"))]).expect("sound labels")).collect();
    for step in 1..=SAMPLES {
        let mut batch = Batch::new(Origin::Pushed);
        for (i, labels) in labels.iter().enumerate() {
            batch.push(labels, Sample { t: Timestamp(START + step * 5000), v: (i as i64 * step) as f64 });
        }
        opened.writer.append(&[batch]).expect("memory takes it");
    }
    opened
}

fn frames(opened: &Opened, reader: Reader, clock: &Arc<ManualClock>, kept: Duration) -> Frames {
    let own = OwnMetrics::new().expect("metrics of their own names");
    let engine = Engine::new(Arc::new(reader.clone()), query::Options::default());
    let second = Duration::from_secs(1);
    let options = Options { update_interval: second, max_connections: 1, directory: None, chart_cache: kept, aggregation_cache: kept };
    let packs = Packs { business_metrics: true, rag_performance: true, cache_efficiency: true, user_experience: true };
    let limits = ingest::Options {
        max_future: HOUR,
        longest: 48 * HOUR,
        max_labels: 64,
        max_label_name_bytes: 256,
        max_label_value_bytes: 4096,
        auto_register: false,
        packs,
    };
    let registry = Registry::open(opened.catalog.clone(), reader.clone(), limits, clock.clone()).expect("an empty catalog opens");
    let paces = Paces { interval: second, collection: 5 * second, lookback: 300 * second };
    Frames::new(Cache::new(engine, reader.clone(), own, &options), reader, registry, paces)
}

fn dashboard() -> Dashboard {
    let panels: Vec<_> = (0..PANELS)
        .map(|i| serde_json::json!({"title": format!("P{i}"), "type": "line", "query": format!("sum by (device) (rate(metric_{i}[$__rate_interval]))"), "x": 0, "y": i, "w": 12, "h": 1}))
        .collect();
    let text = serde_json::json!({"id": "bench", "title": "Bench", "panels": panels}).to_string();
    Draft::from_json(text.as_bytes()).and_then(|draft| draft.checked(str::to_owned)).expect("a sound document")
}

fn frame(c: &mut Criterion) {
    let end = Timestamp(START + SAMPLES * 5000);
    let clock = ManualClock::at(end);
    let opened = filled(&clock);
    let board = dashboard();
    let window = Window { start: end - HOUR, end, step: None };
    let mut group = c.benchmark_group("frame");
    for (name, kept) in [("anew", Duration::ZERO), ("kept", HOUR)] {
        let frames = frames(&opened, opened.reader.clone(), &clock, kept);
        group.bench_function(name, |b| {
            b.iter(|| {
                let frame = frames.data(&board, None, window, &Deadline::never()).expect("panels of the dashboard");
                black_box(serde_json::to_vec(&frame).expect("a frame is JSON"))
            })
        });
    }
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
