//! What belongs to a backup: every file with its length and checksum, and a checksum of the list
//! itself, so that a backup that was cut short or changed is known as such.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::store::StoreError;

/// The manifest's name in a backup. It is written last.
pub(super) const NAME: &str = "manifest.json";
/// The version of the backup's layout.
const VERSION: u32 = 1;

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path below the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// XXH3 of its bytes, 16 hexadecimal digits.
    pub xxh3: String,
}

/// The list of a backup's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The layout of the backup.
    pub version: u32,
    /// The format of the store in it.
    pub format: u32,
    /// When it was made, in Unix ms: everything acknowledged before is in it.
    pub created: Timestamp,
    /// Every file but this one.
    pub files: Vec<Entry>,
    /// Partitions that were damaged already and are not in it.
    pub damaged: Vec<String>,
    /// XXH3 of this text with an empty checksum.
    pub checksum: String,
}

/// A checksum as it is written.
pub(super) fn hex(checksum: u64) -> String {
    format!("{checksum:016x}")
}

impl Manifest {
    pub(super) fn new(format: u32, created: Timestamp, files: Vec<Entry>, damaged: Vec<String>) -> Self {
        let mut manifest = Self { version: VERSION, format, created, files, damaged, checksum: String::new() };
        manifest.checksum = manifest.own_checksum();
        manifest
    }

    fn own_checksum(&self) -> String {
        let blank = Self { checksum: String::new(), ..self.clone() };
        hex(xxhash_rust::xxh3::xxh3_64(&serde_json::to_vec(&blank).unwrap_or_default()))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads a manifest that is whole.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |reason: String| StoreError::Damaged { what: NAME.to_owned(), reason };
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(format!("it is of version {}, this latido knows {VERSION}", manifest.version)));
        }
        if manifest.checksum != manifest.own_checksum() {
            return Err(damaged("its own checksum does not fit".to_owned()));
        }
        if manifest.to_bytes() != bytes {
            return Err(damaged("it is not written as latido writes it".to_owned()));
        }
        let sound = |name: &str| !name.is_empty() && !name.starts_with('/') && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        match manifest.files.iter().find(|entry| !sound(&entry.name)) {
            Some(entry) => Err(damaged(format!("{:?} is no name of a file in a backup", entry.name))),
            None => Ok(manifest),
        }
    }
}
