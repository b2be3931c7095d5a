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
    /// The data directory of a stopped one
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
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
}

/// `latido health`.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The running daemon
    #[arg(long, default_value = DEFAULT_URL)]
    pub(super) url: String,
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
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert!(parse("latido query up --start -1h --step 1m --format csv").is_ok());
    }
}
