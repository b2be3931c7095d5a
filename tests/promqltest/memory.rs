//! Series in memory as a source: what `load` puts in, with the reset hints that a store would give.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use latido::model::{
    CUSTOM_BUCKETS_SCHEMA, Column, Histogram, HistogramColumn, HistogramSegment, Labels, ResetHint, Segment, SeriesData, Tier, TimeRange, Timestamp, Widths,
};
use latido::query::Source;
use latido::store::{Coverage, Selection, StoreError};
use latido::task::Deadline;

use crate::format;
use crate::sequence::{self, Item};

/// One stored sample and when its counter began, 0 where that is not known.
#[derive(Clone, Debug)]
struct Sample {
    item: Item,
    start: i64,
}

/// What was loaded.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<BTreeMap<Labels, BTreeMap<i64, Sample>>>);

impl Memory {
    /// Adds all lines of a `load`; says which cannot be read.
    pub(crate) fn load(&mut self, step: i64, lines: &[String], with_custom: bool) -> Result<(), String> {
        let mut loaded: BTreeMap<Labels, BTreeMap<i64, Item>> = BTreeMap::new();
        let mut starts: Option<(Labels, Vec<String>)> = None;
        let all = Arc::make_mut(&mut self.0);
        for line in lines {
            let fault = || format!("cannot read {line}");
            let (labels, rest) = format::series(line).ok_or_else(fault)?;
            if let Some(rest) = rest.strip_prefix("@st") {
                starts = Some((labels, starts_of(rest)));
                continue;
            }
            let items = sequence::sequence(rest).ok_or_else(fault)?;
            let starts = starts.take().filter(|(of, _)| *of == labels).map(|(_, starts)| starts).unwrap_or_default();
            for (i, item) in items.into_iter().enumerate().filter(|(_, item)| !matches!(item, Item::Missing)) {
                let t = i as i64 * step;
                let start = starts.get(i).filter(|text| *text != "_").map_or(0, |text| t + format::millis(text));
                loaded.entry(labels.clone()).or_default().insert(t, item.clone());
                all.entry(labels.clone()).or_default().insert(t, Sample { item, start });
            }
        }
        if with_custom {
            for (labels, samples) in crate::custom::histograms(&loaded) {
                let into = all.entry(labels).or_default();
                samples.into_iter().for_each(|(t, h)| drop(into.insert(t, Sample { item: Item::Histogram(h, false), start: 0 })));
            }
        }
        all.values_mut().for_each(hint);
        Ok(())
    }
}

/// The items of a line of starts, repetitions written out: `-30s-1mx2` steps as numbers do.
fn starts_of(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for item in text.split_whitespace() {
        let Some((base, times)) = item.rsplit_once('x') else {
            out.push(item.to_owned());
            continue;
        };
        let times: i64 = times.parse().unwrap_or(0);
        if base == "_" {
            out.extend((0..times).map(|_| "_".to_owned()));
            continue;
        }
        let split = base[1..].find(['+', '-']).map(|i| i + 1);
        let (first, by) = split.map_or((base, "0"), |i| base.split_at(i));
        let (first, by) = (format::millis(first), format::millis(by.trim_start_matches('+')));
        out.extend((0..=times).map(|i| format!("{}ms", first + i * by)));
    }
    out
}

/// Gives histograms the hints that come of storing them in chunks, each with one layout: the first of a
/// chunk is known only where it began anew, those after it did not.
fn hint(samples: &mut BTreeMap<i64, Sample>) {
    let mut before: Option<(Histogram, bool)> = None;
    for sample in samples.values_mut() {
        let Item::Histogram(h, given) = &mut sample.item else {
            before = None;
            continue;
        };
        let original = h.reset_hint;
        let gauge = original == ResetHint::Gauge;
        let mut next = ResetHint::Unknown;
        if gauge {
            next = ResetHint::Gauge;
        } else if original == ResetHint::Reset {
            next = ResetHint::Reset;
        } else if let Some((last, was_gauge)) = &before
            && !was_gauge
        {
            next = match compare(h, last) {
                Followed::On => ResetHint::NotReset,
                // That it began anew is not kept: the chunk it begins says nothing.
                Followed::Anew => ResetHint::Unknown,
                Followed::Otherwise => ResetHint::Unknown,
            };
        }
        let _ = given;
        before = Some((Histogram { reset_hint: original, ..h.clone() }, gauge));
        h.reset_hint = next;
    }
}

enum Followed {
    On,
    Anew,
    /// By another layout: a chunk of its own, of which nothing is known.
    Otherwise,
}

fn compare(now: &Histogram, before: &Histogram) -> Followed {
    if now.count < before.count {
        return Followed::Anew;
    }
    let custom = now.schema == CUSTOM_BUCKETS_SCHEMA;
    if now.schema != before.schema || now.zero_threshold != before.zero_threshold || (custom && now.custom_values != before.custom_values) {
        return Followed::Otherwise;
    }
    let falls = |now: &latido::model::Buckets, before: &latido::model::Buckets| {
        let now: BTreeMap<i32, f64> = now.iter().collect();
        before.iter().any(|(i, was)| now.get(&i).map_or(was != 0.0, |is| *is < was))
    };
    if now.zero_count < before.zero_count || falls(&now.positive, &before.positive) || falls(&now.negative, &before.negative) {
        return Followed::Anew;
    }
    Followed::On
}

impl Source for Memory {
    fn select(&self, selection: &Selection, _: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        let mut out = Vec::new();
        for (labels, samples) in self.0.iter() {
            if !selection.matchers.iter().all(|m| m.accepts_labels(labels)) {
                continue;
            }
            let (mut column, mut histograms) = (Column::default(), HistogramColumn::default());
            for (t, sample) in samples.iter().filter(|(t, _)| selection.range.contains(Timestamp(**t))) {
                match &sample.item {
                    Item::Float(v) => column.push(*t, *v),
                    Item::Histogram(h, _) => histograms.push(*t, Arc::new(h.clone())),
                    Item::Missing => {}
                }
            }
            let segments = if column.is_empty() { Vec::new() } else { vec![Segment::Raw(column)] };
            let histograms =
                if histograms.is_empty() { Vec::new() } else { vec![HistogramSegment { tier: Tier::Raw, width: Duration::ZERO, column: histograms }] };
            if !segments.is_empty() || !histograms.is_empty() {
                out.push(SeriesData { labels: labels.clone(), segments, histograms });
            }
        }
        Ok(out)
    }

    fn coverage(&self) -> Coverage {
        Coverage {
            raw: Timestamp::MIN,
            aggregated: Timestamp::MIN,
            summary: Timestamp::MIN,
            widths: Widths { aggregated: Duration::from_secs(60), summary: Duration::from_secs(3600) },
        }
    }

    fn starts(&self, labels: &Labels, range: TimeRange) -> Vec<(i64, i64)> {
        let Some(samples) = self.0.get(labels) else { return Vec::new() };
        let starts: Vec<(i64, i64)> = samples.iter().filter(|(t, _)| range.contains(Timestamp(**t))).map(|(t, s)| (*t, s.start)).collect();
        if starts.iter().all(|(_, start)| *start == 0) { Vec::new() } else { starts }
    }
}
