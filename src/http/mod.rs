//! HTTP: what every feature shares between a request and its reply. Only this folder, `server`, `features` and
//! `testing` know actix-web.

pub mod auth;
pub mod error_codes;
pub mod extract;
pub mod middleware;
pub mod openapi;
pub mod respond;
pub mod routes;
pub mod session_reply;

pub use auth::access::Access;
pub use auth::caller::Caller;
pub use auth::credential::Carrier;
pub use auth::current_user::{CurrentSession, CurrentUser};
pub use extract::address::AddressInput;
pub use extract::body::{Body, SecretText};
pub use extract::fields::Patch;
pub use extract::query::{PathId, Query};
pub use middleware::edge::Middleware;
pub use middleware::idle_connection::Connection;
pub use respond::Message;
pub use routes::Routes;
