//! Which requests come from where they may come from, and the headers that every answer carries.
//!
//! A web page in somebody's browser must not use what that browser or its machine may: its `Host`
//! is not this machine's (DNS rebinding), or its `Origin` is another page. Without accounts whoever
//! reaches the port is admin, so a proxy that forwards strangers must not: its headers give it away.
//! Knows no route, and not who asks.

use std::net::IpAddr;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::control::{ByControl, ByOther};
use super::error::Fault;

/// Headers by which a proxy says for whom it asks, besides `X-Forwarded-*`.
const FORWARDED: [&str; 3] = ["forwarded", "x-real-ip", "via"];

/// The page's own files and nothing from elsewhere: no inline script, no text that becomes markup.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The address at which a connection arrived: one of the machine's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArrivedAt(pub(super) IpAddr);

/// What is done about requests that came through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forwarded {
    /// Refused: there are no accounts.
    Refused,
    /// Answered like any other.
    Accepted,
}

/// The host names that are accepted.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    /// `http.hosts` as they were given: a proxy may answer under these and ask here under another.
    origins: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Guard {
    /// Accepts loopback names, the machine's name, the addresses it listens on, and `hosts`.
    pub(super) fn new(host_name: &str, addresses: Vec<IpAddr>, hosts: &[String]) -> Self {
        let mut all: Vec<String> = hosts.iter().map(|h| host_of(h).to_ascii_lowercase()).collect();
        all.push(host_name.to_ascii_lowercase());
        all.extend(host_name.split('.').next().map(str::to_ascii_lowercase));
        all.retain(|h| !h.is_empty());
        let origins = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { hosts: all, origins, addresses }
    }

    /// Whether a request may go on.
    pub(super) fn check(&self, request: &ServiceRequest, forwarded: Forwarded) -> Result<(), Fault> {
        if request.conn_data::<ByOther>().is_some() {
            return Err(forbidden("the control socket is for the user who runs the daemon".to_owned()));
        }
        if request.conn_data::<ByControl>().is_some() {
            return Ok(());
        }
        let arrived = request.conn_data::<ArrivedAt>().map(|a| a.0);
        self.check_parts(request.method(), request.headers(), arrived, forwarded)
    }

    fn check_parts(&self, method: &Method, headers: &HeaderMap, arrived: Option<IpAddr>, forwarded: Forwarded) -> Result<(), Fault> {
        let host = self.check_host(headers, arrived)?;
        if forwarded == Forwarded::Refused {
            check_forwarded(headers)?;
        }
        // A socket is opened by GET, and pages of others may open one without asking.
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !headers.contains_key(header::UPGRADE);
        if reads { check_site(headers) } else { self.check_origin(headers, host) }
    }

    fn check_host<'a>(&self, headers: &'a HeaderMap, arrived: Option<IpAddr>) -> Result<&'a str, Fault> {
        let Some(value) = headers.get(header::HOST) else {
            return Err(Fault::status(StatusCode::BAD_REQUEST, "the request has no Host header"));
        };
        let authority = value.to_str().unwrap_or("");
        let host = host_of(authority).to_ascii_lowercase();
        if self.accepts(&host, arrived) {
            return Ok(authority);
        }
        Err(forbidden(format!("the host name {host:?} is not one of this machine: add it to http.hosts in the configuration if it should be")))
    }

    fn accepts(&self, host: &str, arrived: Option<IpAddr>) -> bool {
        let name = host.strip_suffix('.').unwrap_or(host);
        if let Ok(ip) = name.parse::<IpAddr>() {
            let ip = ip.to_canonical();
            return ip.is_loopback() || arrived.is_some_and(|a| a.to_canonical() == ip) || self.addresses.contains(&ip) || self.hosts.iter().any(|h| h == name);
        }
        name == "localhost" || name.ends_with(".localhost") || self.hosts.iter().any(|h| h == name)
    }

    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Fault> {
        let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()).unwrap_or("none");
        let Some(origin) = headers.get(header::ORIGIN) else {
            // Only browsers say where a request comes from; what says nothing is none.
            return if matches!(site, "none" | "same-origin") { Ok(()) } else { Err(foreign(site)) };
        };
        let origin = origin.to_str().unwrap_or("");
        // A proxy that ends TLS makes https of http, so the scheme is not compared.
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let own = |authority: &str| authority.eq_ignore_ascii_case(host) || self.origins.iter().any(|named| named.eq_ignore_ascii_case(authority));
        if authority.is_some_and(own) { Ok(()) } else { Err(foreign(origin)) }
    }
}

/// A page of others can read no answer, but what it asks for costs: it may lead here, and not more.
fn check_site(headers: &HeaderMap) -> Result<(), Fault> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("sec-fetch-site"), text("sec-fetch-mode")) {
        (None | Some("none" | "same-origin"), _) | (_, Some("navigate")) => Ok(()),
        (Some(site), _) => Err(forbidden(format!("a page from elsewhere ({site}) may not ask here: only pages of this daemon may"))),
    }
}

fn foreign(origin: &str) -> Fault {
    forbidden(format!("a page of {origin:?} may not write here: only pages of this daemon may. Where a proxy gives it another name, add that to http.hosts"))
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    if let Some((ip, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return ip;
    }
    match authority.rsplit_once(':') {
        // More than one colon without brackets: a bare IPv6 address.
        Some((host, _)) if !host.contains(':') => host,
        _ => authority,
    }
}

fn check_forwarded(headers: &HeaderMap) -> Result<(), Fault> {
    let of_proxy = |name: &HeaderName| FORWARDED.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-");
    match headers.keys().find(|name| of_proxy(name)) {
        None => Ok(()),
        Some(name) => Err(forbidden(format!(
            "the request came through a proxy (header {name}), and there are no accounts: whoever reaches the proxy would be admin. \
             Make an account (latido user add NAME --role admin), and start the daemon with --behind-proxy; or ask it directly on loopback, \
             for instance through ssh -L 7117:127.0.0.1:7117"
        ))),
    }
}

fn forbidden(message: String) -> Fault {
    Fault::status(StatusCode::FORBIDDEN, message)
}

/// Adds what every answer carries. An answer that says itself how long it may be kept is believed.
pub(super) fn put_headers<B>(response: &mut ServiceResponse<B>) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: &Method, pairs: &[(&str, &str)]) -> u16 {
        checked_with(method, pairs, Forwarded::Refused)
    }

    fn checked_with(method: &Method, pairs: &[(&str, &str)], forwarded: Forwarded) -> u16 {
        let guard = Guard::new("box.example.org", vec!["10.0.0.5".parse().unwrap()], &["metrics.example.com".into()]);
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.parse().unwrap(), value.parse().unwrap());
        }
        guard.check_parts(method, &headers, None, forwarded).map_or_else(|e| e.code().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in
            ["localhost", "LOCALHOST:7117", "127.0.0.1:7117", "127.9.9.9", "[::1]:7117", "10.0.0.5:7117", "box", "box.example.org:1", "metrics.example.com"]
        {
            assert_eq!(checked(&Method::GET, &[("host", host)]), 200, "{host}");
        }
        for host in ["evil.example", "evil.example:7117", "localhost.evil.example", "127.0.0.1.evil.example", "8.8.8.8", "", "[::2]"] {
            assert_eq!(checked(&Method::GET, &[("host", host)]), 403, "{host}");
        }
        assert_eq!(checked(&Method::GET, &[]), 400);
    }

    #[test]
    fn pages_of_others_may_not_write() {
        let host = ("host", "localhost:7117");
        assert_eq!(checked(&Method::POST, &[host]), 200);
        assert_eq!(checked(&Method::POST, &[host, ("origin", "http://localhost:7117")]), 200);
        for origin in ["http://evil.example", "null", "http://localhost:8080", ""] {
            assert_eq!(checked(&Method::POST, &[host, ("origin", origin)]), 403, "{origin}");
            assert_eq!(checked(&Method::GET, &[host, ("origin", origin)]), 200, "{origin}");
            assert_eq!(checked(&Method::GET, &[host, ("origin", origin), ("upgrade", "websocket")]), 403, "{origin}");
        }
        assert_eq!(checked(&Method::GET, &[host, ("origin", "http://localhost:7117"), ("upgrade", "websocket")]), 200);
        assert_eq!(checked(&Method::GET, &[host, ("upgrade", "websocket")]), 200);
    }

    #[test]
    fn a_name_that_a_proxy_gives_is_no_foreign_page() {
        let host = ("host", "127.0.0.1:7117");
        assert_eq!(checked(&Method::POST, &[host, ("origin", "https://metrics.example.com")]), 200);
        assert_eq!(checked(&Method::POST, &[host, ("origin", "https://metrics.example.com:8443")]), 403);
        assert_eq!(checked(&Method::POST, &[("host", "metrics.example.com"), ("origin", "https://metrics.example.com")]), 200);
    }

    #[test]
    fn a_browser_that_says_it_asks_for_another_page_is_believed() {
        for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
            assert_eq!(checked(&Method::POST, &[("host", "localhost"), ("sec-fetch-site", site)]), status, "{site}");
        }
    }

    #[test]
    fn pages_of_others_may_lead_here_and_ask_nothing() {
        let host = ("host", "localhost:7117");
        for (site, mode, status) in [
            ("same-origin", "cors", 200),
            ("none", "navigate", 200),
            ("cross-site", "navigate", 200),
            ("cross-site", "no-cors", 403),
            ("cross-site", "cors", 403),
            ("same-site", "no-cors", 403),
        ] {
            assert_eq!(checked(&Method::GET, &[host, ("sec-fetch-site", site), ("sec-fetch-mode", mode)]), status, "{site} {mode}");
        }
    }

    #[test]
    fn a_proxy_does_not_open_the_door() {
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-anything", "x-real-ip", "via"] {
            assert_eq!(checked(&Method::GET, &[("host", "localhost"), (name, "1.2.3.4")]), 403, "{name}");
            assert_eq!(checked_with(&Method::GET, &[("host", "localhost"), (name, "1.2.3.4")], Forwarded::Accepted), 200, "{name}");
        }
    }
}
