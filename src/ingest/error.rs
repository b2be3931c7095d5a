//! What can go wrong on the way in.

use std::sync::Arc;

use crate::model::ErrorKind;
use crate::store::StoreError;

/// Why something was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The input is wrong.
    #[error("{message}")]
    Invalid {
        /// Which field of it, where it is one.
        field: Option<String>,
        /// What is wrong and what would be right.
        message: String,
    },
    /// It contradicts what is registered.
    #[error("{0}")]
    Conflict(String),
    /// The queue is full.
    #[error("the daemon cannot take more now: try again in a moment")]
    Busy,
    /// The intake is closed.
    #[error("the daemon is stopping")]
    Stopped,
    /// The store failed; nothing was kept. Shared, for a whole group waits for one commit.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl IngestError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Busy => ErrorKind::Busy,
            Self::Stopped => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }

    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field.to_owned()), message: message.into() }
    }
}

impl From<StoreError> for IngestError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
