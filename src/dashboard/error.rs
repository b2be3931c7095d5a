//! What can go wrong with dashboards.

use crate::access::AccessError;
use crate::model::ErrorKind;
use crate::query::QueryError;
use crate::store::StoreError;
use crate::task::PoolError;

/// Why a dashboard was not shown, stored or watched.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// A document or a parameter is wrong.
    #[error("{reason}")]
    Invalid {
        /// Where, such as `panels[2].queries[0].query`.
        field: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// There is no such dashboard, panel or connection.
    #[error("there is no {what} {name:?}")]
    Missing {
        /// Dashboard, panel or connection.
        what: &'static str,
        /// Its id.
        name: String,
    },
    /// It contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// Not for this caller.
    #[error("{0}")]
    Forbidden(String),
    /// Too many viewers.
    #[error("{0}")]
    Full(String),
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Not for strangers, who are not told whether it exists.
    #[error("sign in to see this")]
    SignIn,
    /// No ticket could be made.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The work found no thread.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl DashboardError {
    /// Something is wrong at `field`.
    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// There is no such dashboard.
    pub(crate) fn no_dashboard(id: &str) -> Self {
        Self::Missing { what: "dashboard", name: id.to_owned() }
    }

    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Forbidden(_) | Self::SignIn => ErrorKind::Forbidden,
            Self::Full(_) => ErrorKind::Unavailable,
            Self::Store(e) => e.kind(),
            Self::Query(e) => e.kind(),
            Self::Access(e) => e.kind(),
            Self::Pool(PoolError::Busy) => ErrorKind::Busy,
            Self::Pool(PoolError::Stopped) => ErrorKind::Unavailable,
            Self::Pool(PoolError::Panicked) => ErrorKind::Internal,
        }
    }

    /// The field that is wrong, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }
}
