//! Which series, label names and values, and metadata there are, as Prometheus answers it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig};
use serde::Serialize;

use super::{get, get_or_form};
use crate::ingest::Registry;
use crate::model::{ErrorKind, MetricMeta};
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::error::Fault;
use crate::serve::extract::Params;
use crate::serve::openapi::shapes;
use crate::store::Reader;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(labels, series, label_values, metadata))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_or_form("/api/v1/labels", labels))
        .service(get_or_form("/api/v1/series", series))
        .service(get("/api/v1/label/{name}/values", label_values))
        .service(get("/api/v1/metadata", metadata));
}

/// Names of labels.
#[utoipa::path(
    method(get, post), path = "/api/v1/labels",
    params(
        ("match[]" = Option<Vec<String>>, Query, description = "Series selectors, repeated for several.", example = json!(["up"])),
        ("start" = Option<String>, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = Option<String>, Query, description = "Until when: Unix seconds or RFC 3339.", example = json!("2026-11-25T10:00:00Z")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))
    ),
    responses((status = 200, description = "Names of labels.", body = shapes::Words))
)]
async fn labels(params: Params, asking: Data<Asking>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let (selectors, range, limit) = (params.selectors()?, params.range()?, params.limit()?);
    let names = asking.ask("labels", None, move |deadline| reader.label_names(&selectors, range, deadline)).await?;
    Ok(limited(&names, limit))
}

/// Values of a label.
#[utoipa::path(
    get, path = "/api/v1/label/{name}/values",
    params(
        ("name" = String, Path, description = "The label.", example = json!("job")),
        ("match[]" = Option<Vec<String>>, Query, description = "Series selectors, repeated for several.", example = json!(["up"])),
        ("start" = Option<String>, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = Option<String>, Query, description = "Until when: Unix seconds or RFC 3339.", example = json!("2026-11-25T10:00:00Z")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))
    ),
    responses((status = 200, description = "Values of the label.", body = shapes::Words))
)]
async fn label_values(name: Path<String>, params: Params, asking: Data<Asking>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let name = unescape(&name).ok_or_else(|| Fault::new(ErrorKind::Invalid, format!("invalid label name: {:?}", name.as_str())))?;
    let (selectors, range, limit) = (params.selectors()?, params.range()?, params.limit()?);
    let values = asking.ask("label_values", None, move |deadline| reader.label_values(&name, &selectors, range, deadline)).await?;
    Ok(limited(&values, limit))
}

/// Series that selectors match.
#[utoipa::path(
    method(get, post), path = "/api/v1/series",
    params(
        ("match[]" = Vec<String>, Query, description = "Series selectors, repeated for several.", example = json!(["up"])),
        ("start" = Option<String>, Query, description = "From when on: Unix seconds or RFC 3339.", example = json!("2026-11-25T09:00:00Z")),
        ("end" = Option<String>, Query, description = "Until when: Unix seconds or RFC 3339.", example = json!("2026-11-25T10:00:00Z")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))
    ),
    responses((status = 200, description = "Label sets.", body = shapes::LabelSets))
)]
async fn series(params: Params, asking: Data<Asking>, reader: Data<Reader>) -> Result<HttpResponse, Fault> {
    let (selectors, range, limit) = (params.selectors()?, params.range()?, params.limit()?);
    if selectors.is_empty() {
        return Err(Fault::new(ErrorKind::Invalid, "no match[] parameter provided"));
    }
    let found = asking.ask("series", None, move |deadline| reader.series(&selectors, range, deadline)).await?;
    Ok(limited(&found, limit))
}

/// A list, cut where there is a limit, with a warning if it was.
fn limited<T: Serialize>(all: &[T], limit: Option<usize>) -> HttpResponse {
    match limit.and_then(|limit| all.get(..limit)) {
        Some(part) if part.len() < all.len() => answer::success(&part, &[answer::TRUNCATED]),
        _ => answer::success(&all, &[]),
    }
}

#[derive(Serialize)]
struct Metadata {
    #[serde(rename = "type")]
    kind: &'static str,
    help: String,
    unit: String,
}

impl From<MetricMeta> for Metadata {
    fn from(meta: MetricMeta) -> Self {
        Self { kind: meta.kind.as_str(), help: meta.help, unit: meta.unit }
    }
}

/// Type, help and unit of metrics.
#[utoipa::path(
    get, path = "/api/v1/metadata",
    params(
        ("metric" = Option<String>, Query, description = "Only this one.", example = json!("up")),
        ("limit" = Option<u64>, Query, description = "At most so many; 0 for all.", example = json!(10))
    ),
    responses((status = 200, description = "By metric.", body = shapes::MetadataAnswer))
)]
async fn metadata(params: Params, registry: Data<Registry>) -> Result<HttpResponse, Fault> {
    let limit = params.limit()?.unwrap_or(usize::MAX);
    let known = match params.get("metric") {
        Some(name) => registry.meta(name).map(|meta| (name.to_owned(), meta)).into_iter().collect(),
        None => registry.all_meta(),
    };
    let shown: BTreeMap<String, [Metadata; 1]> = known.into_iter().take(limit).map(|(name, meta)| (name, [meta.into()])).collect();
    Ok(answer::success(&shown, &[]))
}

/// A label name of a URL: `U__` and `_<hex>_` stand for what older clients cannot write. `None`
/// for an empty name or a malformed escape.
fn unescape(name: &str) -> Option<String> {
    let Some(escaped) = name.strip_prefix("U__") else { return (!name.is_empty()).then(|| name.to_owned()) };
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, tail)) = rest.split_once('_') {
        out.push_str(plain);
        if let Some(tail) = tail.strip_prefix('_') {
            out.push('_');
            rest = tail;
        } else {
            let (hex, tail) = tail.split_once('_')?;
            out.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
            rest = tail;
        }
    }
    out.push_str(rest);
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    #[test]
    fn names_of_older_clients_are_unescaped() {
        assert_eq!(unescape("instance").as_deref(), Some("instance"));
        assert_eq!(unescape("U__http_2e_status__code").as_deref(), Some("http.status_code"));
        assert_eq!(unescape("U__"), None);
        assert_eq!(unescape("U___zz_"), None);
    }

    #[actix_web::test]
    async fn a_cut_list_says_so() {
        let text = |limit| async move { to_bytes(limited(&["a", "b"], limit).into_body()).await.unwrap() };
        assert_eq!(text(Some(1)).await, r#"{"status":"success","data":["a"],"warnings":["results truncated due to limit"]}"#);
        assert_eq!(text(Some(2)).await, r#"{"status":"success","data":["a","b"]}"#);
        assert_eq!(text(None).await, r#"{"status":"success","data":["a","b"]}"#);
    }
}
