//! Protocol counters, from `/proc/net/{netstat,snmp,snmp6}`: node_exporter's default choice.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};
use crate::model::MetricType;

/// Protocol counters.
#[derive(Debug, Default)]
pub(crate) struct Netstat(Buffer);

impl Source for Netstat {
    fn name(&self) -> &str {
        "netstat"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        paired(self.0.read("/proc/net/netstat")?, out);
        paired(self.0.read("/proc/net/snmp")?, out);
        // Without IPv6 there is no such file.
        if let Some(text) = self.0.read_if_there("/proc/net/snmp6")? {
            single(text, out);
        }
        Ok(())
    }
}

/// A line of names, then a line of values, both behind the protocol.
fn paired(text: &str, out: &mut Gathered) {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let mut names = names.split_ascii_whitespace();
        let protocol = names.next().unwrap_or("").trim_end_matches(':');
        for (name, value) in names.zip(values.split_ascii_whitespace().skip(1)) {
            put(protocol, name, value, out);
        }
    }
}

/// One name and value a line; the protocol ends in the first 6.
fn single(text: &str, out: &mut Gathered) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(key), Some(value)) = (words.next(), words.next()) else { continue };
        if let Some(six) = key.find('6') {
            put(&key[..=six], &key[six + 1..], value, out);
        }
    }
}

fn put(protocol: &str, name: &str, value: &str, out: &mut Gathered) {
    if !wanted(protocol, name) {
        return;
    }
    if let Ok(number) = value.parse::<f64>() {
        let help = format!("Statistic {protocol}{name}.");
        out.family(format!("node_netstat_{protocol}_{name}"), MetricType::Unknown, help).put(&[], number);
    }
}

fn wanted(protocol: &str, name: &str) -> bool {
    let chosen = match protocol {
        "Ip" => name == "Forwarding",
        "Ip6" | "IpExt" => matches!(name, "InOctets" | "OutOctets"),
        "Icmp" | "Icmp6" => matches!(name, "InMsgs" | "OutMsgs"),
        "TcpExt" => name.starts_with("Listen") || name.starts_with("Syncookies") || matches!(name, "TCPSynRetrans" | "TCPTimeouts"),
        "Tcp" => matches!(name, "ActiveOpens" | "InSegs" | "OutSegs" | "OutRsts" | "PassiveOpens" | "RetransSegs" | "CurrEstab"),
        "Udp" | "Udp6" => matches!(name, "InDatagrams" | "OutDatagrams" | "NoPorts" | "RcvbufErrors" | "SndbufErrors"),
        _ => false,
    };
    chosen || matches!(name, "InErrors" | "InErrs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn both_layouts_are_read() {
        let mut out = Gathered::default();
        paired("Tcp: RtoMin ActiveOpens InErrs\nTcp: 200 18 3\nUdpLite: InErrors\nUdpLite: 4\n", &mut out);
        single("Udp6InDatagrams                 \t7\nUdpLite6InErrors 8\nIp6InReceives 9\n", &mut out);
        assert_eq!(value(&out, "node_netstat_Tcp_ActiveOpens", &[]), Some(18.0));
        assert_eq!(value(&out, "node_netstat_Tcp_InErrs", &[]), Some(3.0));
        assert_eq!(value(&out, "node_netstat_UdpLite_InErrors", &[]), Some(4.0));
        assert_eq!(value(&out, "node_netstat_Udp6_InDatagrams", &[]), Some(7.0));
        assert_eq!(value(&out, "node_netstat_UdpLite6_InErrors", &[]), Some(8.0));
        assert_eq!(out.rows().len(), 5);
    }
}
