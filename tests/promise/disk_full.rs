//! A full disk costs resolution, then time, and never the daemon: what fits is taken, it opens again,
//! and it writes by itself when there is room. Guards against a store that cannot free what it holds
//! because freeing takes room. On a file system of its own, in memory; needs root to mount it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::harness::{Client, HOUR_MS, MINUTE_MS, Pushed, Setup, eventually, now_ms, skip};

const WITHIN: Duration = Duration::from_secs(60);
/// Exit code of a data directory that is in use or not writable.
const DATA_DIRECTORY: i32 = 75;
/// Sealed before the disk is full.
const HISTORY_HOURS: i64 = 12;
/// Series of a push, and samples of each.
const SERIES: usize = 50;

/// A small file system, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Small {
    fn mount_again(&self, how: &str) -> bool {
        let options = format!("remount,{how}");
        Command::new("mount").args(["-o", &options]).arg(&self.0).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a daemon that is being killed may still hold it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Values that no codec makes small.
fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from_bits((mixed ^ (mixed >> 27)) >> 12 | 0x3ff0_0000_0000_0000)
}

/// Sixty samples a second apart of each series, from `start` on.
fn minute(start: i64) -> Vec<Pushed> {
    let series = |i: usize| {
        let samples = (0..60).map(|n| (start + n * 1000, noise(start as u64 + n as u64 * 1000 + i as u64))).collect();
        Pushed::new("crowd", &[("n", &i.to_string())], samples)
    };
    (0..SERIES).map(series).collect()
}

/// Pushes minute after minute while they are taken; the number of minutes acknowledged.
fn push_minutes(client: &Client, start: i64, from: i64, to: i64) -> i64 {
    for n in from..to {
        let answer = client.try_push(&minute(start + n * MINUTE_MS)).expect("the daemon answers");
        if !matches!(answer.status, 200 | 204) {
            assert!(matches!(answer.status, 503 | 507), "a full disk is told as such: {} {}", answer.status, answer.text);
            return n;
        }
    }
    to
}

fn taken_again(client: &Client, start: i64, n: i64) {
    eventually("samples are taken again", WITHIN, || client.try_push(&minute(start + n * MINUTE_MS)).filter(|answer| matches!(answer.status, 200 | 204)));
}

/// How many samples of one series the first hours hold, whatever tier has them.
fn counted(client: &Client, start: i64) -> Option<f64> {
    client.value(&format!("count_over_time(crowd{{n=\"7\"}}[{HISTORY_HOURS}h])"), start + HISTORY_HOURS * HOUR_MS)
}

#[test]
fn a_full_disk_costs_resolution_and_never_the_daemon() {
    let setup = Setup::quiet().set("retention.max_bytes=1GiB").set("ingest.late_window=1m");
    let Some(small) = Small::mount(&setup.data(), 64) else {
        return skip("a full disk", "no small file system can be mounted here (needs root)");
    };
    let start = (now_ms() - 40 * HOUR_MS) / HOUR_MS * HOUR_MS;
    let daemon = setup.start();
    let client = daemon.client();
    for hour in 0..HISTORY_HOURS {
        assert_eq!(push_minutes(client, start, hour * 60, (hour + 1) * 60), (hour + 1) * 60);
        client.settle();
    }
    assert!(small.0.join("reserve").exists());
    let oldest = || client.api("metrics/stats")["tiers"]["raw"]["oldest"].as_i64().unwrap();
    let before = oldest();
    // Something else takes all the room there is.
    let ballast = small.0.join("ballast");
    fill(&ballast);
    let last = (HISTORY_HOURS + 20) * 60;
    let mut done = push_minutes(client, start, HISTORY_HOURS * 60, last);
    assert!(done < last, "the disk was never full");
    taken_again(client, start, done);
    done += 1;
    assert!(oldest() > before, "raw was given up");
    assert!(daemon.log().contains("the disk is full: the oldest files are given up"), "and the log says so");
    assert_eq!(counted(client, start), Some(HISTORY_HOURS as f64 * 3600.0), "the history is there, coarser");
    // Again, until nothing is left to give up; it must come back after a crash all the same.
    fill(&small.0.join("more"));
    daemon.kill();
    let daemon = setup.start();
    let client = daemon.client();
    assert!(client.value("count(crowd)", start + MINUTE_MS).is_some_and(|n| n == SERIES as f64), "what was stored is answered");
    fs::remove_file(&ballast).unwrap();
    fs::remove_file(small.0.join("more")).unwrap();
    taken_again(client, start, done);
    eventually("the reserve is there again", WITHIN, || small.0.join("reserve").exists().then_some(()));
    let healthy = || (client.api("metrics/health")["components"]["compactor"]["status"] == "healthy").then_some(());
    eventually("maintenance works again", WITHIN, healthy);
    daemon.stop();
}

#[test]
fn a_directory_that_turned_read_only_is_refused_and_works_when_it_can_be_written_again() {
    let setup = Setup::quiet();
    let Some(small) = Small::mount(&setup.data(), 64) else {
        return skip("a read-only directory", "no small file system can be mounted here (needs root)");
    };
    let daemon = setup.start();
    let start = now_ms() - 5 * MINUTE_MS;
    daemon.client().push(&[Pushed::new("kept", &[], vec![(start, 7.0)])]);
    daemon.stop();
    assert!(small.mount_again("ro"), "the file system is mounted anew, to be read alone");
    setup.refused(&[]).is(DATA_DIRECTORY, &["data"]);
    assert!(small.mount_again("rw"));
    let daemon = setup.start();
    assert_eq!(daemon.client().value("kept", start), Some(7.0));
    daemon.stop();
}

/// Takes all that is free.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    let block = vec![0x5a; 1 << 16];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&[0x5a]).is_ok() {}
}
