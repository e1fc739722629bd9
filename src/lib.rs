//! Cloakroom: an authentication server in one binary and one SQLite file, and a library for actix-web.
//!
//! Hand in your credentials, get a ticket: an opaque token, stored only as a digest in a sessions table and
//! looked up on every request. For programs there are API keys, and access tokens that a service verifies by itself.
//!
//! A tour: `schema.sql` shows what there is; [`features`] what can be done with it, one room a feature; [`http`]
//! what they share between a request and its reply; [`context`] what they reach; [`access_tokens`] what is believed
//! without a look-up; [`store`] where SQL lives. Errors are in [`error`], settings in [`config`], and [`server`] puts it
//! all on a port. `ARCHITECTURE.md` has the arrows between these rooms and the reasons.
//!
//! A handler that takes a [`CurrentUser`] is for people, who come with a session; one that takes a [`Caller`] is for
//! programs as well, and says what they must be allowed:
//!
//! ```
//! use actix_web::{HttpResponse, Responder};
//! use cloakroom::{Caller, CurrentUser};
//!
//! async fn settings(user: CurrentUser) -> impl Responder {
//!     format!("Those of {}", user.email_address.as_str())
//! }
//!
//! async fn orders(caller: Caller) -> cloakroom::Result<HttpResponse> {
//!     caller.require("orders:read")?;
//!     let owner = caller.owner()?; // a key that is a service's has none
//!     Ok(HttpResponse::Ok().json(owner.0))
//! }
//! ```
//!
//! What is stable: the names re-exported here, [`config`], [`error`], [`model`] and `testing`. The other rooms are open
//! to read and to build upon, and may change with any version.
//!
//! To use it in an app of your own, see [`Cloakroom`]; to test that app, see `testing` (the feature of that name).

#[cfg(not(unix))]
compile_error!("Cloakroom runs on Unix: it relies on its file modes and signals");

pub mod activity;
pub mod audit;
pub mod cli;
pub mod config;
pub mod context;
pub mod crypto;
pub mod domain;
pub mod features;
pub mod http;
pub mod mail;
pub mod server;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod throttle;

pub use context::Context;
pub use domain::error::{Error, Result};
pub use http::{Caller, CurrentSession, CurrentUser};
pub use server::Cloakroom;
