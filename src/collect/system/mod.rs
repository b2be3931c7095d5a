//! The machine, under node_exporter's names, labels and units. Knows no scheduler and no store.
//!
//! Files: `read` a buffer for kernel files; then one source each: `cpu`, `memory`, `vmstat`, `disk`,
//! `filesystem`, `network`, `netstat`, `sockstat`, `process`, `load`, `thermal`, `pressure`,
//! `uptime`, `uname`, `kernel`, `top`; `own_process` what this process uses. The only user of
//! `sysinfo` and `procfs`.

use std::net::IpAddr;

mod cpu;
mod disk;
mod filesystem;
mod kernel;
mod load;
mod memory;
mod netstat;
mod network;
mod own_process;
mod pressure;
mod process;
mod read;
mod sockstat;
mod thermal;
mod top;
mod uname;
mod uptime;
mod vmstat;

pub(crate) use cpu::Cpu;
pub(crate) use disk::Disk;
pub(crate) use filesystem::Filesystem;
pub(crate) use kernel::Kernel;
pub(crate) use load::Load;
pub(crate) use memory::Memory;
pub(crate) use netstat::Netstat;
pub(crate) use network::Network;
pub(crate) use own_process::own_process;
pub(crate) use pressure::PressureStall;
pub(crate) use process::Processes;
pub(crate) use sockstat::Sockstat;
pub(crate) use thermal::Thermal;
pub(crate) use top::Top;
pub(crate) use uname::Uname;
pub(crate) use uptime::Uptime;
pub(crate) use vmstat::Vmstat;

/// The machine's host name: the `instance` label of what is collected.
#[must_use]
pub fn host_name() -> String {
    sysinfo::System::host_name().ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

/// The addresses of the machine's interfaces; none where they cannot be asked for.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let networks = sysinfo::Networks::new_with_refreshed_list().ok();
    networks.iter().flat_map(|all| all.values()).flat_map(|network| network.ip_networks()).map(|network| network.addr).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{cpu, filesystem, kernel, memory, netstat, network, pressure, process, sockstat, vmstat};
    use crate::collect::Gathered;

    proptest! {
        /// A kernel of another age may write anything: an error or nothing, never a panic.
        #[test]
        fn no_text_makes_a_parser_panic(text in "([a-z(]{0,4}[0-9 :=/6\\t\\\\é]{0,6}(total=|some |full |cpu|TCP: )?\\n?){0,12}") {
            let mut out = Gathered::default();
            let _ = (cpu::parse(&text, 100.0, &mut out), memory::parse(&text, &mut out), network::parse(&text, &mut out));
            vmstat::parse(&text, &mut out);
            netstat::paired(&text, &mut out);
            netstat::single(&text, &mut out);
            sockstat::parse(&text, 4096.0, &mut out);
            process::stat(&text, &mut out);
            process::threads(&text, &mut out);
            pressure::put("io", &text, &mut out);
            kernel::file_handles(&text, &mut out);
            filesystem::mounts(&text);
        }
    }

    /// The value of the row with this name and these labels.
    pub(super) fn value(gathered: &Gathered, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let same = |row: &&crate::collect::Row| {
            row.name == name && row.labels.len() == labels.len() && row.labels.iter().zip(labels).all(|((n, v), (wn, wv))| n == wn && v == wv)
        };
        gathered.rows().iter().find(same).map(|row| row.value)
    }
}
