//! Room on file systems: mounts from `/proc`, figures by statfs. A mount that hangs (a dead network
//! share) hangs this source alone; the scheduler leaves it behind.

use std::collections::BTreeSet;

use rustix::fs::{StatFs, statfs};

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};

const POINTS: [&str; 8] = ["/dev", "/proc", "/run", "/sys", "/mnt", "/media", "/var/lib/docker/", "/var/lib/containers/storage/"];
const TYPES: [&str; 24] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
];

/// File systems.
#[derive(Debug, Default)]
pub(crate) struct Filesystem(Buffer);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mount {
    device: String,
    point: String,
    kind: String,
    read_only: bool,
}

impl Source for Filesystem {
    fn name(&self) -> &str {
        "filesystem"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        // The first process sees the machine's mounts even where a unit hides some from this one.
        let text = match self.0.read("/proc/1/mounts") {
            Ok(_) => self.0.read("/proc/1/mounts")?,
            Err(_) => self.0.read("/proc/self/mounts")?,
        };
        for mount in mounts(text) {
            put(&mount, statfs(mount.point.as_str()).ok(), out);
        }
        Ok(())
    }
}

/// Mounts that are watched, each once.
fn mounts(text: &str) -> BTreeSet<Mount> {
    let parsed = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, point, kind, options) = (words.next()?, unescape(words.next()?), words.next()?, words.next()?);
        let read_only = options.split(',').any(|option| option == "ro");
        Some(Mount { device: unescape(device), point, kind: kind.to_owned(), read_only })
    });
    parsed.filter(|mount| !excluded(mount)).collect()
}

/// node_exporter's defaults: `^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|…)($|/)`, and kinds that hold no data.
fn excluded(mount: &Mount) -> bool {
    let under = |point: &str| match mount.point.strip_prefix(point) {
        Some(rest) if point.ends_with('/') => !rest.is_empty(),
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    };
    TYPES.contains(&mount.kind.as_str()) || POINTS.into_iter().any(under)
}

/// The kernel writes blank, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn put(mount: &Mount, figures: Option<StatFs>, out: &mut Gathered) {
    let labels = [("device", mount.device.as_str()), ("fstype", mount.kind.as_str()), ("mountpoint", mount.point.as_str())];
    let mut gauge = |name: &'static str, help: &'static str, value: f64| {
        out.gauge(name, help).put(&labels, value);
    };
    let error = if figures.is_none() { 1.0 } else { 0.0 };
    gauge("node_filesystem_device_error", "Whether an error occurred while getting statistics for the given device.", error);
    let Some(figures) = figures else { return };
    let block = figures.f_bsize as f64;
    gauge("node_filesystem_size_bytes", "Filesystem size in bytes.", figures.f_blocks as f64 * block);
    gauge("node_filesystem_free_bytes", "Filesystem free space in bytes.", figures.f_bfree as f64 * block);
    gauge("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.", figures.f_bavail as f64 * block);
    gauge("node_filesystem_files", "Filesystem total file nodes.", figures.f_files as f64);
    gauge("node_filesystem_files_free", "Filesystem total free file nodes.", figures.f_ffree as f64);
    gauge("node_filesystem_readonly", "Filesystem read-only status.", f64::from(u8::from(mount.read_only)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_without_data_are_left_out_and_each_stands_once() {
        let text = "/dev/vda / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\ntmpfs /running tmpfs ro,nosuid 0 0\n\
                    overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n/dev/vdb /var/lib/docker ext4 rw 0 0\n/dev/vda / ext4 rw,relatime 0 0\n\
                    //nas/a\\040b /srv/a\\040b cifs rw 0 0\n";
        let found: Vec<(String, bool)> = mounts(text).into_iter().map(|m| (m.point, m.read_only)).collect();
        let want = [("/srv/a b", false), ("/", false), ("/var/lib/docker", false), ("/running", true)];
        assert_eq!(found, want.map(|(point, ro)| (point.to_owned(), ro)));
    }
}
