//! Room on a full disk: a file of a few MiB that is given up when the disk is full, so that windows can
//! still be rolled up and dropped and the catalog can say so. While it is given up no sample is taken:
//! it is for the clean-up alone. It is made again as soon as there is room.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::StoreError;
use super::files::Files;
use super::keeper::{Keeper, Kept};
use crate::model::ByteCount;
use crate::task::Deadline;

/// The file's name.
pub(super) const NAME: &str = "reserve";
/// What it takes: enough for a rolled-up window and some commits of the catalog.
const MOST: ByteCount = ByteCount::mib(8);
const LEAST: ByteCount = ByteCount::mib(2);
/// What a clean-up frees beyond the reserve, at most, and as a part of the file system.
const ROOM: ByteCount = ByteCount::mib(64);
const ROOM_PART: u64 = 16;

/// What is known of the room on the disk.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// A write found the disk full, and no clean-up has helped since.
    full: AtomicBool,
    /// The reserve is given up.
    given_up: AtomicBool,
}

impl Room {
    /// Remembers that the disk was full.
    pub(super) fn note_full(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    /// Whether the reserve is given up: what is left is for the clean-up.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

impl Files {
    /// Makes the reserve where it is missing, as large as fits; false where nothing of it does.
    pub(super) fn make_reserve(&self, budget: Option<ByteCount>) -> bool {
        let Some(path) = self.on_disk(NAME) else { return true };
        let wanted = budget.map_or(MOST.0, |budget| (budget.0 / ROOM_PART).clamp(LEAST.0, MOST.0));
        let made = self.allocated(NAME) >= LEAST.0 || {
            let make = |bytes: u64| -> std::io::Result<()> {
                let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
                fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
                file.sync_all()
            };
            let made = [wanted, wanted / 2, LEAST.0].into_iter().any(|bytes| bytes >= LEAST.0 && make(bytes).is_ok());
            if !made {
                // Best effort: a file that is too short is no reserve.
                let _ = fs::remove_file(&path);
            }
            made
        };
        if made {
            self.room.full.store(false, Ordering::Relaxed);
            self.room.given_up.store(false, Ordering::Relaxed);
        }
        made
    }

    /// Gives the reserve up; false where there was none.
    pub(super) fn give_up_reserve(&self) -> bool {
        let Some(path) = self.on_disk(NAME) else { return false };
        self.room.given_up.store(true, Ordering::Relaxed);
        fs::remove_file(path).is_ok()
    }

    /// What is free, and what a clean-up should leave free; `None` where nobody knows.
    fn free_and_wanted(&self) -> Option<(u64, u64)> {
        let figures = statvfs(&self.on_disk("")?).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(figures.f_frsize);
        Some((bytes(figures.f_bavail), MOST.0 + ROOM.0.min(bytes(figures.f_blocks) / ROOM_PART)))
    }
}

impl Keeper {
    /// Where a write found the disk full: gives up the reserve, then resolution and at last history,
    /// until there is room, and makes the reserve again.
    ///
    /// # Errors
    /// [`StoreError::Full`]: there is nothing left to give up, and still no room.
    pub(super) fn relieve(&self, deadline: &Deadline, kept: &mut Kept) -> Result<(), StoreError> {
        let files = &self.shared.files;
        if !files.room.full.load(Ordering::Relaxed) {
            return Ok(());
        }
        files.give_up_reserve();
        let is_short = || files.free_and_wanted().is_some_and(|(free, wanted)| free < wanted);
        let (mut given_up, mut failed) = (0, Ok(()));
        while is_short() {
            deadline.check()?;
            match self.spare_one() {
                Ok(Some(dropped)) => given_up += dropped,
                Ok(None) => break,
                Err(error) => {
                    failed = Err(error);
                    break;
                }
            }
        }
        kept.dropped += given_up;
        kept.spared += given_up;
        if given_up > 0 {
            tracing::warn!(files = given_up, "the disk is full: the oldest files are given up, raw before rolled up, so that new samples fit");
        }
        if is_short() {
            // Sealed samples take less than those in the journal, which is cut after the round.
            failed = failed.and(self.seal_everything(deadline, kept));
        }
        // What failed for want of room is due again.
        if files.make_reserve(self.shared.options.max_bytes) { Ok(()) } else { failed.and_then(|()| Err(files.full())) }
    }
}
