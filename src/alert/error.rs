//! What can go wrong with rules.

use crate::model::ErrorKind;
use crate::query::QueryError;
use crate::store::StoreError;

/// Why a rule was not taken, or alerts cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// A field of a rule is wrong; nothing was stored.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field, such as `expr` or `labels.team`.
        field: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The group has a rule of that name.
    #[error("the group {group:?} has a rule named {name:?} already: change that one, or choose another name")]
    Duplicate {
        /// The rule's name.
        name: String,
        /// Its group.
        group: String,
    },
    /// No rule has that id.
    #[error("there is no rule {0:?}")]
    Unknown(String),
    /// Default rules cannot go.
    #[error("{0:?} is a default rule and cannot be deleted: PUT it with \"enabled\": false, or set alerts.default_rules to false")]
    Default(String),
    /// The rule is at another revision than the caller read.
    #[error("the rule {id:?} was changed meanwhile: it is at revision {found}, not {expected}")]
    Stale {
        /// Which rule.
        id: String,
        /// The revision that the caller read.
        expected: u64,
        /// The revision that is stored.
        found: u64,
    },
    /// As many rules as may be.
    #[error("there are {0} rules, which is the limit: delete one first")]
    TooMany(usize),
    /// The compiled-in rules are not what they should be: a fault of the program.
    #[error("the default rules cannot be read: {0}")]
    Defaults(String),
    /// The expression cannot be evaluated.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The catalog failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AlertError {
    /// A field and what is wrong with it.
    pub(super) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Duplicate { .. } | Self::Default(_) | Self::Stale { .. } => ErrorKind::Conflict,
            Self::Unknown(_) => ErrorKind::NotFound,
            Self::TooMany(_) => ErrorKind::Unprocessable,
            Self::Defaults(_) => ErrorKind::Internal,
            Self::Query(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }

    /// The field that is wrong, where it is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }
}
