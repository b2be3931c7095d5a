//! The state of each part of the daemon, as `metrics/health` shows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A part of the daemon whose state is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the parts")]
pub enum Component {
    Store,
    Journal,
    Compactor,
    Collector,
    Query,
    Alerts,
    Dashboards,
    Websocket,
    Disk,
}

impl Component {
    /// Every part, in the order in which they are shown.
    pub const ALL: [Self; 9] =
        [Self::Store, Self::Journal, Self::Compactor, Self::Collector, Self::Query, Self::Alerts, Self::Dashboards, Self::Websocket, Self::Disk];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Journal => "journal",
            Self::Compactor => "compactor",
            Self::Collector => "collector",
            Self::Query => "query",
            Self::Alerts => "alerts",
            Self::Dashboards => "dashboards",
            Self::Websocket => "websocket",
            Self::Disk => "disk",
        }
    }
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Switched off or not built in.
    Disabled,
    /// As it should be.
    Healthy,
    /// Works with losses.
    Degraded,
    /// Does not work.
    Unhealthy,
}

impl Health {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// How a part is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentState {
    /// How it is.
    pub health: Health,
    /// Why, where there is something to say.
    pub message: Option<String>,
}

/// The worst of all parts, with each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overall {
    /// The worst state.
    pub health: Health,
    /// Each part.
    pub components: BTreeMap<Component, ComponentState>,
}

/// The board on which every part writes how it is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HealthBoard(Arc<Mutex<BTreeMap<Component, ComponentState>>>);

impl Default for HealthBoard {
    /// Every part is disabled until it reports.
    fn default() -> Self {
        let disabled = ComponentState { health: Health::Disabled, message: None };
        Self(Arc::new(Mutex::new(Component::ALL.into_iter().map(|c| (c, disabled.clone())).collect())))
    }
}

impl HealthBoard {
    /// Writes how a part is.
    pub fn set(&self, component: Component, health: Health, message: Option<String>) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.insert(component, ComponentState { health, message });
    }

    /// The part is as it should be.
    pub fn healthy(&self, component: Component) {
        self.set(component, Health::Healthy, None);
    }

    /// The part works with losses.
    pub fn degraded(&self, component: Component, message: impl Into<String>) {
        self.set(component, Health::Degraded, Some(message.into()));
    }

    /// All parts and the worst of them. One unhealthy part makes the whole unhealthy only if it is
    /// the store; any other makes it degraded, for the rest goes on.
    #[must_use]
    pub fn overall(&self) -> Overall {
        let components = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let health = components
            .iter()
            .map(|(component, state)| match (component, state.health) {
                (Component::Store, health) => health,
                (_, Health::Unhealthy) => Health::Degraded,
                (_, health) => health,
            })
            .max()
            .map_or(Health::Healthy, |worst| worst.max(Health::Healthy));
        Overall { health, components }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_part_degrades_and_only_the_store_makes_all_unhealthy() {
        let board = HealthBoard::default();
        assert_eq!(board.overall().health, Health::Healthy);
        board.set(Component::Collector, Health::Unhealthy, Some("x".into()));
        assert_eq!(board.overall().health, Health::Degraded);
        board.set(Component::Store, Health::Unhealthy, None);
        assert_eq!(board.overall().health, Health::Unhealthy);
    }
}
