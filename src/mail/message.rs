//! From words to a mail that can be sent: headers, two alternatives, one recipient.
//!
//! Invariants: no text that comes in can add a header, a line to one, or an SMTP command; ASCII bodies are sent as
//! they are (`7bit`), so that a link stays whole on its line and can be found in the `.eml` with `grep`.

use std::fmt;

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use super::Rendered;
use crate::config::Sender;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// A mail, ready to leave. Its `Debug` shows neither the address nor the words.
#[derive(Clone)]
pub struct Email {
    /// The one recipient's address.
    pub to: String,
    /// With its angle brackets. The same for every try, so that a second copy can be told.
    pub message_id: String,
    /// What it says.
    pub words: Rendered,
    /// When it was written.
    pub at: Timestamp,
    pub(super) message: lettre::Message,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}

/// Writes a mail with the given `Message-ID` (`<unique@domain>`), dated `at`. Fails, for good, on anything that
/// cannot stand in a header; the error's text never holds what was refused.
pub fn compose(
    from: &Sender,
    to: &str,
    message_id: &str,
    at: Timestamp,
    rendered: &Rendered,
) -> Result<Email> {
    let from = sender(from)?;
    refuse_controls("subject", &rendered.subject)?;
    check_message_id(message_id)?;

    let message = lettre::Message::builder()
        .from(from)
        .to(Mailbox::new(None, parse_address(to)?))
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
        words: rendered.clone(),
        at,
        message,
    })
}

fn sender(sender: &Sender) -> Result<Mailbox> {
    refuse_controls("sender's name", sender.name.as_deref().unwrap_or_default())?;
    let address = sender
        .address
        .parse()
        .map_err(|_| Error::internal("mail.from is not an address that mails can have"))?;
    Ok(Mailbox::new(sender.name.clone(), address))
}

/// Lettre's parser takes a quoted local part; control characters are refused ahead of it.
fn parse_address(address: &str) -> Result<Address> {
    refuse_controls("recipient's address", address)?;
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

/// Keeps out-of-office replies away (RFC 3834).
fn auto_submitted() -> HeaderValue {
    HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    )
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body(text))
}

/// Left to itself, lettre turns any line over 76 characters into quoted-printable, which cuts links. Lines may
/// have 998 (RFC 5322, 2.1.1).
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
