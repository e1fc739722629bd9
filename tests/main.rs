//! The one test binary: a folder a room, and what they share in `support`.

mod api;
mod architecture;
mod mail;
mod openapi;
mod readme;
mod server;
mod support;
