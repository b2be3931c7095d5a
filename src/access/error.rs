//! What goes wrong with accounts, keys and sessions.

use std::time::Duration;

use super::{Role, Scope};
use crate::model::ErrorKind;
use crate::store::StoreError;

/// Why something about accounts was refused. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Input that is wrong.
    #[error("{reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is an account of that name.
    #[error("there is an account {name:?} already: change it, or choose another name")]
    Exists {
        /// The name.
        name: String,
    },
    /// No account of that name.
    #[error("there is no account {name:?}")]
    NoUser {
        /// The name.
        name: String,
    },
    /// No key of that id.
    #[error("there is no key with the id {id:?}: `latido key list` shows them")]
    NoKey {
        /// The id.
        id: String,
    },
    /// The last admin, or the last account, of a daemon that others reach.
    #[error("{name} is the last {what}, and the daemon can be reached from beyond this machine: make another admin first")]
    LastAdmin {
        /// The name.
        name: String,
        /// What it is the last of.
        what: &'static str,
    },
    /// As many as may be.
    #[error("there are {most} {what} already, and that is the most: remove some")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many may be.
        most: usize,
    },
    /// Sign-in where nobody has a password.
    #[error("there are no accounts, so nobody has to sign in: whoever reaches the daemon here is its admin")]
    NoAccounts,
    /// A wrong name or a wrong password; which of them is not said.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// Too many attempts.
    #[error("too many attempts to sign in: wait {} s", .wait.as_millis().div_ceil(1000))]
    Attempts {
        /// How long to wait.
        wait: Duration,
    },
    /// No key like this.
    #[error("the key is not known: it was revoked, or it is not of this daemon")]
    UnknownKey,
    /// The key's time is over.
    #[error("the key has expired: create another with `latido key create`")]
    ExpiredKey,
    /// The system yields no random bytes, or a stored hash is damaged.
    #[error("cannot {doing}")]
    Secret {
        /// What was being done.
        doing: &'static str,
    },
    /// The catalog.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessError {
    /// How it looks from outside.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Exists { .. } | Self::LastAdmin { .. } | Self::TooMany { .. } | Self::NoAccounts => ErrorKind::Conflict,
            Self::NoUser { .. } | Self::NoKey { .. } => ErrorKind::NotFound,
            Self::WrongPassword | Self::UnknownKey | Self::ExpiredKey => ErrorKind::Forbidden,
            Self::Attempts { .. } => ErrorKind::Busy,
            Self::Secret { .. } => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    /// The field that is wrong, where one is.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// A scope that does not exist.
    #[must_use]
    pub fn unknown_scope(given: &str) -> Self {
        let known = Scope::ALL.map(Scope::as_str).join(" or ");
        Self::Invalid { field: "scope", reason: format!("there is no scope {given:?}: choose {known}") }
    }

    /// A role that does not exist.
    #[must_use]
    pub fn unknown_role(given: &str) -> Self {
        let known = Role::ALL.map(Role::as_str).join(", ");
        Self::Invalid { field: "role", reason: format!("there is no role {given:?}: choose one of {known}") }
    }
}
