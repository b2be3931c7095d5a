//! `latido query`: an expression, on a running daemon over HTTP or on a stopped store. Both give the
//! answer in the shape of Prometheus' API, and one printer prints it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::clock::{Clock, SharedClock, SystemClock, format_rfc3339, parse_duration, parse_moment};
use crate::config::Config;
use crate::model::{Histogram, Labels, METRIC_NAME, Timestamp};
use crate::query::{Engine, Series, ShownBucket, Value, shown_buckets};
use crate::store;
use crate::task::Deadline;

use super::args::{Format, QueryArgs, SettingsArgs};
use super::chart;
use super::control;
use super::exit::CliError;
use super::http::{self, Endpoint};

/// When to evaluate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    At(Timestamp),
    Range(Timestamp, Timestamp, Duration),
}

pub(super) fn run(args: &QueryArgs) -> Result<(), CliError> {
    let when = when(args, SystemClock.now())?;
    let data = match &args.data_dir {
        None => ask_daemon(args, &control::by_url(&args.url, args.key_file.as_deref())?, when)?,
        Some(_) => ask_there(args, when)?,
    };
    super::say(&show(&data, args.format));
    Ok(())
}

fn when(args: &QueryArgs, now: Timestamp) -> Result<When, CliError> {
    let moment = |text: &Option<String>| text.as_deref().map_or(Ok(now), |text| parse_moment(text, now)).map_err(|e| CliError::Usage(e.to_string()));
    let Some(step) = &args.step else { return moment(&args.time).map(When::At) };
    let step = parse_duration(step).map_err(|e| CliError::Usage(e.to_string()))?;
    if step.is_zero() {
        return Err(CliError::Usage("--step must be above zero".to_owned()));
    }
    Ok(When::Range(moment(&args.start)?, moment(&args.end)?, step))
}

fn ask_daemon(args: &QueryArgs, daemon: &Endpoint, when: When) -> Result<Json, CliError> {
    let expr = http::encode(&args.expr);
    let path = match when {
        When::At(t) => format!("/api/v1/query?query={expr}&time={}", t.seconds()),
        When::Range(start, end, step) => {
            format!("/api/v1/query_range?query={expr}&start={}&end={}&step={}", start.seconds(), end.seconds(), step.as_secs_f64())
        }
    };
    let answer = daemon.get(&path).map_err(CliError::Remote)?;
    let mut body: Json = serde_json::from_slice(&answer.body).map_err(|_| CliError::Remote(format!("{daemon} answered {} without JSON", answer.status)))?;
    if body.get("status").and_then(Json::as_str) != Some("success") {
        let said = body.get("error").map_or_else(|| body.to_string(), |error| error.as_str().map_or_else(|| error.to_string(), str::to_owned));
        return Err(CliError::Remote(format!("{daemon} answered {}: {said}", answer.status)));
    }
    Ok(body.get_mut("data").map(Json::take).unwrap_or_default())
}

/// The daemon that runs on a data directory, or the store that lies there.
fn ask_there(args: &QueryArgs, when: When) -> Result<Json, CliError> {
    let settings = SettingsArgs { env: args.env.clone(), config: args.config.clone(), data_dir: args.data_dir.clone(), ..SettingsArgs::default() };
    let config = Config::load(&settings.sources()?)?;
    // A directory with a typing error in it must not become a new store.
    if !config.data_dir.is_dir() {
        return Err(CliError::Usage(format!("there is no data directory {}", config.data_dir.display())));
    }
    if let Some(daemon) = control::running_on(&config.data_dir)? {
        return ask_daemon(args, &daemon, when);
    }
    let clock: SharedClock = Arc::new(SystemClock);
    let opened = store::open(store::Options { place: store::Place::Disk(config.data_dir), ..config.store }, clock)?;
    let engine = Engine::new(Arc::new(opened.reader), config.query.clone());
    let deadline = Deadline::after(config.query.timeout);
    let answer = match when {
        When::At(t) => engine.instant(&args.expr, t, &deadline),
        When::Range(start, end, step) => engine.range(&args.expr, start, end, step, &deadline),
    };
    opened.writer.close()?;
    Ok(to_json(&answer?.value))
}

fn to_json(value: &Value) -> Json {
    let vector = |series: &Series| match (series.points.first(), series.histograms.first()) {
        (Some((t, v)), _) => json!({"metric": labels(&series.labels), "value": point(*t, *v)}),
        (None, Some((t, h))) => json!({"metric": labels(&series.labels), "histogram": histogram(*t, h)}),
        (None, None) => json!({"metric": labels(&series.labels)}),
    };
    let matrix = |series: &Series| {
        let mut out = json!({"metric": labels(&series.labels), "values": series.points.iter().map(|(t, v)| point(*t, *v)).collect::<Vec<_>>()});
        if !series.histograms.is_empty() {
            out["histograms"] = series.histograms.iter().map(|(t, h)| histogram(*t, h)).collect();
        }
        out
    };
    match value {
        Value::Scalar(t, v) => json!({"resultType": "scalar", "result": point(*t, *v)}),
        Value::String(t, text) => json!({"resultType": "string", "result": [t.seconds(), text]}),
        Value::Vector(all) => json!({"resultType": "vector", "result": all.iter().map(vector).collect::<Vec<_>>()}),
        Value::Matrix(all) => json!({"resultType": "matrix", "result": all.iter().map(matrix).collect::<Vec<_>>()}),
    }
}

fn labels(labels: &Labels) -> Json {
    Json::Object(labels.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect())
}

fn point(t: Timestamp, v: f64) -> Json {
    json!([t.seconds(), number(v)])
}

fn number(v: f64) -> String {
    if v.is_nan() {
        "NaN".to_owned()
    } else if v.is_infinite() {
        if v > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        v.to_string()
    }
}

fn histogram(t: Timestamp, h: &Histogram) -> Json {
    let rule = |b: &ShownBucket| match (b.with_lower, b.with_upper) {
        (false, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (true, true) => 3,
    };
    let buckets: Vec<Json> = shown_buckets(h).iter().map(|b| json!([rule(b), number(b.lower), number(b.upper), number(b.count)])).collect();
    json!([t.seconds(), {"count": number(h.count), "sum": number(h.sum), "buckets": buckets}])
}

/// One row: the series, the time in milliseconds, the value.
pub(super) type Row = (String, i64, String);

fn rows(data: &Json) -> Vec<Row> {
    let result = data.get("result").cloned().unwrap_or_default();
    if matches!(data.get("resultType").and_then(Json::as_str), Some("scalar" | "string")) {
        return row(String::new(), &result).into_iter().collect();
    }
    let mut out = Vec::new();
    for series in result.as_array().into_iter().flatten() {
        let name = series.get("metric").and_then(Json::as_object).map(series_name).unwrap_or_default();
        let list = |key: &str| series.get(key).and_then(Json::as_array).into_iter().flatten();
        let points = series.get("value").into_iter().chain(series.get("histogram")).chain(list("values")).chain(list("histograms"));
        out.extend(points.filter_map(|point| row(name.clone(), point)));
    }
    out
}

fn row(name: String, point: &Json) -> Option<Row> {
    let seconds = point.get(0)?.as_f64()?;
    let value = point.get(1)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some((name, (seconds * 1000.0).round() as i64, text))
}

fn series_name(metric: &Map<String, Json>) -> String {
    let name = metric.get(METRIC_NAME).and_then(Json::as_str).unwrap_or_default();
    let pairs: Vec<String> = metric.iter().filter(|(label, _)| *label != METRIC_NAME).map(|(label, value)| format!("{label}={value}")).collect();
    if pairs.is_empty() && !name.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", pairs.join(",")) }
}

fn show(data: &Json, format: Format) -> String {
    match format {
        Format::Json => data.to_string(),
        Format::Csv => {
            let lines = rows(data).into_iter().map(|(name, t, value)| format!("{},{},{}", quoted(&name), t, quoted(&value)));
            std::iter::once("series,timestamp,value".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
        }
        Format::Chart => chart::draw(&rows(data)),
        Format::Table => {
            let rows = rows(data);
            let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
            let lines: Vec<String> = rows.into_iter().map(|(name, t, value)| format!("{name:width$}  {}  {value}", format_rfc3339(Timestamp(t)))).collect();
            if lines.is_empty() { "(no series)".to_owned() } else { lines.join("\n") }
        }
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn args(line: &str) -> QueryArgs {
        match super::super::args::Arguments::try_parse_from(line.split(' ')).unwrap().command {
            Some(super::super::args::Command::Query(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn times_are_read_relative_to_now() {
        let now = Timestamp(10_000_000);
        assert_eq!(when(&args("latido query up"), now).unwrap(), When::At(now));
        assert_eq!(when(&args("latido query up --time -1m"), now).unwrap(), When::At(Timestamp(9_940_000)));
        let range = When::Range(Timestamp(6_400_000), now, Duration::from_secs(60));
        assert_eq!(when(&args("latido query up --start -1h --step 1m"), now).unwrap(), range);
        assert!(when(&args("latido query up --start -1h --step 0"), now).is_err());
        assert!(when(&args("latido query up --time soon"), now).is_err());
    }

    #[test]
    fn an_answer_is_printed_in_three_forms() {
        let labels = Labels::from_pairs([(METRIC_NAME, "up"), ("job", "node")]).unwrap();
        let series = Series { labels, points: vec![(Timestamp(1_000_500), 1.0), (Timestamp(2_000_500), f64::INFINITY)], ..Series::default() };
        let data = to_json(&Value::Matrix(vec![series]));
        assert_eq!(show(&data, Format::Table).lines().next(), Some("up{job=\"node\"}  1970-01-01T00:16:40.500Z  1"));
        assert_eq!(show(&data, Format::Csv).lines().last(), Some("\"up{job=\"\"node\"\"}\",2000500,+Inf"));
        assert_eq!(data["result"][0]["values"][0], json!([1000.5, "1"]));
        assert_eq!(show(&to_json(&Value::Vector(Vec::new())), Format::Table), "(no series)");
        assert_eq!(show(&to_json(&Value::Scalar(Timestamp(0), 2.5)), Format::Csv), "series,timestamp,value\n,0,2.5");
    }
}
