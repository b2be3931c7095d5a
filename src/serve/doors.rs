//! What each route needs of its caller: one table. Of a route that is not in it reading needs a viewer
//! and anything else an admin, and a test fails for it.
//!
//! The route is looked up by the path as the router sees it, decoded, before the request is routed:
//! nothing that changes the path may stand between.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;

use crate::access::Need;

/// Methods (GET means HEAD as well), the route, and what is needed.
const DOORS: &[(&str, &str, Need)] = &[
    ("GET", "/-/healthy", Need::Open),
    ("GET", "/-/ready", Need::Open),
    ("POST", "/-/reload", Need::AdminWrite),
    ("GET", "/metrics", Need::Read),
    ("GET", "/federate", Need::Read),
    ("GET", "/api/openapi.json", Need::Read),
    // Prometheus' own.
    ("GET POST", "/api/v1/query", Need::Read),
    ("GET POST", "/api/v1/query_range", Need::Read),
    ("GET POST", "/api/v1/query_exemplars", Need::Read),
    ("GET POST", "/api/v1/format_query", Need::Read),
    ("GET POST", "/api/v1/parse_query", Need::Read),
    ("GET", "/api/v1/targets/metadata", Need::Read),
    ("GET", "/api/v1/scrape_pools", Need::Read),
    ("GET", "/api/v1/status/walreplay", Need::Read),
    ("GET", "/api/v1/notifications", Need::Read),
    ("GET POST", "/api/v1/series", Need::Read),
    ("GET POST", "/api/v1/labels", Need::Read),
    ("GET", "/api/v1/label/{name}/values", Need::Read),
    ("GET", "/api/v1/metadata", Need::Read),
    ("GET", "/api/v1/rules", Need::Read),
    ("GET", "/api/v1/alerts", Need::Read),
    ("GET", "/api/v1/alertmanagers", Need::Read),
    ("GET", "/api/v1/targets", Need::Read),
    ("GET", "/api/v1/status/buildinfo", Need::Read),
    ("GET", "/api/v1/status/runtimeinfo", Need::Read),
    ("GET", "/api/v1/status/flags", Need::Read),
    ("GET", "/api/v1/status/config", Need::Read),
    ("GET", "/api/v1/status/tsdb", Need::Read),
    ("POST", "/api/v1/write", Need::Write),
    ("POST PUT", "/api/v1/admin/tsdb/delete_series", Need::AdminWrite),
    ("POST PUT", "/api/v1/admin/tsdb/clean_tombstones", Need::AdminWrite),
    // Metrics.
    ("GET", "/api/v1/monitoring/status", Need::Read),
    ("GET", "/api/v1/monitoring/version", Need::Read),
    ("GET", "/api/v1/monitoring/metrics/health", Need::Read),
    ("GET", "/api/v1/monitoring/metrics/stats", Need::Read),
    ("GET", "/api/v1/monitoring/metrics/latest", Need::Read),
    ("GET", "/api/v1/monitoring/metrics/prometheus", Need::Read),
    ("POST", "/api/v1/monitoring/metrics/query", Need::Read),
    ("GET", "/api/v1/monitoring/metrics/custom/list", Need::Read),
    ("POST", "/api/v1/monitoring/metrics/custom/register", Need::Write),
    ("POST", "/api/v1/monitoring/metrics/custom/record", Need::Write),
    ("GET", "/api/v1/monitoring/config/collector", Need::Read),
    ("GET", "/api/v1/monitoring/config/dashboards", Need::Read),
    ("POST", "/api/v1/monitoring/maintenance/settle", Need::AdminWrite),
    // Hashes of passwords are in a backup, and it changes nothing.
    ("GET", "/api/v1/monitoring/maintenance/backup", Need::Admin),
    ("POST", "/api/v1/monitoring/maintenance/verify", Need::Admin),
    // Dashboards: a public one is shown to strangers, so the handlers look at who asks.
    ("GET", "/api/v1/monitoring/dashboards/stats", Need::Read),
    ("GET", "/api/v1/monitoring/dashboards/list", Need::Public),
    ("POST", "/api/v1/monitoring/dashboards/create", Need::Write),
    ("GET", "/api/v1/monitoring/dashboards/{id}", Need::Public),
    ("PUT DELETE", "/api/v1/monitoring/dashboards/{id}", Need::Write),
    ("GET", "/api/v1/monitoring/dashboards/{id}/data", Need::Public),
    ("POST", "/api/v1/monitoring/dashboards/{id}/connect", Need::Public),
    ("DELETE", "/api/v1/monitoring/dashboards/connections/{connection_id}", Need::Public),
    ("GET", "/api/v1/monitoring/ws/dashboard/{id}", Need::Public),
    // Alerts and analysis.
    ("GET", "/api/v1/monitoring/alerts/rules", Need::Read),
    ("POST", "/api/v1/monitoring/alerts/rules", Need::Write),
    ("POST", "/api/v1/monitoring/alerts/rules/test", Need::Read),
    ("GET", "/api/v1/monitoring/alerts/rules/{id}", Need::Read),
    ("PUT DELETE", "/api/v1/monitoring/alerts/rules/{id}", Need::Write),
    ("GET", "/api/v1/monitoring/alerts/active", Need::Read),
    ("GET", "/api/v1/monitoring/alerts/history", Need::Read),
    ("GET", "/api/v1/monitoring/analysis/trends", Need::Read),
    ("GET", "/api/v1/monitoring/analysis/performance", Need::Read),
    // Accounts.
    ("GET DELETE", "/api/v1/monitoring/access/session", Need::Public),
    ("POST", "/api/v1/monitoring/access/session", Need::Open),
    ("GET", "/api/v1/monitoring/access/users", Need::Admin),
    ("POST", "/api/v1/monitoring/access/users", Need::AdminWrite),
    ("PUT DELETE", "/api/v1/monitoring/access/users/{name}", Need::AdminWrite),
    ("GET", "/api/v1/monitoring/access/keys", Need::Admin),
    ("POST", "/api/v1/monitoring/access/keys", Need::AdminWrite),
    ("DELETE", "/api/v1/monitoring/access/keys/{id}", Need::AdminWrite),
];

/// What a request needs, before it is routed.
pub(super) fn need_of(request: &ServiceRequest) -> Need {
    // Decoded as the router decodes it: `/%61pi` is `/api` there, and must be here.
    let path = request.match_info().unprocessed();
    let route = request.resource_map().match_pattern(path);
    need(request.method(), path, route.as_deref())
}

fn need(method: &Method, path: &str, route: Option<&str>) -> Need {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route.and_then(|route| listed(method, route)) {
        Some(need) => need,
        None if reads && is_page(path) => Need::Open,
        None if reads => Need::Read,
        None => Need::AdminWrite,
    }
}

fn listed(method: &Method, route: &str) -> Option<Need> {
    let asked = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let mut rows = DOORS.iter().filter(|(_, pattern, _)| is_same(pattern, route));
    rows.find(|(methods, ..)| methods.split(' ').any(|one| one == asked)).map(|(.., need)| *need)
}

/// Whether two patterns are one, however their parts are called.
fn is_same(one: &str, other: &str) -> bool {
    let same = |(a, b): (&str, &str)| a == b || (a.starts_with('{') && b.starts_with('{'));
    one.split('/').count() == other.split('/').count() && one.split('/').zip(other.split('/')).all(same)
}

/// The page and its files: whatever is not below the paths of the interfaces.
fn is_page(path: &str) -> bool {
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !["/api", "/-", "/metrics", "/federate"].into_iter().any(below)
}

#[cfg(test)]
mod tests;
