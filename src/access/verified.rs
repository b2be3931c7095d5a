//! Passwords that were right a moment ago, so that a program that sends one with every request does
//! not cost an argon2 each time. Keyed hashes in memory, for a minute, bounded.

use std::collections::HashMap;

use super::secret::{self, Hash};
use crate::model::Timestamp;

const KEPT_MS: i64 = 60_000;
/// Beyond it all are forgotten: each is found again by one argon2.
const MOST: usize = 1024;

/// What was right lately.
pub(super) struct Verified {
    key: [u8; 32],
    until: HashMap<Hash, i64>,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

impl Verified {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key, until: HashMap::new() }
    }

    pub(super) fn knows(&self, name: &str, password: &str, now: Timestamp) -> bool {
        let until = self.until.get(&secret::keyed(&self.key, name, password));
        until.is_some_and(|until| now.0 < *until && until - now.0 <= KEPT_MS)
    }

    pub(super) fn remember(&mut self, name: &str, password: &str, now: Timestamp) {
        if self.until.len() >= MOST {
            self.until.clear();
        }
        self.until.insert(secret::keyed(&self.key, name, password), now.0 + KEPT_MS);
    }

    /// After any change of an account.
    pub(super) fn forget(&mut self) {
        self.until.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_for_a_minute_and_never_for_another_name() {
        let mut verified = Verified::new([1; 32]);
        verified.remember("ana", "secret99", Timestamp(0));
        assert!(verified.knows("ana", "secret99", Timestamp(59_999)));
        assert!(!verified.knows("ana", "secret99", Timestamp(60_000)) && !verified.knows("ana", "secret99", Timestamp(-1)));
        assert!(!verified.knows("bob", "secret99", Timestamp(0)) && !verified.knows("ana", "secret9", Timestamp(0)));
        verified.forget();
        assert!(!verified.knows("ana", "secret99", Timestamp(0)));
    }
}
