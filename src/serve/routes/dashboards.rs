//! `dashboards/*` and `ws/dashboard/{id}` of the monitoring API.

use actix_web::web::{self, Data, Path, Payload, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::{get, post};
use crate::access::{Accounts, Caller};
use crate::clock::parse_moment;
use crate::dashboard::{Book, Cache, Connections, Dashboard, DashboardError, Deleted, Draft, Entry, Frames, Hub, Window};
use crate::model::Timestamp;
use crate::serve::answer;
use crate::serve::asking::Asking;
use crate::serve::caller::{KnownBy, Who};
use crate::serve::error::Fault;
use crate::serve::extract::{JsonBytes, Params};
use crate::serve::limits;
use crate::serve::live;
use crate::serve::openapi::shapes;
use crate::task::Stop;
use crate::telemetry::OwnMetrics;

const API: &str = "/api/v1/monitoring";

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(stats, list, show, create, update, delete, data, connect, disconnect, socket))]
pub(super) struct Api;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(get("/api/v1/monitoring/dashboards/stats", stats))
        .service(get("/api/v1/monitoring/dashboards/list", list))
        .service(post("/api/v1/monitoring/dashboards/create", create).app_data(PayloadConfig::new(limits::DOCUMENT_BYTES)))
        .service(
            web::resource("/api/v1/monitoring/dashboards/connections/{connection}").route(web::delete().to(disconnect)).default_service(web::to(only_delete)),
        )
        .service(get("/api/v1/monitoring/dashboards/{id}/data", data))
        .service(post("/api/v1/monitoring/dashboards/{id}/connect", connect))
        .service(
            web::resource("/api/v1/monitoring/dashboards/{id}")
                .app_data(PayloadConfig::new(limits::DOCUMENT_BYTES))
                .route(web::get().to(show))
                .route(web::head().to(show))
                .route(web::put().to(update))
                .route(web::delete().to(delete))
                .default_service(web::to(not_post)),
        )
        .service(web::resource("/api/v1/monitoring/ws/dashboard/{id}").route(web::get().to(socket)).default_service(web::to(only_get)));
}

async fn only_delete() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("DELETE"))
}
async fn not_post() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET, HEAD, PUT, DELETE"))
}
async fn only_get() -> Result<HttpResponse, Fault> {
    Err(Fault::wrong_method("GET"))
}

/// A document as it is shown.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    dashboard: &'a Dashboard,
    predefined: bool,
    revision: u64,
}

fn document(entry: &Entry, caller: &Caller) -> serde_json::Value {
    let bare;
    let dashboard = match caller.role {
        Some(_) => entry.dashboard.as_ref(),
        None => {
            bare = entry.dashboard.without_queries();
            &bare
        }
    };
    // Every key is a text, so that this cannot fail.
    serde_json::to_value(Document { dashboard, predefined: entry.is_predefined(), revision: entry.revision }).unwrap_or_default()
}

/// Figures of dashboards.
#[utoipa::path(
    get, path = "/api/v1/monitoring/dashboards/stats",
    responses((status = 200, description = "Of dashboards, viewers and caches.", body = shapes::DashboardStats))
)]
async fn stats(book: Data<Book>, cache: Data<Cache>, connections: Data<Connections>, own: Data<OwnMetrics>) -> HttpResponse {
    let (hits, misses) = cache.figures();
    let frames = |outcome: &str| own.dashboard_frames.with_label_values(&[outcome]).get();
    HttpResponse::Ok().json(json!({
        "dashboards": book.len(),
        "connections": connections.count(), "max_connections": connections.max(),
        "frames_sent": frames("sent"), "frames_skipped": frames("skipped"),
        "cache": {"hits": hits, "misses": misses},
    }))
}

/// Every dashboard.
#[utoipa::path(
    get, path = "/api/v1/monitoring/dashboards/list",
    responses((status = 200, description = "Those that the caller may see.", body = shapes::DashboardList))
)]
async fn list(book: Data<Book>, Who(caller): Who) -> HttpResponse {
    let brief = |entry: &Entry| {
        let Dashboard { id, title, subtitle, access, panels, .. } = entry.dashboard.as_ref();
        json!({
            "id": id, "title": title, "subtitle": subtitle, "access": access, "predefined": entry.is_predefined(),
            "panels": panels.len(), "revision": entry.revision,
        })
    };
    let all: Vec<_> = book.list(&caller).iter().map(brief).collect();
    HttpResponse::Ok().json(json!({"dashboards": all}))
}

/// One dashboard.
#[utoipa::path(
    get, path = "/api/v1/monitoring/dashboards/{id}",
    params(("id" = String, Path, description = "The dashboard.", example = json!("operations"))),
    responses(
        (status = 200, description = "The document.", body = shapes::DashboardDocument),
        (status = 404, description = "There is no such dashboard that the caller may see.")
    )
)]
async fn show(id: Path<String>, book: Data<Book>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    let entry = book.get(&id, &caller)?;
    Ok(HttpResponse::Ok().json(document(&entry, &caller)))
}

/// Makes a dashboard.
#[utoipa::path(
    post, path = "/api/v1/monitoring/dashboards/create",
    request_body = shapes::DashboardBody,
    responses(
        (status = 201, description = "Stored.", body = shapes::DashboardDocument),
        (status = 409, description = "The id is taken, or there are too many."),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn create(body: JsonBytes, book: Data<Book>, asking: Data<Asking>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    let entry = asking.run(move || book.create(Draft::from_json(&body.0)?)).await??;
    Ok(HttpResponse::Created().json(document(&entry, &caller)))
}

/// Changes a dashboard.
#[utoipa::path(
    put, path = "/api/v1/monitoring/dashboards/{id}",
    params(("id" = String, Path, description = "The dashboard.", example = json!("operations"))),
    request_body = shapes::DashboardBody,
    responses(
        (status = 200, description = "Stored.", body = shapes::DashboardDocument),
        (status = 404, description = "There is no such dashboard that the caller may see."),
        (status = 409, description = "The revision is stale."),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn update(id: Path<String>, body: JsonBytes, book: Data<Book>, asking: Data<Asking>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    book.get(&id, &caller)?;
    let entry = asking.run(move || book.update(&id, Draft::from_json(&body.0)?)).await??;
    Ok(HttpResponse::Ok().json(document(&entry, &caller)))
}

/// Deletes a dashboard.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/dashboards/{id}",
    params(("id" = String, Path, description = "The dashboard.", example = json!("operations"))),
    responses(
        (status = 200, description = "Gone, or as it was shipped.", body = shapes::DashboardDeleted),
        (status = 404, description = "There is no such dashboard that the caller may see."),
        (status = 409, description = "It cannot be deleted.")
    )
)]
async fn delete(id: Path<String>, book: Data<Book>, asking: Data<Asking>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    book.get(&id, &caller)?;
    let named = id.clone();
    let deleted = asking.run(move || book.delete(&id)).await??;
    Ok(HttpResponse::Ok().json(json!({"id": named, "deleted": true, "restored": deleted == Deleted::Restored})))
}

/// What the panels of a dashboard show.
#[utoipa::path(
    get, path = "/api/v1/monitoring/dashboards/{id}/data",
    params(
        ("id" = String, Path, description = "The dashboard.", example = json!("operations")),
        ("panel" = Option<String>, Query, description = "Only these, parted by commas."),
        ("start" = Option<String>, Query, description = "From when on.", example = json!("-1h")),
        ("end" = Option<String>, Query, description = "Until when.", example = json!("now")),
        ("step" = Option<String>, Query, description = "From point to point.", example = json!("60"))
    ),
    responses(
        (status = 200, description = "By panel.", body = shapes::DashboardData),
        (status = 404, description = "There is no such dashboard that the caller may see."),
        (status = 422, description = "Understood, but it cannot be evaluated, or takes too much.")
    )
)]
async fn data(id: Path<String>, params: Params, book: Data<Book>, frames: Data<Frames>, asking: Data<Asking>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    let dashboard = book.get(&id, &caller)?.dashboard;
    let stranger = caller.role.is_none();
    let window = window(&params, &dashboard, asking.now())?;
    window.check(stranger)?;
    let panels: Vec<String> = params.all("panel").flat_map(|ids| ids.split(',')).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let text = asking
        .ask("dashboard", None, move |deadline| {
            let frame = frames.data(&dashboard, Some(panels.as_slice()).filter(|ids| !ids.is_empty()), window, deadline)?;
            let frame = if stranger { frame.discreet() } else { frame };
            let mut out = Vec::new();
            answer::json(&mut out, &frame);
            Ok::<_, DashboardError>(out)
        })
        .await?;
    Ok(answer::json_text(text))
}

/// `start`, `end` and `step`; the dashboard's own range up to now where they are not given.
fn window(params: &Params, dashboard: &Dashboard, now: Timestamp) -> Result<Window, Fault> {
    let time = |name: &str| params.get(name).map(|text| parse_moment(text, now).map_err(|e| Fault::field(name, e.to_string()))).transpose();
    let end = time("end")?.unwrap_or(now);
    let start = time("start")?.unwrap_or_else(|| end - dashboard.span());
    let step = params.duration("step")?;
    if step.is_some_and(|step| step.as_millis() == 0) {
        return Err(Fault::field("step", "step must be longer than nothing"));
    }
    Ok(Window { start, end, step })
}

/// A ticket to open the socket.
#[utoipa::path(
    post, path = "/api/v1/monitoring/dashboards/{id}/connect",
    params(("id" = String, Path, description = "The dashboard.", example = json!("operations"))),
    responses(
        (status = 200, description = "Good once.", body = shapes::DashboardTicket),
        (status = 404, description = "There is no such dashboard that the caller may see.")
    )
)]
async fn connect(
    id: Path<String>,
    book: Data<Book>,
    connections: Data<Connections>,
    Who(caller): Who,
    KnownBy(standing): KnownBy,
) -> Result<HttpResponse, Fault> {
    book.get(&id, &caller)?;
    let ticket = connections.ticket(&id, &caller, standing)?;
    let url = format!("{API}/ws/dashboard/{}?ticket={}", *id, ticket.secret);
    Ok(HttpResponse::Ok().json(json!({"connection_id": ticket.connection_id, "url": url, "expires_at": ticket.expires_at})))
}

/// Closes a connection.
#[utoipa::path(
    delete, path = "/api/v1/monitoring/dashboards/connections/{connection}",
    params(("connection" = String, Path, description = "The connection.")),
    responses(
        (status = 200, description = "Closed.", body = shapes::DashboardClosed),
        (status = 404, description = "There is no such connection.")
    )
)]
async fn disconnect(id: Path<String>, connections: Data<Connections>, Who(caller): Who) -> Result<HttpResponse, Fault> {
    connections.close(&id, &caller)?;
    Ok(HttpResponse::Ok().json(json!({"connection_id": *id, "closed": true})))
}

/// The socket of a dashboard.
#[expect(clippy::too_many_arguments, reason = "actix hands each handle to the handler by itself")]
#[utoipa::path(
    get, path = "/api/v1/monitoring/ws/dashboard/{id}",
    params(
        ("id" = String, Path, description = "The dashboard.", example = json!("operations")),
        ("ticket" = Option<String>, Query, description = "From connect; without it the credentials of the request count.")
    ),
    responses(
        (status = 101, description = "A WebSocket: a snapshot, then updates."),
        (status = 426, description = "The request does not ask for a WebSocket."),
        (status = 404, description = "There is no such dashboard that the caller may see.")
    )
)]
async fn socket(
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
    params: Params,
    book: Data<Book>,
    hub: Data<Hub>,
    connections: Data<Connections>,
    stop: Data<Stop>,
    accounts: Data<Accounts>,
    KnownBy(standing): KnownBy,
) -> Result<HttpResponse, Fault> {
    let (standing, connection) = match params.get("ticket") {
        Some(secret) => connections.redeem(secret, &id).map(|(standing, id)| (standing, Some(id)))?,
        None => (standing, None),
    };
    let caller = accounts.caller_of(&standing);
    book.get(&id, &caller)?;
    let response = live::handshake(&request).await?;
    let place = connections.open(&caller, connection)?;
    // A key, a session, an account or the access of the dashboard may end before the socket does.
    let viewer = hub.watch(&id, move |dashboard| dashboard.is_open_to(&accounts.caller_of(&standing)));
    Ok(live::attend(response, payload, viewer, place, stop.get_ref().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn dashboard() -> Dashboard {
        Draft::from_json(br#"{"id":"d","title":"D","range":"30m","panels":[]}"#).unwrap().checked(str::to_owned).unwrap()
    }

    fn read(query: &[(&str, &str)]) -> Result<Window, Fault> {
        window(&Params::of(query), &dashboard(), Timestamp(10_000_000))
    }

    #[test]
    fn times_are_read_as_everywhere_in_this_api() {
        let own = Window { start: Timestamp(10_000_000 - 1_800_000), end: Timestamp(10_000_000), step: None };
        assert_eq!(read(&[]), Ok(own));
        let asked = Window { start: Timestamp(6_400_000), end: Timestamp(9_000_000), step: Some(Duration::from_secs(60)) };
        assert_eq!(read(&[("start", "-1h"), ("end", "9000000"), ("step", "1m")]), Ok(asked));
    }

    #[test]
    fn windows_that_are_too_much_are_refused_by_name() {
        for (query, stranger, field) in [
            (vec![("start", "yesterday")], false, "start"),
            (vec![("step", "0")], false, "step"),
            (vec![("start", "5"), ("end", "5")], false, "end"),
            (vec![("step", "1s"), ("start", "-4h")], false, "step"),
            (vec![("step", "1s"), ("start", "-1h")], true, "step"),
            (vec![("start", "-32d"), ("end", "now")], true, "start"),
        ] {
            let fault = read(&query).and_then(|window| window.check(stranger).map_err(Fault::from)).expect_err("it is refused");
            assert!(format!("{fault:?}").contains(&format!("field: Some({field:?})")), "{query:?}: {fault:?}");
        }
        assert!(read(&[("step", "1s"), ("start", "-3h")]).and_then(|w| w.check(false).map_err(Fault::from)).is_ok());
    }
}
