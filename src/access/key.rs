//! A key for programs: what it may do, and until when. Its secret is shown once and kept as a hash.

use serde::{Deserialize, Serialize};

use super::{Role, Scope};
use crate::model::Timestamp;

/// With what every key begins, so that people and scanners of secrets know it.
pub const KEY_PREFIX: &str = "latido_";
/// As many keys as there may be.
pub(super) const MOST: usize = 1000;
/// The name of one that was given none.
pub(super) const UNNAMED: &str = "key";

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// By which it is revoked.
    pub id: String,
    /// What it is for, for people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// For what, within the role.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; `None`: never.
    pub expires: Option<Timestamp>,
}

/// As it is stored, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredKey {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) scope: Scope,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    /// SHA-256 of the whole key.
    pub(super) hash: [u8; 32],
}

impl StoredKey {
    pub(super) fn shown(&self, id: &str) -> Key {
        Key {
            id: id.to_owned(),
            name: self.name.clone(),
            role: self.role,
            scope: self.scope,
            created: Timestamp(self.created),
            expires: self.expires.map(Timestamp),
        }
    }

    /// Whether its time is over.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now.0 >= expires)
    }
}
