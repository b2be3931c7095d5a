//! The daemon's own metrics: what all rooms counted, what the process uses, figures of the store.

use super::gathered::{Gathered, Row, Text};
use super::system::own_process;
use super::{CollectError, Source};
use crate::model::{Category, Tier};
use crate::store::{Reader, StoreStats};
use crate::telemetry::OwnMetrics;

/// Families of the caches, shown only where that pack is on.
const CACHES: &str = "latido_cache_";

/// The daemon itself.
pub(crate) struct Own {
    metrics: OwnMetrics,
    reader: Reader,
    caches: bool,
}

impl Own {
    /// Reads these; cache figures only where `caches` is on.
    pub(crate) fn new(metrics: OwnMetrics, reader: Reader, caches: bool) -> Self {
        Self { metrics, reader, caches }
    }
}

impl Source for Own {
    fn name(&self) -> &str {
        "own"
    }

    fn job(&self) -> &'static str {
        "latido"
    }

    fn category(&self) -> Category {
        Category::Application
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        store_figures(&self.metrics, &self.reader.stats());
        own_metrics(&self.metrics, self.caches, out);
        own_process(out)
    }
}

fn own_metrics(metrics: &OwnMetrics, caches: bool, out: &mut Gathered) {
    for sample in metrics.gather() {
        if !caches && sample.family.starts_with(CACHES) {
            continue;
        }
        let labels = sample.labels.into_iter().map(|(name, value)| (Text::Owned(name), value)).collect();
        out.family(sample.family, sample.kind, sample.help);
        out.push(Row { name: sample.name.into(), labels, value: sample.value });
    }
}

fn store_figures(metrics: &OwnMetrics, stats: &StoreStats) {
    let set = |tier: &str, figure: &str, value: u64| metrics.store.with_label_values(&[tier, figure]).set(value as f64);
    for (tier, figures) in Tier::ALL.iter().zip(&stats.tiers) {
        set(tier.as_str(), "series", figures.series);
        set(tier.as_str(), "samples", figures.samples);
        set(tier.as_str(), "bytes", figures.bytes);
        set(tier.as_str(), "partitions", figures.partitions);
        metrics.store.with_label_values(&[tier.as_str(), "bytes_per_sample"]).set(figures.bytes_per_sample().unwrap_or_default());
    }
    set("head", "series", stats.series);
    set("head", "samples", stats.samples_total);
    set("head", "duplicates", stats.duplicates_total);
    set("head", "bytes", stats.head_bytes);
    set("journal", "bytes", stats.journal_bytes);
    set("journal", "files", stats.journal_files);
    let seconds = |tier: &str, lag: Option<std::time::Duration>| {
        metrics.store.with_label_values(&[tier, "lag_seconds"]).set(lag.unwrap_or_default().as_secs_f64());
    };
    seconds("journal", stats.journal_lag);
    seconds("raw", stats.compaction_lag);
    set("head", "memory_bytes", stats.memory_bytes);
    set("all", "written_bytes", stats.written_bytes);
    set("all", "reserve_bytes", stats.reserve_bytes);
    set("raw", "backlog", stats.compaction_backlog);
    for (result, total) in [("hit", stats.open_file_hits), ("miss", stats.open_file_misses)] {
        let counter = metrics.cache_requests.with_label_values(&["sealed_files", result]);
        counter.inc_by(total.saturating_sub(counter.get()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_metrics_carry_the_process_and_the_store() {
        let metrics = OwnMetrics::new().unwrap();
        let stats = StoreStats { series: 7, open_file_hits: 3, ..StoreStats::default() };
        store_figures(&metrics, &stats);
        store_figures(&metrics, &stats);
        let mut out = Gathered::default();
        own_metrics(&metrics, false, &mut out);
        own_process(&mut out).unwrap();
        let has = |name: &str| out.rows().iter().any(|row| row.name == name);
        assert!(has("latido_store") && has("process_open_fds") && has("process_cpu_seconds_total") && !has("latido_cache_requests_total"));
        let head = out.rows().iter().find(|row| row.name == "latido_store" && row.labels.iter().any(|(_, v)| v == "head")).unwrap();
        assert_eq!(head.labels.len(), 2);
        own_metrics(&metrics, true, &mut out);
        let hits = out.rows().iter().find(|row| row.name == "latido_cache_requests_total" && row.labels.iter().any(|(_, v)| v == "hit"));
        assert_eq!(hits.map(|row| row.value), Some(3.0), "a total is taken over, not added again");
    }
}
