//! What a source yields in one collection: families with their type and help, and rows. Knows
//! neither batches nor who collects.

use std::borrow::Cow;

use crate::model::{Category, Exemplar, MetricMeta, MetricType, Timestamp};

/// Text that is mostly written in the program.
pub type Text = Cow<'static, str>;

/// One value of one series, without `job` and `instance`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The sample's name.
    pub name: Text,
    /// Its labels, in any order.
    pub labels: Vec<(Text, String)>,
    /// Its value.
    pub value: f64,
}

/// A metric family as the source describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Family {
    name: Text,
    kind: MetricType,
    help: Text,
}

/// What a source yields in one collection.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    t: Timestamp,
    families: Vec<Family>,
    rows: Vec<Row>,
    /// By position of the row.
    exemplars: Vec<(usize, Exemplar)>,
}

impl Gathered {
    /// Empty, for the round at `t`.
    #[must_use]
    pub fn at(t: Timestamp) -> Self {
        Self { t, ..Self::default() }
    }

    /// The time of the round.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.t
    }

    /// Adds to a counter family.
    pub fn counter(&mut self, name: impl Into<Text>, help: impl Into<Text>) -> Rows<'_> {
        self.family(name, MetricType::Counter, help)
    }

    /// Adds to a gauge family.
    pub fn gauge(&mut self, name: impl Into<Text>, help: impl Into<Text>) -> Rows<'_> {
        self.family(name, MetricType::Gauge, help)
    }

    /// Adds to a family of a given type. Describing one twice does no harm.
    pub fn family(&mut self, name: impl Into<Text>, kind: MetricType, help: impl Into<Text>) -> Rows<'_> {
        let name = name.into();
        self.families.push(Family { name: name.clone(), kind, help: help.into() });
        Rows { rows: &mut self.rows, name }
    }

    /// Adds a row as it is; its family is described apart.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds an exemplar of the row that was pushed last.
    pub fn exemplar(&mut self, exemplar: Exemplar) {
        if let Some(row) = self.rows.len().checked_sub(1) {
            self.exemplars.push((row, exemplar));
        }
    }

    /// Exemplars with the positions of their rows, which ascend.
    pub(crate) fn exemplars(&self) -> &[(usize, Exemplar)] {
        &self.exemplars
    }

    /// The rows in order of arrival.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Metadata of those families for which `wanted` is true.
    pub(crate) fn metadata(&self, category: Category, mut wanted: impl FnMut(&str) -> bool) -> Vec<(String, MetricMeta)> {
        let wanted = self.families.iter().filter(|family| wanted(&family.name));
        wanted
            .map(|family| {
                let meta = MetricMeta { kind: family.kind, unit: unit_of(&family.name).to_owned(), help: family.help.clone().into_owned(), category };
                (family.name.clone().into_owned(), meta)
            })
            .collect()
    }
}

/// The rows of one family.
#[derive(Debug)]
pub struct Rows<'a> {
    rows: &'a mut Vec<Row>,
    name: Text,
}

impl Rows<'_> {
    /// Adds a value under these labels.
    pub fn put(&mut self, labels: &[(&'static str, &str)], value: f64) -> &mut Self {
        let labels = labels.iter().map(|(name, value)| (Text::Borrowed(*name), (*value).to_owned())).collect();
        self.rows.push(Row { name: self.name.clone(), labels, value });
        self
    }
}

/// The base unit that a name ends in, before `_total`; empty where it names none.
fn unit_of(name: &str) -> &'static str {
    const UNITS: [&str; 8] = ["seconds", "bytes", "ratio", "celsius", "bits", "sectors", "hertz", "volts"];
    let name = name.strip_suffix("_total").unwrap_or(name);
    UNITS.into_iter().find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'))).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_off_the_name() {
        assert_eq!(unit_of("node_cpu_seconds_total"), "seconds");
        assert_eq!(unit_of("node_memory_MemFree_bytes"), "bytes");
        assert_eq!(unit_of("node_load1"), "");
    }
}
