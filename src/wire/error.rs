//! What can be wrong with bytes from outside.

use crate::model::ErrorKind;

/// Why bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Decompressed it would pass the limit.
    #[error("the body has {size} bytes when decompressed, the limit is {limit}: send less at once")]
    TooLarge {
        /// What it would take.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// More in one list than is read at once.
    #[error("\"samples\" has {count} of them, at most {limit} are taken at once: send less at once")]
    TooMany {
        /// How many were sent.
        count: usize,
        /// How many are taken.
        limit: usize,
    },
    /// Not snappy's block format.
    #[error("the body is not snappy-compressed: {0}")]
    Snappy(#[from] snap::Error),
    /// Not protobuf.
    #[error("the body is not a {message} in protobuf: {source}")]
    Protobuf {
        /// The message that was expected.
        message: &'static str,
        /// The cause.
        source: prost::DecodeError,
    },
    /// A protobuf field is cut short or of another type.
    #[error("the body is not a {message} in protobuf: {reason}")]
    Malformed {
        /// The message that was expected.
        message: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A line of a text format cannot be read.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// YAML that cannot be read.
    #[error("line {line}, column {column}: {reason}")]
    Yaml {
        /// Counted from 1; 0 where it is not known.
        line: u64,
        /// Counted from 1; 0 where it is not known.
        column: u64,
        /// What is wrong.
        reason: String,
    },
    /// JSON that cannot be read.
    #[error("the body is not the JSON that is expected here: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of the right types that contradicts itself.
    #[error("{reason}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl WireError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } | Self::TooMany { .. } => ErrorKind::TooLarge,
            _ => ErrorKind::Invalid,
        }
    }

    /// The field that is wrong, where it is one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}
