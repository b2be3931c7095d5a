//! An account: its name, role and password. Rules for names and passwords. Knows no store.

use serde::{Deserialize, Serialize};

use super::{AccessError, Role};
use crate::model::Timestamp;

/// As many accounts as there may be.
pub(super) const MOST: usize = 1000;
const LONGEST_NAME: usize = 64;
const SHORTEST_PASSWORD_CHARS: usize = 8;
/// A longer one costs time to hash and adds nothing.
pub(super) const LONGEST_PASSWORD_BYTES: usize = 1024;

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// By which it signs in.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
}

/// As it is stored, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredUser {
    pub(super) role: Role,
    /// The argon2id hash with its salt and costs, as a PHC string.
    pub(super) password: String,
    pub(super) created: i64,
    /// Another number after each change of the password: sessions of an earlier one have ended.
    pub(super) generation: u64,
}

impl StoredUser {
    pub(super) fn shown(&self, name: &str) -> User {
        User { name: name.to_owned(), role: self.role, created: Timestamp(self.created) }
    }
}

/// Names of accounts and keys: 1 to 64 letters, digits and `. _ - @`, a letter, digit or `_` first,
/// so that none looks like a flag or like a way up in a path.
pub(super) fn check_name(name: &str) -> Result<(), AccessError> {
    let in_grammar = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if begins_well && name.len() <= LONGEST_NAME && name.chars().all(in_grammar) {
        return Ok(());
    }
    let reason = format!("a name has 1 to {LONGEST_NAME} letters, digits and . _ - @, with a letter, a digit or _ first");
    Err(AccessError::Invalid { field: "name", reason })
}

pub(super) fn check_password(password: &str) -> Result<(), AccessError> {
    let invalid = |reason: String| Err(AccessError::Invalid { field: "password", reason });
    if password.chars().count() < SHORTEST_PASSWORD_CHARS {
        return invalid(format!("a password has at least {SHORTEST_PASSWORD_CHARS} characters"));
    }
    if password.len() > LONGEST_PASSWORD_BYTES {
        return invalid(format!("a password has at most {LONGEST_PASSWORD_BYTES} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_four_signs() {
        for good in ["a", "ana", "Ana.B_c-d@example.org", "_x", "7", &"n".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "@x", "a b", "a/b", "ä", "a\n", "a:b", &"n".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_have_8_characters_to_1024_bytes() {
        assert!(check_password("ääääääää").is_ok() && check_password(&"x".repeat(1024)).is_ok());
        assert!(check_password("1234567").is_err() && check_password(&"x".repeat(1025)).is_err() && check_password("").is_err());
    }
}
