//! What a recording means, by type: gauges are set, counters are set or grow, observations of
//! histograms and summaries grow `_bucket`, `_sum` and `_count`.
//!
//! Cumulative series go on from their newest durable value, also after a restart. Their time never
//! goes back: what is recorded for an earlier time than the newest grows the total at the newest,
//! or queries would see a reset. Pure but for the question what the store has.

use std::collections::{BTreeMap, HashMap};

use super::limits::bad_time;
use super::{CustomMetric, IngestError, Options, Rejection, Report};
use crate::model::{Batch, Labels, LabelsBuilder, METRIC_NAME, MetricType, Origin, Sample, Timestamp, is_stale, valid_label_name};

/// One recording as the API takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Of a registered metric.
    pub name: String,
    /// What it is now, or what was observed.
    pub value: Option<f64>,
    /// What is added to a counter.
    pub increment: Option<f64>,
    /// Without the name.
    pub labels: BTreeMap<String, String>,
    /// When; now if it is not said.
    pub timestamp: Option<Timestamp>,
}

/// The newest durable value of each cumulative series that was recorded since the start.
#[derive(Debug, Default)]
pub(super) struct Totals(HashMap<Labels, Sample>);

impl Totals {
    /// Takes over what became durable. Where not all of it did, the store is asked again next time.
    pub(super) fn settle(&mut self, after: Vec<(Labels, Sample)>, outcome: &Result<Report, IngestError>) {
        let whole = matches!(outcome, Ok(report) if report.rejected.is_empty());
        for (labels, sample) in after {
            if whole {
                self.0.insert(labels, sample);
            } else {
                self.0.remove(&labels);
            }
        }
    }
}

/// What is to be made durable, and which recordings each sample of it comes from.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) batch: Batch,
    /// By position in the batch's samples: positions of recordings.
    pub(super) owners: Vec<Vec<usize>>,
    /// The totals once it is durable.
    pub(super) after: Vec<(Labels, Sample)>,
    /// Recordings that are refused already.
    pub(super) rejected: Vec<Rejection>,
}

/// The newest stored sample of a series.
pub(super) type Newest<'a> = dyn Fn(&Labels) -> Result<Option<Sample>, IngestError> + 'a;

/// Takes recordings one by one, in order, and makes one plan of them.
pub(super) struct Planner<'a> {
    options: &'a Options,
    now: Timestamp,
    totals: &'a mut Totals,
    newest: &'a Newest<'a>,
    rows: Vec<Row>,
    at: HashMap<Labels, usize>,
    rejected: Vec<Rejection>,
}

struct Row {
    labels: Labels,
    /// Of a cumulative series: its newest value, these recordings included.
    total: Option<Sample>,
    points: Vec<(Sample, Vec<usize>)>,
    at: HashMap<Timestamp, usize>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(options: &'a Options, now: Timestamp, totals: &'a mut Totals, newest: &'a Newest<'a>) -> Self {
        Self { options, now, totals, newest, rows: Vec::new(), at: HashMap::new(), rejected: Vec::new() }
    }

    /// Takes the recording at `index`; one that is refused is listed.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub(super) fn take(&mut self, index: usize, recording: &Recording, metric: &Result<CustomMetric, String>) -> Result<(), IngestError> {
        let checked = metric.as_ref().map_err(Clone::clone).and_then(|metric| {
            let change = change_of(recording, metric)?;
            check_labels(recording, metric, self.options)?;
            let t = recording.timestamp.unwrap_or(self.now);
            match bad_time(t, self.options, self.now) {
                Some((_, reason)) => Err(reason),
                None => Ok((metric, change, t)),
            }
        });
        match checked {
            Ok((metric, change, t)) => self.apply(index, recording, metric, change, t),
            Err(reason) => {
                self.rejected.push(Rejection { index, reason });
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Plan {
        let mut plan = Plan { batch: Batch::new(Origin::Custom), owners: Vec::new(), after: Vec::new(), rejected: self.rejected };
        for row in self.rows {
            plan.batch.push_series(&row.labels, row.points.iter().map(|(sample, _)| *sample));
            plan.owners.extend(row.points.into_iter().map(|(_, owners)| owners));
            plan.after.extend(row.total.map(|total| (row.labels, total)));
        }
        plan
    }

    fn apply(&mut self, index: usize, recording: &Recording, metric: &CustomMetric, change: Change, t: Timestamp) -> Result<(), IngestError> {
        let named = |suffix: &str| series(recording).set(METRIC_NAME, &format!("{}{suffix}", recording.name));
        match change {
            Change::Set(v) => {
                self.row(named("").build()).put(index, Sample { t, v });
            }
            Change::Total(v) => {
                let now = self.now;
                self.total(named("").build())?.set(index, Sample { t, v }, now);
            }
            Change::Add(by) => {
                if self.overflows(&named("").build(), by)? {
                    return self.refuse_overflow(index, recording);
                }
                self.add(named("").build(), index, t, by)?;
            }
            Change::Observe(v) => {
                if self.overflows(&named("_sum").build(), v)? {
                    return self.refuse_overflow(index, recording);
                }
                if metric.kind == MetricType::Histogram {
                    for bound in metric.buckets.iter().copied().chain([f64::INFINITY]) {
                        let labels = named("_bucket").set("le", &bound_text(bound)).build();
                        self.add(labels, index, t, if v <= bound { 1.0 } else { 0.0 })?;
                    }
                }
                self.add(named("_sum").build(), index, t, v)?;
                self.add(named("_count").build(), index, t, 1.0)?;
            }
        }
        Ok(())
    }

    /// Adds to a cumulative series: not ahead of now, or what comes next would be hidden behind it, and
    /// not before its newest value, or it would look like a reset.
    fn add(&mut self, labels: Labels, index: usize, t: Timestamp, by: f64) -> Result<(), IngestError> {
        let now = self.now;
        let row = self.total(labels)?;
        let before = row.total.map_or(t, |total| total.t);
        row.add(index, if before > now { now } else { t.min(now).max(before) }, by);
        Ok(())
    }

    /// Whether a total would leave the numbers.
    fn overflows(&mut self, labels: &Labels, by: f64) -> Result<bool, IngestError> {
        Ok(!(self.newest_of(labels)?.v + by).is_finite())
    }

    fn refuse_overflow(&mut self, index: usize, recording: &Recording) -> Result<(), IngestError> {
        self.rejected.push(Rejection { index, reason: format!("{}: its total would be infinite", recording.name) });
        Ok(())
    }

    /// Whether nothing of the recording at `index` was refused.
    pub(super) fn took(&self, index: usize) -> bool {
        self.rejected.iter().all(|rejected| rejected.index != index)
    }

    fn row(&mut self, labels: Labels) -> &mut Row {
        let rows = &mut self.rows;
        let at = *self.at.entry(labels).or_insert_with_key(|labels| {
            rows.push(Row { labels: labels.clone(), total: None, points: Vec::new(), at: HashMap::new() });
            rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// The newest value of a cumulative series: of these recordings, as it is kept, or as it is stored.
    fn newest_of(&mut self, labels: &Labels) -> Result<Sample, IngestError> {
        let known = self.at.get(labels).and_then(|&at| self.rows[at].total).or_else(|| self.totals.0.get(labels).copied());
        if let Some(total) = known {
            return Ok(total);
        }
        let stored = (self.newest)(labels)?.filter(|sample| !is_stale(sample.v) && sample.v.is_finite());
        let total = stored.unwrap_or(Sample { t: Timestamp::MIN, v: 0.0 });
        self.totals.0.insert(labels.clone(), total);
        Ok(total)
    }

    /// The row of a cumulative series, with its newest value known.
    fn total(&mut self, labels: Labels) -> Result<&mut Row, IngestError> {
        let total = self.newest_of(&labels)?;
        let row = self.row(labels);
        row.total = Some(total);
        Ok(row)
    }
}

impl Row {
    /// Of one series and time the last value counts.
    fn put(&mut self, index: usize, sample: Sample) {
        match self.at.get(&sample.t).and_then(|&at| self.points.get_mut(at)) {
            Some((old, owners)) => {
                *old = sample;
                if owners.last() != Some(&index) {
                    owners.push(index);
                }
            }
            None => {
                self.at.insert(sample.t, self.points.len());
                self.points.push((sample, vec![index]));
            }
        }
    }

    fn add(&mut self, index: usize, t: Timestamp, by: f64) {
        let before = self.total.unwrap_or(Sample { t, v: 0.0 });
        let sample = Sample { t, v: before.v + by };
        self.total = Some(sample);
        self.put(index, sample);
    }

    fn set(&mut self, index: usize, sample: Sample, now: Timestamp) {
        if self.total.is_none_or(|total| sample.t >= total.t || total.t > now) {
            self.total = Some(sample);
        }
        self.put(index, sample);
    }
}

/// What a recording does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Set(f64),
    Total(f64),
    Add(f64),
    Observe(f64),
}

fn change_of(recording: &Recording, metric: &CustomMetric) -> Result<Change, String> {
    let name = &recording.name;
    let change = match (metric.kind, recording.value, recording.increment) {
        (_, Some(_), Some(_)) => return Err(format!("{name} has a value and an increment: send one of them")),
        (MetricType::Counter, Some(v), None) => Change::Total(v),
        (MetricType::Counter, None, Some(by)) => Change::Add(by),
        (MetricType::Counter, None, None) => return Err(format!("{name} has neither a value (its total) nor an increment")),
        (kind, None, Some(_)) => return Err(format!("{name} is a {kind}: only counters take an increment, send a value")),
        (_, None, None) => return Err(format!("{name} has no value")),
        (MetricType::Histogram | MetricType::Summary, Some(v), None) => Change::Observe(v),
        (MetricType::Gauge | MetricType::Unknown, Some(v), None) => Change::Set(v),
    };
    let (Change::Set(v) | Change::Total(v) | Change::Add(v) | Change::Observe(v)) = change;
    if !v.is_finite() {
        return Err(format!("{name}: NaN and infinity cannot be recorded"));
    }
    if v < 0.0 && matches!(change, Change::Total(_) | Change::Add(_)) {
        return Err(format!("{name} is a counter and cannot be or fall below zero: {v} was sent"));
    }
    Ok(change)
}

fn check_labels(recording: &Recording, metric: &CustomMetric, options: &Options) -> Result<(), String> {
    for (name, value) in &recording.labels {
        reserved_label(name, metric.kind)?;
        // Registered without label names: it may have any.
        if !metric.labels.is_empty() && !metric.labels.contains(name) {
            return Err(format!("{} is not registered with the label {name:?}: it has {}", recording.name, metric.labels.join(", ")));
        }
        if !valid_label_name(name) {
            return Err(format!("{name:?} is not a label name: use letters, digits and _, no digit first"));
        }
        if value.len() > options.max_label_value_bytes {
            return Err(format!("label {name:?} has a value of {} bytes, the limit is {}", value.len(), options.max_label_value_bytes));
        }
    }
    Ok(())
}

/// Whether a label name is the daemon's own.
pub(super) fn reserved_label(name: &str, kind: MetricType) -> Result<(), String> {
    let own = name.starts_with("__") || name == "le" || (name == "quantile" && kind == MetricType::Summary);
    if own { Err(format!("the label name {name:?} is reserved: choose another")) } else { Ok(()) }
}

fn series(recording: &Recording) -> LabelsBuilder {
    let mut builder = LabelsBuilder::default();
    for (name, value) in &recording.labels {
        builder.put(name, value);
    }
    builder
}

fn bound_text(bound: f64) -> String {
    crate::wire::format_value(bound)
}

#[cfg(test)]
mod tests {
    use super::super::limits::tests::options;
    use super::*;
    use crate::model::Category;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn metric(kind: MetricType) -> Result<CustomMetric, String> {
        let buckets = if kind == MetricType::Histogram { vec![0.5, 1.0] } else { Vec::new() };
        Ok(CustomMetric { name: "m".into(), kind, unit: String::new(), help: String::new(), category: Category::Custom, labels: vec!["x".into()], buckets })
    }

    fn recording(value: Option<f64>, increment: Option<f64>) -> Recording {
        Recording { name: "m".into(), value, increment, labels: BTreeMap::new(), timestamp: None }
    }

    fn value(v: f64) -> Recording {
        recording(Some(v), None)
    }

    fn plan_with(totals: &mut Totals, newest: &Newest<'_>, kind: MetricType, recordings: &[Recording]) -> Plan {
        let options = options();
        let mut planner = Planner::new(&options, NOW, totals, newest);
        for (i, r) in recordings.iter().enumerate() {
            planner.take(i, r, &metric(kind)).unwrap();
        }
        planner.finish()
    }

    fn plan(kind: MetricType, recordings: &[Recording]) -> Plan {
        plan_with(&mut Totals::default(), &|_| Ok(None), kind, recordings)
    }

    fn rows(plan: &Plan) -> Vec<(String, f64)> {
        plan.batch.series().map(|r| (Labels::from_canonical(r.labels).unwrap().to_string(), r.samples.last().unwrap().v)).collect()
    }

    #[test]
    fn increments_of_one_request_add_up() {
        let plan = plan(MetricType::Counter, &[recording(None, Some(2.0)), recording(None, Some(3.0)), value(1.0), recording(None, Some(0.5))]);
        assert_eq!(rows(&plan), [("m{}".to_owned(), 1.5)]);
        assert_eq!(plan.owners, [[0, 1, 2, 3]]);
    }

    #[test]
    fn a_counter_goes_on_from_the_store_after_a_restart() {
        let stored = |_: &Labels| Ok(Some(Sample { t: Timestamp(NOW.0 - 5), v: 40.0 }));
        let plan = plan_with(&mut Totals::default(), &stored, MetricType::Counter, &[recording(None, Some(2.0))]);
        assert_eq!(rows(&plan), [("m{}".to_owned(), 42.0)]);
    }

    #[test]
    fn totals_move_only_when_all_became_durable() {
        let mut totals = Totals::default();
        let newest = |_: &Labels| Ok(None);
        let first = plan_with(&mut totals, &newest, MetricType::Counter, &[recording(None, Some(2.0))]);
        totals.settle(first.after, &Err(IngestError::Busy));
        let again = plan_with(&mut totals, &newest, MetricType::Counter, &[recording(None, Some(2.0))]);
        assert_eq!(rows(&again), [("m{}".to_owned(), 2.0)]);
        totals.settle(again.after, &Ok(Report::default()));
        let third = plan_with(&mut totals, &newest, MetricType::Counter, &[recording(None, Some(2.0))]);
        assert_eq!(rows(&third), [("m{}".to_owned(), 4.0)]);
    }

    #[test]
    fn an_observation_grows_its_buckets_sum_and_count() {
        let plan = plan(MetricType::Histogram, &[value(0.5), value(0.7), value(9.0)]);
        let want = [("m_bucket{le=\"0.5\"}", 1.0), ("m_bucket{le=\"1\"}", 2.0), ("m_bucket{le=\"+Inf\"}", 3.0), ("m_sum{}", 10.2), ("m_count{}", 3.0)];
        assert_eq!(rows(&plan), want.map(|(n, v)| (n.to_owned(), v)));
        assert_eq!(plan.batch.sample_count(), 5);
    }

    #[test]
    fn a_summary_keeps_sum_and_count() {
        assert_eq!(rows(&plan(MetricType::Summary, &[value(0.5), value(-2.0)])), [("m_sum{}".to_owned(), -1.5), ("m_count{}".to_owned(), 2.0)]);
    }

    #[test]
    fn an_increment_for_an_earlier_time_never_looks_like_a_reset() {
        let early = Recording { timestamp: Some(Timestamp(NOW.0 - 1000)), ..recording(None, Some(1.0)) };
        let plan = plan(MetricType::Counter, &[recording(None, Some(5.0)), early]);
        assert_eq!(plan.batch.samples(), [Sample { t: NOW, v: 6.0 }]);
    }

    #[test]
    fn a_metric_without_label_names_takes_any_but_reserved_and_malformed_ones() {
        let free = metric(MetricType::Gauge).map(|m| CustomMetric { labels: Vec::new(), ..m });
        let options = options();
        let (mut totals, newest) = (Totals::default(), |_: &Labels| Ok(None));
        let mut planner = Planner::new(&options, NOW, &mut totals, &newest);
        for (i, name) in ["shop", "le", "__x", "9-shop"].into_iter().enumerate() {
            let labels = [(name.to_owned(), "1".to_owned())].into();
            planner.take(i, &Recording { labels, ..value(1.0) }, &free).unwrap();
        }
        assert_eq!(planner.finish().rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn what_a_type_does_not_take_is_refused_with_its_index() {
        let far = Recording { timestamp: Some(Timestamp(NOW.0 + 3_600_000)), ..value(1.0) };
        let label = |n: &str| Recording { labels: [(n.to_owned(), "1".to_owned())].into(), ..value(1.0) };
        let bad = [value(f64::NAN), value(f64::INFINITY), recording(None, Some(1.0)), recording(Some(1.0), Some(1.0)), recording(None, None), far];
        let all: Vec<Recording> = bad.into_iter().chain([label("y"), label("le"), label("__x"), label("x"), value(1.0)]).collect();
        let plan = plan(MetricType::Gauge, &all);
        assert_eq!(plan.rejected.iter().map(|r| r.index).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        assert_eq!(plan.batch.series_count(), 2);
        let negative = super::tests::plan(MetricType::Counter, &[value(-1.0), recording(None, Some(-1.0))]);
        assert_eq!(negative.rejected.len(), 2);
    }
}
