//! A connection to a mail server: writes commands and reads replies, in clear or under TLS.
//!
//! # Threats
//! - replies without end: lines and replies have a maximum length
//! - replies injected before TLS (STARTTLS injection): bytes that arrive ahead of the handshake end the connection

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::reply::{Extensions, Mechanism, Reply, ReplyLine};
use super::tls::Tls;
use crate::config::Secret;
use crate::mail::send_error::Cause;

/// The longest line that is read; the standard has 512 bytes (RFC 5321, 4.5.3.1.5).
const LONGEST_LINE: u64 = 4096;
/// The most lines of a reply.
const MOST_LINES: usize = 128;

/// The account on the mail server.
pub(super) struct Credentials {
    pub username: String,
    pub password: Secret,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    extensions: Extensions,
}

impl Connection {
    /// Connects and, with `tls`, completes the handshake.
    pub async fn open(host: &str, port: u16, tls: Option<&Tls>) -> Result<Self, Cause> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match tls {
            Some(tls) => Box::new(tls.handshake(stream).await?),
            None => Box::new(stream),
        };
        Ok(Self {
            stream: BufReader::new(stream),
            extensions: Extensions::default(),
        })
    }

    /// What the last `EHLO` offered.
    pub fn extensions(&self) -> Extensions {
        self.extensions
    }

    /// Reads the greeting and introduces this server.
    pub async fn greet(&mut self, name: &str) -> Result<(), Cause> {
        expect(self.read_reply().await?, |code| code == 220)?;
        self.introduce(name).await
    }

    async fn introduce(&mut self, name: &str) -> Result<(), Cause> {
        let reply = self.command(&format!("EHLO {name}"), is_positive).await?;
        self.extensions = Extensions::of(&reply);
        Ok(())
    }

    /// Upgrades to TLS and introduces this server again, since the first reply was not protected.
    pub async fn start_tls(self, tls: &Tls, name: &str) -> Result<Self, Cause> {
        let mut clear = self;
        clear.command("STARTTLS", |code| code == 220).await?;
        if !clear.stream.buffer().is_empty() {
            return Err(Cause::Unreadable);
        }
        let secured = tls.handshake(clear.stream.into_inner()).await?;
        let mut connection = Self {
            stream: BufReader::new(Box::new(secured)),
            ..clear
        };
        connection.introduce(name).await?;
        Ok(connection)
    }

    /// Authenticates (RFC 4954). A challenge is answered whatever its text.
    pub async fn authenticate(
        &mut self,
        mechanism: Mechanism,
        credentials: &Credentials,
    ) -> Result<(), Cause> {
        let Credentials { username, password } = credentials;
        let password = password.expose();
        let is_last = |code| code == 235;
        match mechanism {
            Mechanism::Plain => {
                let response = STANDARD.encode(format!("\0{username}\0{password}"));
                self.command(&format!("AUTH PLAIN {response}"), is_last)
                    .await?;
            }
            Mechanism::Login => {
                let is_challenge = |code| code == 334;
                self.command("AUTH LOGIN", is_challenge).await?;
                self.command(&STANDARD.encode(username), is_challenge)
                    .await?;
                self.command(&STANDARD.encode(password), is_last).await?;
            }
        }
        Ok(())
    }

    /// Sends one line; the reply must have an expected code.
    pub async fn command(
        &mut self,
        line: &str,
        is_expected: impl Fn(u16) -> bool,
    ) -> Result<Reply, Cause> {
        if line.contains(['\r', '\n', '\0']) {
            return Err(Cause::Unreadable);
        }
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .await?;
        self.stream.flush().await?;
        expect(self.read_reply().await?, is_expected)
    }

    /// Sends the mail after the reply to `DATA`, and its end.
    pub async fn message(&mut self, mail: &[u8]) -> Result<Reply, Cause> {
        self.stream.write_all(&dot_stuffed(mail)).await?;
        self.stream.flush().await?;
        expect(self.read_reply().await?, is_positive)
    }

    /// Sends `QUIT` and closes, whatever the reply.
    pub async fn quit(mut self) {
        if self.command("QUIT", |_| true).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    async fn read_reply(&mut self) -> Result<Reply, Cause> {
        let mut reply: Option<Reply> = None;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.stream).take(LONGEST_LINE);
            limited.read_until(b'\n', &mut line).await?;
            if !line.ends_with(b"\n") {
                return Err(match limited.limit() {
                    0 => Cause::Unreadable,
                    _ => io::Error::from(io::ErrorKind::UnexpectedEof).into(),
                });
            }
            let line = ReplyLine::parse(&line).ok_or(Cause::Unreadable)?;
            let reply = reply.get_or_insert_with(|| Reply {
                code: line.code,
                lines: Vec::new(),
            });
            if reply.code != line.code || reply.lines.len() == MOST_LINES {
                return Err(Cause::Unreadable);
            }
            reply.lines.push(line.text);
            if !line.continues {
                return Ok(Reply {
                    code: reply.code,
                    lines: std::mem::take(&mut reply.lines),
                });
            }
        }
    }
}

/// Whether a code reports success.
pub(super) fn is_positive(code: u16) -> bool {
    (200..300).contains(&code)
}

fn expect(reply: Reply, is_expected: impl Fn(u16) -> bool) -> Result<Reply, Cause> {
    match reply.code {
        code if is_expected(code) => Ok(reply),
        code @ 400.. => Err(Cause::Refused {
            code,
            enhanced: reply.enhanced_code(),
        }),
        _ => Err(Cause::Unreadable),
    }
}

/// The mail with a dot added to each line that starts with one, and the end of data (RFC 5321, 4.5.2).
fn dot_stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_start_with_a_dot_get_another() {
        for (mail, sent) in [
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a.\r\nb", "a.\r\nb\r\n.\r\n"),
        ] {
            assert_eq!(dot_stuffed(mail.as_bytes()), sent.as_bytes());
        }
    }
}
