//! Why a mail could not be sent: at which step of the SMTP dialogue, for which reason, in words for the log.
//!
//! # Threats
//! - addresses in logs: servers often repeat the recipient, so only the reply code and the enhanced status code
//!   (RFC 3463) of a reply are kept

use std::fmt;
use std::io;

/// Why a mail could not be sent, in words for the log: no address, and of a server's reply only its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The server refused this recipient or this mail permanently.
    Permanent(String),
    /// Any other failure, including wrong passwords and certificates, which an operator can correct.
    Transient(String),
}

impl SendError {
    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Permanent(reason) | Self::Transient(reason) => reason,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for SendError {}

/// A step of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Starttls,
    Auth,
    Noop,
    Sender,
    Recipient,
    Data,
    Content,
    Whole,
}

/// The reason.
#[derive(Debug)]
pub(super) enum Cause {
    /// The server replied with an error.
    Refused {
        code: u16,
        enhanced: Option<String>,
    },
    /// Certificate or handshake.
    Tls(String),
    /// The connection could not be made, or ended.
    Io(String),
    TimedOut,
    /// No reply, or one that does not fit the command.
    Unreadable,
    /// The server lacks what this step needs.
    NotOffered,
}

#[derive(Debug)]
pub(super) struct SmtpError {
    step: Step,
    cause: Cause,
}

impl SmtpError {
    pub(super) fn new(step: Step, cause: Cause) -> Self {
        Self { step, cause }
    }

    /// Whether the dialogue is intact, so that it can end with `QUIT`.
    pub(super) fn is_intact(&self) -> bool {
        matches!(self.cause, Cause::Refused { .. } | Cause::NotOffered)
    }

    /// Whether this recipient or this mail is refused permanently. Replies about this server are not: its commands
    /// (50x), its authentication (53x), its sender, and the relaying policy at a recipient (x.7.x).
    pub(super) fn is_permanent(&self) -> bool {
        let (code, enhanced) = match &self.cause {
            Cause::Refused { code, enhanced } => (*code, enhanced.as_deref().unwrap_or_default()),
            _ => return false,
        };
        let about_us = code < 500 || matches!(code, 500 | 502..=504 | 530..=539);
        match self.step {
            Step::Recipient => !about_us && !enhanced.starts_with("5.7."),
            Step::Data | Step::Content => !about_us,
            _ => false,
        }
    }

    /// What an operator can do about it.
    pub(super) fn advice(&self) -> &'static str {
        match (&self.cause, self.step) {
            (Cause::Tls(_), _) => {
                "mail.smtp.host must be the name in the server's certificate, mail.smtp.tls must suit the port, and the certificate of a private authority belongs into mail.smtp.ca_file"
            }
            (Cause::NotOffered, Step::Starttls) => {
                "try mail.smtp.tls = \"required\" on the port for TLS (465), or another server"
            }
            (_, Step::Auth) => "check mail.smtp.username and mail.smtp.password",
            _ => {
                "check mail.smtp.host, mail.smtp.port and mail.smtp.tls, and that this machine may reach the server"
            }
        }
    }
}

/// A failed handshake is invalid data, with the message of rustls.
impl From<io::Error> for Cause {
    fn from(fault: io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::InvalidData => Self::Tls(presentable(&fault.to_string())),
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io(presentable(&fault.to_string())),
        }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Refused {
                code,
                enhanced: Some(enhanced),
            } => {
                write!(f, "{code} {enhanced} at {}", self.step)
            }
            Cause::Refused {
                code,
                enhanced: None,
            } => write!(f, "{code} at {}", self.step),
            Cause::Tls(why) => write!(f, "TLS failed at {}: {why}", self.step),
            Cause::Io(why) => write!(f, "connection failed at {}: {why}", self.step),
            Cause::TimedOut => write!(f, "timed out at {}", self.step),
            Cause::Unreadable => write!(f, "no proper answer at {}", self.step),
            Cause::NotOffered => write!(f, "the server does not offer what {} needs", self.step),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Starttls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Noop => "NOOP",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "the message",
            Self::Whole => "the whole delivery",
        })
    }
}

/// The names in a certificate are untrusted: one short line, without anything that looks like an address.
fn presentable(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}
