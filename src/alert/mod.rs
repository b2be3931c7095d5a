//! Alerts: rules in PromQL, evaluated on schedule, kept over restarts, told to a webhook.
//!
//! Files: `options`. Knows no HTTP route.

mod options;

pub use options::Options;
