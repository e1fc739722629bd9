//! Finds the heads among the bytes of a connection, and refuses lines in them that end without CR.
//!
//! RFC 9112 (2.2) lets a server accept a bare LF, as actix-http does. A proxy in front may not, and forward as one header
//! what becomes two here. The LF is replaced by NUL, which actix-http refuses with 400.
//!
//! # Threats
//! - a head that is taken for a body, and so not checked: heads are found by the rules of actix-http, which refuses what
//!   is ambiguous, and a `Content-Length` that is too long to be kept is refused. After chunks the rest of the connection is not checked; the middleware closes it.

use memchr::memchr;

/// The longest beginning of a line that is kept: more than the name and digits of a `Content-Length`.
const KEPT: usize = 128;

/// Where the next byte belongs.
#[derive(Debug)]
enum Place {
    Head,
    /// In a body that ends after this many bytes.
    Body(u64),
    /// In a body whose end is not known here.
    Unknown,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    place: Place,
    /// The beginning of the current line of a head.
    line: Vec<u8>,
    /// Whether the last byte was a CR.
    after_cr: bool,
    /// What follows the current head, as its lines so far tell.
    body: Option<Place>,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            place: Place::Head,
            line: Vec::new(),
            after_cr: false,
            body: None,
        }
    }
}

impl Framing {
    /// Takes the next bytes; those that end a line of a head without CR become NUL.
    pub(super) fn check(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = match &mut self.place {
                Place::Unknown => return,
                Place::Body(rest) => {
                    let taken =
                        usize::try_from(*rest).map_or(bytes.len(), |rest| rest.min(bytes.len()));
                    *rest -= taken as u64;
                    if *rest == 0 {
                        self.place = Place::Head;
                    }
                    taken
                }
                Place::Head => self.check_line(bytes),
            };
            bytes = &mut bytes[taken..];
        }
    }

    /// Takes a line, or the part of it that has come.
    fn check_line(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        self.keep(&bytes[..end]);
        if !self.after_cr {
            bytes[end] = 0;
            self.place = Place::Unknown;
            return end + 1;
        }
        self.after_cr = false;
        let line = &self.line;
        if line.len() == KEPT && is_length(line) {
            // actix-http would read the whole of it, and find another body than is found here.
            bytes[end] = 0;
            self.place = Place::Unknown;
            return end + 1;
        }
        match line.strip_suffix(b"\r").unwrap_or(line) {
            b"" => self.place = self.body.take().unwrap_or(Place::Head),
            line => {
                if let Some(body) = body_after(line) {
                    self.body = Some(body);
                }
            }
        }
        self.line.clear();
        end + 1
    }

    fn keep(&mut self, part: &[u8]) {
        if let Some(last) = part.last() {
            self.after_cr = *last == b'\r';
        }
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }
}

/// The body that a line of a head announces.
fn body_after(line: &[u8]) -> Option<Place> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.eq_ignore_ascii_case(b"transfer-encoding") || name.eq_ignore_ascii_case(b"upgrade") {
        return Some(Place::Unknown);
    }
    if !is_length(line) {
        return None;
    }
    let digits = std::str::from_utf8(value).ok().map(str::trim);
    let length = digits.and_then(|digits| digits.parse().ok());
    Some(match length {
        Some(0) => Place::Head,
        Some(length) => Place::Body(length),
        None => Place::Unknown,
    })
}

fn is_length(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next();
    name.is_some_and(|name| name.eq_ignore_ascii_case(b"content-length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The positions of the bytes that are replaced, whatever pieces the text comes in.
    fn replaced(text: &str) -> Vec<usize> {
        let find = |size: usize| {
            let (mut framing, mut bytes) = (Framing::default(), text.as_bytes().to_vec());
            for piece in bytes.chunks_mut(size) {
                framing.check(piece);
            }
            let changed = bytes.iter().zip(text.bytes()).enumerate();
            changed
                .filter(|(_, (new, old))| **new != *old)
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        let whole = find(text.len());
        for size in [1, 2, 3, 7] {
            assert_eq!(find(size), whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    #[test]
    fn a_bare_lf_in_a_head_is_replaced() {
        for (before, after) in [
            ("", "GET / HTTP/1.1\r\n\r\n"),
            ("GET / HTTP/1.1", "Host: x\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: x", "\r\n"),
            ("GET / HTTP/1.1\r\nHost: x\r\n", ""),
            ("GET / HTTP/1.1\r\nA: \r b", "Host: x\r\n\r\n"),
            ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1", "Host: x\r\n\r\n"),
            (
                "POST / HTTP/1.1\r\ncontent-LENGTH: 2\r\n\r\n{}GET / HTTP/1.1",
                "\r\n",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1",
                "\r\n",
            ),
        ] {
            assert_eq!(
                replaced(&format!("{before}\n{after}")),
                [before.len()],
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_padded_length_is_refused() {
        let head = format!("POST / HTTP/1.1\r\nContent-Length: {}41\r", "0".repeat(120));
        let text = format!("{head}\n\r\nA: b\r\nContent-Length: 999999999\r\n\r\n");
        assert_eq!(replaced(&text), [head.len()]);
    }

    #[test]
    fn bodies_are_left_alone() {
        for text in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:4\r\n\r\n{\n\n}GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: \t4 \r\n\r\n{\n\n}",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n",
            "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n\n\n",
        ] {
            assert_eq!(replaced(text), Vec::<usize>::new(), "{text:?}");
        }
    }
}
