//! What a handler reads from a request besides its credential.

pub mod client_info;
pub mod input;
pub mod query;
