//! Types of settings and their values: text to value and back, the same for files, environment and
//! flags. Knows no setting by name.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{format_duration, parse_duration};
use crate::model::ByteCount;

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, nothing else.
    Flag,
    /// `15s`, `1h30m`.
    Duration,
    /// A duration, or `off`.
    DurationOrOff,
    /// `512MiB`.
    Bytes,
    /// A whole number above zero.
    Count,
    /// Any text; empty counts as not set.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts; with commas outside files.
    Texts,
    /// A list of `ADDRESS:PORT`; with commas outside files.
    Addresses,
    /// The list of plug-ins.
    Plugins,
    /// The list of retention rules.
    Rules,
}

/// A plug-in as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSpec {
    /// Its name: the `source` of its health.
    pub name: String,
    /// What to run: a list is run as it is, a text by `sh -c`.
    pub command: CommandSpec,
    /// Run it this often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Run it at these times: five fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// A command as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandSpec {
    /// For the shell.
    Line(String),
    /// Program and arguments.
    Words(Vec<String>),
}

/// A retention rule as it is written.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// A series selector.
    #[serde(rename = "match")]
    pub selector: String,
    /// How long its series are kept as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// As buckets of `rollup.aggregated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregated: Option<String>,
    /// As buckets of `rollup.summary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The line that it begins on; 0 outside files.
    #[serde(skip)]
    pub line: u64,
}

impl PartialEq for RuleSpec {
    /// Wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        (&self.selector, &self.raw, &self.aggregated, &self.summary) == (&other.selector, &other.raw, &other.aggregated, &other.summary)
    }
}

/// A value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Flag`].
    Flag(bool),
    /// Of the two kinds of durations.
    Duration(Duration),
    /// `off`.
    Off,
    /// Of [`Kind::Bytes`].
    Bytes(ByteCount),
    /// Of [`Kind::Count`].
    Count(u64),
    /// Of [`Kind::Text`] and [`Kind::Choice`].
    Text(String),
    /// Of [`Kind::Texts`].
    Texts(Vec<String>),
    /// Of [`Kind::Addresses`].
    Addresses(Vec<SocketAddr>),
    /// Of [`Kind::Plugins`].
    Plugins(Vec<PluginSpec>),
    /// Of [`Kind::Rules`].
    Rules(Vec<RuleSpec>),
}

impl Kind {
    /// Whether a file writes it as a list of texts.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Addresses)
    }

    /// What it looks like, for documents and messages.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Duration => "a duration such as 15s, 5m or 1h30m".to_owned(),
            Self::DurationOrOff => "a duration such as 48h or 90d, or off".to_owned(),
            Self::Bytes => "a size such as 512MiB or 5GiB".to_owned(),
            Self::Count => "a whole number above zero".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Texts => "a list of texts".to_owned(),
            Self::Addresses => "a list of ADDRESS:PORT".to_owned(),
            Self::Plugins => "a list of plug-ins (name, command, interval or cron, timeout)".to_owned(),
            Self::Rules => "a list of rules (match, and raw, aggregated or summary)".to_owned(),
        }
    }

    /// Reads a value from one text.
    ///
    /// # Errors
    /// The text is of another form: what would be right.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let wrong = || format!("{text:?} is wrong here: it must be {}", self.describe());
        match self {
            Self::Flag => text.parse().map(Value::Flag).map_err(|_| wrong()),
            Self::DurationOrOff if text == "off" => Ok(Value::Off),
            Self::Duration | Self::DurationOrOff => parse_duration(text).map(Value::Duration).map_err(|_| wrong()),
            Self::Bytes => ByteCount::parse(text).map(Value::Bytes).ok_or_else(wrong),
            Self::Count => text.parse().ok().filter(|n| *n > 0).map(Value::Count).ok_or_else(wrong),
            Self::Choice(words) if !words.contains(&text) => Err(wrong()),
            Self::Text | Self::Choice(_) => Ok(Value::Text(text.to_owned())),
            Self::Texts | Self::Addresses => self.parse_list(&text.split(',').map(|part| part.trim().to_owned()).filter(|p| !p.is_empty()).collect::<Vec<_>>()),
            Self::Plugins => super::yaml::list(text).map(Value::Plugins),
            Self::Rules => super::yaml::list(text).map(Value::Rules),
        }
    }

    /// Reads a value from the entries of a list.
    ///
    /// # Errors
    /// An entry is of another form, or the type is no list.
    pub fn parse_list(self, entries: &[String]) -> Result<Value, String> {
        match self {
            Self::Texts => Ok(Value::Texts(entries.to_vec())),
            Self::Addresses => entries.iter().map(|entry| address(entry)).collect::<Result<_, _>>().map(Value::Addresses),
            _ => Err(format!("a list is wrong here: it must be {}", self.describe())),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| format!("{text:?} is wrong here: it must be ADDRESS:PORT, such as 127.0.0.1:7117 or [::1]:7117"))
}

impl Value {
    /// As JSON: durations and sizes as texts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Count(n) => (*n).into(),
            Self::Texts(texts) => texts.clone().into(),
            Self::Addresses(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            Self::Plugins(list) => serde_json::to_value(list).unwrap_or_default(),
            Self::Rules(list) => serde_json::to_value(list).unwrap_or_default(),
            Self::Duration(_) | Self::Off | Self::Bytes(_) | Self::Text(_) => self.to_string().into(),
        }
    }
}

impl fmt::Display for Value {
    /// As it is written in a file, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Duration(duration) => f.write_str(&format_duration(*duration)),
            Self::Off => f.write_str("off"),
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Count(n) => n.fmt(f),
            Self::Text(text) if text.is_empty() => f.write_str("\"\""),
            Self::Text(text) => f.write_str(text),
            Self::Texts(_) | Self::Addresses(_) | Self::Plugins(_) | Self::Rules(_) => self.to_json().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_and_false_are_flags() {
        assert_eq!(Kind::Flag.parse("true"), Ok(Value::Flag(true)));
        for bad in ["yes", "on", "1", "True", "no", ""] {
            assert!(Kind::Flag.parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_read_back_as_printed() {
        for (kind, text) in [
            (Kind::Duration, "1h30m"),
            (Kind::DurationOrOff, "off"),
            (Kind::Bytes, "5GiB"),
            (Kind::Count, "11000"),
            (Kind::Choice(&["disk", "memory"]), "memory"),
        ] {
            assert_eq!(kind.parse(text).unwrap().to_string(), text);
        }
        assert!(Kind::Count.parse("0").is_err() && Kind::Duration.parse("5").is_err() && Kind::Choice(&["a"]).parse("b").is_err());
    }

    #[test]
    fn addresses_need_a_port() {
        assert_eq!(Kind::Addresses.parse("localhost:1, [::1]:2").unwrap().to_string(), r#"["127.0.0.1:1","[::1]:2"]"#);
        assert!(Kind::Addresses.parse("127.0.0.1").unwrap_err().contains("ADDRESS:PORT"));
    }
}
