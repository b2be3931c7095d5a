//! Alerts: rules in PromQL, evaluated on schedule, kept over restarts, told to a webhook.
//!
//! Files in reading order: `alerts` the door; `rule` the document and what must be true of it;
//! `template` the texts of rules; `defaults` the rules that are compiled in; `book` which rules there
//! are; `state` what becomes of alerts, pure; `group` evaluates one group at one time; `history` what
//! became of alerts; `outbox` what is still to be told; `scheduler` when; `notify/` how it is told;
//! `error`, `options`. Knows no HTTP route.

mod alerts;
mod book;
mod defaults;
mod error;
mod group;
mod history;
mod notify;
mod options;
mod outbox;
mod rule;
mod scheduler;
mod state;
mod template;

pub use alerts::{Alerts, Handles, RuleHealth, RuleState};
pub use book::{Entry, RuleOrigin};
pub use error::AlertError;
pub use history::{Change, Event};
pub use options::Options;
pub use rule::{Rule, RuleDraft};
pub use scheduler::start;
pub use state::{Alert, Phase};
