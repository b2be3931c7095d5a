//! The list of rules over series in memory: what is found, what is not, and that each row can be asked.

use std::sync::Arc;

use super::*;
use crate::model::{Column, METRIC_NAME, Segment, SeriesData, Widths};
use crate::query::{Options, Source};
use crate::store::{Coverage, Selection, StoreError};

/// Raw series in memory.
pub(in super::super) struct Memory(Vec<SeriesData>);

impl Memory {
    /// Series by `name` or `name{label="value"}`.
    pub(in super::super) fn of(series: &[(&str, Vec<(i64, f64)>)]) -> Self {
        let data = |(text, samples): &(&str, Vec<(i64, f64)>)| {
            let (name, rest) = text.split_once('{').unwrap_or((text, ""));
            let pairs = rest.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
            let mut labels = vec![(METRIC_NAME.to_owned(), name.to_owned())];
            labels.extend(pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())));
            labels.sort();
            let mut column = Column::default();
            samples.iter().for_each(|(t, v)| column.push(*t, *v));
            SeriesData { labels: Labels::from_pairs(labels).unwrap(), segments: vec![Segment::Raw(column)], histograms: Vec::new() }
        };
        let mut all: Vec<SeriesData> = series.iter().map(data).collect();
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        Self(all)
    }
}

impl Source for Memory {
    fn select(&self, selection: &Selection, _: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        let mut out = Vec::new();
        for data in self.0.iter().filter(|d| selection.matchers.iter().all(|m| m.accepts_labels(&d.labels))) {
            let Some(Segment::Raw(all)) = data.segments.first() else { continue };
            let mut column = Column::default();
            all.t.iter().zip(&all.v).filter(|(t, _)| selection.range.contains(Timestamp(**t))).for_each(|(t, v)| column.push(*t, *v));
            if !column.is_empty() {
                out.push(SeriesData { labels: data.labels.clone(), segments: vec![Segment::Raw(column)], histograms: Vec::new() });
            }
        }
        Ok(out)
    }

    fn coverage(&self) -> Coverage {
        let widths = Widths { aggregated: Duration::from_secs(60), summary: Duration::from_secs(3600) };
        Coverage { raw: Timestamp::MIN, aggregated: Timestamp::MIN, summary: Timestamp::MIN, widths }
    }
}

pub(in super::super) fn engine(memory: Memory) -> Engine {
    Engine::new(Arc::new(memory), Options::default())
}

const NOW: Timestamp = Timestamp(1_764_000_000_000);
const WINDOW: Duration = Duration::from_secs(900);

/// A sample every 15 s of the last `minutes`, of a value by the second since the first.
fn samples(minutes: i64, value: impl Fn(f64) -> f64) -> Vec<(i64, f64)> {
    let n = minutes * 4;
    (0..=n).map(|i| (NOW.0 - (n - i) * 15_000, value(i as f64 * 15.0))).collect()
}

fn found(series: &[(&str, Vec<(i64, f64)>)]) -> Performance {
    performance(&engine(Memory::of(series)), NOW, WINDOW, &Deadline::never()).unwrap()
}

/// Two cores, each idle for a share of the time; tasks that wait for a core for a share.
fn processor(minutes: i64, idle: f64, waiting: f64) -> Vec<(&'static str, Vec<(i64, f64)>)> {
    vec![
        ("node_cpu_seconds_total{cpu=\"0\",instance=\"box\",mode=\"idle\"}", samples(minutes, |s| idle * s)),
        ("node_cpu_seconds_total{cpu=\"0\",instance=\"box\",mode=\"user\"}", samples(minutes, |s| (1.0 - idle) * s)),
        ("node_pressure_cpu_waiting_seconds_total{instance=\"box\"}", samples(minutes, |s| waiting * s)),
    ]
}

#[test]
fn seconds_after_a_start_there_is_no_score() {
    let young = found(&processor(1, 0.0, 0.9));
    assert_eq!((young.score, young.checked, young.findings.len()), (None, 0, 0), "{young:?}");
    assert!(young.reason.is_some());
}

#[test]
fn every_rule_can_be_asked_of_an_empty_store_and_finds_nothing() {
    let empty = engine(Memory::of(&[]));
    let report = found(&[]);
    let rules = RULES.iter().map(|part| part.len()).sum::<usize>();
    assert_eq!((report.score, report.findings.len(), report.checked, report.without_data), (None, 0, 0, rules));
    assert!(report.reason.as_ref().is_some_and(|reason| reason.contains("reaches back 3m")), "{report:?}");
    for rule in RULES.into_iter().flatten() {
        for query in std::iter::once(rule.query).chain(rule.facts.iter().map(|fact| fact.query)).chain([rule.basis]) {
            let query = query.replace("$w", "15m");
            assert!(empty.instant(&query, NOW, &Deadline::never()).is_ok(), "{}: {query}", rule.title);
        }
    }
}

#[test]
fn a_saturated_processor_is_found_with_numbers_window_limit_and_query() {
    let report = found(&processor(20, 0.03, 0.6));
    assert_eq!((report.findings.len(), report.score, report.reason.clone()), (1, Some(90), None), "{report:?}");
    assert!(report.infos.iter().any(|info| info.starts_with(&format!("only {} of ", report.checked))), "few rules are said: {report:?}");
    let finding = &report.findings[0];
    assert_eq!((finding.severity, finding.title.as_str()), (Severity::Warning, "The processor is saturated on box"));
    assert_eq!(finding.evidence, "all cores together were busy 97 % of the time in the last 15m (limit 90 %); something waited for a core 60 % of the time");
    assert!(finding.query.contains("[15m]") && !finding.query.contains("$w"));
    assert!((finding.value - 97.0).abs() < 0.01);
}

#[test]
fn a_processor_that_is_busy_while_nothing_waits_is_no_finding() {
    assert_eq!(found(&processor(20, 0.03, 0.01)).findings, []);
    assert_eq!(found(&processor(20, 0.5, 0.6)).findings, []);
}

#[test]
fn the_first_seconds_after_a_start_are_no_evidence() {
    assert_eq!(found(&processor(2, 0.0, 0.9)).checked, 0);
    let part = found(&processor(5, 0.0, 0.9));
    assert!(part.findings[0].evidence.contains("there is data of a part of it"), "{part:?}");
}

#[test]
fn a_disk_that_fills_up_is_found_with_its_date_and_a_full_one_once_for_each_device() {
    let disk = |place: &str, free: &dyn Fn(f64) -> f64| {
        let labels = format!("{{device=\"/dev/sda\",fstype=\"ext4\",mountpoint=\"{place}\"}}");
        vec![(format!("node_filesystem_avail_bytes{labels}"), samples(180, free)), (format!("node_filesystem_size_bytes{labels}"), samples(180, |_| 100e9))]
    };
    let asked = |parts: Vec<(String, Vec<(i64, f64)>)>| found(&parts.iter().map(|(name, s)| (name.as_str(), s.clone())).collect::<Vec<_>>()).findings;
    // 3 GB an hour are taken, 21 are left after three hours.
    let filling = asked(disk("/srv", &|s| 30e9 - 3e9 * s / 3600.0));
    assert_eq!(filling.len(), 1, "{filling:?}");
    assert_eq!((filling[0].severity, filling[0].title.as_str()), (Severity::Critical, "File system /srv fills up"));
    assert!(
        filling[0].evidence.contains("/srv (/dev/sda) has 21 GB free and falls by 3 GB an hour: it ends about 2025-11-24 23:00 UTC"),
        "{}",
        filling[0].evidence
    );
    let mut full = disk("/a", &|_| 2e9);
    full.extend(disk("/b", &|_| 2e9));
    let full = asked(full);
    assert_eq!(full.len(), 1, "{full:?}");
    assert_eq!((full[0].severity, full[0].evidence.contains("98 % full now (limit 97 %); 2 GB are free")), (Severity::Critical, true), "{full:?}");
    assert_eq!(asked(disk("/", &|s| 80e9 - 3e9 * s / 3600.0)), [], "much is left");
}

#[test]
fn a_queue_that_grows_is_found_and_one_that_is_merely_long_is_not() {
    let queue = |value: &dyn Fn(f64) -> f64| found(&[("app_queue_depth{app=\"shop\",queue=\"mail\"}", samples(60, value))]).findings;
    let growing = queue(&|s| 5.0 + s / 60.0);
    assert_eq!(growing.len(), 1, "{growing:?}");
    assert_eq!(growing[0].title, "Queue mail of shop grows");
    assert_eq!(queue(&|s| 500.0 + (s / 15.0) % 3.0), []);
}

#[test]
fn errors_of_an_application_are_found_where_there_are_requests_enough() {
    let app = |each_second: f64| {
        found(&[
            ("app_requests_total{app=\"shop\",code=\"200\"}", samples(20, |s| each_second * s)),
            ("app_requests_total{app=\"shop\",code=\"500\"}", samples(20, |s| 0.25 * each_second * s)),
        ])
        .findings
    };
    let many = app(1.0);
    assert_eq!((many.len(), many[0].severity), (1, Severity::Critical));
    assert!(many[0].evidence.starts_with("20 % of the requests of shop failed"), "{many:?}");
    assert!(many[0].recommendation.contains("app_requests_total{app=\"shop\"}"), "{many:?}");
    assert_eq!(app(0.01), [], "eleven requests say nothing");
}

#[test]
fn a_label_that_is_not_there_leaves_no_hole_in_the_text() {
    let labels = Labels::from_pairs([("app", "shop")]).unwrap();
    assert_eq!(filled("{app} {route}: x{app=\"{app}\"} {value}", &labels, "3 s"), "shop ?: x{app=\"shop\"} 3 s");
}
