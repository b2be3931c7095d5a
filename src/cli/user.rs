//! `latido user`: accounts, on a running daemon or a stopped store.

use serde_json::{Value as Json, json};

use crate::access::{AccessError, Accounts, Role, UserChange};
use crate::clock::format_rfc3339;
use crate::model::Timestamp;

use super::args::UserCommand;
use super::control::{Missing, Target, expect, table};
use super::exit::CliError;
use super::http::{Endpoint, encode};
use super::password;

const PATH: &str = "/api/v1/monitoring/access/users";

pub(super) fn run(command: &UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Add { name, role, target } => add(&Target::of(target, Missing::Create)?, name, role),
        UserCommand::List { target } => list(&Target::of(target, Missing::Refuse)?),
        UserCommand::Remove { name, target } => remove(&Target::of(target, Missing::Refuse)?, name),
        UserCommand::Passwd { name, target } => passwd(&Target::of(target, Missing::Refuse)?, name),
    }
}

fn add(target: &Target, name: &str, role: &str) -> Result<(), CliError> {
    let password = password::read()?;
    match target {
        Target::Daemon(daemon) => {
            let body = json!({"name": name, "role": role, "password": password}).to_string();
            expect(daemon, daemon.ask("POST", PATH, &body))?;
        }
        Target::Stopped(accounts) => {
            let role = Role::parse(role).ok_or_else(|| AccessError::unknown_role(role))?;
            accounts.add_user(name, role, &password)?;
        }
    }
    super::say(&format!("{name} is {role}"));
    if !all(target)?.iter().any(|user| user.role == Role::Admin.as_str()) {
        eprintln!("latido: no account is admin: until one is, accounts and keys are changed by this command alone");
    }
    Ok(())
}

fn list(target: &Target) -> Result<(), CliError> {
    let users = all(target)?;
    if users.is_empty() {
        eprintln!("latido: there are no accounts: whoever reaches the daemon on this machine is its admin");
        return Ok(());
    }
    super::say(&table(&users.into_iter().map(|user| vec![user.name, user.role, format_rfc3339(user.created)]).collect::<Vec<_>>()));
    Ok(())
}

fn remove(target: &Target, name: &str) -> Result<(), CliError> {
    let others = match target {
        Target::Daemon(daemon) => expect(daemon, daemon.ask("DELETE", &path_of(name), ""))?.get("accounts") == Some(&Json::Bool(true)),
        Target::Stopped(accounts) => accounts.remove_user(name)?,
    };
    super::say(&format!("{name} is removed"));
    if !others {
        eprintln!("latido: it was the last account: whoever reaches the daemon on this machine is its admin now, without a password");
    }
    Ok(())
}

fn passwd(target: &Target, name: &str) -> Result<(), CliError> {
    let password = password::read()?;
    match target {
        Target::Daemon(daemon) => {
            expect(daemon, daemon.ask("PUT", &path_of(name), &json!({"password": password}).to_string()))?;
        }
        Target::Stopped(accounts) => {
            accounts.change_user(name, UserChange { role: None, password: Some(password) })?;
        }
    }
    super::say(&format!("{name} has a new password, and has to sign in again"));
    Ok(())
}

fn path_of(name: &str) -> String {
    format!("{PATH}/{}", encode(name))
}

/// An account as it is listed.
struct Listed {
    name: String,
    role: String,
    created: Timestamp,
}

fn all(target: &Target) -> Result<Vec<Listed>, CliError> {
    match target {
        Target::Daemon(daemon) => asked(daemon),
        Target::Stopped(accounts) => Ok(kept(accounts)),
    }
}

fn kept(accounts: &Accounts) -> Vec<Listed> {
    accounts.users().into_iter().map(|user| Listed { name: user.name, role: user.role.to_string(), created: user.created }).collect()
}

fn asked(daemon: &Endpoint) -> Result<Vec<Listed>, CliError> {
    let body = expect(daemon, daemon.get(PATH))?;
    let text = |user: &Json, key: &str| user.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let listed = |user: &Json| Listed {
        name: text(user, "name"),
        role: text(user, "role"),
        created: Timestamp(user.get("created_at").and_then(Json::as_i64).unwrap_or_default()),
    };
    Ok(body.get("users").and_then(Json::as_array).into_iter().flatten().map(listed).collect())
}
