//! Series in memory as a source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use latido::model::{Column, Labels, Segment, SeriesData, Timestamp, Widths};
use latido::query::Source;
use latido::store::{Coverage, Selection, StoreError};
use latido::task::Deadline;

use crate::format;

/// What was loaded.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<BTreeMap<Labels, BTreeMap<i64, f64>>>);

impl Memory {
    /// Adds the samples of one line; native histograms are left out.
    pub(crate) fn load(&mut self, step: i64, line: &str) {
        let Some((labels, rest)) = format::series(line) else {
            println!("cannot read the series of {line}");
            return;
        };
        if rest.starts_with("@st") {
            return;
        }
        let Some(items) = format::sequence(rest) else { return };
        let series = Arc::make_mut(&mut self.0).entry(labels).or_default();
        for (i, v) in items.into_iter().enumerate() {
            if let Some(v) = v {
                series.insert(i as i64 * step, v);
            }
        }
    }
}

impl Source for Memory {
    fn select(&self, selection: &Selection, _: &Deadline) -> Result<Vec<SeriesData>, StoreError> {
        let mut out = Vec::new();
        for (labels, samples) in self.0.iter() {
            if !selection.matchers.iter().all(|m| m.accepts_labels(labels)) {
                continue;
            }
            let mut column = Column::default();
            for (t, v) in samples.iter().filter(|(t, _)| selection.range.contains(Timestamp(**t))) {
                column.push(*t, *v);
            }
            if !column.is_empty() {
                out.push(SeriesData { labels: labels.clone(), segments: vec![Segment::Raw(column)], histograms: Vec::new() });
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
}
