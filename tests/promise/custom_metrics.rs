//! A custom metric is registered, recorded and found, at once and after a restart, with the meaning
//! that its type gives it. Guards against totals that begin again at zero.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Setup, eventually, now_ms};

const VISIBLE_WITHIN: Duration = Duration::from_secs(1);

fn register(client: &Client, name: &str, kind: &str) {
    client.post("metrics/custom/register", &json!({"name": name, "type": kind, "help": "of a test", "labels": ["shop"]})).expect(201);
}

fn latest(client: &Client, name: &str) -> Option<f64> {
    let answer = client.api(&format!("metrics/latest?name={name}"));
    answer["metrics"].as_array().expect("metrics is a list").first().and_then(|metric| metric["value"].as_f64())
}

#[test]
fn a_recorded_gauge_is_found_within_a_second_and_after_a_restart() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    register(daemon.client(), "orders_open", "gauge");
    let accepted = daemon.client().record(&json!({"name": "orders_open", "value": 17.5, "labels": {"shop": "north"}})).expect(202);
    assert_eq!(accepted["accepted"], 1, "{accepted}");
    let found = eventually("the recorded value in a query", VISIBLE_WITHIN, || daemon.client().value("orders_open{shop=\"north\"}", now_ms()));
    assert_eq!(found, 17.5);
    assert_eq!(latest(daemon.client(), "orders_open"), Some(17.5));
    let labels = daemon.client().query("orders_open", now_ms())[0]["metric"].clone();
    assert_eq!(labels, json!({"__name__": "orders_open", "shop": "north"}), "just the labels that were sent");

    daemon.stop();
    let daemon = setup.start();
    assert_eq!(daemon.client().value("orders_open", now_ms()), Some(17.5));
    assert_eq!(latest(daemon.client(), "orders_open"), Some(17.5));
    let list = daemon.client().api("metrics/custom/list");
    let mine = list["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "orders_open");
    assert_eq!(mine.expect("still registered")["type"], "gauge");
}

#[test]
fn increments_of_a_counter_add_up_across_restart_and_kill() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    register(daemon.client(), "orders_total", "counter");
    let increment = |client: &Client, by: f64| {
        client.record(&json!({"name": "orders_total", "increment": by, "labels": {"shop": "north"}})).expect(202);
    };
    increment(daemon.client(), 5.0);
    increment(daemon.client(), 2.0);
    daemon.stop();
    let daemon = setup.start();
    increment(daemon.client(), 3.0);
    daemon.kill();
    let daemon = setup.start();
    increment(daemon.client(), 1.0);
    assert_eq!(latest(daemon.client(), "orders_total"), Some(11.0));
    assert_eq!(daemon.client().value("orders_total", now_ms()), Some(11.0));
}

#[test]
fn a_counter_takes_totals_too() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    register(client, "visits_total", "counter");
    client.record(&json!({"name": "visits_total", "value": 40, "labels": {"shop": "a"}})).expect(202);
    client.record(&json!({"name": "visits_total", "increment": 2, "labels": {"shop": "a"}})).expect(202);
    assert_eq!(latest(client, "visits_total"), Some(42.0));
}

#[test]
fn observations_of_a_histogram_are_kept_durably() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let definition = json!({"name": "checkout_seconds", "type": "histogram", "buckets": [0.1, 1.0]});
    daemon.client().post("metrics/custom/register", &definition).expect(201);
    for value in [0.05, 0.5, 5.0] {
        daemon.client().record(&json!({"name": "checkout_seconds", "value": value})).expect(202);
    }
    daemon.kill();
    let daemon = setup.start();
    daemon.client().record(&json!({"name": "checkout_seconds", "value": 0.5})).expect(202);
    let at = now_ms();
    let value = |expr: &str| daemon.client().value(expr, at);
    assert_eq!(value("checkout_seconds_count"), Some(4.0));
    assert!((value("checkout_seconds_sum").unwrap() - 6.05).abs() < 1e-9);
    assert_eq!(value("checkout_seconds_bucket{le=\"0.1\"}"), Some(1.0));
    assert_eq!(value("checkout_seconds_bucket{le=\"+Inf\"}"), Some(4.0));
}

#[test]
fn registering_again_is_the_same_and_differently_a_conflict() {
    let daemon = Setup::quiet().start();
    let definition = json!({"name": "stock", "type": "gauge", "unit": "items", "help": "What is there", "category": "custom"});
    daemon.client().post("metrics/custom/register", &definition).expect(201);
    daemon.client().post("metrics/custom/register", &definition).expect(200);
    let mut other = definition;
    other["type"] = Value::from("counter");
    daemon.client().post("metrics/custom/register", &other).expect_error(409);
}

#[test]
fn good_samples_of_a_list_are_taken_and_bad_ones_named() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    register(client, "stock", "gauge");
    let mixed = json!({"samples": [{"name": "stock", "value": 1, "labels": {"shop": "a"}}, {"name": "no_such_metric", "value": 1}]});
    let answer = client.record(&mixed).expect(202);
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert_eq!(answer["rejected"][0]["index"], 1, "{answer}");
    assert!(answer["rejected"][0]["reason"].as_str().unwrap().contains("no_such_metric"), "{answer}");
    let all_bad = json!({"samples": [{"name": "no_such_metric", "value": 1}, {"name": "no_such_metric", "value": 2}]});
    let answer = client.record(&all_bad);
    answer.expect_error(400);
    assert!(answer.text.contains("\"rejected\""), "the same list comes with the error: {}", answer.text);
    assert_eq!(latest(client, "stock"), Some(1.0));
}

#[test]
fn an_unknown_name_is_taken_where_the_configuration_says_so() {
    let daemon = Setup::quiet().set("custom.auto_register=true").start();
    daemon.client().record(&json!({"name": "fresh", "value": 3})).expect(202);
    assert_eq!(daemon.client().value("fresh", now_ms()), Some(3.0));
}

#[test]
fn a_pack_that_is_off_refuses_its_metrics_with_the_reason() {
    let daemon = Setup::quiet().set("custom_metrics.business_metrics=false").start();
    let packs_off = daemon.client().api("metrics/custom/list");
    drop(daemon);
    let daemon = Setup::quiet().start();
    let packs_on = daemon.client().api("metrics/custom/list");
    let names = |list: &Value| -> Vec<String> {
        let metrics = list["metrics"].as_array().expect("a list").iter();
        metrics.filter(|metric| metric["category"] == "business").map(|metric| metric["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&packs_off), Vec::<String>::new());
    let business = names(&packs_on);
    let name = business.first().expect("the standalone profile has business metrics");
    drop(daemon);
    let daemon = Setup::quiet().set("custom_metrics.business_metrics=false").start();
    let message = daemon.client().record(&json!({"name": name, "value": 1})).expect_error(400);
    assert!(message.contains("business_metrics"), "the reason is told: {message}");
}

#[test]
fn what_was_recorded_is_exposed_again_after_a_restart() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    register(daemon.client(), "orders_open", "gauge");
    daemon.client().record(&json!({"name": "orders_open", "value": 4, "labels": {"shop": "north"}})).expect(202);
    daemon.stop();
    let daemon = setup.start();
    let shown = daemon.client().get("/metrics").text;
    assert!(shown.contains("orders_open{shop=\"north\"} 4"), "{shown}");
}

#[test]
fn an_increment_from_the_future_hides_none_that_comes_after_it() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    register(client, "orders_total", "counter");
    register(client, "orders_open", "gauge");
    client.record(&json!({"name": "orders_total", "increment": 1, "timestamp": "+9m"})).expect(202);
    client.record(&json!({"name": "orders_total", "increment": 1})).expect(202);
    assert_eq!(client.value("orders_total", now_ms()), Some(2.0));
    client.record(&json!({"samples": [{"name": "orders_open", "value": 1}, {"name": "orders_open", "value": 2, "timestamp": "+5m"}]})).expect(202);
    let shown = client.get("/metrics").text;
    assert!(shown.contains("orders_open 1\n"), "{shown}");
}

#[test]
fn a_total_never_becomes_infinite() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    register(client, "orders_total", "counter");
    client.record(&json!({"name": "orders_total", "increment": 1e308})).expect(202);
    client.record(&json!({"name": "orders_total", "increment": 1.7e308})).expect(400);
    assert_eq!(client.value("orders_total", now_ms()), Some(1e308));
}

#[test]
fn a_refused_sample_registers_no_name() {
    let daemon = Setup::quiet().set("custom.auto_register=true").start();
    let client = daemon.client();
    client.record(&json!({"name": "made_up", "increment": 1})).expect(400);
    client.record(&json!({"name": "taken", "value": 1})).expect(202);
    let list = client.api("metrics/custom/list").to_string();
    assert!(list.contains("\"taken\"") && !list.contains("made_up"), "{list}");
}
