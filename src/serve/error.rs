//! What goes wrong, as a client sees it. The only place that chooses a status and an error's JSON.
//!
//! `/api/v1/monitoring` answers `{"error":{"code","message","field"?}}`, Prometheus' paths answer
//! Prometheus' shape, all others plain text. A handler returns a [`Fault`] and does not know
//! where it stands; `measure` renders it by the path of the request.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ALLOW, CONTENT_TYPE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::json;

use super::caller::denied;
use crate::access::Denied;
use crate::alert::AlertError;
use crate::dashboard::DashboardError;
use crate::ingest::IngestError;
use crate::model::ErrorKind;
use crate::net::NetError;
use crate::query::QueryError;
use crate::store::StoreError;
use crate::task::PoolError;
use crate::wire::WireError;

/// Why serving did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken: in use, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] NetError),
    /// The server failed while it ran.
    #[error("the HTTP server failed: {0}")]
    Run(#[source] std::io::Error),
}

impl ServeError {
    /// How it looks from outside.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Listen { .. } | Self::Run(_) => ErrorKind::Internal,
            Self::Tls(error) => error.kind(),
        }
    }
}

/// How long a client should wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a client is told of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    status: StatusCode,
    /// Where a room said what it is; HTTP's own errors have none.
    kind: Option<ErrorKind>,
    message: String,
    field: Option<String>,
    allow: Option<&'static str>,
    /// When it may be tried again.
    retry_after: Option<Duration>,
}

/// Prometheus' shape, in its order.
#[derive(Serialize)]
struct PrometheusError<'a> {
    status: &'static str,
    #[serde(rename = "errorType")]
    error_type: &'static str,
    error: &'a str,
}

/// Which shape an error takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Monitoring,
    Prometheus,
    Plain,
}

impl Shape {
    /// The shape that clients of a path expect.
    pub(super) fn of(path: &str) -> Self {
        if path == "/api/v1/monitoring" || path.starts_with("/api/v1/monitoring/") {
            Self::Monitoring
        } else if path.starts_with("/api/v1/") {
            Self::Prometheus
        } else {
            Self::Plain
        }
    }
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind: Some(kind), ..Self::status(status_of(kind), message) }
    }

    /// For what only HTTP knows: a wrong method, a wrong content type.
    pub(super) fn status(status: StatusCode, message: impl Into<String>) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { status, kind: None, message: message.into(), field: None, allow: None, retry_after }
    }

    /// Bad input: the field that is wrong, and why.
    pub(super) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorKind::Invalid, message) }
    }

    /// Prometheus' wording for a parameter that cannot be read.
    pub(super) fn parameter(name: &str, reason: impl fmt::Display) -> Self {
        Self::field(name, format!("invalid parameter \"{name}\": {reason}"))
    }

    /// The path is there, the method is not; `allow` lists those that are.
    pub(super) fn wrong_method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::status(StatusCode::METHOD_NOT_ALLOWED, format!("this path takes {allow}")) }
    }

    /// Too many attempts; `wait` until the next.
    pub(super) fn too_many(message: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::status(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    pub(super) const fn code(&self) -> StatusCode {
        self.status
    }

    /// The answer, in the shape that clients of the path expect.
    pub(super) fn render(&self, shape: Shape) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if let Some(wait) = self.retry_after {
            // Rounded up: a client that comes a moment too early is refused again.
            answer.insert_header((header::RETRY_AFTER, wait.as_millis().div_ceil(1000).to_string()));
        }
        if let Some(allow) = self.allow {
            answer.insert_header((ALLOW, allow));
        }
        match shape {
            Shape::Monitoring => {
                let mut error = json!({"code": code_of(self.status), "message": self.message});
                if let Some(field) = &self.field {
                    error["field"] = json!(field);
                }
                answer.json(json!({"error": error}))
            }
            Shape::Prometheus => answer.json(PrometheusError { status: "error", error_type: error_type_of(self.status, self.kind), error: &self.message }),
            Shape::Plain => answer.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body(format!("{}\n", self.message)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.status
    }
    fn error_response(&self) -> HttpResponse {
        self.render(Shape::Monitoring)
    }
}

/// The status nginx and Prometheus use where the client went away.
fn client_closed() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        // 422 and not 501: Grafana reads the message of no other status.
        ErrorKind::Unprocessable | ErrorKind::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Busy | ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Locked => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Canceled => client_closed(),
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Config | ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The word that programs compare, of the monitoring API.
fn code_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "invalid",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        406 => "not_acceptable",
        408 => "timeout",
        409 => "conflict",
        413 => "too_large",
        415 => "unsupported_media_type",
        421 => "misdirected",
        422 => "unprocessable",
        426 => "upgrade_required",
        429 => "too_many_requests",
        499 => "canceled",
        503 => "unavailable",
        _ => "internal",
    }
}

/// Prometheus' `errorType`.
fn error_type_of(status: StatusCode, kind: Option<ErrorKind>) -> &'static str {
    match status.as_u16() {
        404 => "not_found",
        406 => "not_acceptable",
        422 => "execution",
        499 => "canceled",
        503 if kind == Some(ErrorKind::Timeout) => "timeout",
        503 => "unavailable",
        400..500 => "bad_data",
        _ => "internal",
    }
}

impl From<QueryError> for Fault {
    fn from(e: QueryError) -> Self {
        Self::new(e.kind(), e.to_string())
    }
}

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self::new(e.kind(), e.to_string())
    }
}

impl From<IngestError> for Fault {
    fn from(e: IngestError) -> Self {
        let field = if let IngestError::Invalid { field, .. } = &e { field.clone() } else { None };
        Self { field, ..Self::new(e.kind(), e.to_string()) }
    }
}

impl From<DashboardError> for Fault {
    fn from(e: DashboardError) -> Self {
        if matches!(e, DashboardError::SignIn) {
            return denied(Denied::SignIn);
        }
        let field = e.field().filter(|field| !field.is_empty()).map(str::to_owned);
        Self { field, ..Self::new(e.kind(), e.to_string()) }
    }
}

impl From<WireError> for Fault {
    fn from(e: WireError) -> Self {
        let field = e.field().map(str::to_owned);
        Self { field, ..Self::new(e.kind(), e.to_string()) }
    }
}

impl From<AlertError> for Fault {
    fn from(e: AlertError) -> Self {
        let field = e.field().map(str::to_owned);
        Self { field, ..Self::new(e.kind(), e.to_string()) }
    }
}

impl From<PoolError> for Fault {
    fn from(e: PoolError) -> Self {
        let kind = match e {
            PoolError::Busy => ErrorKind::Busy,
            PoolError::Stopped => ErrorKind::Unavailable,
            PoolError::Panicked => ErrorKind::Internal,
        };
        Self::new(kind, e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    async fn text(fault: &Fault, shape: Shape) -> String {
        let body = to_bytes(fault.render(shape).into_body()).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[actix_web::test]
    async fn each_path_has_its_shape() {
        let fault = Fault::field("start", "no time");
        assert_eq!(text(&fault, Shape::of("/api/v1/monitoring/status")).await, r#"{"error":{"code":"invalid","field":"start","message":"no time"}}"#);
        assert_eq!(text(&fault, Shape::of("/api/v1/query")).await, r#"{"status":"error","errorType":"bad_data","error":"no time"}"#);
        assert_eq!(text(&fault, Shape::of("/metrics")).await, "no time\n");
    }

    #[test]
    fn kinds_become_the_statuses_that_grafana_reads() {
        for (kind, status) in [
            (ErrorKind::Invalid, 400),
            (ErrorKind::Unprocessable, 422),
            (ErrorKind::Unsupported, 422),
            (ErrorKind::Timeout, 503),
            (ErrorKind::Canceled, 499),
            (ErrorKind::Busy, 503),
            (ErrorKind::Conflict, 409),
            (ErrorKind::TooLarge, 413),
            (ErrorKind::Internal, 500),
        ] {
            assert_eq!(Fault::new(kind, "x").code().as_u16(), status, "{kind:?}");
        }
    }

    #[test]
    fn a_busy_daemon_says_when_to_come_back() {
        let answer = Fault::from(PoolError::Busy).render(Shape::Prometheus);
        assert!(answer.headers().get(header::RETRY_AFTER).is_some_and(|v| v == "1"));
    }
}
