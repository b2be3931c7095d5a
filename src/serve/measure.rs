//! Round every request: the guard is asked, the caller is found out and has to have what the route
//! needs, the answer gets its headers and its error shape, and it is counted by route, method and
//! status. Knows no route.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage};
use tokio::sync::watch;

use super::caller::{self, Doorkeeper, KnownBy};
use super::doors;
use super::error::{Fault, Shape};
use super::guard::{self, Forwarded, Guard};
use super::limits;
use crate::access::{Caller, Standing};
use crate::clock::Stopwatch;
use crate::task::Stop;
use crate::telemetry::OwnMetrics;

/// The route of what no route matches: paths are the client's words and must not become labels.
const UNMATCHED: &str = "unmatched";

/// What is needed round every request.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) guard: Guard,
    pub(super) doorkeeper: Doorkeeper,
    pub(super) own: OwnMetrics,
    pub(super) stop: Stop,
    pub(super) in_flight: InFlight,
}

#[cfg(test)]
impl Watch {
    /// Of a machine called box, without accounts.
    pub(super) fn of_box(stop: Stop, own: OwnMetrics, in_flight: InFlight) -> Self {
        let doorkeeper = Doorkeeper { accounts: crate::access::Accounts::in_memory(), pool: crate::task::Pool::new(2, 16), behind_proxy: false };
        Self { guard: Guard::new("box", Vec::new(), &[]), doorkeeper, own, stop, in_flight }
    }
}

/// The outermost middleware.
pub(super) async fn measure(watch: Data<Watch>, request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    let stopwatch = Stopwatch::start();
    let entered = watch.in_flight.enter();
    let shape = Shape::of(request.path());
    let method = method_label(request.method());
    let response = match admit(&watch, &request).await {
        Ok((caller, standing)) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(KnownBy(standing));
            next.call(request).await?.map_into_boxed_body()
        }
        Err(fault) => request.into_response(fault.render(shape)),
    };
    let mut response = in_shape(response, shape);
    if response.status() == StatusCode::UNAUTHORIZED {
        for challenge in caller::challenges(response.request().headers()) {
            response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    guard::put_headers(&mut response);
    limits::unmark(&mut response);
    if watch.stop.is_stopped() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let route = response.request().match_pattern().map_or_else(|| UNMATCHED.to_owned(), readable);
    tracing::debug!(method, route, status = response.status().as_u16(), took_ms = stopwatch.elapsed().as_millis() as u64, "answered");
    watch.own.http_requests.with_label_values(&[route.as_str(), method, response.status().as_str()]).inc();
    watch.own.http_duration.with_label_values(&[route.as_str()]).observe(stopwatch.elapsed().as_secs_f64());
    Ok(response.map_body(|_, body| BoxBody::new(Counted { body, _entered: entered })))
}

/// A route as people read it: `/ui/{path:.*}` is `/ui/{path}`.
fn readable(pattern: String) -> String {
    if !pattern.contains(':') {
        return pattern;
    }
    let (mut plain, mut inside, mut left_out) = (String::with_capacity(pattern.len()), false, false);
    for letter in pattern.chars() {
        match letter {
            '{' => inside = true,
            ':' if inside => left_out = true,
            '}' => (inside, left_out) = (false, false),
            _ => {}
        }
        if !left_out {
            plain.push(letter);
        }
    }
    plain
}

/// Who asks, where the request may go on.
async fn admit(watch: &Watch, request: &ServiceRequest) -> Result<(Caller, Standing), Fault> {
    let without_accounts = !watch.doorkeeper.accounts.any();
    watch.guard.check(request, if without_accounts { Forwarded::Refused } else { Forwarded::Accepted })?;
    watch.doorkeeper.admit(request, doors::need_of(request)).await
}

/// An error takes the shape that clients of its path expect; one of the server's own is logged.
fn in_shape(response: ServiceResponse<BoxBody>, shape: Shape) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let foreign = || Fault::status(error.as_response_error().status_code(), error.to_string());
    let fault = error.as_error::<Fault>().cloned().unwrap_or_else(foreign);
    if fault.code().is_server_error() {
        tracing::warn!(path = response.request().path(), status = fault.code().as_u16(), "{fault}");
    }
    response.into_response(fault.render(shape))
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// How many requests are being answered. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct InFlight(Arc<watch::Sender<usize>>);

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl InFlight {
    fn enter(&self) -> Entered {
        self.0.send_modify(|n| *n += 1);
        Entered(self.clone())
    }

    /// Yields when no request is being answered.
    pub(super) async fn none(&self) {
        let mut receiver = self.0.subscribe();
        // An error would mean that the sender is gone, and `self` holds it.
        let _ = receiver.wait_for(|n| *n == 0).await;
    }
}

/// Counts a request until its body is written or given up.
struct Entered(InFlight);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.send_modify(|n| *n -= 1);
    }
}

/// A body that counts as being answered as long as it lives.
struct Counted {
    body: BoxBody,
    _entered: Entered,
}

impl MessageBody for Counted {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::{Compress, from_fn};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, HttpResponse, web};

    fn watch() -> Data<Watch> {
        let (_, stop) = Stop::new();
        Data::new(Watch::of_box(stop, OwnMetrics::new().unwrap(), InFlight::default()))
    }

    async fn refuse() -> Result<HttpResponse, Fault> {
        Err(Fault::field("query", "no query"))
    }
    async fn big() -> HttpResponse {
        HttpResponse::Ok().body("x".repeat(100_000))
    }
    async fn small() -> HttpResponse {
        HttpResponse::Ok().body("x")
    }
    async fn packed() -> HttpResponse {
        HttpResponse::Ok().insert_header(("content-encoding", "gzip")).body("packed")
    }

    #[actix_web::test]
    async fn errors_take_the_shape_of_their_path_and_all_is_counted() {
        let watch = watch();
        let app = App::new()
            .app_data(watch.clone())
            .route("/api/v1/query", web::get().to(refuse))
            .route("/api/v1/monitoring/{part}", web::get().to(refuse))
            .wrap(from_fn(measure));
        let app = init_service(app).await;
        for (path, body) in [
            ("/api/v1/query", r#"{"status":"error","errorType":"bad_data","error":"no query"}"#),
            ("/api/v1/monitoring/x", r#"{"error":{"code":"invalid","field":"query","message":"no query"}}"#),
        ] {
            let response = call_service(&app, TestRequest::get().uri(path).insert_header(("host", "localhost")).to_request()).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            assert_eq!(response.headers().get("x-content-type-options").unwrap(), "nosniff");
            assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
            assert_eq!(read_body(response).await, body);
        }
        watch.in_flight.none().await;
        assert_eq!(watch.own.http_requests.with_label_values(&["/api/v1/monitoring/{part}", "GET", "400"]).get(), 1);
        let evil = call_service(&app, TestRequest::get().uri("/api/v1/query").insert_header(("host", "evil.example")).to_request()).await;
        assert_eq!(evil.status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_route_is_told_without_what_its_parts_may_be() {
        for (pattern, told) in [("/ui/{path:.*}", "/ui/{path}"), ("/a/{b:x}/{c}", "/a/{b}/{c}"), ("/at:once/{d}", "/at:once/{d}"), ("/", "/")] {
            assert_eq!(readable(pattern.to_owned()), told);
        }
    }

    #[actix_web::test]
    async fn only_big_answers_are_compressed() {
        let app = App::new()
            .app_data(watch())
            .route("/big", web::get().to(big))
            .route("/small", web::get().to(small))
            .route("/packed", web::get().to(packed))
            .wrap(from_fn(limits::spare_small))
            .wrap(Compress::default())
            .wrap(from_fn(measure));
        let app = init_service(app).await;
        let ask = |path| TestRequest::get().uri(path).insert_header(("host", "localhost")).insert_header(("accept-encoding", "gzip")).to_request();
        let response = call_service(&app, ask("/big")).await;
        assert_eq!(response.headers().get("content-encoding").unwrap(), "gzip");
        assert!(read_body(response).await.len() < 1000);
        let response = call_service(&app, ask("/small")).await;
        assert!(!response.headers().contains_key("content-encoding"));
        assert_eq!(read_body(response).await, "x");
        // What came compressed still says so, small as it is.
        let response = call_service(&app, ask("/packed")).await;
        assert_eq!(response.headers().get("content-encoding").unwrap(), "gzip");
        assert_eq!(read_body(response).await, "packed");
    }
}
