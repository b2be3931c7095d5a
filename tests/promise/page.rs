//! What the page's files promise: a strict content policy, nothing from elsewhere, a first load that
//! is small, and no byte sent twice. Guards against an asset that only works where the network is, and
//! against a page that grows without anybody noticing.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{Client, Daemon, Fetched, Setup};

/// What the first load may weigh, compressed.
const FIRST_LOAD_BYTES: usize = 250 * 1000;
/// Every directive that the page's files are sent with.
const POLICY: [&str; 10] = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
];
/// Its addresses are names, not places: XML namespaces.
const NAMESPACES: &str = "www.w3.org";

fn daemon() -> Daemon {
    Setup::quiet().start()
}

/// The file and everything that it pulls before anybody clicks: path → how it arrived, compressed.
fn first_load(client: &Client) -> BTreeMap<String, Fetched> {
    let mut found = BTreeMap::new();
    let mut wanted = BTreeSet::from(["/".to_owned()]);
    while let Some(path) = wanted.pop_first() {
        let plain = client.fetch(&path, &[]);
        assert_eq!(plain.status, 200, "{path} is pulled by the page and is there");
        let text = String::from_utf8_lossy(&plain.body);
        let pulled = pulled_by(&path, &text);
        assert!(path != "/" || !pulled.is_empty(), "the page pulls its scripts and styles: {text}");
        found.insert(path.clone(), client.fetch(&path, &[("Accept-Encoding", "gzip")]));
        wanted.extend(pulled.into_iter().map(|target| joined(&path, &target)).filter(|target| !found.contains_key(target)));
    }
    found
}

/// The addresses that a file names and a browser fetches at once.
fn pulled_by(path: &str, text: &str) -> Vec<String> {
    let marks: &[&str] = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => &["from \"", "from '", "from\"", "from'", "import \"", "import '", "import\"", "import'"],
        Some("css") => &["url(\"", "url('", "url(", "@import \"", "@import '"],
        Some(_) => &[],
        None => &["src=\"", "href=\""],
    };
    // Of the page itself only what is fetched at once: links to other pages are not.
    let tags = |text: &str| text.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("link")).collect::<String>();
    let text = if path == "/" { tags(text) } else { text.to_owned() };
    let ends = ['"', '\'', ')'];
    let after = |mark: &&str| text.split(*mark).skip(1).filter_map(|rest| rest.split(ends).next()).map(str::to_owned).collect::<Vec<_>>();
    let local = |target: &String| !target.is_empty() && !target.starts_with("data:") && !target.starts_with('#');
    // In scripts a bare word in quotes may follow these marks in prose; only paths are modules.
    let is_path = |target: &String| path == "/" || target.contains('/') || target.contains('.');
    marks.iter().flat_map(after).filter(local).filter(is_path).collect()
}

/// `target` as seen from `base`.
fn joined(base: &str, target: &str) -> String {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { base.split('/').filter(|part| !part.is_empty()).collect() };
    if !target.starts_with('/') {
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[test]
fn the_page_comes_under_a_strict_content_policy() {
    let daemon = daemon();
    let page = daemon.client().fetch("/", &[]);
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    let policy = page.header("content-security-policy");
    for directive in POLICY {
        assert!(policy.split(';').any(|one| one.trim() == directive), "{directive} is in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[test]
fn the_page_has_no_inline_script_and_no_inline_style() {
    let daemon = daemon();
    let page = String::from_utf8(daemon.client().fetch("/", &[]).body).unwrap();
    for (at, _) in page.match_indices("<script") {
        let tag = page[at..].split('>').next().unwrap_or_default();
        assert!(tag.contains("src="), "a script without src: {tag}");
    }
    for inline in ["<style", " style=", " onload=", " onclick=", "javascript:"] {
        assert!(!page.contains(inline), "{inline} in the page");
    }
}

#[test]
fn every_address_of_the_page_answers_the_page() {
    let daemon = daemon();
    let page = daemon.client().fetch("/", &[]).body;
    let paths = [
        "/d/operations",
        "/d/no-such-board",
        "/d/operations/edit",
        "/dashboards",
        "/dashboards/new",
        "/explore?expr=up",
        "/alerts",
        "/analysis",
        "/catalog",
        "/sources",
        "/settings",
        "/sign-in",
    ];
    for path in paths {
        let answer = daemon.client().fetch(path, &[("Accept", "text/html")]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body == page, "{path} answers the page");
    }
}

#[test]
fn what_is_no_address_of_the_page_is_not_found() {
    let daemon = daemon();
    let browser = ("Accept", "text/html,application/xhtml+xml");
    for (path, header) in [
        ("/nothing", ("Accept", "*/*")),
        ("/main.js", ("Accept", "*/*")),
        ("/ui/nothing.js", browser),
        ("/ui/", browser),
        ("/ui/../Cargo.toml", browser),
        ("/ui/%2e%2e/%2e%2e/Cargo.toml", browser),
        ("/ui/0123456789abcdef/main.js", browser),
        ("/api/v1/monitoring/nothing", browser),
        ("/api/v1/nothing", browser),
        ("/-/nothing", browser),
    ] {
        let answer = daemon.client().fetch(path, &[header]);
        assert_eq!(answer.status, 404, "{path}");
        let said = String::from_utf8_lossy(&answer.body);
        assert!(said.contains("there is nothing at"), "{path} says so: {said}");
    }
}

#[test]
fn no_file_of_the_page_is_sent_twice() {
    let daemon = daemon();
    for (path, first) in first_load(daemon.client()) {
        let tag = first.header("etag").to_owned();
        assert!(tag.ends_with('"'), "{path} has an entity tag: {tag:?}");
        let again = daemon.client().fetch(&path, &[("If-None-Match", &tag), ("Accept-Encoding", "gzip")]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path} has not changed");
        let other = daemon.client().fetch(&path, &[("If-None-Match", "\"another\"")]);
        assert_eq!(other.status, 200, "{path} is sent to who has another");
    }
}

#[test]
fn the_first_load_is_small() {
    let daemon = daemon();
    let files = first_load(daemon.client());
    let bytes: usize = files.values().map(|file| file.body.len()).sum();
    let list: Vec<String> = files.iter().map(|(path, file)| format!("{:>7} {path}", file.body.len())).collect();
    assert!(bytes < FIRST_LOAD_BYTES, "the first load is {bytes} bytes in {} files:\n{}", files.len(), list.join("\n"));
    for kind in [".js", ".css", ".woff2"] {
        assert!(files.keys().any(|path| path.ends_with(kind)), "the first load has {kind}: {list:?}");
    }
}

#[test]
fn text_is_compressed_and_says_what_it_is() {
    let daemon = daemon();
    for (path, file) in first_load(daemon.client()) {
        let kind = match path.rsplit_once('.').map(|(_, extension)| extension) {
            None => "text/html",
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("woff2") => "font/woff2",
            Some("svg") => "image/svg+xml",
            Some("webmanifest") => "application/manifest+json",
            Some(other) => panic!("a file of a new kind: {other} ({path})"),
        };
        let said = file.header("content-type");
        assert!(said.starts_with(kind) || (kind == "text/javascript" && said.starts_with("application/javascript")), "{path}: {said}");
        assert_eq!(file.header("x-content-type-options"), "nosniff", "{path}");
        // What is compressed says so, however small it is: else a browser shows bytes.
        let compressed = file.body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(file.header("content-encoding") == "gzip", compressed, "{path}");
        assert!(compressed || !kind.starts_with("text/") || file.body.len() < 2000, "{path} is compressed");
    }
}

#[test]
fn no_file_of_the_page_names_another_host() {
    let daemon = daemon();
    for path in first_load(daemon.client()).keys() {
        let body = daemon.client().fetch(path, &[]).body;
        let text = String::from_utf8_lossy(&body);
        for scheme in ["http://", "https://", "ws://", "wss://"] {
            for (at, _) in text.match_indices(scheme) {
                let rest = &text[at + scheme.len()..];
                // A name without a dot is nobody's: it only makes a URL whole.
                let host = rest.split(|end: char| !end.is_ascii_alphanumeric() && !".-".contains(end)).next().unwrap_or_default();
                assert!(!host.contains('.') || host == NAMESPACES, "{path} names {scheme}{host}");
            }
        }
    }
}

#[test]
fn addresses_are_joined_as_a_browser_joins_them() {
    for (base, target, whole) in [
        ("/", "main.js", "/main.js"),
        ("/charts/index.js", "./line.js", "/charts/line.js"),
        ("/charts/index.js", "../lib.js", "/lib.js"),
        ("/app.css", "fonts/inter.woff2?v=1", "/fonts/inter.woff2"),
        ("/a/b.js", "/c.js", "/c.js"),
    ] {
        assert_eq!(joined(base, target), whole);
    }
    assert_eq!(pulled_by("/a.js", "import { a } from './b.js';\nimport './c.js';\nexport*from\"./d.js\""), ["./b.js", "./d.js", "./c.js"]);
    assert_eq!(pulled_by("/a.css", "@font-face { src: url(fonts/a.woff2) }"), ["fonts/a.woff2"]);
    assert_eq!(
        pulled_by("/", r#"<a href="/metrics"><link rel="icon" href="data:,"><link rel="stylesheet" href="/app.css"><script src="/boot.js">"#),
        ["/boot.js", "/app.css"]
    );
}
