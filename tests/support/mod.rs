//! What several rooms' tests stand on.

pub mod app;
pub mod certificates;
pub mod forgery;
pub mod issuer;
pub mod limits;
pub mod machines;
pub mod process;
pub mod program;
pub mod smtp;
pub mod wire;
