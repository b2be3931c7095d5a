//! What can go wrong with a query.

use crate::model::ErrorKind;
use crate::store::StoreError;
use crate::task::Interrupted;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Malformed: Prometheus' bad_data.
    #[error("{0}")]
    Bad(String),
    /// Cannot be evaluated: Prometheus' execution.
    #[error("{0}")]
    Execution(String),
    /// Known in PromQL, not built here.
    #[error("{0} is not supported yet")]
    Unsupported(String),
    /// Its time is up.
    #[error("query timed out: raise query.timeout or ask for less")]
    Timeout,
    /// Nobody waits for it any more.
    #[error("query was canceled")]
    Canceled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueryError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Bad(_) => ErrorKind::Invalid,
            Self::Execution(_) => ErrorKind::Unprocessable,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Timeout => ErrorKind::Timeout,
            Self::Canceled => ErrorKind::Canceled,
            Self::Store(e) => e.kind(),
        }
    }

    /// An interrupted read is an interrupted query.
    pub(super) fn of_store(error: StoreError) -> Self {
        match error {
            StoreError::Interrupted(why) => why.into(),
            other => Self::Store(other),
        }
    }
}

impl From<Interrupted> for QueryError {
    fn from(why: Interrupted) -> Self {
        match why {
            Interrupted::TimedOut => Self::Timeout,
            Interrupted::Canceled => Self::Canceled,
        }
    }
}
