//! Verifying: every checksum, every record, every row. Of a backup without touching a byte of it,
//! and of an open store.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::manifest::{self, Manifest};
use crate::store::files::Files;
use crate::store::keeper::Keeper;
use crate::store::partition::{OpenFiles, Partition};
use crate::store::{StoreError, catalog};
use crate::task::Deadline;

/// What verifying found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that were read.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Samples and buckets in them.
    pub rows: u64,
    /// What is wrong, a sentence each. Empty: all is well.
    pub problems: Vec<String>,
    /// What was lost before and is known, a sentence each.
    pub notes: Vec<String>,
}

/// Verifies a backup.
///
/// # Errors
/// It is no backup, or its manifest is damaged; everything less is a problem in the answer.
pub fn verify(directory: &Path) -> Result<Verified, StoreError> {
    let path = directory.join(manifest::NAME);
    let text = fs::read(&path).map_err(|source| StoreError::File { doing: "read", path, source })?;
    let manifest = Manifest::parse(&text)?;
    let files = Arc::new(Files::reading(directory));
    files.check_format()?;
    let mut found = Verified::default();
    for entry in &manifest.files {
        found.files += 1;
        found.bytes += entry.bytes;
        match files.checksum(&entry.name) {
            Ok(checksum) if manifest::hex(checksum) == entry.xxh3 => {}
            Ok(_) => found.problems.push(format!("{} is not what was written: its checksum differs", entry.name)),
            Err(error) => found.problems.push(error.to_string()),
        }
    }
    found.notes.extend(manifest.damaged.iter().map(|name| format!("{name} was damaged when the backup was made and is not in it")));
    if found.problems.is_empty() {
        partitions(&files, &manifest, &mut found)?;
    }
    Ok(found)
}

/// Every partition that the backup's catalog names is in it, and every row of it decodes.
fn partitions(files: &Arc<Files>, manifest: &Manifest, found: &mut Verified) -> Result<(), StoreError> {
    let named: BTreeSet<&str> = manifest.files.iter().map(|entry| entry.name.as_str()).collect();
    let open = Arc::new(OpenFiles::default());
    for record in catalog::records_of(files)? {
        let name = record.name();
        if manifest.damaged.contains(&name) {
            continue;
        }
        if !named.contains(name.as_str()) {
            found.problems.push(format!("{name} is named by the catalog and missing"));
            continue;
        }
        let partition = Partition::new(record, files, &open);
        partition.examine()?;
        found.rows += partition.record.rows;
        found.problems.extend(partition.sick().map(str::to_owned));
    }
    Ok(())
}

impl Keeper {
    /// Reads every sealed file of an open store: its checksum and every row. What is damaged is left
    /// out by readers from then on, and set aside by the next round of maintenance.
    ///
    /// # Errors
    /// A file cannot be read now; a later try may work.
    pub fn verify(&self, deadline: &Deadline) -> Result<Verified, StoreError> {
        let mut found = Verified::default();
        let set = self.shared.read().set.clone();
        for partition in set.iter() {
            deadline.check()?;
            found.files += 1;
            found.bytes += partition.record.bytes;
            found.rows += partition.record.rows;
            if partition.is_as_written()? {
                partition.examine()?;
            }
            found.problems.extend(partition.sick().map(|reason| format!("{}: {reason}", partition.record.name())));
        }
        let lost = self.shared.lost();
        let aside = lost.iter().filter(|l| !set.iter().any(|p| p.record.name() == l.file));
        found.notes.extend(aside.map(|l| format!("{} from {} to {} (Unix ms) was lost before: {}", l.tier, l.range.start.0, l.range.end.0, l.file)));
        Ok(found)
    }

    /// Sets aside what was found damaged, so that the store is whole again without it.
    ///
    /// # Errors
    /// A file cannot be moved, or the catalog cannot be written.
    pub fn repair(&self) -> Result<(), StoreError> {
        self.set_aside()
    }
}
