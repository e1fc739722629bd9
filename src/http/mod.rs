//! What all features share between a request and its response. Only this folder, `server`, `features` and `testing`
//! use actix-web.

pub mod auth;
pub mod connection;
pub mod error_codes;
pub mod extract;
pub mod framing;
pub mod inputs;
pub mod middleware;
pub mod openapi;
pub mod page;
pub mod passkey_options;
pub mod password_challenge;
pub mod recovery_codes_reply;
pub mod respond;
pub mod routes;
pub mod session_reply;

pub use auth::access::Access;
pub use auth::asking_browser::AskingBrowser;
pub use auth::caller::Caller;
pub use auth::credential::Carrier;
pub use auth::current_user::{CurrentSession, CurrentUser};
pub use connection::Connection;
pub use extract::address::AddressInput;
pub use extract::body::{Body, SecretText, filled_in};
pub use extract::field_types::{NonEmpty, Patch};
pub use extract::languages::Languages;
pub use extract::link_token::{LinkInput, link_token};
pub use extract::query::{PathId, Query};
pub use middleware::stack::Middleware;
pub use respond::{Failure, Message, location};
pub use routes::{Route, Routes};
