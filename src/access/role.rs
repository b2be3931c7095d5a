//! Roles, scopes, and who is asking. Plain values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person or key may do; each may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Makes and changes dashboards and rules, records values.
    Editor,
    /// Everything: accounts, keys, deletion, reload.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Admin];

    /// The word on the wire and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key may be used for, within its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Changes nothing.
    Read,
    /// Reads and writes.
    Write,
}

impl Scope {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The word on the wire and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's or key's name; empty for a stranger.
    pub name: String,
    /// What they may do; `None` for a stranger.
    pub role: Option<Role>,
    /// For what; a person has both.
    pub scope: Scope,
}

impl Caller {
    /// Somebody without credentials.
    #[must_use]
    pub const fn stranger() -> Self {
        Self { name: String::new(), role: None, scope: Scope::Read }
    }

    /// Whoever reaches a daemon without accounts, or its control socket.
    #[must_use]
    pub fn local() -> Self {
        Self { name: "local".to_owned(), role: Some(Role::Admin), scope: Scope::Write }
    }

    /// Whether they have at least that role; `None` asks for nothing.
    #[must_use]
    pub fn has(&self, least: Option<Role>) -> bool {
        least.is_none() || self.role >= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_those_before_it_and_a_stranger_has_none() {
        assert!(Role::Viewer < Role::Editor && Role::Editor < Role::Admin);
        let editor = Caller { role: Some(Role::Editor), ..Caller::local() };
        assert!(editor.has(Some(Role::Viewer)) && editor.has(Some(Role::Editor)) && !editor.has(Some(Role::Admin)));
        assert!(Caller::stranger().has(None) && !Caller::stranger().has(Some(Role::Viewer)));
    }
}
