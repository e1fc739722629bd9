//! Mail: texts, messages, the outbox and its worker, and the transports.
//!
//! - [`enqueue`]: features write mails into the outbox;
//! - [`worker`]: turns an outbox row into a mail and sends it;
//! - [`templates`]: the texts of each kind of mail, compiled in and replaceable;
//! - [`message`]: a rendered text becomes an [`Email`](message::Email);
//! - [`transport`]: [`smtp`], a [`folder`], or the memory of a test.
//!
//! # Threats
//! - headers or SMTP commands injected by an address or a name: texts with control characters are refused
//! - a mail server other than the configured one: nothing is sent without the configured protection
//! - floods of mail through this server: all mails of an hour have a ceiling, of which sign-ups reach three quarters
//! - a mail server that never answers: every command and every delivery has a deadline
//! - addresses, links or texts in logs: a [`SendError`](send_error::SendError)'s reason consists of codes and steps, never of a server's words

mod backoff;
mod ceiling;
pub mod enqueue;
pub mod folder;
pub mod message;
mod recipient;
pub mod send_error;
mod slots;
pub mod smtp;
pub mod templates;
pub mod transport;
pub mod worker;

pub use enqueue::{
    Notice, enqueue_address_change, enqueue_identity_link, enqueue_link, enqueue_mail_code,
    enqueue_unlock, notify, notify_of_api_key, retry,
};
pub use templates::Templates;
pub use transport::Transport;
pub use worker::MailWorker;
