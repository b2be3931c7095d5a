//! The client: requests as the API's users make them, answers as JSON; and raw requests for what
//! no proper client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::remote_write_body;

const TIMEOUT: Duration = Duration::from_secs(60);
/// The mission's API.
const API: &str = "/api/v1/monitoring";

/// Status and body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// Asserts the status, yields the body.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "status; the body was: {}", self.text);
        self.json()
    }

    /// Asserts the API's error shape with this status; yields the message.
    pub(crate) fn expect_error(&self, status: u16) -> String {
        let body = self.expect(status);
        assert!(body["error"]["code"].is_string(), "error.code is a string: {}", self.text);
        body["error"]["message"].as_str().unwrap_or_else(|| panic!("error.message is a string: {}", self.text)).to_owned()
    }
}

/// An answer as it came over the wire: headers, and the body not decoded.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Fetched {
    /// A header's value by its lower-case name; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn fetched(mut response: ureq::http::Response<ureq::Body>) -> Fetched {
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Fetched { status: response.status().as_u16(), headers, body: response.body_mut().read_to_vec().expect("the body is read to its end") }
}

/// Talks to one daemon.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    /// To the daemon on this loopback port.
    pub(crate) fn of(port: u16) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().into();
        Self { agent, base: format!("http://127.0.0.1:{port}") }
    }

    /// `None` where nobody answers.
    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        let mut response = self.agent.get(format!("{}{path}", self.base)).call().ok()?;
        Some(Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string().ok()? })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|| panic!("GET {path} was answered"))
    }

    /// A GET with these headers; the body stays as it was sent.
    pub(crate) fn fetch(&self, path: &str, headers: &[(&str, &str)]) -> Fetched {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fetched(request.call().unwrap_or_else(|error| panic!("GET {path} was answered: {error}")))
    }

    /// A POST of any bytes with these headers.
    pub(crate) fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Fetched {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fetched(request.send(body).unwrap_or_else(|error| panic!("POST {path} was answered: {error}")))
    }

    /// A GET below the mission's API that has to succeed.
    pub(crate) fn api(&self, path: &str) -> Value {
        self.get(&format!("{API}/{path}")).expect(200)
    }

    /// A POST of JSON below the mission's API.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string())
    }

    /// A POST of any text as JSON below the mission's API.
    pub(crate) fn post_text(&self, path: &str, body: &str) -> Answer {
        let sent = self.agent.post(format!("{}{API}/{path}", self.base)).header("Content-Type", "application/json").send(body);
        let mut response = sent.unwrap_or_else(|error| panic!("POST {path} was answered: {error}"));
        Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string().expect("the body is text") }
    }

    /// A POST without a body, of any path.
    pub(crate) fn post_to(&self, path: &str) -> Answer {
        let sent = self.agent.post(format!("{}{path}", self.base)).send_empty();
        let mut response = sent.unwrap_or_else(|error| panic!("POST {path} was answered: {error}"));
        Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string().expect("the body is text") }
    }

    /// A POST without a body below the mission's API; `None` where the daemon went away meanwhile.
    pub(crate) fn try_post(&self, path: &str) -> Option<u16> {
        let response = self.agent.post(format!("{}{API}/{path}", self.base)).send_empty().ok()?;
        Some(response.status().as_u16())
    }

    /// Records one custom sample.
    pub(crate) fn record(&self, body: &Value) -> Answer {
        self.post("metrics/custom/record", body)
    }

    /// Sends one remote-write request; `None` where the daemon went away meanwhile.
    pub(crate) fn try_push(&self, series: &[super::Pushed]) -> Option<Answer> {
        let request = self
            .agent
            .post(format!("{}/api/v1/write", self.base))
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0");
        let mut response = request.send(&remote_write_body(series)[..]).ok()?;
        Some(Answer { status: response.status().as_u16(), text: response.body_mut().read_to_string().ok()? })
    }

    /// Sends one remote-write request that has to be taken whole.
    pub(crate) fn push(&self, series: &[super::Pushed]) {
        let answer = self.try_push(series).expect("remote write was answered");
        assert!(matches!(answer.status, 200 | 204), "remote write is taken: {} {}", answer.status, answer.text);
    }

    /// An instant query's `data.result`.
    pub(crate) fn query(&self, expr: &str, at_ms: i64) -> Value {
        let path = format!("/api/v1/query?query={}&time={}", escaped(expr), seconds(at_ms));
        let body = self.get(&path).expect(200);
        assert_eq!(body["status"], "success", "{expr}: {body}");
        body["data"]["result"].clone()
    }

    /// An instant query's only value; `None` where nothing was found.
    pub(crate) fn value(&self, expr: &str, at_ms: i64) -> Option<f64> {
        let result = self.query(expr, at_ms);
        let found = result.as_array().expect("a vector");
        assert!(found.len() < 2, "{expr} yields one series: {result}");
        found.first().map(|series| number(&series["value"][1]))
    }

    /// A range query's only series as `(milliseconds, value)`; empty where nothing was found.
    pub(crate) fn range(&self, expr: &str, start_ms: i64, end_ms: i64, step_ms: i64) -> Vec<(i64, f64)> {
        let (start, end, step) = (seconds(start_ms), seconds(end_ms), seconds(step_ms));
        let path = format!("/api/v1/query_range?query={}&start={start}&end={end}&step={step}", escaped(expr));
        let body = self.get(&path).expect(200);
        let found = body["data"]["result"].as_array().expect("a matrix").clone();
        assert!(found.len() < 2, "{expr} yields one series: {body}");
        found.first().map(|series| points(&series["values"])).unwrap_or_default()
    }

    /// Seals, rolls up, merges, cuts.
    pub(crate) fn settle(&self) {
        let status = self.try_post("maintenance/settle");
        assert!(status.is_some_and(|status| (200..300).contains(&status)), "settle: {status:?}");
    }
}

/// `[[seconds, "value"], ..]` as `(milliseconds, value)`.
pub(crate) fn points(values: &Value) -> Vec<(i64, f64)> {
    let pairs = values.as_array().into_iter().flatten();
    pairs.map(|pair| ((pair[0].as_f64().expect("a time") * 1000.0).round() as i64, number(&pair[1]))).collect()
}

fn number(value: &Value) -> f64 {
    value.as_str().expect("values are strings").parse().expect("values are numbers")
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Percent-encodes all but letters and digits.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Sends these bytes on a connection of their own and reads until the other side closes (`head`
/// asks for that). Reads while it sends: what is refused early cannot be sent to its end.
pub(crate) fn raw_request(port: u16, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("latido accepts");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    stream.set_write_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    let mut reading = stream.try_clone().expect("a socket can be shared");
    let mut bytes = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = reading.read_to_end(&mut bytes);
        });
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    });
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let text = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Answer { status, text }
}
