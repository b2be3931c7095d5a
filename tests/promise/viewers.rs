//! Many people look at one dashboard: each gets every update, whoever does not read disturbs nobody,
//! more than the limit are told so, and when they leave the daemon goes back to its own pace.
//! Guards against a slow viewer that holds up the others or grows the daemon's memory.

use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::harness::{Client, Daemon, Setup, eventually, now_ms};

const VIEWERS: usize = 100;
/// Updates that each viewer has to get after all are there.
const UPDATES: usize = 5;
/// Frames while one viewer sleeps: many times what the buffers on its way hold.
const MISSED: usize = 18;
/// A frame's longest way on a busy machine with two cores and a debug build.
const FRAME_WITHIN: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(30);
/// What a hundred viewers may add to the daemon's memory, those that do not read included.
const GROWTH_KIB: u64 = 100 * 1024;
/// The time between two frames of the default profile.
const TICK_MS: i64 = 1000;

type Socket = WebSocket<TcpStream>;

/// Opens the socket of a dashboard; the error is the HTTP status.
fn try_open(port: u16, path: &str) -> Result<Socket, u16> {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("latido accepts");
    stream.set_read_timeout(Some(FRAME_WITHIN)).expect("a timeout can be set");
    match tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("the handshake is answered: {error}"),
    }
}

fn open(port: u16, id: &str) -> Socket {
    try_open(port, &format!("/api/v1/monitoring/ws/dashboard/{id}")).unwrap_or_else(|status| panic!("the socket opens: {status}"))
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

fn tick_of(frame: &Value) -> i64 {
    frame["t"].as_i64().unwrap_or_else(|| panic!("t is a time in ms: {frame}"))
}

/// The kinds and ticks of all frames until `updates` ticks after `from` were seen.
fn watch(socket: &mut Socket, from: i64, updates: usize) -> Vec<(String, i64)> {
    let mut seen = Vec::new();
    loop {
        let frame = frame(socket);
        let tick = tick_of(&frame);
        seen.push((frame["type"].as_str().unwrap_or_default().to_owned(), tick));
        if tick >= from + updates as i64 * TICK_MS {
            return seen;
        }
    }
}

/// Asserts what a viewer is promised: ticks rise, and whoever missed one gets a snapshot next.
fn assert_complete(who: &str, first: i64, seen: &[(String, i64)]) {
    let mut last = first;
    for (kind, tick) in seen {
        assert!(*tick > last, "{who}: ticks rise: {last} then {tick}");
        assert_eq!(tick % TICK_MS, 0, "{who}: ticks are aligned");
        match kind.as_str() {
            "update" => assert_eq!(tick - last, TICK_MS, "{who}: an update follows the frame before: {seen:?}"),
            "snapshot" => {}
            other => panic!("{who}: an unknown frame {other}"),
        }
        last = *tick;
    }
}

fn connections(client: &Client) -> u64 {
    client.api("dashboards/stats")["connections"].as_u64().expect("connections is a number")
}

fn quick() -> Daemon {
    Setup::collecting().set("collection.interval=1s").start()
}

#[test]
fn a_hundred_viewers_get_every_update() {
    let daemon = quick();
    let (port, client) = (daemon.port(), daemon.client());
    let before = daemon.resident_kib();
    let all_there = Barrier::new(VIEWERS + 1);
    thread::scope(|scope| {
        let viewers: Vec<_> = (0..VIEWERS)
            .map(|number| {
                let all_there = &all_there;
                scope.spawn(move || {
                    let mut socket = open(port, "operations");
                    let snapshot = frame(&mut socket);
                    assert_eq!(snapshot["type"], "snapshot", "the first frame of viewer {number}");
                    assert_eq!(snapshot["dashboard"], "operations");
                    all_there.wait();
                    let first = tick_of(&snapshot);
                    let seen = watch(&mut socket, now_ms(), UPDATES);
                    assert_complete(&format!("viewer {number}"), first, &seen);
                    assert!(seen.iter().any(|(kind, _)| kind == "update"), "viewer {number} gets updates: {seen:?}");
                })
            })
            .collect();
        all_there.wait();
        assert_eq!(connections(client), VIEWERS as u64);
        for viewer in viewers {
            viewer.join().unwrap();
        }
    });
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "a hundred viewers add {grown} KiB");
    eventually("all have left", SOON, || (connections(client) == 0).then_some(()));
}

#[test]
fn whoever_never_reads_disturbs_nobody_and_misses_frames() {
    let daemon = quick();
    let (port, client) = (daemon.port(), daemon.client());
    // Panels with a lot in them, so that the buffers on the way to the sleeper are soon full.
    let panels: Vec<Value> =
        (0..12).map(|x| json!({"title": format!("All {x}"), "type": "line", "query": "{__name__=~\"node_.+\"}", "x": x, "y": 0, "w": 1, "h": 4})).collect();
    let everything = json!({"id": "everything", "title": "Everything", "panels": panels});
    client.post("dashboards/create", &everything).expect(201);
    let mut sleeper = open(port, "everything");
    rustix::net::sockopt::set_socket_recv_buffer_size(sleeper.get_mut(), 4096).expect("a buffer can be made small");
    let mut reader = open(port, "everything");
    let mut last = tick_of(&frame(&mut reader));
    let before = daemon.resident_kib();
    for _ in 0..MISSED {
        let seen = frame(&mut reader);
        assert_eq!(seen["type"], "update", "the reader misses nothing");
        assert_eq!(tick_of(&seen), last + TICK_MS);
        last = tick_of(&seen);
    }
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB, "a viewer that never reads adds {grown} KiB");
    // Awake again, the sleeper reads what was under way and then a snapshot.
    rustix::net::sockopt::set_socket_recv_buffer_size(sleeper.get_mut(), 1 << 20).expect("a buffer can be made large");
    let mut last = tick_of(&frame(&mut sleeper));
    let woken = eventually("a snapshot after what was missed", SOON, || {
        let seen = frame(&mut sleeper);
        let jumped = tick_of(&seen) - last > TICK_MS;
        last = tick_of(&seen);
        jumped.then_some(seen)
    });
    assert_eq!(woken["type"], "snapshot", "who skipped a frame gets a snapshot next");
    assert!(client.api("dashboards/stats")["frames_skipped"].as_u64().is_some_and(|skipped| skipped > 0), "what was missed is counted");
}

#[test]
fn garbage_and_huge_frames_disturb_nobody() {
    let daemon = quick();
    let port = daemon.port();
    let mut reader = open(port, "operations");
    let first = tick_of(&frame(&mut reader));
    let garbage = [
        Message::text("not json"),
        Message::text("{\"type\":\"subscribe\",\"panels\":[[[[[]]]]]}"),
        Message::binary(vec![0_u8; 1000]),
        Message::text("x".repeat(10 * 1024 * 1024)),
    ];
    for message in garbage {
        let mut socket = open(port, "operations");
        // The daemon may close in the middle of it.
        let _ = socket.send(message).and_then(|()| socket.flush());
    }
    let mut raw = open(port, "operations");
    let _ = std::io::Write::write_all(raw.get_mut(), &[0xff; 64]);
    let seen = watch(&mut reader, first, UPDATES);
    assert_complete("the reader", first, &seen);
    daemon.stop();
}

#[test]
fn more_viewers_than_the_limit_are_told_so() {
    let daemon = Setup::collecting().set("dashboards.max_connections=2").start();
    let (port, client) = (daemon.port(), daemon.client());
    let mut kept: Vec<Socket> = (0..2).map(|_| open(port, "operations")).collect();
    let path = "/api/v1/monitoring/ws/dashboard/operations";
    assert_eq!(try_open(port, path).err(), Some(503));
    for socket in &mut kept {
        assert_eq!(frame(socket)["type"], "snapshot", "those who came first are served");
    }
    drop(kept.pop());
    eventually("the place of who left is free", SOON, || try_open(port, path).ok());
    assert_eq!(client.api("dashboards/stats")["max_connections"], 2);
}

#[test]
fn an_unknown_dashboard_has_no_socket() {
    let daemon = Setup::quiet().start();
    assert_eq!(try_open(daemon.port(), "/api/v1/monitoring/ws/dashboard/no-such-board").err(), Some(404));
}

#[test]
fn an_address_from_connect_opens_once() {
    let daemon = Setup::quiet().start();
    let answer = daemon.client().post("dashboards/operations/connect", &json!({})).expect(200);
    let path = answer["url"].as_str().expect("url is a path").to_owned();
    assert!(path.starts_with('/'), "{answer}");
    assert!(answer["expires_at"].as_i64().is_some_and(|at| at > now_ms()), "{answer}");
    let mut socket = try_open(daemon.port(), &path).expect("it opens the first time");
    assert_eq!(frame(&mut socket)["type"], "snapshot");
    let again = try_open(daemon.port(), &path).err();
    assert!(again.is_some_and(|status| (400..500).contains(&status)), "it opens no second time: {again:?}");
}

#[test]
fn while_somebody_looks_collection_runs_at_the_pace_of_the_frames_and_not_after() {
    let daemon = Setup::collecting().set("collection.interval=1m").start();
    let (port, client) = (daemon.port(), daemon.client());
    let newest = || client.value("max(timestamp(node_load1))", now_ms()).unwrap_or_default();
    eventually("the rounds of the start", SOON, || (client.query("count_over_time(node_load1[5m])", now_ms())[0]["value"][1] == "2").then_some(()));
    let mut socket = open(port, "operations");
    let start = newest();
    eventually("a sample a second", SOON, || {
        frame(&mut socket);
        (newest() >= start + 3.0).then_some(())
    });
    drop(socket);
    eventually("the viewer has left", SOON, || (connections(client) == 0).then_some(()));
    // The pace stays for a few seconds, for a page that is loaded again; then nothing comes for most of a minute.
    eventually("the newest sample grows old", SOON, || (now_ms() as f64 / 1000.0 - newest() > 4.0).then_some(()));
}
