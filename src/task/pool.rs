//! The bridge from async to sync: runs a call on a bounded set of threads and yields its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Why a call did not yield a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// As many calls wait as may.
    #[error("too much is waiting for the disk and the processor, try again")]
    Busy,
    /// The call panicked.
    #[error("an internal fault ended the work")]
    Panicked,
    /// The daemon stops.
    #[error("the daemon is stopping")]
    Stopped,
}

/// A bounded set of threads for work that takes disk or CPU. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Where it was made, if in a runtime: others who run a call, each in a runtime of their own,
    /// then share its threads. Every thread keeps memory of its own.
    home: Option<Handle>,
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
}

impl Pool {
    /// At most `threads` calls run and `max_waiting` wait at once.
    #[must_use]
    pub fn new(threads: usize, max_waiting: usize) -> Self {
        Self { home: Handle::try_current().ok(), permits: Arc::new(Semaphore::new(threads.max(1))), waiting: Arc::default(), max_waiting }
    }

    /// Runs `call` and yields what it returns.
    ///
    /// # Errors
    /// Too many wait, the call panicked, or the pool is closed.
    pub async fn run<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Result<T, PoolError> {
        let permit = {
            let _waiting = Waiting::enter(&self.waiting, self.max_waiting)?;
            self.permits.clone().acquire_owned().await.map_err(|_| PoolError::Stopped)?
        };
        let held = move || {
            // Held by the thread, not by the waiter: a waiter that goes away frees no thread.
            let _permit = permit;
            call()
        };
        let joined = match &self.home {
            Some(home) => home.spawn_blocking(held),
            None => tokio::task::spawn_blocking(held),
        };
        joined.await.map_err(|e| if e.is_panic() { PoolError::Panicked } else { PoolError::Stopped })
    }

    /// Calls that wait for a thread now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts a waiter as long as it lives, even if its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, max: usize) -> Result<Self, PoolError> {
        let before = count.fetch_add(1, Ordering::Relaxed);
        let guard = Self(count);
        if before >= max { Err(PoolError::Busy) } else { Ok(guard) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
