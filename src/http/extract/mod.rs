//! What a handler reads from a request besides its credential.

pub mod address;
pub mod body;
pub mod client_info;
pub mod field_types;
pub mod fields;
pub mod languages;
pub mod link_token;
pub mod query;
