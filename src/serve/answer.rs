//! The shape of a success: Prometheus' `{"status":"success","data":…}`, and numbers of the monitoring API.
//!
//! Answers are written straight into one buffer: a tree of values of a large matrix would take
//! many times its size. Knows no handler.

use std::io::Write;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use serde::Serialize;

use crate::model::{Histogram, Labels, Timestamp};
use crate::query::{Answer, Explained, Series, Stats, Value, shown_buckets};
use crate::wire::{JsonFloat, format_value};

/// What Prometheus says where `limit` cut an answer.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// A finished JSON text as an answer.
pub(super) fn json_text(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}

/// Prometheus' success around any data.
pub(super) fn success<T: Serialize>(data: &T, warnings: &[&str]) -> HttpResponse {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(br#"{"status":"success","data":"#);
    json(&mut out, data);
    notes(&mut out, "warnings", warnings);
    out.push(b'}');
    json_text(out)
}

/// Prometheus' success around the answer of a query.
pub(super) fn query(answer: &Answer, with_stats: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    out.extend_from_slice(br#"{"status":"success","data":{"resultType":""#);
    match &answer.value {
        Value::Scalar(t, v) => {
            out.extend_from_slice(br#"scalar","result":"#);
            point(&mut out, *t, *v);
        }
        Value::String(t, text) => {
            out.extend_from_slice(br#"string","result":["#);
            seconds(&mut out, *t);
            out.push(b',');
            json(&mut out, text);
            out.push(b']');
        }
        Value::Vector(series) => {
            out.extend_from_slice(br#"vector","result":"#);
            all_series(&mut out, series.iter().filter(|s| !s.points.is_empty() || !s.histograms.is_empty()), |out, series| {
                match (series.points.last(), series.histograms.last()) {
                    (Some((t, v)), _) => {
                        out.extend_from_slice(br#","value":"#);
                        point(out, *t, *v);
                    }
                    (None, Some((t, h))) => {
                        out.extend_from_slice(br#","histogram":"#);
                        histogram(out, *t, h);
                    }
                    (None, None) => {}
                }
            });
        }
        Value::Matrix(series) => {
            out.extend_from_slice(br#"matrix","result":"#);
            all_series(&mut out, series.iter(), |out, series| {
                if !series.points.is_empty() || series.histograms.is_empty() {
                    out.extend_from_slice(br#","values":"#);
                    list(out, &series.points, |out, (t, v)| point(out, *t, *v));
                }
                if !series.histograms.is_empty() {
                    out.extend_from_slice(br#","histograms":"#);
                    list(out, &series.histograms, |out, (t, h)| histogram(out, *t, h));
                }
            });
        }
    }
    if with_stats {
        stats(&mut out, &answer.stats);
    }
    if let Some(explained) = &answer.explained {
        out.extend_from_slice(br#","explain":"#);
        explain(&mut out, explained);
    }
    out.push(b'}');
    notes(&mut out, "warnings", &answer.warnings);
    notes(&mut out, "infos", &answer.infos);
    out.push(b'}');
    out
}

fn all_series<'a>(out: &mut Vec<u8>, series: impl Iterator<Item = &'a Series>, points: impl Fn(&mut Vec<u8>, &Series)) {
    list(out, series, |out, s| {
        out.extend_from_slice(br#"{"metric":"#);
        labels(out, &s.labels);
        points(out, s);
        out.push(b'}');
    });
}

fn stats(out: &mut Vec<u8>, stats: &Stats) {
    // Writing into memory does not fail.
    let _ = write!(
        out,
        r#","stats":{{"timings":{{"evalTotalTime":{took},"execTotalTime":{took}}},"samples":{{"totalQueryableSamples":{samples},"peakSamples":{samples}}}}}"#,
        took = stats.took.as_secs_f64(),
        samples = stats.samples
    );
}

/// What a part of the expression cost, and its parts.
fn explain(out: &mut Vec<u8>, part: &Explained) {
    out.extend_from_slice(br#"{"kind":"#);
    json(out, part.kind);
    out.extend_from_slice(br#","expr":"#);
    json(out, &part.expr);
    let Explained { steps, series, samples, took, .. } = part;
    let _ = write!(out, r#","steps":{steps},"series":{series},"samples":{samples},"seconds":{},"tiers":"#, took.as_secs_f64());
    json(out, &part.tiers);
    out.extend_from_slice(br#","children":"#);
    list(out, &part.children, explain);
    out.push(b'}');
}

fn notes<T: Serialize>(out: &mut Vec<u8>, name: &str, notes: &[T]) {
    if !notes.is_empty() {
        let _ = write!(out, r#","{name}":"#);
        json(out, &notes);
    }
}

/// A list, each item written by `item`.
pub(super) fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, item: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (i, x) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        item(out, x);
    }
    out.push(b']');
}

/// Labels as an object, in order of name.
pub(super) fn labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        json(out, name);
        out.push(b':');
        json(out, value);
    }
    out.push(b'}');
}

/// Anything small as JSON.
pub(super) fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        // No type of this room has a key that is not a text; if one had, the answer stays JSON.
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// `[<unix seconds>,"<value>"]`
fn point(out: &mut Vec<u8>, t: Timestamp, v: f64) {
    out.push(b'[');
    seconds(out, t);
    let _ = write!(out, ",\"{}\"]", format_value(v));
}

/// `[<unix seconds>,{"count","sum","buckets":[[<which bounds are part of it>,lower,upper,count],..]}]`
fn histogram(out: &mut Vec<u8>, t: Timestamp, h: &Histogram) {
    out.push(b'[');
    seconds(out, t);
    let _ = write!(out, r#",{{"count":"{}","sum":"{}""#, format_value(h.count), format_value(h.sum));
    let buckets = shown_buckets(h);
    if !buckets.is_empty() {
        out.extend_from_slice(br#","buckets":"#);
        list(out, &buckets, |out, b| {
            let rule = match (b.with_lower, b.with_upper) {
                (false, true) => 0,
                (true, false) => 1,
                (false, false) => 2,
                (true, true) => 3,
            };
            let _ = write!(out, r#"[{rule},"{}","{}","{}"]"#, format_value(b.lower), format_value(b.upper), format_value(b.count));
        });
    }
    out.extend_from_slice(b"}]");
}

/// Unix seconds; milliseconds, where there are any, with three digits as Prometheus writes them.
pub(super) fn seconds(out: &mut Vec<u8>, t: Timestamp) {
    let millis = t.0.unsigned_abs();
    let sign = if t.0 < 0 { "-" } else { "" };
    let _ = match millis % 1000 {
        0 => write!(out, "{sign}{}", millis / 1000),
        fraction => write!(out, "{sign}{}.{fraction:03}", millis / 1000),
    };
}

/// A value of the monitoring API: a number, or a text where JSON has no number for it.
pub(super) fn number(out: &mut Vec<u8>, v: f64) {
    /// Beyond this an integer is not exact any more.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if v.fract() == 0.0 && v.abs() < EXACT {
        let _ = write!(out, "{v:.0}");
    } else {
        json(out, &JsonFloat(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Buckets, Span};

    fn answer(value: Value) -> Answer {
        Answer { value, warnings: Vec::new(), infos: Vec::new(), stats: Stats::default(), explained: None }
    }
    fn up(points: &[(i64, f64)]) -> Series {
        let labels = Labels::from_pairs([("__name__", "up")]).unwrap();
        Series { labels, points: points.iter().map(|&(t, v)| (Timestamp(t), v)).collect(), ..Series::default() }
    }
    fn text(answer: &Answer) -> String {
        String::from_utf8(query(answer, false)).unwrap()
    }

    #[test]
    fn a_vector_is_written_byte_for_byte_as_prometheus_does() {
        assert_eq!(
            text(&answer(Value::Vector(vec![up(&[(1_435_781_451_781, 1.0)])]))),
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1435781451.781,"1"]}]}}"#
        );
    }

    #[test]
    fn a_matrix_holds_all_points_and_the_notes_come_last() {
        let mut matrix = answer(Value::Matrix(vec![up(&[(1000, f64::NAN), (1500, f64::INFINITY)])]));
        matrix.infos.push("say \"rate\"".to_owned());
        assert_eq!(
            text(&matrix),
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1,"NaN"],[1.500,"+Inf"]]}]},"infos":["say \"rate\""]}"#
        );
    }

    #[test]
    fn a_native_histogram_is_written_with_its_buckets() {
        let positive = Buckets { spans: vec![Span { offset: 1, length: 2 }], counts: vec![2.0, 3.0] };
        let h = Histogram { count: 7.0, sum: 9.5, zero_count: 2.0, zero_threshold: 0.5, positive, ..Histogram::default() };
        let series = Series { histograms: vec![(Timestamp(1000), std::sync::Arc::new(h))], ..up(&[]) };
        let buckets = r#"{"count":"7","sum":"9.5","buckets":[[3,"-0.5","0.5","2"],[0,"1","2","2"],[0,"2","4","3"]]}"#;
        assert_eq!(
            text(&answer(Value::Vector(vec![series.clone()]))),
            format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"__name__":"up"}},"histogram":[1,{buckets}]}}]}}}}"#)
        );
        assert!(text(&answer(Value::Matrix(vec![series]))).contains(r#"{"metric":{"__name__":"up"},"histograms":[[1,"#));
    }

    #[test]
    fn scalars_and_strings_have_no_metric() {
        assert_eq!(text(&answer(Value::Scalar(Timestamp(4000), 2.0))), r#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#);
        assert_eq!(text(&answer(Value::String(Timestamp(-1), "x".into()))), r#"{"status":"success","data":{"resultType":"string","result":[-0.001,"x"]}}"#);
    }

    #[test]
    fn numbers_stay_json() {
        let write = |v| {
            let mut out = Vec::new();
            number(&mut out, v);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([write(42.0), write(0.1), write(f64::NAN), write(f64::NEG_INFINITY), write(-3.0)], ["42", "0.1", "\"NaN\"", "\"-Inf\"", "-3"]);
        assert_eq!(write(1e300).parse(), Ok(1e300));
    }
}
