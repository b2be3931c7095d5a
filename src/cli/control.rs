//! The way to accounts and keys: a running daemon, by its control socket or by its address with a
//! key, or the catalog of a stopped one. Knows no account.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::access::{Accounts, Reach};
use crate::clock::SystemClock;
use crate::config::{Config, Sources};
use crate::serve::CONTROL_SOCKET;
use crate::store::{self, Place};

use super::args::TargetArgs;
use super::exit::CliError;
use super::http::{Answer, Endpoint};

/// Where a command works.
pub(super) enum Target {
    Daemon(Endpoint),
    Stopped(Accounts),
}

/// Whether a command may begin a new data directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Refuse,
}

impl Target {
    pub(super) fn of(args: &TargetArgs, missing: Missing) -> Result<Self, CliError> {
        if let Some(url) = &args.url {
            return Ok(Self::Daemon(by_url(url, args.key_file.as_deref())?));
        }
        let config = Config::load(&args.settings().sources()?)?;
        match running_on(&config.data_dir)? {
            Some(daemon) => Ok(Self::Daemon(daemon)),
            None => stopped(config, missing).map(Self::Stopped),
        }
    }
}

fn stopped(config: Config, missing: Missing) -> Result<Accounts, CliError> {
    let place = match config.store.place {
        Place::Disk(directory) => directory,
        Place::Memory => {
            let reason = "with storage.backend: memory accounts and keys end with the process, and none runs here: start the daemon first";
            return Err(CliError::Usage(reason.to_owned()));
        }
    };
    if !place.is_dir() {
        let path = place.display();
        // A directory with a typing error in it must not be taken for one without accounts.
        if missing == Missing::Refuse {
            return Err(CliError::Usage(format!("there is no data directory {path}")));
        }
        eprintln!("latido: {path} is a new data directory");
    }
    let catalog = store::open_catalog(&store::Options { place: Place::Disk(place), ..config.store })?;
    Ok(Accounts::open(catalog, Arc::new(SystemClock), Reach::Loopback)?)
}

/// The daemon at an address, with the key of a file or of the process's environment.
pub(super) fn by_url(url: &str, key_file: Option<&Path>) -> Result<Endpoint, CliError> {
    let key = match key_file {
        Some(path) => Some(Sources::key_in(path)?),
        None => Sources::from_process().key()?,
    };
    Ok(Endpoint::Url { url: url.to_owned(), key })
}

/// The daemon that runs on a data directory; `None` where none does.
pub(super) fn running_on(directory: &Path) -> Result<Option<Endpoint>, CliError> {
    let path = directory.join(CONTROL_SOCKET);
    match UnixStream::connect(&path) {
        Ok(_) => Ok(Some(Endpoint::Socket(path))),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            Err(CliError::Remote(format!("{} belongs to another user: be that user, or use --url with an admin's key", path.display())))
        }
        // Not there, of a daemon that died, or longer than a socket's path can be.
        Err(_) => Ok(None),
    }
}

/// The JSON of an answer that went well.
pub(super) fn expect(daemon: &Endpoint, answer: Result<Answer, String>) -> Result<Json, CliError> {
    let answer = answer.map_err(CliError::Remote)?;
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    if (200..300).contains(&answer.status) {
        return Ok(body);
    }
    let said = body.pointer("/error/message").and_then(Json::as_str).unwrap_or("no reason").to_owned();
    match answer.status {
        400 => Err(CliError::Usage(said)),
        401 => Err(CliError::Remote(format!("{daemon} wants an admin's key: {said} (LATIDO_KEY or --key-file)"))),
        status => Err(CliError::Remote(format!("{daemon} answered {status}: {said}"))),
    }
}

/// Lines of columns that stand under each other.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let line = |row: &Vec<String>| row.iter().enumerate().map(|(at, cell)| format!("{cell:0$}", width(at))).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
