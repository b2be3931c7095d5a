//! The types of panels, a type a file and one list. A type says which data it wants of each query
//! and what its options may be; how it is drawn is the page's business. A new type is its file, a
//! line in `CHARTS`, and a file of the page.

mod bar;
mod big_number;
mod gauge;
mod heatmap;
mod line;
mod pie;
mod status_grid;
mod table;

use serde_json::Value;

use super::definition::PanelOptions;

/// What a panel wants of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Values over the range, and the newest: at most about so many.
    Curve {
        /// Points over the range.
        points: u32,
    },
    /// One value for each whole step of the range: at most about so many.
    Steps {
        /// Steps of the range.
        points: u32,
    },
    /// The newest value alone.
    Newest,
}

/// A type of panels.
pub(crate) struct Chart {
    /// The word in documents.
    pub(super) name: &'static str,
    /// What it wants of the query at an index.
    pub(super) need: fn(&PanelOptions, usize) -> Need,
    /// Options of its own, besides those that all types have.
    pub(super) options: &'static [(&'static str, Rule)],
}

/// What an option may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    Number,
    Count,
    Flag,
    Text,
    Duration,
    OneOf(&'static [&'static str]),
    /// The index of a query.
    Query,
    /// A text or a list of texts.
    Texts,
    Object,
    /// Objects that each have a number under this key, if they have it at all.
    Levels(&'static str),
    List,
}

/// Every type.
pub(super) static CHARTS: &[Chart] = &[line::CHART, bar::CHART, gauge::CHART, pie::CHART, table::CHART, big_number::CHART, status_grid::CHART, heatmap::CHART];

/// Options that every type has.
const COMMON: &[(&str, Rule)] =
    &[("min", Rule::Number), ("max", Rule::Number), ("decimals", Rule::Count), ("thresholds", Rule::Levels("value")), ("better", Rule::OneOf(&["up", "down"]))];

/// The type of that name.
pub(super) fn find(name: &str) -> Option<&'static Chart> {
    CHARTS.iter().find(|chart| chart.name == name)
}

impl Chart {
    /// Whether the known options are what they may be; unknown ones are the page's business.
    pub(super) fn check(&self, options: &PanelOptions, queries: usize) -> Result<(), (&'static str, String)> {
        for (key, rule) in COMMON.iter().chain(self.options) {
            if let Some(value) = options.get(*key) {
                rule.check(value, queries).map_err(|expected| (*key, format!("is {expected}")))?;
            }
        }
        Ok(())
    }
}

impl Rule {
    fn check(self, value: &Value, queries: usize) -> Result<(), String> {
        let (good, expected) = match self {
            Self::Number => (value.is_number(), "a number".to_owned()),
            Self::Count => (value.as_u64().is_some_and(|n| n <= 1000), "a whole number from 0 to 1000".to_owned()),
            Self::Flag => (value.is_boolean(), "true or false".to_owned()),
            Self::Text => (value.is_string(), "a text".to_owned()),
            Self::Duration => (value.as_str().is_some_and(|text| crate::clock::parse_duration(text).is_ok()), "a duration such as \"1h\"".to_owned()),
            Self::OneOf(words) => (value.as_str().is_some_and(|word| words.contains(&word)), format!("one of {}", words.join(", "))),
            Self::Query => (value.as_u64().is_some_and(|n| n < queries as u64), format!("the index of one of the {queries} queries, from 0")),
            Self::Texts => {
                let all_texts = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
                (value.is_string() || all_texts, "a text or a list of texts".to_owned())
            }
            Self::Object => (value.is_object(), "an object".to_owned()),
            Self::Levels(key) => {
                let level = |one: &Value| one.is_object() && one.get(key).is_none_or(Value::is_number);
                (value.as_array().is_some_and(|list| list.iter().all(level)), format!("a list of objects with a number as {key:?}"))
            }
            Self::List => (value.is_array(), "a list".to_owned()),
        };
        if good { Ok(()) } else { Err(expected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(value: Value) -> PanelOptions {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_type_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = CHARTS.iter().map(|chart| chart.name).collect();
        assert_eq!(names.len(), 8);
        assert!(find("line").is_some() && find("donut").is_none());
    }

    #[test]
    fn known_options_are_checked_and_unknown_ones_kept() {
        let table = find("table").unwrap();
        assert_eq!(table.check(&options(json!({"spark": 1, "row": ["a"], "own": {"x": 1}, "thresholds": [{"value": 1, "tone": "warn"}]})), 2), Ok(()));
        for (bad, key) in
            [(json!({"spark": 2}), "spark"), (json!({"row": 1}), "row"), (json!({"better": "left"}), "better"), (json!({"thresholds": [1]}), "thresholds")]
        {
            assert_eq!(table.check(&options(bad), 2).unwrap_err().0, key);
        }
    }

    #[test]
    fn a_type_asks_for_no_more_than_it_shows() {
        let none = PanelOptions::new();
        let need = |name: &str, options: &PanelOptions, query| (find(name).unwrap().need)(options, query);
        assert!(matches!(need("line", &none, 0), Need::Curve { .. }));
        assert!(matches!(need("bar", &none, 0), Need::Steps { .. }));
        assert_eq!(need("bar", &options(json!({"by": "category"})), 0), Need::Newest);
        assert!(matches!(need("big_number", &none, 0), Need::Curve { .. }));
        assert_eq!(need("big_number", &options(json!({"spark": false})), 0), Need::Newest);
        let spark = options(json!({"spark": 1}));
        assert_eq!(need("table", &spark, 0), Need::Newest);
        assert!(matches!(need("table", &spark, 1), Need::Curve { .. }));
        for name in ["gauge", "pie", "status_grid"] {
            assert_eq!(need(name, &none, 0), Need::Newest);
        }
    }
}
