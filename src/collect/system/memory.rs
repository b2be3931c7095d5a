//! Memory, from `/proc/meminfo`: every key of it, under node_exporter's names.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};

const FILE: &str = "/proc/meminfo";

/// Memory and swap.
#[derive(Debug, Default)]
pub(crate) struct Memory(Buffer);

impl Source for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        parse(self.0.read(FILE)?, out)
    }
}

/// `Active(anon): 12 kB` becomes `node_memory_Active_anon_bytes 12288`; a count keeps its bare name.
fn parse(text: &str, out: &mut Gathered) -> Result<(), CollectError> {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(key), Some(word)) = (words.next(), words.next()) else { continue };
        let number: u64 = word.parse().map_err(|_| CollectError::malformed(FILE, format!("{line:?} holds no number")))?;
        let (suffix, factor) = if words.next() == Some("kB") { ("_bytes", 1024.0) } else { ("", 1.0) };
        let key = key.trim_end_matches(':').replace('(', "_").replace(')', "");
        let help = format!("Memory information field {key}{suffix}.");
        out.gauge(format!("node_memory_{key}{suffix}"), help).put(&[], number as f64 * factor);
    }
    if out.rows().is_empty() { Err(CollectError::malformed(FILE, "it is empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn kilobytes_become_bytes_and_counts_stay() {
        let mut out = Gathered::default();
        parse("MemTotal:       24684096 kB\nActive(anon):       1556 kB\nHugePages_Total:       3\n", &mut out).unwrap();
        assert_eq!(value(&out, "node_memory_MemTotal_bytes", &[]), Some(25_276_514_304.0));
        assert_eq!(value(&out, "node_memory_Active_anon_bytes", &[]), Some(1_593_344.0));
        assert_eq!(value(&out, "node_memory_HugePages_Total", &[]), Some(3.0));
        assert!(parse("MemTotal: many kB", &mut out).is_err());
    }
}
