//! The least of an HTTP client: one request to a plain `http://` address or a control socket, whole
//! answer, with a time limit.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that one line of a head, and a whole head, may have.
const HEAD_LINE: u64 = 16 << 10;
const HEAD_BYTES: usize = 64 << 10;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Such as 200.
    pub(super) status: u16,
    /// Without the transfer's framing.
    pub(super) body: Vec<u8>,
}

/// Where a daemon is asked.
#[derive(Clone)]
pub(super) enum Endpoint {
    /// By its address, with a key where there are accounts.
    Url { url: String, key: Option<String> },
    /// By its control socket.
    Socket(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => f.write_str(url),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Endpoint {
    /// Gets `path` (with its query).
    ///
    /// # Errors
    /// It cannot be reached, or does not speak HTTP: as a sentence.
    pub(super) fn get(&self, path: &str) -> Result<Answer, String> {
        self.ask("GET", path, "")
    }

    /// Asks with a JSON body; empty: without one.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer, String> {
        let mut bytes = Vec::new();
        self.open(method, path, body)?.read_to_end(&mut bytes).map_err(|e| format!("cannot reach {self}: {e}"))?;
        parse(&bytes).ok_or_else(|| format!("{self} does not answer as HTTP does"))
    }

    /// Gets `path` and hands the body of a 200 to `take` as it comes.
    ///
    /// # Errors
    /// It cannot be reached or answers otherwise: as a sentence; else what `take` says.
    pub(super) fn stream<T, E: From<String>>(&self, path: &str, take: impl FnOnce(&mut dyn Read) -> Result<T, E>) -> Result<T, E> {
        let not_http = || format!("{self} does not answer as HTTP does");
        let mut from = io::BufReader::new(self.open("GET", path, "")?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = from.by_ref().take(HEAD_LINE).read_line(&mut head).map_err(|e| format!("cannot reach {self}: {e}"))?;
            if read == 0 || head.len() > HEAD_BYTES {
                return Err(not_http().into());
            }
        }
        let Some(answer) = parse_head(&head) else { return Err(not_http().into()) };
        if answer.status != 200 {
            let mut body = Vec::new();
            let _ = from.take(HEAD_LINE).read_to_end(&mut body);
            let body = if answer.chunked { unchunk(&body).unwrap_or_default() } else { body };
            return Err(format!("{self} answered {}: {}", answer.status, String::from_utf8_lossy(&body)).into());
        }
        if answer.chunked { take(&mut Unchunked { from, left: 0, ended: false }) } else { take(&mut from) }
    }

    /// Sends the request; what is read then is the answer.
    fn open(&self, method: &str, path: &str, body: &str) -> Result<Box<dyn Read>, String> {
        let unreachable = |e: io::Error| format!("cannot reach {self}: {e}");
        match self {
            Self::Socket(socket) => {
                let mut stream = UnixStream::connect(socket).map_err(unreachable)?;
                stream.set_read_timeout(Some(TIMEOUT)).map_err(unreachable)?;
                stream.write_all(request(method, path, "localhost", None, body).as_bytes()).map_err(unreachable)?;
                Ok(Box::new(stream))
            }
            Self::Url { url, key } => {
                let (host, prefix) = split_url(url)?;
                let mut stream = connect(host).map_err(unreachable)?;
                stream.write_all(request(method, &format!("{prefix}{path}"), host, key.as_deref(), body).as_bytes()).map_err(unreachable)?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// A body in chunks, without them. A stream that is cut short is an error, not an end.
struct Unchunked<R> {
    from: R,
    left: usize,
    ended: bool,
}

impl<R: BufRead> Unchunked<R> {
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.from.by_ref().take(HEAD_LINE).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl<R: BufRead> Read for Unchunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let line = self.line()?;
            self.left =
                usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            if self.left == 0 {
                self.ended = true;
                return Ok(0);
            }
        }
        let most = buffer.len().min(self.left);
        let read = self.from.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        if self.left == 0 {
            self.line()?;
        }
        Ok(read)
    }
}

fn connect(host: &str) -> io::Result<TcpStream> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { host.to_owned() } else { format!("{host}:80") };
    let address = authority.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("the name has no address"))?;
    let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn request(method: &str, path: &str, host: &str, key: Option<&str>, body: &str) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n");
    if let Some(key) = key {
        head.push_str(&format!("Authorization: Bearer {key}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}")
}

/// Host with port, and the path's beginning.
fn split_url(url: &str) -> Result<(&str, &str), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url:?} must begin with http://"))?;
    let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if host.is_empty() { Err(format!("{url:?} names no host")) } else { Ok((host, path.trim_end_matches('/'))) }
}

/// What an answer's head says of its body.
struct Head {
    status: u16,
    chunked: bool,
}

fn parse_head(head: &str) -> Option<Head> {
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.lines().any(|line| {
        let line = line.to_ascii_lowercase();
        line.starts_with("transfer-encoding:") && line.contains("chunked")
    });
    Some(Head { status, chunked })
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = parse_head(std::str::from_utf8(bytes.get(..end)?).ok()?)?;
    let body = bytes.get(end + 4..)?;
    Some(Answer { status: head.status, body: if head.chunked { unchunk(body)? } else { body.to_vec() } })
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

    #[test]
    fn a_stream_in_chunks_that_is_cut_short_is_an_error() {
        let read = |text: &str| {
            let mut out = String::new();
            Unchunked { from: text.as_bytes(), left: 0, ended: false }.read_to_string(&mut out).map(|_| out)
        };
        assert_eq!(read("2\r\nhi\r\n3;x=y\r\n yo\r\n0\r\n\r\n").unwrap(), "hi yo");
        for cut in ["", "2\r\nh", "2\r\nhi\r\n", "x\r\n"] {
            assert!(read(cut).is_err(), "{cut:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unchunk(&bytes);
            let _ = parse(&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &bytes[..]].concat());
        }
    }
}
