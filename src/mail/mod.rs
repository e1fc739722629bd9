//! Mail: what it says, how it is written, how it leaves.
//!
//! - [`templates`]: the kinds of mail and their texts, compiled in and overridable;
//! - [`message`]: a rendered text becomes a [`Email`], with headers that nobody can add to;
//! - [`transport`]: the ways out, a closed enum: [`smtp`], a [`folder`], the memory of a test;
//! - [`intentions`]: what features write into the outbox: somebody wants a link, or is to be told something;
//! - [`outbox`]: the worker that turns an intention into a mail and sees it through.
//!
//! What it fears: an address or a service name that smuggles in a header or an SMTP command, a mail server
//! that is not the one meant or that never answers, and logs that hold addresses, links or texts. So every
//! text is checked where it enters a header, nothing is sent without the protection that was asked for, and
//! a [`Failure`]'s reason is made of codes and steps, never of what a mail server wrote.

pub mod enqueue;
pub mod folder;
pub mod message;
mod send_error;
pub mod smtp;
pub mod templates;
pub mod transport;
pub mod worker;

pub use enqueue::{
    Notice, notify, request_address_change, request_already_registered, request_confirmation,
    request_reset, request_unlock, retry,
};
pub use message::{Email, compose};
pub use templates::{Event, Kind, Link, Rendered, Templates, Variables};
pub use transport::{Failure, LONGEST_SEND, Transport};
pub use worker::MailWorker;
