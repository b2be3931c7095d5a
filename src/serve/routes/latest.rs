//! `metrics/latest`: the newest value of every series in the store, as JSON, CSV or an exposition.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};

use super::exposition::Format;
use super::{Lookback, get};
use crate::ingest::Registry;
use crate::model::{Category, Histogram, Labels, METRIC_NAME, Matcher, MetricMeta, Sample, Segment, SeriesData, TimeRange, Timestamp, is_stale};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;
use crate::store::{Reader, Selection, StoreError};
use crate::task::Deadline;
use crate::wire::format_value;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(latest))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get("/api/v1/monitoring/metrics/latest", latest));
}

/// The newest sample of each series within the lookback, in label order; ended series are left out.
pub(super) fn newest(
    reader: &Reader,
    matchers: Vec<Matcher>,
    now: Timestamp,
    lookback: Duration,
    deadline: &Deadline,
) -> Result<Vec<(Labels, Sample)>, StoreError> {
    let selection = Selection { matchers, range: TimeRange::new(now - lookback, now), tier: None };
    let found = reader.select(&selection, deadline)?;
    Ok(found.into_iter().filter_map(|series| last(&series).map(|sample| (series.labels, sample))).collect())
}

/// The newest value of a series.
#[derive(Clone, Debug, PartialEq)]
enum Newest {
    Value(Sample),
    Histogram(Timestamp, Arc<Histogram>),
}

impl Newest {
    /// Of a series that has both, the later; `None` where it ended.
    fn of(series: &SeriesData) -> Option<Self> {
        let histogram = series.histograms.last().and_then(|segment| segment.column.t.last().zip(segment.column.h.last()));
        match histogram.filter(|(t, _)| floats_end(series).is_none_or(|end| end < **t)) {
            Some((t, h)) => Some(Self::Histogram(Timestamp(*t), h.clone())),
            None => last(series).map(Self::Value),
        }
    }

    /// As one number; of a histogram how much it counted.
    fn sample(&self) -> Sample {
        match self {
            Self::Value(sample) => *sample,
            Self::Histogram(t, histogram) => Sample { t: *t, v: histogram.count },
        }
    }
}

/// Time of the last float, a stale marker included.
fn floats_end(series: &SeriesData) -> Option<i64> {
    match series.segments.last()? {
        Segment::Raw(column) => column.t.last().copied(),
        // A bucket that ended did so at its end, about.
        Segment::Rolled { buckets, .. } => buckets.len().checked_sub(1).map(|at| buckets.get(at)).map(|b| if b.ended { b.end.0 } else { b.last_t.0 }),
    }
}

/// The last sample of a series; `None` where it ended.
fn last(series: &SeriesData) -> Option<Sample> {
    match series.segments.last()? {
        Segment::Raw(column) => {
            let sample = Sample { t: Timestamp(*column.t.last()?), v: *column.v.last()? };
            (!is_stale(sample.v)).then_some(sample)
        }
        Segment::Rolled { buckets, .. } => {
            let bucket = buckets.get(buckets.len().checked_sub(1)?);
            (!bucket.ended).then_some(Sample { t: bucket.last_t, v: bucket.last })
        }
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Json,
    Csv,
    Exposition(Format),
}

/// What is asked for.
struct Wanted {
    matchers: Vec<Matcher>,
    category: Option<Category>,
    limit: usize,
    shape: Shape,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, Fault> {
        let matcher = params.get("name").map_or_else(|| Matcher::not_equal(METRIC_NAME, ""), Matcher::metric);
        let category = params.get("category").map(|word| category("category", word)).transpose()?;
        let shape = match params.get("format").unwrap_or("json") {
            "json" => Shape::Json,
            "csv" => Shape::Csv,
            "prometheus" => Shape::Exposition(Format::Text),
            "openmetrics" => Shape::Exposition(Format::OpenMetrics),
            other => return Err(Fault::field("format", format!("{other:?} is no format: json, csv, prometheus or openmetrics"))),
        };
        Ok(Self { matchers: vec![matcher], category, limit: params.limit()?.unwrap_or(usize::MAX), shape })
    }
}

/// Reads a category's word.
pub(super) fn category(field: &str, word: &str) -> Result<Category, Fault> {
    Category::parse(word).ok_or_else(|| {
        let all: Vec<&str> = Category::ALL.iter().map(|c| c.as_str()).collect();
        Fault::field(field, format!("{word:?} is no category: {}", all.join(", ")))
    })
}

/// A series' newest sample with what is known of its metric.
struct Row {
    labels: Labels,
    newest: Newest,
    meta: MetricMeta,
}

/// The newest value of every series.
#[utoipa::path(
    get, path = "/api/v1/monitoring/metrics/latest",
    params(
        ("name" = Option<String>, Query, description = "Only this metric."),
        ("category" = Option<String>, Query, description = "Only this category.", example = json!("system")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10)),
        ("format" = Option<String>, Query, description = "json, csv, prometheus or openmetrics.", example = json!("json"))
    ),
    responses(
        (status = 200, description = "The newest values.", content((shapes::LatestAnswer = "application/json"), (String = "text/csv"), (String = "text/plain"), (String = "application/openmetrics-text")))
    )
)]
async fn latest(params: Params, asking: Data<Asking>, reader: Data<Reader>, registry: Data<Registry>, lookback: Data<Lookback>) -> Result<HttpResponse, Fault> {
    let Wanted { matchers, category, limit, shape } = Wanted::read(&params)?;
    let now = asking.now();
    let body = asking
        .ask("latest", None, move |deadline| {
            let selection = Selection { matchers, range: TimeRange::new(now - lookback.0, now), tier: None };
            let found = reader.select(&selection, deadline)?.into_iter().filter_map(|series| Some((Newest::of(&series)?, series.labels)));
            let known = found.map(|(newest, labels)| Row { meta: registry.meta(labels.metric_name()).unwrap_or_default(), labels, newest });
            let rows: Vec<Row> = known.filter(|row| category.is_none_or(|c| row.meta.category == c)).take(limit).collect();
            Ok::<_, StoreError>(write(shape, rows, &registry))
        })
        .await?;
    Ok(match shape {
        Shape::Json => answer::json_text(body.into_bytes()),
        Shape::Csv => HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(body),
        Shape::Exposition(format) => format.answer(body),
    })
}

fn write(shape: Shape, rows: Vec<Row>, registry: &Registry) -> String {
    match shape {
        // Everything that is written into it comes from texts.
        Shape::Json => String::from_utf8(json(&rows)).unwrap_or_default(),
        Shape::Csv => csv(&rows),
        Shape::Exposition(format) => {
            // The text formats have no word for a native histogram.
            let floats = rows.into_iter().filter_map(|row| if let Newest::Value(sample) = row.newest { Some((row.labels, sample.v)) } else { None });
            format.write(&floats.collect::<Vec<_>>(), registry)
        }
    }
}

fn json(rows: &[Row]) -> Vec<u8> {
    let mut out = br#"{"metrics":"#.to_vec();
    answer::list(&mut out, rows, |out, row| {
        out.extend_from_slice(br#"{"name":"#);
        answer::json(out, row.labels.metric_name());
        out.extend_from_slice(br#","labels":"#);
        answer::labels(out, &row.labels.without_name());
        out.extend_from_slice(br#","value":"#);
        answer::number(out, row.newest.sample().v);
        out.extend_from_slice(br#","timestamp":"#);
        answer::json(out, &row.newest.sample().t);
        for (name, word) in [("category", row.meta.category.as_str()), ("type", row.meta.kind.as_str()), ("unit", &row.meta.unit)] {
            out.push(b',');
            answer::json(out, name);
            out.push(b':');
            answer::json(out, word);
        }
        if let Newest::Histogram(_, histogram) = &row.newest {
            out.extend_from_slice(br#","histogram":{"count":"#);
            answer::number(out, histogram.count);
            out.extend_from_slice(br#","sum":"#);
            answer::number(out, histogram.sum);
            out.push(b'}');
        }
        out.push(b'}');
    });
    out.push(b'}');
    out
}

fn csv(rows: &[Row]) -> String {
    let mut out = String::from("name,labels,value,timestamp,category,type,unit\n");
    for row in rows {
        let mut labels = Vec::new();
        answer::labels(&mut labels, &row.labels.without_name());
        let cells = [
            quoted(row.labels.metric_name()),
            quoted(&String::from_utf8_lossy(&labels)),
            format_value(row.newest.sample().v),
            row.newest.sample().t.to_string(),
            row.meta.category.to_string(),
            row.meta.kind.to_string(),
            quoted(&row.meta.unit),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// A cell, in quotes where it needs them (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Column, HistogramColumn, HistogramSegment, MetricType, Tier, stale_marker};

    fn row() -> Row {
        let labels = Labels::from_pairs([("__name__", "temp"), ("room", "a\"b")]).unwrap();
        let meta = MetricMeta { kind: MetricType::Gauge, unit: "celsius".into(), help: String::new(), category: Category::System };
        Row { labels, newest: Newest::Value(Sample { t: Timestamp(1_435_781_451_781), v: 21.5 }), meta }
    }

    #[test]
    fn a_row_is_written_as_the_contract_gives_it() {
        assert_eq!(
            String::from_utf8(json(&[row()])).unwrap(),
            r#"{"metrics":[{"name":"temp","labels":{"room":"a\"b"},"value":21.5,"timestamp":1435781451781,"category":"system","type":"gauge","unit":"celsius"}]}"#
        );
        assert_eq!(
            csv(&[row()]),
            "name,labels,value,timestamp,category,type,unit\ntemp,\"{\"\"room\"\":\"\"a\\\"\"b\"\"}\",21.5,1435781451781,system,gauge,celsius\n"
        );
    }

    #[test]
    fn a_series_that_ended_has_no_newest_value() {
        let series =
            |v| SeriesData { labels: Labels::default(), segments: vec![Segment::Raw(Column { t: vec![1, 2], v: vec![7.0, v] })], histograms: Vec::new() };
        assert_eq!(last(&series(stale_marker())), None);
        assert_eq!(last(&series(8.0)), Some(Sample { t: Timestamp(2), v: 8.0 }));
        let with = |t, v| {
            let column = HistogramColumn { t: vec![t], h: vec![Arc::new(Histogram { count: 3.0, sum: 4.5, ..Histogram::default() })] };
            SeriesData { histograms: vec![HistogramSegment { tier: Tier::Raw, width: Duration::ZERO, column }], ..series(v) }
        };
        assert_eq!(Newest::of(&with(1, 8.0)), Some(Newest::Value(Sample { t: Timestamp(2), v: 8.0 })));
        assert_eq!(Newest::of(&with(1, stale_marker())), None);
        assert_eq!(Newest::of(&with(3, stale_marker())).map(|newest| newest.sample()), Some(Sample { t: Timestamp(3), v: 3.0 }));
        let written = String::from_utf8(json(&[Row { newest: Newest::of(&with(3, 8.0)).unwrap(), ..row() }])).unwrap();
        assert!(written.contains(r#""value":3,"timestamp":3,"#) && written.ends_with(r#""histogram":{"count":3,"sum":4.5}}]}"#), "{written}");
    }
}
