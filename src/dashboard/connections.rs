//! Who watches: the registry of open sockets with its limit, and tickets that open one socket once.
//! Knows no socket, only that one can be told to close.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::DashboardError;
use crate::access::{Caller, Role, Standing, random_word};
use crate::clock::SharedClock;
use crate::model::Timestamp;
use crate::task::{Stop, StopTrigger};
use crate::telemetry::OwnMetrics;

/// How long a ticket opens a socket.
const TICKET_LIFE: Duration = Duration::from_secs(60);
/// The label of sockets among the daemon's connections.
const KIND: &str = "websocket";

/// A ticket as its owner gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The connection that it will open.
    pub connection_id: String,
    /// What opens it.
    pub secret: String,
    /// When it no longer does.
    pub expires_at: Timestamp,
}

/// The open sockets. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    max: usize,
    clock: SharedClock,
    own: OwnMetrics,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<String, Connection>,
    /// By secret.
    tickets: HashMap<String, Waiting>,
}

struct Connection {
    caller: Caller,
    /// Dropped or said: the socket closes.
    close: StopTrigger,
}

struct Waiting {
    ticket: Ticket,
    dashboard: String,
    caller: Caller,
    standing: Standing,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the tickets: they are secrets.
        f.debug_struct("Connections").field("open", &self.count()).finish_non_exhaustive()
    }
}

/// A place among the open sockets, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Said when the socket is to close.
    pub closing: Stop,
    connections: Connections,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.state().open.remove(&self.id);
        self.connections.shown();
    }
}

impl Connections {
    /// At most `max` at once.
    #[must_use]
    pub fn new(max: usize, clock: SharedClock, own: OwnMetrics) -> Self {
        Self(Arc::new(Inner { max, clock, own, state: Mutex::default() }))
    }

    /// Sockets that are open now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().open.len()
    }

    /// The limit.
    #[must_use]
    pub fn max(&self) -> usize {
        self.0.max
    }

    /// A ticket with which `caller` opens one socket to the dashboard, once and soon.
    ///
    /// # Errors
    /// As many sockets are open, or as many tickets wait, as may.
    pub fn ticket(&self, dashboard: &str, caller: &Caller, standing: Standing) -> Result<Ticket, DashboardError> {
        let now = self.0.clock.now();
        let mut state = self.state();
        state.tickets.retain(|_, waiting| waiting.ticket.expires_at > now);
        if state.open.len() >= self.0.max || state.tickets.len() >= self.0.max.saturating_mul(2) {
            return Err(self.full());
        }
        let ticket = Ticket { connection_id: random_word()?, secret: random_word()?, expires_at: now + TICKET_LIFE };
        let waiting = Waiting { ticket: ticket.clone(), dashboard: dashboard.to_owned(), caller: caller.clone(), standing };
        state.tickets.insert(ticket.secret.clone(), waiting);
        Ok(ticket)
    }

    /// Takes a ticket: by what its owner was known, who may be nobody by now, and the connection's id. It is good once.
    ///
    /// # Errors
    /// It was taken before, it expired, it is another dashboard's, or there never was such a one.
    pub fn redeem(&self, secret: &str, dashboard: &str) -> Result<(Standing, String), DashboardError> {
        let now = self.0.clock.now();
        let waiting = self.state().tickets.remove(secret);
        match waiting.filter(|waiting| waiting.ticket.expires_at > now && waiting.dashboard == dashboard) {
            Some(waiting) => Ok((waiting.standing, waiting.ticket.connection_id)),
            None => Err(DashboardError::Forbidden("the ticket was used, has expired, or is for another dashboard: ask for a new one".to_owned())),
        }
    }

    /// Takes a place for a socket, under the id of its ticket or a new one.
    ///
    /// # Errors
    /// As many are open as may.
    pub fn open(&self, caller: &Caller, id: Option<String>) -> Result<Place, DashboardError> {
        let (close, closing) = Stop::new();
        let id = id.map_or_else(random_word, Ok)?;
        let mut state = self.state();
        if state.open.len() >= self.0.max {
            return Err(self.full());
        }
        state.open.insert(id.clone(), Connection { caller: caller.clone(), close });
        drop(state);
        self.shown();
        Ok(Place { id, closing, connections: self.clone() })
    }

    /// Closes a socket, or takes back the ticket for it. Everybody may close their own, editors all.
    ///
    /// # Errors
    /// There is none of this id, or it is somebody else's.
    pub fn close(&self, id: &str, caller: &Caller) -> Result<(), DashboardError> {
        let mut state = self.state();
        let secret = state.tickets.iter().find(|(_, waiting)| waiting.ticket.connection_id == id).map(|(secret, _)| secret.clone());
        let owner = state.open.get(id).map(|open| &open.caller).or_else(|| secret.as_ref().and_then(|secret| state.tickets.get(secret)).map(|w| &w.caller));
        let Some(owner) = owner else { return Err(DashboardError::Missing { what: "connection", name: id.to_owned() }) };
        // Strangers share a name, but the id of a connection is known to who opened it alone.
        if owner.name != caller.name && !caller.has(Some(Role::Editor)) {
            return Err(DashboardError::Forbidden("the connection is somebody else's".to_owned()));
        }
        if let Some(open) = state.open.get(id) {
            open.close.stop();
        }
        if let Some(secret) = secret {
            state.tickets.remove(&secret);
        }
        Ok(())
    }

    fn full(&self) -> DashboardError {
        DashboardError::Full(format!("{} viewers are connected, which is the limit (dashboards.max_connections): try again later", self.0.max))
    }

    fn shown(&self) {
        self.0.own.connections.with_label_values(&[KIND]).set(self.count() as f64);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn bench(max: usize) -> (Connections, Arc<ManualClock>) {
        let clock = ManualClock::at(Timestamp(1_000_000));
        (Connections::new(max, clock.clone(), OwnMetrics::new().unwrap()), clock)
    }

    #[test]
    fn a_ticket_is_good_once_for_its_dashboard_and_soon() {
        let (connections, clock) = bench(2);
        let local = Caller::local();
        let ticket = connections.ticket("d", &local, Standing::of_key("k")).unwrap();
        assert_eq!(connections.redeem(&ticket.secret, "d").unwrap(), (Standing::of_key("k"), ticket.connection_id));
        assert!(connections.redeem(&ticket.secret, "d").is_err());
        let other = connections.ticket("d", &local, Standing::of_nothing()).unwrap();
        assert!(connections.redeem(&other.secret, "e").is_err());
        let late = connections.ticket("d", &local, Standing::of_nothing()).unwrap();
        clock.advance(TICKET_LIFE);
        assert!(connections.redeem(&late.secret, "d").is_err());
        assert!(connections.redeem("", "d").is_err());
    }

    #[test]
    fn beyond_the_limit_nobody_gets_a_place_until_one_is_given_back() {
        let (connections, _) = bench(1);
        let place = connections.open(&Caller::local(), None).unwrap();
        assert_eq!(connections.count(), 1);
        let refused = connections.open(&Caller::local(), None).unwrap_err();
        assert!(matches!(refused, DashboardError::Full(_)) && refused.to_string().contains("max_connections"), "{refused}");
        assert!(connections.ticket("d", &Caller::local(), Standing::of_nothing()).is_err());
        drop(place);
        assert!(connections.open(&Caller::local(), None).is_ok());
    }

    #[test]
    fn a_socket_is_closed_by_its_owner_or_an_editor() {
        let (connections, _) = bench(5);
        let named = |name: &str, role| Caller { name: name.to_owned(), role: Some(role), ..Caller::local() };
        let (ann, bob, eve) = (named("ann", Role::Viewer), named("bob", Role::Viewer), named("eve", Role::Editor));
        let place = connections.open(&ann, None).unwrap();
        assert!(matches!(connections.close(&place.id, &bob), Err(DashboardError::Forbidden(_))));
        assert!(matches!(connections.close("nosuch", &ann), Err(DashboardError::Missing { .. })));
        connections.close(&place.id, &ann).unwrap();
        assert!(place.closing.is_stopped());
        let other = connections.open(&ann, None).unwrap();
        connections.close(&other.id, &eve).unwrap();
        assert!(other.closing.is_stopped());
        let ticket = connections.ticket("d", &ann, Standing::of_nothing()).unwrap();
        connections.close(&ticket.connection_id, &ann).unwrap();
        assert!(connections.redeem(&ticket.secret, "d").is_err());
    }
}
