//! Promise: what we collect of the machine bears node_exporter's names, labels and units, and shows
//! the same values. Guards against a name that drifts, a unit that is off by a factor, a label that
//! is missing. Runs Debian's exporter beside us; without it on PATH the test says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use latido::collect::{Reading, gather_once};
use latido::model::{Labels, METRIC_NAME, Origin, Timestamp};
use latido::wire::exposition;

/// Ours that the exporter gives only where a collector is switched on that it leaves off.
const OFF_BY_DEFAULT: [&str; 1] = ["node_processes_"];

/// Families of the collectors that we have: of these we must give every series that the exporter gives.
const COMPLETE: [&str; 13] = [
    "node_cpu_",
    "node_memory_",
    "node_vmstat_",
    "node_filesystem_",
    "node_netstat_",
    "node_sockstat_",
    "node_load",
    "node_pressure_",
    "node_procs_",
    "node_filefd_",
    "node_entropy_",
    "node_thermal_zone_temp",
    "node_uname_info",
];

/// Name, labels and how far the two may be apart: relative, and absolute for what moves in between.
const CHOSEN: [(&str, &[(&str, &str)], f64, f64); 11] = [
    ("node_memory_MemTotal_bytes", &[], 0.0, 0.0),
    ("node_memory_MemAvailable_bytes", &[], 0.1, 0.0),
    ("node_boot_time_seconds", &[], 0.0, 1.0),
    ("node_time_seconds", &[], 0.0, 30.0),
    ("node_filesystem_size_bytes", &[("mountpoint", "/")], 0.0, 0.0),
    ("node_filesystem_files", &[("mountpoint", "/")], 0.0, 0.0),
    ("node_cpu_seconds_total", &[("cpu", "0"), ("mode", "idle")], 0.01, 30.0),
    ("node_context_switches_total", &[], 0.2, 50_000.0),
    ("node_forks_total", &[], 0.05, 500.0),
    ("node_filefd_maximum", &[], 0.0, 0.0),
    ("node_load15", &[], 0.2, 0.5),
];

type Series = (String, BTreeMap<String, String>);

struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The exporter's text, or nothing where it is not installed.
fn scrape() -> Option<String> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = ["prometheus-node-exporter", "node_exporter"].into_iter().find_map(|program| {
        let mut command = Command::new(program);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok()
    })?;
    let _exporter = Exporter(started);
    // It has no way to say that it listens, so it is asked until it answers.
    for _ in 0..200 {
        match ureq::get(format!("http://127.0.0.1:{port}/metrics")).call() {
            Ok(mut answer) => return Some(answer.body_mut().read_to_string().unwrap()),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("the exporter started and never answered");
}

/// Labels without empty ones: a label with an empty value is no label.
fn theirs(text: &str) -> BTreeMap<Series, f64> {
    let batch = exposition::parse(text, Timestamp(0), Origin::Pushed, &[]).unwrap();
    let series = batch.series().map(|series| (Labels::from_canonical(series.labels).unwrap(), series.samples[0].v));
    series
        .map(|(labels, value)| {
            let pairs = labels.iter().filter(|(name, _)| *name != METRIC_NAME).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            ((labels.metric_name().to_owned(), pairs), value)
        })
        .collect()
}

fn ours(readings: Vec<Reading>) -> BTreeMap<Series, f64> {
    let full = |labels: Vec<(String, String)>| labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    readings.into_iter().filter(|r| r.name.starts_with("node_")).map(|r| ((r.name, full(r.labels)), r.value)).collect()
}

fn find(series: &BTreeMap<Series, f64>, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |have: &BTreeMap<String, String>| labels.iter().all(|(n, v)| have.get(*n).is_some_and(|value| value == v));
    series.iter().find(|((n, have), _)| n == name && fits(have)).map(|(_, value)| *value)
}

#[test]
fn names_labels_and_values_are_those_of_node_exporter() {
    let Some(text) = scrape() else {
        // Past the test harness, which shows nothing of a test that passes.
        let _ = std::io::stderr().write_all(b"SKIPPED: no prometheus-node-exporter on PATH (apt-get download it and unpack it there): nothing was compared\n");
        return;
    };
    let (theirs, ours) = (theirs(&text), ours(gather_once()));
    let wild = |name: &str| OFF_BY_DEFAULT.iter().any(|start| name.starts_with(start));

    let unknown: Vec<&Series> = ours.keys().filter(|series| !wild(&series.0) && !theirs.contains_key(*series)).collect();
    assert!(unknown.is_empty(), "given by us and not by node_exporter: {unknown:#?}");

    let named: BTreeSet<&str> = ours.keys().map(|(name, _)| name.as_str()).collect();
    let must = |series: &&Series| named.contains(series.0.as_str()) || COMPLETE.iter().any(|start| series.0.starts_with(start));
    let missing: Vec<&Series> = theirs.keys().filter(must).filter(|series| !ours.contains_key(*series)).collect();
    assert!(missing.is_empty(), "given by node_exporter and not by us: {missing:#?}");

    for (name, labels, relative, absolute) in CHOSEN {
        let (mine, other) = (find(&ours, name, labels), find(&theirs, name, labels));
        // A container's root may be of a kind that both leave out.
        if mine.is_none() && other.is_none() && name.starts_with("node_filesystem_") {
            continue;
        }
        let (mine, other) = (mine.unwrap(), other.unwrap());
        assert!((mine - other).abs() <= other.abs() * relative + absolute, "{name}: {mine} here, {other} there");
    }
}
