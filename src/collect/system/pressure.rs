//! Pressure stall information, from `/proc/pressure`. A kernel without it is no error.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};

/// Time that tasks waited for a resource.
#[derive(Debug, Default)]
pub(crate) struct PressureStall;

impl Source for PressureStall {
    fn name(&self) -> &str {
        "pressure"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let mut buffer = Buffer::default();
        for resource in ["cpu", "io", "memory"] {
            match buffer.read_if_there(&format!("/proc/pressure/{resource}")) {
                Ok(Some(text)) => put(resource, text, out),
                Ok(None) => {}
                // Compiled in and switched off: the file is there and refuses.
                Err(CollectError::Read { source, .. }) if source.kind() == std::io::ErrorKind::Unsupported => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

fn put(resource: &str, text: &str, out: &mut Gathered) {
    let total = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
        let micros: u64 = line.split_once("total=")?.1.trim().parse().ok()?;
        Some(micros as f64 / 1e6)
    };
    if let Some(seconds) = total("some ") {
        let help = if resource == "cpu" {
            "Total time in seconds that processes have waited for CPU time".to_owned()
        } else {
            format!("Total time in seconds that processes have waited due to {} congestion", shown(resource))
        };
        out.counter(format!("node_pressure_{resource}_waiting_seconds_total"), help).put(&[], seconds);
    }
    // What "full" would mean for the processor is not defined for a whole machine.
    if resource != "cpu"
        && let Some(seconds) = total("full ")
    {
        let help = format!("Total time in seconds no process could make progress due to {} congestion", shown(resource));
        out.counter(format!("node_pressure_{resource}_stalled_seconds_total"), help).put(&[], seconds);
    }
}

fn shown(resource: &str) -> &str {
    if resource == "io" { "IO" } else { resource }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn microseconds_become_seconds() {
        let text = "some avg10=0.00 avg60=0.10 avg300=0.00 total=5026521\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4639661\n";
        let mut out = Gathered::default();
        put("io", text, &mut out);
        put("cpu", text, &mut out);
        assert_eq!(value(&out, "node_pressure_io_waiting_seconds_total", &[]), Some(5.026_521));
        assert_eq!(value(&out, "node_pressure_io_stalled_seconds_total", &[]), Some(4.639_661));
        assert_eq!(out.rows().len(), 3);
    }
}
