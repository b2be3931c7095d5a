//! The engine over series in memory: limits, tiers, the shorthand. What PromQL means is held by
//! `tests/promqltest`.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Bucket, BucketColumns, Category, Column, ErrorKind, Labels, Sample, Segment, SeriesData, Tier, Timestamp, Widths, stale_marker};
use crate::store::{Coverage, Selection, StoreError};
use crate::task::Deadline;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

struct Memory(Vec<SeriesData>);

impl Source for Memory {
    fn select(&self, selection: &Selection, _: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        let mut out = Vec::new();
        for data in self.0.iter().filter(|d| selection.matchers.iter().all(|m| m.accepts_labels(&d.labels))) {
            let wanted = |s: &&Segment| selection.tier.is_none_or(|tier| tier == s.tier());
            let segments: Vec<Segment> = data.segments.iter().filter(wanted).filter_map(|s| cut(s, selection)).collect();
            if !segments.is_empty() {
                out.push(SeriesData { labels: data.labels.clone(), segments, histograms: Vec::new() });
            }
        }
        Ok(out)
    }

    fn coverage(&self) -> Coverage {
        let rolled = self.0.iter().any(|d| d.segments.iter().any(|s| s.tier() != Tier::Raw));
        let raw = if rolled { Timestamp::MAX } else { Timestamp::MIN };
        Coverage { raw, aggregated: raw, summary: Timestamp::MIN, widths: Widths { aggregated: Duration::from_secs(60), summary: Duration::from_secs(3600) } }
    }
}

fn cut(segment: &Segment, selection: &Selection) -> Option<Segment> {
    match segment {
        Segment::Raw(column) => {
            let mut out = Column::default();
            column.t.iter().zip(&column.v).filter(|(t, _)| selection.range.contains(Timestamp(**t))).for_each(|(t, v)| out.push(*t, *v));
            (!out.is_empty()).then_some(Segment::Raw(out))
        }
        Segment::Rolled { tier, width, buckets } => {
            let overlaps = |b: &Bucket| selection.range.overlaps(crate::model::TimeRange::new(b.end - *width, b.end));
            let buckets: BucketColumns = buckets.iter().filter(overlaps).collect();
            (!buckets.is_empty()).then_some(Segment::Rolled { tier: *tier, width: *width, buckets })
        }
    }
}

fn raw(name: &str, samples: &[(i64, f64)]) -> SeriesData {
    let mut column = Column::default();
    samples.iter().for_each(|(t, v)| column.push(*t, *v));
    SeriesData { labels: Labels::from_pairs([("__name__", name), ("host", "a")]).unwrap(), segments: vec![Segment::Raw(column)], histograms: Vec::new() }
}

/// Everything up to `until` in buckets, the rest raw.
fn rolled(name: &str, samples: &[(i64, f64)], width: i64, tier: Tier, until: i64) -> SeriesData {
    let mut buckets = BucketColumns::default();
    let old: Vec<(i64, f64)> = samples.iter().copied().filter(|(t, _)| *t <= until).collect();
    let step = Duration::from_millis(width as u64);
    for chunk in old.chunk_by(|a, b| Timestamp(a.0).cell_end(step) == Timestamp(b.0).cell_end(step)) {
        let end = Timestamp(chunk[0].0).cell_end(step);
        buckets.push(&Bucket::of(end, chunk.iter().map(|&(t, v)| Sample { t: Timestamp(t), v })).unwrap());
    }
    let young: Vec<(i64, f64)> = samples.iter().copied().filter(|(t, _)| *t > until).collect();
    let mut data = raw(name, &young);
    data.segments.retain(|s| s.rows() > 0);
    if !buckets.is_empty() {
        data.segments.insert(0, Segment::Rolled { tier, width: step, buckets });
    }
    data
}

fn engine(series: Vec<SeriesData>) -> Engine {
    Engine::new(Arc::new(Memory(series)), Options::default())
}

fn vector(engine: &Engine, expr: &str, at: i64) -> (Vec<Series>, Vec<String>) {
    let answer = engine.instant(expr, Timestamp(at), &Deadline::never()).unwrap();
    let Value::Vector(series) = answer.value else { panic!("{expr} gives no vector") };
    (series, answer.infos)
}

fn one(engine: &Engine, expr: &str, at: i64) -> Option<f64> {
    vector(engine, expr, at).0.first().map(|s| s.points[0].1)
}

const BY_BUCKET: [&str; 12] = [
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

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn whole_buckets_answer_as_raw_samples_do(
        gaps in prop::collection::vec((1i64..90_000, 0u32..1000, 0u8..12), 2..150),
        windows in 1i64..6,
        split in 0i64..100,
    ) {
        let (mut t, mut v) = (0, 5.0);
        let mut samples = Vec::new();
        for (gap, by, reset) in gaps {
            t += gap;
            v = if reset == 0 { f64::from(by) / 100.0 } else { v + f64::from(by) / 10.0 };
            samples.push((t, v));
        }
        let plain = engine(vec![raw("x", &samples)]);
        let end = Timestamp(t).cell_end(Duration::from_secs(60)).0;
        for until in [end, end * split / 100 / MINUTE * MINUTE] {
            let tiered = engine(vec![rolled("x", &samples, MINUTE, Tier::Aggregated, until)]);
            for function in BY_BUCKET {
                let expr = format!("{function}(x[{windows}m])");
                let mut at = MINUTE;
                while at <= end {
                    let (want, got) = (one(&plain, &expr, at), one(&tiered, &expr, at));
                    prop_assert!(close(want, got), "{expr} at {at}: raw {want:?}, buckets {got:?}");
                    at += MINUTE;
                }
            }
        }
    }
}

#[test]
fn a_window_within_a_bucket_gets_its_share() {
    let samples: Vec<(i64, f64)> = (1..=240).map(|i| (i * 15_000, i as f64 * 15.0)).collect();
    let e = engine(vec![rolled("x", &samples, HOUR, Tier::Summary, HOUR)]);
    let (series, infos) = vector(&e, "increase(x[5m])", 30 * MINUTE);
    assert!((series[0].points[0].1 - 300.0).abs() < 5.0, "{series:?}");
    assert_eq!(series[0].tier, Some(Tier::Summary));
    assert!(infos.iter().any(|i| i.contains("approximated from summary")), "{infos:?}");
    assert!((one(&e, "rate(x[5m])", 30 * MINUTE).unwrap() - 1.0).abs() < 0.01);
    assert_eq!(one(&e, "max_over_time(x[5m])", 30 * MINUTE), Some(3600.0));
}

#[test]
fn functions_without_columns_see_the_last_of_each_bucket_and_say_so() {
    let samples: Vec<(i64, f64)> = (1..=40).map(|i| (i * 15_000, i as f64)).collect();
    let e = engine(vec![rolled("x", &samples, MINUTE, Tier::Aggregated, HOUR)]);
    let (series, infos) = vector(&e, "quantile_over_time(1, x[3m])", 10 * MINUTE);
    assert_eq!(series[0].points[0].1, 40.0);
    assert_eq!(infos, ["quantile_over_time(): approximated from aggregated"]);
}

#[test]
fn buckets_carry_on_for_two_widths_unless_the_series_ended() {
    let alive = rolled("x", &[(10 * MINUTE, 7.0)], HOUR, Tier::Summary, 2 * HOUR);
    let ended = rolled("y", &[(10 * MINUTE, 7.0), (11 * MINUTE, stale_marker())], HOUR, Tier::Summary, 2 * HOUR);
    let e = engine(vec![alive, ended]);
    assert_eq!(one(&e, "x", 9 * MINUTE), None);
    assert_eq!(one(&e, "x", 2 * HOUR), Some(7.0));
    assert_eq!(one(&e, "x", 2 * HOUR + 10 * MINUTE), None);
    assert_eq!(one(&e, "y", 10 * MINUTE), Some(7.0));
    assert_eq!(one(&e, "y", HOUR + 1), None);
}

#[test]
fn the_tier_is_named_where_it_is_one() {
    let samples: Vec<(i64, f64)> = (1..=40).map(|i| (i * 15_000, i as f64)).collect();
    let e = engine(vec![rolled("x", &samples, MINUTE, Tier::Aggregated, 5 * MINUTE)]);
    assert_eq!(vector(&e, "sum(sum_over_time(x[10m]))", 10 * MINUTE).0[0].tier, None);
    assert_eq!(vector(&e, "sum(sum_over_time(x[2m]))", 10 * MINUTE).0[0].tier, Some(Tier::Raw));
    assert_eq!(vector(&e, "vector(1)", 0).0[0].tier, None);
}

#[test]
fn requests_out_of_bounds_are_refused() {
    let e = engine(vec![raw("x", &[(1, 1.0), (2, 2.0)])]);
    let range = |start, end, step| e.range("x", Timestamp(start), Timestamp(end), Duration::from_millis(step), &Deadline::never());
    assert_eq!(range(10, 0, 1).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(range(0, 10, 0).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(range(0, 11_000, 1).is_ok());
    let error = range(0, 11_001, 1).unwrap_err();
    assert_eq!(error.to_string(), "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
    let small = Engine::new(Arc::new(Memory(vec![raw("x", &[(1, 1.0), (2, 2.0)])])), Options { max_samples: 1, ..Options::default() });
    let error = small.instant("x", Timestamp(2), &Deadline::never()).unwrap_err();
    assert!(matches!(&error, QueryError::Execution(text) if text.contains("query.max_samples")), "{error}");
    let deadline = Deadline::never();
    deadline.cancel();
    assert!(matches!(e.instant("x", Timestamp(2), &deadline), Err(QueryError::Canceled)));
}

struct Book;
impl Names for Book {
    fn of_category(&self, category: Category) -> Vec<String> {
        if category == Category::System { vec!["x".to_owned(), "y".to_owned()] } else { Vec::new() }
    }
    fn is_histogram(&self, name: &str) -> bool {
        name == "h"
    }
}

fn ask(metrics: &[&str], aggregation: Option<Aggregation>, group_by: Option<&[&str]>) -> MetricsQuery {
    MetricsQuery {
        metrics: metrics.iter().map(|s| (*s).to_owned()).collect(),
        matchers: Vec::new(),
        category: None,
        start: Timestamp(0),
        end: Timestamp(10 * MINUTE),
        step: Some(Duration::from_secs(60)),
        aggregation,
        group_by: group_by.map(|g| g.iter().map(|s| (*s).to_owned()).collect()),
        tier: None,
        limit: None,
    }
}

#[test]
fn the_shorthand_sums_up_over_time_or_over_series() {
    let samples: Vec<(i64, f64)> = (1..=40).map(|i| (i * 15_000, i as f64)).collect();
    let e = engine(vec![raw("x", &samples), raw("y", &samples)]);
    let deadline = Deadline::never();
    let answer = e.metrics(&ask(&["x", "y"], Some(Aggregation::Avg), None), &Book, &deadline).unwrap();
    assert_eq!(answer.series.len(), 2);
    assert_eq!(answer.series[0].labels.metric_name(), "x");
    assert_eq!(answer.series[0].points[0], (Timestamp(MINUTE), 2.5));
    let answer = e.metrics(&ask(&["x", "y"], Some(Aggregation::Sum), Some(&[])), &Book, &deadline).unwrap();
    assert_eq!((answer.series.len(), answer.series[0].points[0]), (1, (Timestamp(MINUTE), 8.0)));
    let limited = MetricsQuery { limit: Some(1), category: Some(Category::System), ..ask(&[], None, None) };
    let answer = e.metrics(&limited, &Book, &deadline).unwrap();
    assert_eq!((answer.series.len(), answer.truncated), (1, true));
    assert!(e.metrics(&ask(&["nothing"], None, None), &Book, &deadline).unwrap().series.is_empty());
    assert!(matches!(e.metrics(&ask(&["x"], Some(Aggregation::Last), Some(&[])), &Book, &deadline), Err(QueryError::Bad(_))));
}

#[test]
fn the_shorthand_takes_quantiles_of_histograms_from_their_buckets() {
    let mut series = Vec::new();
    for (le, by) in [("0.1", 1.0), ("0.2", 2.0), ("+Inf", 2.0)] {
        let samples: Vec<(i64, f64)> = (1..=40).map(|i| (i * 15_000, i as f64 * by)).collect();
        let mut data = raw("h_bucket", &samples);
        data.labels = data.labels.to_builder().set("le", le).build();
        series.push(data);
    }
    let e = engine(series);
    for group_by in [None, Some(&["host"][..])] {
        let answer = e.metrics(&ask(&["h"], Some(Aggregation::P90), group_by), &Book, &Deadline::never()).unwrap();
        assert_eq!(answer.series.len(), 1);
        let (_, v) = answer.series[0].points[3];
        assert!((v - 0.18).abs() < 1e-9, "{v}");
    }
}

#[test]
fn a_range_selector_by_itself_gives_its_samples() {
    let e = engine(vec![raw("x", &[(MINUTE, 1.0), (2 * MINUTE, 2.0), (3 * MINUTE, stale_marker())])]);
    let answer = e.instant("x[2m]", Timestamp(3 * MINUTE), &Deadline::never()).unwrap();
    let Value::Matrix(series) = answer.value else { panic!("no matrix") };
    assert_eq!(series[0].points, [(Timestamp(2 * MINUTE), 2.0)]);
}

#[test]
fn times_at_the_ends_of_the_calendar_do_no_harm() {
    let e = engine(vec![raw("x", &[(1, 1.0), (2, 2.0)])]);
    for at in [i64::MIN, i64::MAX] {
        for expr in ["x", "rate(x[5m])", "predict_linear(x[5m] @ 0.002, 1)", "x offset 100y", "x offset -100y", "year()", "timestamp(x)"] {
            let _ = e.instant(expr, Timestamp(at), &Deadline::never());
        }
    }
    let error = e.instant("max_over_time(x[200y:1ms])", Timestamp(0), &Deadline::never()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unprocessable);
}
