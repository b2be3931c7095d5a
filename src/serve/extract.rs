//! Requests to typed values: parameters, times, steps, selectors, JSON bodies.
//!
//! Prometheus' paths take Unix seconds with a fraction or RFC 3339; the monitoring API takes Unix
//! milliseconds, RFC 3339 and relative times. Knows no handler.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Fault;
use super::limits;
use crate::clock::{parse_duration, parse_rfc3339};
use crate::model::{ErrorKind, Matcher, TimeRange, Timestamp};
use crate::query::parse_selector;
use crate::wire::record;

/// Parameters of the query string and, for POST, of the form; the form's come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(String, String)>);

impl FromRequest for Params {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let mut pairs = Vec::new();
            if request.method() == Method::POST && limits::media_type(request.headers()) == "application/x-www-form-urlencoded" {
                let body = limits::read(&request, &mut payload).await?;
                let text = std::str::from_utf8(&body).map_err(|_| Fault::new(ErrorKind::Invalid, "the form is not UTF-8"))?;
                pairs = pairs_of(text)?;
            }
            pairs.extend(pairs_of(request.query_string())?);
            Ok(Self(pairs))
        })
    }
}

fn pairs_of(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let query = web::Query::<Vec<(String, String)>>::from_query(text);
    query.map(web::Query::into_inner).map_err(|e| Fault::new(ErrorKind::Invalid, format!("the parameters cannot be read: {e}")))
}

impl Params {
    /// These parameters.
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The first value of a parameter; an empty one counts as not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// Every value of a parameter that may be repeated.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::parameter(name, "it is missing"))
    }

    /// A time as Prometheus takes it.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        self.get(name)
            .map(|text| parse_unix_seconds(text).ok_or_else(|| Fault::parameter(name, format!("cannot parse {text:?} to a valid timestamp"))))
            .transpose()
    }

    pub(super) fn required_time(&self, name: &str) -> Result<Timestamp, Fault> {
        self.required(name)?;
        self.time(name)?.ok_or_else(|| Fault::parameter(name, "it is missing"))
    }

    /// A duration as Prometheus takes it: seconds with a fraction, or `5m`.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, Fault> {
        self.get(name).map(|text| parse_step(text).ok_or_else(|| Fault::parameter(name, format!("cannot parse {text:?} to a valid duration")))).transpose()
    }

    /// `limit`: 0 and none mean all.
    pub(super) fn limit(&self) -> Result<Option<usize>, Fault> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        let limit: usize = text.parse().map_err(|_| Fault::parameter("limit", format!("{text:?} is not a number that is 0 or more")))?;
        Ok((limit > 0).then_some(limit))
    }

    /// `match[]`: each selector's matchers.
    pub(super) fn selectors(&self) -> Result<Vec<Vec<Matcher>>, Fault> {
        self.all("match[]").map(|text| parse_selector(text).map_err(|e| Fault::parameter("match[]", e))).collect()
    }

    /// `start` and `end`, both included and all time where not given, as a left-open range.
    pub(super) fn range(&self) -> Result<TimeRange, Fault> {
        let start = self.time("start")?.map_or(Timestamp::MIN, |t| Timestamp(t.0.saturating_sub(1)));
        let end = self.time("end")?.unwrap_or(Timestamp::MAX);
        if end < start {
            return Err(Fault::parameter("end", "end timestamp must not be before start time"));
        }
        Ok(TimeRange::new(start, end))
    }
}

/// Unix seconds with a fraction, or RFC 3339.
fn parse_unix_seconds(text: &str) -> Option<Timestamp> {
    let Ok(seconds) = text.parse::<f64>() else { return parse_rfc3339(text) };
    let millis = (seconds * 1000.0).round();
    // Beyond this a number of milliseconds does not fit, and no store holds such a time.
    (millis.is_finite() && millis.abs() < i64::MAX as f64).then_some(Timestamp(millis as i64))
}

/// Seconds with a fraction, or a duration such as `1h30m`. Neither may be negative.
fn parse_step(text: &str) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok().filter(|d| i64::try_from(d.as_millis()).is_ok()),
        Err(_) => parse_duration(text).ok(),
    }
}

/// The instant that a JSON field means.
pub(super) fn moment(field: &str, moment: &record::Moment, now: Timestamp) -> Result<Timestamp, Fault> {
    moment.at(now).map_err(|e| Fault::field(field, e.to_string()))
}

/// A duration in a JSON body: `"5m"`, or seconds as a number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "a duration such as \"5m\"")]
pub(super) enum Span {
    Seconds(f64),
    Text(String),
}

impl Span {
    pub(super) fn read(&self, field: &str) -> Result<Duration, Fault> {
        let read = match self {
            Self::Seconds(seconds) => parse_step(&seconds.to_string()),
            Self::Text(text) => parse_step(text),
        };
        let span = read.ok_or_else(|| Fault::field(field, format!("{field} is not a duration: write it like \"15s\", \"5m\" or \"1h30m\"")))?;
        if span < Duration::from_millis(1) { Err(Fault::field(field, format!("{field} must be longer than nothing"))) } else { Ok(span) }
    }
}

/// A JSON body as bytes; another content type is refused, so that no web form can send it.
#[derive(Debug)]
pub(super) struct JsonBytes(pub(super) web::Bytes);

impl FromRequest for JsonBytes {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let media = limits::media_type(request.headers());
            if !(media.is_empty() || media == "application/json" || media.ends_with("+json")) {
                return Err(Fault::status(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the body is {media}, send JSON with Content-Type: application/json")));
            }
            limits::read(&request, &mut payload).await.map(Self)
        })
    }
}

/// Reads a JSON document; an error names the field where there is one, with line and column.
pub(super) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| {
        let message = e.to_string();
        let message = format!("the body is not what is expected: {message}");
        match quoted_field(&message) {
            Some(field) => Fault::field(field, message.clone()),
            None => Fault::new(ErrorKind::Invalid, message),
        }
    })
}

/// The name in "field `name`", as serde words it.
fn quoted_field(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("field `")?;
    rest.split_once('`').map(|(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    async fn params(request: TestRequest) -> Params {
        let (request, mut payload) = request.to_http_parts();
        Params::from_request(&request, &mut payload).await.unwrap()
    }

    #[actix_web::test]
    async fn form_and_query_are_read_alike() {
        let get = params(TestRequest::get().uri("/q?query=up%7Ba%3D%22b%22%7D&match[]=x&match%5B%5D=y")).await;
        let post = params(
            TestRequest::post()
                .uri("/q?match[]=y")
                .insert_header(("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
                .set_payload("query=up%7Ba%3D%22b%22%7D&match[]=x"),
        )
        .await;
        assert_eq!(get, post);
        assert_eq!(get.get("query"), Some("up{a=\"b\"}"));
        assert_eq!(get.all("match[]").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn prometheus_times_are_seconds_or_rfc_3339() {
        assert_eq!(parse_unix_seconds("1435781451.781"), Some(Timestamp(1_435_781_451_781)));
        assert_eq!(parse_unix_seconds("4"), Some(Timestamp(4000)));
        assert_eq!(parse_unix_seconds("2015-07-01T20:10:51.781Z"), Some(Timestamp(1_435_781_451_781)));
        for bad in ["", "abc", "NaN", "inf", "1e300", "-1h"] {
            assert_eq!(parse_unix_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn steps_are_seconds_or_durations() {
        assert_eq!(parse_step("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(parse_step("1h30m"), Some(Duration::from_secs(5400)));
        for bad in ["-1", "NaN", "1x", "", "1e30"] {
            assert_eq!(parse_step(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_of_the_monitoring_api_are_milliseconds() {
        let now = Timestamp(10_000_000);
        let read = |text: &str| parse_json::<record::Moment>(text.as_bytes()).and_then(|m| moment("start", &m, now));
        assert_eq!(read("1764064800000"), Ok(Timestamp(1_764_064_800_000)));
        assert_eq!(read("\"-1h\""), Ok(Timestamp(6_400_000)));
        assert!(read("\"yesterday\"").is_err() && read("[]").is_err());
    }

    #[test]
    fn malformed_json_says_where() {
        #[derive(Debug, Deserialize)]
        struct Doc {
            #[expect(dead_code, reason = "only its absence is looked at")]
            name: String,
        }
        let missing = parse_json::<Doc>(b"{}").unwrap_err();
        assert_eq!(missing, Fault::field("name", "the body is not what is expected: missing field `name` at line 1 column 2"));
        assert!(parse_json::<Doc>(b"{\n  x").unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn an_end_before_the_start_is_refused() {
        let params = Params(vec![("start".into(), "10".into()), ("end".into(), "5".into())]);
        assert!(params.range().is_err());
        assert_eq!(Params::default().range(), Ok(TimeRange::ALL));
    }
}
