//! Cloakroom: an authentication server in one binary and one SQLite file, and a library for actix-web.

pub mod clock;
pub mod config;
pub mod error;
