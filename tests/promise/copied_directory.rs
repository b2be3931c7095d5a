//! The data directory is all there is: stopped, copied and started elsewhere, it gives the same
//! answers. Guards against paths, host names or counters kept outside it.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{HOUR_MS, Pushed, Setup, now_ms, points};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target can be made");
    for entry in fs::read_dir(from).expect("the data directory is readable") {
        let entry = entry.expect("the data directory is readable");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

#[test]
fn a_copy_of_the_stopped_directory_gives_the_same_answers() {
    let first = Setup::quiet();
    let daemon = first.start();
    let start = now_ms() - 3 * HOUR_MS;
    let sealed = Pushed::new("copied", &[("part", "sealed")], (0..500).map(|n| (start + n * 1000, n as f64 / 3.0)).collect());
    let fresh = Pushed::new("copied", &[("part", "fresh")], (0..50).map(|n| (start + n * 1000, -n as f64)).collect());
    daemon.client().push(std::slice::from_ref(&sealed));
    daemon.client().settle();
    daemon.client().push(std::slice::from_ref(&fresh));
    daemon.client().post("metrics/custom/register", &json!({"name": "copied_total", "type": "counter"})).expect(201);
    daemon.client().record(&json!({"name": "copied_total", "increment": 4})).expect(202);
    daemon.stop();

    let second = Setup::quiet();
    copy(&first.data(), &second.data());
    let daemon = second.start();
    for (part, expected) in [("sealed", &sealed), ("fresh", &fresh)] {
        let found = daemon.client().query(&format!("copied{{part=\"{part}\"}}[2h]"), start + HOUR_MS);
        assert_eq!(points(&found[0]["values"]), expected.samples, "{part}");
    }
    daemon.client().record(&json!({"name": "copied_total", "increment": 1})).expect(202);
    assert_eq!(daemon.client().value("copied_total", now_ms()), Some(5.0));
}
