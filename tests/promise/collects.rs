//! Started with nothing but a directory, the daemon shows this machine. Guards against a start that
//! answers but collects nothing, and against a first graph that waits a whole interval.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{MINUTE_MS, Setup, eventually, now_ms};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn the_first_round_runs_at_start_and_the_second_a_second_later() {
    let setup = Setup::collecting().set("collection.interval=1m");
    let daemon = setup.start();
    let client = daemon.client();
    let times = eventually("two rounds of node_load1", SOON, || {
        let found = client.query("node_load1[5m]", now_ms());
        let values = found[0]["values"].as_array()?.clone();
        (values.len() >= 2).then(|| values.iter().take(2).map(|pair| pair[0].as_f64().unwrap()).collect::<Vec<_>>())
    });
    let apart = times[1] - times[0];
    assert!((0.5..10.0).contains(&apart), "the second round comes about 1 s after the first, not after the interval: {apart} s");
}

#[test]
fn every_series_of_a_source_is_labelled_as_if_scraped_and_the_source_is_up() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let client = daemon.client();
    let found = eventually("node_load1 and up", SOON, || {
        let load = client.query("node_load1", now_ms());
        let up = client.query("up{job=\"node\"} == 1", now_ms());
        (!load.as_array()?.is_empty() && !up.as_array()?.is_empty()).then_some((load, up))
    });
    let (load, up) = found;
    assert_eq!(load[0]["metric"]["job"], "node");
    let instance = load[0]["metric"]["instance"].as_str().expect("instance is there");
    assert!(!instance.is_empty());
    for series in up.as_array().unwrap() {
        assert_eq!(series["metric"]["instance"], instance, "{series}");
        assert!(series["metric"]["source"].as_str().is_some_and(|source| !source.is_empty()), "{series}");
    }
}

#[test]
fn all_samples_of_one_round_carry_one_timestamp() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let client = daemon.client();
    eventually("one timestamp for load and memory", SOON, || {
        let at = now_ms();
        let stamp = |name: &str| client.value(&format!("timestamp({name})"), at);
        let load = stamp("node_load1")?;
        let memory = stamp("node_memory_MemTotal_bytes")?;
        (load == memory).then_some(())
    });
}

#[test]
fn stats_and_health_name_every_part() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let client = daemon.client();
    let stats = eventually("a counted round", SOON, || {
        let stats = client.api("metrics/stats");
        (stats["collection"]["runs"].as_u64()? > 0).then_some(stats)
    });
    for key in ["series", "samples_total"] {
        assert!(stats[key].is_u64(), "{key}: {stats}");
    }
    for tier in ["raw", "aggregated", "summary"] {
        for key in ["series", "samples", "bytes"] {
            assert!(stats["tiers"][tier][key].is_u64(), "{tier}.{key}: {stats}");
        }
        assert!(stats["tiers"][tier].get("oldest").is_some() && stats["tiers"][tier].get("newest").is_some(), "{tier}: {stats}");
    }
    let sources = stats["collection"]["sources"].as_object().expect("sources by name");
    assert!(!sources.is_empty());
    let health = client.api("metrics/health");
    assert_eq!(health["status"], "healthy", "{health}");
    for part in ["store", "journal", "compactor", "collector", "query", "alerts", "dashboards", "websocket", "disk"] {
        assert!(health["components"][part]["status"].is_string(), "{part}: {health}");
    }
}

#[test]
fn status_version_and_settings_are_told() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    assert_eq!(client.api("version")["name"], "latido");
    let status = client.api("status");
    assert_eq!(status["environment"], "standalone", "{status}");
    assert!(status["uptime_seconds"].is_number(), "{status}");
    assert!(client.api("config/collector").is_object());
    assert!(client.api("config/dashboards").is_object());
    assert_eq!(client.get("/-/healthy").status, 200);
    assert_eq!(client.get("/api/v1/status/buildinfo").expect(200)["status"], "success");
}

#[test]
fn a_latest_value_is_a_number_with_its_meaning() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let client = daemon.client();
    let latest = eventually("node_load1 among the latest", SOON, || {
        let latest = client.api("metrics/latest?name=node_load1");
        (!latest["metrics"].as_array()?.is_empty()).then(|| latest["metrics"][0].clone())
    });
    assert!(latest["value"].is_number() && latest["timestamp"].is_i64(), "{latest}");
    assert!((now_ms() - latest["timestamp"].as_i64().unwrap()).abs() < MINUTE_MS, "{latest}");
    assert_eq!((&latest["category"], &latest["type"]), (&Value::from("system"), &Value::from("gauge")), "{latest}");
}
