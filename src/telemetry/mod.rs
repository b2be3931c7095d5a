//! What the daemon says of itself: the log, its own metrics, the state of its parts.
//!
//! Files: `log` the subscriber, `own` the daemon's own metrics, `health` state by component.
//! Knows none of the rooms that report to it.

mod health;
mod log;
mod own;

pub use health::{Component, ComponentState, Health, HealthBoard, Overall};
pub use log::{LogError, LogFormat, init as init_log};
pub use own::{OwnMetrics, OwnSample};
