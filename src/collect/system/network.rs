//! Network interfaces: counters from `/proc/net/dev`, link state from `/sys/class/net`.

use std::path::{Path, PathBuf};

use super::read::{Buffer, number, word};
use crate::collect::{CollectError, Gathered, Source};

const FILE: &str = "/proc/net/dev";
/// Columns of the file, in its order.
const COLUMNS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

/// Network interfaces.
#[derive(Debug, Default)]
pub(crate) struct Network(Buffer);

impl Source for Network {
    fn name(&self) -> &str {
        "network"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let devices = parse(self.0.read(FILE)?, out)?;
        for device in &devices {
            link(device, out);
        }
        Ok(())
    }
}

/// Adds the counters of every interface but the loopback, and yields the names of all.
fn parse(text: &str, out: &mut Gathered) -> Result<Vec<String>, CollectError> {
    let mut devices = Vec::new();
    for line in text.lines().skip(2) {
        let (device, figures) = line.trim().split_once(':').ok_or_else(|| CollectError::malformed(FILE, format!("{line:?} names no interface")))?;
        devices.push(device.to_owned());
        if device == "lo" {
            continue;
        }
        for (column, word) in COLUMNS.into_iter().zip(figures.split_ascii_whitespace()) {
            let value: u64 = word.parse().map_err(|_| CollectError::malformed(FILE, format!("{word:?} is not a count")))?;
            let help = format!("Network device statistic {column}.");
            out.counter(format!("node_network_{column}_total"), help).put(&[("device", device)], value as f64);
        }
    }
    Ok(devices)
}

/// State of the link, as far as the kernel tells.
fn link(device: &str, out: &mut Gathered) {
    let file = |name: &str| -> PathBuf { Path::new("/sys/class/net").join(device).join(name) };
    let labels = [("device", device)];
    if device != "lo"
        && let Some(value) = number(&file("statistics/rx_nohandler"))
    {
        out.counter("node_network_receive_nohandler_total", "Network device statistic receive_nohandler.").put(&labels, value);
    }
    if let Some(state) = word(&file("operstate")) {
        let up = if state == "up" { 1.0 } else { 0.0 };
        out.gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.").put(&labels, up);
    }
    if let Some(value) = number(&file("carrier")) {
        out.gauge("node_network_carrier", "Network device property: carrier").put(&labels, value);
    }
    if let Some(value) = number(&file("mtu")) {
        out.gauge("node_network_mtu_bytes", "Network device property: mtu_bytes").put(&labels, value);
    }
    if let Some(megabits) = number(&file("speed")) {
        out.gauge("node_network_speed_bytes", "Network device property: speed_bytes").put(&labels, megabits * 125_000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn counters_come_by_interface_without_loopback() {
        let text = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs\n\
                    \x20   lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 90441413    3267    1    2    3     4          5         6   193545    1851    7    8    9    10       11         12\n";
        let mut out = Gathered::default();
        assert_eq!(parse(text, &mut out).unwrap(), ["lo", "eth0"]);
        let of = |name| value(&out, name, &[("device", "eth0")]);
        assert_eq!(of("node_network_receive_bytes_total"), Some(90_441_413.0));
        assert_eq!(of("node_network_receive_multicast_total"), Some(6.0));
        assert_eq!(of("node_network_transmit_compressed_total"), Some(12.0));
        assert_eq!(out.rows().len(), 16);
        assert!(parse("a\nb\neth0: x", &mut out).is_err());
    }
}
