//! What this process uses, under the names that every Prometheus client gives.

use procfs::process::{LimitValue, Process};

use crate::collect::{CollectError, Gathered};

/// Adds processor time, memory, files and start time of this process.
///
/// # Errors
/// `/proc/self` cannot be read.
pub(crate) fn own_process(out: &mut Gathered) -> Result<(), CollectError> {
    let failed = |e: procfs::ProcError| CollectError::System { what: "this process", reason: e.to_string() };
    let process = Process::myself().map_err(failed)?;
    let stat = process.stat().map_err(failed)?;
    let ticks = procfs::ticks_per_second() as f64;
    out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.").put(&[], (stat.utime + stat.stime) as f64 / ticks);
    out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.").put(&[], (stat.rss * procfs::page_size()) as f64);
    out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.").put(&[], stat.vsize as f64);
    out.gauge("process_threads", "Number of OS threads in the process.").put(&[], stat.num_threads as f64);
    let open = process.fd_count().map_err(failed)?;
    out.gauge("process_open_fds", "Number of open file descriptors.").put(&[], open as f64);
    if let LimitValue::Value(max) = process.limits().map_err(failed)?.max_open_files.soft_limit {
        out.gauge("process_max_fds", "Maximum number of open file descriptors.").put(&[], max as f64);
    }
    let boot = sysinfo::System::boot_time().map_err(|e| CollectError::System { what: "the time of boot", reason: e.to_string() })?;
    let started = boot as f64 + stat.starttime as f64 / ticks;
    out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.").put(&[], started);
    Ok(())
}
