//! The processes that use most of the processor and of memory, by name and at a pace of their own,
//! for looking into every process is what costs most. Threads are not looked at.
//!
//! At most `most` names for each of the two; a series whose name falls out is ended by the scheduler.

use std::collections::BTreeMap;
use std::time::Duration;

use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use crate::collect::source::beat;
use crate::collect::{CollectError, Gathered, Source};
use crate::model::Timestamp;

/// Top processes.
pub(crate) struct Top {
    every: Duration,
    most: usize,
    system: Option<System>,
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
        Self { every, most, system: None, last: None, primed: false }
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
        let system = match &mut self.system {
            Some(system) => system,
            none => none.insert(System::new().map_err(|e| CollectError::System { what: "processes", reason: e.to_string() })?),
        };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        let mut by_name: BTreeMap<String, Usage> = BTreeMap::new();
        let mut by_state: BTreeMap<&'static str, usize> = BTreeMap::new();
        for process in system.processes().values() {
            let usage = by_name.entry(process.name().to_string_lossy().into_owned()).or_default();
            usage.cpu_ratio += f64::from(process.cpu_usage()) / 100.0;
            usage.memory_bytes += process.memory() as f64;
            *by_state.entry(state_letter(process.status())).or_default() += 1;
        }
        put_top(&by_name, self.most, self.primed, out);
        let mut rows = out.gauge("node_processes_state", "Number of processes in each state.");
        for (state, count) in by_state {
            rows.put(&[("state", state)], count as f64);
        }
        Ok(())
    }
}

/// The letter of `/proc/PID/stat`.
fn state_letter(status: ProcessStatus) -> &'static str {
    match status {
        ProcessStatus::Run => "R",
        ProcessStatus::Sleep => "S",
        ProcessStatus::UninterruptibleDiskSleep => "D",
        ProcessStatus::Zombie => "Z",
        ProcessStatus::Stop => "T",
        ProcessStatus::Tracing => "t",
        ProcessStatus::Dead => "X",
        ProcessStatus::Wakekill => "K",
        ProcessStatus::Waking => "W",
        ProcessStatus::Parked => "P",
        _ => "I",
    }
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
