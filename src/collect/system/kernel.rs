//! Small stocks of the kernel: open files, entropy, tracked connections.

use std::path::Path;

use super::read::{Buffer, number};
use crate::collect::{CollectError, Gathered, Source};

/// Open files, entropy, tracked connections.
#[derive(Debug, Default)]
pub(crate) struct Kernel(Buffer);

/// Gauges that are one number in one file, and left out where there is none.
const FILES: [(&str, &str, &str); 4] = [
    ("node_entropy_available_bits", "Bits of available entropy.", "/proc/sys/kernel/random/entropy_avail"),
    ("node_entropy_pool_size_bits", "Bits of entropy pool.", "/proc/sys/kernel/random/poolsize"),
    ("node_nf_conntrack_entries", "Number of currently allocated flow entries for connection tracking.", "/proc/sys/net/netfilter/nf_conntrack_count"),
    ("node_nf_conntrack_entries_limit", "Maximum size of connection tracking table.", "/proc/sys/net/netfilter/nf_conntrack_max"),
];

impl Source for Kernel {
    fn name(&self) -> &str {
        "kernel"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        file_handles(self.0.read("/proc/sys/fs/file-nr")?, out);
        for (name, help, file) in FILES {
            if let Some(value) = number(Path::new(file)) {
                out.gauge(name, help).put(&[], value);
            }
        }
        Ok(())
    }
}

/// Allocated, unused and most.
fn file_handles(text: &str, out: &mut Gathered) {
    let mut words = text.split_ascii_whitespace().map(|word| word.parse::<f64>().ok());
    if let (Some(Some(allocated)), Some(Some(maximum))) = (words.next(), words.nth(1)) {
        out.gauge("node_filefd_allocated", "File descriptor statistics: allocated.").put(&[], allocated);
        out.gauge("node_filefd_maximum", "File descriptor statistics: maximum.").put(&[], maximum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn file_handles_are_first_and_third() {
        let mut out = Gathered::default();
        file_handles("601\t0\t2466183\n", &mut out);
        assert_eq!((value(&out, "node_filefd_allocated", &[]), value(&out, "node_filefd_maximum", &[])), (Some(601.0), Some(2_466_183.0)));
    }
}
