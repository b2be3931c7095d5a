//! The processes that use most of the processor and of memory, by name and at a pace of their own,
//! for looking into every process is what costs most: of each only `stat` is read (sysinfo opens
//! three files a process, which is three times the cost). Threads are not looked at.
//!
//! At most `most` names for each of the two; a series whose name falls out is ended by the scheduler.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use procfs::FromRead;
use procfs::process::Stat;

use crate::clock::Stopwatch;
use crate::collect::source::beat;
use crate::collect::system::read::FileBytes;
use crate::collect::{CollectError, Gathered, Source};
use crate::model::Timestamp;

/// Top processes.
pub(crate) struct Top {
    every: Duration,
    most: usize,
    /// Ticks that each process had used, by number and time of start, and when they were read.
    before: HashMap<(i32, u64), u64>,
    read: Option<Stopwatch>,
    bytes: FileBytes,
    last: Option<Timestamp>,
    /// Processor time is a difference: the first reading has none.
    primed: bool,
}

/// What all processes of one name use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Usage {
    cpu_ratio: f64,
    memory_bytes: f64,
}

impl Top {
    /// At most `most` names, looked for once in `every`.
    pub(crate) fn new(every: Duration, most: usize) -> Self {
        Self { every, most, before: HashMap::new(), read: None, bytes: FileBytes::default(), last: None, primed: false }
    }
}

impl Source for Top {
    fn name(&self) -> &str {
        "top"
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        let due = !self.primed || beat(self.every, self.last, now);
        if due {
            self.primed = self.last.is_some();
            self.last = Some(now);
        }
        due
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let watch = Stopwatch::start();
        let seconds = self.read.replace(watch).map_or(f64::INFINITY, |read| read.elapsed().as_secs_f64());
        let before = std::mem::take(&mut self.before);
        let mut by_name: BTreeMap<String, Usage> = BTreeMap::new();
        let mut by_state: BTreeMap<char, usize> = BTreeMap::new();
        for pid in process_numbers()? {
            // A process that ends meanwhile is no failure.
            let Some(stat) = self.bytes.read(&format!("/proc/{pid}/stat")).and_then(|bytes| Stat::from_read(bytes).ok()) else { continue };
            let key = (stat.pid, stat.starttime);
            let ticks = stat.utime + stat.stime;
            let used = ticks.saturating_sub(before.get(&key).copied().unwrap_or(0));
            let usage = by_name.entry(stat.comm).or_default();
            usage.cpu_ratio += used as f64 / procfs::ticks_per_second() as f64 / seconds;
            usage.memory_bytes += (stat.rss * procfs::page_size()) as f64;
            *by_state.entry(stat.state).or_default() += 1;
            self.before.insert(key, ticks);
        }
        put_top(&by_name, self.most, self.primed, out);
        let mut rows = out.gauge("node_processes_state", "Number of processes in each state.");
        for (state, count) in by_state {
            rows.put(&[("state", state.encode_utf8(&mut [0; 4]))], count as f64);
        }
        Ok(())
    }
}

/// Numbers of all processes, without their threads.
fn process_numbers() -> Result<Vec<i32>, CollectError> {
    let entries = std::fs::read_dir("/proc").map_err(|source| CollectError::Read { path: "/proc".into(), source })?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

fn put_top(by_name: &BTreeMap<String, Usage>, most: usize, with_cpu: bool, out: &mut Gathered) {
    let mut put = |name: &'static str, help: &'static str, of: fn(&Usage) -> f64| {
        let mut used: Vec<(&str, f64)> = by_name.iter().map(|(name, usage)| (name.as_str(), of(usage))).filter(|(_, used)| *used > 0.0).collect();
        used.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let mut rows = out.gauge(name, help);
        for (process, used) in used.into_iter().take(most) {
            rows.put(&[("process", process)], used);
        }
    };
    if with_cpu {
        put("latido_top_process_cpu_ratio", "Processor use of the top processes, by name; 1 is one core.", |usage| usage.cpu_ratio);
    }
    put("latido_top_process_resident_memory_bytes", "Resident memory of the top processes, by name.", |usage| usage.memory_bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_names_than_allowed_and_the_largest_first() {
        let usage = |n: usize| Usage { cpu_ratio: n as f64 / 100.0, memory_bytes: 1.0 };
        let by_name: BTreeMap<String, Usage> = (0..500).map(|n| (format!("p{n:03}"), usage(n))).collect();
        let mut out = Gathered::default();
        put_top(&by_name, 3, true, &mut out);
        let shown: Vec<&str> = out.rows().iter().map(|row| row.labels[0].1.as_str()).collect();
        assert_eq!(shown, ["p499", "p498", "p497", "p000", "p001", "p002"]);
    }

    #[test]
    fn the_processor_shows_from_the_second_reading_on() {
        let mut top = Top::new(Duration::from_secs(60), 1000);
        assert!(top.is_due(Timestamp(1000)));
        let mut out = Gathered::default();
        top.collect(&mut out).unwrap();
        assert!(out.rows().iter().all(|row| row.name != "latido_top_process_cpu_ratio"));
        assert!(out.rows().iter().any(|row| row.name == "node_processes_state"));
        assert!(top.is_due(Timestamp(2000)) && !top.is_due(Timestamp(3000)) && top.is_due(Timestamp(60_000)));
    }
}
