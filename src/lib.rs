//! Cloakroom: an authentication server in one binary and one SQLite file, and a library for actix-web.

pub mod clock;
pub mod config;
pub mod error;
pub mod keys;
pub mod links;
pub mod mail;
pub mod model;
pub mod password;
pub mod signed;
pub mod store;
pub mod throttle;
pub mod token;
