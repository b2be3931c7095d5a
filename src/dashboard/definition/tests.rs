//! What is refused names panel and field; what is taken is whole.

use serde_json::{Value, json};

use super::*;
use crate::dashboard::DashboardError;

fn checked(document: &Value) -> Result<Dashboard, DashboardError> {
    Draft::from_json(document.to_string().as_bytes())?.checked(str::to_owned)
}

fn panel(change: Value) -> Value {
    let mut panel = json!({"id": "p", "title": "P", "type": "line", "query": "up", "x": 0, "y": 0, "w": 6, "h": 3});
    for (key, value) in change.as_object().unwrap() {
        if value.is_null() {
            panel.as_object_mut().unwrap().remove(key);
        } else {
            panel[key] = value.clone();
        }
    }
    panel
}

fn with_panels(panels: Vec<Value>) -> Value {
    json!({"id": "d", "title": "D", "panels": panels})
}

fn refused(document: &Value) -> (String, String) {
    let error = checked(document).expect_err("it is refused");
    (error.field().unwrap_or_default().to_owned(), error.to_string())
}

#[test]
fn what_is_left_out_is_made() {
    let document =
        json!({"title": "My  own: board!", "panels": [panel(json!({"id": null, "title": "Load"})), panel(json!({"id": null, "title": "Load", "x": 6}))]});
    let made = checked(&document).unwrap();
    assert_eq!((made.id.as_str(), made.access, made.theme, made.span()), ("my-own-board", Access::Viewer, Theme::Auto, DEFAULT_RANGE));
    let ids: Vec<&str> = made.panels.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["load", "load-2"]);
    assert_eq!(made.panels[0].queries, [PanelQuery { query: "up".into(), legend: None }]);
}

#[test]
fn a_document_reads_back_as_it_was_written() {
    let document = json!({"id": "d", "title": "D", "subtitle": "s", "access": "public", "theme": "dark", "refresh": 5, "range": "30m", "panels": [
        panel(json!({"query": null, "queries": [{"query": "rate(x[$__rate_interval])", "legend": "{{a}}"}], "unit": "bytes", "options": {"own": [1], "stack": true}})),
    ]});
    let made = checked(&document).unwrap();
    let text = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<Dashboard>(&text).unwrap(), made);
    assert_eq!(made.refresh.as_deref(), Some("5s"));
    // What was shown can be sent back.
    let mut back: Value = serde_json::from_str(&text).unwrap();
    back["revision"] = json!(4);
    back["predefined"] = json!(false);
    assert_eq!(Draft::from_json(back.to_string().as_bytes()).unwrap().revision(), Some(4));
    assert_eq!(checked(&back).unwrap(), made);
}

#[test]
fn strangers_see_no_queries() {
    let text = serde_json::to_string(&checked(&with_panels(vec![panel(json!({}))])).unwrap().without_queries()).unwrap();
    assert!(!text.contains("up"), "{text}");
}

#[test]
fn what_is_wrong_names_panel_and_field() {
    for (change, field, word) in [
        (json!({"type": "donut"}), "panels[0].type", "donut"),
        (json!({"x": 12}), "panels[0].x", "between 0 and 11"),
        (json!({"x": 7}), "panels[0].w", "column 13"),
        (json!({"w": 0}), "panels[0].w", "between 1 and 12"),
        (json!({"h": 13}), "panels[0].h", "between 1 and 12"),
        (json!({"y": -1}), "panels[0].y", "between 0 and 999"),
        (json!({"id": "a b"}), "panels[0].id", "a b"),
        (json!({"query": ""}), "panels[0].query", "empty"),
        (json!({"query": null}), "panels[0].query", "no query"),
        (json!({"queries": []}), "panels[0].query", "one of them"),
        (json!({"query": "sum(rate(x[5m])"}), "panels[0].query", "character 16"),
        (json!({"query": null, "queries": [{"query": "up"}, {"query": "1 +* 2"}]}), "panels[0].queries[1].query", "\"p\""),
        (json!({"query": null, "queries": [{"quary": "up"}]}), "panels[0].queries[0].quary", "quary"),
        (json!({"query": "x[5m]"}), "panels[0].query", "range vector"),
        (json!({"colour": "red"}), "panels[0].colour", "unknown field"),
        (json!({"w": "wide"}), "panels[0]", "wide"),
        (json!({"title": null}), "panels[0].title", "missing field"),
        (json!({"unit": "a unit that is far too long"}), "panels[0].unit", "24"),
        (json!({"options": {"stack": "yes"}}), "panels[0].options.stack", "true or false"),
    ] {
        let (found, message) = refused(&with_panels(vec![panel(change.clone())]));
        assert_eq!(found, field, "{change}: {message}");
        assert!(message.contains(word), "{change}: {message}");
    }
}

#[test]
fn what_is_wrong_with_the_whole_is_told() {
    for (document, field) in [
        (json!({"id": "d", "panels": []}), "title"),
        (json!({"id": "d", "title": "", "panels": []}), "title"),
        (json!({"id": "d", "title": "t".repeat(121), "panels": []}), "title"),
        (json!({"id": "list", "title": "t", "panels": []}), "id"),
        (json!({"id": "../x", "title": "t", "panels": []}), "id"),
        (json!({"id": "d", "title": "t", "access": "root", "panels": []}), "access"),
        (json!({"id": "d", "title": "t", "theme": "blue", "panels": []}), "theme"),
        (json!({"id": "d", "title": "t", "range": "1x", "panels": []}), "range"),
        (json!({"id": "d", "title": "t", "refresh": "1ms", "panels": []}), "refresh"),
        (json!({"id": "d", "title": "t"}), "panels"),
        (json!({"id": "d", "title": "t", "panels": [], "extra": 1}), "extra"),
        (with_panels((0..65).map(|i| panel(json!({"id": format!("p{i}"), "y": 3 * i}))).collect()), "panels"),
        (with_panels(vec![panel(json!({})), panel(json!({"x": 6}))]), "panels[1].id"),
        (with_panels(vec![panel(json!({"query": null, "queries": vec![json!({"query": "up"}); 21]}))]), "panels[0].queries"),
    ] {
        let (found, message) = refused(&document);
        assert_eq!(found, field, "{message}");
    }
    assert!(Draft::from_json(b"{").is_err());
}

#[test]
fn panels_that_overlap_are_both_named() {
    let (field, message) = refused(&with_panels(vec![panel(json!({"id": "left"})), panel(json!({"id": "right", "x": 5}))]));
    assert_eq!(field, "panels[1]");
    assert!(message.contains("\"left\"") && message.contains("\"right\""), "{message}");
    assert!(checked(&with_panels(vec![panel(json!({"id": "left"})), panel(json!({"id": "below", "y": 3}))])).is_ok());
}
