//! What a metric is: type, unit, help and category, kept as metadata beside the samples.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a metric as Prometheus' exposition names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricType {
    /// Only goes up, except when it starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations counted into buckets by upper bound.
    Histogram,
    /// Observations with quantiles computed by the sender.
    Summary,
    /// Not said.
    #[default]
    Unknown,
}

/// What a metric is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// The machine.
    System,
    /// Programs: requests, errors, caches, load balancers, the daemon itself.
    Application,
    /// Sales, revenue, satisfaction.
    Business,
    /// Retrieval-augmented generation.
    Rag,
    /// Whatever a user sends.
    #[default]
    Custom,
}

macro_rules! words {
    ($type:ty, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// Every one, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word on the wire.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(MetricType, Counter = "counter", Gauge = "gauge", Histogram = "histogram", Summary = "summary", Unknown = "unknown");
words!(Category, System = "system", Application = "application", Business = "business", Rag = "rag", Custom = "custom");

/// What is known of a metric besides its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricMeta {
    /// Counter, gauge, histogram, summary or unknown.
    #[serde(rename = "type")]
    pub kind: MetricType,
    /// Base unit (`seconds`, `bytes`, `ratio`), or empty.
    pub unit: String,
    /// One sentence.
    pub help: String,
    /// What it is about.
    pub category: Category,
}
