//! The one HTTP client: what the daemon sends, and only to addresses that the configuration names.
//!
//! No redirect is followed (an answer must not choose where a secret goes), no proxy of the
//! environment is used, no cookie is kept, and of an answer only the beginning is read. Trusted are
//! the certificates that the operating system trusts. The only user of `reqwest`.

use std::fmt;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client as Inner, Url};

/// How much of an answer is read: for a message to a person it is plenty.
const ANSWER_BYTES: usize = 64 << 10;
/// How long an idle connection is kept: notifications are rare.
const IDLE: Duration = Duration::from_secs(30);

/// Why an address cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("it is not an address such as https://example.org/hook: {0}")]
    Malformed(String),
    /// Another scheme.
    #[error("it begins with {0:?}: only http:// and https:// can be called")]
    Scheme(String),
    /// Nowhere to go.
    #[error("it names no host")]
    NoHost,
}

/// An address that may be called. What people see of it is host and port: the rest may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads an `http` or `https` address.
    ///
    /// # Errors
    /// It is none; the message does not repeat it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text.trim()).map_err(|e| AddressError::Malformed(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme(url.scheme().chars().take(20).collect()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::NoHost);
        }
        Ok(Self(url))
    }

    fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.host_str().unwrap_or(""), self.0.port_or_known_default().unwrap_or(0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a call had no answer. Says host and port, never the address.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client cannot be made.
    #[error("the HTTP client cannot be started: {0}")]
    Start(String),
    /// Nobody answered in time.
    #[error("{to} did not answer within {limit_seconds} s")]
    Timeout {
        /// Host and port.
        to: String,
        /// How long was waited.
        limit_seconds: u64,
    },
    /// The connection failed.
    #[error("{to} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        to: String,
        /// What failed.
        reason: String,
    },
}

/// An answer: its status, and the beginning of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// At most 64 KiB.
    pub text: String,
}

/// Calls one address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Inner,
    address: Address,
    limit: Duration,
}

impl Client {
    /// A client for `address`; a call takes at most `limit`, connecting and answering included.
    ///
    /// # Errors
    /// The operating system's certificates cannot be read, for an `https` address.
    pub fn new(address: Address, limit: Duration) -> Result<Self, ClientError> {
        // Whoever else speaks TLS may have chosen the same provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Inner::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(limit)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("latido/", env!("CARGO_PKG_VERSION")));
        if !address.is_encrypted() {
            // The system's certificates are read only where they are needed.
            builder = builder.tls_certs_only([]);
        }
        let inner = builder.build().map_err(|e| ClientError::Start(reason(&e)))?;
        Ok(Self { inner, address, limit })
    }

    /// Where it calls.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// POSTs JSON and yields what was answered, whatever the status.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn post_json(&self, body: String) -> Result<Reply, ClientError> {
        let sent = self.inner.post(self.address.0.clone()).header(CONTENT_TYPE, "application/json").body(body).send().await;
        let mut response = sent.map_err(|e| self.failed(&e))?;
        let status = response.status().as_u16();
        let mut text = Vec::new();
        // The status is what counts: a body that breaks off changes nothing.
        while let Ok(Some(piece)) = response.chunk().await {
            text.extend_from_slice(&piece[..piece.len().min(ANSWER_BYTES - text.len())]);
            if text.len() == ANSWER_BYTES {
                break;
            }
        }
        Ok(Reply { status, text: String::from_utf8_lossy(&text).into_owned() })
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        let to = self.address.to_string();
        if error.is_timeout() {
            ClientError::Timeout { to, limit_seconds: self.limit.as_secs() }
        } else {
            ClientError::Unreachable { to, reason: reason(error) }
        }
    }
}

/// The innermost cause: the outer texts repeat the address.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(cause, error) { "the request failed".to_owned() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn only_http_addresses_are_taken_and_no_message_repeats_them() {
        for bad in ["", "example.org/hook", "ftp://example.org/secret", "file:///etc/secret", "http://", "https://"] {
            let error = Address::parse(bad);
            assert!(error.as_ref().is_err_and(|e| !e.to_string().contains("secret")), "{bad}: {error:?}");
        }
        let address = Address::parse("https://user:password@example.org/token?key=secret").unwrap();
        assert_eq!(format!("{address} {address:?}"), "example.org:443 example.org:443");
    }

    /// Answers one request with `answer` and yields what was asked.
    async fn answering(listener: TcpListener, answer: String) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let n = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&asked[..n]).into_owned()
    }

    async fn client(limit: Duration) -> (Client, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook/secret", listener.local_addr().unwrap());
        (Client::new(Address::parse(&address).unwrap(), limit).unwrap(), listener)
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (client, listener) = client(Duration::from_secs(10)).await;
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno".to_owned();
        let (reply, asked) = tokio::join!(client.post_json("{}".into()), answering(listener, answer));
        assert_eq!(reply.unwrap(), Reply { status: 302, text: "no".into() });
        assert!(asked.starts_with("POST /hook/secret HTTP/1.1\r\n") && asked.to_lowercase().contains("content-type: application/json"), "{asked}");
    }

    #[tokio::test]
    async fn of_a_long_answer_only_the_beginning_is_read() {
        let (client, listener) = client(Duration::from_secs(10)).await;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(200_000));
        let (reply, _) = tokio::join!(client.post_json("{}".into()), answering(listener, answer));
        assert_eq!(reply.unwrap().text.len(), ANSWER_BYTES);
    }

    #[tokio::test]
    async fn who_hangs_or_is_not_there_is_named_without_the_address() {
        let (client, listener) = client(Duration::from_millis(100)).await;
        let hanging = client.post_json("{}".into()).await.unwrap_err();
        assert!(matches!(hanging, ClientError::Timeout { .. }) && !hanging.to_string().contains("secret"), "{hanging}");
        drop(listener);
        let gone = client.post_json("{}".into()).await.unwrap_err();
        assert!(matches!(gone, ClientError::Unreachable { .. }) && !gone.to_string().contains("secret"), "{gone}");
    }

    #[test]
    fn an_encrypted_address_needs_no_more_than_the_system_trusts() {
        let address = Address::parse("https://example.org/hook").unwrap();
        match Client::new(address, Duration::from_secs(1)) {
            Ok(client) => assert_eq!(client.address().to_string(), "example.org:443"),
            // A machine without certificates says so.
            Err(error) => assert!(matches!(error, ClientError::Start(_)), "{error}"),
        }
    }
}
