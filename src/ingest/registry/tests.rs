//! Pure parts first; then the registry and the intake over a store in memory.

use super::super::limits::tests::options;
use super::*;
use crate::clock::ManualClock;
use crate::ingest::{Board, Intake};
use crate::model::{Batch, METRIC_NAME, Origin, Sample, Timestamp};
use crate::store::{self, Opened, Place};
use crate::telemetry::{Component, Health, HealthBoard, OwnMetrics};

const NOW: Timestamp = Timestamp(1_764_000_000_000);

fn metric(name: &str, kind: MetricType) -> CustomMetric {
    CustomMetric { name: name.into(), kind, unit: String::new(), help: String::new(), category: Category::Custom, labels: Vec::new(), buckets: Vec::new() }
}

#[test]
fn a_malformed_definition_is_refused_by_field() {
    let base = || metric("a", MetricType::Gauge);
    for (field, bad) in [
        ("name", CustomMetric { name: "9a".into(), ..base() }),
        ("name", CustomMetric { name: "__a".into(), ..base() }),
        ("type", metric("a", MetricType::Unknown)),
        ("labels", CustomMetric { labels: vec!["le".into()], ..base() }),
        ("labels", CustomMetric { labels: vec!["__x".into()], ..base() }),
        ("labels", CustomMetric { labels: vec!["x".into(), "x".into()], ..base() }),
        ("labels", CustomMetric { labels: vec!["a-b".into()], ..base() }),
        ("buckets", CustomMetric { buckets: vec![1.0], ..base() }),
        ("buckets", CustomMetric { buckets: vec![2.0, 1.0], ..metric("a", MetricType::Histogram) }),
    ] {
        match checked(bad.clone(), &options()) {
            Err(IngestError::Invalid { field: Some(found), .. }) => assert_eq!(found, field, "{bad:?}"),
            other => panic!("{bad:?}: {other:?}"),
        }
    }
    assert_eq!(checked(metric("a", MetricType::Histogram), &options()).unwrap().buckets, DEFAULT_BUCKETS);
    assert!(matches!(checked(metric("up", MetricType::Gauge), &options()), Err(IngestError::Conflict(_))));
}

#[test]
fn no_two_metrics_share_the_name_of_a_sample() {
    let mut state = State::default();
    state.custom.insert("took".into(), metric("took", MetricType::Histogram));
    state.learned.insert("node_load1".into(), MetricMeta { category: Category::System, ..MetricMeta::default() });
    for name in ["took_bucket", "took_sum", "node_load1", "session_duration_seconds_count"] {
        assert!(free_names(&metric(name, MetricType::Gauge), &state).is_err(), "{name}");
    }
    assert!(free_names(&metric("took_buckets", MetricType::Gauge), &state).is_ok());
}

#[test]
fn samples_of_a_histogram_are_traced_back_to_their_family() {
    let exact = |name: &str| {
        let kind = match name {
            "h" => MetricType::Histogram,
            "s" => MetricType::Summary,
            "g" | "g_sum" => MetricType::Gauge,
            _ => return None,
        };
        Some(MetricMeta { kind, ..MetricMeta::default() })
    };
    let kind = |name: &str| family_meta(name, exact).map(|m| m.kind);
    assert_eq!(kind("h_bucket"), Some(MetricType::Histogram));
    assert_eq!(kind("s_count"), Some(MetricType::Summary));
    assert_eq!((kind("s_bucket"), kind("g_count"), kind("g_sum")), (None, None, Some(MetricType::Gauge)));
}

#[test]
fn metadata_that_says_less_takes_nothing_away() {
    let old = MetricMeta { kind: MetricType::Gauge, unit: "bytes".into(), help: "H.".into(), category: Category::System };
    assert_eq!(merge(&old, &MetricMeta::default()), old);
}

struct House {
    registry: Registry,
    intake: Intake,
    board: Board,
    health: HealthBoard,
    own: OwnMetrics,
}

fn house() -> House {
    let clock = ManualClock::at(NOW);
    let options = options();
    let opened: Opened = store::open(store::Options { raw: options.longest, ..store::Options::of(Place::Memory) }, clock.clone()).unwrap();
    let (own, health, board) = (OwnMetrics::new().unwrap(), HealthBoard::default(), Board::new());
    let registry = Registry::open(opened.catalog, opened.reader, options.clone(), clock.clone()).unwrap();
    let intake = Intake::start(opened.writer, options, clock, own.clone(), health.clone(), board.clone()).unwrap();
    House { registry, intake, board, health, own }
}

fn recording(name: &str, value: Option<f64>, increment: Option<f64>) -> Recording {
    Recording { name: name.into(), value, increment, labels: BTreeMap::new(), timestamp: None }
}

#[tokio::test]
async fn increments_at_the_same_time_are_all_kept() {
    let house = house();
    house.registry.register(metric("orders_total", MetricType::Counter)).unwrap();
    let one = || house.registry.record(&house.intake, vec![recording("orders_total", None, Some(1.0))]);
    let reports = futures_util::future::join_all((0..50).map(|_| one())).await;
    assert!(reports.into_iter().all(|r| r.unwrap().accepted == 1));
    let shown = house.board.newer_than(Timestamp(0));
    assert_eq!(shown.iter().map(|(l, s)| (l.metric_name(), s.v)).collect::<Vec<_>>(), [("orders_total", 50.0)]);
}

#[tokio::test]
async fn a_mixed_request_keeps_the_good_and_lists_the_bad() {
    let house = house();
    let list = vec![
        recording("nobody_knows", Some(1.0), None),
        recording("revenue_total", None, Some(5.0)),
        recording("rag_search_accuracy_ratio", Some(0.5), None),
        recording("revenue_per_user", Some(f64::NAN), None),
    ];
    let report = house.registry.record(&house.intake, list).await.unwrap();
    assert_eq!((report.accepted, report.rejected.iter().map(|r| r.index).collect::<Vec<_>>()), (1, vec![0, 2, 3]));
    assert!(report.rejected[0].reason.contains("register"));
    assert!(report.rejected[1].reason.contains("rag_performance"));
}

#[tokio::test]
async fn each_who_records_at_the_same_time_hears_of_its_own() {
    let house = house();
    let calls = (0..20).map(|i| {
        let odd = recording(if i % 2 == 0 { "revenue_total" } else { "nobody_knows" }, Some(1.0), None);
        house.registry.record(&house.intake, vec![recording("revenue_per_user", Some(1.0), None), odd])
    });
    for (i, report) in futures_util::future::join_all(calls).await.into_iter().enumerate() {
        let report = report.unwrap();
        let refused: Vec<usize> = report.rejected.iter().map(|r| r.index).collect();
        assert_eq!((report.accepted, refused), if i % 2 == 0 { (2, vec![]) } else { (1, vec![1]) });
    }
    house.intake.close().await.unwrap();
    let late = house.registry.record(&house.intake, vec![recording("revenue_per_user", Some(1.0), None)]).await;
    assert!(matches!(late, Err(IngestError::Stopped)));
}

#[tokio::test]
async fn registering_twice_is_the_same_and_differently_a_conflict() {
    let house = house();
    assert_eq!(house.registry.register(metric("a", MetricType::Gauge)).unwrap(), Registered::New);
    assert_eq!(house.registry.register(metric("a", MetricType::Gauge)).unwrap(), Registered::Same);
    assert!(matches!(house.registry.register(metric("a", MetricType::Counter)), Err(IngestError::Conflict(_))));
    assert!(house.registry.list().iter().any(|m| m.name == "a") && house.registry.meta("a").is_some());
}

#[tokio::test]
async fn what_is_submitted_is_counted_and_positions_are_the_requests() {
    let house = house();
    let labels = Labels::from_pairs([(METRIC_NAME, "a")]).unwrap();
    let mut batch = Batch::new(Origin::Pushed);
    batch.push(&labels, Sample { t: Timestamp(NOW.0 + 86_400_000), v: 1.0 });
    batch.push(&labels, Sample { t: NOW, v: 1.0 });
    let report = house.intake.submit(batch).await.unwrap();
    assert_eq!((report.accepted, report.rejected.len(), report.rejected[0].index), (1, 1, 0));
    assert_eq!(house.own.samples_accepted.with_label_values(&["pushed"]).get(), 1);
    assert_eq!(house.own.samples_rejected.with_label_values(&["future"]).get(), 1);
    assert_eq!(house.health.overall().components[&Component::Journal].health, Health::Healthy);
    house.intake.close().await.unwrap();
    let mut late = Batch::new(Origin::Pushed);
    late.push(&labels, Sample { t: NOW, v: 2.0 });
    assert!(matches!(house.intake.submit(late).await, Err(IngestError::Stopped)));
}
