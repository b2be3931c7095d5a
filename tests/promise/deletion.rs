//! What is deleted is gone for every reader when the answer comes, does not come back after a
//! crash, and takes nothing else with it. Guards against replay and rollups that raise the dead.

use serde_json::json;

use crate::harness::{Client, HOUR_MS, Pushed, Setup, now_ms};

const STEP_MS: i64 = 10_000;

fn count(client: &Client, name: &str, at: i64) -> f64 {
    client.value(&format!("sum(count_over_time({name}[12h]))"), at).unwrap_or(0.0)
}

#[test]
fn deleted_series_are_gone_at_once_and_after_a_kill_and_a_rollup() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let client = daemon.client();
    let now = now_ms();
    let start = (now - 6 * HOUR_MS) / HOUR_MS * HOUR_MS;
    let samples = |from: i64, to: i64| -> Vec<(i64, f64)> { (1..).map(|n| from + n * STEP_MS).take_while(|t| *t <= to).map(|t| (t, 1.0)).collect() };
    let all = samples(start, start + 4 * HOUR_MS).len() as f64;
    for name in ["stays", "goes", "partly"] {
        client.push(&[Pushed::new(name, &[("job", "t")], samples(start, start + 4 * HOUR_MS))]);
    }
    client.settle();
    client.push(&[Pushed::new("goes", &[("job", "t")], samples(start + 4 * HOUR_MS, start + 5 * HOUR_MS))]);
    let deleted = client.post_to("/api/v1/admin/tsdb/delete_series?match[]=goes");
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    let (from, to) = ((start + HOUR_MS) / 1000, (start + 2 * HOUR_MS) / 1000);
    let deleted = client.post_to(&format!("/api/v1/admin/tsdb/delete_series?match[]=partly%7Bjob=%22t%22%7D&start={from}&end={to}"));
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    let check = |client: &Client, when: &str| {
        assert_eq!(count(client, "stays", now), all, "{when}");
        assert_eq!(count(client, "goes", now), 0.0, "{when}");
        // One sample more than an hour's: both ends are included.
        assert_eq!(count(client, "partly", now), all - 361.0, "{when}");
    };
    check(client, "at once");
    daemon.kill();
    let daemon = setup.start();
    check(daemon.client(), "after a kill");
    daemon.client().settle();
    check(daemon.client(), "after the files were written anew");
    daemon.client().push(&[Pushed::new("goes", &[("job", "t")], vec![(now, 5.0)])]);
    assert_eq!(daemon.client().value("goes", now), Some(5.0), "a name may live again");
}

#[test]
fn a_deletion_that_names_nothing_is_refused_and_deletes_nothing() {
    let daemon = Setup::quiet().start();
    let client = daemon.client();
    let now = now_ms();
    client.push(&[Pushed::new("stays", &[("job", "t")], vec![(now, 1.0)])]);
    for wrong in ["", "?match[]=", "?match[]=%7Bjob=~%22.*%22%7D", "?match[]=stays&start=2&end=1", "?match[]=stays%7B", "?match[]=stays&start=soon"] {
        let answer = client.post_to(&format!("/api/v1/admin/tsdb/delete_series{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text);
        assert_eq!(answer.json()["errorType"], "bad_data", "{wrong}");
    }
    assert_eq!(client.get("/api/v1/admin/tsdb/delete_series?match[]=stays").status, 405);
    assert_eq!(client.value("stays", now), Some(1.0));
}

#[test]
fn status_names_the_metrics_and_labels_that_make_the_series() {
    let daemon = Setup::quiet().start();
    let now = now_ms();
    let series: Vec<Pushed> = (0..20).map(|i| Pushed::new("many", &[("pod", &format!("p{i}"))], vec![(now, 1.0)])).collect();
    daemon.client().push(&series);
    daemon.client().push(&[Pushed::new("few", &[("pod", "p0")], vec![(now, 1.0)])]);
    let answer = daemon.client().get("/api/v1/status/tsdb?limit=1").expect(200);
    let data = &answer["data"];
    assert_eq!(data["headStats"]["numSeries"], 21);
    assert_eq!(data["seriesCountByMetricName"], json!([{"name": "many", "value": 20}]));
    assert_eq!(data["labelValueCountByLabelName"], json!([{"name": "pod", "value": 20}]));
}
