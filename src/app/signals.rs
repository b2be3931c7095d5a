//! Signals: SIGTERM and SIGINT stop (a second one at once), SIGHUP reloads. Knows what is asked for,
//! not how it is done.

use std::future::Future;
use std::pin::pin;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::AppError;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To stop.
    Stop,
    /// To read the configuration anew.
    Reload,
}

/// The signals of this process, from the moment on when this is made.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals from their defaults.
    pub(super) fn take() -> Result<Self, AppError> {
        let take = |kind| signal(kind).map_err(|source| AppError::Runtime { what: "listening to signals", source });
        Ok(Self { terminate: take(SignalKind::terminate())?, interrupt: take(SignalKind::interrupt())?, hangup: take(SignalKind::hangup())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Awaits `work`, and tells `answer` of each signal meanwhile.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>, mut answer: impl FnMut(Asked)) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                asked = self.next() => answer(asked),
            }
        }
    }
}
