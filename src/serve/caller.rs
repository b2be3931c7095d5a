//! Who asks: read from the request's key, password or cookie before it is routed, and taken out again
//! by handlers. Knows no route.
//!
//! In this order: the control socket is the local admin; an `Authorization` header counts before a
//! cookie. Without accounts only keys are looked at, and whoever shows none is the local admin.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::control::ByControl;
use super::error::Fault;
use crate::access::{AccessError, Accounts, Caller, Denied, KEY_PREFIX, Need, Standing, decide};
use crate::task::Pool;

/// The cookie of a signed-in browser.
pub(super) const COOKIE: &str = "latido_session";

/// The caller of a request. Without a guard before it nobody is known: a stranger.
#[derive(Clone, Debug)]
pub(super) struct Who(pub(super) Caller);

impl FromRequest for Who {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().get::<Caller>().cloned().unwrap_or_else(Caller::stranger))))
    }
}

/// By what the caller of a request was known, for what outlasts the request.
#[derive(Clone, Debug)]
pub(super) struct KnownBy(pub(super) Standing);

impl FromRequest for KnownBy {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self(Standing::of_nothing()))))
    }
}

/// Finds out who asks. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Doorkeeper {
    pub(super) accounts: Accounts,
    pub(super) pool: Pool,
    /// Whether `X-Forwarded-For` is believed.
    pub(super) behind_proxy: bool,
}

impl Doorkeeper {
    /// The caller, where they may pass, and by what they were known.
    ///
    /// # Errors
    /// 401, 403 or 429, with the reason.
    pub(super) async fn admit(&self, request: &ServiceRequest, need: Need) -> Result<(Caller, Standing), Fault> {
        if need == Need::Open {
            return Ok((Caller::stranger(), Standing::of_nothing()));
        }
        let (caller, standing) = self.identify(request).await?;
        decide(&caller, need).map_err(denied)?;
        Ok((caller, standing))
    }

    async fn identify(&self, request: &ServiceRequest) -> Result<(Caller, Standing), Fault> {
        if request.conn_data::<ByControl>().is_some() {
            return Ok((Caller::local(), Standing::of_control()));
        }
        let local = self.accounts.is_local();
        match Credentials::of(request.headers()) {
            Credentials::Key(key) => Ok((self.accounts.by_key(&key)?, Standing::of_key(&key))),
            _ if local => Ok((Caller::local(), Standing::of_nothing())),
            Credentials::Password { name, password } => {
                let address = self.address(request.headers(), request.peer_addr());
                let caller = self.by_password(name, password, address).await?;
                let standing = self.accounts.standing_of(&caller.name);
                Ok((caller, standing))
            }
            Credentials::Unreadable => {
                Err(Fault::status(StatusCode::UNAUTHORIZED, "the Authorization header is neither a key (Bearer) nor a name and password (Basic)"))
            }
            Credentials::Session(token) => Ok((self.accounts.by_session(&token).unwrap_or_else(Caller::stranger), Standing::of_session(&token))),
            Credentials::None => Ok((Caller::stranger(), Standing::of_nothing())),
        }
    }

    async fn by_password(&self, name: String, password: String, address: Option<IpAddr>) -> Result<Caller, Fault> {
        if let Some(caller) = self.accounts.by_known_password(&name, &password) {
            return Ok(caller);
        }
        let accounts = self.accounts.clone();
        Ok(self.pool.run(move || accounts.by_password(&name, &password, address)).await??)
    }

    /// From where a request comes; `None` on the control socket.
    pub(super) fn address(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> Option<IpAddr> {
        client_address(headers, peer, self.behind_proxy)
    }
}

/// The address of the client: what the proxy said last, where there is one that is believed.
fn client_address(headers: &HeaderMap, peer: Option<SocketAddr>, behind_proxy: bool) -> Option<IpAddr> {
    let forwarded = headers.get_all("x-forwarded-for").last().filter(|_| behind_proxy).and_then(|value| value.to_str().ok());
    let said = forwarded.and_then(|list| list.rsplit(',').next()).and_then(|text| parse_address(text.trim()));
    said.or_else(|| peer.map(|peer| peer.ip()))
}

/// `1.2.3.4`, `2001:db8::1`, and with ports.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What a request shows of its caller.
#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    None,
    Key(String),
    Password { name: String, password: String },
    Session(String),
    Unreadable,
}

impl Credentials {
    fn of(headers: &HeaderMap) -> Self {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            return Self::authorization(value).unwrap_or(Self::Unreadable);
        }
        session_token(headers).map_or(Self::None, Self::Session)
    }

    fn authorization(value: &HeaderValue) -> Option<Self> {
        let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            let key = rest.trim();
            // Not one of ours: without accounts it is as good as none.
            return key.starts_with(KEY_PREFIX).then(|| Self::Key(key.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(match password.starts_with(KEY_PREFIX) {
            true => Self::Key(password.to_owned()),
            false => Self::Password { name: name.to_owned(), password: password.to_owned() },
        })
    }
}

/// The token of the session that a browser shows.
pub(super) fn session_token(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value.to_owned())
}

pub(super) fn denied(denied: Denied) -> Fault {
    match denied {
        Denied::SignIn => Fault::status(StatusCode::UNAUTHORIZED, "sign in, or send a key: Authorization: Bearer latido_..."),
        Denied::Role(least) => Fault::status(StatusCode::FORBIDDEN, format!("this needs the role {least}")),
        Denied::Scope => Fault::status(StatusCode::FORBIDDEN, "this changes something, and the key was made for reading: use one with the scope write"),
    }
}

/// How a client without credentials is told to show some. A browser is not offered `Basic`: it
/// would ask for name and password in a window of its own, over the page's.
pub(super) fn challenges(headers: &HeaderMap) -> &'static [&'static str] {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_browser = headers.contains_key("sec-fetch-mode")
        || headers.contains_key(header::COOKIE)
        || text(header::ACCEPT).contains("text/html")
        || text(header::USER_AGENT).starts_with("Mozilla/");
    if is_browser { &["Bearer realm=\"latido\""] } else { &["Bearer realm=\"latido\"", "Basic realm=\"latido\", charset=\"UTF-8\""] }
}

impl From<AccessError> for Fault {
    fn from(e: AccessError) -> Self {
        match &e {
            AccessError::WrongPassword | AccessError::UnknownKey | AccessError::ExpiredKey => Self::status(StatusCode::UNAUTHORIZED, e.to_string()),
            AccessError::Attempts { wait } => Self::too_many(e.to_string(), *wait),
            _ => match e.field() {
                Some(field) => Self::field(field, e.to_string()),
                None => Self::new(e.kind(), e.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_key_comes_as_bearer_or_as_the_password_of_any_name() {
        let key = Credentials::Key("latido_abc".into());
        let of = |value: &str| Credentials::of(&headers(&[("authorization", value)]));
        for value in ["Bearer latido_abc", "bearer  latido_abc ", &basic("prometheus:latido_abc"), &basic(":latido_abc")] {
            assert_eq!(of(value), key, "{value}");
        }
        assert_eq!(of(&basic("ana:pass:word")), Credentials::Password { name: "ana".into(), password: "pass:word".into() });
        for value in ["Bearer other", "Bearer", "Digest x", "Basic !!!", &basic("no colon"), "Basic /w=="] {
            assert_eq!(of(value), Credentials::Unreadable, "{value}");
        }
    }

    #[test]
    fn the_session_is_found_among_cookies_and_a_header_counts_before_it() {
        let cookies = ("cookie", "a=b; latido_session=token; c=d");
        assert_eq!(Credentials::of(&headers(&[cookies])), Credentials::Session("token".into()));
        assert_eq!(Credentials::of(&headers(&[cookies, ("authorization", "Bearer latido_x")])), Credentials::Key("latido_x".into()));
        for none in ["latido_session=", "xlatido_session=y", "latido_session", ""] {
            assert_eq!(Credentials::of(&headers(&[("cookie", none)])), Credentials::None, "{none}");
        }
    }

    #[test]
    fn a_proxy_is_believed_only_where_one_is_said_to_stand_and_only_its_own_word() {
        let peer = Some("10.0.0.9:1234".parse().unwrap());
        let at = |pairs: &[(&str, &str)], behind| client_address(&headers(pairs), peer, behind).unwrap().to_string();
        let list = [("x-forwarded-for", "6.6.6.6, 192.0.2.7")];
        assert_eq!(at(&list, false), "10.0.0.9");
        assert_eq!(at(&list, true), "192.0.2.7");
        assert_eq!(at(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "[2001:db8::1]:80")], true), "2001:db8::1");
        assert_eq!(at(&[("x-forwarded-for", "192.0.2.7:80")], true), "192.0.2.7");
        assert_eq!(at(&[("x-forwarded-for", "unknown")], true), "10.0.0.9");
        assert_eq!(at(&[], true), "10.0.0.9");
    }

    #[test]
    fn a_browser_is_not_offered_basic() {
        for pair in [("sec-fetch-mode", "cors"), ("accept", "text/html,*/*"), ("user-agent", "Mozilla/5.0 (X11)"), ("cookie", "a=b")] {
            assert_eq!(challenges(&headers(&[pair])).len(), 1, "{pair:?}");
        }
        assert_eq!(challenges(&headers(&[("user-agent", "curl/8"), ("accept", "*/*")])).len(), 2);
    }
}
