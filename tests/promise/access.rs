//! Who may come in: without accounts the machine's own user, beyond it nobody without an account; with
//! accounts each with what their role allows, by cookie, key or password, from the moment on when the
//! command says so. Guards against a door that is open by mistake.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::harness::{Daemon, Pushed, Setup, eventually, free_port, now_ms, remote_write_body, skip};

const CONFIGURATION: i32 = 78;
const PASSWORD: &str = "correct horse";
const SESSION: &str = "/api/v1/monitoring/access/session";
const RECORD: &str = "/api/v1/monitoring/metrics/custom/record";
const SOON: Duration = Duration::from_secs(20);

/// A request and its answer, with the headers that no plain client shows.
struct Said {
    status: u16,
    head: String,
    body: String,
}

impl Said {
    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| named(line)).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

fn ask(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("latido accepts");
    stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body)).expect("latido reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("latido answers with text");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    Said { status, head: head.to_owned(), body: body.to_owned() }
}

fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Said {
    ask(port, "GET", path, headers, b"")
}

fn post(port: u16, path: &str, headers: &[(&str, &str)], body: &Value) -> Said {
    let json = ("Content-Type", "application/json");
    ask(port, "POST", path, &[headers, &[json]].concat(), body.to_string().as_bytes())
}

fn sign_in(port: u16, name: &str, password: &str) -> Said {
    post(port, SESSION, &[], &json!({"name": name, "password": password}))
}

/// `name=value` of the cookie that an answer sets.
fn cookie(said: &Said) -> String {
    let set = said.header("set-cookie").expect("a cookie is set");
    set.split(';').next().unwrap_or_default().to_owned()
}

/// What a command said, and its exit code.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn went_well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }
}

/// `latido ... --data-dir`, with a password on stdin.
fn latido(setup: &Setup, words: &str, stdin: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
    command.args(words.split(' ')).arg("--data-dir").arg(setup.data()).env_remove("LATIDO_ENV").env_remove("LATIDO_KEY");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("latido starts");
    child.stdin.take().expect("stdin is a pipe").write_all(stdin.as_bytes()).expect("latido reads stdin, or has ended");
    let output = child.wait_with_output().expect("latido ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn add_user(setup: &Setup, name: &str, role: &str) {
    let words = format!("user add {name} --role {role}");
    latido(setup, &words, &format!("{PASSWORD}\n")).went_well();
}

/// The last word of stdout, which ends there.
fn create_key(setup: &Setup, words: &str) -> String {
    let out = latido(setup, &format!("key create {words}"), "").went_well();
    let key = out.split_whitespace().last().expect("the key is printed").to_owned();
    assert!(key.starts_with("latido_") && out.trim_end().ends_with(&key), "{out}");
    key
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

fn basic(name: &str, password: &str) -> String {
    // By hand, so that a mistake of the program's own decoder cannot hide.
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{name}:{password}");
    let groups = text.as_bytes().chunks(3).map(|three| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = |at: usize| if at <= three.len() { char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]) } else { '=' };
        [letter(0), letter(1), letter(2), letter(3)].iter().collect::<String>()
    });
    format!("Basic {}", groups.collect::<String>())
}

fn started_with_admin() -> (Setup, Daemon) {
    let setup = Setup::quiet();
    add_user(&setup, "ana", "admin");
    let daemon = setup.start();
    (setup, daemon)
}

#[test]
fn beyond_this_machine_an_account_and_a_word_about_tls_are_needed() {
    let setup = Setup::quiet();
    let beyond = format!("0.0.0.0:{}", free_port());
    setup.refused(&["--listen", &beyond]).is(CONFIGURATION, &[&beyond, "plaintext: true", "--behind-proxy", "cert:", "latido user add NAME --role admin"]);
    let data = setup.data().display().to_string();
    for allowed in [&["--listen", beyond.as_str(), "--set", "http.plaintext=true"][..], &["--behind-proxy"]] {
        setup.refused(allowed).is(CONFIGURATION, &["no account", &format!("latido user add NAME --role admin --data-dir {data}")]);
    }
    setup.refused(&["--behind-proxy", "--set", "storage.backend=memory"]).is(CONFIGURATION, &["memory", "disk"]);
    add_user(&setup, "ana", "viewer");
    setup.with(["--behind-proxy"]).start().stop();
}

#[test]
fn with_accounts_everything_but_the_contracted_is_closed_to_strangers() {
    let (_setup, daemon) = started_with_admin();
    let port = daemon.port();
    for open in ["/-/healthy", "/-/ready", "/", SESSION] {
        assert_eq!(get(port, open, &[]).status, 200, "{open}");
    }
    assert_eq!(get(port, SESSION, &[]).json(), json!({"name": null, "role": null, "scope": "read", "accounts": true}));
    for closed in ["/metrics", "/federate", "/api/v1/query?query=1", "/%61pi/v1/query?query=1", "/api/v1/monitoring/version", "/api/v1/nothing", "/-/nothing"] {
        let said = get(port, closed, &[]);
        assert_eq!(said.status, 401, "{closed}: {}", said.body);
        assert!(said.head.contains("Bearer realm") && said.head.contains("Basic realm"), "{}", said.head);
        assert!(!get(port, closed, &[("Sec-Fetch-Mode", "cors")]).head.contains("Basic realm"), "a browser asks for no password of its own");
    }
    assert_eq!(post(port, RECORD, &[], &json!({"name": "x", "value": 1})).status, 401);
    daemon.stop();
}

#[test]
fn an_account_signs_in_by_cookie_and_out_again() {
    let (_setup, daemon) = started_with_admin();
    let port = daemon.port();
    let signed = sign_in(port, "ana", PASSWORD);
    assert_eq!(signed.status, 200, "{}", signed.body);
    assert_eq!(signed.json(), json!({"name": "ana", "role": "admin", "scope": "write", "accounts": true}));
    let set = signed.header("set-cookie").unwrap();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(set.contains(word), "{word}: {set}");
    }
    assert!(!set.contains("Secure"), "plain HTTP would lose it: {set}");
    let cookie = cookie(&signed);
    let shown = ("Cookie", cookie.as_str());
    assert_eq!(get(port, "/metrics", &[shown]).status, 200);
    assert_eq!(get(port, SESSION, &[shown]).json()["name"], "ana");
    let body = json!({"name": "eve", "role": "admin", "password": PASSWORD});
    let users = "/api/v1/monitoring/access/users";
    assert_eq!(post(port, users, &[shown, ("Origin", "http://evil.example")], &body).status, 403);
    assert_eq!(post(port, users, &[shown, ("Sec-Fetch-Site", "cross-site")], &body).status, 403);
    assert_eq!(post(port, users, &[shown, ("Origin", &format!("http://localhost:{port}"))], &body).status, 201);
    assert_eq!(ask(port, "DELETE", SESSION, &[shown], b"").status, 200);
    assert_eq!(get(port, "/metrics", &[shown]).status, 401, "a session that was ended is none");
    daemon.stop();
}

#[test]
fn a_wrong_password_is_refused_and_soon_has_to_wait() {
    let (_setup, daemon) = started_with_admin();
    let port = daemon.port();
    for name in ["ana", "nobody", "ana", "nobody", "ana"] {
        let said = sign_in(port, name, "wrong horse");
        assert_eq!((said.status, &said.json()["error"]["code"]), (401, &json!("unauthorized")), "{name}: {}", said.body);
        assert!(said.body.contains("the name or the password is wrong") && said.header("set-cookie").is_none(), "{name}: {}", said.body);
    }
    let said = sign_in(port, "ana", PASSWORD);
    assert_eq!(said.status, 429, "{}", said.body);
    let wait: u64 = said.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    assert_eq!(get(port, "/metrics", &[("Authorization", &basic("ana", PASSWORD))]).status, 429);
    for bad in [json!({}), json!({"name": "ana"}), json!({"name": "ana", "password": 1}), json!([])] {
        assert_eq!(post(port, SESSION, &[], &bad).status, 400, "{bad}");
    }
    assert!(!daemon.log().contains("horse"), "no password is logged");
    daemon.stop();
}

#[test]
fn a_key_reads_or_writes_as_it_was_made_for_and_no_further() {
    let (setup, daemon) = started_with_admin();
    let port = daemon.port();
    let reads = bearer(&create_key(&setup, "prometheus --role viewer --scope read"));
    let writes = bearer(&create_key(&setup, "app --role editor --scope write"));
    let looks_only = bearer(&create_key(&setup, "--role admin --scope read"));
    let viewer_writes = bearer(&create_key(&setup, "--role viewer --scope write"));
    let with = |key: &str, path: &str| get(port, path, &[("Authorization", key)]).status;
    let push = |key: &str| {
        let body = remote_write_body(&[Pushed::new("pushed", &[], vec![(now_ms(), 1.0)])]);
        let headers = [("Authorization", key), ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy")];
        ask(port, "POST", "/api/v1/write", &headers, &body).status
    };
    let record = |key: &str| post(port, "/api/v1/monitoring/metrics/custom/register", &[("Authorization", key)], &json!({"name": "x", "type": "gauge"})).status;
    let reload = |key: &str| ask(port, "POST", "/-/reload", &[("Authorization", key)], b"").status;
    for key in [&reads, &writes, &looks_only, &viewer_writes] {
        assert_eq!(with(key, "/metrics"), 200);
    }
    assert_eq!([&reads, &writes, &looks_only, &viewer_writes].map(|key| push(key)), [403, 204, 403, 403]);
    assert_eq!([&reads, &writes, &looks_only, &viewer_writes].map(|key| record(key)), [403, 201, 403, 403]);
    assert_eq!([&reads, &writes, &looks_only].map(|key| reload(key)), [403, 403, 403]);
    assert_eq!([&reads, &writes, &looks_only].map(|key| with(key, "/api/v1/monitoring/access/keys")), [403, 403, 200]);
    let as_password = basic("anything", reads.trim_start_matches("Bearer "));
    assert_eq!(with(&as_password, "/metrics"), 200, "Prometheus' basic_auth takes a key as password");
    assert_eq!(with(&basic("ana", PASSWORD), "/metrics"), 200);
    for wrong in ["Bearer latido_0000", "Bearer x", "Basic %%%", "Nonsense"] {
        assert_eq!(with(wrong, "/metrics"), 401, "{wrong}");
    }
    let listed = latido(&setup, "key list", "").went_well();
    let id = listed.lines().find(|line| line.contains("prometheus")).and_then(|line| line.split(' ').next()).unwrap().to_owned();
    assert!(!listed.contains("latido_"), "{listed}");
    latido(&setup, &format!("key revoke {id}"), "").went_well();
    assert_eq!(with(&reads, "/metrics"), 401, "a revoked key is none");
    daemon.stop();
}

/// The socket of a dashboard, opened with a key or by a stranger.
fn watch(port: u16, path: &str, key: Option<&str>) -> Result<WebSocket<TcpStream>, u16> {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("latido accepts");
    stream.set_read_timeout(Some(SOON)).expect("a timeout can be set");
    let mut request = format!("ws://127.0.0.1:{port}{path}").into_client_request().expect("an address");
    if let Some(key) = key {
        request.headers_mut().insert("Authorization", key.parse().expect("a header"));
    }
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("the handshake is answered: {error}"),
    }
}

/// What was sent until the socket was closed, and why it was.
fn closing(socket: &mut WebSocket<TcpStream>) -> (usize, String) {
    let mut frames = 0;
    loop {
        match socket.read().expect("the socket is closed in order") {
            Message::Text(_) => frames += 1,
            Message::Close(frame) => return (frames, frame.map(|frame| frame.reason.to_string()).unwrap_or_default()),
            _ => {}
        }
    }
}

#[test]
fn a_socket_ends_with_the_access_that_opened_it() {
    let (setup, daemon) = started_with_admin();
    let port = daemon.port();
    let (admin, viewer) = (bearer(&create_key(&setup, "--role admin --scope write")), bearer(&create_key(&setup, "--role viewer")));
    let panel = json!({"title": "P", "type": "line", "query": "vector(1)", "x": 0, "y": 0, "w": 6, "h": 4});
    let create = "/api/v1/monitoring/dashboards/create";
    let document = json!({"id": "open", "title": "Open", "access": "public", "panels": [panel]});
    assert_eq!(post(port, create, &[("Authorization", &admin)], &document).status, 201);

    let (path, document) = ("/api/v1/monitoring/ws/dashboard/open", "/api/v1/monitoring/dashboards/open");
    let mut stranger = watch(port, path, None).expect("a public dashboard is open to strangers");
    let mut known = watch(port, path, Some(&viewer)).expect("and to viewers");
    assert!(stranger.read().is_ok_and(|message| message.is_text()) && known.read().is_ok_and(|message| message.is_text()));

    let change = |access: &str, revision: u64| {
        let body = json!({"title": "Open", "access": access, "panels": [panel], "revision": revision}).to_string();
        let headers = [("Authorization", admin.as_str()), ("Content-Type", "application/json")];
        assert_eq!(ask(port, "PUT", document, &headers, body.as_bytes()).status, 200);
    };
    change("viewer", 1);
    let (_, why) = closing(&mut stranger);
    assert!(why.contains("no longer open to you"), "{why}");
    assert!(known.read().is_ok_and(|message| message.is_text()), "who may still see it sees on");
    let ticket = ask(port, "POST", &format!("{document}/connect"), &[("Authorization", &viewer)], b"").json();

    let list = latido(&setup, "key list", "").went_well();
    let id = list.lines().find(|line| line.contains("viewer")).and_then(|line| line.split_whitespace().next()).expect("the key is listed");
    latido(&setup, &format!("key revoke {id}"), "").went_well();
    let (frames, why) = closing(&mut known);
    assert!(why.contains("no longer open to you") && frames <= 2, "{frames} {why}");
    let url = ticket["url"].as_str().expect("a ticket has an address");
    assert_eq!(watch(port, url, None).err(), Some(401), "a ticket is worth what its owner is by now");
    daemon.stop();
}

#[test]
fn a_key_that_has_expired_says_so() {
    let (setup, daemon) = started_with_admin();
    let key = bearer(&create_key(&setup, "--role viewer --expires 1s"));
    let said = eventually("the key expires", SOON, || {
        let said = get(daemon.port(), "/metrics", &[("Authorization", &key)]);
        (said.status == 401).then_some(said)
    });
    assert!(said.body.contains("expired"), "{}", said.body);
    for bad in ["--role viewer --expires soon", "--role viewer --expires 0", "a/b --role viewer"] {
        assert_eq!(latido(&setup, &format!("key create {bad}"), "").code, Some(2), "{bad}");
    }
    daemon.stop();
}

#[test]
fn an_account_that_is_made_while_the_daemon_runs_closes_it_at_once_and_outlives_kill_9() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let port = daemon.port();
    assert_eq!(get(port, SESSION, &[]).json(), json!({"name": "local", "role": "admin", "scope": "write", "accounts": false}));
    assert_eq!(sign_in(port, "ana", PASSWORD).status, 409);
    add_user(&setup, "ana", "admin");
    assert_eq!(get(port, "/metrics", &[]).status, 401);
    let session = cookie(&sign_in(port, "ana", PASSWORD));
    daemon.kill();

    let daemon = setup.start();
    let port = daemon.port();
    assert_eq!(get(port, "/metrics", &[("Cookie", &session)]).status, 200);
    latido(&setup, "user passwd ana", "another horse\n").went_well();
    assert_eq!(get(port, "/metrics", &[("Cookie", &session)]).status, 401, "another password ends the sessions");
    assert_eq!(sign_in(port, "ana", PASSWORD).status, 401);
    assert_eq!(sign_in(port, "ana", "another horse").status, 200);
    let removed = latido(&setup, "user remove ana", "");
    assert!(removed.err.contains("last account"), "{}", removed.err);
    assert_eq!(get(port, "/metrics", &[]).status, 200, "without accounts it is the machine's own again");
    daemon.stop();
}

#[test]
fn accounts_are_named_and_guarded_as_the_rules_say() {
    let setup = Setup::quiet();
    assert_eq!(latido(&setup, "user list", "").code, Some(2), "a directory that is not there is not made by looking");
    add_user(&setup, "ana", "admin");
    for (words, password) in [
        ("user add ana --role viewer", PASSWORD),
        ("user add a/b --role viewer", PASSWORD),
        ("user add bob --role viewer", "short"),
        ("user add bob --role viewer", ""),
    ] {
        let ran = latido(&setup, words, &format!("{password}\n"));
        assert_ne!(ran.code, Some(0), "{words} {password:?}: {}", ran.out);
    }
    assert_ne!(latido(&setup, "user remove nobody", "").code, Some(0));
    assert!(latido(&setup, "user list", "").went_well().starts_with("ana  admin"));
    let daemon = setup.with(["--behind-proxy"]).start();
    assert_eq!(daemon.client().get("/-/ready").status, 200);
    daemon.stop();
}

#[test]
fn behind_a_proxy_the_last_admin_stays_and_its_word_on_the_client_counts() {
    let setup = Setup::quiet().with(["--behind-proxy"]);
    add_user(&setup, "ana", "admin");
    let daemon = setup.start();
    let port = daemon.port();
    let removed = latido(&setup, "user remove ana", "");
    assert!(removed.code == Some(1) && removed.err.contains("last admin"), "{}", removed.err);
    let from = |client: &str, password: &str| {
        let headers = [("X-Forwarded-For", client), ("X-Forwarded-Proto", "https")];
        post(port, SESSION, &headers, &json!({"name": format!("n{}", free_port()), "password": password}))
    };
    for _ in 0..5 {
        assert_eq!(from("6.6.6.6, 192.0.2.1", "wrong horse").status, 401);
    }
    assert_eq!(from("192.0.2.1", "wrong horse").status, 429);
    assert_eq!(from("192.0.2.1, 192.0.2.2", "wrong horse").status, 401);
    let signed = post(port, SESSION, &[("X-Forwarded-For", "192.0.2.3"), ("X-Forwarded-Proto", "https")], &json!({"name": "ana", "password": PASSWORD}));
    assert!(signed.header("set-cookie").unwrap().contains("Secure"), "{}", signed.head);
    daemon.stop();
}

#[test]
fn a_proxy_opens_no_door_without_accounts_and_is_no_matter_with_them() {
    let setup = Setup::quiet();
    let daemon = setup.start();
    let forwarded = ("X-Forwarded-For", "192.0.2.1");
    let said = get(daemon.port(), "/metrics", &[forwarded]);
    assert!(said.status == 403 && said.body.contains("--behind-proxy"), "{}", said.body);
    add_user(&setup, "ana", "viewer");
    assert_eq!(get(daemon.port(), "/metrics", &[forwarded]).status, 401);
    assert_eq!(get(daemon.port(), "/metrics", &[forwarded, ("Authorization", &basic("ana", PASSWORD))]).status, 200);
    daemon.stop();
}

#[test]
fn in_memory_nothing_lies_in_the_directory_but_the_way_to_the_daemon() {
    use std::os::unix::fs::PermissionsExt;
    let setup = Setup::quiet().set("storage.backend=memory");
    let daemon = setup.start();
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(setup.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["control.sock", "lock"]);
    assert_eq!(std::fs::metadata(setup.data().join("control.sock")).unwrap().permissions().mode() & 0o777, 0o600);
    add_user(&setup, "ana", "admin");
    assert_eq!(get(daemon.port(), "/metrics", &[]).status, 401);
    assert_eq!(names(), ["control.sock", "lock"]);
    daemon.stop();
    assert_eq!(names(), ["lock"]);
}

#[test]
fn a_directory_with_a_dead_daemons_socket_is_taken_over() {
    let setup = Setup::quiet();
    setup.start().kill();
    assert!(setup.data().join("control.sock").exists(), "kill -9 leaves it");
    add_user(&setup, "ana", "admin");
    let daemon = setup.start();
    assert!(latido(&setup, "user list", "").went_well().contains("ana"));
    daemon.stop();
    assert!(!setup.data().join("control.sock").exists());
}

/// `curl` with the certificate of the test as the only one that is trusted.
fn curl(setup: &Setup, port: u16, words: &[&str], path: &str) -> Option<String> {
    let mut command = Command::new("curl");
    command.args(["-s", "-i", "--max-time", "10", "--cacert"]).arg(setup.home().join("cert.pem")).args(words).arg(format!("https://localhost:{port}{path}"));
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn certificate(setup: &Setup, name: &str) -> bool {
    let words = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -addext subjectAltName=DNS:{name} -keyout key.pem -out cert.pem"
    );
    let mut command = Command::new("openssl");
    command.args(words.split(' ')).current_dir(setup.home()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn with_a_certificate_it_speaks_tls_and_takes_a_new_one_on_sighup() {
    let setup = Setup::quiet();
    if !certificate(&setup, "localhost") || Command::new("curl").arg("--version").output().is_err() {
        return skip("TLS", "openssl or curl is not installed");
    }
    let file = |name: &str| setup.home().join(name).display().to_string();
    let set = |key: &str, name: &str| format!("http.tls.{key}={}", file(name));
    let (cert, key) = (set("cert", "cert.pem"), set("key", "key.pem"));
    setup.refused(&["--set", &cert]).is(CONFIGURATION, &["http.tls.key"]);
    setup.refused(&["--set", &cert, "--set", &set("key", "none.pem")]).is(CONFIGURATION, &["none.pem"]);
    setup.refused(&["--set", &cert, "--set", &set("key", "cert.pem")]).is(CONFIGURATION, &["cert.pem", "private key"]);
    add_user(&setup, "ana", "admin");
    let setup = setup.set(&cert).set(&key);
    let daemon = setup.start_when(|port| curl(&setup, port, &[], "/-/ready").is_some_and(|said| said.contains("200 OK")));
    let port = daemon.port();
    let body = json!({"name": "ana", "password": PASSWORD}).to_string();
    let signed = curl(&setup, port, &["-H", "Content-Type: application/json", "-d", &body], SESSION).unwrap();
    assert!(signed.contains("200 OK") && signed.contains("Secure"), "{signed}");
    assert!(curl(&setup, port, &["-u", &format!("ana:{PASSWORD}")], "/metrics").unwrap().contains("200 OK"));
    assert!(latido(&setup, "user list", "").went_well().contains("ana"), "the control socket needs no certificate");

    assert!(certificate(&setup, "localhost"));
    assert!(curl(&setup, port, &[], "/-/ready").is_none(), "the new certificate is not the one that is shown yet");
    daemon.hang_up();
    eventually("the new certificate is shown", SOON, || curl(&setup, port, &[], "/-/ready"));
    std::fs::write(setup.home().join("key.pem"), "no key").unwrap();
    daemon.hang_up();
    eventually("the log says that the key is wrong", SOON, || daemon.log().contains("certificate not read again").then_some(()));
    assert!(curl(&setup, port, &[], "/-/ready").is_some(), "the old certificate stays");
    daemon.stop();
}
