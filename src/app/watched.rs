//! What the dashboards' hub wants of the collectors: their pace, and when a round is stored.

use std::time::Duration;

use tokio::sync::watch;

use crate::collect::Collector;
use crate::dashboard::Watched;
use crate::model::Timestamp;

/// The collectors as the hub sees them.
#[derive(Debug)]
pub(super) struct Paced(pub(super) Collector);

impl Watched for Paced {
    fn pace(&self, pace: Option<Duration>) {
        self.0.hasten(pace);
    }

    fn stored(&self) -> watch::Receiver<Timestamp> {
        self.0.stored()
    }
}
