//! What every promise needs: the daemon as a child process, an HTTP client, the remote-write wire
//! form written by hand (so that a mistake of the program's own encoder cannot hide), and waiting
//! for an event with an end. Knows no promise.

use std::io::Write;

mod daemon;
mod http;
mod push;
mod wait;

pub(crate) use daemon::{Daemon, Setup};
pub(crate) use http::{Answer, Client, Fetched, points, raw_request};
pub(crate) use push::{Pushed, remote_write_body};
pub(crate) use wait::{eventually, free_port, now_ms};

/// An hour in milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// A minute in milliseconds.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// Whether the long form of a test was asked for (`bash tests/run --long`).
pub(crate) fn is_long() -> bool {
    std::env::var_os("LATIDO_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Says loudly that something was not tried: past the capture of a test's output.
pub(crate) fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}
