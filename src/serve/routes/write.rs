//! Remote write 1.0 and 2.0: 204 when durable. What is wrong in a request is refused with 400, which tells
//! the sender not to send it again; the good samples beside it are kept.

use actix_web::HttpResponse;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data, PayloadConfig, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, ResponseError as _};
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

/// Remote write, versions 1.0 and 2.0.
#[utoipa::path(
    post, path = "/api/v1/write",
    request_body(
        content = shapes::Bytes,
        content_type = "application/x-protobuf",
        description = "prometheus.WriteRequest, or with proto=io.prometheus.write.v2.Request that one, compressed with snappy (Content-Encoding: snappy)"
    ),
    responses(
        (status = 204, description = "Durable. To version 2.0 X-Prometheus-Remote-Write-{Samples,Histograms,Exemplars}-Written say how many."),
        (status = 400, description = "Some samples were refused: how many, and the first reason. The others are stored.")
    )
)]
async fn write(body: Compressed, limit: Data<MaxDecoded>, asking: Data<Asking>, intake: Data<Intake>, registry: Data<Registry>) -> Result<HttpResponse, Fault> {
    let max = limit.0;
    let version = body.version;
    let mut decoded = asking.run(move || decode(&body, max)).await??;
    let metadata = std::mem::take(&mut decoded.batch.metadata);
    let total = decoded.batch.sample_count() + decoded.batch.histograms.len() + decoded.rejected_samples();
    let batch = std::mem::take(&mut decoded.batch);
    let report = if batch.is_empty() { Report::default() } else { intake.submit(batch).await? };
    learn(&asking, &registry, metadata).await?;
    let mut response = match refusal(&decoded, &report, total) {
        None => HttpResponse::NoContent().finish(),
        Some(reason) => Fault::new(ErrorKind::Invalid, reason).error_response(),
    };
    if version == Version::Two {
        let written = response.headers_mut();
        for (name, count) in written_of(&decoded, &report) {
            written.insert(HeaderName::from_static(name), HeaderValue::from(count));
        }
    }
    Ok(response)
}

/// What version 2.0 wants to hear: how many of each kind are durable. The end of a series came as a
/// histogram and is stored as a sample.
fn written_of(decoded: &remote_write::Decoded, report: &Report) -> [(&'static str, usize); 3] {
    let samples = report.accepted - report.histograms;
    let ends = decoded.ends.min(samples);
    [
        ("x-prometheus-remote-write-samples-written", samples - ends),
        ("x-prometheus-remote-write-histograms-written", report.histograms + ends),
        ("x-prometheus-remote-write-exemplars-written", report.exemplars),
    ]
}

fn decode(body: &Compressed, max: usize) -> Result<remote_write::Decoded, WireError> {
    let message = snappy::decode(&body.bytes, max)?;
    match body.version {
        Version::One => remote_write::decode(&message),
        Version::Two => remote_write::decode_2(&message),
    }
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
    let refused = report.rejected.len() + decoded.rejected_samples();
    let reason = decoded.rejected.first().map(|r| r.reason.as_str()).or_else(|| report.rejected.first().map(|r| r.reason.as_str()))?;
    Some(format!("{refused} of {total} samples were not stored (the others were), the first because: {reason}"))
}

/// Of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A body whose headers say that it is remote write.
struct Compressed {
    bytes: Bytes,
    version: Version,
}

impl FromRequest for Compressed {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let version = check_headers(request.headers())?;
            Ok(Self { bytes: limits::read(&request, &mut payload).await?, version })
        })
    }
}

fn check_headers(headers: &HeaderMap) -> Result<Version, Fault> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    let unsupported = |message: &str| Err(Fault::status(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    if limits::media_type(headers) != "application/x-protobuf" {
        return unsupported("remote write takes Content-Type: application/x-protobuf");
    }
    let content_type = text(CONTENT_TYPE);
    let proto = content_type.split(';').filter_map(|part| part.trim().strip_prefix("proto=")).next_back();
    let version = match proto.map(|name| name.trim_matches('"')) {
        None | Some("prometheus.writerequest") => Version::One,
        Some("io.prometheus.write.v2.request") => Version::Two,
        Some(_) => return unsupported("remote write takes the messages prometheus.WriteRequest and io.prometheus.write.v2.Request"),
    };
    match text(CONTENT_ENCODING).as_str() {
        "snappy" | "" => Ok(version),
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
        check_headers(&headers).map_or_else(|e| e.code().as_u16(), |version| if version == Version::One { 1 } else { 2 })
    }

    #[test]
    fn the_content_type_says_which_version_is_read() {
        assert_eq!(checked("application/x-protobuf", "snappy"), 1);
        assert_eq!(checked("application/x-protobuf; charset=utf-8", "snappy"), 1);
        assert_eq!(checked("application/x-protobuf;proto=prometheus.WriteRequest", "snappy"), 1);
        assert_eq!(checked("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"), 2);
        assert_eq!(checked("application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy"), 415);
        assert_eq!(checked("application/json", "snappy"), 415);
        assert_eq!(checked("application/x-protobuf", "zstd"), 415);
    }

    #[test]
    fn a_refusal_counts_and_gives_the_first_reason() {
        let rejected = vec![Rejection { index: 1, reason: "too old".into() }, Rejection { index: 2, reason: "x".into() }];
        let report = Report { accepted: 1, rejected, ..Report::default() };
        let said = refusal(&remote_write::Decoded::default(), &report, 3).unwrap();
        assert_eq!(said, "2 of 3 samples were not stored (the others were), the first because: too old");
        assert_eq!(refusal(&remote_write::Decoded::default(), &Report::default(), 3), None);
    }

    #[test]
    fn the_end_of_a_series_is_told_as_the_histogram_that_it_came_as() {
        let decoded = remote_write::Decoded { ends: 1, ..remote_write::Decoded::default() };
        let report = Report { accepted: 5, histograms: 2, exemplars: 4, ..Report::default() };
        assert_eq!(written_of(&decoded, &report).map(|(_, count)| count), [2, 3, 4]);
    }
}
