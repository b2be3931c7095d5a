//! Every route that the router knows is walked by everybody who may come. Guards against a route that
//! was added without a thought of who may use it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use actix_web::{App, HttpRequest, web};

use super::*;
use crate::access::{NewKey, Role, Scope};
use crate::serve::caller::COOKIE;
use crate::serve::measure::{InFlight, Watch, measure};
use crate::serve::routes;
use crate::task::Stop;
use crate::telemetry::OwnMetrics;

fn watch() -> Data<Watch> {
    let (_, stop) = Stop::new();
    Data::new(Watch::of_box(stop, OwnMetrics::new().unwrap(), InFlight::default()))
}

/// Every route of the router, as patterns: it shows them in no other way than its debug text.
async fn every_route() -> Vec<String> {
    let seen = Arc::new(Mutex::new(String::new()));
    let shown = Data::new(seen.clone());
    async fn show(request: HttpRequest, shown: Data<Arc<Mutex<String>>>) -> &'static str {
        *shown.lock().unwrap() = format!("{:?}", request.resource_map());
        ""
    }
    let app = App::new().app_data(shown).configure(|config| routes::all(config, 1000)).route("/show/the/map", web::get().to(show));
    let app = init_service(app).await;
    call_service(&app, TestRequest::get().uri("/show/the/map").to_request()).await;
    let text = seen.lock().unwrap().clone();
    let patterns: BTreeSet<&str> = text.split("Single(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    patterns.into_iter().filter(|pattern| !pattern.is_empty() && *pattern != "/show/the/map").map(str::to_owned).collect()
}

/// What a pattern looks like when it is asked for.
fn path_of(pattern: &str) -> String {
    pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

/// What each kind of caller is answered at a door: 401, 403, or 200 for whatever lies behind it.
const fn answers(need: Need) -> [u16; 6] {
    match need {
        // In the order of `CALLERS`.
        Need::Open | Need::Public => [200, 200, 200, 200, 200, 200],
        Need::Read => [401, 200, 200, 200, 200, 200],
        Need::Write => [401, 403, 200, 200, 403, 200],
        Need::Admin => [401, 403, 403, 200, 200, 403],
        Need::AdminWrite => [401, 403, 403, 200, 403, 403],
    }
}

const CALLERS: [&str; 6] = ["stranger", "viewer", "editor", "admin", "admin's key for reading", "editor's key for writing"];

#[actix_web::test]
async fn every_route_is_passed_by_those_who_may_and_by_nobody_else() {
    let watch = watch();
    let accounts = watch.doorkeeper.accounts.clone();
    let mut shows: Vec<Option<(&str, String)>> = vec![None];
    for role in Role::ALL {
        accounts.add_user(role.as_str(), role, "correct horse").unwrap();
        let token = accounts.sign_in(role.as_str(), "correct horse", None).unwrap().token;
        shows.push(Some(("cookie", format!("{COOKIE}={token}"))));
    }
    for (role, scope) in [(Role::Admin, Scope::Read), (Role::Editor, Scope::Write)] {
        let (_, key) = accounts.create_key(NewKey { name: None, role, scope, expires: None }).unwrap();
        shows.push(Some(("authorization", format!("Bearer {key}"))));
    }
    let app = App::new().app_data(watch).configure(|config| routes::all(config, 1000)).wrap(from_fn(measure));
    let app = init_service(app).await;
    let mut walked = 0;
    for pattern in every_route().await {
        let path = path_of(&pattern);
        let ask = |method: Method, show: &Option<(&'static str, String)>| {
            let mut request = TestRequest::with_uri(&path).method(method).insert_header(("host", "localhost"));
            if let Some((name, value)) = show {
                request = request.insert_header((*name, value.as_str()));
            }
            request.to_request()
        };
        // The route itself says which methods it takes.
        let told = call_service(&app, ask(Method::PATCH, &shows[3])).await;
        assert_eq!(told.status(), StatusCode::METHOD_NOT_ALLOWED, "{pattern} takes PATCH, or does not say what it takes");
        let allow = told.headers().get("allow").unwrap_or_else(|| panic!("{pattern} has no Allow")).to_str().unwrap().to_owned();
        for method in allow.split(", ") {
            let method: Method = method.parse().unwrap();
            let need = listed(&method, &pattern).or_else(|| is_page(&path).then_some(Need::Open));
            let need = need.unwrap_or_else(|| panic!("{method} {pattern} is not in DOORS"));
            for ((caller, show), expected) in CALLERS.iter().zip(&shows).zip(answers(need)) {
                let status = call_service(&app, ask(method.clone(), show)).await.status().as_u16();
                let passed = if matches!(status, 401 | 403) { status } else { 200 };
                assert_eq!(passed, expected, "{method} {pattern} by {caller}: {status}");
                walked += 1;
            }
        }
    }
    assert!(walked > 300, "the routes were found: {walked}");
}

#[actix_web::test]
async fn an_unlisted_route_and_a_path_in_disguise_are_closed_to_strangers() {
    let watch = watch();
    watch.doorkeeper.accounts.add_user("ana", Role::Admin, "correct horse").unwrap();
    async fn behind() -> &'static str {
        "behind the door"
    }
    let app = App::new().app_data(watch).route("/api/v1/new", web::get().to(behind)).route("/api/v1/query", web::get().to(behind)).wrap(from_fn(measure));
    let app = init_service(app).await;
    for path in ["/api/v1/new", "/%61pi/v1/query", "/api/v1/%71uery", "/api/v1/query?x=1", "/api/v1/query#x"] {
        let response = call_service(&app, TestRequest::with_uri(path).insert_header(("host", "localhost")).to_request()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["//api/v1/query", "/x/../api/v1/query", "/api/v1/query/", "/./api/v1/query"] {
        let response = call_service(&app, TestRequest::with_uri(path).insert_header(("host", "localhost")).to_request()).await;
        assert!(matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND), "{path}");
    }
}

#[actix_web::test]
async fn what_is_contracted_to_be_open_or_closed_is() {
    let at = |method: &Method, route: &str| listed(method, route).unwrap_or_else(|| panic!("{method} {route}"));
    for open in ["/-/healthy", "/-/ready"] {
        assert_eq!(at(&Method::GET, open), Need::Open);
    }
    assert_eq!(at(&Method::GET, "/metrics"), Need::Read);
    for write in ["/api/v1/write", "/api/v1/monitoring/metrics/custom/record", "/api/v1/monitoring/dashboards/create", "/api/v1/monitoring/alerts/rules"] {
        assert_eq!(at(&Method::POST, write), Need::Write, "{write}");
    }
    for read in ["/api/v1/rules", "/api/v1/alerts"] {
        assert_eq!(at(&Method::GET, read), Need::Read, "{read}");
        assert_eq!(listed(&Method::POST, read), None, "{read}");
    }
    // Tried and not stored; whose connection it is the handler looks at.
    assert_eq!(at(&Method::POST, "/api/v1/monitoring/alerts/rules/test"), Need::Read);
    assert_eq!(at(&Method::DELETE, "/api/v1/monitoring/dashboards/connections/{connection}"), Need::Public);
    for admin in ["/-/reload", "/api/v1/monitoring/maintenance/settle", "/api/v1/admin/tsdb/delete_series", "/api/v1/monitoring/access/users"] {
        assert_eq!(at(&Method::POST, admin), Need::AdminWrite, "{admin}");
    }
}

#[test]
fn what_is_not_listed_is_closed_but_for_the_pages_files() {
    for (method, path, expected) in [
        (Method::GET, "/", Need::Open),
        (Method::HEAD, "/d/operations", Need::Open),
        (Method::GET, "/app.css", Need::Open),
        (Method::GET, "/apis", Need::Open),
        (Method::POST, "/", Need::AdminWrite),
        (Method::POST, "/api/v1/nothing", Need::AdminWrite),
        (Method::DELETE, "/metrics", Need::AdminWrite),
        (Method::PATCH, "/api/v1/monitoring/alerts/rules", Need::AdminWrite),
        (Method::GET, "/api", Need::Read),
        (Method::GET, "/api/v1/nothing", Need::Read),
        (Method::GET, "/-/", Need::Read),
        (Method::GET, "/metrics/x", Need::Read),
    ] {
        assert_eq!(need(&method, path, None), expected, "{method} {path}");
        assert_eq!(need(&method, path, Some("/{path:.*}")), expected, "{method} {path}");
    }
}

#[test]
fn head_needs_what_get_needs_and_each_method_its_own() {
    let at = |method: Method, route: &str| need(&method, route, Some(route));
    assert_eq!(at(Method::HEAD, "/-/ready"), Need::Open);
    assert_eq!(at(Method::GET, "/api/v1/monitoring/alerts/rules"), Need::Read);
    assert_eq!(at(Method::POST, "/api/v1/monitoring/alerts/rules"), Need::Write);
    assert_eq!(at(Method::DELETE, "/-/ready"), Need::AdminWrite);
}

#[test]
fn no_route_stands_twice() {
    let mut all: Vec<(&str, &str)> = DOORS.iter().flat_map(|(methods, route, _)| methods.split(' ').map(|method| (*route, method))).collect();
    let before = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), before);
}
