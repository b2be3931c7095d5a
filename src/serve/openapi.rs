//! The OpenAPI document, made from the annotations beside the handlers, at `/api/openapi.json`.
//!
//! Files: `shapes` what answers look like. A handler says what it takes and how it succeeds; what any
//! request can meet (the guard, sign-in, limits on bodies, the pool) is added here, in the error shape
//! of its path. A test compares the routes with the document. Knows no handler.

pub(super) mod shapes;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, Info, License, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::answer;
use super::caller::COOKIE;
use super::error::Shape;
use super::routes;
use shapes::{MonitoringError, PrometheusError};

/// Where it is served.
const PATH: &str = "/api/openapi.json";
/// A path, and another one at which the same handler answers.
const ALSO_AT: [(&str, &str); 1] = [("/metrics", "/api/v1/monitoring/metrics/prometheus")];
/// The form of a POST that may stand for the query string of a GET.
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

const DESCRIPTION: &str = "One server: what it measured, what that means, and what to wake somebody for.\n\n\
    Times in answers of `/api/v1/monitoring` are Unix milliseconds; in requests also RFC 3339 and relative (`-1h`). Durations are written as in \
    Prometheus (`5m`, `1h30m`). Values are numbers; NaN and infinities are the strings \"NaN\", \"+Inf\", \"-Inf\"; no value is null. \
    Errors are `{\"error\":{\"code\",\"message\",\"field\"?}}`; on Prometheus' paths its own shape; on all others plain text.\n\n\
    Every path that is read by GET answers HEAD as well. A wrong method is 405 with `Allow`. Without accounts the daemon answers on loopback \
    alone, to anybody there, as an administrator; with accounts a call without credentials is 401.";

pub(super) fn serve(config: &mut ServiceConfig) {
    config.service(routes::get(PATH, openapi));
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, description = "OpenAPI 3.1", body = shapes::AnyObject)))]

async fn openapi() -> HttpResponse {
    static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut out = Vec::new();
        answer::json(&mut out, &document());
        out
    });
    answer::json_text(TEXT.clone())
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(openapi))]
struct Own;

/// The whole document.
fn document() -> OpenApi {
    let mut out = <Own as utoipa::OpenApi>::openapi();
    routes::documents().into_iter().for_each(|part| out.merge(part));
    out.info = Info::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    out.info.description = Some(DESCRIPTION.to_owned());
    out.info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    for (path, other) in ALSO_AT {
        out.paths.paths.extend(out.paths.paths.get(path).cloned().map(|item| (other.to_owned(), item)));
    }
    for (path, item) in &mut out.paths.paths {
        complete_path(path, item);
    }
    let components = out.components.get_or_insert_with(Components::new);
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    for shape in [Shape::Monitoring, Shape::Prometheus, Shape::Plain] {
        components.responses.extend(COMMON.map(|(status, description)| (shared_name(shape, status), error(shape, description).into())));
    }
    components.schemas.insert(MonitoringError::name().into_owned(), MonitoringError::schema());
    components.schemas.insert(PrometheusError::name().into_owned(), PrometheusError::schema());
    // The empty one: where there are no accounts, or the path is open.
    let required = schemes().map(|(name, _)| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    out.security = Some(required.into_iter().chain([SecurityRequirement::default()]).collect());
    out
}

fn schemes() -> [(&'static str, SecurityScheme); 3] {
    let cookie = ApiKeyValue::with_description(COOKIE, "Set by signing in on the page");
    [
        ("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))),
        ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
    ]
}

/// Each operation of a path with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    let all = [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete)];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn complete_path(path: &str, item: &mut PathItem) {
    let asked_by_form = item.get.as_ref().zip(item.post.as_ref()).is_some_and(|(get, post)| get.operation_id == post.operation_id);
    for (method, operation) in operations(item) {
        if asked_by_form && method == Method::POST {
            take_form(operation);
        }
        let words: Vec<&str> = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        operation.operation_id = Some(format!("{}_{}", method.as_str().to_ascii_lowercase(), words.join("_")));
        operation.tags = Some(vec![tag(path).to_owned()]);
        for status in common(path, &method, operation) {
            let shared = Ref::new(format!("#/components/responses/{}", shared_name(Shape::of(path), status)));
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| shared.into());
        }
        for (status, response) in &mut operation.responses.responses {
            let is_error = status.starts_with('4') || status.starts_with('5');
            if let (true, RefOr::T(response)) = (is_error, response)
                && response.content.is_empty()
            {
                *response = error(Shape::of(path), &response.description);
            }
        }
    }
}

/// The parameters of the query string as fields of a form.
fn take_form(operation: &mut Operation) {
    let mut form = ObjectBuilder::new();
    let (query, others) = operation
        .parameters
        .take()
        .unwrap_or_default()
        .into_iter()
        .partition::<Vec<_>, _>(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query));
    for parameter in query {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.required == Required::True {
            form = form.required(&parameter.name);
        }
        form = form.property(parameter.name, parameter.schema.unwrap_or_default());
    }
    operation.parameters = (!others.is_empty()).then_some(others);
    let mut body = RequestBody::new();
    body.description = Some("The parameters of the query string, where they are too long for it.".to_owned());
    body.content.insert(FORM.to_owned(), Content::new(Some(form.build())).into());
    operation.request_body = Some(body.into());
}

/// Groups by the first word that tells resources apart.
fn tag(path: &str) -> &str {
    let word = |rest: &'_ str| rest.find('/').map_or(rest.len(), |end| end);
    match path.strip_prefix("/api/v1/monitoring/") {
        Some(rest) => &rest[..word(rest)],
        None if path.starts_with("/api/v1/") => "prometheus",
        None => "daemon",
    }
}

/// What any request can meet, whatever its handler says.
const COMMON: [(&str, &str); 9] = [
    ("400", "Something in the request is wrong; `field` names it where there is one."),
    ("401", "There are accounts, and the request has no valid credentials."),
    ("403", "The caller may not: its role, its key's scope, a foreign `Host` or `Origin`, or a proxy without accounts."),
    ("408", "The body did not arrive in time."),
    ("413", "The body is too large."),
    ("415", "The body's content type or encoding is not taken here."),
    ("429", "Too many failed sign-ins; `Retry-After` says when."),
    ("500", "A fault of the program or the machine; the log has it."),
    ("503", "Too much at once, it took too long, or the daemon is stopping; `Retry-After` says when."),
];

/// The name of a response that operations share.
fn shared_name(shape: Shape, status: &str) -> String {
    format!("{shape:?}{status}")
}

/// Which of [`COMMON`] an operation can meet.
fn common(path: &str, method: &Method, operation: &Operation) -> impl Iterator<Item = &'static str> + use<> {
    let (takes_body, may_be_form) = (operation.request_body.is_some(), *method == Method::POST);
    let is_open = is_open(path);
    COMMON.into_iter().map(|(status, _)| status).filter(move |status| match *status {
        "401" | "429" | "503" => !is_open,
        "408" | "413" => takes_body || may_be_form,
        "415" => takes_body,
        _ => true,
    })
}

/// Answered without credentials, whatever accounts there are.
fn is_open(path: &str) -> bool {
    matches!(path, "/-/healthy" | "/-/ready" | "/") || path.starts_with("/ui/")
}

/// An error in the shape of its path.
fn error(shape: Shape, description: &str) -> Response {
    let (media, content) = match shape {
        Shape::Monitoring => (JSON, Content::new(Some(Ref::from_schema_name(MonitoringError::name())))),
        Shape::Prometheus => (JSON, Content::new(Some(Ref::from_schema_name(PrometheusError::name())))),
        Shape::Plain => (TEXT, Content::new(Some(String::schema()))),
    };
    ResponseBuilder::new().description(description).content(media, content).build()
}

#[cfg(test)]
mod tests;
