//! The stop signal: one side says it, everyone else can await or poll it.

use std::time::Duration;

use tokio::sync::watch;

/// Says "stop".
#[derive(Debug)]
pub struct StopTrigger(watch::Sender<bool>);

/// Hears "stop". Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A trigger and the signal that it gives.
    #[must_use]
    pub fn new() -> (StopTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopTrigger(sender), Self(receiver))
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Yields when it is said, or when the trigger is gone.
    pub async fn stopped(&self) {
        let mut receiver = self.0.clone();
        // An error means that the trigger is gone, which is a stop as well.
        let _ = receiver.wait_for(|stopped| *stopped).await;
    }

    /// Sleeps; `false` where the stop came first.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.stopped() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

impl StopTrigger {
    /// Says it, once and for all.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
