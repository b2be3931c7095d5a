//! Over whole buckets, rolled-up tiers answer as the samples would: `rate`, `increase`, `delta`, `resets`
//! and `avg`, `sum`, `count`, `min`, `max`, `first`, `last`, `present_over_time`, on series of any shape.
//! Guards against a rollup that is right only for tidy intervals.

use std::sync::Arc;
use std::time::Duration;

use latido::clock::ManualClock;
use latido::model::{Batch, Labels, Origin, Sample, Timestamp};
use latido::query::{self, Engine, Value};
use latido::store::{self, Options, Place, Reader};
use latido::task::Deadline;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;
const START: i64 = 1_790_000_000_000 / (24 * HOUR) * (24 * HOUR);
const HOURS: i64 = 6;
const FUNCTIONS: [&str; 12] = [
    "rate",
    "increase",
    "delta",
    "resets",
    "avg_over_time",
    "sum_over_time",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "first_over_time",
    "last_over_time",
    "present_over_time",
];

/// The samples, as a tier holds them that keeps alone what was days ago.
fn settled(samples: &[(i64, f64)], raw: u64, aggregated: Option<u64>) -> Reader {
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let options = Options {
        raw: hours(raw),
        aggregated: aggregated.map(hours),
        summary: aggregated.map(|_| hours(4000)),
        late_window: Duration::from_secs(600),
        ..Options::of(Place::Memory)
    };
    let clock = ManualClock::at(Timestamp(START + HOURS * HOUR));
    let mut opened = store::open(options, clock.clone()).unwrap();
    let mut batch = Batch::new(Origin::Pushed);
    let labels = Labels::from_pairs([("__name__", "x")]).unwrap();
    batch.push_series(&labels, samples.iter().map(|(t, v)| Sample { t: Timestamp(*t), v: *v }));
    assert_eq!(opened.writer.append(&[batch]).unwrap()[0].accepted, samples.len());
    for _ in 0..4 {
        clock.advance(hours(24));
        opened.keeper.settle(&Deadline::never()).unwrap();
        opened.writer.cut().unwrap();
    }
    opened.reader
}

fn answer(reader: &Reader, expr: &str, at: i64) -> Option<f64> {
    let engine = Engine::new(Arc::new(reader.clone()), query::Options::default());
    match engine.instant(expr, Timestamp(at), &Deadline::never()).unwrap().value {
        Value::Vector(series) => series.first().and_then(|s| s.points.first()).map(|(_, v)| *v),
        other => panic!("{expr}: {other:?}"),
    }
}

fn samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let gauge = (1i64..300_000, -1e6f64..1e6).prop_map(|(step, v)| (step, v, false));
    let counter = (1i64..120_000, prop_oneof![9 => 0.0f64..100.0, 1 => Just(-1.0)]).prop_map(|(step, v)| (step, v, true));
    let steps = prop_oneof![prop::collection::vec(gauge, 1..200), prop::collection::vec(counter, 1..400)];
    steps.prop_map(|steps| {
        let (mut t, mut total) = (START, 0.0);
        let mut out = Vec::new();
        for (step, v, adds) in steps {
            t += step;
            // A counter begins again where it would fall.
            total = if v < 0.0 || !adds { 0.0 } else { total + v };
            if t <= START + HOURS * HOUR {
                out.push((t, if adds { total } else { v }));
            }
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rolled_up_functions_equal_those_of_the_samples(samples in samples()) {
        prop_assume!(!samples.is_empty());
        let raw = settled(&samples, 4000, None);
        let tiers = [("1h", settled(&samples, 2, Some(4000))), ("1h", settled(&samples, 2, Some(4))), ("2h", settled(&samples, 2, Some(4000)))];
        for (range, rolled) in &tiers {
            prop_assert!(rolled.coverage().raw > Timestamp(START + HOURS * HOUR), "raw is gone");
            for function in FUNCTIONS {
                let expr = format!("{function}(x[{range}])");
                for hour in 1..=HOURS + 1 {
                    let at = START + hour * HOUR;
                    match (answer(&raw, &expr, at), answer(rolled, &expr, at)) {
                        (None, None) => {}
                        (Some(want), Some(got)) => {
                            prop_assert!((want - got).abs() <= 1e-9 * want.abs().max(1.0), "{} at hour {}: {} where the samples give {}", expr, hour, got, want);
                        }
                        (want, got) => prop_assert!(false, "{} at hour {}: {:?} where the samples give {:?}", expr, hour, got, want),
                    }
                }
            }
        }
    }
}
