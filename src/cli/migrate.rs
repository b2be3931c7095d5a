//! `latido migrate`: which migrations a stopped store waits for, and running them without a daemon.

use crate::config::Config;
use crate::store::{self, Place};

use super::args::{MigrateArgs, SettingsArgs};
use super::exit::CliError;

pub(super) fn run(args: &MigrateArgs) -> Result<(), CliError> {
    let settings = SettingsArgs { env: args.env.clone(), config: args.config.clone(), data_dir: args.data_dir.clone(), ..SettingsArgs::default() };
    let config = Config::load(&settings.sources()?)?;
    let directory = config.data_dir;
    if !directory.is_dir() {
        return Err(CliError::Usage(format!("there is no data directory {}", directory.display())));
    }
    let pending = store::pending_migrations(&directory)?;
    if pending.is_empty() {
        super::say("nothing to migrate");
    } else if args.dry_run {
        pending.iter().for_each(|name| super::say(&format!("would run {name}")));
    } else {
        store::open_catalog(&store::Options { place: Place::Disk(directory), ..config.store })?;
        pending.iter().for_each(|name| super::say(&format!("ran {name}")));
    }
    Ok(())
}
