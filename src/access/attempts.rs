//! How often somebody may try a password: five times at once, then one attempt after 5 s, one after
//! 10 s and so on up to 5 min; a quarter of an hour without a failure forgives all. Counted by the
//! name that is tried and by the address that tries, both in bounded memory.
//!
//! An attempt counts from its beginning, so that many at once do not slip through, and is taken back
//! where it succeeds.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::Timestamp;

/// Attempts that cost no wait.
const QUICK: u32 = 5;
const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 300_000;
/// After so long without an attempt an entry is forgotten.
const FORGIVEN_MS: i64 = 900_000;
/// Entries of each map; beyond it the one that was quiet for longest is forgotten.
const MOST: usize = 4096;

/// Attempts by name and by address.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    names: Book<String>,
    addresses: Book<IpAddr>,
}

impl Attempts {
    /// Counts an attempt; where it may not be made, how long to wait, and nothing is counted.
    pub(super) fn begin(&mut self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let network = address.map(network_of);
        let wait = self.names.wait(&name.to_owned(), now).max(network.map_or(0, |of| self.addresses.wait(&of, now)));
        if wait > 0 {
            return Err(Duration::from_millis(wait.unsigned_abs()));
        }
        self.names.count(name.to_owned(), now);
        if let Some(network) = network {
            self.addresses.count(network, now);
        }
        Ok(())
    }

    /// Takes back what [`Self::begin`] counted. The name is forgiven; the address is not, or an
    /// account of one's own would give any number of attempts at those of others.
    pub(super) fn succeeded(&mut self, name: &str, address: Option<IpAddr>) {
        self.names.0.remove(name);
        if let Some(entry) = address.and_then(|address| self.addresses.0.get_mut(&network_of(address))) {
            entry.failures = entry.failures.saturating_sub(1);
        }
    }
}

/// One who holds an IPv6 network holds all of its addresses.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: i64,
}

#[derive(Debug)]
struct Book<K>(HashMap<K, Entry>);

impl<K> Default for Book<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Book<K> {
    /// Milliseconds until the next attempt may be made.
    fn wait(&self, key: &K, now: Timestamp) -> i64 {
        let Some(entry) = self.0.get(key) else { return 0 };
        let Some(beyond) = entry.failures.checked_sub(QUICK) else { return 0 };
        let pause = (FIRST_WAIT_MS << beyond.min(8)).min(LONGEST_WAIT_MS);
        let passed = now.0 - entry.last;
        // A clock that was turned back must not lock anybody out.
        if (0..pause).contains(&passed) { pause - passed } else { 0 }
    }

    fn count(&mut self, key: K, now: Timestamp) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let entry = self.0.entry(key).or_insert(Entry { failures: 0, last: now.0 });
        if now.0 - entry.last >= FORGIVEN_MS {
            entry.failures = 0;
        }
        *entry = Entry { failures: entry.failures.saturating_add(1), last: now.0 };
    }

    fn make_room(&mut self, now: Timestamp) {
        self.0.retain(|_, entry| now.0 - entry.last < FORGIVEN_MS);
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone())
        {
            self.0.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn five_attempts_are_quick_and_each_further_one_waits_longer() {
        let mut attempts = Attempts::default();
        let mut now = 1_000_000;
        for _ in 0..5 {
            assert_eq!(attempts.begin("ana", address(1), Timestamp(now)), Ok(()));
        }
        for wait in [5, 10, 20, 40, 80, 160, 300, 300] {
            let refused = attempts.begin("ana", address(1), Timestamp(now)).unwrap_err();
            assert_eq!(refused, Duration::from_secs(wait));
            assert!(attempts.begin("ana", address(1), Timestamp(now + wait as i64 * 1000 - 1)).is_err());
            now += wait as i64 * 1000;
            assert_eq!(attempts.begin("ana", address(1), Timestamp(now)), Ok(()));
        }
        assert_eq!(attempts.begin("ana", address(1), Timestamp(now + FORGIVEN_MS)), Ok(()));
        assert_eq!(attempts.begin("ana", address(1), Timestamp(now + FORGIVEN_MS)), Ok(()), "a quiet quarter of an hour forgives all");
    }

    #[test]
    fn a_name_is_held_back_from_any_address_and_an_address_with_any_name() {
        let mut attempts = Attempts::default();
        for last in 0..5 {
            attempts.begin("ana", address(last), Timestamp(0)).unwrap();
            attempts.begin(&format!("name{last}"), address(99), Timestamp(0)).unwrap();
        }
        assert!(attempts.begin("ana", address(50), Timestamp(0)).is_err());
        assert!(attempts.begin("bob", address(99), Timestamp(0)).is_err());
        assert!(attempts.begin("bob", address(50), Timestamp(0)).is_ok());
        let v6 = |text: &str| Some(text.parse().unwrap());
        for n in 0..5 {
            attempts.begin(&format!("six{n}"), v6(&format!("2001:db8::{n}")), Timestamp(0)).unwrap();
        }
        assert!(attempts.begin("six", v6("2001:db8::ffff:1"), Timestamp(0)).is_err());
    }

    #[test]
    fn a_success_takes_its_attempt_back() {
        let mut attempts = Attempts::default();
        for _ in 0..100 {
            attempts.begin("ana", address(1), Timestamp(0)).unwrap();
            attempts.succeeded("ana", address(1));
        }
        assert!(attempts.begin("ana", address(1), Timestamp(0)).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_clock_turned_back_locks_nobody_out() {
        let mut attempts = Attempts::default();
        for n in 0..2 * MOST {
            attempts.begin(&n.to_string(), None, Timestamp(n as i64)).unwrap();
        }
        assert_eq!(attempts.names.0.len(), MOST);
        for _ in 0..5 {
            attempts.begin("ana", None, Timestamp(1_000_000)).unwrap();
        }
        assert!(attempts.begin("ana", None, Timestamp(0)).is_ok());
    }
}
