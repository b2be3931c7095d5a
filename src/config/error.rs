//! What is wrong with a configuration, with the place where it stands.

use std::fmt;
use std::path::PathBuf;

use crate::model::ErrorKind;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `file:line`, the variable or the flag; empty where the rule concerns the whole.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.place, self.message) }
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No profile of that name.
    #[error("there is no environment {name:?}: choose one of standalone, development, staging, production")]
    UnknownProfile {
        /// As it was given.
        name: String,
    },
    /// A file that was named cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Everything that was found, each with its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
}

impl ConfigError {
    /// How it looks from outside.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Config
    }
}
