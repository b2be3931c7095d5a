//! Documents are kept, changes are not lost, and what is refused changes nothing.

use super::*;
use crate::access::{Caller, Role, Scope};
use crate::model::ErrorKind;
use crate::telemetry::{Component, Health};

fn plain(id: &str) -> Draft {
    draft(id, &[("line", "up", serde_json::json!({}))])
}

fn revised(title: &str, revision: Option<u64>) -> Draft {
    let mut text = serde_json::json!({"title": title, "panels": []});
    text["revision"] = revision.map_or(serde_json::Value::Null, Into::into);
    Draft::from_json(text.to_string().as_bytes()).unwrap()
}

#[test]
fn what_was_created_is_there_after_a_restart() {
    let house = House::new();
    let made = house.book().create(plain("mine")).unwrap();
    assert_eq!((made.revision, &made.origin), (1, &Origin::Made));
    let again = house.book().find("mine").unwrap();
    assert_eq!((again.dashboard, again.revision), (made.dashboard, 1));
}

#[test]
fn a_taken_id_is_refused_and_a_title_gets_a_free_one() {
    let book = House::new().book();
    book.create(plain("mine")).unwrap();
    for taken in ["mine", "operations"] {
        assert_eq!(book.create(plain(taken)).unwrap_err().kind(), ErrorKind::Conflict);
    }
    let titled = || Draft::from_json(br#"{"title":"Operations","panels":[]}"#).unwrap();
    assert_eq!(book.create(titled()).unwrap().dashboard.id, "operations-2");
    assert_eq!(book.create(titled()).unwrap().dashboard.id, "operations-3");
}

#[test]
fn a_change_carries_the_revision_that_was_read() {
    let book = House::new().book();
    book.create(plain("mine")).unwrap();
    let changed = book.update("mine", revised("New", Some(1))).unwrap();
    assert_eq!((changed.revision, changed.dashboard.title.as_str()), (2, "New"));
    assert_eq!(book.update("mine", revised("Stale", Some(1))).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(book.update("mine", revised("None", None)).unwrap_err().field(), Some("revision"));
    assert_eq!(book.update("mine", plain("other")).unwrap_err().field(), Some("id"));
    assert_eq!(book.update("nosuch", revised("x", Some(1))).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(book.find("mine").unwrap().dashboard.title, "New");
}

#[test]
fn a_changed_predefined_one_goes_back_to_the_original() {
    let house = House::new();
    let book = house.book();
    let original = book.find("executive").unwrap();
    assert_eq!(book.delete("executive").unwrap_err().kind(), ErrorKind::Conflict);
    let changed = book.update("executive", revised("Ours", Some(original.revision))).unwrap();
    assert!(changed.is_predefined() && changed.dashboard.title == "Ours");
    assert_eq!(house.book().find("executive").unwrap().dashboard.title, "Ours");
    assert_eq!(book.delete("executive").unwrap(), Deleted::Restored);
    assert_eq!(book.find("executive").unwrap().dashboard, original.dashboard);
    assert_eq!(house.book().find("executive").unwrap().origin, Origin::Predefined);
}

#[test]
fn a_deleted_one_is_gone() {
    let house = House::new();
    let book = house.book();
    book.create(plain("mine")).unwrap();
    assert_eq!(book.delete("mine").unwrap(), Deleted::Gone);
    assert!(book.find("mine").is_none() && house.book().find("mine").is_none());
    assert_eq!(book.delete("mine").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn nobody_sees_what_is_not_for_them() {
    let book = House::new().book();
    for access in ["public", "viewer", "editor", "admin"] {
        let text = serde_json::json!({"id": access, "title": access, "access": access, "panels": []}).to_string();
        book.create(Draft::from_json(text.as_bytes()).unwrap()).unwrap();
    }
    let seen = |caller: &Caller| -> Vec<String> {
        let all = book.list(caller).into_iter().filter(|entry| !entry.is_predefined());
        all.map(|entry| entry.dashboard.id.clone()).collect()
    };
    let with = |role| Caller { name: "x".into(), role: Some(role), scope: Scope::Read };
    assert_eq!(seen(&Caller::stranger()), ["public"]);
    assert_eq!(seen(&with(Role::Viewer)), ["public", "viewer"]);
    assert_eq!(seen(&with(Role::Admin)), ["admin", "editor", "public", "viewer"]);
    assert!(matches!(book.get("editor", &with(Role::Viewer)), Err(DashboardError::Forbidden(_))));
    // Strangers learn nothing of what there is.
    for id in ["viewer", "nosuch"] {
        assert!(matches!(book.get(id, &Caller::stranger()), Err(DashboardError::SignIn)));
    }
    assert!(book.get("public", &Caller::stranger()).is_ok());
}

#[test]
fn a_broken_file_is_named_and_the_others_are_shown() {
    let house = House::new();
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("good.yaml", "title: Good\npanels:\n  - {title: Up, type: line, query: up, x: 0, y: 0, w: 6, h: 3}\n");
    write("bad.yaml", "title: Bad\npanels: [\n");
    write("operations.yml", "title: Mine\npanels: []\n");
    write("notes.txt", "not a dashboard");
    let book = Book::open(house.catalog.clone(), Some(directory.path().into()), house.health.clone()).unwrap();
    let state = || house.health.overall().components[&Component::Dashboards].clone();
    let message = state().message.unwrap();
    assert!(message.contains("bad.yaml") && message.contains("operations.yml") && !message.contains("good.yaml"), "{message}");
    let entry = book.find("good").unwrap();
    assert!(matches!(entry.origin, Origin::File(_)) && entry.dashboard.panels.len() == 1);
    for refused in [book.update("good", revised("x", Some(0))).unwrap_err(), book.delete("good").unwrap_err()] {
        assert!(refused.kind() == ErrorKind::Conflict && refused.to_string().contains("good.yaml"), "{refused}");
    }
    std::fs::remove_file(directory.path().join("bad.yaml")).unwrap();
    std::fs::remove_file(directory.path().join("operations.yml")).unwrap();
    write("good.yaml", "title: Better\npanels: []\n");
    book.reload();
    assert_eq!((state().health, book.find("good").unwrap().dashboard.title.as_str()), (Health::Healthy, "Better"));
}
