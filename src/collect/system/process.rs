//! How many processes there are and what they wait for: `/proc/stat`, `/proc/loadavg` and a listing
//! of `/proc`. Looks into no process: that is `top`, at its own pace.

use super::read::{Buffer, number};
use crate::collect::{CollectError, Gathered, Source};

/// Process counts and what `/proc/stat` counts of the kernel's work.
#[derive(Debug, Default)]
pub(crate) struct Processes(Buffer);

impl Source for Processes {
    fn name(&self) -> &str {
        "process"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        stat(self.0.read("/proc/stat")?, out);
        threads(self.0.read("/proc/loadavg")?, out);
        let listing = std::fs::read_dir("/proc").map_err(|source| CollectError::Read { path: "/proc".into(), source })?;
        let pids = listing.flatten().filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)).count();
        out.gauge("node_processes_pids", "Number of PIDs").put(&[], pids as f64);
        if let Some(max) = number("/proc/sys/kernel/pid_max".as_ref()) {
            out.gauge("node_processes_max_processes", "Number of max PIDs limit").put(&[], max);
        }
        if let Some(max) = number("/proc/sys/kernel/threads-max".as_ref()) {
            out.gauge("node_processes_max_threads", "Limit of threads in the system").put(&[], max);
        }
        Ok(())
    }
}

fn stat(text: &str, out: &mut Gathered) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(key), Some(Ok(value))) = (words.next(), words.next().map(str::parse::<f64>)) else { continue };
        match key {
            "intr" => out.counter("node_intr_total", "Total number of interrupts serviced.").put(&[], value),
            "ctxt" => out.counter("node_context_switches_total", "Total number of context switches.").put(&[], value),
            "processes" => out.counter("node_forks_total", "Total number of forks.").put(&[], value),
            "procs_running" => out.gauge("node_procs_running", "Number of processes in runnable state.").put(&[], value),
            "procs_blocked" => out.gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete.").put(&[], value),
            _ => continue,
        };
    }
}

/// The fourth word of `/proc/loadavg` is `running/threads`.
fn threads(text: &str, out: &mut Gathered) {
    let count = text.split_ascii_whitespace().nth(3).and_then(|word| word.split_once('/')).and_then(|(_, threads)| threads.parse().ok());
    if let Some(count) = count {
        out.gauge("node_processes_threads", "Allocated threads in system").put(&[], count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn counts_are_read_off_stat_and_loadavg() {
        let mut out = Gathered::default();
        stat("cpu 1 2\nintr 400146 0 9\nctxt 507029\nbtime 1795604281\nprocesses 13314\nprocs_running 3\nprocs_blocked 1\nsoftirq 5 1\n", &mut out);
        threads("0.07 0.03 0.01 2/138 9241\n", &mut out);
        assert_eq!(value(&out, "node_intr_total", &[]), Some(400_146.0));
        assert_eq!(value(&out, "node_forks_total", &[]), Some(13_314.0));
        assert_eq!(value(&out, "node_procs_running", &[]), Some(3.0));
        assert_eq!(value(&out, "node_processes_threads", &[]), Some(138.0));
        assert_eq!(out.rows().len(), 6);
    }
}
