//! How an error ends the process: its message without a backtrace, and its exit code.

use std::process::ExitCode;

use crate::access::AccessError;
use crate::app::AppError;
use crate::config::ConfigError;
use crate::model::ErrorKind;
use crate::query::QueryError;
use crate::store::StoreError;
use crate::telemetry::LogError;

/// At run-time; a taken port as well.
const RUN_TIME: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;
/// The data directory is in use or cannot be written.
const LOCKED: u8 = 75;
/// The configuration, a refused bind, or a newer data format.
const CONFIG: u8 = 78;

/// An error of a subcommand.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log's filter.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The daemon.
    #[error(transparent)]
    App(#[from] AppError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Accounts and keys of a stopped store.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A query on a stopped store.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Arguments that clap cannot judge.
    #[error("{0}")]
    Usage(String),
    /// Something is damaged: what, was printed.
    #[error("{0}")]
    Damaged(String),
    /// A running daemon could not be asked, or said no.
    #[error("{0}")]
    Remote(String),
}

impl CliError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(error) => error.kind(),
            Self::Log(_) => ErrorKind::Config,
            Self::App(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Query(_) | Self::Remote(_) | Self::Damaged(_) => ErrorKind::Internal,
            Self::Usage(_) => ErrorKind::Invalid,
        }
    }
}

impl From<String> for CliError {
    /// What went wrong with a running daemon, as a sentence.
    fn from(sentence: String) -> Self {
        Self::Remote(sentence)
    }
}

/// The exit code for a kind of error.
#[must_use]
pub const fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Invalid => USAGE,
        ErrorKind::Locked => LOCKED,
        ErrorKind::Config => CONFIG,
        _ => RUN_TIME,
    }
}

/// Prints the error to stderr and yields its exit code.
pub(super) fn report(error: &CliError) -> ExitCode {
    eprintln!("latido: {error}");
    ExitCode::from(code_of(error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let path = PathBuf::from("d");
        let denied = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let errors: [(CliError, u8); 8] = [
            (CliError::Usage("x".into()), 2),
            (CliError::Remote("x".into()), 1),
            (ConfigError::UnknownProfile { name: "x".into() }.into(), 78),
            (AppError::Store(StoreError::InUse { path: path.clone() }).into(), 75),
            (StoreError::NotWritable { path: path.clone(), source: denied() }.into(), 75),
            (AppError::Store(StoreError::NewerFormat { path, found: 9, known: 1 }).into(), 78),
            (AppError::Runtime { what: "threads", source: denied() }.into(), 1),
            (LogError::Filter { filter: "x".into(), reason: "y".into() }.into(), 78),
        ];
        for (error, code) in errors {
            assert_eq!(code_of(error.kind()), code, "{error}");
        }
        let taken = crate::serve::ServeError::Listen { address: ([127, 0, 0, 1], 1).into(), source: denied() };
        assert_eq!(code_of(CliError::from(AppError::from(taken)).kind()), 1);
    }
}
