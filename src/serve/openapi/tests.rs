//! The document and the routes are the same set: neither promises what the other has not.

use std::collections::BTreeSet;
use std::path::Path;

use actix_web::App;
use actix_web::test::{TestRequest, call_service, init_service};

use super::*;

/// Methods that an operation can have; HEAD goes with GET.
const METHODS: [Method; 4] = [Method::GET, Method::PUT, Method::POST, Method::DELETE];

/// `/ui/{path:.*}` is `/ui/{path}`.
fn plain(pattern: &str) -> String {
    let mut out = String::new();
    let mut in_regex = false;
    for c in pattern.chars() {
        match c {
            ':' => in_regex = true,
            '}' => in_regex = false,
            _ => {}
        }
        if !in_regex {
            out.push(c);
        }
    }
    out
}

/// Every path that stands in the source of the routes.
fn paths_of_the_source() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve/routes");
    let mut out = BTreeSet::from([PATH.to_owned()]);
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        // After the opening bracket of a call: paths of annotations stand after `path = `.
        let pieces: Vec<&str> = code.split('"').collect();
        for pair in pieces.windows(2) {
            let called = pair[0].trim_end().ends_with('(') && !pair[0].trim_end().ends_with("s_with(");
            if called && pair[1].starts_with('/') {
                out.insert(plain(pair[1]));
            }
        }
    }
    out
}

/// Which of the methods a path answers; a handler that lacks its data here has been reached all the same.
async fn methods_of(path: &str) -> BTreeSet<String> {
    let app = init_service(App::new().configure(|config| routes::all(config, 1000))).await;
    let asked = path.replace(['{', '}'], "");
    let mut out = BTreeSet::new();
    for method in METHODS {
        let request = TestRequest::with_uri(&asked).method(method.clone()).to_request();
        let response = call_service(&app, request).await;
        let matched = response.request().match_pattern().map(|pattern| plain(&pattern));
        if matched.as_deref() == Some(path) && response.status() != 405 {
            out.insert(method.to_string());
        }
    }
    out
}

#[actix_web::test]
async fn every_route_is_in_the_document_with_its_methods_and_nothing_else_is() {
    let mut document = document();
    let described: BTreeSet<String> = document.paths.paths.keys().cloned().collect();
    assert_eq!(described, paths_of_the_source());
    for (path, item) in &mut document.paths.paths {
        let methods: BTreeSet<String> = operations(item).map(|(method, _)| method.to_string()).collect();
        assert_eq!(methods, methods_of(path).await, "{path}");
    }
}

#[test]
fn every_operation_has_its_own_name_and_says_what_goes_wrong_in_the_shape_of_its_path() {
    let mut document = document();
    let mut names = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            assert!(operation.summary.as_ref().is_some_and(|text| !text.is_empty()), "{method} {path} has no summary");
            assert!(names.insert(operation.operation_id.clone().unwrap()), "{method} {path}: its name is taken");
            for (status, response) in &operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                assert_eq!(response.content.is_empty(), ["101", "204", "304"].contains(&status.as_str()), "{method} {path} {status}");
            }
        }
    }
    let text = serde_json::to_string(&document).unwrap();
    for name in text.split("#/components/responses/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.components.as_ref().is_some_and(|c| c.responses.contains_key(name)), "{name} is not there");
    }
    assert!(text.contains(r##""$ref":"#/components/schemas/MonitoringError""##) && text.contains(r#""latido_session""#));
    assert_eq!(document.info.version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn what_may_be_asked_by_form_has_its_parameters_in_the_body() {
    let document = serde_json::to_value(document()).unwrap();
    let post = &document["paths"]["/api/v1/query"]["post"];
    assert!(post["parameters"].is_null(), "{post}");
    let form = &post["requestBody"]["content"][FORM]["schema"];
    assert_eq!(form["required"], serde_json::json!(["query"]));
    assert!(form["properties"]["time"].is_object());
    assert_eq!(document["paths"]["/api/v1/query"]["get"]["parameters"][0]["name"], "query");
}
