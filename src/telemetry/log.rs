//! The log: to stderr, as text on a terminal and as JSON elsewhere, filtered like `RUST_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is malformed.
    #[error("{filter:?} is not a log filter (write it like info or latido=debug,warn): {reason}")]
    Filter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another subscriber is there already.
    #[error("the log is set up already")]
    Twice,
}

/// Sets up the log of the process. Without a format: text on a terminal, else JSON.
///
/// # Errors
/// The filter is malformed, or it was set up before.
pub fn init(format: Option<LogFormat>, filter: &str) -> Result<(), LogError> {
    let parsed = EnvFilter::try_new(filter).map_err(|e| LogError::Filter { filter: filter.to_owned(), reason: e.to_string() })?;
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder = fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    let done = match format {
        LogFormat::Text => builder.with_ansi(terminal).with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
    done.map_err(|_| LogError::Twice)
}
