//! The data of panels as they are sent, and frames of them as text. Knows no query.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::model::{Labels, METRIC_NAME, Tier, Timestamp};
use crate::query::Series;
use crate::wire::JsonFloat;

/// How a panel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelState {
    /// There is something to show.
    Ok,
    /// There are no values.
    Empty,
    /// A query failed.
    Error,
}

/// What a panel shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PanelData {
    /// How it is.
    pub state: PanelState,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Milliseconds from point to point of curves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Of an empty one: the metrics that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingMetric>,
    /// In order of query.
    pub series: Vec<DataSeries>,
}

/// A metric that has no values, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingMetric {
    /// What is recorded: the family, not its `_bucket`.
    pub name: String,
    /// Counter, gauge, histogram or summary.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Base unit, or empty.
    pub unit: String,
    /// One sentence, or empty.
    pub help: String,
    /// Whether anything is known of it: its type and unit are then right.
    pub known: bool,
}

/// One series of a panel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataSeries {
    /// What people call it.
    pub name: String,
    /// Index of the query that yielded it.
    pub query: usize,
    /// Its labels.
    pub labels: Labels,
    /// The tier that answered, or `mixed`.
    pub tier: &'static str,
    /// Times and values, ascending; holes are absent.
    #[serde(serialize_with = "points")]
    pub points: Vec<(Timestamp, f64)>,
}

fn points<S: Serializer>(points: &[(Timestamp, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(points.len()))?;
    for (t, v) in points {
        // A whole number needs no fraction: two bytes less for each point.
        if v.fract() == 0.0 && v.abs() < 1e15 {
            list.serialize_element(&(t, *v as i64))?;
        } else {
            list.serialize_element(&(t, JsonFloat(*v)))?;
        }
    }
    list.end()
}

impl PanelData {
    /// Without series yet.
    pub(super) fn new(unit: Option<String>, step: Option<Duration>) -> Self {
        let step = step.map(|step| u64::try_from(step.as_millis()).unwrap_or(u64::MAX));
        Self { state: PanelState::Ok, message: None, unit, step, missing: Vec::new(), series: Vec::new() }
    }

    /// As strangers see it: nothing about what is asked of the store.
    fn discreet(mut self) -> Self {
        self.missing.clear();
        if self.state == PanelState::Error {
            self.message = Some("this panel cannot be shown now".to_owned());
        }
        self
    }
}

impl DataSeries {
    /// A series under its legend, or under its labels where there is none.
    pub(super) fn named(series: Series, query: usize, legend: Option<&str>, title: &str) -> Self {
        let name = match legend {
            Some(legend) => filled(legend, &series.labels),
            None => plain_name(&series.labels, title),
        };
        Self { name, query, tier: series.tier.map_or("mixed", Tier::as_str), points: series.points, labels: series.labels }
    }
}

/// The legend with the values of the labels that it names.
fn filled(legend: &str, labels: &Labels) -> String {
    let mut out = String::new();
    let mut rest = legend;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(labels.get(name.trim()).unwrap_or(""));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The values of the labels; who collected is left out where there is more to say.
fn plain_name(labels: &Labels, title: &str) -> String {
    let telling = labels.filtered(|name| !matches!(name, "job" | "instance"));
    let shown = if telling.without_name().is_empty() && telling.metric_name().is_empty() { labels } else { &telling };
    match (shown.metric_name(), shown.without_name().len()) {
        ("", 0) => title.to_owned(),
        (name, 0) => name.to_owned(),
        ("", 1) => shown.iter().filter(|(name, _)| *name != METRIC_NAME).map(|(_, value)| value).collect(),
        _ => shown.to_string(),
    }
}

/// The panels of a dashboard at one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// Complete up to here.
    pub t: Timestamp,
    /// By id of the panel.
    pub panels: BTreeMap<String, PanelData>,
}

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dashboard: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(flatten)]
    frame: &'a Frame,
}

impl Frame {
    /// As strangers see it.
    #[must_use]
    pub fn discreet(self) -> Self {
        Self { panels: self.panels.into_iter().map(|(id, data)| (id, data.discreet())).collect(), ..self }
    }

    /// As the text of a snapshot.
    pub(super) fn snapshot_text(&self, dashboard: &str, revision: u64) -> Bytes {
        text(&Sent { kind: "snapshot", dashboard: Some(dashboard), revision: Some(revision), frame: self })
    }

    /// As the text of an update.
    pub(super) fn update_text(&self) -> Bytes {
        text(&Sent { kind: "update", dashboard: None, revision: None, frame: self })
    }
}

fn text(sent: &Sent<'_>) -> Bytes {
    // Every key is a text and every number finite, so that this cannot fail; if it did, a viewer
    // would get an empty text, which is no frame.
    serde_json::to_vec(sent).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn a_legend_is_filled_in_from_the_labels() {
        let of = labels(&[("mode", "user"), ("cpu", "0")]);
        assert_eq!(filled("{{mode}} of {{ cpu }}, {{none}}!", &of), "user of 0, !");
        assert_eq!(filled("{{mode", &of), "{{mode");
    }

    #[test]
    fn without_a_legend_the_labels_are_the_name() {
        for (pairs, name) in [
            (vec![], "Title"),
            (vec![("__name__", "up"), ("job", "node")], "up"),
            (vec![("mode", "user"), ("job", "node"), ("instance", "h")], "user"),
            (vec![("__name__", "x"), ("a", "1"), ("instance", "h")], "x{a=\"1\"}"),
            (vec![("job", "node")], "node"),
        ] {
            assert_eq!(plain_name(&labels(&pairs), "Title"), name);
        }
    }

    #[test]
    fn a_frame_is_text_as_the_contract_has_it() {
        let series = Series {
            labels: labels(&[("a", "b")]),
            points: vec![(Timestamp(1000), 1.0), (Timestamp(2000), 0.5), (Timestamp(3000), f64::NAN)],
            tier: Some(Tier::Raw),
            ..Series::default()
        };
        let mut data = PanelData::new(Some("bytes".to_owned()), Some(Duration::from_secs(1)));
        data.series.push(DataSeries::named(series, 0, Some("x"), "t"));
        let frame = Frame { t: Timestamp(3000), panels: BTreeMap::from([("p".to_owned(), data)]) };
        let panels = r#""t":3000,"panels":{"p":{"state":"ok","unit":"bytes","step":1000,"series":[{"name":"x","query":0,"labels":{"a":"b"},"tier":"raw","points":[[1000,1],[2000,0.5],[3000,"NaN"]]}]}}}"#;
        assert_eq!(frame.update_text(), format!(r#"{{"type":"update",{panels}"#));
        assert_eq!(frame.snapshot_text("d", 2), format!(r#"{{"type":"snapshot","dashboard":"d","revision":2,{panels}"#));
    }

    #[test]
    fn strangers_are_not_told_what_is_asked() {
        let mut data = PanelData::new(None, None);
        data.state = PanelState::Error;
        data.message = Some("secret_metric is wrong".to_owned());
        data.missing.push(MissingMetric { name: "secret_metric".into(), kind: "gauge", unit: String::new(), help: String::new(), known: false });
        let frame = Frame { t: Timestamp(0), panels: BTreeMap::from([("p".to_owned(), data)]) }.discreet();
        assert!(!String::from_utf8_lossy(&frame.update_text()).contains("secret"));
    }
}
