//! What surrounds every route.

pub mod catch_panic;
pub mod cors;
pub mod edge;
pub mod headers;
pub mod idle_connection;
