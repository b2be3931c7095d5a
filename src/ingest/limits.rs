//! Which labels and which times are taken. Pure: told the batch, the limits and the time.

use super::{Options, Rejection};
use crate::clock::{format_duration, format_rfc3339};
use crate::model::{Batch, ExemplarRow, METRIC_NAME, Origin, Timestamp, valid_label_name, valid_metric_name};

/// Why a sample is refused, as the daemon's own metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Future,
    Old,
    Labels,
    Room,
    Exemplar,
}

impl Cause {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Old => "too_old",
            Self::Labels => "labels",
            Self::Room => "series_budget",
            Self::Exemplar => "exemplar",
        }
    }
}

/// What passed, where each sample of it stood before, and what did not pass.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) batch: Batch,
    /// Old position by new one; `None` where everything passed.
    kept: Option<Vec<usize>>,
    pub(super) rejected: Vec<Rejection>,
    pub(super) causes: Vec<Cause>,
}

impl Checked {
    /// Where the sample that is now at `index` stood in the request.
    pub(super) fn position(&self, index: usize) -> usize {
        match &self.kept {
            Some(kept) => kept.get(index).copied().unwrap_or(index),
            None => index,
        }
    }
}

/// Characters that the labels of an exemplar may have, as OpenMetrics says.
const MAX_EXEMPLAR_CHARS: usize = 128;

/// Takes out what may not enter. A batch without fault, the usual case, is passed on as it is.
pub(super) fn check(mut batch: Batch, options: &Options, now: Timestamp) -> Checked {
    let mut rejected = Vec::new();
    let mut causes = Vec::new();
    let mut index = 0;
    for row in batch.series() {
        let labels = bad_labels(row.labels, batch.origin, options);
        for sample in row.samples {
            let fault = match &labels {
                Some(reason) => Some((Cause::Labels, reason.clone())),
                None => bad_time(sample.t, options, now),
            };
            if let Some((cause, reason)) = fault {
                rejected.push(Rejection { index, reason });
                causes.push(cause);
            }
            index += 1;
        }
    }
    for row in &batch.histograms {
        let labels = bad_labels(row.labels.canonical(), batch.origin, options).map(|reason| (Cause::Labels, reason));
        if let Some((cause, reason)) = labels.or_else(|| bad_time(row.t, options, now)) {
            rejected.push(Rejection { index, reason });
            causes.push(cause);
        }
        index += 1;
    }
    let kept = (!rejected.is_empty()).then(|| {
        let mut position = batch.sample_count();
        let mut bad = rejected.iter().map(|r| r.index).peekable();
        let mut kept = Vec::with_capacity(index - rejected.len());
        batch.retain(|i, _| {
            let keep = bad.next_if_eq(&i).is_none();
            if keep {
                kept.push(i);
            }
            keep
        });
        batch.histograms.retain(|_| {
            let keep = bad.next_if_eq(&position).is_none();
            if keep {
                kept.push(position);
            }
            position += 1;
            keep
        });
        kept
    });
    let origin = batch.origin;
    batch.exemplars.retain(|row| {
        let keep = is_good_exemplar(row, options, now) && bad_labels(row.labels.canonical(), origin, options).is_none();
        if !keep {
            causes.push(Cause::Exemplar);
        }
        keep
    });
    Checked { batch, kept, rejected, causes }
}

fn is_good_exemplar(row: &ExemplarRow, options: &Options, now: Timestamp) -> bool {
    let chars: usize = row.exemplar.labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    chars <= MAX_EXEMPLAR_CHARS && bad_time(row.exemplar.t, options, now).is_none()
}

/// Why a time is not taken.
pub(super) fn bad_time(t: Timestamp, options: &Options, now: Timestamp) -> Option<(Cause, String)> {
    if t > now + options.max_future {
        let ahead = format_duration(options.max_future);
        Some((Cause::Future, format!("{} is more than {ahead} in the future: check the sender's clock", format_rfc3339(t))))
    } else if t < now - options.longest {
        let kept = format_duration(options.longest);
        Some((Cause::Old, format!("{} is older than the {kept} that the longest tier keeps", format_rfc3339(t))))
    } else {
        None
    }
}

fn bad_labels(canonical: &[u8], origin: Origin, options: &Options) -> Option<String> {
    let mut count = 0;
    let mut named = false;
    for (name, value) in Pairs(canonical) {
        count += 1;
        if name.len() > options.max_label_name_bytes {
            return Some(format!("label {:?} has a name of {} bytes, the limit is {}", shorten(name), name.len(), options.max_label_name_bytes));
        }
        if value.len() > options.max_label_value_bytes {
            return Some(format!("label {:?} has a value of {} bytes, the limit is {}", shorten(name), value.len(), options.max_label_value_bytes));
        }
        if name == METRIC_NAME.as_bytes() {
            named = true;
            if origin != Origin::Pushed && !std::str::from_utf8(value).is_ok_and(valid_metric_name) {
                return Some(format!("{:?} is not a metric name: use letters, digits, _ and :", shorten(value)));
            }
        } else if origin == Origin::Custom && !std::str::from_utf8(name).is_ok_and(valid_label_name) {
            return Some(format!("{:?} is not a label name: use letters, digits and _", shorten(name)));
        }
    }
    if !named {
        return Some(format!("the series has no metric name (label {METRIC_NAME})"));
    }
    (count > options.max_labels).then(|| format!("the series has {count} labels, the limit is {}", options.max_labels))
}

fn shorten(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(64).collect()
}

/// Walks canonical label bytes without copying them; stops where they are not canonical.
struct Pairs<'a>(&'a [u8]);

impl<'a> Pairs<'a> {
    fn text(&mut self) -> Option<&'a [u8]> {
        let mut len = 0usize;
        for shift in 0..5 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            len |= usize::from(byte & 0x7f) << (7 * shift);
            if *byte < 0x80 {
                let (text, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                return Some(text);
            }
        }
        None
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.text()?, self.text()?))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ingest::Packs;
    use crate::model::{Exemplar, HistogramRow, Labels, Sample};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    pub(in crate::ingest) fn options() -> Options {
        Options {
            max_future: Duration::from_secs(600),
            longest: Duration::from_secs(86_400),
            max_labels: 4,
            max_label_name_bytes: 10,
            max_label_value_bytes: 200,
            auto_register: false,
            packs: Packs { business_metrics: true, rag_performance: false, cache_efficiency: true, user_experience: true },
        }
    }

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied()).unwrap()
    }

    fn at(t: i64) -> Sample {
        Sample { t: Timestamp(t), v: 1.0 }
    }

    #[test]
    fn times_beyond_both_ends_are_refused_and_the_ends_are_not() {
        let mut batch = Batch::new(Origin::Pushed);
        let (first, last) = (NOW.0 - 86_400_000, NOW.0 + 600_000);
        batch.push_series(&labels(&[("__name__", "a")]), [at(first - 1), at(first), at(NOW.0), at(last), at(last + 1)]);
        batch.push(&labels(&[("__name__", "b")]), at(i64::MIN));
        batch.push(&labels(&[("__name__", "c")]), at(NOW.0));
        let checked = check(batch, &options(), NOW);
        assert_eq!(checked.rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 4, 5]);
        assert_eq!(checked.causes, [Cause::Old, Cause::Future, Cause::Old]);
        assert_eq!(checked.batch.sample_count(), 4);
        assert_eq!((0..4).map(|i| checked.position(i)).collect::<Vec<_>>(), [1, 2, 3, 6]);
    }

    #[test]
    fn histograms_stand_behind_the_samples_and_a_bad_exemplar_refuses_nothing() {
        let mut batch = Batch::new(Origin::Pushed);
        let name = labels(&[("__name__", "a")]);
        let histogram = |labels: &Labels, t| HistogramRow { labels: labels.clone(), t: Timestamp(t), histogram: Arc::default() };
        let exemplar = |t, text: &str| {
            let exemplar = Exemplar { labels: labels(&[("id", text)]), value: 1.0, t: Timestamp(t) };
            ExemplarRow { labels: name.clone(), exemplar }
        };
        batch.push_series(&name, [at(i64::MIN), at(NOW.0)]);
        batch.histograms = vec![histogram(&name, NOW.0), histogram(&name, i64::MAX), histogram(&labels(&[("x", "1")]), NOW.0), histogram(&name, NOW.0 + 1)];
        batch.exemplars = vec![exemplar(NOW.0, "x"), exemplar(0, "x"), exemplar(NOW.0, &"x".repeat(127))];
        let checked = check(batch, &options(), NOW);
        assert_eq!(checked.rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 3, 4]);
        assert_eq!((checked.batch.sample_count(), checked.batch.histograms.len(), checked.batch.exemplars.len()), (1, 2, 1));
        assert_eq!((0..3).map(|i| checked.position(i)).collect::<Vec<_>>(), [1, 2, 5]);
        assert_eq!(checked.causes, [Cause::Old, Cause::Future, Cause::Labels, Cause::Exemplar, Cause::Exemplar]);
    }

    #[test]
    fn a_series_needs_a_name_and_few_short_labels() {
        let mut batch = Batch::new(Origin::Pushed);
        for pairs in [
            &[("x", "1")][..],
            &[("__name__", "a"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1")],
            &[("__name__", "a"), ("a_long_name_", "1")],
            &[("__name__", "a"), ("x", &"v".repeat(201))],
            &[("__name__", "a.b"), ("x y", "1")],
        ] {
            batch.push(&labels(pairs), at(NOW.0));
        }
        let checked = check(batch, &options(), NOW);
        assert_eq!(checked.rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn custom_names_keep_the_classic_grammar() {
        let mut batch = Batch::new(Origin::Custom);
        batch.push(&labels(&[("__name__", "a.b")]), at(NOW.0));
        batch.push(&labels(&[("__name__", "a"), ("x y", "1")]), at(NOW.0));
        assert_eq!(check(batch, &options(), NOW).rejected.len(), 2);
    }

    proptest! {
        #[test]
        fn canonical_bytes_are_walked_as_the_model_walks_them(pairs in proptest::collection::btree_map("[a-z]{1,200}", "\\PC{1,300}", 0..6)) {
            let labels = Labels::from_pairs(pairs.iter()).unwrap();
            let walked: Vec<_> = Pairs(labels.canonical()).collect();
            let known: Vec<_> = labels.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
            prop_assert_eq!(walked, known);
        }
    }
}
