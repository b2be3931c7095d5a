//! A signed-in browser. It ends 30 days after the sign-in, and after 7 days in which nobody came.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// How long a session lasts at most.
pub(super) const LONGEST_MS: i64 = 30 * DAY_MS;
/// How long it lasts unused.
const IDLE_MS: i64 = 7 * DAY_MS;
/// Sessions of one account; a further one ends the oldest.
pub(super) const MOST_EACH: usize = 50;

/// As it is stored, by the hash of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredSession {
    pub(super) user: String,
    /// The account's generation at the sign-in.
    pub(super) generation: u64,
    pub(super) created: i64,
    /// When somebody came with it, as far as it was written down.
    pub(super) seen: i64,
}

impl StoredSession {
    /// Whether it has ended, seen last at `seen`.
    pub(super) const fn is_over(&self, seen: i64, now: Timestamp) -> bool {
        now.0 - self.created >= LONGEST_MS || now.0 - seen >= IDLE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_30_days_and_after_7_idle_ones() {
        let session = StoredSession { user: "ana".into(), generation: 1, created: 0, seen: 0 };
        assert!(!session.is_over(0, Timestamp(7 * DAY_MS - 1)) && session.is_over(0, Timestamp(7 * DAY_MS)));
        assert!(!session.is_over(29 * DAY_MS, Timestamp(30 * DAY_MS - 1)) && session.is_over(30 * DAY_MS - 1, Timestamp(30 * DAY_MS)));
    }
}
