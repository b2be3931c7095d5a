//! A deadline and a cancel flag that long sync loops poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Stopwatch;

/// Why a loop must end before its work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// Its time is up.
    #[error("it took too long")]
    TimedOut,
    /// Nobody waits for the answer any more.
    #[error("it was cancelled")]
    Canceled,
}

/// Until when something may run. Cheap to clone; all clones are cancelled together.
#[derive(Clone, Debug)]
pub struct Deadline {
    end: Option<Instant>,
    canceled: Arc<AtomicBool>,
}

impl Deadline {
    /// Ends after `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self { end: Stopwatch::start().started().checked_add(limit), canceled: Arc::default() }
    }

    /// Never ends by time.
    #[must_use]
    pub fn never() -> Self {
        Self { end: None, canceled: Arc::default() }
    }

    /// Ends it now.
    pub fn cancel(&self) {
        self.canceled.store(true, Ordering::Relaxed);
    }

    /// Whether the work may go on. Costs one clock reading: poll every few thousand steps.
    ///
    /// # Errors
    /// Time is up or it was cancelled.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.canceled.load(Ordering::Relaxed) {
            return Err(Interrupted::Canceled);
        }
        match self.end {
            Some(end) if Stopwatch::start().started() >= end => Err(Interrupted::TimedOut),
            _ => Ok(()),
        }
    }

    /// Time left; a long time where there is no end.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.end.map_or(Duration::from_secs(86_400), |end| end.saturating_duration_since(Stopwatch::start().started()))
    }
}
