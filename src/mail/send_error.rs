//! What went wrong in a dialogue with a mail server: at which step, for which cause, in words fit for a log.
//!
//! A server's own words often hold the recipient's address, so nothing of an answer is kept but its three-digit
//! code and the enhanced one behind it (RFC 3463).

use std::error::Error as _;
use std::fmt;
use std::io;

use lettre::transport::smtp;

/// Where in the dialogue.
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

/// For what reason.
#[derive(Debug)]
pub(super) enum Cause {
    /// The server answered with an error.
    Refused {
        code: u16,
        enhanced: Option<String>,
    },
    /// Certificate or handshake.
    Tls(String),
    /// The connection could not be made, or ended.
    Io(String),
    TimedOut,
    /// No answer, or one that does not belong there.
    Unreadable,
    /// The server lacks what this step needs.
    NotOffered,
}

#[derive(Debug)]
pub(super) struct Fault {
    step: Step,
    cause: Cause,
}

impl Fault {
    pub(super) fn new(step: Step, cause: Cause) -> Self {
        Self { step, cause }
    }

    /// Whether the server answered in order, so that it can be parted from in form.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self.cause, Cause::Refused { .. } | Cause::NotOffered)
    }

    /// Whether it is this recipient or this mail that is refused, for good. What speaks of us can be repaired:
    /// our commands (50x), our authentication (53x), our sender, and the relaying policy at a recipient (x.7.x).
    pub(super) fn is_permanent(&self) -> bool {
        let (code, enhanced) = match &self.cause {
            Cause::Refused { code, enhanced } => (*code, enhanced.as_deref().unwrap_or_default()),
            Cause::NotOffered => return self.step == Step::Recipient,
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

impl Cause {
    pub(super) fn of(error: &smtp::Error) -> Self {
        if let Some(code) = error.status() {
            let enhanced = error
                .source()
                .and_then(|text| enhanced_code(&text.to_string()));
            return Self::Refused {
                code: code.into(),
                enhanced,
            };
        }
        let mut source = error.source();
        while let Some(fault) = source {
            if let Some(fault) = fault.downcast_ref::<io::Error>() {
                return Self::of_io(fault);
            }
            source = fault.source();
        }
        Self::Unreadable
    }

    /// A failed handshake arrives as invalid data with rustls's account of it in it.
    fn of_io(fault: &io::Error) -> Self {
        match fault.kind() {
            io::ErrorKind::InvalidData => Self::Tls(presentable(&fault.to_string())),
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io(presentable(&fault.to_string())),
        }
    }
}

impl fmt::Display for Fault {
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

/// `5.1.1` from `5.1.1 <somebody@…> unknown`.
fn enhanced_code(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let numbers: Vec<&str> = first.split('.').collect();
    let sound =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (numbers.len() == 3 && numbers.iter().all(sound)).then(|| first.to_owned())
}

/// A certificate's names are a stranger's words: one short line, and nothing that looks like an address.
fn presentable(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}
