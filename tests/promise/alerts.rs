//! Alerts fire once and resolve once, whatever happens to the daemon or to the receiver meanwhile.
//! Guards against notifications that are lost or told twice over `kill -9`, against a receiver that
//! holds up the rules, against rules that are stored by half, and against default rules that cannot
//! be evaluated or cry wolf.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, Pushed, Setup, eventually, now_ms};

const SOON: Duration = Duration::from_secs(30);

/// How a receiver answers.
#[derive(Clone, Copy)]
enum Manner {
    Takes,
    /// Answers so many requests with this status before it takes them.
    RefusesFirst(usize, u16),
    /// Reads and never answers.
    Hangs,
}

/// A webhook that writes down what it is told.
struct Hook {
    port: u16,
    told: Arc<Mutex<Vec<Value>>>,
    attempts: Arc<Mutex<usize>>,
}

impl Hook {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (told, attempts) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (telling, counting) = (Arc::clone(&told), Arc::clone(&attempts));
        let serving = move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                held.extend(answer(stream, manner, &telling, &counting));
            }
        };
        thread::Builder::new().name("webhook".to_owned()).spawn(serving).expect("a thread starts");
        Self { port, told, attempts }
    }

    fn setting(&self) -> String {
        format!("alerts.webhook=http://127.0.0.1:{}/hook/s3cret-token", self.port)
    }

    fn attempts(&self) -> usize {
        *self.attempts.lock().unwrap()
    }

    /// `status name` of every alert that was taken, in order.
    fn told(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        let alerts = told.iter().flat_map(|body| body["alerts"].as_array().expect("alerts is a list").iter().map(move |alert| (body, alert)));
        alerts.map(|(body, alert)| format!("{} {}", body["status"].as_str().unwrap(), alert["name"].as_str().unwrap())).collect()
    }

    fn waits_for(&self, expected: &[&str]) {
        eventually(&format!("the webhook is told {expected:?}"), SOON, || (self.told().len() >= expected.len()).then_some(()));
        assert_eq!(self.told(), expected);
    }
}

/// Reads one request and answers it; yields the stream where it is to stay open.
fn answer(mut stream: TcpStream, manner: Manner, told: &Mutex<Vec<Value>>, attempts: &Mutex<usize>) -> Option<TcpStream> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    let body = body_of(&mut stream)?;
    let attempt = {
        let mut attempts = attempts.lock().unwrap();
        *attempts += 1;
        *attempts
    };
    let status = match manner {
        Manner::Hangs => return Some(stream),
        Manner::RefusesFirst(times, status) if attempt <= times => status,
        Manner::RefusesFirst(..) | Manner::Takes => {
            told.lock().unwrap().push(serde_json::from_slice(&body).expect("a notification is JSON"));
            200
        }
    };
    // The daemon may have been killed meanwhile.
    let _ = stream.write_all(format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
    None
}

fn body_of(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let length: usize = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
        if bytes.len() >= head + 4 + length {
            return Some(bytes.split_off(head + 4));
        }
    }
}

/// Only the test's own samples and rules, evaluated every second.
fn quiet(hook: &Hook) -> Setup {
    Setup::quiet().set("alerts.evaluation_interval=1s").set("alerts.default_rules=false").set(&hook.setting())
}

fn put(client: &Client, value: f64) {
    client.push(&[Pushed::new("level", &[("tank", "north")], vec![(now_ms(), value)])]);
}

fn rule(wait: &str) -> Value {
    json!({"name": "Level high", "expr": "level > 1", "for": wait, "severity": "critical", "labels": {"team": "water"},
           "annotations": {"summary": "{{ $labels.tank }} is at {{ $value | humanize }}"}})
}

fn state(client: &Client) -> String {
    client.api("alerts/rules")["rules"][0]["state"].as_str().expect("a rule has a state").to_owned()
}

fn waits_for_state(client: &Client, wanted: &str) {
    eventually(&format!("the rule is {wanted}"), SOON, || (state(client) == wanted).then_some(()));
}

/// PUT or DELETE below the mission's API.
fn change(daemon: &Daemon, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let address = format!("http://127.0.0.1:{}/api/v1/monitoring/{path}", daemon.port());
    let sent = match body {
        Some(body) if method == "PUT" => agent.put(address).header("Content-Type", "application/json").send(body.to_string()),
        _ => agent.delete(address).call(),
    };
    let mut response = sent.expect("it is answered");
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.body_mut().read_to_string().expect("the body is text")).unwrap_or(Value::Null))
}

#[test]
fn an_alert_fires_once_and_resolves_once_with_all_that_was_promised() {
    let hook = Hook::start(Manner::Takes);
    let daemon = quiet(&hook).start();
    let client = daemon.client();
    let made = client.post("alerts/rules", &rule("1s")).expect(201);
    assert_eq!((&made["id"], &made["state"], &made["for"]), (&json!("level-high"), &json!("inactive"), &json!("1s")));
    put(client, 2.0);
    waits_for_state(client, "firing");
    hook.waits_for(&["firing Level high"]);
    let told = hook.told.lock().unwrap()[0].clone();
    let alert = &told["alerts"][0];
    assert_eq!((&told["status"], &alert["state"], &alert["severity"]), (&json!("firing"), &json!("firing"), &json!("critical")));
    assert_eq!(alert["labels"], json!({"alertname": "Level high", "severity": "critical", "tank": "north", "team": "water"}));
    assert_eq!((&alert["annotations"]["summary"], &alert["value"]), (&json!("north is at 2"), &json!(2.0)));
    assert!(alert["active_at"].as_i64().is_some_and(|t| (now_ms() - t).abs() < 60_000) && alert["fingerprint"].is_string(), "{alert}");
    let active = client.api("alerts/active")["alerts"].clone();
    assert_eq!((active.as_array().unwrap().len(), &active[0]["active_at"]), (1, &alert["active_at"]));
    assert_eq!(client.value("ALERTS{alertstate=\"firing\"}", now_ms()), Some(1.0));
    put(client, 0.0);
    hook.waits_for(&["firing Level high", "resolved Level high"]);
    let resolved = hook.told.lock().unwrap()[1]["alerts"][0].clone();
    assert!(resolved["resolved_at"].as_i64() > alert["active_at"].as_i64() && resolved["fingerprint"] == alert["fingerprint"], "{resolved}");
    let history = client.api("alerts/history")["alerts"].clone();
    assert_eq!((&history[0]["state"], &history[1]["state"], &history[2]), (&json!("resolved"), &json!("firing"), &Value::Null));
    assert_eq!(client.api("alerts/history?limit=1")["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(client.api("alerts/history?end=-1h")["alerts"], json!([]));
    assert_eq!(client.query("ALERTS", now_ms()), json!([]));
    assert!(!daemon.log().contains("s3cret"), "the address is a secret:\n{}", daemon.log());
    daemon.stop();
}

#[test]
fn prometheus_clients_see_rules_and_alerts() {
    let hook = Hook::start(Manner::Takes);
    let daemon = quiet(&hook).start();
    let client = daemon.client();
    client.post("alerts/rules", &rule("1h")).expect(201);
    put(client, 2.0);
    waits_for_state(client, "pending");
    let groups = client.get("/api/v1/rules?type=alert").expect(200)["data"]["groups"].clone();
    let shown = &groups[0]["rules"][0];
    assert_eq!((&groups[0]["name"], &shown["name"], &shown["query"]), (&json!("custom"), &json!("Level high"), &json!("level > 1")));
    assert_eq!((&shown["type"], &shown["state"], &shown["health"], &shown["duration"]), (&json!("alerting"), &json!("pending"), &json!("ok"), &json!(3600.0)));
    assert_eq!(shown["alerts"][0]["state"], "pending");
    let alerts = client.get("/api/v1/alerts").expect(200)["data"]["alerts"].clone();
    assert_eq!((&alerts[0]["labels"]["tank"], &alerts[0]["value"]), (&json!("north"), &json!("2")));
    assert_eq!(client.get("/api/v1/rules?type=record").expect(200)["data"]["groups"], json!([]));
    client.get("/api/v1/rules?type=other").expect(400);
}

#[test]
fn pending_and_firing_survive_kill_9_and_nothing_is_told_twice() {
    let hook = Hook::start(Manner::Takes);
    let setup = quiet(&hook);
    let daemon = setup.start();
    daemon.client().post("alerts/rules", &rule("3s")).expect(201);
    put(daemon.client(), 2.0);
    waits_for_state(daemon.client(), "pending");
    let since = daemon.client().api("alerts/active")["alerts"][0]["active_at"].clone();
    daemon.kill();
    let daemon = setup.start();
    waits_for_state(daemon.client(), "firing");
    assert_eq!(daemon.client().api("alerts/active")["alerts"][0]["active_at"], since, "it went on where it was");
    hook.waits_for(&["firing Level high"]);
    // What the receiver took an instant before a crash may be told again: nobody can know that it took it.
    eventually("the notification is crossed out", SOON, || (daemon.client().api("alerts/active")["notifications_waiting"] == 0).then_some(()));
    daemon.kill();
    let daemon = setup.start();
    let started = now_ms();
    let evaluated = |client: &Client| client.api("alerts/rules")["rules"][0]["last_evaluation"].as_i64();
    eventually("it is evaluated again, twice", SOON, || (evaluated(daemon.client())? > started + 1000).then_some(()));
    assert_eq!((state(daemon.client()), hook.told().len()), ("firing".to_owned(), 1));
    put(daemon.client(), 0.0);
    hook.waits_for(&["firing Level high", "resolved Level high"]);
    daemon.stop();
}

#[test]
fn what_a_broken_receiver_did_not_take_is_sent_again_even_after_kill_9() {
    let hook = Hook::start(Manner::RefusesFirst(2, 500));
    let setup = quiet(&hook);
    let daemon = setup.start();
    daemon.client().post("alerts/rules", &rule("0s")).expect(201);
    put(daemon.client(), 2.0);
    eventually("a first attempt", SOON, || (hook.attempts() >= 1).then_some(()));
    daemon.kill();
    let daemon = setup.start();
    hook.waits_for(&["firing Level high"]);
    assert!(hook.attempts() >= 3, "two were refused");
    daemon.stop();
}

#[test]
fn a_receiver_that_hangs_holds_up_no_rule() {
    let hook = Hook::start(Manner::Hangs);
    let daemon = quiet(&hook).start();
    let client = daemon.client();
    client.post("alerts/rules", &rule("0s")).expect(201);
    put(client, 2.0);
    waits_for_state(client, "firing");
    eventually("the webhook is called", SOON, || (hook.attempts() >= 1).then_some(()));
    put(client, 0.0);
    waits_for_state(client, "inactive");
    put(client, 2.0);
    waits_for_state(client, "firing");
    // A stop waits for no receiver.
    daemon.stop();
}

#[test]
fn broken_rules_are_refused_with_the_reason_and_nothing_is_stored() {
    let hook = Hook::start(Manner::Takes);
    let setup = quiet(&hook);
    let daemon = setup.start();
    let client = daemon.client();
    let broken = |field: &str, change: Value| {
        let mut body = rule("1s");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = client.post("alerts/rules", &body);
        let reason = answer.expect_error(400);
        assert_eq!(answer.json()["error"]["field"], field, "{reason}");
        reason
    };
    assert!(broken("expr", json!({"expr": "sum(level) by"})).contains("character"), "where it is wrong");
    assert!(broken("expr", json!({"expr": "nosuch(level)"})).contains("nosuch"));
    broken("expr", json!({"expr": "level[5m]"}));
    broken("expr", json!({"expr": ""}));
    broken("expr", json!({"expr": "(".repeat(100_000)}));
    broken("for", json!({"for": "soon"}));
    broken("severity", json!({"severity": "page"}));
    broken("name", json!({"name": "x".repeat(100_000)}));
    broken("labels", json!({"labels": (0..1000).map(|i| (format!("l{i}"), json!("x"))).collect::<serde_json::Map<_, _>>()}));
    broken("labels.a-b", json!({"labels": {"a-b": "x"}}));
    broken("annotations.summary", json!({"annotations": {"summary": "x".repeat(1_000_000)}}));
    assert!(broken("annotations.summary", json!({"annotations": {"summary": "{{ $value | shout }}"}})).contains("shout"));
    broken("expresion", json!({"expresion": "level"}));
    for garbage in ["", "{", "[]", "null", "\u{0}"] {
        client.post_text("alerts/rules", garbage).expect_error(400);
    }
    assert_eq!(client.api("alerts/rules")["rules"], json!([]));
    client.post("alerts/rules", &rule("1s")).expect(201);
    client.post("alerts/rules", &rule("1s")).expect_error(409);
    assert_eq!(change(&daemon, "PUT", "alerts/rules/nobody", Some(&rule("1s"))).0, 404);
    assert_eq!(change(&daemon, "DELETE", "alerts/rules/nobody", None).0, 404);
    let mut stale = rule("2s");
    stale["revision"] = json!(7);
    assert_eq!(change(&daemon, "PUT", "alerts/rules/level-high", Some(&stale)).0, 409);
    stale["revision"] = json!(1);
    assert_eq!(change(&daemon, "PUT", "alerts/rules/level-high", Some(&stale)).1["revision"], 2);
    daemon.stop();
    let daemon = setup.start();
    assert_eq!(daemon.client().api("alerts/rules/level-high")["for"], "2s");
    assert_eq!(change(&daemon, "DELETE", "alerts/rules/level-high", None).0, 204);
    daemon.client().get("/api/v1/monitoring/alerts/rules/level-high").expect_error(404);
}

#[test]
fn a_rule_can_be_tried_and_leaves_nothing_behind() {
    let hook = Hook::start(Manner::Takes);
    let daemon = quiet(&hook).start();
    let client = daemon.client();
    put(client, 2.0);
    let found = client.post("alerts/rules/test", &json!({"expr": "level > 1", "annotations": {"summary": "{{ $value }}"}})).expect(200);
    assert_eq!((&found["alerts"][0]["labels"]["tank"], &found["alerts"][0]["annotations"]["summary"]), (&json!("north"), &json!("2")));
    assert_eq!(client.post("alerts/rules/test", &json!({"expr": "level > 3"})).expect(200)["alerts"], json!([]));
    client.post("alerts/rules/test", &json!({"expr": "level >"})).expect_error(400);
    assert_eq!((client.api("alerts/rules")["rules"].clone(), hook.attempts()), (json!([]), 0));
}

#[test]
fn every_default_rule_can_be_evaluated_and_none_fires_on_this_machine() {
    let daemon = Setup::collecting().set("collection.interval=1s").set("alerts.evaluation_interval=1s").start();
    let client = daemon.client();
    let started = now_ms();
    let rules = eventually("all rules are evaluated with data", SOON, || {
        let rules = client.api("alerts/rules")["rules"].as_array().unwrap().clone();
        rules.iter().all(|rule| rule["last_evaluation"].as_i64().is_some_and(|t| t > started + 5000)).then_some(rules)
    });
    assert!(rules.len() > 30, "{}", rules.len());
    for rule in &rules {
        assert_eq!((&rule["health"], &rule["last_error"], &rule["default"]), (&json!("ok"), &Value::Null, &json!(true)), "{rule}");
        // A disk or a memory that is full here is full.
        let may_be_true = rule["group"] == "filesystem" || rule["group"] == "memory";
        assert!(rule["state"] != "firing" || may_be_true, "{rule}");
    }
    assert_eq!(client.api("metrics/health")["components"]["alerts"]["status"], "healthy");
    let off = json!({"name": "HostHot", "expr": "node_thermal_zone_temp > 95", "severity": "info", "group": "host", "enabled": false});
    assert_eq!(change(&daemon, "PUT", "alerts/rules/default-host-hot", Some(&off)).1["changed"], true);
    assert_eq!(change(&daemon, "DELETE", "alerts/rules/default-host-hot", None).1["changed"], false);
    assert_eq!(change(&daemon, "DELETE", "alerts/rules/default-host-hot", None).0, 409);
    daemon.stop();
}

#[test]
fn an_address_that_cannot_be_called_is_refused_at_the_start() {
    let setup = Setup::quiet();
    for wrong in ["ftp://example.org/s3cret", "s3cret", "http://"] {
        let refusal = setup.refused(&["--set", &format!("alerts.webhook={wrong}")]);
        refusal.is(78, &["alerts.webhook"]);
        assert!(!refusal.said.contains("s3cret"), "{}", refusal.said);
    }
}
