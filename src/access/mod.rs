//! Who may do what: accounts, keys, sessions, roles, and the one function that decides.
//!
//! Files in reading order: `role` roles, scopes and the caller of a request; `decide` what a caller
//! may do; `user`, `key`, `session` the three documents, each with its rules; `secret` passwords and
//! tokens, the only place with cryptography; `attempts` how often somebody may try a password;
//! `verified` passwords that were right a moment ago; `standing` by what somebody was known; `picture` all documents in memory; `accounts`
//! the handle over the catalog; `error`. Knows no HTTP and no route.

mod accounts;
mod attempts;
mod decide;
mod error;
mod key;
mod picture;
mod role;
mod secret;
mod session;
mod standing;
mod user;
mod verified;

pub use accounts::{Accounts, NewKey, Reach, SignedIn, UserChange};
pub use decide::{Denied, Need, decide};
pub use error::AccessError;
pub use key::{KEY_PREFIX, Key};
pub use role::{Caller, Role, Scope};
pub use secret::random_word;
pub use standing::Standing;
pub use user::User;
