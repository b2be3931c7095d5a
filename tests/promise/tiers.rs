//! Rolled up is not made up: over whole buckets, `avg sum min max count increase` from a coarser
//! tier are what the raw samples give. Guards against buckets on the wrong edge, resets lost in a
//! rollup, overlap counted twice, and raw data that goes before its rollup stands.

use serde_json::{Value, json};

use crate::harness::{Client, HOUR_MS, MINUTE_MS, Pushed, Setup, now_ms};

const STEP_MS: i64 = 15_000;
const HOURS: i64 = 6;

/// Six hours of a gauge and of a counter that begins again at zero now and then, from the sample
/// after the full hour `start`.
struct Workload {
    start: i64,
    gauge: Vec<(i64, f64)>,
    counter: Vec<(i64, f64)>,
}

impl Workload {
    fn ago(age_ms: i64) -> Self {
        let start = (now_ms() - age_ms) / HOUR_MS * HOUR_MS;
        let times = || (1..=HOURS * HOUR_MS / STEP_MS).map(move |n| (n, start + n * STEP_MS));
        let gauge = times().map(|(n, at)| (at, ((n * 7919) % 1000) as f64)).collect();
        // A reset every 301 samples: in the middle of buckets and of hours.
        let counter = times().map(|(n, at)| (at, ((n % 301) * 3 + 1) as f64)).collect();
        Self { start, gauge, counter }
    }

    fn push(&self, client: &Client) {
        for hour in 0..HOURS {
            let of_hour = |samples: &[(i64, f64)]| -> Vec<(i64, f64)> { within(samples, self.start + hour * HOUR_MS, self.start + (hour + 1) * HOUR_MS) };
            client
                .push(&[Pushed::new("tier_gauge", &[("job", "t")], of_hour(&self.gauge)), Pushed::new("tier_total", &[("job", "t")], of_hour(&self.counter))]);
        }
    }

    fn hours(&self) -> impl Iterator<Item = i64> {
        let start = self.start;
        (1..=HOURS).map(move |hour| start + hour * HOUR_MS)
    }
}

/// The samples of a left-open range.
fn within(samples: &[(i64, f64)], after: i64, through: i64) -> Vec<(i64, f64)> {
    samples.iter().copied().filter(|(at, _)| *at > after && *at <= through).collect()
}

/// One function of PromQL, computed from the samples as its documentation says.
fn computed(function: &str, samples: &[(i64, f64)], range: (i64, i64)) -> f64 {
    let inside = within(samples, range.0, range.1);
    let values = || inside.iter().map(|(_, value)| *value);
    match function {
        "count_over_time" => inside.len() as f64,
        "sum_over_time" => values().sum(),
        "avg_over_time" => values().sum::<f64>() / inside.len() as f64,
        "min_over_time" => values().fold(f64::INFINITY, f64::min),
        "max_over_time" => values().fold(f64::NEG_INFINITY, f64::max),
        "last_over_time" => inside[inside.len() - 1].1,
        "resets" => inside.windows(2).filter(|pair| pair[1].1 < pair[0].1).count() as f64,
        "increase" => increase(&inside, range),
        other => panic!("no computation for {other}"),
    }
}

/// Prometheus' extrapolated increase of a counter.
fn increase(inside: &[(i64, f64)], (after, through): (i64, i64)) -> f64 {
    let (first, last) = (inside[0], inside[inside.len() - 1]);
    let lost: f64 = inside.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[0].1).sum();
    let raised = last.1 - first.1 + lost;
    let covered = (last.0 - first.0) as f64;
    let apart = covered / (inside.len() - 1) as f64;
    let close = |gap: f64| if gap >= apart * 1.1 { apart / 2.0 } else { gap };
    let mut before = close((first.0 - after) as f64);
    if raised > 0.0 && first.1 >= 0.0 {
        before = before.min(covered * first.1 / raised);
    }
    raised * (covered + before + close((through - last.0) as f64)) / covered
}

const OF_GAUGES: [&str; 6] = ["count_over_time", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "last_over_time"];
const OF_COUNTERS: [&str; 3] = ["increase", "resets", "count_over_time"];

fn assert_answers_are_those_of_the_samples(client: &Client, load: &Workload) {
    let gauge = OF_GAUGES.map(|function| (function, "tier_gauge", &load.gauge));
    let counter = OF_COUNTERS.map(|function| (function, "tier_total", &load.counter));
    for (function, name, samples) in gauge.into_iter().chain(counter) {
        let expr = format!("{function}({name}[1h])");
        let found = client.range(&expr, load.start + HOUR_MS, load.start + HOURS * HOUR_MS, HOUR_MS);
        let expected: Vec<(i64, f64)> = load.hours().map(|at| (at, computed(function, samples, (at - HOUR_MS, at)))).collect();
        assert_eq!(found.len(), expected.len(), "{expr}: {found:?}");
        for (one, other) in found.iter().zip(&expected) {
            assert_eq!(one.0, other.0, "{expr}: times");
            assert!((one.1 - other.1).abs() <= 1e-9 * other.1.abs().max(1.0), "{expr} at {}: {} where the samples give {}", one.0, one.1, other.1);
        }
    }
}

/// The shorthand of the API says which tier answered.
fn answering_tier(client: &Client, load: &Workload) -> (String, Vec<f64>) {
    let request = json!({"metrics": ["tier_gauge"], "start": load.start + HOUR_MS, "end": load.start + HOURS * HOUR_MS, "step": "1h", "aggregation": "sum"});
    let answer = client.post("metrics/query", &request).expect(200);
    let series = &answer["series"][0];
    let points = series["points"].as_array().unwrap_or_else(|| panic!("points: {answer}"));
    (series["tier"].as_str().expect("a tier").to_owned(), points.iter().map(|point| point[1].as_f64().expect("a number")).collect())
}

fn assert_tier(client: &Client, load: &Workload, tier: &str) {
    assert_answers_are_those_of_the_samples(client, load);
    let (answered, sums) = answering_tier(client, load);
    assert_eq!(answered, tier);
    let expected: Vec<f64> = load.hours().map(|at| computed("sum_over_time", &load.gauge, (at - HOUR_MS, at))).collect();
    assert_eq!(sums, expected);
}

fn rows(client: &Client, tier: &str) -> Value {
    client.api("metrics/stats")["tiers"][tier].clone()
}

#[test]
fn raw_samples_give_the_computed_answers() {
    let daemon = Setup::quiet().start();
    let load = Workload::ago(12 * HOUR_MS);
    load.push(daemon.client());
    assert_tier(daemon.client(), &load, "raw");
    daemon.client().settle();
    assert_tier(daemon.client(), &load, "raw");
}

#[test]
fn the_aggregated_tier_gives_the_same_answers_when_raw_is_gone() {
    let setup = Setup::quiet().set("retention.raw=1h").set("retention.aggregated=30d").set("retention.summary=off");
    let daemon = setup.start();
    let load = Workload::ago(12 * HOUR_MS);
    load.push(daemon.client());
    daemon.client().settle();
    assert_tier(daemon.client(), &load, "aggregated");

    let raw = rows(daemon.client(), "raw");
    assert!(raw["oldest"].is_null() || raw["oldest"].as_i64() > Some(now_ms() - 3 * HOUR_MS), "raw is gone: {raw}");
    let aggregated = rows(daemon.client(), "aggregated");
    let buckets = 2 * HOURS * HOUR_MS / MINUTE_MS;
    assert!(aggregated["samples"].as_i64() >= Some(buckets), "a bucket a minute and series: {aggregated}");

    daemon.stop();
    let daemon = setup.start();
    assert_tier(daemon.client(), &load, "aggregated");
    // The same samples again change nothing: their raw window is gone, their buckets hold them.
    daemon.kill();
    let daemon = setup.start();
    assert_tier(daemon.client(), &load, "aggregated");
}

#[test]
fn the_summary_tier_gives_the_same_answers_when_aggregated_is_gone() {
    let setup = Setup::quiet().set("retention.raw=1h").set("retention.aggregated=1d").set("retention.summary=60d");
    let daemon = setup.start();
    let load = Workload::ago(5 * 24 * HOUR_MS);
    load.push(daemon.client());
    daemon.client().settle();
    assert_tier(daemon.client(), &load, "summary");
    let summary = rows(daemon.client(), "summary");
    assert!(summary["samples"].as_i64() >= Some(2 * HOURS), "a bucket an hour and series: {summary}");
    daemon.stop();
    let daemon = setup.start();
    assert_tier(daemon.client(), &load, "summary");
}

#[test]
fn a_range_across_tiers_counts_every_sample_once() {
    let daemon = Setup::quiet().set("retention.raw=2h").set("retention.aggregated=30d").start();
    let end = now_ms() / MINUTE_MS * MINUTE_MS - MINUTE_MS;
    let count = 8 * HOUR_MS / STEP_MS;
    let samples: Vec<(i64, f64)> = (1..=count).map(|n| (end - 8 * HOUR_MS + n * STEP_MS, 1.0)).collect();
    for part in samples.chunks(400) {
        daemon.client().push(&[Pushed::new("across", &[], part.to_vec())]);
    }
    let counted = || daemon.client().value("sum_over_time(across[8h])", end);
    assert_eq!(counted(), Some(count as f64));
    daemon.client().settle();
    assert_eq!(counted(), Some(count as f64));
}

#[test]
fn a_range_shorter_than_a_bucket_is_answered_from_its_bucket() {
    let daemon = Setup::quiet().set("retention.raw=1h").set("retention.aggregated=1d").set("retention.summary=60d").start();
    let load = Workload::ago(5 * 24 * HOUR_MS);
    load.push(daemon.client());
    daemon.client().settle();
    let found = daemon.client().range("rate(tier_total[5m])", load.start + HOUR_MS, load.start + 5 * HOUR_MS, HOUR_MS);
    assert_eq!(found.len(), 5, "no empty chart: {found:?}");
    for (_, rate) in found {
        // The counter rises by 3 every 15 s.
        assert!((0.15..0.25).contains(&rate), "scaled from the bucket: {rate}");
    }
}
