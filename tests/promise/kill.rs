//! `kill -9` at any moment: every acknowledged sample is there after the next start, once. Guards
//! against answering before the commit, against replay of what was sealed, and against sealing that
//! is half done. Five rounds; a hundred with `bash tests/run --long`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use crate::harness::{Client, HOUR_MS, Pushed, Setup, is_long, now_ms, points};

const WRITERS: usize = 3;
const ROUNDS: usize = 5;
const LONG_ROUNDS: usize = 100;
/// Samples of one request.
const BATCH: i64 = 20;
/// Neither sealing nor the disk may hold a round for longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Writer, and how many of its samples are acknowledged.
type Acknowledged = (usize, i64);

/// Sample `n` of a writer: the same whenever it is sent, so that sending it again changes nothing.
fn sample(start: i64, n: i64) -> (i64, f64) {
    (start + n * 10, n as f64)
}

fn batch(writer: usize, start: i64, first: i64) -> Pushed {
    Pushed::new("survivor", &[("writer", &writer.to_string())], (first..first + BATCH).map(|n| sample(start, n)).collect())
}

/// Sends until the daemon is gone; says after each answer what is acknowledged.
fn write_until_killed(client: &Client, writer: usize, start: i64, mut next: i64, told: &Sender<Acknowledged>) {
    while let Some(answer) = client.try_push(&[batch(writer, start, next)]) {
        assert!(matches!(answer.status, 200 | 204 | 503), "remote write: {} {}", answer.status, answer.text);
        if answer.status == 503 {
            continue;
        }
        next += BATCH;
        if told.send((writer, next)).is_err() {
            return;
        }
    }
}

/// One life of the daemon: ends with a kill after `answers` answers. With `sealing`, windows are
/// sealed meanwhile.
fn live_and_die(setup: &Setup, start: i64, acknowledged: &mut [i64; WRITERS], answers: usize, sealing: bool) {
    let daemon = setup.start();
    verify(daemon.client(), start, acknowledged);
    let (told, hear) = channel();
    thread::scope(|scope| {
        for (writer, next) in acknowledged.iter().copied().enumerate() {
            let (client, told) = (daemon.client().clone(), told.clone());
            scope.spawn(move || write_until_killed(&client, writer, start, next, &told));
        }
        if sealing {
            let client = daemon.client().clone();
            scope.spawn(move || while client.try_post("maintenance/settle").is_some() {});
        }
        drop(told);
        for _ in 0..answers {
            let (writer, next) = hear.recv_timeout(ANSWERS_WITHIN).expect("writers are answered");
            acknowledged[writer] = next;
        }
        daemon.kill();
        // What was answered before the kill and not yet heard counts too.
        for (writer, next) in &hear {
            acknowledged[writer] = next;
        }
    });
}

/// All that was acknowledged is there, each once; beyond it at most the request under way.
fn verify(client: &Client, start: i64, acknowledged: &[i64; WRITERS]) {
    for (writer, count) in acknowledged.iter().copied().enumerate() {
        if count == 0 {
            continue;
        }
        let selector = format!("survivor{{writer=\"{writer}\"}}");
        // The range is left-open: the first sample lies at the start itself.
        let found = points(&client.query(&format!("{selector}[2h]"), start + 2 * HOUR_MS - 1)[0]["values"]);
        let stored = found.len() as i64;
        assert!((count..=count + BATCH).contains(&stored), "writer {writer}: {count} acknowledged, {stored} stored");
        let expected: Vec<(i64, f64)> = (0..stored).map(|n| sample(start, n)).collect();
        assert!(found == expected, "writer {writer}: each sample once, in order, with its value");
        let counted = client.value(&format!("count_over_time({selector}[2h])"), start + 2 * HOUR_MS - 1);
        assert_eq!(counted, Some(stored as f64), "writer {writer}: counted as often as stored");
    }
}

#[test]
fn every_acknowledged_sample_is_there_once_after_kill_9() {
    let setup = Setup::quiet();
    // In a window that is sealed by time already, so that settling seals what is written.
    let start = now_ms() - 6 * HOUR_MS;
    let mut acknowledged = [0; WRITERS];
    let rounds = if is_long() { LONG_ROUNDS } else { ROUNDS };
    for round in 0..rounds {
        let answers = 5 + round * 37 % 90;
        live_and_die(&setup, start, &mut acknowledged, answers, round % 2 == 1);
    }
    let daemon = setup.start();
    verify(daemon.client(), start, &acknowledged);
    daemon.client().settle();
    verify(daemon.client(), start, &acknowledged);
    assert!(acknowledged.iter().all(|count| *count > 0), "every writer was answered: {acknowledged:?}");
}

/// Every sealed file with its bytes.
fn sealed_files(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let of = |tier: &str| fs::read_dir(data.join(tier)).into_iter().flatten().map(|entry| entry.expect("the directory is readable").path());
    ["raw", "aggregated", "summary"].into_iter().flat_map(of).map(|path| (path.clone(), fs::read(&path).expect("a sealed file is readable"))).collect()
}

#[test]
fn queries_and_kill_9_change_no_byte_of_a_sealed_file() {
    let setup = Setup::quiet();
    let start = now_ms() - 6 * HOUR_MS;
    let daemon = setup.start();
    daemon.client().push(&[batch(0, start, 0), batch(1, start, 0)]);
    daemon.client().settle();
    let before = sealed_files(&setup.data());
    assert!(before.len() >= 2, "raw and what is rolled up of it: {:?}", before.keys());
    let ask = |client: &Client| {
        assert_eq!(client.value("sum(count_over_time(survivor[2h]))", start + 2 * HOUR_MS - 1), Some(2.0 * BATCH as f64));
        assert!(!client.range("sum(survivor)", start, start + HOUR_MS, 60_000).is_empty());
        client.get("/api/v1/labels").expect(200);
    };
    ask(daemon.client());
    daemon.kill();
    assert!(sealed_files(&setup.data()) == before, "after the kill");
    let daemon = setup.start();
    ask(daemon.client());
    daemon.kill();
    assert!(sealed_files(&setup.data()) == before, "after another start and another kill");
}
