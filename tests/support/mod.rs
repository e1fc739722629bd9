//! What several rooms' tests stand on.

pub mod app;
pub mod certificates;
pub mod limits;
pub mod machines;
pub mod process;
pub mod smtp;
pub mod wire;
