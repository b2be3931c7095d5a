//! The load averages, through `sysinfo`.

use crate::collect::{CollectError, Gathered, Source};

/// Load averages.
#[derive(Debug)]
pub(crate) struct Load;

impl Source for Load {
    fn name(&self) -> &str {
        "load"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let load = sysinfo::System::load_average().map_err(|e| CollectError::System { what: "the load average", reason: e.to_string() })?;
        out.gauge("node_load1", "1m load average.").put(&[], load.one);
        out.gauge("node_load5", "5m load average.").put(&[], load.five);
        out.gauge("node_load15", "15m load average.").put(&[], load.fifteen);
        Ok(())
    }
}
