//! Builds a mail from its texts: headers, a text and an HTML part, one recipient.
//!
//! ASCII bodies are sent as they are (`7bit`), so that a link stays whole on its line and `grep` finds it in the `.eml`.
//!
//! # Threats
//! - headers or SMTP commands injected by a name, a subject or an address: control characters are refused

use std::fmt;

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use super::templates::Rendered;
use crate::config::Sender;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// A mail, ready to send. `Debug` shows neither the address nor the texts.
#[derive(Clone)]
pub struct Email {
    /// The one recipient's address.
    pub to: String,
    /// The Message-ID with its angle brackets; the same for every attempt, so that mail programs recognise a copy.
    pub message_id: String,
    /// The texts.
    pub texts: Rendered,
    /// The time of writing.
    pub at: Timestamp,
    pub(super) message: lettre::Message,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}

/// Builds a mail with the given `Message-ID` (`<unique@domain>`), dated `at`.
///
/// # Errors
/// A text cannot be part of a header; the error does not repeat it.
pub fn compose(
    from: &Sender,
    to: &str,
    message_id: &str,
    at: Timestamp,
    rendered: &Rendered,
) -> Result<Email> {
    let from = sender(from)?;
    let to_address = parse_address(to)?;
    refuse_controls("subject", &rendered.subject)?;
    check_message_id(message_id)?;

    let message = lettre::Message::builder()
        .from(from)
        .to(Mailbox::new(None, to_address))
        .subject(rendered.subject.as_str())
        .date(at.into())
        .message_id(Some(message_id.to_owned()))
        .raw_header(auto_submitted())
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
                .singlepart(part(ContentType::TEXT_HTML, &rendered.html)),
        )
        .map_err(|_| Error::internal("the mail lacks a sender or a recipient"))?;

    Ok(Email {
        to: to.to_owned(),
        message_id: message_id.to_owned(),
        texts: rendered.clone(),
        at,
        message,
    })
}

/// Checks that mails can have this sender, so that the start fails and not each mail.
///
/// # Errors
/// `mail.from` is no address that a mail can have.
pub(super) fn check_sender(from: &Sender) -> Result<()> {
    let texts = Rendered {
        subject: "Sample".to_owned(),
        text: String::new(),
        html: String::new(),
    };
    let message_id = format!("<sample@{}>", from.domain());
    compose(
        from,
        "sample@example.com",
        &message_id,
        Timestamp::from_millis(0),
        &texts,
    )
    .map(drop)
}

fn sender(sender: &Sender) -> Result<Mailbox> {
    refuse_controls("sender's name", sender.name.as_deref().unwrap_or_default())?;
    let address = sender
        .address
        .parse()
        .map_err(|_| Error::internal("mail.from is not an address that mails can have"))?;
    Ok(Mailbox::new(sender.name.clone(), address))
}

/// Lettre accepts control characters in a quoted local part, so they are refused first. Other scripts would need SMTPUTF8.
fn parse_address(address: &str) -> Result<Address> {
    refuse_controls("recipient's address", address)?;
    if !address.is_ascii() {
        return Err(Error::internal(
            "the recipient's address of a mail is not in ASCII",
        ));
    }
    address
        .parse()
        .map_err(|_| Error::internal("the recipient's address of a mail is not one"))
}

fn refuse_controls(what: &'static str, text: &str) -> Result<()> {
    match text.contains(char::is_control) {
        true => Err(Error::internal(format!(
            "the {what} of a mail holds a control character"
        ))),
        false => Ok(()),
    }
}

fn check_message_id(id: &str) -> Result<()> {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    let sound = inner.is_some_and(|inner| {
        inner.contains('@')
            && inner
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
    });
    match sound {
        true => Ok(()),
        false => Err(Error::internal(
            "the Message-ID of a mail is not `<unique@domain>`",
        )),
    }
}

/// Prevents out-of-office replies (RFC 3834).
fn auto_submitted() -> HeaderValue {
    HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    )
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body(text))
}

/// By default lettre encodes lines over 76 characters as quoted-printable, which splits links. Lines may have 998
/// (RFC 5322, 2.1.1).
fn body(text: &str) -> Body {
    let text = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n");
    if text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 998) {
        return Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .unwrap_or_else(Body::new)
}
