//! Loops that must not end: one that panics is started again, and counted.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Stop;

/// How long a loop that panicked rests before it is started again.
const REST: Duration = Duration::from_secs(1);

/// How often loops were started again. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RestartCount(Arc<AtomicU64>);

impl RestartCount {
    /// So far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs the loop that `make` yields until it returns or `stop` is said; starts it again when it panics.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn spawn_supervised<F: Future<Output = ()> + Send + 'static>(
    name: &'static str,
    stop: Stop,
    restarts: RestartCount,
    make: impl Fn() -> F + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match tokio::spawn(make()).await {
                Ok(()) => return,
                Err(e) if e.is_panic() => {
                    restarts.0.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(task = name, "a loop panicked and is started again");
                }
                Err(_) => return,
            }
            if !stop.sleep(REST).await {
                return;
            }
        }
    })
}
