//! What was acknowledged is there after an ordinary restart, and nothing twice.

use serde_json::json;

use crate::harness::{HOUR_MS, MINUTE_MS, Pushed, Setup, now_ms};

fn gauge(start_ms: i64, count: i64) -> Pushed {
    let samples = (0..count).map(|n| (start_ms + n * 1000, n as f64)).collect();
    Pushed::new("restart_gauge", &[("kind", "plain")], samples)
}

#[test]
fn a_restart_loses_nothing_and_doubles_nothing() {
    let setup = Setup::quiet();
    let start = now_ms() - 2 * HOUR_MS;
    let expected = gauge(start, 600);
    let daemon = setup.start();
    daemon.client().push(std::slice::from_ref(&expected));
    let at = start + HOUR_MS;
    let answer = |client: &crate::harness::Client| crate::harness::points(&client.query("restart_gauge[2h]", at)[0]["values"]);
    assert_eq!(answer(daemon.client()), expected.samples);
    daemon.stop();
    let daemon = setup.start();
    assert_eq!(answer(daemon.client()), expected.samples);
    daemon.client().settle();
    daemon.stop();
    let daemon = setup.start();
    assert_eq!(answer(daemon.client()), expected.samples);
}

#[test]
fn sent_twice_is_stored_once() {
    let daemon = Setup::quiet().start();
    let start = now_ms() - 10 * MINUTE_MS;
    let batch = gauge(start, 60);
    daemon.client().push(std::slice::from_ref(&batch));
    daemon.client().push(std::slice::from_ref(&batch));
    assert_eq!(daemon.client().value("count_over_time(restart_gauge[1h])", now_ms()), Some(60.0));
    daemon.client().settle();
    daemon.client().push(std::slice::from_ref(&batch));
    assert_eq!(daemon.client().value("count_over_time(restart_gauge[1h])", now_ms()), Some(60.0));
}

#[test]
fn late_samples_find_their_place() {
    let daemon = Setup::quiet().start();
    let start = now_ms() - 5 * HOUR_MS;
    daemon.client().push(&[gauge(start + HOUR_MS, 60)]);
    daemon.client().settle();
    daemon.client().push(&[gauge(start, 60)]);
    let at = start + 2 * HOUR_MS;
    assert_eq!(daemon.client().value("count_over_time(restart_gauge[3h])", at), Some(120.0));
    daemon.client().settle();
    assert_eq!(daemon.client().value("count_over_time(restart_gauge[3h])", at), Some(120.0));
}

#[test]
fn the_memory_backend_leaves_no_samples_behind() {
    let setup = Setup::quiet().set("storage.backend=memory").set("custom.auto_register=true");
    let daemon = setup.start();
    daemon.client().record(&json!({"name": "fleeting", "value": 1})).expect(202);
    assert_eq!(daemon.client().value("fleeting", now_ms()), Some(1.0));
    daemon.stop();
    let daemon = setup.start();
    assert_eq!(daemon.client().value("fleeting", now_ms()), None);
}
