//! A place for one source: idle, or away on a blocking thread. A source that does not return in
//! time keeps its place as busy, and is not started again before it is back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;

use super::gathered::Gathered;
use super::{CollectError, Source};
use crate::clock::Stopwatch;
use crate::model::{Category, Timestamp};
use crate::task::{Pool, PoolError};

/// A source that came back, and what it brought.
struct Back {
    source: Box<dyn Source>,
    gathered: Gathered,
    result: Result<(), CollectError>,
    took: Duration,
}

type Away = Pin<Box<dyn Future<Output = Result<Back, PoolError>> + Send>>;

enum State {
    Idle(Box<dyn Source>),
    Away {
        back: Away,
        since: Stopwatch,
        given_up: bool,
    },
    Here(Back),
    /// Between two states, and after its thread was lost.
    Gone,
}

/// What a slot has to say in a round.
pub(crate) enum Outcome {
    /// It yielded values just now.
    Arrived(Gathered, Duration),
    /// It failed, after this time if it came back.
    Failed(CollectError, Option<Duration>),
    /// It was not due, or is still within its patience.
    Standing,
}

/// A place for one source.
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) job: &'static str,
    pub(crate) category: Category,
    pub(crate) patience: Option<Duration>,
    /// How its newest collection ended; none yet: unknown.
    pub(crate) up: Option<bool>,
    /// The newest values of a patient source, which stand until the next.
    pub(crate) held: Option<Gathered>,
    state: State,
}

impl Slot {
    /// With its source at rest.
    pub(crate) fn new(source: Box<dyn Source>) -> Self {
        Self {
            name: source.name().to_owned(),
            job: source.job(),
            category: source.category(),
            patience: source.patience(),
            up: None,
            held: None,
            state: State::Idle(source),
        }
    }

    /// Starts the source for the round at `t`, if it is idle and due.
    pub(crate) fn start(&mut self, t: Timestamp, pool: &Pool) {
        let mut source = match std::mem::replace(&mut self.state, State::Gone) {
            State::Idle(source) => source,
            other => {
                self.state = other;
                return;
            }
        };
        if !source.is_due(t) {
            self.state = State::Idle(source);
            return;
        }
        let pool = pool.clone();
        let mut back: Away = Box::pin(async move { pool.run(move || collect(source, t)).await });
        // The first poll puts it on its thread.
        self.state = match (&mut back).now_or_never() {
            Some(Ok(back)) => State::Here(back),
            Some(Err(_)) => State::Gone,
            None => State::Away { back, since: Stopwatch::start(), given_up: false },
        };
    }

    /// Waits until the source is back, but no longer than `limit`. One that was given up is not waited for.
    pub(crate) async fn wait(&mut self, limit: Duration) {
        let State::Away { back, given_up, .. } = &mut self.state else { return };
        let limit = if *given_up { Duration::ZERO } else { limit };
        match tokio::time::timeout(limit, back).await {
            Ok(Ok(back)) => self.state = State::Here(back),
            Ok(Err(_)) => self.state = State::Gone,
            Err(_) => {}
        }
    }

    /// What came of it; `deadline` is what a source without patience of its own may take.
    pub(crate) fn settle(&mut self, deadline: Duration) -> Outcome {
        let allowed = self.patience.unwrap_or(deadline);
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Here(back) => {
                // Too late is failed, even if it was back before anyone looked.
                let result = if back.took > allowed { Err(CollectError::Late(allowed)) } else { back.result };
                self.state = State::Idle(back.source);
                match result {
                    Ok(()) => Outcome::Arrived(back.gathered, back.took),
                    Err(error) => Outcome::Failed(error, Some(back.took)),
                }
            }
            State::Away { back, since, given_up } => {
                let late = given_up || self.patience.is_none_or(|patience| since.elapsed() > patience);
                self.state = State::Away { back, since, given_up: late };
                if late { Outcome::Failed(CollectError::Late(allowed), None) } else { Outcome::Standing }
            }
            State::Idle(source) => {
                self.state = State::Idle(source);
                Outcome::Standing
            }
            State::Gone => Outcome::Failed(CollectError::NotStarted(PoolError::Stopped), None),
        }
    }
}

/// Runs on the source's own thread. A panic is the source's failure; the source stays and is asked again.
fn collect(mut source: Box<dyn Source>, t: Timestamp) -> Back {
    let watch = Stopwatch::start();
    let mut gathered = Gathered::at(t);
    let caught = catch_unwind(AssertUnwindSafe(|| source.collect(&mut gathered)));
    let result = caught.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(CollectError::Panicked(said.unwrap_or_else(|| "it did not say why".to_owned())))
    });
    Back { source, gathered, result, took: watch.elapsed() }
}
