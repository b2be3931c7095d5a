//! Programs: requests, errors, queues, load balancers; and caches, which are a pack of their own.

use super::{Known, LATENCY_SECONDS, Pack};
use crate::model::Category;

pub(super) const METRICS: &[Known] = &[
    Known::counter("app_requests_total", &["app", "method", "route", "code"], "Requests that an application answered."),
    Known::histogram("app_request_duration_seconds", LATENCY_SECONDS, &["app", "method", "route"], "Time to answer a request."),
    Known::counter("app_errors_total", &["app", "kind"], "Errors of an application, by kind."),
    Known::gauge("app_error_ratio", "ratio", &["app"], "Share of requests that failed, 0 to 1."),
    Known::gauge("app_active_connections", "", &["app"], "Connections that are open now."),
    Known::gauge("app_throughput_requests_per_second", "", &["app"], "Requests answered in a second."),
    Known::gauge("app_queue_depth", "", &["app", "queue"], "What waits in a queue."),
    Known::counter("lb_backend_requests_total", &["lb", "backend", "code"], "Requests that a load balancer gave to a backend."),
    Known::gauge("lb_backend_healthy", "", &["lb", "backend"], "Whether a backend is healthy: 1 or 0."),
    Known::histogram("lb_request_duration_seconds", LATENCY_SECONDS, &["lb", "backend"], "Time until a backend answered the load balancer."),
    Known::gauge("lb_active_connections", "", &["lb", "backend"], "Connections that a load balancer holds open."),
];

/// By level: `l1`, `l2`, `l3`.
pub(super) const CACHES: &[Known] = &[
    Known::counter("cache_hits_total", &["cache", "level"], "Look-ups that a cache answered, by level.").of(Category::Application, Pack::Cache),
    Known::counter("cache_misses_total", &["cache", "level"], "Look-ups that a cache could not answer, by level.").of(Category::Application, Pack::Cache),
    Known::gauge("cache_hit_ratio", "ratio", &["cache", "level"], "Share of look-ups that a cache answered, 0 to 1.").of(Category::Application, Pack::Cache),
    Known::counter("cache_evictions_total", &["cache", "level"], "Entries that had to go to make room, by level.").of(Category::Application, Pack::Cache),
    Known::gauge("cache_size_bytes", "bytes", &["cache", "level"], "Bytes that a cache holds, by level.").of(Category::Application, Pack::Cache),
    Known::histogram("cache_latency_seconds", LATENCY_SECONDS, &["cache", "level"], "Time of a look-up, by level.").of(Category::Application, Pack::Cache),
];
