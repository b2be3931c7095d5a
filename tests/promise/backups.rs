//! A backup taken under load holds every sample that was acknowledged before it was asked for, and a
//! restored directory is a store like any other. Guards against a picture that is torn between
//! journal, catalog and files, and against a restore that overwrites.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use crate::harness::{HOUR_MS, Pushed, Setup, now_ms};

fn latido(arguments: &[&str]) -> (Option<i32>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_latido")).args(arguments).output().expect("latido runs");
    (done.status.code(), format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)))
}

#[test]
fn a_backup_under_load_holds_what_was_acknowledged_and_restores() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let client = daemon.client();
    let start = now_ms() - 2 * HOUR_MS;
    let (acknowledged, stop) = (AtomicI64::new(0), AtomicBool::new(false));
    let data = setup.data();
    let data = data.to_str().unwrap();
    let backups: Vec<(String, i64)> = thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                client.push(&[Pushed::new("kept", &[("job", "t")], vec![(start + n * 100, n as f64)])]);
                acknowledged.store(n + 1, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                client.settle();
            }
        });
        let made = (0..4)
            .map(|round| {
                while acknowledged.load(Ordering::SeqCst) < (round + 1) * 50 {
                    thread::yield_now();
                }
                let to = setup.home().join(format!("backup{round}"));
                let to = to.to_str().unwrap().to_owned();
                let before = acknowledged.load(Ordering::SeqCst);
                let (code, said) = latido(&["backup", "create", &to, "--data-dir", data]);
                assert_eq!(code, Some(0), "{said}");
                (to, before)
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        made
    });
    daemon.stop();
    for (backup, before) in &backups {
        let (code, said) = latido(&["backup", "verify", backup]);
        assert_eq!(code, Some(0), "{said}");
        let to = format!("{backup}-restored");
        let (code, said) = latido(&["restore", backup, "--data-dir", &to]);
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = latido(&["query", "count_over_time(kept[3h])", "--data-dir", &to, "--format", "csv"]);
        assert_eq!(code, Some(0), "{said}");
        let count: f64 = said.trim().rsplit(['\n', ',']).next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
        assert!(count >= *before as f64, "{count} of {before} acknowledged samples are in {backup}");
    }
    let (code, said) = latido(&["restore", &backups[0].0, "--data-dir", data]);
    assert!(code == Some(1) && said.contains("not empty"), "{code:?} {said}");
    let (code, said) = latido(&["restore", &backups[0].0, "--data-dir", data, "--force"]);
    assert!(code == Some(0) && said.contains(".before-"), "{code:?} {said}");
    let (code, said) = latido(&["verify", "--data-dir", data]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_backup_of_a_stopped_store_and_a_damaged_one() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    daemon.client().push(&[Pushed::new("kept", &[("job", "t")], vec![(now_ms(), 1.0)])]);
    daemon.stop();
    let (data, to) = (setup.data(), setup.home().join("b"));
    let (data, to) = (data.to_str().unwrap(), to.to_str().unwrap());
    let (code, said) = latido(&["backup", "create", to, "--data-dir", data]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = latido(&["backup", "create", to, "--data-dir", data]);
    assert!(code == Some(1) && said.contains("there already"), "{code:?} {said}");
    std::fs::write(setup.home().join("b/catalog.redb"), b"short").unwrap();
    let (code, said) = latido(&["backup", "verify", to]);
    assert!(code == Some(1) && said.contains("catalog.redb"), "{code:?} {said}");
    let fresh = setup.home().join("fresh");
    let (code, said) = latido(&["restore", to, "--data-dir", fresh.to_str().unwrap()]);
    assert!(code == Some(1) && !fresh.exists(), "{code:?} {said}");
}
