//! Since when the machine is up, and its time of day.

use crate::collect::{CollectError, Gathered, Source};

/// Boot time and time of day.
#[derive(Debug)]
pub(crate) struct Uptime;

impl Source for Uptime {
    fn name(&self) -> &str {
        "uptime"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let boot = sysinfo::System::boot_time().map_err(|e| CollectError::System { what: "the time of boot", reason: e.to_string() })?;
        out.gauge("node_boot_time_seconds", "Node boot time, in unixtime.").put(&[], boot as f64);
        let now = out.time().seconds();
        out.gauge("node_time_seconds", "System time in seconds since epoch (1970).").put(&[], now);
        Ok(())
    }
}
