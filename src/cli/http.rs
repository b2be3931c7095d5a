//! The least of an HTTP client: one GET of a plain `http://` address, whole answer, with a time limit.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Such as 200.
    pub(super) status: u16,
    /// Without the transfer's framing.
    pub(super) body: Vec<u8>,
}

/// Gets `path` (with its query) of the daemon at `url`.
///
/// # Errors
/// It cannot be reached, or does not speak HTTP: as a sentence.
pub(super) fn get(url: &str, path: &str) -> Result<Answer, String> {
    let (host, prefix) = split_url(url)?;
    let authority = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) { host.to_owned() } else { format!("{host}:80") };
    let unreachable = |e: std::io::Error| format!("cannot reach {url}: {e}");
    let address = authority.to_socket_addrs().map_err(unreachable)?.next().ok_or_else(|| format!("cannot reach {url}: the name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).map_err(unreachable)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(unreachable)?;
    let request = format!("GET {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(unreachable)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(unreachable)?;
    parse(&bytes).ok_or_else(|| format!("{url} does not answer as HTTP does"))
}

/// Host with port, and the path's beginning.
fn split_url(url: &str) -> Result<(&str, &str), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url:?} must begin with http://"))?;
    let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if host.is_empty() { Err(format!("{url:?} names no host")) } else { Ok((host, path.trim_end_matches('/'))) }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 4..)?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    Some(Answer { status, body: if chunked { unchunk(body)? } else { body.to_vec() } })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

/// Percent-encodes what is not unreserved.
pub(super) fn encode(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_are_read_with_and_without_chunks() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(parse(plain), Some(Answer { status: 200, body: b"hi".to_vec() }));
        let chunked = b"HTTP/1.1 503 No\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n yo\r\n0\r\n\r\n";
        assert_eq!(parse(chunked), Some(Answer { status: 503, body: b"hi yo".to_vec() }));
        assert_eq!(parse(b"SSH-2.0\r\n\r\n"), None);
    }

    #[test]
    fn only_plain_addresses_with_a_host_are_taken() {
        assert_eq!(split_url("http://h:1/base/"), Ok(("h:1", "/base")));
        assert!(split_url("https://h").is_err() && split_url("http://").is_err() && split_url("h:1").is_err());
        assert_eq!(encode("rate(x[5m])+1"), "rate%28x%5B5m%5D%29%2B1");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unchunk(&bytes);
            let _ = parse(&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &bytes[..]].concat());
        }
    }
}
