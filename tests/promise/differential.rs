//! The same samples in Debian's Prometheus and here, by remote write, and the same answers to expressions
//! that a seeded grammar makes: instant and over a range. Guards against an answer that is nearly right.
//! Prometheus 2.42 still counts what lies on the left edge of a window, so nothing lies there: samples are off the whole
//! second, and evaluations are at times that no step of a sub-query divides. Its `atan2` keeps names by mistake.
//! 150 expressions each time, 2,500 with `LATIDO_LONG`; skipped loudly where Prometheus is not installed.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Client, Pushed, Setup, eventually, free_port, is_long, now_ms, skip};

const SOON: Duration = Duration::from_secs(60);
const STEP_MS: i64 = 15_000;
const SAMPLES: i64 = 120;

/// A Prometheus that is killed when dropped.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(setup: &Setup, port: u16) -> Prometheus {
    let config = setup.write("prometheus.yml", "global: {scrape_interval: 1h}\n");
    let log = File::create(setup.home().join("prometheus.log")).unwrap();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", setup.home().join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--web.enable-remote-write-receiver")
        .arg("--enable-feature=promql-at-modifier,promql-negative-offset")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Prometheus(child.unwrap())
}

/// Numbers that are the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len() as u64) as usize]
    }
}

/// Counters with resets, gauges with gaps and stale markers, a classic histogram.
fn data(start: i64, dice: &mut Dice) -> Vec<Pushed> {
    let mut out = Vec::new();
    for (k, (job, instance)) in [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")].into_iter().enumerate() {
        let mut total = 0.0;
        let (mut counter, mut gauge) = (Vec::new(), Vec::new());
        for i in 0..SAMPLES {
            let t = start + i * STEP_MS + k as i64 * 1000 + 377;
            total = if dice.roll(40) == 0 { 0.0 } else { total + dice.roll(100) as f64 / 4.0 };
            if dice.roll(25) != 0 {
                counter.push((t, total));
            }
            match dice.roll(30) {
                0 => {}
                1 => gauge.push((t, f64::from_bits(0x7ff0_0000_0000_0002))),
                _ => gauge.push((t, dice.roll(400) as f64 / 8.0 - 20.0)),
            }
        }
        out.push(Pushed::new("requests_total", &[("job", job), ("instance", instance)], counter));
        out.push(Pushed::new("temperature", &[("job", job), ("instance", instance)], gauge));
        let mut counts = [0.0; 4];
        let mut buckets: [Vec<(i64, f64)>; 4] = Default::default();
        for i in 0..SAMPLES {
            for (b, count) in counts.iter_mut().enumerate() {
                *count += (b as f64 + 1.0) * (1.0 + (i % 3) as f64);
                buckets[b].push((start + i * STEP_MS + 377, *count));
            }
        }
        for (le, samples) in ["0.1", "0.5", "1", "+Inf"].into_iter().zip(buckets) {
            out.push(Pushed::new("latency_bucket", &[("job", job), ("instance", instance), ("le", le)], samples));
        }
    }
    out
}

/// Expressions of what Prometheus 2.42 knows. `depth` bounds the nesting.
struct Grammar(
    Dice,
    /// Within a sub-query, where no other is made: the old program's windows hold their start,
    /// and in nested ones that is seen.
    bool,
);

impl Grammar {
    fn range(&mut self) -> String {
        let window = self.0.pick(&["30s", "1m", "2m", "5m", "45s"]);
        let selector = self.selector();
        let offset = self.0.pick(&["", "", "", " offset 1m", " offset -30s"]);
        format!("{selector}[{window}]{offset}")
    }

    fn selector(&mut self) -> String {
        let name = self.0.pick(&["requests_total", "temperature", "temperature", "latency_bucket"]);
        let matchers = self.0.pick(&["", "", "{job=\"a\"}", "{instance!=\"1\"}", "{job=~\"a|b\",instance=\"2\"}", "{job!~\"a\"}", "{nothing=\"\"}"]);
        format!("{name}{matchers}")
    }

    fn scalar(&mut self) -> String {
        match self.0.roll(5) {
            0 => "time() / 1e9".to_owned(),
            1 => format!("scalar(sum({}))", self.selector()),
            _ => self.0.pick(&["2", "0.5", "-3", "100", "1e3", "0"]).to_owned(),
        }
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.selector();
        }
        match self.0.roll(12) {
            0 | 1 => {
                let f = self.0.pick(&[
                    "rate",
                    "increase",
                    "delta",
                    "irate",
                    "idelta",
                    "deriv",
                    "changes",
                    "resets",
                    "avg_over_time",
                    "sum_over_time",
                    "min_over_time",
                    "max_over_time",
                    "count_over_time",
                    "last_over_time",
                    "present_over_time",
                    "stddev_over_time",
                    "stdvar_over_time",
                    "absent_over_time",
                ]);
                format!("{f}({})", self.range())
            }
            2 => format!("quantile_over_time({}, {})", self.0.pick(&["0.5", "0.9", "0", "1"]), self.range()),
            3 => format!("predict_linear({}, 60)", self.range()),
            4 | 5 => {
                let op = self.0.pick(&["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]);
                let by = self.0.pick(&["", " by (job)", " by (instance, le)", " without (instance)", " without (le)"]);
                format!("{op}{by} ({})", self.vector(depth - 1))
            }
            6 => format!("{}({})", self.0.pick(&["abs", "ceil", "floor", "sgn", "sqrt", "exp", "ln", "round", "-", "absent", "sort"]), self.vector(depth - 1)),
            7 => {
                let op = self.0.pick(&["+", "-", "*", "/", "%", "^", ">", "<=", "== bool", "!="]);
                if self.0.roll(2) == 0 {
                    format!("({}) {op} ({})", self.vector(depth - 1), self.scalar())
                } else {
                    format!("({}) {op} ({})", self.scalar(), self.vector(depth - 1))
                }
            }
            8 => {
                let op = self.0.pick(&["+", "/", "-", ">", "and", "or", "unless"]);
                let (left, right) = (self.vector(depth - 1), self.vector(depth - 1));
                format!("sum by (job) ({left}) {op} avg by (job) ({right})")
            }
            9 => {
                format!("histogram_quantile({}, sum by (le, job) (rate(latency_bucket[{}])))", self.0.pick(&["0.5", "0.9", "0.99"]), self.0.pick(&["1m", "5m"]))
            }
            10 => {
                let is_within = std::mem::replace(&mut self.1, true);
                let inner = self.vector(depth - 1);
                self.1 = is_within;
                if is_within {
                    return inner;
                }
                format!(
                    "{}(({inner})[3m:{}])",
                    self.0.pick(&["max_over_time", "avg_over_time", "sum_over_time", "count_over_time"]),
                    self.0.pick(&["30s", "1m", ""])
                )
            }
            _ => format!("label_replace({}, \"copy\", \"$1-x\", \"job\", \"(.*)\")", self.vector(depth - 1)),
        }
    }
}

/// Series with their points, or the kind of error.
fn shape(answer: &Value) -> Result<BTreeMap<String, Vec<(i64, f64)>>, String> {
    if answer["status"] != "success" {
        return Err(answer["errorType"].as_str().unwrap_or("none").to_owned());
    }
    let point = |p: &Value| Some(((p.get(0)?.as_f64()? * 1000.0).round() as i64, p.get(1)?.as_str()?.parse::<f64>().ok()?));
    let result = &answer["data"]["result"];
    if matches!(answer["data"]["resultType"].as_str(), Some("scalar" | "string")) {
        return Ok(BTreeMap::from([(String::new(), point(result).into_iter().collect())]));
    }
    let mut out = BTreeMap::new();
    for series in result.as_array().into_iter().flatten() {
        let points = series.get("value").into_iter().chain(series["values"].as_array().into_iter().flatten());
        out.insert(series["metric"].to_string(), points.filter_map(point).collect());
    }
    Ok(out)
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-6 * (a.abs() + b.abs()) || (a - b).abs() < 1e-9
}

fn agree(ours: &Value, theirs: &Value) -> bool {
    match (shape(ours), shape(theirs)) {
        (Ok(a), Ok(b)) => {
            a.len() == b.len()
                && a.iter().zip(&b).all(|((k, p), (l, q))| k == l && p.len() == q.len() && p.iter().zip(q).all(|(x, y)| x.0 == y.0 && same(x.1, y.1)))
        }
        (a, b) => a.err() == b.err(),
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[test]
fn generated_expressions_are_answered_as_prometheus_answers_them() {
    if Command::new("prometheus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        skip("the same answers as Prometheus", "prometheus is not installed");
        return;
    }
    let setup = Setup::quiet();
    let daemon = setup.start();
    let port = free_port();
    let _prometheus = start(&setup, port);
    let (ours, theirs) = (Client::of(daemon.port()), Client::of(port));
    eventually("Prometheus is ready", SOON, || theirs.try_get("/-/ready").filter(|answer| answer.status == 200));
    let from = (now_ms() - 2_100_000) / STEP_MS * STEP_MS;
    let series = data(from, &mut Dice(0x5eed));
    for client in [&ours, &theirs] {
        let answer = client.try_push(&series).expect("an answer to the samples");
        assert!(answer.status < 300, "the samples are taken: {} {}", answer.status, answer.text);
    }
    let mut grammar = Grammar(Dice(0x0dd_ba11), false);
    let (mut differ, count) = (Vec::new(), if is_long() { 2500 } else { 150 });
    for i in 0..count {
        let expr = grammar.vector(1 + (i % 3));
        let at = (from / 1000 + 300 + i64::from(i) * 7 % 1500) / 10 * 10 + 7;
        let instant = format!("/api/v1/query?query={}&time={at}", encode(&expr));
        let range = format!("/api/v1/query_range?query={}&start={}&end={}&step=20", encode(&expr), at - 120, at + 120);
        for path in [instant, range] {
            let (a, b) = (ours.get(&path).json(), theirs.get(&path).json());
            if !agree(&a, &b) {
                differ.push(format!("{expr}\n  {path}\n  here:  {a}\n  there: {b}"));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {} answers differ:\n{}", differ.len(), count * 2, differ[..differ.len().min(12)].join("\n"));
}
