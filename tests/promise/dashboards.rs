//! Dashboards are kept: what was acknowledged is there after a restart and after kill -9, what was
//! refused left nothing behind, and sockets show what the store has. Guards against half-stored
//! documents, lost changes, and frames that differ from a query.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use crate::harness::{Answer, Daemon, Setup, eventually, now_ms, raw_request};

const SOON: Duration = Duration::from_secs(30);

type Socket = WebSocket<TcpStream>;

fn board(id: &str) -> Value {
    json!({"id": id, "title": "Mine", "access": "editor", "theme": "dark", "refresh": "5s", "panels": [
        {"id": "load", "title": "Load", "type": "line", "query": "node_load1", "x": 0, "y": 0, "w": 6, "h": 3},
        {"title": "Two", "type": "table", "queries": [{"query": "up", "legend": "{{source}}"}, {"query": "sum(up)"}], "x": 6, "y": 0, "w": 6, "h": 3, "unit": "count",
         "options": {"sort": 0, "own": {"kept": [1, "a", null, true]}}},
    ]})
}

/// A request with a body, of any method.
fn send(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let head = format!(
        "{method} /api/v1/monitoring/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    raw_request(daemon.port(), &head, body.as_bytes())
}

fn ids(daemon: &Daemon) -> Vec<String> {
    let list = daemon.client().api("dashboards/list");
    list["dashboards"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

fn open(daemon: &Daemon, id: &str) -> Socket {
    let stream = TcpStream::connect(("127.0.0.1", daemon.port())).expect("latido accepts");
    stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    let url = format!("ws://127.0.0.1:{}/api/v1/monitoring/ws/dashboard/{id}", daemon.port());
    tungstenite::client(url, stream).expect("the handshake is answered").0
}

/// The next frame; pings are answered on the way.
fn frame(socket: &mut Socket) -> Value {
    loop {
        match socket.read().expect("a frame comes") {
            Message::Text(text) => return serde_json::from_str(&text).expect("frames are JSON"),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("a frame is a text: {other:?}"),
        }
    }
}

/// The code with which the daemon closes; frames before it are let pass.
fn closed_with(socket: &mut Socket) -> CloseCode {
    loop {
        if let Message::Close(close) = socket.read().expect("the daemon says that it closes") {
            return close.expect("with a code").code;
        }
    }
}

#[test]
fn the_predefined_dashboards_are_there_and_operations_is_alive() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let list = daemon.client().api("dashboards/list");
    for id in ["operations", "development", "executive"] {
        let found = list["dashboards"].as_array().expect("a list").iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id} is listed: {list}"));
        assert!(found["predefined"] == true && found["access"] == "viewer" && found["title"].is_string(), "{found}");
        let document = daemon.client().api(&format!("dashboards/{id}"));
        assert!(document["panels"].as_array().is_some_and(|panels| panels.len() >= 8) && document["revision"] == 0, "{document}");
    }
    // Rates need a few rounds.
    eventually("every panel of operations shows something", SOON, || {
        let data = daemon.client().api("dashboards/operations/data");
        let idle: Vec<&String> = data["panels"].as_object()?.iter().filter(|(_, panel)| panel["state"] != "ok").map(|(id, _)| id).collect();
        // Not every machine says how long tasks waited.
        idle.iter().all(|id| *id == "pressure").then_some(())
    });
}

#[test]
fn seconds_after_the_first_start_lines_bars_and_cells_are_there() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    eventually("ten samples", SOON, || daemon.client().value("count_over_time(node_load1[1m])", now_ms()).filter(|count| *count >= 10.0));
    let count = |panel: &Value| {
        let series = panel["series"].as_array().into_iter().flatten();
        series.filter_map(|one| one["points"].as_array()).map(Vec::len).max().unwrap_or(0)
    };
    let mut socket = open(&daemon, "operations");
    for panels in [daemon.client().api("dashboards/operations/data")["panels"].take(), frame(&mut socket)["panels"].take()] {
        // A rate needs two samples first.
        for (id, least) in [("load", 9), ("processes", 9), ("stored", 4), ("commits", 4)] {
            assert!(count(&panels[id]) >= least && panels[id]["step"] == 1000, "{id} has {least} points of a second: {}", panels[id]);
        }
    }
}

#[test]
fn a_dashboard_survives_a_restart_and_kill_9() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let made = daemon.client().post("dashboards/create", &board("mine")).expect(201);
    assert_eq!((made["revision"].as_u64(), made["predefined"].as_bool()), (Some(1), Some(false)));
    assert_eq!(made["panels"][1]["options"]["own"], json!({"kept": [1, "a", null, true]}));
    assert_eq!(made["panels"][1]["id"], "two");
    daemon.kill();
    let daemon = setup.start();
    assert_eq!(daemon.client().api("dashboards/mine"), made);
    let mut changed = made.clone();
    changed["title"] = json!("Changed");
    let second = send(&daemon, "PUT", "dashboards/mine", &changed).expect(200);
    assert_eq!((second["title"].as_str(), second["revision"].as_u64()), (Some("Changed"), Some(2)));
    assert!(send(&daemon, "PUT", "dashboards/mine", &changed).expect_error(409).contains("revision"));
    daemon.stop();
    let daemon = setup.start();
    assert_eq!(daemon.client().api("dashboards/mine"), second);
    send(&daemon, "DELETE", "dashboards/mine", &json!({})).expect(200);
    daemon.kill();
    let daemon = setup.start();
    daemon.client().get("/api/v1/monitoring/dashboards/mine").expect_error(404);
}

#[test]
fn a_broken_document_is_refused_with_its_place_and_leaves_nothing() {
    let daemon = Setup::quiet().start();
    let before = ids(&daemon);
    let panel = |change: Value| {
        let mut document = board("broken");
        for (key, value) in change.as_object().expect("an object") {
            document["panels"][0][key] = value.clone();
        }
        document
    };
    for (document, field, word) in [
        (panel(json!({"query": "sum(rate(x[5m])"})), "panels[0].query", "character 16"),
        (panel(json!({"type": "donut"})), "panels[0].type", "load"),
        (panel(json!({"w": 7})), "panels[1]", "overlap"),
        (panel(json!({"w": 70})), "panels[0].w", "12"),
        (panel(json!({"colour": 1})), "panels[0].colour", "colour"),
        (json!({"title": "No panels"}), "panels", "panels"),
        (json!({"title": "x", "panels": [], "acces": "public"}), "acces", "acces"),
    ] {
        let answer = daemon.client().post("dashboards/create", &document).expect(400);
        assert_eq!(answer["error"]["field"], field, "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|message| message.contains(word)), "{answer}");
    }
    daemon.client().post_text("dashboards/create", "{\"title\":").expect_error(400);
    daemon.client().post("dashboards/create", &board("operations")).expect_error(409);
    assert_eq!(ids(&daemon), before);
}

#[test]
fn a_predefined_dashboard_can_be_changed_and_shows_again_as_it_was() {
    let daemon = Setup::quiet().start();
    let original = daemon.client().api("dashboards/executive");
    assert!(send(&daemon, "DELETE", "dashboards/executive", &json!({})).expect_error(409).contains("comes with the program"));
    let changed = json!({"title": "Ours", "panels": [], "revision": 0});
    assert_eq!(send(&daemon, "PUT", "dashboards/executive", &changed).expect(200)["predefined"], true);
    assert_eq!(daemon.client().api("dashboards/executive")["title"], "Ours");
    assert_eq!(send(&daemon, "DELETE", "dashboards/executive", &json!({})).expect(200)["restored"], true);
    assert_eq!(daemon.client().api("dashboards/executive"), original);
}

#[test]
fn data_is_what_a_query_answers() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    daemon.client().post("dashboards/create", &board("mine")).expect(201);
    eventually("a few samples", SOON, || daemon.client().value("count_over_time(node_load1[1m])", now_ms()).filter(|count| *count >= 4.0));
    let (end, start) = (now_ms() / 1000 * 1000, now_ms() / 1000 * 1000 - 3000);
    let data = daemon.client().api(&format!("dashboards/mine/data?panel=load&start={start}&end={end}&step=1s"));
    assert_eq!(data["panels"].as_object().expect("panels").len(), 1);
    let series = &data["panels"]["load"]["series"][0];
    let points: Vec<(i64, f64)> = series["points"].as_array().expect("points").iter().map(|p| (p[0].as_i64().unwrap(), p[1].as_f64().unwrap())).collect();
    assert_eq!(points, daemon.client().range("node_load1", start, end, 1000));
    assert!(series["tier"] == "raw" && series["labels"]["job"] == "node" && series["name"].is_string(), "{series}");
    for (query, status, field) in
        [("panel=nosuch", 404, "nosuch"), ("start=-30d&step=1s", 400, "points"), ("step=0", 400, "step"), ("start=yesterday", 400, "yesterday")]
    {
        let message = daemon.client().get(&format!("/api/v1/monitoring/dashboards/mine/data?{query}")).expect_error(status);
        assert!(message.contains(field), "{query}: {message}");
    }
    assert!(daemon.client().get("/api/v1/monitoring/dashboards/nosuch/data").expect_error(404).contains("nosuch"));
}

#[test]
fn an_update_holds_only_what_is_newer_and_is_complete() {
    let daemon = Setup::collecting().set("collection.interval=1s").start();
    let mut socket = open(&daemon, "operations");
    let snapshot = frame(&mut socket);
    assert_eq!(snapshot["type"], "snapshot");
    let mut before = snapshot["t"].as_i64().expect("a time");
    let mut seen = Vec::new();
    for _ in 0..4 {
        let update = frame(&mut socket);
        let t = update["t"].as_i64().expect("a time");
        assert!(update["type"] == "update" && t > before && t % 1000 == 0, "{t} after {before}: {update}");
        for (id, panel) in update["panels"].as_object().expect("panels") {
            for point in panel["series"].as_array().expect("series").iter().flat_map(|series| series["points"].as_array().expect("points")) {
                let at = point[0].as_i64().expect("a time");
                assert!(at > before && at <= t, "{id}: a point at {at} between {before} and {t}");
            }
        }
        seen.push((t, update["panels"]["load"]["series"][0]["points"][0][1].as_f64().expect("a value")));
        before = t;
    }
    for (t, value) in seen {
        assert_eq!(daemon.client().value("node_load1", t), Some(value), "what was shown is what the store has at {t}");
    }
}

#[test]
fn what_does_not_belong_into_a_socket_closes_it_with_the_reason() {
    let daemon = Setup::quiet().start();
    let mut binary = open(&daemon, "operations");
    binary.send(Message::binary(vec![1, 2, 3])).expect("it is sent");
    assert_eq!(closed_with(&mut binary), CloseCode::Unsupported);
    let mut huge = open(&daemon, "operations");
    // The head of a masked text of 10 MB, and none of the rest.
    huge.get_mut().write_all(&[0x81, 0xff, 0, 0, 0, 0, 0, 0x98, 0x96, 0x80, 1, 2, 3, 4]).expect("it is sent");
    assert_eq!(closed_with(&mut huge), CloseCode::Size);
    let mut garbled = open(&daemon, "operations");
    garbled.get_mut().write_all(&[0x83, 0x80, 0, 0, 0, 0]).expect("it is sent");
    assert_eq!(closed_with(&mut garbled), CloseCode::Protocol);
    let mut text = open(&daemon, "operations");
    text.send(Message::text("{\"hello\":1}")).expect("it is sent");
    assert_eq!(frame(&mut text)["type"], "snapshot");
    assert_eq!(frame(&mut text)["type"], "update");
}

#[test]
fn a_connection_can_be_closed_by_its_id_and_a_stop_says_goodbye() {
    let daemon = Setup::quiet().start();
    let connected = daemon.client().post("dashboards/operations/connect", &json!({})).expect(200);
    let path = connected["url"].as_str().expect("a path").to_owned();
    let stream = TcpStream::connect(("127.0.0.1", daemon.port())).expect("latido accepts");
    stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    let mut socket = tungstenite::client(format!("ws://127.0.0.1:{}{path}", daemon.port()), stream).expect("it opens").0;
    assert_eq!(frame(&mut socket)["type"], "snapshot");
    let id = connected["connection_id"].as_str().expect("an id");
    send(&daemon, "DELETE", &format!("dashboards/connections/{id}"), &json!({})).expect(200);
    assert_eq!(closed_with(&mut socket), CloseCode::Normal);
    eventually("its place is free", SOON, || (daemon.client().api("dashboards/stats")["connections"] == 0).then_some(()));
    send(&daemon, "DELETE", &format!("dashboards/connections/{id}"), &json!({})).expect_error(404);
    let mut staying = open(&daemon, "operations");
    frame(&mut staying);
    daemon.stop();
    assert_eq!(closed_with(&mut staying), CloseCode::Away);
}

#[test]
fn dashboards_in_a_directory_are_read_at_the_start_and_at_a_reload() {
    let setup = Setup::quiet();
    let directory = setup.home().join("boards");
    std::fs::create_dir(&directory).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).expect("a file");
    write("team.yaml", "title: Team\npanels:\n  - {title: Up, type: line, query: up, x: 0, y: 0, w: 6, h: 3}\n");
    write("broken.yaml", "title: Broken\npanels:\n  - {title: Up}\n");
    let daemon = setup.set(&format!("dashboards.directory={}", directory.display())).start();
    assert_eq!(daemon.client().api("dashboards/team")["title"], "Team");
    let health = daemon.client().api("metrics/health");
    let state = &health["components"]["dashboards"];
    assert!(state["status"] == "degraded" && state["message"].as_str().is_some_and(|m| m.contains("broken.yaml")), "{health}");
    let refused = send(&daemon, "PUT", "dashboards/team", &json!({"title": "x", "panels": [], "revision": 0})).expect_error(409);
    assert!(refused.contains("team.yaml"), "{refused}");
    std::fs::remove_file(directory.join("broken.yaml")).expect("it is removed");
    write("team.yaml", "title: Better\npanels: []\n");
    let head = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(raw_request(daemon.port(), head, b"").status, 200);
    assert_eq!(daemon.client().api("dashboards/team")["title"], "Better");
    assert_eq!(daemon.client().api("metrics/health")["components"]["dashboards"]["status"], "healthy");
}
