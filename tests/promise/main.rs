//! What the user is promised, tried on the real program: each file starts `latido` as a user would
//! and talks to it over HTTP alone. One binary, because each further one links every crate again.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a promise that cannot be tried is a failed test; helpers have no caller to hand an error to"
)]

mod harness;

mod access;
mod alerts;
mod analysis;
mod backups;
mod bad_input;
mod collects;
mod copied_directory;
mod custom_metrics;
mod dashboards;
mod deletion;
mod differential;
mod disk_full;
mod golden;
mod kill;
mod native_histograms;
mod node_exporter;
mod page;
mod plugins;
mod real_clients;
mod refusals;
mod restart;
mod rolled;
mod tiers;
mod viewers;
