//! The trend of every series that a query yields, and where each goes on.
//!
//! The range is asked for in [`STEPS`] steps. Where the data covers little of it (a range of 90 days on
//! a daemon of two hours) the range is narrowed until there are points enough, and the answer says so.
//! A plain selector repeats a value until the next sample comes; repeated values would pass for
//! samples of their own, so each is taken once, at its own time.
//!
//! No line is drawn further ahead than the data reaches back: a minute says nothing of the next hour.

use std::collections::HashMap;
use std::time::Duration;

use super::super::method::{Forecast, MIN_POINTS, TooLittle, Trend, forecast, trend};
use super::words::length;
use crate::clock::format_duration;
use crate::model::{Column, Labels, Timestamp};
use crate::query::{Answer, Engine, QueryError, Series, Value, parse_selector};
use crate::task::Deadline;

/// Steps over the range.
const STEPS: u32 = 300;
/// Series of one answer, in the order of their labels.
const MAX_SERIES: usize = 50;
/// Fewer points than this in every series: the data may cover only the end of the range.
const FEW_POINTS: usize = 60;
/// By how much the range is narrowed at once.
const NARROWER: u32 = 4;
/// No range is narrowed below this.
const NARROWEST: Duration = Duration::from_secs(60);
/// The shortest step: times are in milliseconds, but nothing is collected more often.
const SHORTEST_STEP: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrendsRequest {
    /// PromQL that yields numbers or series; a counter is taken as it is: ask for its `rate()`.
    pub query: String,
    /// The end of the range.
    pub end: Timestamp,
    /// How far the range reaches back.
    pub range: Duration,
    /// How far ahead to predict.
    pub horizon: Duration,
}

/// The trend of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesTrend {
    /// Its labels.
    pub labels: Labels,
    /// How many values the trend is of.
    pub points: usize,
    /// `None` where there is too little data.
    pub trend: Option<Trend>,
    /// `None` where there is no trend; no longer than the trend itself.
    pub forecast: Option<Forecast>,
    /// Why there is no trend, or why the forecast ends before the horizon.
    pub reason: Option<String>,
}

/// The trends of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Trends {
    /// The range that was looked at, which may be narrower than what was asked for.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
    /// Each series, in the order of their labels.
    pub series: Vec<SeriesTrend>,
    /// There are more series than are shown.
    pub truncated: bool,
    /// Why no series has a trend.
    pub reason: Option<String>,
    /// What is good to know.
    pub infos: Vec<String>,
    /// Stored rows that were read.
    pub samples: usize,
}

/// The trend of every series of a query.
///
/// # Errors
/// The query cannot be read or evaluated, or takes too much or too long. Too little data is none.
pub fn trends(engine: &Engine, request: &TrendsRequest, deadline: &Deadline) -> Result<Trends, QueryError> {
    let mut looked = look(engine, request, deadline)?;
    let truncated = looked.series.len() > MAX_SERIES;
    looked.series.truncate(MAX_SERIES);
    let mut series = Vec::with_capacity(looked.series.len());
    for (labels, column) in looked.series {
        deadline.check()?;
        series.push(of_series(labels, &column, request.horizon));
    }
    if looked.start != request.end - request.range {
        let shorter = Duration::from_millis(looked.start.0.abs_diff(request.end.0));
        looked.infos.push(format!("the data covers little of the range: the last {} was looked at", format_duration(shorter)));
    }
    if truncated {
        looked.infos.push(format!("only the first {MAX_SERIES} series are shown: ask for fewer with matchers or an aggregation"));
    }
    let reason = match series.first() {
        None => Some(format!("no series has a value in the last {}", format_duration(request.range))),
        Some(first) if series.iter().all(|s| s.trend.is_none()) => first.reason.clone(),
        Some(_) => None,
    };
    Ok(Trends { start: looked.start, end: request.end, series, truncated, reason, infos: looked.infos, samples: looked.samples })
}

fn of_series(labels: Labels, column: &Column, horizon: Duration) -> SeriesTrend {
    match trend(column) {
        Ok(found) => {
            let span = Duration::try_from_secs_f64(found.span_seconds).unwrap_or_default();
            let reason = (span < horizon).then(|| format!("the forecast ends {0} ahead, for the data reaches {0} back", length(found.span_seconds)));
            let ahead = forecast(&found, horizon.min(span));
            SeriesTrend { labels, points: found.residuals.len(), forecast: Some(ahead), trend: Some(found), reason }
        }
        Err(too_little) => SeriesTrend { labels, points: too_little.points, trend: None, forecast: None, reason: Some(reason(too_little)) },
    }
}

fn reason(TooLittle { points, unusable }: TooLittle) -> String {
    let mut text = format!("too little data: {points} values, at least {MIN_POINTS} are needed");
    if unusable > 0 {
        text.push_str(&format!(" ({unusable} more are NaN or infinite)"));
    }
    text
}

/// Columns over a range.
struct Looked {
    start: Timestamp,
    series: Vec<(Labels, Column)>,
    infos: Vec<String>,
    samples: usize,
}

/// Asks for the range; narrower where it holds but few points.
fn look(engine: &Engine, request: &TrendsRequest, deadline: &Deadline) -> Result<Looked, QueryError> {
    let mut range = request.range;
    let mut widest = look_at(engine, request, range, deadline)?;
    let most = |looked: &Looked| looked.series.iter().map(|(_, column)| column.len()).max().unwrap_or(0);
    let mut best = most(&widest);
    while best < FEW_POINTS && range / NARROWER >= NARROWEST {
        range /= NARROWER;
        let narrower = look_at(engine, request, range, deadline)?;
        let points = most(&narrower);
        let samples = widest.samples + narrower.samples;
        if points > best {
            (best, widest) = (points, narrower);
        }
        widest.samples = samples;
    }
    Ok(widest)
}

fn look_at(engine: &Engine, request: &TrendsRequest, range: Duration, deadline: &Deadline) -> Result<Looked, QueryError> {
    let (start, step) = (request.end - range, (range / STEPS).max(SHORTEST_STEP));
    let Answer { value, infos, stats, .. } = engine.range(&request.query, start, request.end, step, deadline)?;
    let Value::Matrix(found) = value else { return Ok(Looked { start, series: Vec::new(), infos, samples: stats.samples }) };
    let (times, samples) = own_times(engine, request, start, step, deadline)?;
    let series = found.into_iter().map(|series| once(series, &times)).collect();
    Ok(Looked { start, series, infos, samples: stats.samples + samples })
}

/// By labels without the name: at each step the time of the sample, in seconds.
type OwnTimes = HashMap<Labels, HashMap<i64, f64>>;

/// When the samples of a plain selector were taken; nothing for any other query.
fn own_times(engine: &Engine, request: &TrendsRequest, start: Timestamp, step: Duration, deadline: &Deadline) -> Result<(OwnTimes, usize), QueryError> {
    if parse_selector(&request.query).is_err() {
        return Ok((OwnTimes::new(), 0));
    }
    match engine.range(&format!("timestamp({})", request.query), start, request.end, step, deadline) {
        Ok(Answer { value: Value::Matrix(found), stats, .. }) => {
            let by_step = |series: Series| (series.labels, series.points.iter().map(|(t, v)| (t.0, *v)).collect());
            Ok((found.into_iter().map(by_step).collect(), stats.samples))
        }
        // Metrics of several names may have the same labels otherwise; then values are taken as they come.
        Err(QueryError::Execution(_)) | Ok(_) => Ok((OwnTimes::new(), 0)),
        Err(e) => Err(e),
    }
}

/// The points of a series, each sample once at its own time.
fn once(series: Series, times: &OwnTimes) -> (Labels, Column) {
    let own = times.get(&series.labels.without_name());
    let mut column = Column::default();
    for (t, v) in &series.points {
        let own_time = own.and_then(|own| own.get(&t.0)).map(|seconds| (seconds * 1000.0).round() as i64);
        let t = own_time.unwrap_or(t.0);
        if column.t.last().is_none_or(|last| *last < t) {
            column.push(t, *v);
        }
    }
    (series.labels, column)
}

#[cfg(test)]
mod tests {
    use super::super::super::method::Direction;
    use super::super::performance::tests::{Memory, engine};
    use super::*;

    const END: Timestamp = Timestamp(1_764_000_000_000);

    fn asked(series: Vec<(&str, Vec<(i64, f64)>)>, query: &str, range: Duration) -> Result<Trends, QueryError> {
        let memory = Memory::of(&series);
        let request = TrendsRequest { query: query.to_owned(), end: END, range, horizon: Duration::from_secs(600) };
        trends(&engine(memory), &request, &Deadline::never())
    }

    /// One sample every `every` seconds up to the end, `n` of them.
    fn samples(n: i64, every: i64, value: impl Fn(f64) -> f64) -> Vec<(i64, f64)> {
        (0..n).map(|i| (END.0 - (n - 1 - i) * every * 1000, value((i * every) as f64))).collect()
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_rising_series_has_its_slope_and_a_forecast() {
        let found = asked(vec![("disk_used", samples(720, 5, |s| 100.0 + 2.0 * s))], "disk_used", HOUR).unwrap();
        let series = &found.series[0];
        let line = series.trend.as_ref().unwrap();
        assert_eq!((line.direction, series.labels.metric_name()), (Direction::Up, "disk_used"));
        assert!((line.slope - 2.0).abs() < 1e-6, "{}", line.slope);
        assert_eq!(series.forecast.as_ref().unwrap().points.last().unwrap().0, line.last + Duration::from_secs(600));
        assert_eq!((found.reason, found.truncated), (None, false));
    }

    #[test]
    fn a_sample_that_a_step_repeats_counts_once() {
        // One in 100 s: at steps of 12 s each is seen eight times.
        let found = asked(vec![("slow", samples(37, 100, |s| s))], "slow", HOUR).unwrap();
        assert_eq!(found.series[0].points, 37, "each once, the one at the start among them");
    }

    #[test]
    fn a_long_range_is_narrowed_to_where_the_data_is() {
        let found = asked(vec![("young", samples(1440, 5, |s| 3.0 * s))], "young", 2160 * HOUR).unwrap();
        assert!((found.series[0].trend.as_ref().unwrap().slope - 3.0).abs() < 0.01);
        assert!(found.start > END - 24 * HOUR && found.infos[0].contains("was looked at"), "{found:?}");
    }

    #[test]
    fn a_minute_of_data_is_not_followed_for_an_hour() {
        let memory = Memory::of(&[("young", samples(14, 5, |s| 100.0 + s))]);
        let request = TrendsRequest { query: "young".into(), end: END, range: HOUR, horizon: HOUR };
        let found = trends(&engine(memory), &request, &Deadline::never()).unwrap();
        let series = &found.series[0];
        let last = series.forecast.as_ref().unwrap().points.last().unwrap().0;
        let span = series.trend.as_ref().unwrap().span_seconds;
        assert!(span <= 65.0 && last <= END + Duration::from_secs(66), "{last:?} after {span} s");
        assert!(series.reason.as_ref().is_some_and(|reason| reason.contains("ahead")), "{series:?}");
        assert_eq!(found.reason, None, "there is a trend");
        let old = asked(vec![("old", samples(720, 5, |s| s))], "old", HOUR).unwrap();
        assert_eq!(old.series[0].reason, None);
    }

    #[test]
    fn too_little_data_is_a_reason_and_no_error() {
        let few = asked(vec![("few", samples(4, 60, |s| s))], "few", HOUR).unwrap();
        assert_eq!((few.series[0].trend.is_none(), few.series[0].forecast.is_none()), (true, true));
        assert!(few.series[0].reason.as_ref().unwrap().contains("4 values"), "{few:?}");
        let none = asked(Vec::new(), "unknown_metric", HOUR).unwrap();
        assert!(none.series.is_empty() && none.reason.unwrap().contains("no series"));
    }

    #[test]
    fn a_query_that_cannot_be_read_is_an_error_and_an_expression_is_none() {
        for bad in ["sum(", "up[5m]", "\"text\""] {
            assert!(matches!(asked(Vec::new(), bad, HOUR), Err(QueryError::Bad(_))), "{bad}");
        }
        let found = asked(vec![("x_total", samples(720, 5, |s| 7.0 * s))], "rate(x_total[1m])", HOUR).unwrap();
        assert_eq!(found.series[0].trend.as_ref().unwrap().direction, Direction::Flat);
    }

    #[test]
    fn more_series_than_are_shown_are_cut_and_said() {
        let names: Vec<String> = (0..MAX_SERIES + 3).map(|i| format!("m{i:03}")).collect();
        let series = names.iter().map(|name| (name.as_str(), samples(20, 60, |s| s))).collect();
        let found = asked(series, "{__name__=~\"m.*\"}", HOUR).unwrap();
        assert_eq!((found.series.len(), found.truncated), (MAX_SERIES, true));
    }
}
