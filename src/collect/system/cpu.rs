//! CPU time by core and mode, from `/proc/stat`.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};

const FILE: &str = "/proc/stat";
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// CPU time.
#[derive(Debug, Default)]
pub(crate) struct Cpu(Buffer);

impl Source for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        parse(self.0.read(FILE)?, procfs::ticks_per_second() as f64, out)
    }
}

fn parse(text: &str, ticks: f64, out: &mut Gathered) -> Result<(), CollectError> {
    let cores = || text.lines().filter_map(|line| line.strip_prefix("cpu")).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if cores().next().is_none() {
        return Err(CollectError::malformed(FILE, "it names no core"));
    }
    let mut rows = out.counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
    for core in cores() {
        let mut words = core.split_ascii_whitespace();
        let cpu = words.next().unwrap_or("");
        for (mode, word) in MODES.into_iter().zip(&mut words) {
            rows.put(&[("cpu", cpu), ("mode", mode)], seconds(word, ticks)?);
        }
    }
    let mut rows = out.counter("node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.");
    for core in cores() {
        let mut words = core.split_ascii_whitespace();
        let cpu = words.next().unwrap_or("");
        for (mode, word) in ["user", "nice"].into_iter().zip(words.skip(MODES.len())) {
            rows.put(&[("cpu", cpu), ("mode", mode)], seconds(word, ticks)?);
        }
    }
    Ok(())
}

fn seconds(word: &str, ticks: f64) -> Result<f64, CollectError> {
    let count: u64 = word.parse().map_err(|_| CollectError::malformed(FILE, format!("{word:?} is not a count of ticks")))?;
    Ok(count as f64 / ticks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn ticks_become_seconds_by_core_and_mode() {
        let mut out = Gathered::default();
        let text = "cpu  10 0 0 0 0 0 0 0 0 0\ncpu0 22805 1 2716 580675 114 0 9 19 7 3\ncpu11 1 2 3 4 5 6 7 8 9 10\nintr 5\n";
        parse(text, 100.0, &mut out).unwrap();
        assert_eq!(value(&out, "node_cpu_seconds_total", &[("cpu", "0"), ("mode", "user")]), Some(228.05));
        assert_eq!(value(&out, "node_cpu_seconds_total", &[("cpu", "11"), ("mode", "steal")]), Some(0.08));
        assert_eq!(value(&out, "node_cpu_guest_seconds_total", &[("cpu", "0"), ("mode", "nice")]), Some(0.03));
        assert_eq!(out.rows().len(), 20);
        assert!(parse("cpu0 1 x 3", 100.0, &mut out).is_err() && parse("", 100.0, &mut out).is_err());
    }
}
