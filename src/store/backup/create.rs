//! Making a backup: a pinned picture of the store, written as one tar stream, and unpacking such a
//! stream into a directory that appears only when it is whole. The only user of `tar`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::manifest::{self, Entry, Manifest};
use super::verify::{Verified, verify};
use crate::model::Timestamp;
use crate::store::files::FORMAT;
use crate::store::keeper::{Keeper, Kept};
use crate::store::partition::Partition;
use crate::store::shared::Shared;
use crate::store::{StoreError, catalog};
use crate::task::Deadline;

/// The store at one moment. Files that it names stay until it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    shared: Arc<Shared>,
    set: Arc<Vec<Arc<Partition>>>,
    catalog: Vec<u8>,
    created: Timestamp,
}

impl Keeper {
    /// Seals what is acknowledged and pins what there is then.
    ///
    /// # Errors
    /// What is unsealed cannot be sealed, or the catalog cannot be read.
    pub fn snapshot(&self, deadline: &Deadline) -> Result<Snapshot, StoreError> {
        let shared = &self.shared;
        // No round of the keeper comes between the catalog and the set.
        let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let created = shared.clock.now();
        self.seal_everything(deadline, &mut Kept::default())?;
        let catalog = shared.catalog.image()?;
        Ok(Snapshot { shared: shared.clone(), set: shared.read().set.clone(), catalog, created })
    }
}

impl Snapshot {
    /// Writes everything as a tar stream, the manifest last.
    ///
    /// # Errors
    /// A file cannot be read, or the stream's other end is gone.
    pub fn write(&self, out: impl Write, deadline: &Deadline) -> Result<Manifest, StoreError> {
        let mut archive = Archive { tar: tar::Builder::new(out), created: self.created, files: Vec::new() };
        archive.bytes("FORMAT", format!("{FORMAT}\n").as_bytes())?;
        archive.bytes(catalog::NAME, &self.catalog)?;
        let mut damaged = Vec::new();
        for partition in self.set.iter() {
            deadline.check()?;
            let name = partition.record.name();
            // Looked at before it is sent: what is damaged does not go into a backup as if it were whole.
            if partition.is_as_written()? {
                let (file, length) = self.shared.files.reader(&name)?;
                archive.stream(&name, file, length)?;
            } else {
                damaged.push(name);
            }
        }
        archive.finish(damaged)
    }
}

impl Snapshot {
    /// Writes the backup into a directory: [`write`](Self::write) and [`unpack`] at once, through a
    /// temporary file beside it.
    ///
    /// # Errors
    /// As both.
    pub fn save(&self, destination: &Path, deadline: &Deadline) -> Result<Verified, StoreError> {
        let mut path = destination.as_os_str().to_owned();
        path.push(".tar.partial");
        let path = PathBuf::from(path);
        let made = File::options().create(true).truncate(true).read(true).write(true).open(&path);
        let mut file = made.map_err(|source| StoreError::File { doing: "write", path: path.clone(), source })?;
        let saved = self.write(io::BufWriter::new(&mut file), deadline).and_then(|_| {
            io::Seek::rewind(&mut file).map_err(broken)?;
            unpack(io::BufReader::new(&mut file), destination)
        });
        let _ = fs::remove_file(&path);
        saved
    }
}

struct Archive<W: Write> {
    tar: tar::Builder<W>,
    created: Timestamp,
    files: Vec<Entry>,
}

/// Passes bytes on and sums them up.
struct Summing<R> {
    from: R,
    hash: xxhash_rust::xxh3::Xxh3,
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn broken(source: io::Error) -> StoreError {
    StoreError::File { doing: "write", path: PathBuf::from("the backup"), source }
}

impl<W: Write> Archive<W> {
    fn append(&mut self, name: &str, from: impl Read, length: u64) -> Result<u64, StoreError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        // There are hashes of passwords among the documents.
        header.set_mode(0o400);
        header.set_mtime((self.created.0 / 1000).try_into().unwrap_or(0));
        let mut summing = Summing { from: from.take(length), hash: xxhash_rust::xxh3::Xxh3::new() };
        self.tar.append_data(&mut header, name, &mut summing).map_err(broken)?;
        Ok(summing.hash.digest())
    }

    fn stream(&mut self, name: &str, from: impl Read, length: u64) -> Result<(), StoreError> {
        let checksum = self.append(name, from, length)?;
        self.files.push(Entry { name: name.to_owned(), bytes: length, xxh3: manifest::hex(checksum) });
        Ok(())
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.stream(name, bytes, bytes.len() as u64)
    }

    fn finish(mut self, damaged: Vec<String>) -> Result<Manifest, StoreError> {
        let manifest = Manifest::new(FORMAT, self.created, std::mem::take(&mut self.files), damaged);
        let text = manifest.to_bytes();
        self.append(manifest::NAME, text.as_slice(), text.len() as u64)?;
        self.tar.into_inner().and_then(|mut out| out.flush()).map_err(broken)?;
        Ok(manifest)
    }
}

/// Unpacks a backup's stream into `destination`, which must not be there or be empty. It appears
/// under its name only when every checksum fits and all is on disk.
///
/// # Errors
/// The destination is taken or cannot be written, or the stream is cut short or damaged; what was
/// unpacked is removed then.
pub fn unpack(stream: impl Read, destination: &Path) -> Result<Verified, StoreError> {
    let fail = |doing: &'static str, path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { doing, path, source }
    };
    if fs::read_dir(destination).is_ok_and(|mut entries| entries.next().is_some()) || destination.is_file() {
        return Err(StoreError::Exists { path: destination.to_owned() });
    }
    let mut partial = destination.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(fail("make", &partial))?;
    let unpacked = unpack_into(stream, &partial).and_then(|()| verify(&partial));
    let verified = match unpacked {
        Ok(verified) if verified.problems.is_empty() => verified,
        other => {
            let _ = fs::remove_dir_all(&partial);
            let problems = other?.problems;
            return Err(StoreError::Damaged { what: "the backup's stream".to_owned(), reason: problems.join("; ") });
        }
    };
    let _ = fs::remove_dir(destination);
    fs::rename(&partial, destination).map_err(fail("rename", &partial))?;
    sync_parent(destination).map_err(fail("sync", destination))?;
    Ok(verified)
}

fn unpack_into(stream: impl Read, directory: &Path) -> Result<(), StoreError> {
    let unreadable = |source| StoreError::File { doing: "read", path: PathBuf::from("the backup's stream"), source };
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.into_owned();
        // The crate refuses names that lead out of the directory, and says so by false.
        if !entry.header().entry_type().is_file() || !entry.unpack_in(directory).map_err(unreadable)? {
            return Err(StoreError::Damaged { what: "the backup's stream".to_owned(), reason: format!("{} does not belong into one", name.display()) });
        }
        let path = directory.join(&name);
        File::open(&path).and_then(|file| file.sync_all()).map_err(|source| StoreError::File { doing: "sync", path, source })?;
    }
    Ok(())
}

/// Makes a rename durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
