//! Where the store's files lie: names, FORMAT, the lock, and redb databases opened with one cache
//! budget. The memory profile keeps the same names on redb's in-memory backend.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadOnlyDatabase, StorageBackend};

use super::reserve::Room;
use super::{Options, Place, StoreError};
use crate::model::{ByteCount, Tier};

/// The format that this binary writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Sealed files that are open at once.
pub(super) const MAX_OPEN: usize = 64;
/// Cache of a database that is being written.
const WRITE_CACHE_BYTES: usize = 2 << 20;
/// Subdirectory of the journal.
pub(super) const JOURNAL: &str = "journal";
/// Subdirectory of damaged partitions.
pub(super) const QUARANTINE: &str = "quarantine";
/// The mark at the head of a redb file.
const MARK_BYTES: usize = 9;

/// The store's files. A name is a path below the data directory.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    memory: Option<Memory>,
    cache: ByteCount,
    pub(super) room: Room,
    _lock: Option<DirectoryLock>,
}

/// Files in memory by name, and how a new one is made.
#[derive(Debug)]
pub(super) struct Memory {
    files: Mutex<HashMap<String, SharedMemory>>,
    maker: Box<dyn Maker>,
}

/// Makes files in memory, and says whether the disk that they stand for still runs.
pub(super) trait Maker: std::fmt::Debug + Send + Sync {
    /// An empty file.
    fn make(&self) -> SharedMemory;

    /// Whether files may be renamed and removed.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Files that are nothing but memory.
#[derive(Debug)]
struct Plain;

impl Maker for Plain {
    fn make(&self) -> SharedMemory {
        new_memory()
    }
}

impl Memory {
    /// No file yet.
    pub(super) fn new(maker: impl Maker + 'static) -> Self {
        Self { files: Mutex::default(), maker: Box::new(maker) }
    }
}

#[cfg(test)]
impl Memory {
    /// Puts a file there.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.maker.make();
        file.set_len(bytes.len() as u64)?;
        file.write(0, bytes)?;
        file.sync_data()?;
        lock(&self.files).insert(name.to_owned(), file);
        Ok(())
    }
}

#[cfg(test)]
impl SharedMemory {
    /// On another backend.
    pub(super) fn of(backend: Arc<dyn StorageBackend>) -> Self {
        Self(backend)
    }

    /// Tells it from all others.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }
}

#[cfg(test)]
impl Files {
    /// What lies in memory, by name.
    pub(super) fn memory_files(&self) -> HashMap<String, SharedMemory> {
        self.memory.as_ref().map(|memory| lock(&memory.files).clone()).unwrap_or_default()
    }
}

/// One in-memory file, which outlives the database that is open on it.
#[derive(Clone, Debug)]
pub(super) struct SharedMemory(Arc<dyn StorageBackend>);

impl SharedMemory {
    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.0.len()?).unwrap_or(0)];
        self.0.read(0, &mut bytes)?;
        Ok(bytes)
    }
}

/// Fills a database in memory and yields its file.
pub(super) fn image(fill: impl FnOnce(&Database) -> Result<(), redb::Error>) -> Result<Vec<u8>, redb::Error> {
    let memory = new_memory();
    let mut builder = Builder::new();
    builder.set_cache_size(WRITE_CACHE_BYTES);
    let mut database = builder.create_with_backend(memory.clone())?;
    fill(&database)?;
    database.compact()?;
    database.close()?;
    Ok(memory.bytes()?)
}

/// A database opened on a copy of a file in memory, so that not even what a crash left is mended on the disk.
pub(super) fn opened_copy(files: &Files, name: &str) -> Result<Database, StoreError> {
    let (mut reader, _) = files.reader(name)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut reader, &mut bytes).map_err(|e| files.file("read", name, e))?;
    let memory = new_memory();
    let copy = || -> Result<Database, redb::Error> {
        memory.set_len(bytes.len() as u64)?;
        memory.write(0, &bytes)?;
        Ok(Builder::new().set_cache_size(WRITE_CACHE_BYTES).create_with_backend(memory.clone())?)
    };
    copy().map_err(|e| files.database("open", name, e))
}

impl StorageBackend for SharedMemory {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.0.write(offset, data)
    }
}

impl Files {
    /// Takes the directory: creates what is missing, locks it, checks FORMAT.
    pub(super) fn open(options: &Options) -> Result<Self, StoreError> {
        let Place::Disk(root) = &options.place else {
            return Ok(Self::in_memory(Memory::new(Plain), options.cache));
        };
        let lock = prepare(root)?;
        check_format(root)?;
        Ok(Self { root: root.clone(), memory: None, cache: options.cache, room: Room::default(), _lock: Some(lock) })
    }

    /// Files that end with the process, or with the test that made them.
    pub(super) fn in_memory(memory: Memory, cache: ByteCount) -> Self {
        Self { root: PathBuf::from("memory"), memory: Some(memory), cache, room: Room::default(), _lock: None }
    }

    /// Where a file lies; `None` where nothing lies on a disk.
    pub(super) fn on_disk(&self, name: &str) -> Option<PathBuf> {
        self.memory.is_none().then(|| self.path(name))
    }

    /// That the disk is full.
    pub(super) fn full(&self) -> StoreError {
        self.room.note_full();
        StoreError::Full { path: self.root.clone() }
    }

    /// The files of a directory that is only read: a backup. Nothing is locked and nothing changes.
    pub(super) fn reading(root: &Path) -> Self {
        Self { root: root.to_owned(), memory: None, cache: ByteCount::mib(8), room: Room::default(), _lock: None }
    }

    /// Whether FORMAT is there and one that this binary reads.
    pub(super) fn check_format(&self) -> Result<(), StoreError> {
        if self.path("FORMAT").exists() { check_format(&self.root) } else { Err(StoreError::Damaged { what: "FORMAT".into(), reason: "it is missing".into() }) }
    }

    /// The data directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether no process has the directory. Nothing is created for it.
    pub(super) fn check_unlocked(&self) -> Result<(), StoreError> {
        let Ok(file) = File::open(self.path("lock")) else { return Ok(()) };
        match file.try_lock_shared() {
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: self.root.clone() }),
            _ => Ok(()),
        }
    }

    /// A file's bytes as a stream, and how many they are.
    pub(super) fn reader(&self, name: &str) -> Result<(Box<dyn io::Read>, u64), StoreError> {
        if let Some(memory) = &self.memory {
            let bytes = lock(&memory.files).get(name).map_or(Ok(Vec::new()), SharedMemory::bytes).map_err(|e| self.file("read", name, e))?;
            let length = bytes.len() as u64;
            return Ok((Box::new(io::Cursor::new(bytes)), length));
        }
        let open = || File::open(self.path(name)).and_then(|file| file.metadata().map(|meta| (file, meta.len())));
        let (file, length) = open().map_err(|e| self.file("read", name, e))?;
        Ok((Box::new(file), length))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Opens a database for writing; creates it where it is missing.
    pub(super) fn create(&self, name: &str) -> Result<Database, StoreError> {
        let mut builder = Builder::new();
        builder.set_cache_size(WRITE_CACHE_BYTES);
        let made = match &self.memory {
            Some(memory) => builder.create_with_backend(lock(&memory.files).entry(name.to_owned()).or_insert_with(|| memory.maker.make()).clone()),
            None => {
                let path = self.path(name);
                let fresh = !path.exists();
                let made = builder.create(&path);
                if made.is_ok() && fresh {
                    // There are hashes of passwords among the documents.
                    set_mode(&path, 0o600).map_err(|e| self.file("protect", name, e))?;
                    // A file whose name is lost with the power was never there, however well it was synced.
                    sync_dir(&path).map_err(|e| self.file("sync the directory of", name, e))?;
                }
                made
            }
        };
        made.map_err(|e| self.database("open", name, e))
    }

    /// Whether a file was begun and never finished: redb writes the mark at its head last.
    pub(super) fn is_unborn(&self, name: &str) -> bool {
        let mut head = [0; MARK_BYTES];
        let read = match &self.memory {
            Some(memory) => match lock(&memory.files).get(name) {
                Some(file) => file.len().and_then(|len| file.read(0, head.get_mut(..(len as usize).min(MARK_BYTES)).unwrap_or_default())),
                None => return false,
            },
            None => File::open(self.path(name)).and_then(|mut file| io::Read::read(&mut file, &mut head)).map(|_| ()),
        };
        read.is_ok() && head.iter().all(|b| *b == 0)
    }

    /// Whether there is no file of any tier, and none of the journal.
    pub(super) fn is_bare(&self) -> Result<bool, StoreError> {
        for dir in Tier::ALL.map(Tier::as_str).into_iter().chain([JOURNAL]) {
            if !self.list(dir)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Opens a sealed database read-only: no byte of it changes.
    pub(super) fn open_read(&self, name: &str) -> Result<ReadOnlyDatabase, StoreError> {
        let mut builder = Builder::new();
        builder.set_cache_size(self.cache.as_usize() / MAX_OPEN);
        let opened = match &self.memory {
            Some(memory) => match lock(&memory.files).get(name) {
                Some(file) => builder.open_read_only_with_backend(file.clone()),
                None => return Err(StoreError::Damaged { what: name.to_owned(), reason: "the file is missing".into() }),
            },
            None => builder.open_read_only(self.path(name)),
        };
        opened.map_err(|e| self.database("open", name, e))
    }

    /// Makes a closed temporary file durable under its final name, read-only.
    pub(super) fn publish(&self, from: &str, to: &str) -> Result<(), StoreError> {
        if let Some(memory) = &self.memory {
            memory.maker.check().map_err(|e| self.file("publish", to, e))?;
            let mut files = lock(&memory.files);
            if let Some(file) = files.remove(from) {
                files.insert(to.to_owned(), file);
            }
            return Ok(());
        }
        let (source, target) = (self.path(from), self.path(to));
        let done = || -> io::Result<()> {
            let file = File::open(&source)?;
            set_mode(&source, 0o440)?;
            file.sync_all()?;
            fs::rename(&source, &target)?;
            sync_dir(&target)
        };
        done().map_err(|e| self.file("publish", to, e))
    }

    /// Unlinks a file; one that is not there is no error.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        if let Some(memory) = &self.memory {
            memory.maker.check().map_err(|e| self.file("remove", name, e))?;
            lock(&memory.files).remove(name);
            return Ok(());
        }
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(self.file("remove", name, e)),
            _ => Ok(()),
        }
    }

    /// Moves a damaged file out of the way; where it is missing, an empty one marks the place.
    pub(super) fn set_aside(&self, from: &str, to: &str) -> Result<(), StoreError> {
        if let Some(memory) = &self.memory {
            memory.maker.check().map_err(|e| self.file("set aside", from, e))?;
            let mut files = lock(&memory.files);
            let file = files.remove(from).unwrap_or_else(|| memory.maker.make());
            files.insert(to.to_owned(), file);
            return Ok(());
        }
        let (source, target) = (self.path(from), self.path(to));
        let moved = fs::create_dir_all(self.path(QUARANTINE)).and_then(|()| match fs::rename(&source, &target) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && !target.exists() => File::create(&target).map(drop),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        });
        moved.and_then(|()| sync_dir(&target)).map_err(|e| self.file("set aside", from, e))
    }

    /// Names of the files in a subdirectory, in order; none where it is not there.
    pub(super) fn list(&self, dir: &str) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> = match &self.memory {
            Some(memory) => lock(&memory.files).keys().filter(|n| n.starts_with(dir)).cloned().collect(),
            None => fs::read_dir(self.path(dir))
                .and_then(|entries| entries.map(|e| Ok(format!("{dir}/{}", e?.file_name().to_string_lossy()))).collect())
                .or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(self.file("list", dir, e)) })?,
        };
        names.sort();
        Ok(names)
    }

    /// Bytes that a file takes on the disk, 0 where it is missing.
    pub(super) fn allocated(&self, name: &str) -> u64 {
        use std::os::unix::fs::MetadataExt;
        match &self.memory {
            Some(memory) => lock(&memory.files).get(name).and_then(|f| f.len().ok()).unwrap_or(0),
            None => fs::metadata(self.path(name)).map_or(0, |m| m.blocks() * 512),
        }
    }

    /// XXH3 of a file's bytes; 0 in memory, where nothing can change behind our back.
    pub(super) fn checksum(&self, name: &str) -> Result<u64, StoreError> {
        if self.memory.is_some() {
            return Ok(0);
        }
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        let read = || -> io::Result<()> {
            let mut file = File::open(self.path(name))?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                match io::Read::read(&mut file, &mut buffer)? {
                    0 => return Ok(()),
                    n => hash.update(buffer.get(..n).unwrap_or_default()),
                }
            }
        };
        let mut read = read;
        read().map_err(|e| self.file("read", name, e))?;
        Ok(hash.digest())
    }

    /// Turns an error of redb into ours, a full disk told apart.
    pub(super) fn database(&self, doing: &'static str, name: &str, error: impl Into<redb::Error>) -> StoreError {
        let error = error.into();
        if let redb::Error::Io(io) = &error
            && matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
        {
            return self.full();
        }
        StoreError::Database { doing, path: self.path(name), source: Box::new(error) }
    }

    fn file(&self, doing: &'static str, name: &str, source: io::Error) -> StoreError {
        if source.kind() == io::ErrorKind::StorageFull {
            return self.full();
        }
        StoreError::File { doing, path: self.path(name), source }
    }
}

fn new_memory() -> SharedMemory {
    SharedMemory(Arc::new(InMemoryBackend::new()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock of a data directory, which the system frees with the process.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Creates the directory where it is missing, and takes it for this process. A store on disk
    /// does so itself.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::NotWritable`].
    pub fn take(root: &Path) -> Result<Self, StoreError> {
        let fail = |source| StoreError::NotWritable { path: root.to_owned(), source };
        let fresh = !root.exists();
        fs::create_dir_all(root).map_err(fail)?;
        if fresh {
            set_mode(root, 0o700).map_err(fail)?;
        }
        Ok(Self { _file: hold(root)? })
    }
}

/// Takes the lock and creates the directories.
fn prepare(root: &Path) -> Result<DirectoryLock, StoreError> {
    let lock = DirectoryLock::take(root)?;
    let fail = |source| StoreError::NotWritable { path: root.to_owned(), source };
    for dir in Tier::ALL.map(Tier::as_str).into_iter().chain([JOURNAL]) {
        fs::create_dir_all(root.join(dir)).map_err(fail)?;
    }
    Ok(lock)
}

/// Takes the lock of a data directory.
pub(super) fn hold(root: &Path) -> Result<File, StoreError> {
    let fail = |source| StoreError::NotWritable { path: root.to_owned(), source };
    // Whoever may open it could hold it, and keep the daemon from starting.
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(root.join("lock")).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: root.to_owned() }),
        Err(fs::TryLockError::Error(e)) => Err(fail(e)),
    }
}

fn check_format(root: &Path) -> Result<(), StoreError> {
    let path = root.join("FORMAT");
    let fail = |doing| {
        let path = path.clone();
        move |source| StoreError::File { doing, path, source }
    };
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(()),
            Ok(found) if found > FORMAT => Err(StoreError::NewerFormat { path: root.to_owned(), found, known: FORMAT }),
            Ok(found) => Err(StoreError::OlderFormat { path: root.to_owned(), found }),
            Err(e) => Err(StoreError::Damaged { what: path.display().to_string(), reason: e.to_string() }),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let temporary = root.join("FORMAT.new");
            fs::write(&temporary, format!("{FORMAT}\n")).map_err(fail("write"))?;
            File::open(&temporary).and_then(|f| f.sync_all()).map_err(fail("sync"))?;
            fs::rename(&temporary, &path).and_then(|()| sync_dir(&path)).map_err(fail("write"))
        }
        Err(e) => Err(fail("read")(e)),
    }
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Makes a rename or a new file in the parent directory durable.
fn sync_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
