//! All accounts, keys and sessions in memory, so that knowing a caller costs no disk. What is written
//! to the catalog is put here afterwards. Knows no catalog.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};

use super::key::StoredKey;
use super::secret::{self, Hash};
use super::session::StoredSession;
use super::user::StoredUser;
use super::{AccessError, Caller, Role, Scope};
use crate::model::Timestamp;

/// A session, with when somebody came with it last.
#[derive(Debug)]
pub(super) struct LiveSession {
    pub(super) stored: StoredSession,
    pub(super) seen: AtomicI64,
}

/// Everything, by what it is asked for.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) users: BTreeMap<String, StoredUser>,
    pub(super) keys: BTreeMap<String, StoredKey>,
    sessions: HashMap<Hash, LiveSession>,
    key_ids: HashMap<Hash, String>,
}

impl Picture {
    pub(super) fn put_key(&mut self, id: &str, key: StoredKey) {
        self.key_ids.insert(key.hash, id.to_owned());
        self.keys.insert(id.to_owned(), key);
    }

    pub(super) fn remove_key(&mut self, id: &str) {
        if let Some(key) = self.keys.remove(id) {
            self.key_ids.remove(&key.hash);
        }
    }

    pub(super) fn put_session(&mut self, hash: Hash, stored: StoredSession) {
        let seen = AtomicI64::new(stored.seen);
        self.sessions.insert(hash, LiveSession { stored, seen });
    }

    pub(super) fn remove_session(&mut self, hash: &Hash) -> bool {
        self.sessions.remove(hash).is_some()
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (&Hash, &LiveSession)> {
        self.sessions.iter()
    }

    /// Who holds this key.
    pub(super) fn by_key(&self, token: &str, now: Timestamp) -> Result<Caller, AccessError> {
        self.by_key_hash(&secret::hash_token(token), now)
    }

    /// Who holds the key of this hash.
    pub(super) fn by_key_hash(&self, hash: &Hash, now: Timestamp) -> Result<Caller, AccessError> {
        let key = self.key_ids.get(hash).and_then(|id| self.keys.get(id)).filter(|key| secret::equal(&key.hash, hash));
        match key {
            None => Err(AccessError::UnknownKey),
            Some(key) if key.is_over(now) => Err(AccessError::ExpiredKey),
            Some(key) => Ok(Caller { name: key.name.clone(), role: Some(key.role), scope: key.scope }),
        }
    }

    /// Whose session this is, where it still lasts.
    pub(super) fn by_session(&self, token: &str, now: Timestamp) -> Option<Caller> {
        self.by_session_hash(&secret::hash_token(token), now)
    }

    /// Whose session has this hash, where it still lasts.
    pub(super) fn by_session_hash(&self, hash: &Hash, now: Timestamp) -> Option<Caller> {
        let session = self.sessions.get(hash).filter(|session| self.lasts(session, now))?;
        session.seen.fetch_max(now.0, Ordering::Relaxed);
        self.caller(&session.stored.user)
    }

    /// Whether a session still counts: not over, of an account that is there, with its present password.
    pub(super) fn lasts(&self, session: &LiveSession, now: Timestamp) -> bool {
        let stored = &session.stored;
        let user = self.users.get(&stored.user);
        !stored.is_over(session.seen.load(Ordering::Relaxed), now) && user.is_some_and(|user| user.generation == stored.generation)
    }

    /// An account as a caller: a person may read and write.
    pub(super) fn caller(&self, name: &str) -> Option<Caller> {
        let user = self.users.get(name)?;
        Some(Caller { name: name.to_owned(), role: Some(user.role), scope: Scope::Write })
    }

    /// Whether no other account is admin.
    pub(super) fn is_last_admin(&self, name: &str) -> bool {
        let is_admin = |user: &StoredUser| user.role == Role::Admin;
        self.users.get(name).is_some_and(is_admin) && !self.users.iter().any(|(other, user)| other != name && is_admin(user))
    }
}
