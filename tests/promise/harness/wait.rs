//! Waiting for what will happen soon, time, and ports.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use latido::clock::{Clock, Stopwatch, SystemClock};

/// Asks every 20 ms until there is an answer; fails with `what` when `limit` has passed.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(watch.elapsed() < limit, "{what}: not within {limit:?}");
        sleep(Duration::from_millis(20));
    }
}

/// Now in Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    SystemClock.now().0
}

/// A port that is free now; another process may take it before it is used, so callers try again.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
