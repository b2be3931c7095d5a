//! A document as people send it, in JSON or YAML: ids, access and theme may be left out, one query
//! may stand for a list of one. Fields that do not exist are refused, with their name.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::PanelOptions;
use crate::dashboard::DashboardError;
use crate::wire::yaml;

/// A document that is not checked yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    pub(super) id: Option<String>,
    pub(super) title: String,
    pub(super) subtitle: Option<String>,
    pub(super) access: Option<String>,
    pub(super) theme: Option<String>,
    pub(super) refresh: Option<Lapse>,
    pub(super) range: Option<Lapse>,
    pub(super) panels: Vec<Value>,
    /// The one that was read before it was changed.
    revision: Option<u64>,
    /// What was shown may be sent back; it changes nothing.
    #[serde(rename = "predefined")]
    _predefined: Option<bool>,
    #[serde(rename = "editable")]
    _editable: Option<bool>,
}

/// A duration: `"5m"`, or seconds as a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a duration such as \"5m\"")]
pub(super) enum Lapse {
    Seconds(u64),
    Text(String),
}

impl Lapse {
    pub(super) fn text(self) -> String {
        match self {
            Self::Seconds(seconds) => format!("{seconds}s"),
            Self::Text(text) => text,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PanelDraft {
    pub(super) id: Option<String>,
    pub(super) title: String,
    pub(super) subtitle: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) query: Option<String>,
    pub(super) queries: Option<Vec<Value>>,
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) w: i64,
    pub(super) h: i64,
    pub(super) unit: Option<String>,
    pub(super) options: Option<PanelOptions>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryDraft {
    pub(super) query: String,
    pub(super) legend: Option<String>,
}

impl Draft {
    /// Reads JSON.
    ///
    /// # Errors
    /// Not JSON, or not a document; names the field where there is one.
    pub fn from_json(body: &[u8]) -> Result<Self, DashboardError> {
        let value: Value = serde_json::from_slice(body).map_err(|e| DashboardError::invalid("", format!("the body is not JSON: {e}")))?;
        read("", value)
    }

    /// Reads YAML.
    ///
    /// # Errors
    /// Not YAML, or not a document; says line and column.
    pub fn from_yaml(text: &str) -> Result<Self, DashboardError> {
        yaml::from_str(text).map_err(|e| DashboardError::invalid("", e.to_string()))
    }

    /// The id that it asks for.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The revision that was read before it was changed.
    #[must_use]
    pub const fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// The same under an id.
    #[must_use]
    pub fn named(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }
}

/// A typed part of a document at `path`; what is wrong is told with the place.
pub(super) fn read<T: DeserializeOwned>(path: &str, value: Value) -> Result<T, DashboardError> {
    serde_json::from_value(value).map_err(|e| {
        let message = e.to_string();
        let field = message.split_once("field `").and_then(|(_, rest)| rest.split_once('`')).map_or("", |(name, _)| name);
        let dot = if path.is_empty() || field.is_empty() { "" } else { "." };
        let place = if path.is_empty() { "the dashboard" } else { path };
        DashboardError::invalid(format!("{path}{dot}{field}"), format!("{place}: {message}"))
    })
}
