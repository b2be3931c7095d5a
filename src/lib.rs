//! latido: see one server, understand it, be woken by it. The rooms, in the order of the data; a
//! room names only rooms that stand before it.

/// Who may do what: accounts, keys, sessions, roles.
pub mod access;
/// Rules that are evaluated, the state of their alerts, and telling of it.
pub mod alert;
/// What the numbers mean: trends and findings.
pub mod analyze;
/// Builds the rooms in order and stops them in reverse.
pub mod app;
/// The command line.
pub mod cli;
/// Now, durations, moments, cron expressions.
pub mod clock;
/// This machine's counters, the daemon's own, and plug-ins.
pub mod collect;
/// Settings, layer over layer, and where each came from.
pub mod config;
/// Dashboards, what they show at a tick, and who watches.
pub mod dashboard;
/// What may enter, the one way in, and what is known of metrics.
pub mod ingest;
/// Words that all rooms share: time, labels, samples, batches, columns, tiers.
pub mod model;
/// The way out, and TLS on the way in.
pub mod net;
/// PromQL over columns.
pub mod query;
/// HTTP: extract, one call, answer.
pub mod serve;
/// What was acknowledged is on disk, by tier, and can be read while it is written.
pub mod store;
/// Stop signal, deadlines, the bounded pool, supervised loops.
pub mod task;
/// The log, the daemon's own metrics, the state of its parts.
pub mod telemetry;
/// Bytes to model and back: remote write, expositions, JSON samples, YAML.
pub mod wire;
