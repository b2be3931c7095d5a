//! Native histograms and exemplars come by remote write of either version and are there after
//! `kill -9`, sealing and a second kill. Guards against acknowledging what only memory holds, and
//! against a file that has the floats of a series and not its histograms.

use prost::Message as _;
use serde_json::{Value, json};

use crate::harness::{Client, Fetched, Setup, now_ms};

#[derive(Clone, PartialEq, prost::Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    exemplars: Vec<Exemplar>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(int64, tag = "3")]
    timestamp: i64,
}

/// Of whole numbers, as Prometheus sends it.
#[derive(Clone, PartialEq, prost::Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "3")]
    sum: f64,
    #[prost(sint32, tag = "4")]
    schema: i32,
    #[prost(double, tag = "5")]
    zero_threshold: f64,
    #[prost(uint64, tag = "6")]
    zero_count: u64,
    #[prost(message, repeated, tag = "11")]
    positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "12")]
    positive_deltas: Vec<i64>,
    #[prost(int64, tag = "15")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Request2 {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    timeseries: Vec<TimeSeries2>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries2 {
    #[prost(uint32, repeated, tag = "1")]
    labels: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    histograms: Vec<Histogram>,
}

fn label(name: &str, value: &str) -> Label {
    Label { name: name.into(), value: value.into() }
}

/// `n` observations in each of three buckets and near zero.
fn histogram(t: i64, n: u64) -> Histogram {
    let per_bucket = i64::try_from(n).expect("a small number");
    Histogram {
        count: 4 * n,
        sum: n as f64 * 2.5,
        schema: 3,
        zero_threshold: 0.001,
        zero_count: n,
        positive_spans: vec![Span { offset: -2, length: 2 }, Span { offset: 3, length: 1 }],
        positive_deltas: vec![per_bucket, 0, 0],
        timestamp: t,
    }
}

fn push(client: &Client, message: &[u8], content_type: &str) -> Fetched {
    let body = snap::raw::Encoder::new().compress_vec(message).expect("a small body compresses");
    client.post_bytes("/api/v1/write", &[("content-type", content_type), ("content-encoding", "snappy")], &body)
}

/// The newest of a series, as `(count, sum)` of a histogram.
fn newest(client: &Client, name: &str) -> Value {
    let found = client.api(&format!("metrics/latest?name={name}"));
    found["metrics"][0]["histogram"].clone()
}

fn exemplars(client: &Client) -> Value {
    client.get("/api/v1/query_exemplars?query=rate(took[5m])").expect(200)["data"].clone()
}

#[test]
fn histograms_and_exemplars_are_there_after_kill_9_and_after_sealing() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let t = now_ms();
    let series = TimeSeries {
        labels: vec![label("__name__", "took"), label("job", "api")],
        samples: Vec::new(),
        exemplars: vec![Exemplar { labels: vec![label("trace_id", "abc")], value: 0.25, timestamp: t - 1500 }],
        histograms: (0..40).map(|i| histogram(t - 40_000 + i * 1000, 10 + i as u64)).collect(),
    };
    let answer = push(daemon.client(), &WriteRequest { timeseries: vec![series] }.encode_to_vec(), "application/x-protobuf");
    assert_eq!(answer.status, 204, "{}", answer.text());
    let want = (
        json!({"count": 196, "sum": 122.5}),
        json!([{
            "seriesLabels": {"__name__": "took", "job": "api"},
            "exemplars": [{"labels": {"trace_id": "abc"}, "value": "0.25", "timestamp": (t - 1500) as f64 / 1000.0}]
        }]),
    );
    let found = |client: &Client| (newest(client, "took"), exemplars(client));
    // Counts, sums and what lies in buckets, of each sample.
    let each = |client: &Client, what: &str| client.range(what, t - 40_000, t - 1000, 1000);
    let all = |client: &Client| ["histogram_count(took)", "histogram_sum(took)", "histogram_fraction(0, 0.9, took)"].map(|what| each(client, what));
    let before = all(daemon.client());
    let counts: Vec<(i64, f64)> = (0..40).map(|i| (t - 40_000 + i * 1000, (40 + 4 * i) as f64)).collect();
    assert_eq!(before[0], counts);
    assert_eq!(before.each_ref().map(Vec::len), [40; 3]);
    assert_eq!(found(daemon.client()), want, "at once");
    daemon.kill();
    let daemon = setup.start();
    assert_eq!((found(daemon.client()), all(daemon.client())), (want.clone(), before.clone()), "after a kill");
    daemon.client().settle();
    assert_eq!((found(daemon.client()), all(daemon.client())), (want.clone(), before.clone()), "sealed");
    daemon.kill();
    let daemon = setup.start();
    assert_eq!((found(daemon.client()), all(daemon.client())), (want, before), "after a second kill");
    assert_eq!(daemon.client().value("histogram_count(increase(took[30s]))", t).map(f64::round), Some(120.0));
    let names = daemon.client().get("/api/v1/label/__name__/values").expect(200);
    assert_eq!(names["data"], json!(["took"]));
}

#[test]
fn a_malformed_histogram_is_refused_with_the_reason_and_the_good_ones_are_kept() {
    let daemon = Setup::quiet().start();
    let t = now_ms();
    let series = |name: &str, histograms| TimeSeries { labels: vec![label("__name__", name)], histograms, ..TimeSeries::default() };
    let bad = Histogram { schema: 20, ..histogram(t, 1) };
    let request = WriteRequest { timeseries: vec![series("bad", vec![bad]), series("good", vec![histogram(t, 2)])] };
    let answer = push(daemon.client(), &request.encode_to_vec(), "application/x-protobuf");
    assert_eq!(answer.status, 400, "{}", answer.text());
    let said = answer.text();
    assert!(said.contains("1 of 2") && said.contains("schema 20"), "{said}");
    assert_eq!(newest(daemon.client(), "good"), json!({"count": 8, "sum": 5}));
}

#[test]
fn version_2_is_told_how_many_of_each_kind_were_written() {
    let daemon = Setup::quiet().start();
    let t = now_ms();
    let symbols = ["", "__name__", "second"].map(str::to_owned).to_vec();
    let series =
        TimeSeries2 { labels: vec![1, 2], samples: vec![Sample { value: 1.0, timestamp: t - 1000 }], histograms: vec![histogram(t, 3), histogram(t - 500, 1)] };
    let request = Request2 { symbols, timeseries: vec![series] };
    let answer = push(daemon.client(), &request.encode_to_vec(), "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    assert_eq!(answer.status, 204, "{}", answer.text());
    let written = |kind: &str| answer.header(&format!("x-prometheus-remote-write-{kind}-written")).to_owned();
    assert_eq!([written("samples"), written("histograms"), written("exemplars")], ["1", "2", "0"]);
    assert_eq!(newest(daemon.client(), "second"), json!({"count": 12, "sum": 7.5}));
}
