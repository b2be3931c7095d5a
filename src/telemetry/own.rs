//! The daemon's own metrics: counted here by every room, read by `collect/own` and the expositions.
//! The only user of the `prometheus` crate.

use prometheus::core::{AtomicU64, GenericCounter};
use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use crate::model::MetricType;

/// Upper bounds in seconds for what should take milliseconds.
const FAST_SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The same for each source of the collectors: coarse, for there are many sources.
const COLLECT_SECONDS: &[f64] = &[0.001, 0.01, 0.1, 1.0, 10.0];

/// One own sample, as an exposition shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnSample {
    /// The metric family: what `# TYPE` names.
    pub family: String,
    /// The sample's name: the family, or with `_bucket`, `_sum`, `_count`.
    pub name: String,
    /// Labels besides the name.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
    /// The family's type.
    pub kind: MetricType,
    /// The family's help.
    pub help: String,
}

/// The daemon's own metrics. Cheap to clone: all clones count into the same registry.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is a metric, with its help where it is made")]
pub struct OwnMetrics {
    registry: Registry,
    pub http_requests: IntCounterVec,
    pub http_duration: HistogramVec,
    pub connections: GaugeVec,
    pub queue_depth: GaugeVec,
    pub config_reload: Gauge,
    pub cache_requests: IntCounterVec,
    pub samples_accepted: IntCounterVec,
    pub samples_rejected: IntCounterVec,
    pub commit_duration: Histogram,
    pub commits: GenericCounter<AtomicU64>,
    pub collect_duration: HistogramVec,
    pub collect_failures: IntCounterVec,
    pub queries: IntCounterVec,
    pub query_duration: HistogramVec,
    pub query_samples: GenericCounter<AtomicU64>,
    pub store: GaugeVec,
    pub task_restarts: IntCounterVec,
    pub component_degraded: GaugeVec,
    pub dashboard_frames: IntCounterVec,
    pub alerts: GaugeVec,
    pub notifications: IntCounterVec,
    pub rule_failures: GenericCounter<AtomicU64>,
    pub rule_duration: Histogram,
}

impl OwnMetrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Two metrics have one name: a fault of this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<GaugeVec, prometheus::Error> {
            let made = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| -> Result<HistogramVec, prometheus::Error> {
            let made = HistogramVec::new(HistogramOpts::new(name, help).buckets(FAST_SECONDS.to_vec()), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let collect_duration = HistogramVec::new(
            HistogramOpts::new("latido_collect_duration_seconds", "Time of one collection, by source.").buckets(COLLECT_SECONDS.to_vec()),
            &["source"],
        )?;
        registry.register(Box::new(collect_duration.clone()))?;
        let single = |name: &str, help: &str| -> Result<GenericCounter<AtomicU64>, prometheus::Error> {
            let made = GenericCounter::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let build = gauge("latido_build_info", "The running version; always 1.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        let commit_duration = Histogram::with_opts(
            HistogramOpts::new("latido_journal_commit_duration_seconds", "Time to make one group of batches durable.").buckets(FAST_SECONDS.to_vec()),
        )?;
        registry.register(Box::new(commit_duration.clone()))?;
        let rule_duration = Histogram::with_opts(
            HistogramOpts::new("latido_rule_evaluation_duration_seconds", "Time to evaluate one group of rules.").buckets(FAST_SECONDS.to_vec()),
        )?;
        registry.register(Box::new(rule_duration.clone()))?;
        let config_reload =
            Gauge::new("latido_config_last_reload_successful", "Whether the last reading of the configuration was taken: 1 yes, 0 the older one stays.")?;
        registry.register(Box::new(config_reload.clone()))?;
        config_reload.set(1.0);
        Ok(Self {
            config_reload,
            http_requests: counter("latido_http_requests_total", "HTTP requests answered, by route, method and status.", &["route", "method", "code"])?,
            http_duration: histogram("latido_http_request_duration_seconds", "Time to answer an HTTP request, by route.", &["route"])?,
            connections: gauge("latido_connections", "Open connections by kind.", &["kind"])?,
            queue_depth: gauge("latido_queue_depth", "What waits, by queue.", &["queue"])?,
            cache_requests: counter("latido_cache_requests_total", "Look-ups in the daemon's caches, by cache and result (hit, miss).", &["cache", "result"])?,
            samples_accepted: counter("latido_ingest_samples_total", "Samples acknowledged, by origin.", &["origin"])?,
            samples_rejected: counter("latido_ingest_samples_rejected_total", "Samples refused, by reason.", &["reason"])?,
            commit_duration,
            commits: single("latido_journal_commits_total", "Durable commits of the journal.")?,
            collect_duration,
            collect_failures: counter("latido_collect_failures_total", "Collections that failed or passed their deadline, by source.", &["source"])?,
            queries: counter("latido_queries_total", "Queries by kind and outcome.", &["kind", "outcome"])?,
            query_duration: histogram("latido_query_duration_seconds", "Time to answer a query, by kind.", &["kind"])?,
            query_samples: single("latido_query_samples_total", "Samples and buckets that queries read.")?,
            store: gauge(
                "latido_store",
                "Figures of the store by tier: series, samples, bytes, bytes a sample, partitions, backlog and lag.",
                &["tier", "figure"],
            )?,
            task_restarts: counter("latido_task_restarts_total", "Loops started again after a panic, by task.", &["task"])?,
            component_degraded: gauge("latido_component_degraded", "Whether a part works with losses or not at all: 1 yes, 0 no.", &["component"])?,
            dashboard_frames: counter("latido_dashboard_frames_total", "Frames of dashboards by outcome: sent to a viewer, or skipped by one.", &["outcome"])?,
            alerts: gauge("latido_alerts", "Alerts now, by state.", &["state"])?,
            notifications: counter(
                "latido_notifications_total",
                "Notifications to the webhook by outcome: sent, failed (an attempt) or dropped.",
                &["outcome"],
            )?,
            rule_failures: single("latido_rule_evaluation_failures_total", "Evaluations of a rule that failed.")?,
            rule_duration,
            registry,
        })
    }

    /// Every own sample now, in order of name. Histograms come as `_bucket`, `_sum` and `_count`.
    #[must_use]
    pub fn gather(&self) -> Vec<OwnSample> {
        let mut out = Vec::new();
        for family in self.registry.gather() {
            let kind = match family.get_field_type() {
                prometheus::proto::MetricType::COUNTER => MetricType::Counter,
                prometheus::proto::MetricType::GAUGE => MetricType::Gauge,
                prometheus::proto::MetricType::HISTOGRAM => MetricType::Histogram,
                prometheus::proto::MetricType::SUMMARY => MetricType::Summary,
                prometheus::proto::MetricType::UNTYPED => MetricType::Unknown,
            };
            for metric in family.get_metric() {
                let labels: Vec<(String, String)> = metric.get_label().iter().map(|l| (l.name().to_owned(), l.value().to_owned())).collect();
                let mut add = |suffix: &str, extra: Option<(&str, String)>, value: f64| {
                    let mut labels = labels.clone();
                    labels.extend(extra.map(|(n, v)| (n.to_owned(), v)));
                    out.push(OwnSample {
                        family: family.name().to_owned(),
                        name: format!("{}{suffix}", family.name()),
                        labels,
                        value,
                        kind,
                        help: family.help().to_owned(),
                    });
                };
                match kind {
                    MetricType::Counter => add("", None, metric.get_counter().get_value()),
                    MetricType::Histogram => {
                        let histogram = metric.get_histogram();
                        for bucket in histogram.get_bucket() {
                            add("_bucket", Some(("le", bucket.upper_bound().to_string())), bucket.cumulative_count() as f64);
                        }
                        add("_bucket", Some(("le", "+Inf".to_owned())), histogram.get_sample_count() as f64);
                        add("_sum", None, histogram.get_sample_sum());
                        add("_count", None, histogram.get_sample_count() as f64);
                    }
                    _ => add("", None, metric.get_gauge().get_value()),
                }
            }
        }
        out
    }
}
