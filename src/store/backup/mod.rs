//! Backup, verification and restore of a whole store.
//!
//! A backup is complete up to the moment at which it was asked for: everything acknowledged until
//! then is sealed first, so that the catalog and the files that it names are all there is. The set
//! of files is pinned by the readers' own rule (a dropped file goes with its last reader), so that
//! sealing, merging and dropping go on meanwhile.
//!
//! Files: `manifest` what belongs to a backup, with checksums; `create` the stream of it, and
//! unpacking one; `verify` every checksum and every row; `restore` into a data directory.
//! Knows no network: it writes to and reads from any stream.

mod create;
mod manifest;
mod restore;
mod verify;

pub use create::{Snapshot, unpack};
pub use manifest::Manifest;
pub use restore::{Restored, restore};
pub use verify::{Verified, verify};

#[cfg(test)]
mod tests;
