//! Sends what lies in the outbox, one after the other, until it is taken: with pauses of 1, 2, 4 …
//! 60 s, for a day at most. A receiver that hangs holds up nobody but the notifications behind it.
//!
//! Files: `webhook` the one notifier.

mod webhook;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::alerts::Alerts;
use super::outbox::Notice;
use crate::net::Client;
use crate::task::{Pool, Stop};

pub(super) use webhook::{MAX_ALERTS_EACH, payload};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After it nobody wants to know any more.
const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
/// Attempts where the receiver says that the request is wrong: it may be set right, but one that it
/// never takes must not hold up those behind it for a day.
const REFUSED_ATTEMPTS: u32 = 8;

/// How an attempt ended.
enum Outcome {
    Taken,
    /// The receiver does not want it: it says why.
    Refused(String),
    /// The receiver is not there, hangs or is broken.
    Failed(String),
}

/// Sends until the stop. Without a webhook there is nothing to do.
pub(super) async fn run(alerts: Alerts, pool: Pool, stop: Stop, woken: Arc<Notify>) {
    let Some(address) = alerts.0.options.webhook.clone() else { return };
    let client = match Client::new(address, ATTEMPT) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no notification can be sent");
            return;
        }
    };
    let courier = Courier { alerts, pool, client };
    loop {
        let Some(notice) = courier.alerts.0.outbox.oldest() else {
            tokio::select! {
                () = stop.stopped() => return,
                () = woken.notified() => continue,
            }
        };
        tokio::select! {
            // What is not delivered lies in the outbox and is sent after the next start.
            () = stop.stopped() => return,
            () = courier.deliver(&notice) => {}
        }
    }
}

struct Courier {
    alerts: Alerts,
    pool: Pool,
    client: Client,
}

impl Courier {
    /// Tries until it is taken or given up.
    async fn deliver(&self, notice: &Notice) {
        let (mut pause, mut attempts) = (FIRST_PAUSE, 0);
        loop {
            if self.alerts.0.handles.clock.now() > notice.created + GIVE_UP {
                return self.drop(notice, "it is older than a day").await;
            }
            attempts += 1;
            let reason = match self.attempt(notice).await {
                Outcome::Taken => {
                    self.count("sent");
                    return self.remove(notice).await;
                }
                Outcome::Refused(reason) if attempts >= REFUSED_ATTEMPTS => return self.drop(notice, &reason).await,
                Outcome::Refused(reason) | Outcome::Failed(reason) => reason,
            };
            self.count("failed");
            if attempts == 1 {
                tracing::warn!(to = %self.client.address(), reason, "a notification could not be delivered, it is tried again");
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, notice: &Notice) -> Outcome {
        let (outbox, id) = (self.alerts.0.outbox.clone(), notice.id.clone());
        let body = match self.pool.run(move || outbox.body(&id)).await {
            Ok(Ok(Some(body))) => body,
            // Dropped meanwhile: there is nothing left to deliver.
            Ok(Ok(None)) => return Outcome::Taken,
            Ok(Err(error)) => return Outcome::Failed(error.to_string()),
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        match self.client.post_json(body).await {
            Ok(reply) => judged(reply.status),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    async fn drop(&self, notice: &Notice, reason: &str) {
        self.count("dropped");
        tracing::error!(to = %self.client.address(), reason, "a notification is given up");
        self.remove(notice).await;
    }

    async fn remove(&self, notice: &Notice) {
        let (outbox, id) = (self.alerts.0.outbox.clone(), notice.id.clone());
        if let Ok(Err(error)) = self.pool.run(move || outbox.remove(&id)).await {
            tracing::error!(%error, "a delivered notification cannot be crossed out: it may be sent again after a restart");
        }
        self.alerts.count_queue();
    }

    fn count(&self, outcome: &str) {
        self.alerts.0.handles.own.notifications.with_label_values(&[outcome]).inc();
    }
}

fn judged(status: u16) -> Outcome {
    match status {
        200..300 => Outcome::Taken,
        408 | 425 | 429 => Outcome::Failed(format!("it answered {status}")),
        400..500 => Outcome::Refused(format!("it answered {status}")),
        _ => Outcome::Failed(format!("it answered {status}")),
    }
}
