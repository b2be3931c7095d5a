//! The document of a dashboard: what is shown where, and who may see it.
//!
//! Files: here the document itself, as it is stored (JSON) and shown; `draft` what people send, with
//! what they may leave out; `check` what a document must hold to. Knows no store and no query's answer.

mod check;
mod draft;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::chart::{self, Chart};
use crate::access::{Caller, Role};
use crate::clock::parse_duration;

pub use draft::Draft;

/// Free settings of a panel, by its type.
pub type PanelOptions = Map<String, Value>;

/// Columns of the grid.
pub(super) const COLUMNS: u16 = 12;
/// The range where a document names none.
const DEFAULT_RANGE: Duration = Duration::from_secs(3600);

/// The least that somebody needs to be to see a dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Strangers too.
    Public,
    /// Whoever has an account.
    Viewer,
    /// Whoever may change things.
    Editor,
    /// Admins.
    Admin,
}

impl Access {
    const ALL: [(&str, Self); 4] = [("public", Self::Public), ("viewer", Self::Viewer), ("editor", Self::Editor), ("admin", Self::Admin)];

    /// The least role; `None`: nobody needs one.
    #[must_use]
    pub const fn least(self) -> Option<Role> {
        match self {
            Self::Public => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Editor => Some(Role::Editor),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the viewer's system has it.
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    const ALL: [(&str, Self); 3] = [("auto", Self::Auto), ("light", Self::Light), ("dark", Self::Dark)];
}

/// A dashboard. Checked: only [`Draft::checked`] makes one, or the catalog, where checked ones lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    /// Unique among all dashboards.
    pub id: String,
    /// What people read first.
    pub title: String,
    /// Said beside the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// Who may see it.
    pub access: Access,
    /// Light or dark.
    pub theme: Theme,
    /// How often the page asks where no socket tells, as a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// How far back it shows at first, as a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// In reading order.
    pub panels: Vec<Panel>,
}

impl Dashboard {
    /// How far back it shows at first.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.range.as_deref().and_then(|text| parse_duration(text).ok()).unwrap_or(DEFAULT_RANGE)
    }

    /// Whether somebody may see it.
    #[must_use]
    pub fn is_open_to(&self, caller: &Caller) -> bool {
        caller.has(self.access.least())
    }

    /// As strangers see it: what is asked of the store is no business of theirs.
    #[must_use]
    pub fn without_queries(&self) -> Self {
        let mut bare = self.clone();
        for query in bare.panels.iter_mut().flat_map(|panel| &mut panel.queries) {
            query.query.clear();
        }
        bare
    }
}

/// One chart on the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Unique in its dashboard.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// Said beside the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// How it is drawn.
    #[serde(rename = "type")]
    pub kind: PanelType,
    /// What is asked of the store.
    pub queries: Vec<PanelQuery>,
    /// Column of its left edge, from 0.
    pub x: u16,
    /// Row of its upper edge, from 0.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
    /// Of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// By type; unknown ones are kept.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: PanelOptions,
}

/// One question to the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelQuery {
    /// PromQL; empty where the reader may not see it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// How its series are named: text with `{{label}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legend: Option<String>,
}

/// The type of a panel: one of the list in `chart`.
#[derive(Clone, Copy)]
pub struct PanelType(&'static Chart);

impl PanelType {
    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        chart::find(name).map(Self)
    }

    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    pub(super) const fn chart(self) -> &'static Chart {
        self.0
    }
}

impl std::fmt::Debug for PanelType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for PanelType {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for PanelType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PanelType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no type of panel")))
    }
}

#[cfg(test)]
mod tests;
