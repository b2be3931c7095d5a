//! Restoring: a verified backup becomes a data directory. What stood there is moved aside, never
//! overwritten, and only where that was asked for.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::create::sync_parent;
use super::manifest::{self, Manifest};
use super::verify::{Verified, verify};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::files::hold;

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What is in the directory now.
    pub verified: Verified,
    /// Where that lies which stood there before.
    pub moved_to: Option<PathBuf>,
}

/// Verifies `source` and makes `target` of it. With `replace` what stands at `target` is moved
/// beside it, under a name with `now`.
///
/// # Errors
/// The backup is damaged, the target is in use or not empty (without `replace`), or it cannot be
/// written: the target is as it was then.
pub fn restore(source: &Path, target: &Path, replace: bool, now: Timestamp) -> Result<Restored, StoreError> {
    let verified = verify(source)?;
    if !verified.problems.is_empty() {
        return Err(StoreError::Damaged { what: format!("the backup {}", source.display()), reason: verified.problems.join("; ") });
    }
    let taken = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some());
    if taken && !replace {
        return Err(StoreError::Exists { path: target.to_owned() });
    }
    // Held until the end: no daemon may begin on what is moved away.
    let _held = if taken { Some(hold(target)?) } else { None };
    let beside = |suffix: &str| {
        let mut path = target.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    };
    let fresh = beside(".restoring");
    let _ = fs::remove_dir_all(&fresh);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { doing: "restore", path, source }
    };
    copy(source, &fresh).inspect_err(|_| {
        let _ = fs::remove_dir_all(&fresh);
    })?;
    let moved_to = taken.then(|| beside(&format!(".before-{}", now.0)));
    match &moved_to {
        Some(aside) => fs::rename(target, aside).map_err(failed(target))?,
        None => {
            let _ = fs::remove_dir(target);
        }
    }
    fs::rename(&fresh, target).and_then(|()| sync_parent(target)).map_err(failed(target))?;
    Ok(Restored { verified, moved_to })
}

fn copy(source: &Path, fresh: &Path) -> Result<(), StoreError> {
    let path = source.join(manifest::NAME);
    let manifest = Manifest::parse(&fs::read(&path).map_err(|source| StoreError::File { doing: "read", path, source })?)?;
    create_private(fresh).map_err(|source| StoreError::File { doing: "make", path: fresh.to_owned(), source })?;
    for entry in &manifest.files {
        let (from, to) = (source.join(&entry.name), fresh.join(&entry.name));
        copy_one(&from, &to).map_err(|source| StoreError::File { doing: "restore", path: to, source })?;
    }
    Ok(())
}

fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

fn copy_one(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to)?;
    // Sealed files are read-only; the catalog is written again.
    let mode =
        if to.parent().and_then(Path::file_name).is_some_and(|name| ["raw", "aggregated", "summary"].iter().any(|tier| name == *tier)) { 0o440 } else { 0o600 };
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    File::open(to)?.sync_all()
}
