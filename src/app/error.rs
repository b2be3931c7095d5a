//! Why the daemon could not start, or ended.

use crate::access::AccessError;
use crate::alert::AlertError;
use crate::dashboard::DashboardError;
use crate::ingest::IngestError;
use crate::model::ErrorKind;
use crate::serve::ServeError;
use crate::store::StoreError;
use crate::task::PoolError;

/// An error that ends the daemon.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No threads, no signals.
    #[error("cannot start {what}: {source}")]
    Runtime {
        /// What of the process.
        what: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// The daemon's own metrics contradict each other.
    #[error("cannot register the daemon's own metrics: {0}")]
    OwnMetrics(String),
    /// HTTP.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The intake or the registry.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The dashboards.
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    /// Rules or the state of alerts cannot be read.
    #[error("cannot open the alerts: {0}")]
    Alert(#[from] AlertError),
    /// Accounts and keys cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// It would be reached from beyond this machine without an account.
    #[error("{0}")]
    NoAccount(String),
    /// A call at the start did not return.
    #[error("cannot start: {0}")]
    Pool(#[from] PoolError),
}

impl AppError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Ingest(error) => error.kind(),
            Self::Dashboard(error) => error.kind(),
            Self::Alert(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Serve(error) => error.kind(),
            Self::NoAccount(_) => ErrorKind::Config,
            Self::Runtime { .. } | Self::OwnMetrics(_) | Self::Pool(_) => ErrorKind::Internal,
        }
    }
}
