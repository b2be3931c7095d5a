//! How large the file system of a path is, and how much of it is free; how much memory there is.

use std::path::Path;

use crate::model::ByteCount;

/// Space of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub total: ByteCount,
    /// Free to this user.
    pub free: ByteCount,
}

/// Of the file system that holds `path`, or would hold it once it is made; `None` where it cannot be asked.
#[must_use]
pub fn space_of(path: &Path) -> Option<Space> {
    let absolute = std::path::absolute(path).ok()?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists())?;
    let figures = rustix::fs::statvfs(there).ok()?;
    let bytes = |blocks: u64| ByteCount(blocks.saturating_mul(figures.f_frsize));
    // Such as /proc, which has no blocks at all.
    Some(Space { total: bytes(figures.f_blocks), free: bytes(figures.f_bavail) }).filter(|space| space.total.0 > 0)
}

/// Memory of the machine, or of the control group that this process is in; `None` where nobody says.
#[must_use]
pub(super) fn memory() -> Option<ByteCount> {
    let system = rustix::system::sysinfo();
    let machine = (system.totalram as u64).saturating_mul(u64::from(system.mem_unit));
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    Some(ByteCount(group.map_or(machine, |group| group.min(machine)))).filter(|memory| memory.0 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_yet_has_the_space_of_what_holds_it() {
        let space = space_of(Path::new("not/there/yet")).unwrap();
        assert!(space.total >= space.free && space.total.0 > 0);
    }
}
