//! One call on the pool with a deadline, ended when the client goes away. The bridge of every handler
//! that takes disk or CPU.

use std::time::Duration;

use actix_web::HttpResponse;

use super::answer;
use super::error::Fault;
use crate::clock::{SharedClock, Stopwatch};
use crate::model::Timestamp;
use crate::task::{Deadline, Pool};
use crate::telemetry::OwnMetrics;

/// Runs calls for handlers. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pool: Pool,
    own: OwnMetrics,
    clock: SharedClock,
    timeout: Duration,
}

impl Asking {
    pub(super) fn new(pool: Pool, own: OwnMetrics, clock: SharedClock, timeout: Duration) -> Self {
        Self { pool, own, clock, timeout }
    }

    /// Now, by the daemon's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs a query on the pool; counted under `kind`. At most `limit` and never longer than the
    /// server's own limit. Where the client goes away this future is dropped, and with it the query.
    pub(super) async fn ask<T, E>(
        &self,
        kind: &'static str,
        limit: Option<Duration>,
        call: impl FnOnce(&Deadline) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Fault>
    where
        T: Send + 'static,
        E: Into<Fault> + Send + 'static,
    {
        let watch = Stopwatch::start();
        let deadline = Deadline::after(limit.map_or(self.timeout, |limit| limit.min(self.timeout)));
        let _guard = CancelOnDrop(deadline.clone());
        let answer = match self.pool.run(move || call(&deadline)).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(e) => Err(Fault::from(e)),
        };
        let outcome = answer.as_ref().map_or_else(|e| if e.code().is_client_error() { "refused" } else { "failed" }, |_| "ok");
        self.own.queries.with_label_values(&[kind, outcome]).inc();
        self.own.query_duration.with_label_values(&[kind]).observe(watch.elapsed().as_secs_f64());
        answer
    }

    /// A finished JSON text as an answer; the samples that were read for it are counted.
    pub(super) fn answer(&self, (text, samples): (Vec<u8>, usize)) -> HttpResponse {
        self.own.query_samples.inc_by(samples as u64);
        answer::json_text(text)
    }

    /// Runs anything else that takes disk or CPU, without a limit of time.
    pub(super) async fn run<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        self.pool.run(call).await.map_err(Fault::from)
    }
}

/// Ends the work when nobody waits for it any more. After the answer it does nothing.
struct CancelOnDrop(Deadline);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::task::Interrupted;

    #[actix_web::test]
    async fn a_query_ends_when_its_client_goes_away() {
        let asking = Asking::new(Pool::new(1, 4), OwnMetrics::new().unwrap(), ManualClock::at(Timestamp(0)), Duration::from_secs(60));
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        let asked = asking.ask("instant", None, move |deadline| {
            let _ = started.send(());
            while deadline.check().is_ok() {
                std::hint::spin_loop();
            }
            let _ = ended.send(deadline.check());
            Ok::<(), Fault>(())
        });
        tokio::select! {
            _ = asked => unreachable!("it waits for its end"),
            _ = has_started => {}
        }
        assert_eq!(has_ended.await.unwrap(), Err(Interrupted::Canceled));
    }
}
