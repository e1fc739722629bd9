//! Domain types and the errors every layer shares. Nothing here does I/O, and no other folder is imported.

pub mod clock;
pub mod error;
pub mod mail_kind;
pub mod model;
pub mod scope;
