//! What a client says on a socket, read as it comes (RFC 6455, 5.2). Of messages only the length is
//! looked at: nothing is kept of them, however long they claim to be. Knows no socket.

use actix_web::web::Bytes;
use actix_ws::CloseCode;

/// The largest message, whole or in pieces.
const MAX_MESSAGE_BYTES: u64 = 64 << 10;
/// The largest control frame.
const MAX_CONTROL_BYTES: u64 = 125;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A ping, with what it carries.
    Ping(Bytes),
    /// The client leaves.
    Close,
    /// What does not belong here: why the socket is closed.
    Wrong(CloseCode, &'static str),
}

/// A reader of frames.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// The head of a frame, as far as it has come.
    head: Vec<u8>,
    /// The frame whose payload comes now.
    frame: Option<Frame>,
    /// Bytes of the message so far, over its pieces.
    message: u64,
}

#[derive(Debug)]
struct Frame {
    kind: u8,
    left: u64,
    mask: [u8; 4],
    /// Of a control frame: what it carries.
    carried: Vec<u8>,
}

impl Incoming {
    /// Takes what came; yields what is to be answered, in order. After something wrong the rest is dropped.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            if let Some(frame) = &mut self.frame {
                bytes = frame.take(bytes);
                if frame.left > 0 {
                    return heard;
                }
                heard.extend(self.frame.take().and_then(Frame::finished));
            }
            let Some((first, rest)) = bytes.split_first() else { return heard };
            self.head.push(*first);
            bytes = rest;
            if self.head.len() < head_length(&self.head) {
                continue;
            }
            match self.begin() {
                Ok(frame) => self.frame = Some(frame),
                Err((code, reason)) => {
                    heard.push(Heard::Wrong(code, reason));
                    return heard;
                }
            }
            self.head.clear();
        }
    }

    /// The frame of a complete head.
    fn begin(&mut self) -> Result<Frame, (CloseCode, &'static str)> {
        let [first, second, rest @ ..] = self.head.as_slice() else { return Err(NOT_THE_PROTOCOL) };
        let (length, mask) = rest.split_at(rest.len().saturating_sub(4));
        let left = if length.is_empty() { u64::from(second & 0x7f) } else { length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) };
        let (kind, last, reserved, masked) = (first & 0x0f, first & 0x80 != 0, first & 0x70, second & 0x80 != 0);
        let control = matches!(kind, CLOSE | PING | PONG);
        if reserved != 0 || !masked || !(control || matches!(kind, CONTINUATION | TEXT | BINARY)) || (control && (!last || left > MAX_CONTROL_BYTES)) {
            return Err(NOT_THE_PROTOCOL);
        }
        if kind == BINARY {
            return Err((CloseCode::Unsupported, "send no binary messages here"));
        }
        if !control {
            self.message = if kind == TEXT { left } else { self.message.saturating_add(left) };
            if self.message > MAX_MESSAGE_BYTES {
                return Err((CloseCode::Size, "a message may have 64 KiB"));
            }
        }
        Ok(Frame { kind, left, mask: mask.try_into().unwrap_or_default(), carried: Vec::new() })
    }
}

const NOT_THE_PROTOCOL: (CloseCode, &str) = (CloseCode::Protocol, "this is not the WebSocket protocol");

impl Frame {
    /// Takes what belongs to the payload, yields the rest.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (mine, rest) = bytes.split_at(length);
        self.left -= length as u64;
        if self.kind == PING {
            let at = self.carried.len();
            self.carried.extend(mine.iter().enumerate().map(|(i, byte)| byte ^ self.mask[(at + i) % 4]));
        }
        rest
    }

    fn finished(self) -> Option<Heard> {
        match self.kind {
            PING => Some(Heard::Ping(self.carried.into())),
            CLOSE => Some(Heard::Close),
            _ => None,
        }
    }
}

/// The length of a head that begins so.
fn head_length(head: &[u8]) -> usize {
    match head.get(1).map(|second| second & 0x7f) {
        None => 2,
        Some(126) => 8,
        Some(127) => 14,
        Some(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = vec![first];
        match payload.len() {
            length @ 0..=125 => out.push(0x80 | length as u8),
            length => {
                out.push(0x80 | 126);
                out.extend((length as u16).to_be_bytes());
            }
        }
        out.extend(mask);
        out.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]));
        out
    }

    fn code(heard: &[Heard]) -> u16 {
        match heard {
            [Heard::Wrong(code, _)] => u16::from(*code),
            _ => 0,
        }
    }

    #[test]
    fn messages_are_let_pass_and_pings_are_answered() {
        let mut bytes = frame(0x81, b"{\"hello\":1}");
        bytes.extend(frame(0x89, b"abcde"));
        bytes.extend(frame(0x81, &[b'x'; 1000]));
        bytes.extend(frame(0x8a, b""));
        bytes.extend(frame(0x88, &[3, 232]));
        let expected = [Heard::Ping(Bytes::from_static(b"abcde")), Heard::Close];
        assert_eq!(Incoming::default().take(&bytes), expected);
        // The same, byte by byte.
        let mut incoming = Incoming::default();
        let heard: Vec<Heard> = bytes.iter().flat_map(|byte| incoming.take(&[*byte])).collect();
        assert_eq!(heard, expected);
    }

    #[test]
    fn what_does_not_belong_here_is_told_with_its_code() {
        let huge = [0x81, 0xff, 0, 0, 0, 0, 0, 0x98, 0x96, 0x80, 1, 2, 3, 4];
        for (bytes, expected) in [
            (huge.to_vec(), 1009),
            (frame(0x82, b"x"), 1003),
            (frame(0x83, b""), 1002),
            (frame(0xc1, b""), 1002),
            (frame(0x09, b""), 1002),
            (frame(0x89, &[0; 126]), 1002),
            (vec![0x81, 5, 0, 0, 0, 0], 1002),
        ] {
            assert_eq!(code(&Incoming::default().take(&bytes)), expected, "{bytes:?}");
        }
    }

    #[test]
    fn pieces_count_together() {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.take(&frame(0x01, &[b'a'; 40_000])), []);
        assert_eq!(code(&incoming.take(&frame(0x80, &[b'a'; 40_000]))), 1009);
        let mut incoming = Incoming::default();
        for _ in 0..10 {
            assert_eq!(incoming.take(&frame(0x81, &[b'a'; 40_000])), []);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_and_nothing_is_kept_of_them(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let mut incoming = Incoming::default();
            for piece in pieces {
                if incoming.take(&piece).iter().any(|heard| matches!(heard, Heard::Wrong(..))) {
                    break;
                }
                prop_assert!(incoming.head.len() < 14);
                prop_assert!(incoming.frame.as_ref().is_none_or(|frame| frame.carried.len() <= 125));
            }
        }
    }
}
