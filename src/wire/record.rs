//! The JSON of custom metrics: one sample or `{"samples":[..]}`, and the definition of a metric.
//! Knows the shape alone; whether a metric exists and what a value means is `ingest`'s.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::WireError;
use crate::clock::{MomentError, parse_moment};
use crate::model::{Category, MetricType, Timestamp};

/// Samples in one request: as many as fit into its body. Empty ones would be millions, and each is
/// answered with a reason of its own.
const MAX_SAMPLES: usize = 100_000;

/// What `metrics/custom/record` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRequest {
    /// One sample was sent by itself, not in a list: if it is bad, the request is.
    pub single: bool,
    /// In order of arrival; for what is no sample, what is wrong with it.
    pub samples: Vec<Result<RecordSample, String>>,
}

/// One sample as it was sent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSample {
    /// Of the metric.
    pub name: String,
    /// What it is now, or what was observed.
    #[serde(default)]
    pub value: Option<f64>,
    /// What is added to a counter.
    #[serde(default)]
    pub increment: Option<f64>,
    /// Without the name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// When; now if it is not said.
    #[serde(default)]
    pub timestamp: Option<Moment>,
}

/// A time in a request: Unix milliseconds, or a text as `clock` reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "a time is Unix milliseconds, RFC 3339 (2026-11-25T10:00:00Z) or relative (-1h)")]
pub enum Moment {
    /// Unix milliseconds.
    Millis(i64),
    /// Unix milliseconds with a fraction, which is dropped.
    Fraction(f64),
    /// RFC 3339, `-1h`, `now`.
    Text(String),
}

impl Moment {
    /// The instant that is meant, asked at `now`.
    ///
    /// # Errors
    /// The text is no time.
    pub fn at(&self, now: Timestamp) -> Result<Timestamp, MomentError> {
        match self {
            Self::Millis(ms) => Ok(Timestamp(*ms)),
            // `as` saturates, and what is out of reach is refused by the limits on time.
            Self::Fraction(ms) => Ok(Timestamp(*ms as i64)),
            Self::Text(text) => parse_moment(text, now),
        }
    }
}

/// What `metrics/custom/register` takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// Of the metric.
    pub name: String,
    /// Counter, gauge, histogram or summary.
    #[serde(rename = "type")]
    pub kind: MetricType,
    /// Base unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// One sentence.
    #[serde(default)]
    pub help: Option<String>,
    /// Custom unless given.
    #[serde(default)]
    pub category: Option<Category>,
    /// Names of its labels.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Upper bounds of a histogram.
    #[serde(default)]
    pub buckets: Option<Vec<f64>>,
}

/// Reads the body of `metrics/custom/record`.
///
/// # Errors
/// Not JSON, neither of the two forms, no sample in it, or more than are taken at once.
pub fn parse(body: &[u8]) -> Result<RecordRequest, WireError> {
    let Value::Object(mut object) = serde_json::from_slice::<Value>(body)? else {
        return Err(shape("send one sample as an object, or {\"samples\":[..]}"));
    };
    let Some(list) = object.remove("samples") else {
        return Ok(RecordRequest { single: true, samples: vec![sample(Value::Object(object))] });
    };
    if let Some(other) = object.keys().next() {
        return Err(shape(&format!("{other:?} stands beside \"samples\": put it into each sample")));
    }
    match list {
        Value::Array(items) if items.len() > MAX_SAMPLES => Err(WireError::TooMany { count: items.len(), limit: MAX_SAMPLES }),
        Value::Array(items) if !items.is_empty() => Ok(RecordRequest { single: false, samples: items.into_iter().map(sample).collect() }),
        Value::Array(_) => Err(shape("\"samples\" is empty")),
        _ => Err(shape("\"samples\" is not a list")),
    }
}

/// Reads the body of `metrics/custom/register`.
///
/// # Errors
/// Not JSON, or not a definition.
pub fn parse_register(body: &[u8]) -> Result<RegisterRequest, WireError> {
    Ok(serde_json::from_slice(body)?)
}

fn sample(value: Value) -> Result<RecordSample, String> {
    if let Some(word) = value.get("value").or_else(|| value.get("increment")).and_then(Value::as_str) {
        return Err(format!("the value is the text {word:?}: send a finite number"));
    }
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn shape(reason: &str) -> WireError {
    WireError::Field { field: "samples", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_and_a_list_are_read() {
        let one = parse(br#"{"name":"a","value":1.5,"labels":{"x":"y"},"timestamp":"-1h"}"#).unwrap();
        assert!(one.single);
        let sample = one.samples[0].clone().unwrap();
        assert_eq!(sample.timestamp.unwrap().at(Timestamp(3_600_001)), Ok(Timestamp(1)));
        let many = parse(br#"{"samples":[{"name":"a","increment":2},{"name":"b","value":1,"timestamp":17}]}"#).unwrap();
        assert_eq!((many.single, many.samples.len()), (false, 2));
        assert_eq!(many.samples[1].as_ref().unwrap().timestamp, Some(Moment::Millis(17)));
    }

    #[test]
    fn a_bad_sample_of_many_is_told_by_itself() {
        let many = parse(br#"{"samples":[{"name":"a","value":1},{"name":"a","value":"NaN"},{"value":1},{"name":"a","valeu":1},7]}"#).unwrap();
        let good: Vec<bool> = many.samples.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, false, false, false]);
        assert!(many.samples[1].as_ref().unwrap_err().contains("finite"));
    }

    #[test]
    fn more_samples_than_are_taken_at_once_are_refused_as_a_whole() {
        let of = |count: usize| parse(format!("{{\"samples\":[{}{{}}]}}", "{},".repeat(count - 1)).as_bytes());
        assert_eq!(of(MAX_SAMPLES).unwrap().samples.len(), MAX_SAMPLES);
        let refused = of(MAX_SAMPLES + 1).unwrap_err();
        assert_eq!(refused.kind(), crate::model::ErrorKind::TooLarge);
        assert!(refused.to_string().contains("100001"), "{refused}");
    }

    #[test]
    fn other_shapes_are_refused() {
        for bad in ["", "[]", "7", r#"{"samples":[]}"#, r#"{"samples":{}}"#, r#"{"samples":[],"name":"a"}"#, r#"{"name":"a","value":1e999}"#, "{"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_definition_is_read_and_unknown_keys_are_not() {
        let def = parse_register(br#"{"name":"a","type":"histogram","buckets":[1,2]}"#).unwrap();
        assert_eq!((def.kind, def.buckets), (MetricType::Histogram, Some(vec![1.0, 2.0])));
        assert!(parse_register(br#"{"name":"a","type":"gauge","typ":"x"}"#).is_err());
        assert!(parse_register(br#"{"name":"a","type":"guage"}"#).is_err());
    }
}
