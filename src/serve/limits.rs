//! How large a body may be and how long it may take to arrive, and from
//! which size an answer is compressed. Knows nothing of what is in it.

use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use super::error::Fault;

/// The largest JSON or form body: about 100,000 recorded samples.
pub(super) const JSON_BYTES: usize = 10_000_000;

/// The largest document: a dashboard, a rule. Read as JSON it takes dozens of times as much memory.
pub(super) const DOCUMENT_BYTES: usize = 1 << 20;

/// The largest body of a sign-in, which strangers may send, as many as there are connections.
pub(super) const SIGN_IN_BYTES: usize = 16 << 10;

/// How long a body may take to arrive: a slow one must not hold a connection for ever.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Reads the whole body, at most what the route's `PayloadConfig` allows.
pub(super) async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Bytes, Fault> {
    match tokio::time::timeout(ARRIVAL, Bytes::from_request(request, payload)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(e)) => Err(Fault::status(e.as_response_error().status_code(), body_reason(&e))),
        Err(_) => Err(Fault::status(StatusCode::REQUEST_TIMEOUT, format!("the body did not arrive within {} s", ARRIVAL.as_secs()))),
    }
}

fn body_reason(e: &actix_web::Error) -> String {
    if e.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        "the body is too large: send less at once".to_owned()
    } else {
        format!("the body cannot be read: {e}")
    }
}

/// The content type without its parameters, in lower case; empty where none is given.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    text.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Smaller answers are not worth compressing: with its headers one fits into a packet.
const COMPRESS_FROM_BYTES: u64 = 1200;

/// Tells the compressing middleware to leave small answers alone, by naming an encoding.
pub(super) async fn spare_small<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let small = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0..COMPRESS_FROM_BYTES));
    // What is compressed already says so itself.
    if small && !response.headers().contains_key(CONTENT_ENCODING) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}

/// Takes the mark of [`spare_small`] off again.
pub(super) fn unmark<B>(response: &mut ServiceResponse<B>) {
    if response.headers().get(CONTENT_ENCODING).is_some_and(|v| v == "identity") {
        response.headers_mut().remove(CONTENT_ENCODING);
    }
}
