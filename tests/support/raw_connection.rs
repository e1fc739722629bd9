//! A raw TCP connection to a server: requests are sent byte for byte, responses are parsed by hand.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Server, TIMEOUT};

/// One connection.
pub struct RawConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }
}

impl RawConnection {
    /// Connects.
    pub fn to(server: &Server) -> Self {
        Self::at(server.address)
    }

    /// Connects to this address.
    pub fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends these bytes, if the server still accepts them; a closed connection shows when reading.
    pub fn send(&mut self, text: &str) {
        if let Err(refusal) = self.stream.write_all(text.as_bytes()) {
            assert!(
                matches!(
                    refusal.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ),
                "{refusal}"
            );
        }
    }

    /// Sends a request with a JSON body, or none when it is empty.
    pub fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ));
    }

    /// The next answer, read to the end of its body.
    pub fn receive(&mut self) -> Answer {
        self.receive_within(TIMEOUT).expect("an answer")
    }

    /// The next answer if it comes in time.
    pub fn receive_within(&mut self, timeout: Duration) -> Option<Answer> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(answer) = self.take_answer() {
                return Some(answer);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            assert_ne!(
                self.read_some(left),
                Some(0),
                "it hung up: {:?}",
                self.text()
            );
        }
    }

    /// Waits until the server closes; returns what it sent until then.
    pub fn receive_until_closed(&mut self) -> String {
        let deadline = Instant::now() + TIMEOUT;
        while self.read_some(TIMEOUT) != Some(0) {
            assert!(Instant::now() < deadline, "it does not hang up");
        }
        self.text()
    }

    /// Waits for this text; what follows it stays.
    pub fn receive_text(&mut self, text: &str) {
        let deadline = Instant::now() + TIMEOUT;
        while !self.text().starts_with(text) {
            assert!(Instant::now() < deadline, "{:?}", self.text());
            assert_ne!(self.read_some(TIMEOUT), Some(0), "{:?}", self.text());
        }
        self.received.drain(..text.len());
    }

    /// Sends `piece` again and again, slowly, until the server closes; returns what it sent and the elapsed time.
    pub fn trickle(&mut self, piece: &str) -> (String, Duration) {
        let started = Instant::now();
        loop {
            // It fails when the server has hung up, which the next look sees.
            let _ = self.stream.write_all(piece.as_bytes());
            if self.read_some(Duration::from_millis(10)) == Some(0) {
                return (self.text(), started.elapsed());
            }
            assert!(started.elapsed() < TIMEOUT, "it does not hang up");
        }
    }

    /// Sends `piece` as fast as it is accepted and reads nothing, until the server closes; returns how many bytes it sent.
    pub fn flood(&mut self, piece: &str) -> usize {
        self.stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        let mut sent = 0;
        let refusal = loop {
            sent += piece.len();
            if let Err(refusal) = self.stream.write_all(piece.as_bytes()) {
                break refusal;
            }
        };
        assert!(
            matches!(
                refusal.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            ),
            "{refusal}"
        );
        sent
    }

    /// Says that nothing follows, and still listens.
    pub fn close_write(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads what there is: how many bytes, 0 for the end, `None` when nothing came in time.
    fn read_some(&mut self, timeout: Duration) -> Option<usize> {
        let timeout = timeout.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(timeout)).unwrap();
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(read) => {
                self.received.extend_from_slice(&buffer[..read]);
                Some(read)
            }
            Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                None
            }
            // A reset is an end as well.
            Err(_) => Some(0),
        }
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let text = self.text();
        let (head, rest) = text.split_once("\r\n\r\n")?;
        let mut answer = Answer {
            status: head.split(' ').nth(1)?.parse().unwrap(),
            head: head.to_owned(),
            body: String::new(),
        };
        let length = answer
            .header("Content-Length")
            .map_or(0, |length| length.parse().unwrap());
        answer.body = rest.get(..length)?.to_owned();
        self.received.drain(..head.len() + 4 + length);
        Some(answer)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}
