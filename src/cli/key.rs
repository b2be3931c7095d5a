//! `latido key`: keys for programs, on a running daemon or a stopped store.

use serde_json::{Value as Json, json};

use crate::access::{AccessError, Key, NewKey, Role, Scope};
use crate::clock::{format_rfc3339, parse_duration};
use crate::model::Timestamp;

use super::args::KeyCommand;
use super::control::{Missing, Target, expect, table};
use super::exit::CliError;
use super::http::encode;

const PATH: &str = "/api/v1/monitoring/access/keys";

pub(super) fn run(command: &KeyCommand) -> Result<(), CliError> {
    match command {
        KeyCommand::Create { name, role, scope, expires, target } => {
            let wanted = Wanted { name: name.as_deref(), role, scope, expires: expires.as_deref() };
            create(&Target::of(target, Missing::Create)?, &wanted)
        }
        KeyCommand::List { target } => list(&Target::of(target, Missing::Refuse)?),
        KeyCommand::Revoke { id, target } => revoke(&Target::of(target, Missing::Refuse)?, id),
    }
}

/// A key to be made, as it was asked for.
struct Wanted<'a> {
    name: Option<&'a str>,
    role: &'a str,
    scope: &'a str,
    expires: Option<&'a str>,
}

impl Wanted<'_> {
    fn read(&self) -> Result<NewKey, CliError> {
        let expires = self.expires.map(parse_duration).transpose().map_err(|e| CliError::Usage(format!("--expires: {e}")))?;
        Ok(NewKey {
            name: self.name.map(str::to_owned),
            role: Role::parse(self.role).ok_or_else(|| AccessError::unknown_role(self.role))?,
            scope: Scope::parse(self.scope).ok_or_else(|| AccessError::unknown_scope(self.scope))?,
            expires,
        })
    }
}

fn create(target: &Target, wanted: &Wanted<'_>) -> Result<(), CliError> {
    let new = wanted.read()?;
    let (key, secret) = match target {
        Target::Stopped(accounts) => {
            let (key, secret) = accounts.create_key(new)?;
            (Listed::from(key), secret)
        }
        Target::Daemon(daemon) => {
            let body = json!({"name": wanted.name, "role": wanted.role, "scope": wanted.scope, "expires": wanted.expires}).to_string();
            let made = expect(daemon, daemon.ask("POST", PATH, &body))?;
            let secret = made.get("key").and_then(Json::as_str).unwrap_or_default().to_owned();
            (Listed::from(&made), secret)
        }
    };
    eprintln!("latido: key {} ({}): {}, {}, {}. It is shown this once:", key.id, key.name, key.role, key.scope, key.lasts());
    // The last word of stdout, and nothing after it.
    super::say(&secret);
    Ok(())
}

fn list(target: &Target) -> Result<(), CliError> {
    let keys: Vec<Listed> = match target {
        Target::Stopped(accounts) => accounts.keys().into_iter().map(Listed::from).collect(),
        Target::Daemon(daemon) => {
            let body = expect(daemon, daemon.get(PATH))?;
            body.get("keys").and_then(Json::as_array).into_iter().flatten().map(Listed::from).collect()
        }
    };
    if keys.is_empty() {
        eprintln!("latido: there are no keys");
        return Ok(());
    }
    let row = |key: Listed| {
        let lasts = key.lasts();
        vec![key.id, key.name, key.role, key.scope, lasts]
    };
    super::say(&table(&keys.into_iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn revoke(target: &Target, id: &str) -> Result<(), CliError> {
    match target {
        Target::Stopped(accounts) => accounts.revoke_key(id)?,
        Target::Daemon(daemon) => {
            expect(daemon, daemon.ask("DELETE", &format!("{PATH}/{}", encode(id)), ""))?;
        }
    }
    super::say(&format!("{id} is revoked"));
    Ok(())
}

/// A key as it is listed.
struct Listed {
    id: String,
    name: String,
    role: String,
    scope: String,
    expires: Option<Timestamp>,
}

impl Listed {
    fn lasts(&self) -> String {
        self.expires.map_or_else(|| "until it is revoked".to_owned(), |expires| format!("until {}", format_rfc3339(expires)))
    }
}

impl From<Key> for Listed {
    fn from(key: Key) -> Self {
        Self { id: key.id, name: key.name, role: key.role.to_string(), scope: key.scope.as_str().to_owned(), expires: key.expires }
    }
}

impl From<&Json> for Listed {
    fn from(key: &Json) -> Self {
        let text = |name: &str| key.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let expires = key.get("expires_at").and_then(Json::as_i64).map(Timestamp);
        Self { id: text("id"), name: text("name"), role: text("role"), scope: text("scope"), expires }
    }
}
