//! The handle over accounts, keys and sessions: durable in the catalog first, then in the picture
//! that callers are known by. Calls that change something, and those that try a password, take disk
//! or CPU: use the pool. The others cost a look into memory.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::attempts::Attempts;
use super::key::{self, KEY_PREFIX, Key, StoredKey};
use super::picture::Picture;
use super::secret;
use super::session::{self, StoredSession};
use super::standing::{By, Standing};
use super::user::{self, StoredUser, User};
use super::verified::Verified;
use super::{AccessError, Caller, Role, Scope};
use crate::clock::SharedClock;
use crate::model::Timestamp;
use crate::store::{Catalog, DocumentKind};

/// Bytes of a token: more than anybody guesses.
const TOKEN_BYTES: usize = 32;
/// Bytes of a key's id, which only has to differ from the others.
const ID_BYTES: usize = 6;
/// When a session was used last is written down where it is off by so much.
const SEEN_STEP_MS: i64 = 3_600_000;

/// From where the daemon can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only from this machine: without accounts whoever asks is admin.
    Loopback,
    /// From elsewhere, or through a proxy: without accounts nobody is anything.
    Beyond,
}

/// What is changed of an account.
#[derive(Clone, Default)]
pub struct UserChange {
    /// Another role.
    pub role: Option<Role>,
    /// Another password; it ends all sessions.
    pub password: Option<String>,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for; `None`: it is called "key".
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// For what.
    pub scope: Scope,
    /// How long it lasts; `None`: until it is revoked.
    pub expires: Option<Duration>,
}

/// A browser that was signed in.
pub struct SignedIn {
    /// Who.
    pub caller: Caller,
    /// What it has to show from now on.
    pub token: String,
    /// How long the session lasts at most.
    pub lasts: Duration,
}

/// Accounts, keys and sessions. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the picture: there are hashes of passwords in it.
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

struct Inner {
    catalog: Catalog,
    clock: SharedClock,
    reach: Reach,
    picture: RwLock<Picture>,
    /// Held through every change, so that what was checked still holds when it is written.
    changing: Mutex<()>,
    attempts: Mutex<Attempts>,
    verified: Mutex<Verified>,
}

impl Accounts {
    /// Reads everything from the catalog.
    ///
    /// # Errors
    /// The catalog cannot be read, or the system yields no random bytes.
    pub fn open(catalog: Catalog, clock: SharedClock, reach: Reach) -> Result<Self, AccessError> {
        let mut picture = Picture::default();
        for document in catalog.list::<StoredUser>(DocumentKind::User)? {
            picture.users.insert(document.id, document.body);
        }
        for document in catalog.list::<StoredKey>(DocumentKind::Key)? {
            picture.put_key(&document.id, document.body);
        }
        for document in catalog.list::<StoredSession>(DocumentKind::Session)? {
            if let Some(hash) = secret::unhex(&document.id) {
                picture.put_session(hash, document.body);
            }
        }
        let verified = Mutex::new(Verified::new(secret::random()?));
        let (changing, attempts) = (Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Inner { catalog, clock, reach, picture: RwLock::new(picture), changing, attempts, verified })))
    }

    /// Whether there are accounts. Keys are none.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.read().users.is_empty()
    }

    /// Whether whoever asks without a key is the local admin: no accounts, and nobody from elsewhere.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.reach == Reach::Loopback && !self.any()
    }

    /// All accounts, by name.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.read().users.iter().map(|(name, user)| user.shown(name)).collect()
    }

    /// Makes an account.
    ///
    /// # Errors
    /// The name or password is out of its rules, the name is taken, or the catalog cannot be written.
    pub fn add_user(&self, name: &str, role: Role, password: &str) -> Result<User, AccessError> {
        user::check_name(name)?;
        user::check_password(password)?;
        let stored = StoredUser { role, password: secret::hash_password(password)?, created: self.now().0, generation: generation()? };
        let _changing = self.change();
        if self.read().users.contains_key(name) {
            return Err(AccessError::Exists { name: name.to_owned() });
        }
        at_most(self.read().users.len(), user::MOST, "accounts")?;
        self.put_user(name, stored)
    }

    /// Changes an account. Another password ends its sessions.
    ///
    /// # Errors
    /// No such account, a password out of its rules, the last admin where one is needed, or the
    /// catalog cannot be written.
    pub fn change_user(&self, name: &str, change: UserChange) -> Result<User, AccessError> {
        let hashed = change.password.as_deref().map(|password| user::check_password(password).and_then(|()| secret::hash_password(password))).transpose()?;
        let _changing = self.change();
        let mut stored = self.read().users.get(name).cloned().ok_or_else(|| no_user(name))?;
        if let Some(role) = change.role {
            if role != Role::Admin {
                self.keep_an_admin(name)?;
            }
            stored.role = role;
        }
        if let Some(hashed) = hashed {
            stored.password = hashed;
            stored.generation = generation()?;
        }
        self.put_user(name, stored)
    }

    /// Removes an account and ends its sessions. Yields whether there are others.
    ///
    /// # Errors
    /// No such account, the last admin where one is needed, or the catalog cannot be written.
    pub fn remove_user(&self, name: &str) -> Result<bool, AccessError> {
        let _changing = self.change();
        if !self.read().users.contains_key(name) {
            return Err(no_user(name));
        }
        self.keep_an_admin(name)?;
        if self.0.reach == Reach::Beyond && self.read().users.len() == 1 {
            return Err(AccessError::LastAdmin { name: name.to_owned(), what: "account" });
        }
        self.0.catalog.remove(DocumentKind::User, name)?;
        self.write().users.remove(name);
        lock(&self.0.verified).forget();
        tracing::info!(name, "account removed");
        Ok(self.any())
    }

    fn put_user(&self, name: &str, stored: StoredUser) -> Result<User, AccessError> {
        self.0.catalog.put(DocumentKind::User, name, None, &stored)?;
        let shown = stored.shown(name);
        self.write().users.insert(name.to_owned(), stored);
        lock(&self.0.verified).forget();
        tracing::info!(name, role = shown.role.as_str(), "account stored");
        Ok(shown)
    }

    fn keep_an_admin(&self, name: &str) -> Result<(), AccessError> {
        let needed = self.0.reach == Reach::Beyond && self.read().is_last_admin(name);
        if needed { Err(AccessError::LastAdmin { name: name.to_owned(), what: "admin" }) } else { Ok(()) }
    }

    /// All keys, by id.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.read().keys.iter().map(|(id, key)| key.shown(id)).collect()
    }

    /// Makes a key. Its secret is yielded here and nowhere else.
    ///
    /// # Errors
    /// The name is out of its rules, it would expire at once, there are too many, or the catalog
    /// cannot be written.
    pub fn create_key(&self, new: NewKey) -> Result<(Key, String), AccessError> {
        let name = new.name.unwrap_or_else(|| key::UNNAMED.to_owned());
        user::check_name(&name)?;
        let created = self.now();
        let expires = new.expires.map(|lasts| expiry(created, lasts)).transpose()?;
        let token = format!("{KEY_PREFIX}{}", secret::hex(&secret::random::<TOKEN_BYTES>()?));
        let stored = StoredKey { name, role: new.role, scope: new.scope, created: created.0, expires, hash: secret::hash_token(&token) };
        let _changing = self.change();
        at_most(self.read().keys.len(), key::MOST, "keys")?;
        let id = secret::hex(&secret::random::<ID_BYTES>()?);
        self.0.catalog.put(DocumentKind::Key, &id, Some(0), &stored)?;
        let shown = stored.shown(&id);
        self.write().put_key(&id, stored);
        tracing::info!(id, name = shown.name, role = shown.role.as_str(), "key created");
        Ok((shown, token))
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// No such key, or the catalog cannot be written.
    pub fn revoke_key(&self, id: &str) -> Result<(), AccessError> {
        let _changing = self.change();
        if !self.read().keys.contains_key(id) {
            return Err(AccessError::NoKey { id: id.to_owned() });
        }
        self.0.catalog.remove(DocumentKind::Key, id)?;
        self.write().remove_key(id);
        tracing::info!(id, "key revoked");
        Ok(())
    }

    /// Who holds this key. Costs no disk.
    ///
    /// # Errors
    /// It is not known, or has expired.
    pub fn by_key(&self, token: &str) -> Result<Caller, AccessError> {
        self.read().by_key(token, self.now())
    }

    /// Whose session this is; `None` where it has ended. Costs no disk.
    #[must_use]
    pub fn by_session(&self, token: &str) -> Option<Caller> {
        self.read().by_session(token, self.now())
    }

    /// The standing of one whose password was right just now.
    #[must_use]
    pub fn standing_of(&self, name: &str) -> Standing {
        let generation = self.read().users.get(name).map(|user| user.generation);
        Standing(generation.map_or(By::Nothing, |generation| By::Password { name: name.to_owned(), generation }))
    }

    /// Who somebody is by now: a stranger where the key, the session or the account has ended, and
    /// with the role that the account has today. Costs no disk.
    #[must_use]
    pub fn caller_of(&self, standing: &Standing) -> Caller {
        let picture = self.read();
        let known = match &standing.0 {
            By::Control => Some(Caller::local()),
            By::Nothing if self.0.reach == Reach::Loopback && picture.users.is_empty() => Some(Caller::local()),
            By::Nothing => None,
            By::Key(hash) => picture.by_key_hash(hash, self.now()).ok(),
            By::Session(hash) => picture.by_session_hash(hash, self.now()),
            By::Password { name, generation } => picture.users.get(name).filter(|user| user.generation == *generation).and_then(|_| picture.caller(name)),
        };
        known.unwrap_or_else(Caller::stranger)
    }

    /// Who it is, where this name and password were right within the last minute. Costs no disk.
    #[must_use]
    pub fn by_known_password(&self, name: &str, password: &str) -> Option<Caller> {
        // The picture first: a change takes both locks in this order as well, so what was forgotten stays so.
        let picture = self.read();
        let known = lock(&self.0.verified).knows(name, password, self.now());
        if known { picture.caller(name) } else { None }
    }

    /// Who it is by name and password, tried from `address`. Takes the time of an argon2, for a
    /// name that does not exist as well.
    ///
    /// # Errors
    /// Wrong, or tried too often.
    pub fn by_password(&self, name: &str, password: &str, address: Option<IpAddr>) -> Result<Caller, AccessError> {
        self.check(name, password, address).map(|(caller, _)| caller)
    }

    /// As [`Self::by_password`], with the generation of the password that was right.
    fn check(&self, name: &str, password: &str, address: Option<IpAddr>) -> Result<(Caller, u64), AccessError> {
        // What no account can have is wrong without a look, and must not fill the memory of attempts.
        if user::check_name(name).is_err() || password.len() > user::LONGEST_PASSWORD_BYTES {
            return Err(AccessError::WrongPassword);
        }
        lock(&self.0.attempts).begin(name, address, self.now()).map_err(|wait| AccessError::Attempts { wait })?;
        let found = self.read().users.get(name).cloned();
        let Some(stored) = found else {
            secret::pretend(password);
            // The name is not told: somebody may have typed the password there.
            tracing::warn!(address = shown(address), "a name that no account has was tried");
            return Err(AccessError::WrongPassword);
        };
        if !secret::is_password(password, &stored.password) {
            tracing::warn!(name, address = shown(address), "a password was wrong");
            return Err(AccessError::WrongPassword);
        }
        lock(&self.0.attempts).succeeded(name, address);
        let picture = self.read();
        match picture.users.get(name) {
            // It was changed meanwhile: what was right is so no longer.
            Some(now) if now.generation == stored.generation => lock(&self.0.verified).remember(name, password, self.now()),
            _ => return Err(AccessError::WrongPassword),
        }
        picture.caller(name).map(|caller| (caller, stored.generation)).ok_or(AccessError::WrongPassword)
    }

    /// Signs a browser in.
    ///
    /// # Errors
    /// There are no accounts, the password is wrong or was tried too often, or the catalog cannot
    /// be written.
    pub fn sign_in(&self, name: &str, password: &str, address: Option<IpAddr>) -> Result<SignedIn, AccessError> {
        if !self.any() {
            return Err(AccessError::NoAccounts);
        }
        let (caller, generation) = self.check(name, password, address)?;
        let token = secret::hex(&secret::random::<TOKEN_BYTES>()?);
        let hash = secret::hash_token(&token);
        let now = self.now().0;
        let stored = StoredSession { user: name.to_owned(), generation, created: now, seen: now };
        let _changing = self.change();
        self.end_oldest(name)?;
        self.0.catalog.put(DocumentKind::Session, &secret::hex(&hash), None, &stored)?;
        self.write().put_session(hash, stored);
        tracing::info!(name, "signed in");
        Ok(SignedIn { caller, token, lasts: Duration::from_millis(session::LONGEST_MS.unsigned_abs()) })
    }

    /// Makes room for one more session of an account.
    fn end_oldest(&self, name: &str) -> Result<(), AccessError> {
        let mut own: Vec<(i64, secret::Hash)> =
            self.read().sessions().filter(|(_, session)| session.stored.user == name).map(|(hash, session)| (session.stored.created, *hash)).collect();
        own.sort_unstable();
        let beyond = (own.len() + 1).saturating_sub(session::MOST_EACH);
        own.iter().take(beyond).try_for_each(|(_, hash)| self.end(hash))
    }

    /// Ends the session of this token; one that is not known is ended already.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn sign_out(&self, token: &str) -> Result<(), AccessError> {
        let _changing = self.change();
        let hash = secret::hash_token(token);
        let known = self.read().sessions().any(|(other, _)| *other == hash);
        if known { self.end(&hash) } else { Ok(()) }
    }

    fn end(&self, hash: &secret::Hash) -> Result<(), AccessError> {
        self.0.catalog.remove(DocumentKind::Session, &secret::hex(hash))?;
        self.write().remove_session(hash);
        Ok(())
    }

    /// Forgets sessions that have ended and writes down when the others were used last. Meant for
    /// every few minutes.
    ///
    /// # Errors
    /// The catalog cannot be written; it is tried again the next time.
    pub fn tidy(&self) -> Result<(), AccessError> {
        let _changing = self.change();
        let now = self.now();
        let over: Vec<secret::Hash> = {
            let picture = self.read();
            picture.sessions().filter(|(_, session)| !picture.lasts(session, now)).map(|(hash, _)| *hash).collect()
        };
        over.iter().try_for_each(|hash| self.end(hash))?;
        let seen: Vec<(secret::Hash, StoredSession)> = {
            let picture = self.read();
            let used = picture.sessions().map(|(hash, session)| (hash, session, session.seen.load(Ordering::Relaxed)));
            let moved = used.filter(|(_, session, seen)| seen - session.stored.seen >= SEEN_STEP_MS);
            moved.map(|(hash, session, seen)| (*hash, StoredSession { seen, ..session.stored.clone() })).collect()
        };
        if seen.is_empty() {
            return Ok(());
        }
        let documents: Vec<(String, StoredSession)> = seen.iter().map(|(hash, session)| (secret::hex(hash), session.clone())).collect();
        self.0.catalog.put_all(DocumentKind::Session, &documents)?;
        let mut picture = self.write();
        for (hash, session) in seen {
            picture.put_session(hash, session);
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn read(&self) -> RwLockReadGuard<'_, Picture> {
        self.0.picture.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Picture> {
        self.0.picture.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        lock(&self.0.changing)
    }
}

#[cfg(test)]
impl Accounts {
    /// None yet, on a store in memory, for tests of other rooms.
    pub(crate) fn in_memory() -> Self {
        let clock: SharedClock = Arc::new(crate::clock::SystemClock);
        let opened = tests::store(crate::store::Place::Memory, clock.clone());
        Self::open(opened.catalog, clock, Reach::Loopback).unwrap()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn generation() -> Result<u64, AccessError> {
    secret::random().map(u64::from_le_bytes)
}

fn at_most(now: usize, most: usize, what: &'static str) -> Result<(), AccessError> {
    if now < most { Ok(()) } else { Err(AccessError::TooMany { what, most }) }
}

fn no_user(name: &str) -> AccessError {
    AccessError::NoUser { name: name.to_owned() }
}

fn shown(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| address.to_string())
}

fn expiry(now: Timestamp, lasts: Duration) -> Result<i64, AccessError> {
    let ends = i64::try_from(lasts.as_millis()).ok().filter(|ms| *ms > 0).and_then(|ms| now.0.checked_add(ms));
    ends.ok_or_else(|| AccessError::Invalid { field: "expires", reason: "a key lasts longer than nothing and less than for ever".to_owned() })
}

#[cfg(test)]
mod tests;
