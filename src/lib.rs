//! Cloakroom: an authentication server in one binary, on SQLite or PostgreSQL, and a library for actix-web.
//!
//! Sessions are opaque tokens, stored as digests in a table and looked up on each request. Machines use API keys, or
//! access tokens that a service verifies by itself.
//!
//! # Embedding
//!
//! [`Cloakroom`] opens the database that the settings name and mounts the routes, and [`Server`] serves them beside those
//! of your app. A handler that takes a [`CurrentUser`] requires a session: other requests get 401 before it runs.
//!
//! ```
//! use actix_web::{Responder, web};
//! use cloakroom::config::{Environment, Settings};
//! use cloakroom::{Cloakroom, CurrentUser, Server};
//!
//! async fn hello(user: CurrentUser) -> impl Responder {
//!     format!("Hello, {}", user.email_address.as_str())
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let mut settings = Settings::for_env(Environment::Development)?;
//! settings.registration.open = false;
//! # settings.database.path = folder.path().join("cloakroom.db");
//! # settings.mail.directory = folder.path().join("mail");
//! # settings.server.bind = "127.0.0.1:0".to_owned();
//! let server = Server::bind_with(Cloakroom::open(settings)?, |config| {
//!     config.route("/hello", web::get().to(hello));
//! })?;
//! println!("listening on {}", server.address());
//! # let handle = server.handle();
//! # actix_web::rt::spawn(async move { handle.stop(true).await });
//! server.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With an `HttpServer` of your own, use [`Cloakroom::middleware`], [`Cloakroom::mount`] and
//! [`Cloakroom::start_background`]. [`Cloakroom::at`] mounts the routes below a prefix, [`Hooks`] add rules and rows of
//! your own to sign-up, and [`Cloakroom::database`] takes statements of your own.
//!
//! A handler for programs takes a [`Caller`], and names the scopes that it needs:
//!
//! ```
//! use actix_web::HttpResponse;
//! use cloakroom::Caller;
//!
//! async fn orders(caller: Caller) -> cloakroom::Result<HttpResponse> {
//!     caller.require("orders:read")?;
//!     let owner = caller.owner()?; // an error for the API key of a service, which has no user
//!     Ok(HttpResponse::Ok().json(owner.0))
//! }
//! ```
//!
//! Test your app with the feature `testing`: its `TestApp` is the server in process, with a database of its own, a clock
//! that you set, and mails in memory.
//!
//! # Public items
//!
//! Public are the names below, [`config`], [`domain`] and [`database`]. The other modules are private; with the feature `testing` this
//! crate's own tests reach them, hidden from the documentation and without any promise.
//!
//! To read the source, start with `schema.sql` and `ARCHITECTURE.md`.

#[cfg(not(unix))]
compile_error!("Cloakroom runs on Unix: it relies on its file modes and signals");

pub mod config;
pub mod domain;
#[cfg(feature = "testing")]
pub mod testing;

// Listed twice: rustfmt does not follow a `mod` that a macro writes.
#[cfg(not(feature = "testing"))]
mod accounts;
#[cfg(not(feature = "testing"))]
mod activity;
#[cfg(not(feature = "testing"))]
mod audit;
#[cfg(not(feature = "testing"))]
mod breached_passwords;
#[cfg(not(feature = "testing"))]
mod cli;
#[cfg(not(feature = "testing"))]
mod context;
#[cfg(not(feature = "testing"))]
mod crypto;
#[cfg(not(feature = "testing"))]
mod features;
#[cfg(not(feature = "testing"))]
mod http;
#[cfg(not(feature = "testing"))]
mod mail;
#[cfg(not(feature = "testing"))]
mod metrics;
#[cfg(not(feature = "testing"))]
mod outbound;
#[cfg(not(feature = "testing"))]
mod providers;
#[cfg(not(feature = "testing"))]
mod server;
#[cfg(not(feature = "testing"))]
mod store;
#[cfg(not(feature = "testing"))]
mod throttle;

#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod accounts;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod activity;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod audit;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod breached_passwords;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod cli;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod context;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod crypto;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod features;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod http;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod mail;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod metrics;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod outbound;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod providers;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod server;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod store;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod throttle;

#[doc(hidden)]
pub use cli::main;
pub use context::{Change, Context, Hooks, SignUp};
pub use domain::error::{Error, Result};
pub use domain::{ClientInfo, CredentialKind};
pub use http::{Caller, CurrentSession, CurrentUser, Middleware};
pub use server::{Background, Cloakroom, Server};

/// Statements of your own in Cloakroom's database: see [`Cloakroom::database`] and [`Hooks::on_sign_up`].
///
/// Statements use `$1` for parameters. Begin the names of your tables with a word of your own: later versions of
/// Cloakroom add tables.
pub mod database {
    pub use crate::store::{Column, Database, Reader, Row, Transaction, Value};
}

/// The code in the guide for embedders compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/getting-started/embedding.md")]
struct EmbeddingGuide;
