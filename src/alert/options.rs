//! Settings of alerts.

use std::fmt;
use std::time::Duration;

use crate::net::Address;

/// How alerts are evaluated and told.
#[derive(Clone)]
pub struct Options {
    /// From evaluation to evaluation of a group that says nothing else.
    pub evaluation_interval: Duration,
    /// Whether the rules for a Linux host apply.
    pub default_rules: bool,
    /// One address that gets every notification as JSON.
    pub webhook: Option<Address>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the address only host and port are shown: the rest is a secret.
        f.debug_struct("Options")
            .field("evaluation_interval", &self.evaluation_interval)
            .field("default_rules", &self.default_rules)
            .field("webhook", &self.webhook)
            .finish()
    }
}
