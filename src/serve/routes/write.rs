//! Remote write v1: 204 when durable. What is wrong in a request is refused with 400, which tells
//! the sender not to send it again; the good samples beside it are kept.

use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, Data, PayloadConfig, ServiceConfig};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::post;
use crate::ingest::{Intake, Registry, Report};
use crate::model::{ErrorKind, MetricMeta};
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::limits;
use crate::serve::openapi::shapes;
use crate::wire::{WireError, remote_write, snappy};

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(write))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig, max_body: usize) {
    let limits = Data::new(MaxDecoded(max_body));
    config.service(post("/api/v1/write", write).app_data(PayloadConfig::new(max_body)).app_data(limits));
}

/// The largest body after decompression.
struct MaxDecoded(usize);

/// Remote write, version 1.
#[utoipa::path(
    post, path = "/api/v1/write",
    request_body(
        content = shapes::Bytes,
        content_type = "application/x-protobuf",
        description = "prometheus.WriteRequest, compressed with snappy (Content-Encoding: snappy)"
    ),
    responses(
        (status = 204, description = "Durable."),
        (status = 400, description = "Some samples were refused: how many, and the first reason. The others are stored.")
    )
)]
async fn write(body: Compressed, limit: Data<MaxDecoded>, asking: Data<Asking>, intake: Data<Intake>, registry: Data<Registry>) -> Result<HttpResponse, Fault> {
    let max = limit.0;
    let mut decoded = asking.run(move || decode(&body.0, max)).await??;
    let metadata = std::mem::take(&mut decoded.batch.metadata);
    let total = decoded.batch.sample_count() + decoded.rejected_samples() + decoded.histograms;
    let batch = std::mem::take(&mut decoded.batch);
    let report = if batch.is_empty() { Report::default() } else { intake.submit(batch).await? };
    learn(&asking, &registry, metadata).await?;
    match refusal(&decoded, &report, total) {
        None => Ok(HttpResponse::NoContent().finish()),
        Some(reason) => Err(Fault::new(ErrorKind::Invalid, reason)),
    }
}

fn decode(body: &[u8], max: usize) -> Result<remote_write::Decoded, WireError> {
    remote_write::decode(&snappy::decode(body, max)?)
}

/// Keeps what came along of types and help. The samples are durable by now: a failure here is
/// logged, for the sender would only send them again.
async fn learn(asking: &Asking, registry: &Data<Registry>, metadata: Vec<(String, MetricMeta)>) -> Result<(), Fault> {
    if metadata.is_empty() {
        return Ok(());
    }
    let registry = registry.clone();
    if let Err(e) = asking.run(move || registry.learn(&metadata)).await? {
        tracing::warn!("metadata of a remote write was not kept: {e}");
    }
    Ok(())
}

/// How many samples were not taken, and the first reason.
fn refusal(decoded: &remote_write::Decoded, report: &Report, total: usize) -> Option<String> {
    let refused = report.rejected.len() + decoded.rejected_samples() + decoded.histograms;
    let reason = decoded
        .rejected
        .first()
        .map(|r| r.reason.as_str())
        .or_else(|| report.rejected.first().map(|r| r.reason.as_str()))
        .or_else(|| (decoded.histograms > 0).then_some("native histograms are not supported yet"))?;
    Some(format!("{refused} of {total} samples were not stored (the others were), the first because: {reason}"))
}

/// A body whose headers say that it is remote write v1.
struct Compressed(Bytes);

impl FromRequest for Compressed {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            check_headers(request.headers())?;
            limits::read(&request, &mut payload).await.map(Self)
        })
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Fault> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    let unsupported = |message: &str| Err(Fault::status(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    if limits::media_type(headers) != "application/x-protobuf" {
        return unsupported("remote write takes Content-Type: application/x-protobuf");
    }
    if text(CONTENT_TYPE).contains("io.prometheus.write.v2") {
        return unsupported("remote write takes version 1 (prometheus.WriteRequest), version 2 is not supported yet");
    }
    match text(CONTENT_ENCODING).as_str() {
        "snappy" | "" => Ok(()),
        _ => unsupported("remote write takes Content-Encoding: snappy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Rejection;

    fn checked(content_type: &str, encoding: &str) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        check_headers(&headers).map_or_else(|e| e.code().as_u16(), |()| 200)
    }

    #[test]
    fn only_remote_write_version_1_is_read() {
        assert_eq!(checked("application/x-protobuf", "snappy"), 200);
        assert_eq!(checked("application/x-protobuf; charset=utf-8", "snappy"), 200);
        assert_eq!(checked("application/x-protobuf;proto=prometheus.WriteRequest", "snappy"), 200);
        assert_eq!(checked("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"), 415);
        assert_eq!(checked("application/json", "snappy"), 415);
        assert_eq!(checked("application/x-protobuf", "zstd"), 415);
    }

    #[test]
    fn a_refusal_counts_and_gives_the_first_reason() {
        let report = Report { accepted: 1, rejected: vec![Rejection { index: 1, reason: "too old".into() }, Rejection { index: 2, reason: "x".into() }] };
        let said = refusal(&remote_write::Decoded::default(), &report, 3).unwrap();
        assert_eq!(said, "2 of 3 samples were not stored (the others were), the first because: too old");
        assert_eq!(refusal(&remote_write::Decoded::default(), &Report::default(), 3), None);
    }
}
