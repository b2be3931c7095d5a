//! What the numbers mean is told with its uncertainty, and is never made up. Guards against a trend
//! without data, an error where there is merely little, and findings about what nobody measured.

use serde_json::Value;

use super::harness::{Client, MINUTE_MS, Pushed, Setup, now_ms};

const SECOND_MS: i64 = 1000;

/// `n` samples up to now, `every_ms` apart, of a value by its number.
fn samples(now: i64, n: i64, every_ms: i64, value: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    (0..n).map(|i| (now - (n - 1 - i) * every_ms, value(i))).collect()
}

/// Noise from -1 to 1 that is the same at every run.
fn noise(i: i64) -> f64 {
    let mixed = (i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn trends(client: &Client, parameters: &str) -> Value {
    client.api(&format!("analysis/trends?{parameters}"))
}

fn findings(report: &Value) -> Vec<Value> {
    report["findings"].as_array().expect("findings is a list").clone()
}

#[test]
fn a_rising_series_has_its_slope_within_the_interval_and_a_widening_forecast() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    // Two a second, with noise of ten to either side.
    client.push(&[Pushed::new("upload_bytes", &[("host", "a")], samples(now, 360, 10 * SECOND_MS, |i| 500.0 + 20.0 * i as f64 + 10.0 * noise(i)))]);
    let answer = trends(client, "query=upload_bytes&range=1h&horizon=30m");
    let series = &answer["series"][0];
    assert_eq!((&series["metric"]["__name__"], &series["metric"]["host"], &series["direction"]), (&"upload_bytes".into(), &"a".into(), &"up".into()));
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("a number: {value}"));
    let (slope, low, high) = (number(&series["slope_per_second"]), number(&series["slope_interval"][0]), number(&series["slope_interval"][1]));
    assert!((slope - 2.0).abs() < 0.01 && low < 2.0 && 2.0 < high && high - low < 0.1, "{slope} in {low} to {high}");
    for unknown in ["seasonality", "change_points"] {
        assert_eq!(series[unknown], Value::Null, "{unknown} is not known yet");
    }
    let forecast = &series["forecast"];
    assert_eq!((&forecast["backtest"], forecast["method"].is_string()), (&Value::Null, true));
    let last = forecast["points"].as_array().unwrap().last().unwrap();
    let ahead = (last[0].as_i64().unwrap() - now) as f64 / 1000.0;
    assert!((ahead - 1800.0).abs() < 20.0, "the horizon is reached: {ahead}");
    assert!((number(&last[1]) - (500.0 + 2.0 * (3590.0 + ahead))).abs() < 60.0, "the line goes on: {last}");
    let width = |level: usize, first: bool| {
        let points = forecast["intervals"][level]["points"].as_array().unwrap();
        let point = if first { points.first() } else { points.last() }.unwrap();
        number(&point[2]) - number(&point[1])
    };
    assert_eq!((&forecast["intervals"][0]["level"], &forecast["intervals"][1]["level"]), (&80.into(), &95.into()));
    assert!(width(1, false) > width(1, true) && width(1, true) > width(0, true), "{forecast}");
}

#[test]
fn noise_is_flat_and_a_falling_counter_rate_is_down() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    client.push(&[
        Pushed::new("steady", &[], samples(now, 360, 10 * SECOND_MS, |i| 40.0 + 5.0 * noise(i))),
        Pushed::new("jobs_total", &[], samples(now, 360, 10 * SECOND_MS, |i| 1000.0 * i as f64 - (i * i) as f64)),
    ]);
    let steady = trends(client, "query=steady&range=1h");
    assert_eq!(steady["series"][0]["direction"], "flat", "{}", steady["series"][0]["slope_interval"]);
    let rate = trends(client, "query=rate(jobs_total%5B2m%5D)&range=50m");
    assert_eq!(rate["series"][0]["direction"], "down", "{}", rate["series"][0]["slope_interval"]);
}

#[test]
fn a_range_of_three_months_is_answered_from_what_there_is() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    // Sixty days, a value every two hours: most of it is older than raw samples are kept.
    client.push(&[Pushed::new("archive_bytes", &[], samples(now, 720, 120 * MINUTE_MS, |i| 1e9 + 7200.0 * i as f64 * 3.0))]);
    client.settle();
    let answer = trends(client, "query=archive_bytes&range=90d&horizon=30d");
    let slope = answer["series"][0]["slope_per_second"].as_f64().expect("a trend over all tiers");
    assert!((slope - 3.0).abs() < 0.1, "{slope}");
}

#[test]
fn too_little_data_is_an_answer_with_nulls_and_a_reason() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    client.push(&[Pushed::new("rare", &[], samples(now, 3, MINUTE_MS, |i| i as f64))]);
    let answer = trends(client, "query=rare&range=1h&horizon=1h");
    let series = &answer["series"][0];
    for field in ["direction", "slope_per_second", "slope_interval", "forecast"] {
        assert_eq!(series[field], Value::Null, "{field}");
    }
    assert!(series["reason"].as_str().is_some_and(|reason| reason.contains("too little data")), "{series}");
    let nothing = trends(client, "query=never_seen");
    assert_eq!(nothing["series"], Value::Array(Vec::new()));
    assert!(nothing["reason"].is_string(), "{nothing}");
}

#[test]
fn what_cannot_be_read_is_400_and_names_its_field() {
    let daemon = Setup::quiet().start();
    for (parameters, field) in [
        ("", "query"),
        ("query=", "query"),
        ("query=sum(", "query"),
        ("query=up%5B5m%5D", "query"),
        ("query=up&range=yesterday", "range"),
        ("query=up&range=0s", "range"),
        ("query=up&horizon=-1h", "horizon"),
        ("query=up&horizon=99y", "horizon"),
    ] {
        let answer = daemon.client().get(&format!("/api/v1/monitoring/analysis/trends?{parameters}"));
        answer.expect_error(400);
        assert_eq!(answer.json()["error"]["field"], field, "{parameters}: {}", answer.text);
    }
    let answer = daemon.client().get("/api/v1/monitoring/analysis/performance?range=nonsense");
    answer.expect_error(400);
    assert_eq!(answer.json()["error"]["field"], "range");
}

#[test]
fn a_saturated_machine_is_found_with_evidence_and_a_query_that_gives_the_number_again() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    let box_ = ("instance", "box");
    let every = 15 * SECOND_MS;
    client.push(&[
        Pushed::new("node_cpu_seconds_total", &[box_, ("cpu", "0"), ("mode", "idle")], samples(now, 80, every, |i| 0.15 * i as f64)),
        Pushed::new("node_cpu_seconds_total", &[box_, ("cpu", "0"), ("mode", "user")], samples(now, 80, every, |i| 14.85 * i as f64)),
        Pushed::new("node_pressure_cpu_waiting_seconds_total", &[box_], samples(now, 80, every, |i| 9.0 * i as f64)),
        Pushed::new("node_memory_MemAvailable_bytes", &[box_], samples(now, 80, every, |_| 6e9)),
        Pushed::new("node_memory_MemTotal_bytes", &[box_], samples(now, 80, every, |_| 8e9)),
    ]);
    let report = client.api("analysis/performance?range=15m");
    let found = findings(&report);
    assert_eq!(found.len(), 1, "{report}");
    let (finding, text) = (&found[0], |field: &str| found[0][field].as_str().unwrap_or_default().to_owned());
    assert_eq!((text("severity").as_str(), text("title").as_str()), ("critical", "The processor is saturated on box"));
    assert!(
        text("evidence").contains("99 %") && text("evidence").contains("15m") && text("evidence").contains("60 %") && !text("recommendation").is_empty(),
        "{finding}"
    );
    let again = client.value(&text("query"), now).expect("the query gives the number again");
    assert!((again - 99.0).abs() < 0.5, "{again}");
    assert_eq!(report["score"], 75);
}

#[test]
fn nothing_is_found_where_nothing_is_measured_or_all_is_well() {
    let daemon = Setup::quiet().start();
    let (client, now) = (daemon.client(), now_ms());
    let nothing = client.api("analysis/performance");
    assert_eq!((findings(&nothing), &nothing["score"], &nothing["rules"]["checked"]), (Vec::new(), &Value::Null, &0.into()), "{nothing}");
    assert!(nothing["reason"].as_str().is_some_and(|reason| reason.contains("nothing was checked")), "{nothing}");
    let every = 15 * SECOND_MS;
    client.push(&[
        Pushed::new("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], samples(now, 80, every, |i| 13.0 * i as f64)),
        Pushed::new("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")], samples(now, 80, every, |i| 2.0 * i as f64)),
        Pushed::new("node_memory_MemAvailable_bytes", &[], samples(now, 80, every, |_| 6e9)),
        Pushed::new("node_memory_MemTotal_bytes", &[], samples(now, 80, every, |_| 8e9)),
        Pushed::new("node_filesystem_avail_bytes", &[("device", "/dev/sda"), ("mountpoint", "/")], samples(now, 80, every, |i| 5e10 + noise(i))),
        Pushed::new("node_filesystem_size_bytes", &[("device", "/dev/sda"), ("mountpoint", "/")], samples(now, 80, every, |_| 1e11)),
    ]);
    let well = client.api("analysis/performance");
    assert_eq!((findings(&well), &well["score"]), (Vec::new(), &100.into()), "{well}");
    assert!(well["rules"]["checked"].as_u64() > nothing["rules"]["checked"].as_u64(), "{well}");
}
