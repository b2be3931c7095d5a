//! Why a source yielded nothing. Knows no source by name.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::format_duration;
use crate::model::ErrorKind;

/// An error of one source, in one collection. Others are not touched by it.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A file of the kernel could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of the kernel is not laid out as expected.
    #[error("{what} is not as expected: {reason}")]
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The system did not answer a question.
    #[error("cannot ask the system for {what}: {reason}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// The answer.
        reason: String,
    },
    /// It did not return in time.
    #[error("it did not return within {}", format_duration(*.0))]
    Late(Duration),
    /// It panicked.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// It could not be started: the daemon is overloaded or stops.
    #[error("it could not be started: {0}")]
    NotStarted(#[from] crate::task::PoolError),
    /// A plug-in's command could not be run.
    #[error("cannot run {command}: {source}")]
    Spawn {
        /// The program.
        command: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A plug-in's command ended with an error.
    #[error("{command} ended with {status}{stderr}")]
    Exit {
        /// The program.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last, behind a colon, or nothing.
        stderr: String,
    },
    /// A plug-in's command printed too much.
    #[error("{command} printed more than {limit} bytes and was killed")]
    TooMuch {
        /// The program.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// A plug-in's command was killed, for it took too long or the daemon stops.
    #[error("{command} was killed: {why}")]
    Killed {
        /// The program.
        command: String,
        /// Why.
        why: crate::task::Interrupted,
    },
}

impl CollectError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Late(_) => ErrorKind::Timeout,
            Self::Killed { why: crate::task::Interrupted::TimedOut, .. } => ErrorKind::Timeout,
            Self::Killed { why: crate::task::Interrupted::Canceled, .. } => ErrorKind::Canceled,
            Self::NotStarted(_) => ErrorKind::Busy,
            Self::Malformed { .. } | Self::TooMuch { .. } | Self::Exit { .. } | Self::Spawn { .. } => ErrorKind::Unprocessable,
            Self::Read { .. } | Self::System { .. } | Self::Panicked(_) => ErrorKind::Internal,
        }
    }

    /// Something is not laid out as expected.
    pub(crate) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), reason: reason.into() }
    }
}
