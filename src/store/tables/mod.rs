//! One file per table: its statements and the types of its rows.

pub mod api_keys;
pub mod key_bases;
pub mod known_devices;
pub mod outbox;
pub mod passwords;
pub mod projects;
pub mod refresh_tokens;
pub mod revocations;
pub mod sessions;
pub mod throttles;
pub mod users;
pub mod write_probe;
