//! One socket of a dashboard. Frames are pulled: only when the connection takes more is the newest
//! one asked for, so that a slow viewer holds no frames and skips what it cannot take.
//!
//! Two halves. The outgoing one is the body of the answer: frames, pings, answers to pings, the
//! closing. The incoming one reads what the client says, which is little: anything within 45 s, or
//! the connection is given up. A client that sends what does not belong here is told why and left.
//! Knows no dashboard: frames come from the hub as text. `live/incoming` reads what clients say.

mod incoming;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody};
use actix_web::http::Method;
use actix_web::http::header::UPGRADE;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use actix_ws::CloseCode;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use incoming::{Heard, Incoming};

use super::error::Fault;
use crate::clock::Stopwatch;
use crate::dashboard::{Place, Shown, Viewer};
use crate::model::ErrorKind;
use crate::task::Stop;

/// Between two pings.
const PING: Duration = Duration::from_secs(15);
/// A client that says nothing for so long, or takes nothing, is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Answers to pings that may wait; a client that pings faster gets fewer.
const CONTROLS: usize = 4;
/// Before a frame that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What a message may be of, on the wire.
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING_FRAME: u8 = 9;
const PONG: u8 = 10;

/// Answers the upgrade of a request that asks for one.
pub(super) async fn handshake(request: &HttpRequest) -> Result<HttpResponse, Fault> {
    if request.method() != Method::GET || !request.headers().contains_key(UPGRADE) {
        return Err(Fault::new(ErrorKind::Invalid, "this path is a WebSocket: open it with one (Upgrade: websocket)"));
    }
    let no_handshake = |error: actix_web::Error| Fault::new(ErrorKind::Invalid, format!("this is no WebSocket handshake: {error}"));
    // The payload is read here, not by the library, which would hold a message however long it is.
    let nothing = Payload::from_request(request, &mut actix_web::dev::Payload::None).await.map_err(no_handshake)?;
    let (response, ..) = actix_ws::handle(request, nothing).map_err(no_handshake)?;
    Ok(response)
}

/// Lets both halves run, and yields the answer whose body is the outgoing one.
pub(super) fn attend(response: HttpResponse, payload: Payload, viewer: Viewer, place: Place, stop: Stop) -> HttpResponse {
    let (control, controls) = mpsc::channel(CONTROLS);
    let taken = Taken::default();
    let outgoing = Outgoing {
        next: None,
        viewer: Some(viewer),
        controls,
        closing: place.closing.clone(),
        stop,
        ping: Instant::now() + PING,
        taken: taken.clone(),
        ready: VecDeque::new(),
        ended: false,
    };
    actix_web::rt::spawn(listen(payload, control, place, taken));
    let body = stream::unfold(outgoing, |mut outgoing| async move {
        let bytes = outgoing.pull().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), outgoing))
    });
    response.set_body(BoxBody::new(BodyStream::new(Box::pin(body))))
}

/// When the connection last took something.
#[derive(Clone, Debug)]
struct Taken {
    began: Stopwatch,
    at_ms: Arc<AtomicU64>,
}

impl Default for Taken {
    fn default() -> Self {
        Self { began: Stopwatch::start(), at_ms: Arc::default() }
    }
}

impl Taken {
    fn note(&self) {
        self.at_ms.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    fn since(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.at_ms.load(Ordering::Relaxed)))
    }
}

/// What the incoming half has the outgoing one say.
#[derive(Debug)]
enum Control {
    Pong(Bytes),
    Close(CloseCode, &'static str),
}

/// Reads what the client says until it leaves, is silent for too long, or says what does not belong here.
async fn listen(mut payload: Payload, control: mpsc::Sender<Control>, place: Place, taken: Taken) {
    let _place = place;
    let mut incoming = Incoming::default();
    let mut heard = Stopwatch::start();
    loop {
        let bytes = tokio::select! {
            bytes = payload.next() => bytes,
            () = control.closed() => return,
            () = tokio::time::sleep(PING) => {
                if heard.elapsed() > SILENCE || taken.since() > SILENCE {
                    return;
                }
                continue;
            }
        };
        heard = Stopwatch::start();
        let Some(Ok(bytes)) = bytes else { return };
        for said in incoming.take(&bytes) {
            let close = match said {
                Heard::Ping(bytes) => {
                    // Full: the client pings faster than it reads.
                    let _ = control.try_send(Control::Pong(bytes));
                    continue;
                }
                Heard::Close => Control::Close(CloseCode::Normal, ""),
                Heard::Wrong(code, reason) => Control::Close(code, reason),
            };
            let _ = control.send(close).await;
            // The outgoing half says it and ends; what the client still sends is not read.
            return control.closed().await;
        }
    }
}

type Next = Pin<Box<dyn Future<Output = (Viewer, Shown)>>>;

/// The body of the answer.
struct Outgoing {
    /// The frame that is waited for; kept over everything else that is said meanwhile.
    next: Option<Next>,
    viewer: Option<Viewer>,
    controls: mpsc::Receiver<Control>,
    closing: Stop,
    stop: Stop,
    ping: Instant,
    taken: Taken,
    /// What is sent before anything else is asked for.
    ready: VecDeque<Bytes>,
    ended: bool,
}

/// What the outgoing half does next.
enum Doing {
    Show(Shown),
    Control(Option<Control>),
    Ping,
    Close(CloseCode, &'static str),
}

impl Outgoing {
    /// The next bytes; asked for when the connection takes more. `None`: the end.
    async fn pull(&mut self) -> Option<Bytes> {
        self.taken.note();
        while self.ready.is_empty() && !self.ended {
            match self.wait().await {
                Doing::Show(Shown::Frame(text)) => self.say(TEXT, text),
                Doing::Show(Shown::Gone) => self.close(CloseCode::Normal, "there is no such dashboard any more"),
                Doing::Show(Shown::Denied) => self.close(CloseCode::Policy, "this dashboard is no longer open to you"),
                Doing::Show(Shown::Failed(reason)) => {
                    tracing::warn!(reason, "a frame could not be made, it is tried again");
                    tokio::time::sleep(RETRY).await;
                }
                Doing::Control(Some(Control::Pong(bytes))) => self.say(PONG, bytes),
                Doing::Control(Some(Control::Close(code, reason))) | Doing::Close(code, reason) => self.close(code, reason),
                // The client is gone.
                Doing::Control(None) => self.ended = true,
                Doing::Ping => {
                    self.ping = Instant::now() + PING;
                    self.say(PING_FRAME, Bytes::new());
                }
            }
        }
        self.ready.pop_front()
    }

    async fn wait(&mut self) -> Doing {
        if let Some(mut viewer) = self.viewer.take() {
            self.next = Some(Box::pin(async move {
                let shown = viewer.next().await;
                (viewer, shown)
            }));
        }
        let Some(next) = self.next.as_mut() else { return Doing::Control(None) };
        tokio::select! {
            biased;
            () = self.stop.stopped() => Doing::Close(CloseCode::Away, "the daemon stops"),
            () = self.closing.stopped() => Doing::Close(CloseCode::Normal, "disconnected"),
            control = self.controls.recv() => Doing::Control(control),
            () = tokio::time::sleep_until(self.ping) => Doing::Ping,
            (viewer, shown) = next => {
                self.viewer = Some(viewer);
                Doing::Show(shown)
            }
        }
    }

    fn say(&mut self, kind: u8, payload: Bytes) {
        self.ready.push_back(head(kind, payload.len()));
        if !payload.is_empty() {
            self.ready.push_back(payload);
        }
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        let mut payload = u16::from(code).to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.say(CLOSE, payload.into());
        self.ended = true;
    }
}

/// The head of a whole, unmasked frame: kind and length (RFC 6455, 5.2).
fn head(kind: u8, length: usize) -> Bytes {
    let mut head = vec![0x80 | kind];
    match length {
        0..=125 => head.push(length as u8),
        126..=0xffff => {
            head.push(126);
            head.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_frames_say_their_length() {
        assert_eq!(head(TEXT, 5)[..], [0x81, 5]);
        assert_eq!(head(TEXT, 126)[..], [0x81, 126, 0, 126]);
        assert_eq!(head(TEXT, 70_000)[..], [0x81, 127, 0, 0, 0, 0, 0, 1, 17, 112]);
        assert_eq!(head(PING_FRAME, 0)[..], [0x89, 0]);
    }
}
