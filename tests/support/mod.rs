//! What several rooms' tests stand on.

pub mod app;
pub mod certificates;
pub mod credentials;
pub mod forgery;
pub mod issuer;
pub mod limits;
pub mod process;
pub mod program;
pub mod raw_connection;
pub mod smtp;
