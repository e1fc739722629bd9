//! The one test binary: a folder for each area, and what they share in `support`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod api;
mod architecture;
mod docs;
mod http_reference;
mod language;
mod mail;
mod openapi;
mod server;
mod support;
mod test_names;
mod webauthn;
