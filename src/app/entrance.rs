//! How the daemon is come to: whether the accounts are there that its addresses need, its control
//! socket, and as many open files as the system lets it have.

use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::access::{Accounts, Reach};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::serve::{self, Control};
use crate::store::{Catalog, DirectoryLock, Place, StoreError};

use super::AppError;

/// More files than it has use for: viewers, clients, sealed files.
const MOST_FILES: u64 = 65_536;

/// Reads the accounts, and refuses to be reached from beyond this machine without one.
pub(super) fn open_accounts(catalog: Catalog, clock: SharedClock, options: &serve::Options, data_dir: &Path) -> Result<Accounts, AppError> {
    let reach = options.reach();
    let accounts = Accounts::open(catalog, clock, reach)?;
    if reach == Reach::Beyond && !accounts.any() {
        return Err(AppError::NoAccount(needs_account(options, data_dir)));
    }
    Ok(accounts)
}

fn needs_account(options: &serve::Options, data_dir: &Path) -> String {
    let beyond = options.listen.iter().find(|address| !address.ip().to_canonical().is_loopback());
    let why = match beyond {
        Some(address) => format!("{address} can be reached from beyond this machine"),
        None => "--behind-proxy brings others to this daemon".to_owned(),
    };
    let port = options.listen.first().map_or(0, std::net::SocketAddr::port);
    format!(
        "{why}, and there is no account to sign in with. Make one:\n  \
         latido user add NAME --role admin --data-dir {directory}\n\
         and start it again; or listen at 127.0.0.1:{port} alone, without --behind-proxy, and come through\n  \
         ssh -L {port}:127.0.0.1:{port} user@host",
        directory = quoted(&data_dir.display().to_string())
    )
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Whose lock the data directory has.
#[derive(Debug)]
pub(super) enum Held {
    /// The store's, as soon as it is open.
    ByStore,
    /// Ours, for a store in memory.
    Here(#[expect(dead_code, reason = "held, not asked: the system frees it with the file")] DirectoryLock),
    /// Nobody's: it cannot be written, and a store in memory does without.
    Not,
}

/// Takes the data directory for a store in memory, whose control socket lies there.
///
/// # Errors
/// Another daemon is in it.
pub(super) fn hold_directory(config: &Config) -> Result<Held, AppError> {
    if let Place::Disk(_) = &config.store.place {
        return Ok(Held::ByStore);
    }
    match DirectoryLock::take(&config.data_dir) {
        Ok(lock) => Ok(Held::Here(lock)),
        Err(StoreError::NotWritable { path, source }) => {
            tracing::warn!(path = %path.display(), error = %source, "no control socket: the directory cannot be written");
            Ok(Held::Not)
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the control socket in the data directory, once its lock is held.
pub(super) fn open_control(config: &Config, held: &Held) -> Option<Control> {
    if let Held::Not = held { None } else { Control::open(&config.data_dir) }
}

/// Takes as many open files as may be had: each viewer is one.
pub(super) fn lift_file_limit() {
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.unwrap_or(MOST_FILES).min(MOST_FILES);
    if now.current.is_none_or(|current| current >= wanted) {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum }) {
        Ok(()) => tracing::debug!(before = now.current, now = wanted, "more files may be open"),
        Err(error) => tracing::warn!(%error, limit = now.current, "the limit of open files stays as it was"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, Sources};

    fn config(flags: &[(&str, &str)]) -> Config {
        let flags = flags.iter().map(|(path, value)| Flag { name: "--set".into(), path: (*path).into(), value: (*value).into() }).collect();
        Config::load(&Sources { flags, ..Sources::default() }).unwrap()
    }

    #[test]
    fn the_refusal_has_the_line_to_paste() {
        let config = config(&[("http.listen", "127.0.0.1:1,0.0.0.0:7117"), ("http.plaintext", "true")]);
        let text = needs_account(&config.serve, Path::new("/srv/my data"));
        assert!(text.starts_with("0.0.0.0:7117 can be reached"), "{text}");
        assert!(text.contains("\n  latido user add NAME --role admin --data-dir '/srv/my data'\n"), "{text}");
    }

    #[test]
    fn a_daemon_in_memory_locks_its_directory_and_writes_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data");
        let config = config(&[("storage.backend", "memory"), ("storage.data_dir", &dir.display().to_string())]);
        let held = hold_directory(&config).unwrap();
        let control = open_control(&config, &held).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["control.sock", "lock"]);
        assert!(matches!(hold_directory(&config), Err(AppError::Store(StoreError::InUse { .. }))));
        drop((control, held));
        assert!(matches!(hold_directory(&config), Ok(Held::Here(_))));
    }

    #[test]
    fn the_file_limit_is_lifted_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        lift_file_limit();
        let after = getrlimit(Resource::Nofile);
        assert!(after.current.is_none() || after.current >= before.current.min(Some(MOST_FILES)));
        assert_eq!(after.maximum, before.maximum);
    }
}
