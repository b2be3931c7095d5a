//! Sockets by protocol, from `/proc/net/sockstat` and `sockstat6`.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};

/// Sockets.
#[derive(Debug, Default)]
pub(crate) struct Sockstat(Buffer);

impl Source for Sockstat {
    fn name(&self) -> &str {
        "sockstat"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        for file in ["/proc/net/sockstat", "/proc/net/sockstat6"] {
            if let Some(text) = self.0.read_if_there(file)? {
                parse(text, procfs::page_size() as f64, out);
            }
        }
        Ok(())
    }
}

/// `TCP: inuse 4 orphan 0` a line; memory is counted in pages and given in bytes as well.
fn parse(text: &str, page_bytes: f64, out: &mut Gathered) {
    for (protocol, figures) in text.lines().filter_map(|line| line.split_once(": ")) {
        let mut words = figures.split_ascii_whitespace();
        while let (Some(name), Some(Ok(number))) = (words.next(), words.next().map(str::parse::<f64>)) {
            let mut put = |suffix: &str, value: f64| {
                let help = if protocol == "sockets" {
                    "Number of IPv4 sockets in use.".to_owned()
                } else {
                    format!("Number of {protocol} sockets in state {name}{suffix}.")
                };
                out.gauge(format!("node_sockstat_{protocol}_{name}{suffix}"), help).put(&[], value);
            };
            put("", number);
            if name == "mem" {
                put("_bytes", number * page_bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn pages_are_given_in_bytes_too() {
        let mut out = Gathered::default();
        parse("sockets: used 23\nTCP: inuse 4 mem 96\n", 4096.0, &mut out);
        assert_eq!(value(&out, "node_sockstat_sockets_used", &[]), Some(23.0));
        assert_eq!(value(&out, "node_sockstat_TCP_mem_bytes", &[]), Some(393_216.0));
        assert_eq!(out.rows().len(), 4);
    }
}
