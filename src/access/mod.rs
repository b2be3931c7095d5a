//! Who may do what: accounts, keys, sessions, roles, and the one function that decides.
//!
//! Files: `role` roles, scopes and the caller of a request. Knows no HTTP and no route.

mod role;

pub use role::{Caller, Role, Scope};
