//! May this caller do that: one function. What a route needs is said in `serve`, once.

use super::{Caller, Role, Scope};

/// What is needed to pass a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Nothing, and it makes no difference who asks.
    Open,
    /// Nothing, but what is behind it looks at who asks.
    Public,
    /// To look: viewer.
    Read,
    /// To change what editors change: editor, for writing.
    Write,
    /// To look at what only admins see.
    Admin,
    /// To change what only admins change.
    AdminWrite,
}

impl Need {
    /// The least role.
    #[must_use]
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Open | Self::Public => None,
            Self::Read => Some(Role::Viewer),
            Self::Write => Some(Role::Editor),
            Self::Admin | Self::AdminWrite => Some(Role::Admin),
        }
    }

    /// What a key must have been made for.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Open | Self::Public | Self::Read | Self::Admin => Scope::Read,
            Self::Write | Self::AdminWrite => Scope::Write,
        }
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A stranger: signing in may help.
    SignIn,
    /// Known, but this role is lacking.
    Role(Role),
    /// The role is enough, but the key was made for reading alone.
    Scope,
}

/// Whether `caller` has what is needed.
///
/// # Errors
/// What is lacking.
pub fn decide(caller: &Caller, need: Need) -> Result<(), Denied> {
    let Some(least) = need.role() else { return Ok(()) };
    match caller.role {
        None => Err(Denied::SignIn),
        Some(role) if role < least => Err(Denied::Role(least)),
        Some(_) if caller.scope < need.scope() => Err(Denied::Scope),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_need_lets_in_those_it_is_meant_for() {
        let caller = |role, scope| Caller { name: "x".into(), role: Some(role), scope };
        let callers = [
            Caller::stranger(),
            caller(Role::Viewer, Scope::Write),
            caller(Role::Editor, Scope::Write),
            caller(Role::Admin, Scope::Write),
            caller(Role::Editor, Scope::Read),
            caller(Role::Admin, Scope::Read),
        ];
        let (sign_in, editor, admin, scope) = (Err(Denied::SignIn), Err(Denied::Role(Role::Editor)), Err(Denied::Role(Role::Admin)), Err(Denied::Scope));
        for (need, expected) in [
            (Need::Open, [Ok(()); 6]),
            (Need::Public, [Ok(()); 6]),
            (Need::Read, [sign_in, Ok(()), Ok(()), Ok(()), Ok(()), Ok(())]),
            (Need::Write, [sign_in, editor, Ok(()), Ok(()), scope, scope]),
            (Need::Admin, [sign_in, admin, admin, Ok(()), admin, Ok(())]),
            (Need::AdminWrite, [sign_in, admin, admin, Ok(()), admin, scope]),
        ] {
            assert_eq!(callers.each_ref().map(|caller| decide(caller, need)), expected, "{need:?}");
        }
    }
}
