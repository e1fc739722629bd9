//! HTTP: what every feature shares between a request and its reply. Only this room, `server`, `features`, `testing`
//! and `cli::serve` know actix-web.

pub mod audit;
pub mod caller;
pub mod client;
pub mod connection;
pub mod cookie;
mod cors;
pub mod credential;
pub mod current;
pub mod edge;
mod finish;
mod headers;
pub mod input;
pub mod origin;
mod panic;
pub mod query;
pub mod respond;
pub mod routes;

pub use caller::{Caller, CredentialKind};
pub use client::Visit;
pub use connection::Connection;
pub use credential::Carrier;
pub use current::{CurrentSession, CurrentUser};
pub use edge::Edge;
pub use finish::to_the_end;
pub use input::Input;
pub use routes::{Access, Routes, Verb};
