//! Bad input is refused with a clear error, stores nothing by half, and the daemon goes on. Guards
//! against what a mistaken client, a browser page from elsewhere, or a careless proxy may send.

use serde_json::{Value, json};

use crate::harness::{Daemon, HOUR_MS, Pushed, Setup, now_ms, raw_request};

const RECORD: &str = "/api/v1/monitoring/metrics/custom/record";
const DAY_MS: i64 = 24 * HOUR_MS;

fn with_gauge() -> Daemon {
    let daemon = Setup::quiet().start();
    let definition = json!({"name": "table_gauge", "type": "gauge", "labels": ["shop"]});
    daemon.client().post("metrics/custom/register", &definition).expect(201);
    daemon
}

/// A request in plain text; further header lines end with `\r\n`.
fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    let host = if headers.contains("Host:") { "" } else { "Host: 127.0.0.1\r\n" };
    format!("{method} {path} HTTP/1.1\r\n{host}{headers}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_bad_sample_is_refused_with_its_reason_and_nothing_is_stored() {
    let daemon = with_gauge();
    let client = daemon.client();
    let table: [(&str, &str, &str); 14] = [
        ("cut off", r#"{"name":"table_gauge","value":"#, ""),
        ("not JSON", "value=1", ""),
        ("empty", "", ""),
        ("a list", "[1,2]", ""),
        ("no value", r#"{"name":"table_gauge"}"#, "value"),
        ("no name", r#"{"value":1}"#, "name"),
        ("wrong type", r#"{"name":"table_gauge","value":"many"}"#, ""),
        ("unknown metric", r#"{"name":"table_unknown","value":1}"#, "table_unknown"),
        ("NaN", r#"{"name":"table_gauge","value":"NaN"}"#, ""),
        ("bare NaN", r#"{"name":"table_gauge","value":NaN}"#, ""),
        ("infinity", r#"{"name":"table_gauge","value":"+Inf"}"#, ""),
        ("too large a number", r#"{"name":"table_gauge","value":1e999}"#, ""),
        ("label grammar", r#"{"name":"table_gauge","value":1,"labels":{"9-shop":"a"}}"#, "9-shop"),
        ("wrong label type", r#"{"name":"table_gauge","value":1,"labels":{"shop":7}}"#, ""),
    ];
    for (what, body, word) in table {
        let answer = client.post_text("metrics/custom/record", body);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        let message = answer.expect_error(400);
        assert!(message.contains(word) && !message.is_empty(), "{what}: the message names {word:?}: {message}");
    }
    let found = client.query("{__name__=~\"table_.*\"}", now_ms());
    assert_eq!(found, json!([]), "nothing was stored");
    client.record(&json!({"name": "table_gauge", "value": 1})).expect(202);
}

#[test]
fn bad_definitions_are_refused() {
    let daemon = with_gauge();
    for body in [
        json!({"name": "9 lives", "type": "gauge"}),
        json!({"name": "", "type": "gauge"}),
        json!({"name": "x_kind", "type": "thermometer"}),
        json!({"name": "x_labels", "type": "gauge", "labels": ["a-b"]}),
        json!({"name": "x_category", "type": "gauge", "category": "weather"}),
        json!({"type": "gauge"}),
    ] {
        let answer = daemon.client().post("metrics/custom/register", &body);
        assert!(matches!(answer.status, 400 | 422), "{body}: {} {}", answer.status, answer.text);
        assert!(answer.json()["error"]["message"].is_string(), "{body}: {}", answer.text);
    }
    let list = daemon.client().api("metrics/custom/list");
    assert!(!list["metrics"].as_array().unwrap().iter().any(|metric| metric["name"].as_str().is_some_and(|name| name.starts_with("x_"))));
}

#[test]
fn times_too_far_ahead_and_too_old_are_refused_and_all_between_taken() {
    let daemon = with_gauge();
    let now = now_ms();
    for (what, at) in [("an hour ahead", now + HOUR_MS), ("ten years ago", now - 3650 * DAY_MS), ("the beginning of time", 1)] {
        let answer = daemon.client().record(&json!({"name": "table_gauge", "value": 1, "timestamp": at}));
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        let pushed = daemon.client().try_push(&[Pushed::new("table_pushed", &[], vec![(at, 1.0)])]).unwrap();
        assert_eq!(pushed.status, 400, "{what}: {}", pushed.text);
    }
    for (what, at) in [("nine minutes ahead", now + 540_000), ("an hour ago", now - HOUR_MS), ("a year ago", now - 365 * DAY_MS)] {
        let answer = daemon.client().record(&json!({"name": "table_gauge", "value": 1, "timestamp": at, "labels": {"shop": what}}));
        assert_eq!(answer.status, 202, "{what}: {}", answer.text);
    }
}

#[test]
fn good_samples_of_a_mixed_remote_write_are_stored_and_the_rest_counted() {
    let daemon = Setup::quiet().start();
    let now = now_ms();
    let mixed = [Pushed::new("mixed", &[("is", "good")], vec![(now, 1.0)]), Pushed::new("mixed", &[("is", "bad")], vec![(now + DAY_MS, 2.0)])];
    let answer = daemon.client().try_push(&mixed).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains('1'), "the count of rejected samples is told: {}", answer.text);
    assert_eq!(daemon.client().value("mixed{is=\"good\"}", now), Some(1.0));
    assert_eq!(daemon.client().value("mixed{is=\"bad\"}", now), None);
}

#[test]
fn a_remote_write_that_is_no_remote_write_is_refused() {
    let daemon = Setup::quiet().start();
    for (what, body) in [("no snappy", &b"\xff\xff\xff\xffnonsense"[..]), ("a bomb", b"\xff\xff\xff\xff\x0f"), ("no protobuf", b"\x04\x0c\xff\xff\xff\xff")] {
        let headers = "Content-Encoding: snappy\r\n";
        let text = format!(
            "POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Type: application/x-protobuf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let answer = raw_request(daemon.port(), &text, body);
        assert!(matches!(answer.status, 400 | 413), "{what}: {} {}", answer.status, answer.text);
    }
    assert_eq!(daemon.client().get("/-/healthy").status, 200);
}

#[test]
fn a_body_of_11_mb_is_too_large() {
    let daemon = with_gauge();
    let body = format!(r#"{{"name":"table_gauge","value":1,"labels":{{"shop":"{}"}}}}"#, "x".repeat(11 << 20));
    let answer = raw_request(daemon.port(), &head("POST", RECORD, "", body.len()), body.as_bytes());
    answer.expect_error(413);
    daemon.client().record(&json!({"name": "table_gauge", "value": 1})).expect(202);
}

#[test]
fn wrong_methods_and_unknown_paths_have_the_error_shape() {
    let daemon = Setup::quiet().start();
    let port = daemon.port();
    for (method, path) in [("DELETE", "/api/v1/monitoring/metrics/stats"), ("GET", RECORD), ("PUT", "/api/v1/monitoring/metrics/query")] {
        let answer = raw_request(port, &head(method, path, "", 0), b"");
        answer.expect_error(405);
    }
    for path in ["/api/v1/monitoring/no/such", "/api/v1/monitoring", "/api/v1/monitoring/metrics"] {
        let answer = raw_request(port, &head("GET", path, "", 0), b"");
        answer.expect_error(404);
    }
    assert_eq!(daemon.client().get("/no-such-page").status, 404);
}

#[test]
fn a_foreign_host_is_refused_so_that_dns_rebinding_gains_nothing() {
    let daemon = Setup::quiet().start();
    let port = daemon.port();
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example"] {
        let answer = raw_request(port, &head("GET", "/api/v1/monitoring/metrics/stats", &format!("Host: {host}\r\n"), 0), b"");
        assert!(matches!(answer.status, 403 | 421), "{host}: {} {}", answer.status, answer.text);
    }
    for host in ["localhost".to_owned(), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let answer = raw_request(port, &head("GET", "/api/v1/monitoring/metrics/stats", &format!("Host: {host}\r\n"), 0), b"");
        assert_eq!(answer.status, 200, "{host}: {}", answer.text);
    }
}

#[test]
fn a_foreign_page_may_not_write() {
    let daemon = with_gauge();
    let body = r#"{"name":"table_gauge","value":1}"#;
    for origin in ["http://evil.example", "null", "https://127.0.0.1.evil.example"] {
        let answer = raw_request(daemon.port(), &head("POST", RECORD, &format!("Origin: {origin}\r\n"), body.len()), body.as_bytes());
        answer.expect_error(403);
    }
    assert_eq!(daemon.client().query("table_gauge", now_ms()), Value::Array(Vec::new()));
    let own = format!("Host: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\n", daemon.port());
    let answer = raw_request(daemon.port(), &head("POST", RECORD, &own, body.len()), body.as_bytes());
    answer.expect(202);
}

#[test]
fn a_proxy_does_not_open_the_door() {
    let daemon = Setup::quiet().start();
    for header in ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9", "Via: 1.1 proxy"] {
        let answer = raw_request(daemon.port(), &head("GET", "/api/v1/monitoring/metrics/stats", &format!("{header}\r\n"), 0), b"");
        let message = answer.expect_error(403);
        assert!(message.len() > 20, "the fix is told: {message}");
    }
}

#[test]
fn a_bad_query_has_the_error_shape_of_prometheus() {
    let daemon = Setup::quiet().start();
    for path in [
        "/api/v1/query?query=sum(",
        "/api/v1/query?query=up&time=yesterday-ish",
        "/api/v1/query",
        "/api/v1/query_range?query=up&start=10&end=5&step=1",
        "/api/v1/query_range?query=up&start=0&end=100000&step=1",
        "/api/v1/query_range?query=up&start=0&end=10&step=0",
        "/api/v1/series",
    ] {
        let body = daemon.client().get(path).expect(400);
        assert_eq!((&body["status"], &body["errorType"]), (&Value::from("error"), &Value::from("bad_data")), "{path}: {body}");
        assert!(body["error"].as_str().is_some_and(|message| !message.is_empty()), "{path}: {body}");
    }
}

#[test]
fn a_bad_metrics_query_names_the_field() {
    let daemon = Setup::quiet().start();
    for (body, field) in [
        (json!({"metrics": ["up"], "end": now_ms()}), "start"),
        (json!({"metrics": ["up"], "start": "-1h", "end": "now-ish"}), "end"),
        (json!({"metrics": ["up"], "start": "-1h", "end": now_ms(), "aggregation": "median"}), "aggregation"),
        (json!({"metrics": ["up"], "start": "-1h", "end": now_ms(), "tier": "gold"}), "tier"),
        (json!({"metrics": ["up"], "start": "-1h", "end": now_ms(), "step": "soon"}), "step"),
    ] {
        let answer = daemon.client().post("metrics/query", &body);
        answer.expect_error(400);
        assert!(answer.text.contains(field), "{field} is named: {}", answer.text);
    }
    let unknown = json!({"metrics": ["no_such_metric"], "start": "-1h", "end": now_ms()});
    assert_eq!(daemon.client().post("metrics/query", &unknown).expect(200)["series"], json!([]));
}

#[test]
fn beyond_the_series_budget_new_series_are_refused_by_name_and_known_ones_flow() {
    let daemon = Setup::quiet().set("ingest.max_series=50").start();
    let client = daemon.client();
    let now = now_ms();
    let pods = |range: std::ops::Range<usize>, at: i64| -> Vec<Pushed> {
        range.map(|i| Pushed::new("pod_cpu", &[("pod", &format!("p{i}")), ("zone", "a")], vec![(at, i as f64)])).collect()
    };
    client.push(&pods(0..40, now - 1000));
    client.push(&[Pushed::new("steady", &[("job", "t")], vec![(now - 1000, 1.0)])]);
    let answer = client.try_push(&pods(30..80, now)).unwrap();
    assert_eq!(answer.status, 400);
    for word in ["ingest.max_series is 50", "pod_cpu", "label pod"] {
        assert!(answer.text.contains(word), "{}", answer.text);
    }
    // What was known, and what there was room for, is stored.
    assert_eq!(client.value("pod_cpu{pod=\"p35\"}", now), Some(35.0));
    assert_eq!(client.value("count(pod_cpu)", now), Some(49.0));
    client.push(&[Pushed::new("steady", &[("job", "t")], vec![(now, 2.0)])]);
    assert_eq!(client.value("steady", now), Some(2.0));
}
