//! What can go wrong in the store.

use std::path::PathBuf;

use crate::model::ErrorKind;
use crate::task::Interrupted;

/// An error of the store: what was being done, to what, and why it failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed.
    #[error("cannot {doing} {path}: {source}")]
    File {
        /// The operation.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// redb failed.
    #[error("cannot {doing} in {path}: {source}")]
    Database {
        /// The operation.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<redb::Error>,
    },
    /// Another process has the data directory.
    #[error("the data directory {path} is in use by another latido")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Something stands where a directory should be made.
    #[error("{path} is there already and not empty: name another directory, or move it away")]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory cannot be written.
    #[error("the data directory {path} cannot be written: {source}")]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A newer latido wrote it.
    #[error("the data directory {path} has format {found}, this latido knows up to {known}: use a newer latido, or another directory")]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// What FORMAT says.
        found: u32,
        /// What this binary knows.
        known: u32,
    },
    /// A newer latido changed the catalog.
    #[error("the catalog in {path} was changed by a newer latido (migration {found}), this one knows up to {known}: use a newer latido, or restore a backup")]
    NewerCatalog {
        /// The directory.
        path: PathBuf,
        /// The newest migration in it.
        found: u32,
        /// The newest that this binary knows.
        known: u32,
    },
    /// A latido before version 0.1 wrote it, in a format that is not read any more.
    #[error("the data directory {path} has the early format {found} and cannot be read: move it away and start with an empty one")]
    OlderFormat {
        /// The directory.
        path: PathBuf,
        /// What FORMAT says.
        found: u32,
    },
    /// The disk is full; nothing of the group was kept.
    #[error("the disk that holds {path} is full: nothing was stored, free space and send it again")]
    Full {
        /// The data directory.
        path: PathBuf,
    },
    /// Stored bytes are not what was written.
    #[error("{what} is damaged: {reason}")]
    Damaged {
        /// Which part of the store.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A document is at another revision than the caller read.
    #[error("{id} was changed meanwhile: it is at revision {found}, not {expected}")]
    StaleRevision {
        /// Which document.
        id: String,
        /// The revision that the caller read.
        expected: u64,
        /// The revision that is stored.
        found: u64,
    },
    /// It took too long, or nobody waits any more.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl StoreError {
    /// Whether the stored bytes are at fault, not the moment: trying again would not help.
    #[must_use]
    pub(super) fn is_damage(&self) -> bool {
        use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
        match self {
            Self::Damaged { .. } => true,
            Self::File { source, .. } => source.kind() == NotFound,
            Self::Database { source, .. } => match &**source {
                redb::Error::Io(error) => matches!(error.kind(), NotFound | UnexpectedEof | InvalidData | InvalidInput),
                redb::Error::LockPoisoned(_) | redb::Error::DatabaseAlreadyOpen => false,
                _ => true,
            },
            _ => false,
        }
    }

    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } | Self::NotWritable { .. } => ErrorKind::Locked,
            Self::NewerFormat { .. } | Self::NewerCatalog { .. } | Self::OlderFormat { .. } => ErrorKind::Config,
            Self::Full { .. } => ErrorKind::Unavailable,
            Self::Damaged { .. } => ErrorKind::Corrupt,
            Self::Exists { .. } | Self::StaleRevision { .. } => ErrorKind::Conflict,
            Self::Interrupted(Interrupted::TimedOut) => ErrorKind::Timeout,
            Self::Interrupted(Interrupted::Canceled) => ErrorKind::Canceled,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => ErrorKind::Unavailable,
            Self::File { .. } | Self::Database { .. } => ErrorKind::Internal,
        }
    }
}
