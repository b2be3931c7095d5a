//! Known metrics: what can be recorded without registering it first, pack by pack. Adding one is a
//! line in its file.

mod application;
mod business;
mod rag;
mod user_experience;

use super::{CustomMetric, Packs};
use crate::model::{Category, MetricType};

/// Upper bounds for what machines do: milliseconds to seconds.
const LATENCY_SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds for visits: seconds to hours.
const SESSION_SECONDS: &[f64] = &[1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0];

/// A switch in `custom_metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pack {
    Business,
    Rag,
    Cache,
    UserExperience,
}

impl Pack {
    const fn key(self) -> &'static str {
        match self {
            Self::Business => "business_metrics",
            Self::Rag => "rag_performance",
            Self::Cache => "cache_efficiency",
            Self::UserExperience => "user_experience",
        }
    }

    const fn is_on(self, packs: Packs) -> bool {
        match self {
            Self::Business => packs.business_metrics,
            Self::Rag => packs.rag_performance,
            Self::Cache => packs.cache_efficiency,
            Self::UserExperience => packs.user_experience,
        }
    }
}

/// A known metric.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    kind: MetricType,
    unit: &'static str,
    help: &'static str,
    category: Category,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    /// `None`: always on.
    pack: Option<Pack>,
}

impl Known {
    const fn new(kind: MetricType, name: &'static str, unit: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, kind, unit, help, category: Category::Application, labels, buckets: &[], pack: None }
    }

    const fn gauge(name: &'static str, unit: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(MetricType::Gauge, name, unit, labels, help)
    }

    const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(MetricType::Counter, name, "", labels, help)
    }

    /// Of durations in seconds.
    const fn histogram(name: &'static str, buckets: &'static [f64], labels: &'static [&'static str], help: &'static str) -> Self {
        Self { buckets, ..Self::new(MetricType::Histogram, name, "seconds", labels, help) }
    }

    const fn of(self, category: Category, pack: Pack) -> Self {
        Self { category, pack: Some(pack), ..self }
    }

    pub(super) fn is_on(&self, packs: Packs) -> bool {
        self.pack.is_none_or(|pack| pack.is_on(packs))
    }

    /// What to tell who records it while its pack is off.
    pub(super) fn off_reason(&self) -> String {
        let key = self.pack.map_or("", Pack::key);
        format!("{} belongs to the pack {key}, which is off: set custom_metrics.{key}: true", self.name)
    }

    /// As a definition, labels sorted.
    pub(super) fn definition(&self) -> CustomMetric {
        let mut labels: Vec<String> = self.labels.iter().map(|&l| l.to_owned()).collect();
        labels.sort();
        CustomMetric {
            name: self.name.to_owned(),
            kind: self.kind,
            unit: self.unit.to_owned(),
            help: self.help.to_owned(),
            category: self.category,
            labels,
            buckets: self.buckets.to_vec(),
        }
    }
}

/// Every known metric, of packs that are on and off.
pub(super) fn all() -> impl Iterator<Item = &'static Known> {
    [application::METRICS, application::CACHES, business::METRICS, rag::METRICS, user_experience::METRICS].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{valid_label_name, valid_metric_name};
    use std::collections::HashSet;

    #[test]
    fn every_item_of_the_specification_has_its_metric() {
        for (item, names) in [
            ("request count", &["app_requests_total"][..]),
            ("request duration", &["app_request_duration_seconds"]),
            ("error rates and counts", &["app_errors_total", "app_error_ratio"]),
            ("cache hit/miss ratios", &["cache_hits_total", "cache_misses_total", "cache_hit_ratio"]),
            ("cache evictions, size, latency", &["cache_evictions_total", "cache_size_bytes", "cache_latency_seconds"]),
            ("active connections", &["app_active_connections"]),
            ("throughput", &["app_throughput_requests_per_second"]),
            ("queue depth", &["app_queue_depth"]),
            ("load-balancer performance", &["lb_request_duration_seconds", "lb_active_connections"]),
            ("instance health", &["lb_backend_healthy"]),
            ("request distribution", &["lb_backend_requests_total"]),
            ("sales conversion rate", &["sales_conversion_ratio"]),
            ("revenue total and per user", &["revenue_total", "revenue_per_user"]),
            ("user satisfaction", &["user_satisfaction_ratio"]),
            ("cart abandonment", &["cart_abandonment_ratio"]),
            ("feature usage", &["feature_usage_total"]),
            ("session duration", &["session_duration_seconds"]),
            ("search accuracy and latency", &["rag_search_accuracy_ratio", "rag_search_duration_seconds"]),
            ("recommendation relevance", &["rag_recommendation_relevance_ratio"]),
            ("knowledge-base coverage", &["rag_knowledge_base_coverage_ratio"]),
            ("query complexity", &["rag_query_complexity_score"]),
            ("embedding generation time", &["rag_embedding_duration_seconds"]),
            ("vector search time", &["rag_vector_search_duration_seconds"]),
            ("page and API latency as users see it", &["ux_page_load_seconds", "ux_api_latency_seconds"]),
            ("Apdex", &["ux_apdex_ratio"]),
            ("session duration as users see it", &["ux_session_duration_seconds"]),
            ("satisfaction as users say it", &["ux_satisfaction_ratio"]),
        ] {
            for name in names {
                assert!(all().any(|known| known.name == *name), "{item}: {name}");
            }
        }
    }

    #[test]
    fn known_metrics_are_well_named_described_and_unique() {
        let mut seen = HashSet::new();
        for known in all() {
            assert!(seen.insert(known.name), "{} stands twice", known.name);
            assert!(valid_metric_name(known.name) && known.help.ends_with('.'), "{}", known.name);
            assert!(known.labels.iter().all(|l| valid_label_name(l) && *l != "job" && *l != "instance"), "{}", known.name);
            assert_eq!(known.kind == MetricType::Counter, known.name.ends_with("_total"), "{}", known.name);
            assert_eq!(known.kind == MetricType::Histogram, !known.buckets.is_empty(), "{}", known.name);
            assert!(known.unit.is_empty() || known.name.ends_with(&format!("_{}", known.unit)), "{}", known.name);
        }
    }

    #[test]
    fn a_pack_that_is_off_says_how_to_switch_it_on() {
        let off = Packs { business_metrics: false, rag_performance: true, cache_efficiency: true, user_experience: true };
        let known = all().find(|known| known.name == "revenue_total").unwrap();
        assert!(!known.is_on(off) && known.off_reason().contains("custom_metrics.business_metrics: true"));
        assert!(all().find(|known| known.name == "app_requests_total").unwrap().is_on(off));
    }
}
