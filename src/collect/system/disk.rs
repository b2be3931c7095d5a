//! I/O of block devices, from `/proc/diskstats` through `procfs`. Partitions, RAM and loop devices
//! are left out, as node_exporter does.

use procfs::DiskStat;

use crate::collect::{CollectError, Gathered, Source};

/// Bytes in what the kernel calls a sector here, whatever the device's own is.
const SECTOR_BYTES: f64 = 512.0;

/// Block devices.
#[derive(Debug)]
pub(crate) struct Disk;

impl Source for Disk {
    fn name(&self) -> &str {
        "disk"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let stats = procfs::diskstats().map_err(|e| CollectError::System { what: "disk statistics", reason: e.to_string() })?;
        for stat in stats.iter().filter(|stat| !excluded(&stat.name)) {
            put(stat, out);
        }
        Ok(())
    }
}

fn put(s: &DiskStat, out: &mut Gathered) {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let count = |n: u64| n as f64;
    let mut counter = |name: &'static str, help: &'static str, value: f64| {
        out.counter(name, help).put(&[("device", &s.name)], value);
    };
    counter("node_disk_reads_completed_total", "The total number of reads completed successfully.", count(s.reads));
    counter("node_disk_reads_merged_total", "The total number of reads merged.", count(s.merged));
    counter("node_disk_read_bytes_total", "The total number of bytes read successfully.", count(s.sectors_read) * SECTOR_BYTES);
    counter("node_disk_read_time_seconds_total", "The total number of seconds spent by all reads.", seconds(s.time_reading));
    counter("node_disk_writes_completed_total", "The total number of writes completed successfully.", count(s.writes));
    counter("node_disk_writes_merged_total", "The number of writes merged.", count(s.writes_merged));
    counter("node_disk_written_bytes_total", "The total number of bytes written successfully.", count(s.sectors_written) * SECTOR_BYTES);
    counter("node_disk_write_time_seconds_total", "This is the total number of seconds spent by all writes.", seconds(s.time_writing));
    counter("node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", seconds(s.time_in_progress));
    counter("node_disk_io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.", seconds(s.weighted_time_in_progress));
    let newer = [
        ("node_disk_discards_completed_total", "The total number of discards completed successfully.", s.discards, 1.0),
        ("node_disk_discards_merged_total", "The total number of discards merged.", s.discards_merged, 1.0),
        ("node_disk_discarded_sectors_total", "The total number of sectors discarded successfully.", s.sectors_discarded, 1.0),
        ("node_disk_discard_time_seconds_total", "This is the total number of seconds spent by all discards.", s.time_discarding, 1000.0),
        ("node_disk_flush_requests_total", "The total number of flush requests completed successfully.", s.flushes, 1.0),
        ("node_disk_flush_requests_time_seconds_total", "This is the total number of seconds spent by all flush requests.", s.time_flushing, 1000.0),
    ];
    for (name, help, value, divisor) in newer {
        if let Some(value) = value {
            counter(name, help, count(value) / divisor);
        }
    }
    out.gauge("node_disk_io_now", "The number of I/Os currently in progress.").put(&[("device", &s.name)], count(s.in_progress));
}

/// `^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`
fn excluded(device: &str) -> bool {
    let stem = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == device.len() {
        return false;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let lettered = ["hd", "sd", "vd", "xvd"].iter().any(|start| matches!(stem.strip_prefix(start).map(str::as_bytes), Some([b'a'..=b'z'])));
    let nvme = stem.strip_prefix("nvme").and_then(|rest| rest.strip_suffix('p')).and_then(|rest| rest.split_once('n'));
    matches!(stem, "ram" | "loop" | "fd") || lettered || nvme.is_some_and(|(controller, space)| digits(controller) && digits(space))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn partitions_are_left_out_and_whole_devices_kept() {
        for out in ["ram0", "loop11", "fd0", "sda1", "hdb2", "vda15", "xvda1", "nvme0n1p2"] {
            assert!(excluded(out), "{out}");
        }
        for kept in ["sda", "vda", "xvdb", "nvme0n1", "dm-0", "md127", "zram0", "mmcblk0p1", "sr0", "sdaa1"] {
            assert!(!excluded(kept), "{kept}");
        }
    }

    #[test]
    fn sectors_become_bytes_and_milliseconds_seconds() {
        let stat = DiskStat::from_line("254 0 vda 51528 8537 6521058 58899 4065 34001 3160664 10066 2 8356 69342 4576 14 169496 367 232 8").unwrap();
        let mut out = Gathered::default();
        put(&stat, &mut out);
        let of = |name| value(&out, name, &[("device", "vda")]);
        assert_eq!(of("node_disk_read_bytes_total"), Some(3_338_781_696.0));
        assert_eq!(of("node_disk_io_time_seconds_total"), Some(8.356));
        assert_eq!(of("node_disk_io_now"), Some(2.0));
        assert_eq!(of("node_disk_flush_requests_time_seconds_total"), Some(0.008));
        assert_eq!(out.rows().len(), 17);
    }
}
