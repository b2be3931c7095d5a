//! What goes wrong with certificates.

use std::path::PathBuf;

use crate::model::ErrorKind;

/// Why TLS could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// A file of the certificate cannot be used.
    #[error("cannot use the certificate file {path}: {reason}", path = path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS itself.
    #[error("cannot set up TLS: {reason}")]
    Tls {
        /// What is wrong.
        reason: String,
    },
}

impl NetError {
    /// How it looks from outside.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Config
    }
}
