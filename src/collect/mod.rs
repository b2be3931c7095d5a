//! Watches the machine, the daemon itself and plug-ins: a round of sources becomes one batch.
//!
//! Files in reading order: `source` the trait and the list `SOURCES`; `gathered` what a source
//! yields; `system/` the machine, a source a file; `own` the daemon; `plugin` commands; `slot` one
//! source's place; `round` what came becomes a batch; `scheduler` the rounds; `health` how it goes;
//! `collector` the door. This room knows how values are handed on, not where they lie: it does not
//! read the store, but for its figures.

mod collector;
mod error;
mod gathered;
mod health;
mod options;
mod own;
mod plugin;
mod round;
mod scheduler;
mod slot;
mod source;
mod system;

pub use collector::{Collector, Handles, Reading, gather_once};
pub use error::CollectError;
pub use gathered::{Gathered, Row, Rows, Text};
pub use health::{CollectStats, SourceStats};
pub use options::{Options, PluginOptions, When};
pub use source::Source;
pub use system::{host_name, own_addresses};
