//! The programs that people have work against it: Debian's Prometheus scrapes and writes, promtool
//! reads the exposition. Skipped loudly where they are not installed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::{Client, Setup, eventually, free_port, now_ms, skip};

const SOON: Duration = Duration::from_secs(60);

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A Prometheus that is killed when dropped.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_prometheus(setup: &Setup, target: u16, port: u16) -> Prometheus {
    let config = setup.write(
        "prometheus.yml",
        &format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n- job_name: latido_scraped\n  static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n\
             remote_write:\n- url: http://127.0.0.1:{target}/api/v1/write\n"
        ),
    );
    let log = File::create(setup.home().join("prometheus.log")).unwrap();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", setup.home().join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Prometheus(child.unwrap())
}

#[test]
fn prometheus_scrapes_it_and_writes_to_it() {
    if !is_installed("prometheus") {
        skip("Prometheus scraping and writing", "prometheus is not installed");
        return;
    }
    let setup = Setup::collecting().set("collection.interval=1s");
    let daemon = setup.start();
    let port = free_port();
    let _prometheus = start_prometheus(&setup, daemon.port(), port);
    let theirs = Client::of(port);
    eventually("Prometheus is ready", SOON, || theirs.try_get("/-/ready").filter(|answer| answer.status == 200));
    eventually("Prometheus sees it up", SOON, || (theirs.value("up{job=\"latido_scraped\",source=\"\"}", now_ms())? == 1.0).then_some(()));
    eventually("Prometheus has its load", SOON, || theirs.value("node_load1{job=\"latido_scraped\"}", now_ms()));
    eventually("what Prometheus wrote is here", SOON, || (daemon.client().value("up{job=\"latido_scraped\",source=\"\"}", now_ms())? == 1.0).then_some(()));
    eventually("a written series with its labels", SOON, || daemon.client().value("node_load1{job=\"latido_scraped\"}", now_ms()));
    let shown = daemon.client().get("/metrics").text;
    assert!(!shown.contains("latido_scraped"), "what came by remote write is not in the exposition");
}

/// Runs `promtool check metrics` on a text; exit code and what it said.
fn promtool(text: &str, home: &Path) -> (Option<i32>, String) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn promtool_reads_the_exposition() {
    if !is_installed("promtool") {
        skip("promtool check metrics", "promtool is not installed");
        return;
    }
    let setup = Setup::collecting().set("collection.interval=1s");
    let daemon = setup.start();
    eventually("a first round in the exposition", SOON, || daemon.client().get("/metrics").text.contains("node_load1").then_some(()));
    for path in ["/metrics", "/api/v1/monitoring/metrics/prometheus"] {
        let text = daemon.client().get(path).text;
        let (code, said) = promtool(&text, setup.home());
        // 3: it can be read, but a name is against the taste of the linter; node_exporter's own are.
        assert!(matches!(code, Some(0 | 3)), "{path}: promtool ended with {code:?}:\n{said}");
        let ours: Vec<&str> = said.lines().filter(|line| !line.starts_with("node_")).collect();
        assert!(ours.is_empty(), "{path}: promtool finds fault with: {ours:#?}");
    }
}

#[test]
fn no_name_appears_twice_with_the_same_labels() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let text = eventually("a first round in the exposition", SOON, || {
        let text = daemon.client().get("/metrics").text;
        text.contains("node_load1").then_some(text)
    });
    let mut series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all);
    assert!(!text.contains("instance=\""), "job and instance are left to the scraper");
}
