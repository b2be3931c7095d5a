//! What arrives together and is made durable together: series with their samples, in one arena.
//!
//! A batch holds label bytes and samples back to back, so that taking one from the wire to the
//! head allocates per batch and not per label.

use std::sync::Arc;

use super::{Exemplar, Histogram, Labels, LabelsError, MetricMeta, Sample, Timestamp, encode_canonical};

/// Who sent a batch. Decides what the expositions show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// This daemon's collectors, its own metrics and its plug-ins.
    Collected,
    /// Recorded through the custom-metrics API.
    Custom,
    /// Computed by this daemon from what it holds: the series of alerts.
    Derived,
    /// Pushed, scraped or imported.
    #[default]
    Pushed,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    labels_end: u32,
    samples_end: u32,
}

/// One series of a batch.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRow<'a> {
    /// Canonical label bytes, see [`Labels`].
    pub labels: &'a [u8],
    /// Its samples, as they came: neither sorted nor free of doubles.
    pub samples: &'a [Sample],
}

/// A native histogram on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramRow {
    /// Which series.
    pub labels: Labels,
    /// When.
    pub t: Timestamp,
    /// What.
    pub histogram: Arc<Histogram>,
}

/// An exemplar on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct ExemplarRow {
    /// Which series it is an example of.
    pub labels: Labels,
    /// What.
    pub exemplar: Exemplar,
}

/// Why a series was not taken into a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The labels are malformed.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// More than 4 GiB of labels or samples.
    #[error("the batch is too large")]
    TooLarge,
}

/// Series and samples that are made durable together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Who sent it.
    pub origin: Origin,
    /// Metadata that came along, by metric name.
    pub metadata: Vec<(String, MetricMeta)>,
    /// Native histograms. Where samples are told by position, these stand behind all samples.
    pub histograms: Vec<HistogramRow>,
    /// Exemplars. What is wrong with one is counted and refuses nothing else.
    pub exemplars: Vec<ExemplarRow>,
    labels: Vec<u8>,
    rows: Vec<Row>,
    samples: Vec<Sample>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin, ..Self::default() }
    }

    /// Adds one sample of one series.
    pub fn push(&mut self, labels: &Labels, sample: Sample) {
        self.labels.extend_from_slice(labels.canonical());
        self.samples.push(sample);
        self.close_row();
    }

    /// Adds a series with its samples.
    pub fn push_series(&mut self, labels: &Labels, samples: impl IntoIterator<Item = Sample>) {
        self.labels.extend_from_slice(labels.canonical());
        self.samples.extend(samples);
        self.close_row();
    }

    /// Adds a series whose label pairs still lie in somebody's buffer. Pairs are sorted in place.
    ///
    /// # Errors
    /// The labels are malformed; the batch is then as it was.
    pub fn push_pairs(&mut self, pairs: &mut [(&[u8], &[u8])], samples: impl IntoIterator<Item = Sample>) -> Result<(), BatchError> {
        encode_canonical(pairs, &mut self.labels)?;
        self.samples.extend(samples);
        if u32::try_from(self.labels.len()).is_err() || u32::try_from(self.samples.len()).is_err() {
            return Err(BatchError::TooLarge);
        }
        self.close_row();
        Ok(())
    }

    fn close_row(&mut self) {
        self.rows.push(Row { labels_end: self.labels.len() as u32, samples_end: self.samples.len() as u32 });
    }

    /// The series in order of arrival. The same series may stand in it more than once.
    pub fn series(&self) -> impl Iterator<Item = SeriesRow<'_>> + Clone {
        let mut from = Row { labels_end: 0, samples_end: 0 };
        self.rows.iter().map(move |row| {
            let labels = &self.labels[from.labels_end as usize..row.labels_end as usize];
            let samples = &self.samples[from.samples_end as usize..row.samples_end as usize];
            from = *row;
            SeriesRow { labels, samples }
        })
    }

    /// Keeps only the samples for which `keep` is true, told the position of each in the batch.
    /// Series that lose all their samples go. Histograms and exemplars stay as they are.
    pub fn retain(&mut self, mut keep: impl FnMut(usize, &Sample) -> bool) {
        let old = std::mem::take(self);
        self.origin = old.origin;
        let mut index = 0;
        for row in old.series() {
            let before = self.samples.len();
            for sample in row.samples {
                if keep(index, sample) {
                    self.samples.push(*sample);
                }
                index += 1;
            }
            if self.samples.len() > before {
                self.labels.extend_from_slice(row.labels);
                self.close_row();
            }
        }
        self.metadata = old.metadata;
        self.histograms = old.histograms;
        self.exemplars = old.exemplars;
    }

    /// Number of series rows.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.rows.len()
    }

    /// Number of samples.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    /// All samples, in order of their series.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether it has nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.histograms.is_empty() && self.exemplars.is_empty()
    }

    /// About the bytes it takes in memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        let histograms: usize = self.histograms.iter().map(|row| row.labels.canonical().len() + row.histogram.weight()).sum();
        let exemplars: usize = self.exemplars.iter().map(|row| size_of::<ExemplarRow>() + row.exemplar.labels.canonical().len()).sum();
        self.labels.len() + self.samples.len() * size_of::<Sample>() + self.rows.len() * size_of::<Row>() + histograms + exemplars
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn sample(t: i64, v: f64) -> Sample {
        Sample { t: Timestamp(t), v }
    }

    #[test]
    fn rows_come_back_as_they_were_put() {
        let a = Labels::from_pairs([("__name__", "a")]).unwrap();
        let b = Labels::from_pairs([("__name__", "b")]).unwrap();
        let mut batch = Batch::new(Origin::Pushed);
        batch.push(&a, sample(1, 1.0));
        batch.push_series(&b, [sample(1, 2.0), sample(2, 3.0)]);
        assert!(batch.push_pairs(&mut [(b"x", b"1"), (b"x", b"2")], [sample(1, 0.0)]).is_err());
        batch.push_pairs(&mut [(b"z", b"1"), (b"__name__", b"c")], [sample(9, 9.0)]).unwrap();
        let rows: Vec<_> = batch.series().map(|r| (Labels::from_canonical(r.labels).unwrap().to_string(), r.samples.len())).collect();
        assert_eq!(rows, [("a{}".to_owned(), 1), ("b{}".to_owned(), 2), ("c{z=\"1\"}".to_owned(), 1)]);
        batch.retain(|i, s| i != 0 && s.v < 9.0);
        assert_eq!((batch.series_count(), batch.sample_count()), (1, 2));
    }
}
