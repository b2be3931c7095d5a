//! The command line: only its form. The only user of `clap`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{ConfigError, Flag, Sources};

/// See one server, understand it, be woken by it.
///
/// Without a subcommand: serve.
#[derive(Debug, Parser)]
#[command(name = "latido", bin_name = "latido", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// For serving.
    #[command(flatten)]
    pub(super) serve: SettingsArgs,
}

/// A subcommand.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Collect, store and answer, until SIGTERM (the default)
    Serve(SettingsArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Evaluate a PromQL expression, on a running daemon or a stopped store
    Query(QueryArgs),
    /// Ask a running daemon how it is; exit code 1 where it is not well or cannot be reached
    Health(HealthArgs),
    /// Accounts for people, on a running daemon or a stopped store
    #[command(subcommand)]
    User(UserCommand),
    /// Keys for programs, on a running daemon or a stopped store
    #[command(subcommand)]
    Key(KeyCommand),
    /// Copy a store whole, running or stopped, and look at such a copy
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Make a data directory of a backup
    Restore(RestoreArgs),
    /// Read every file of a store, running or stopped: checksums and every row (exit code 1 where something is damaged)
    Verify(VerifyArgs),
    /// Bring a stopped store to the layout of this version, as the next start does by itself
    Migrate(MigrateArgs),
}

/// `latido migrate`.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// The data directory of a stopped daemon (default: storage.data_dir)
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
    /// The file that the daemon is started with
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The environment that the daemon is started with
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// Only say which migrations would run; no byte changes
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What to do with backups.
#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Write a backup: everything acknowledged until now, with checksums
    Create {
        /// A directory that is not there yet, or is empty
        dest: PathBuf,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Read every file of a backup (exit code 1 where something is damaged)
    Verify {
        /// The backup's directory
        src: PathBuf,
    },
}

/// `latido restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup's directory
    pub(super) src: PathBuf,
    /// The data directory to make
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: PathBuf,
    /// Where data is there already: move it aside first
    #[arg(long)]
    pub(super) force: bool,
}

/// `latido verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Set damaged files aside, so that the rest is whole (on a running daemon the next maintenance does it)
    #[arg(long)]
    pub(super) repair: bool,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make an account; its password is asked for twice on a terminal, else it is the first line of stdin
    Add {
        /// 1 to 64 letters, digits and . _ - @
        name: String,
        /// What it may do: viewer looks, editor changes dashboards and rules and records values, admin does everything
        #[arg(long, value_parser = ROLES)]
        role: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Show the accounts
    List {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Remove an account; its sessions end
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Change an account's password; its sessions end
    Passwd {
        /// Its name
        name: String,
        #[command(flatten)]
        target: TargetArgs,
    },
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key and print it, once
    Create {
        /// What it is for
        name: Option<String>,
        /// What it may do; to push, a program needs editor
        #[arg(long, value_parser = ROLES)]
        role: String,
        /// read changes nothing
        #[arg(long, value_parser = ["read", "write"], default_value = "read")]
        scope: String,
        /// How long it lasts, such as 30d (without it: until it is revoked)
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Show the keys, without their secrets
    List {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Revoke a key; who shows it is refused from then on
    Revoke {
        /// As `latido key list` shows it
        id: String,
        #[command(flatten)]
        target: TargetArgs,
    },
}

const ROLES: [&str; 3] = ["viewer", "editor", "admin"];

/// On which daemon or store a command works.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TargetArgs {
    /// The data directory (default: storage.data_dir); a daemon that runs on it is asked through its control socket
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub(super) data_dir: Option<String>,
    /// The file that the daemon is started with
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(super) config: Option<PathBuf>,
    /// The environment that the daemon is started with
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub(super) env: Option<String>,
    /// A running daemon, with an admin's key
    #[arg(long)]
    pub(super) url: Option<String>,
    /// A file whose first line is the key (else LATIDO_KEY)
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) key_file: Option<PathBuf>,
}

impl TargetArgs {
    /// Where the data lies.
    pub(super) fn settings(&self) -> SettingsArgs {
        SettingsArgs { env: self.env.clone(), config: self.config.clone(), data_dir: self.data_dir.clone(), ..SettingsArgs::default() }
    }
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether it is right (exit code 78 where it is not)
    Check(SettingsArgs),
    /// Show every setting that applies, and where it came from
    Print(SettingsArgs),
}

/// Where settings come from.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SettingsArgs {
    /// Whose defaults apply: standalone (default), development, staging or production
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// A YAML file over the defaults
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
    /// Where to answer, such as 127.0.0.1:7117
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: Option<String>,
    /// One setting, such as collection.interval=10s; may be given several times
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// A reverse proxy stands in front
    #[arg(long)]
    pub(super) behind_proxy: bool,
    /// How log lines look (without it: text on a terminal, else JSON)
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormatArg>,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormatArg {
    Text,
    Json,
}

impl SettingsArgs {
    /// With the environment of the process. What has a flag of its own wins over `--set`.
    ///
    /// # Errors
    /// A `--set` without `=`.
    pub(super) fn sources(&self) -> Result<Sources, ConfigError> {
        let mut flags = self.set.iter().map(|text| Flag::from_set(text)).collect::<Result<Vec<_>, _>>()?;
        let mut flag = |name: &str, path: &str, value: &str| flags.push(Flag { name: name.to_owned(), path: path.to_owned(), value: value.to_owned() });
        if let Some(directory) = &self.data_dir {
            flag("--data-dir", "storage.data_dir", directory);
        }
        if let Some(listen) = &self.listen {
            flag("--listen", "http.listen", listen);
        }
        if self.behind_proxy {
            flag("--behind-proxy", "http.behind_proxy", "true");
        }
        if let Some(format) = self.log_format {
            flag("--log-format", "log.format", if format == LogFormatArg::Text { "text" } else { "json" });
        }
        Ok(Sources { environment: self.env.clone(), file: self.config.clone(), flags, ..Sources::from_process() })
    }
}

/// Where a running daemon is found when nothing is said.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:7117";

/// `latido query`.
#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The expression
    pub(super) expr: String,
    /// The running daemon
    #[arg(long, default_value = DEFAULT_URL, conflicts_with = "data_dir")]
    pub(super) url: String,
    /// The data directory of a stopped one, or of one that runs here
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
    /// A file whose first line is a key (else LATIDO_KEY)
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    pub(super) key_file: Option<PathBuf>,
    /// With --data-dir: the file that it was started with
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    pub(super) config: Option<PathBuf>,
    /// With --data-dir: the environment that it was started with
    #[arg(long, value_name = "NAME", requires = "data_dir")]
    pub(super) env: Option<String>,
    /// At this time: Unix milliseconds, RFC 3339, -1h, now
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["start", "end", "step"])]
    pub(super) time: Option<String>,
    /// From this time on
    #[arg(long, allow_hyphen_values = true, requires = "step")]
    pub(super) start: Option<String>,
    /// Up to this time (default: now)
    #[arg(long, allow_hyphen_values = true, requires = "start")]
    pub(super) end: Option<String>,
    /// One value every so often, such as 1m
    #[arg(long, requires = "start")]
    pub(super) step: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Csv,
    /// Lines over time, drawn with the characters of the terminal
    Chart,
}

/// `latido health`.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The running daemon
    #[arg(long, default_value = DEFAULT_URL)]
    pub(super) url: String,
    /// A file whose first line is a key (else LATIDO_KEY)
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_for_serving_stand_with_and_without_the_word() {
        let bare = parse("latido --env development --listen 127.0.0.1:1 --set a.b=c --set d.e=f").unwrap();
        assert!(bare.command.is_none() && bare.serve.set.len() == 2);
        assert!(matches!(parse("latido serve --data-dir d --behind-proxy").unwrap().command, Some(Command::Serve(args)) if args.behind_proxy));
        assert!(parse("latido").unwrap().command.is_none());
    }

    #[test]
    fn flags_become_settings_and_win_over_set() {
        let args = parse("latido --set http.listen=127.0.0.1:1 --listen 127.0.0.1:2 --log-format json").unwrap().serve;
        let flags = args.sources().unwrap().flags;
        let named: Vec<(&str, &str)> = flags.iter().map(|flag| (flag.path.as_str(), flag.value.as_str())).collect();
        assert_eq!(named, [("http.listen", "127.0.0.1:1"), ("http.listen", "127.0.0.1:2"), ("log.format", "json")]);
    }

    #[test]
    fn what_contradicts_on_the_line_is_a_usage_error() {
        for line in [
            "latido --nonsense",
            "latido query",
            "latido query up --url http://x --data-dir d",
            "latido query up --time now --start -1h --step 1m",
            "latido query up --start -1h",
            "latido query up --format xml",
            "latido demo",
            "latido user add ana",
            "latido user add ana --role owner",
            "latido user add --role admin",
            "latido key create --role viewer --scope all",
            "latido key revoke",
            "latido user list --url http://x --data-dir d",
            "latido user list --key-file k",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        for line in [
            "latido query up --start -1h --step 1m --format csv",
            "latido key create --role editor --scope write --expires 30d",
            "latido key create grafana --role viewer",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }
}
