//! Settings of the collectors.

use std::time::Duration;

use crate::clock::CronSchedule;

/// What is collected, and how often.
#[derive(Clone, Debug)]
pub struct Options {
    /// Off: nothing is collected, plug-ins and own metrics included.
    pub enabled: bool,
    /// From round to round.
    pub interval: Duration,
    /// What one source may take.
    pub deadline: Duration,
    /// Pace of the top processes.
    pub process_interval: Duration,
    /// At most so many names among the top processes, for processor and memory each.
    pub process_top: usize,
    /// Commands that print exposition text.
    pub plugins: Vec<PluginOptions>,
    /// Whether figures of the daemon's caches are collected.
    pub cache_efficiency: bool,
}

/// A command that prints exposition text.
#[derive(Clone, Debug)]
pub struct PluginOptions {
    /// The name of the source.
    pub name: String,
    /// Program and arguments; no shell is put between.
    pub command: Vec<String>,
    /// When it runs.
    pub when: When,
    /// After this it is killed, with all that it started.
    pub timeout: Duration,
}

/// When a plug-in runs.
#[derive(Clone, Debug)]
pub enum When {
    /// At every multiple of this.
    Every(Duration),
    /// At the first round at or after these times.
    Cron(CronSchedule),
}
