//! The command line: a subcommand a file, arguments in `args`, exit codes in `exit`, a small client
//! in `http`, the way to a daemon or a stopped store in `control`, passwords in `password`. Knows how to ask, not how anything is done.

mod args;
mod backup;
mod chart;
mod control;
mod exit;
mod health;
mod http;
mod key;
mod migrate;
mod password;
mod query;
mod user;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::app;
use crate::config::{Config, Live, print};
use crate::telemetry::init_log;

use args::{Arguments, Command, ConfigCommand, SettingsArgs};

pub use exit::{CliError, code_of};

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are "errors" to clap as well, with code 0 and on stdout. A closed
            // pipe has no reader whom a further message could reach.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

/// Prints an answer. A reader that has gone away (`latido config print | head`) is no error.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn run(arguments: Arguments) -> Result<(), CliError> {
    match arguments.command {
        None => serve(&arguments.serve),
        Some(Command::Serve(settings)) => serve(&settings),
        Some(Command::Config(ConfigCommand::Check(settings))) => check_config(&settings),
        Some(Command::Config(ConfigCommand::Print(settings))) => print_config(&settings),
        Some(Command::Query(arguments)) => query::run(&arguments),
        Some(Command::Migrate(arguments)) => migrate::run(&arguments),
        Some(Command::Health(arguments)) => health::run(&arguments),
        Some(Command::User(command)) => user::run(&command),
        Some(Command::Key(command)) => key::run(&command),
        Some(Command::Backup(command)) => backup::run(&command),
        Some(Command::Restore(arguments)) => backup::restore(&arguments),
        Some(Command::Verify(arguments)) => backup::verify(&arguments),
    }
}

fn serve(settings: &SettingsArgs) -> Result<(), CliError> {
    let live = Live::load(settings.sources()?)?;
    let config = live.current();
    init_log(config.log_format, &config.log_filter)?;
    Ok(app::run(Arc::new(live))?)
}

fn check_config(settings: &SettingsArgs) -> Result<(), CliError> {
    let config = Config::load(&settings.sources()?)?;
    say(&format!("the configuration is right (environment {})", config.environment));
    Ok(())
}

fn print_config(settings: &SettingsArgs) -> Result<(), CliError> {
    say(print(&Config::load(&settings.sources()?)?.layers).trim_end());
    Ok(())
}
