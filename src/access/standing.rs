//! By what a caller was known, so that it can be asked later who that is by now: a socket is open for
//! days, and a key, a session or an account may end before it does. Knows no catalog and no HTTP.

use super::secret::{self, Hash};

/// By what a caller was known; worth nothing to anybody else: of tokens there is the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing(pub(super) By);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum By {
    /// The control socket: always the local admin.
    Control,
    Nothing,
    Key(Hash),
    Session(Hash),
    Password {
        name: String,
        /// The account's, when its password was right.
        generation: u64,
    },
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing").finish_non_exhaustive()
    }
}

impl Standing {
    /// Of one who came by the control socket.
    #[must_use]
    pub const fn of_control() -> Self {
        Self(By::Control)
    }

    /// Of one who showed nothing.
    #[must_use]
    pub const fn of_nothing() -> Self {
        Self(By::Nothing)
    }

    /// Of one who showed this key.
    #[must_use]
    pub fn of_key(token: &str) -> Self {
        Self(By::Key(secret::hash_token(token)))
    }

    /// Of one who showed this session.
    #[must_use]
    pub fn of_session(token: &str) -> Self {
        Self(By::Session(secret::hash_token(token)))
    }
}
