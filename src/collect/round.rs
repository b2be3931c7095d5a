//! Turns what the sources of one round yielded into one batch: adds `job` and `instance`, writes
//! `up`, drops doubles, and ends series that are gone with a stale marker.
//!
//! Steps of a round: `begin`, then each source once as `arrived`, `failed` or `standing`, then
//! `finish`. A series belongs to the source that gave it last; a source that arrived without it, or
//! failed, ends it. Cost: one hash of its labels for each series.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::gathered::{Gathered, Row};
use crate::model::{Batch, ExemplarRow, Fingerprint, Labels, METRIC_NAME, Origin, Sample, Timestamp, encode_canonical, stale_marker};

/// Which source gave a series, and in which round last.
#[derive(Debug)]
struct Known {
    labels: Labels,
    source: usize,
    round: u64,
}

/// Whose rows these are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Giver<'a> {
    /// Its place in the list.
    pub(crate) index: usize,
    /// Its name.
    pub(crate) name: &'a str,
    /// Its `job` label.
    pub(crate) job: &'a str,
}

/// Makes batches, and remembers which series live.
#[derive(Debug)]
pub(crate) struct Rounds {
    instance: String,
    known: HashMap<Fingerprint, Known>,
    round: u64,
    t: Timestamp,
    batch: Batch,
    scratch: Vec<u8>,
}

impl Rounds {
    /// For this host.
    pub(crate) fn new(instance: String) -> Self {
        Self { instance, known: HashMap::new(), round: 0, t: Timestamp::MIN, batch: Batch::new(Origin::Collected), scratch: Vec::new() }
    }

    /// Begins the round at `now`; just after the one before where that has the same time.
    pub(crate) fn begin(&mut self, now: Timestamp) -> Timestamp {
        self.round += 1;
        self.t = if now == self.t { Timestamp(now.millis().saturating_add(1)) } else { now };
        self.batch = Batch::new(Origin::Collected);
        self.t
    }

    /// The source yielded this. Yields how many rows were dropped, for a series of that name was there.
    pub(crate) fn arrived(&mut self, giver: Giver<'_>, gathered: &Gathered) -> usize {
        let mut exemplars = gathered.exemplars().iter().peekable();
        let mut dropped = 0;
        for (i, row) in gathered.rows().iter().enumerate() {
            let exemplar = exemplars.next_if(|(of, _)| *of == i);
            if !self.add(giver, row) {
                dropped += 1;
            } else if let Some((_, exemplar)) = exemplar
                && let Ok(labels) = Labels::from_canonical(&self.scratch)
            {
                self.batch.exemplars.push(ExemplarRow { labels, exemplar: exemplar.clone() });
            }
        }
        self.end_old(giver.index);
        self.up(giver, 1.0);
        dropped
    }

    /// The source failed: its series end.
    pub(crate) fn failed(&mut self, giver: Giver<'_>) {
        self.end_old(giver.index);
        self.up(giver, 0.0);
    }

    /// The source was not due: its series stand, and it is as it was.
    pub(crate) fn standing(&mut self, giver: Giver<'_>, up: bool) {
        self.up(giver, if up { 1.0 } else { 0.0 });
    }

    /// The batch of this round.
    pub(crate) fn finish(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    fn up(&mut self, giver: Giver<'_>, value: f64) {
        let source = ("source".into(), giver.name.to_owned());
        // No source may end another's `up`, so it belongs to none.
        self.add(Giver { index: usize::MAX, ..giver }, &Row { name: "up".into(), labels: vec![source], value });
    }

    /// Adds a row under its giver's job; `false` where the round has the series already or its labels are malformed.
    fn add(&mut self, giver: Giver<'_>, row: &Row) -> bool {
        let renamed: Vec<String> = row.labels.iter().map(|(name, _)| exported(name)).collect();
        let mut pairs: Vec<(&[u8], &[u8])> =
            vec![(METRIC_NAME.as_bytes(), row.name.as_bytes()), (b"job", giver.job.as_bytes()), (b"instance", self.instance.as_bytes())];
        let labels = row.labels.iter().zip(&renamed);
        pairs.extend(labels.map(|((name, value), renamed)| (if renamed.is_empty() { name.as_bytes() } else { renamed.as_bytes() }, value.as_bytes())));
        self.scratch.clear();
        if encode_canonical(&mut pairs, &mut self.scratch).is_err() {
            return false;
        }
        let labels = match self.known.entry(Fingerprint::of(&self.scratch)) {
            Entry::Occupied(known) if known.get().round == self.round => return false,
            Entry::Occupied(known) => {
                let known = known.into_mut();
                (known.round, known.source) = (self.round, giver.index);
                &known.labels
            }
            Entry::Vacant(new) => {
                let Ok(labels) = Labels::from_canonical(&self.scratch) else { return false };
                &new.insert(Known { labels, source: giver.index, round: self.round }).labels
            }
        };
        self.batch.push(labels, Sample { t: self.t, v: row.value });
        true
    }

    /// Ends the source's series that were not given in this round.
    fn end_old(&mut self, source: usize) {
        let (batch, round, t) = (&mut self.batch, self.round, self.t);
        self.known.retain(|_, known| {
            let old = known.source == source && known.round != round;
            if old {
                batch.push(&known.labels, Sample { t, v: stale_marker() });
            }
            !old
        });
    }
}

/// The name that a source's own `job` or `instance` label gets, as in a scrape; else empty.
fn exported(name: &str) -> String {
    if matches!(name, "job" | "instance") { format!("exported_{name}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Exemplar, is_stale};

    const GIVER: Giver<'static> = Giver { index: 0, name: "cpu", job: "node" };

    #[test]
    fn an_exemplar_goes_with_its_row() {
        let mut rounds = Rounds::new("here".to_owned());
        rounds.begin(Timestamp(1000));
        let mut out = gathered(&["a", "a", "b"]);
        out.exemplar(Exemplar { labels: Labels::default(), value: 0.5, t: Timestamp(900) });
        assert_eq!(rounds.arrived(GIVER, &out), 1);
        let batch = rounds.finish();
        let [row] = batch.exemplars.as_slice() else { panic!("{batch:?}") };
        assert_eq!((row.labels.metric_name(), row.labels.get("job"), row.exemplar.value), ("b", Some("node"), 0.5));
    }

    fn gathered(names: &[&'static str]) -> Gathered {
        let mut out = Gathered::default();
        for name in names {
            out.gauge(*name, "").put(&[], 1.0);
        }
        out
    }

    fn shown(batch: &Batch) -> Vec<(String, bool)> {
        batch.series().map(|s| (Labels::from_canonical(s.labels).unwrap().metric_name().to_owned(), is_stale(s.samples[0].v))).collect()
    }

    #[test]
    fn a_series_that_is_gone_is_ended_once() {
        let mut rounds = Rounds::new("h".to_owned());
        rounds.begin(Timestamp(1));
        rounds.arrived(GIVER, &gathered(&["a", "b"]));
        rounds.finish();
        rounds.begin(Timestamp(2));
        rounds.arrived(GIVER, &gathered(&["b"]));
        assert_eq!(shown(&rounds.finish()), [("b".to_owned(), false), ("a".to_owned(), true), ("up".to_owned(), false)]);
        rounds.begin(Timestamp(3));
        rounds.standing(GIVER, true);
        assert_eq!(shown(&rounds.finish()), [("up".to_owned(), false)]);
        rounds.begin(Timestamp(4));
        rounds.failed(GIVER);
        assert_eq!(shown(&rounds.finish()), [("b".to_owned(), true), ("up".to_owned(), false)]);
    }

    #[test]
    fn no_series_stands_twice_in_a_round_and_job_is_ours() {
        let mut rounds = Rounds::new("h".to_owned());
        rounds.begin(Timestamp(1));
        assert_eq!(rounds.arrived(GIVER, &gathered(&["a", "a"])), 1);
        let mut theirs = gathered(&["a"]);
        theirs.gauge("b", "").put(&[("job", "x")], 2.0);
        assert_eq!(rounds.arrived(Giver { index: 1, name: "p", job: "node" }, &theirs), 1);
        let batch = rounds.finish();
        let labels: Vec<String> = batch.series().map(|s| Labels::from_canonical(s.labels).unwrap().to_string()).collect();
        assert!(labels.iter().any(|l| l.starts_with("b{") && l.contains("exported_job=\"x\"") && l.contains(" job=\"node\"")), "{labels:?}");
        assert_eq!(batch.sample_count(), 4);
    }

    #[test]
    fn two_rounds_in_a_row_never_have_one_time() {
        let mut rounds = Rounds::new("h".to_owned());
        assert_eq!((rounds.begin(Timestamp(5)), rounds.begin(Timestamp(5)), rounds.begin(Timestamp(3))), (Timestamp(5), Timestamp(6), Timestamp(3)));
    }
}
