//! What surrounds every route: one layer a file. [`stack`] puts them together.

pub mod access_log;
pub mod catch_panic;
pub mod connection;
pub mod cors;
pub mod error_body;
pub mod outcome;
pub mod request_id;
pub mod security_headers;
pub mod stack;
mod trace_context;
