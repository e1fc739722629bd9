//! Builds and runs the HTTP server, or mounts its routes in an embedder's app: routes, middleware, background work and
//! shutdown.

pub mod backups;
mod client_errors;
pub mod held;
mod listen;
mod maintenance;
mod metrics;
pub mod sweep;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServerHandle;
use actix_web::web::{self, ServiceConfig};

use crate::config::Settings;
use crate::context::{Context, Hooks};
use crate::domain::error::{Error, Result};
use crate::features;
use crate::http::Middleware;
use crate::store::{self, Database};
pub(crate) use client_errors::is_of_client;
pub use maintenance::Background;

/// An open Cloakroom: serve it with [`Server`], or mount it in an app.
///
/// ```no_run
/// use actix_web::{App, HttpServer, Responder, web};
/// use cloakroom::{Cloakroom, CurrentUser};
/// use cloakroom::config::{Environment, Settings};
///
/// async fn hello(user: CurrentUser) -> impl Responder {
///     format!("Hello, {}", user.email_address.as_str())
/// }
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let cloakroom = Cloakroom::open(Settings::for_env(Environment::Development)?)?;
/// let background = cloakroom.start_background()?;
/// HttpServer::new(move || {
///     App::new().wrap(cloakroom.middleware()).configure(cloakroom.mount()).route("/hello", web::get().to(hello))
/// })
/// .bind("127.0.0.1:3000")?
/// .run()
/// .await?;
/// background.stop();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cloakroom {
    context: web::Data<Context>,
    /// Where the routes are mounted: empty, or `/auth`.
    prefix: Arc<str>,
}

impl Cloakroom {
    /// Checks the settings, and opens the database and whatever else they name.
    ///
    /// # Errors
    /// For the operator: which settings are not valid, or what cannot be opened, and why.
    pub fn open(settings: Settings) -> Result<Self> {
        Self::open_with(settings, Hooks::new())
    }

    /// The same with functions of your own.
    ///
    /// # Errors
    /// As [`Cloakroom::open`], and if a claim cannot have its name.
    pub fn open_with(settings: Settings, hooks: Hooks) -> Result<Self> {
        hooks.check()?;
        if let Some(route) = features::enabled_routes(&settings).duplicate() {
            let name = format!("{} {}", route.method, route.path);
            return Err(Error::internal(format!("the route {name} exists twice")));
        }
        let mut context = Context::open(settings)?;
        context.hooks = hooks;
        Ok(Self::new(context))
    }

    /// Creates the database if it is missing, and migrates its schema. In production [`Cloakroom::open`] creates none: an
    /// empty database in the place of a lost one would go unnoticed.
    ///
    /// # Errors
    /// For the operator: what cannot be opened, and why.
    pub fn migrate(settings: &Settings) -> Result<()> {
        settings.check().map_err(Error::internal)?;
        store::upgrade(&settings.database).map(drop)
    }

    /// From a context assembled otherwise, as `testing` does.
    pub fn new(context: Context) -> Self {
        Self {
            context: web::Data::new(context),
            prefix: "".into(),
        }
    }

    /// Mounts the routes below a path: `/auth` makes `POST /v1/session` `POST /auth/v1/session`. The path of
    /// `server.public_url` must end in the same prefix, since `Location` and the issuer of access tokens follow from it.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        self.prefix = prefix.trim_end_matches('/').into();
        self
    }

    /// What handlers reach.
    pub fn context(&self) -> &web::Data<Context> {
        &self.context
    }

    /// The database, for statements of your own. They see Cloakroom's tables too; change those by its routes and commands
    /// only.
    ///
    /// ```no_run
    /// # async fn example(cloakroom: cloakroom::Cloakroom) -> cloakroom::Result<()> {
    /// let table = "CREATE TABLE IF NOT EXISTS app_profiles (user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE, plan TEXT NOT NULL)";
    /// cloakroom.database().write(move |tx| tx.execute(table, &[])).await?;
    ///
    /// let plans = cloakroom.database().read(|reader| {
    ///     reader.all("SELECT plan FROM app_profiles WHERE user_id = $1", &[1_i64.into()], |row| row.next::<String>())
    /// });
    /// assert!(plans.await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn database(&self) -> &Database {
        &self.context.database
    }

    /// Mounts every route, for [`App::configure`](actix_web::App::configure); your own handlers may then take a [`crate::CurrentUser`].
    pub fn mount(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let (context, prefix) = (self.context.clone(), Arc::clone(&self.prefix));
        let routes = features::enabled_routes(&context.settings);
        move |config| {
            // Outside of the scope, for the embedder's own handlers.
            config.app_data(context);
            match &*prefix {
                // A scope without a prefix would answer every path.
                "" => routes.configure(config),
                prefix => {
                    config.service(web::scope(prefix).configure(|config| routes.configure(config)));
                }
            }
        }
    }

    /// The middleware around all routes, for [`App::wrap`](actix_web::App::wrap): request ids, logs, headers, CORS, and JSON for each failure.
    pub fn middleware(&self) -> Middleware {
        let routes = features::enabled_routes(&self.context.settings);
        let answering_all_methods = routes.answering_all_methods().into_iter();
        let paths = answering_all_methods.map(|path| format!("{}{path}", self.prefix));
        let all = routes.paths().len();
        Middleware::new(self.context.clone(), paths.collect(), all)
    }

    /// The figures of this moment, for Prometheus. [`Cloakroom::mount_metrics`] serves them.
    pub fn metrics(&self) -> String {
        metrics::text(&self.context)
    }

    /// Mounts `GET /metrics`, which needs no credential: in an app that only Prometheus reaches. [`Server`] serves it by
    /// itself at the address of `metrics.bind`.
    pub fn mount_metrics(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let cloakroom = self.clone();
        let answer = move || {
            let cloakroom = cloakroom.clone();
            async move {
                HttpResponse::Ok()
                    .content_type(metrics::MEDIA_TYPE)
                    .body(cloakroom.metrics())
            }
        };
        move |config| {
            config.route("/metrics", web::get().to(answer));
        }
    }

    /// Starts the background work: mail delivery, activity, sweeping, scheduled backups, and one check of the whole database file.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start_background(&self) -> Result<Background> {
        Background::start(Arc::clone(&self.context))
    }
}

/// A bound server. It answers requests once [`Server::run`] is awaited.
pub struct Server {
    cloakroom: Cloakroom,
    inner: actix_web::dev::Server,
    address: SocketAddr,
    metrics: Option<(actix_web::dev::Server, SocketAddr)>,
}

impl Server {
    /// Binds the addresses of `server.bind` and `metrics.bind`.
    ///
    /// # Errors
    /// An address is in use or not permitted.
    pub fn bind(cloakroom: Cloakroom) -> io::Result<Self> {
        Self::bind_with(cloakroom, |_| ())
    }

    /// Binds the addresses of `server.bind` and `metrics.bind`, and adds your own routes to the first.
    ///
    /// # Errors
    /// An address is in use or not permitted.
    pub fn bind_with(
        cloakroom: Cloakroom,
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (inner, address) = listen::bind(&cloakroom, configure)?;
        Ok(Self {
            inner,
            metrics: metrics::listener::bind(&cloakroom)?,
            cloakroom,
            address,
        })
    }

    /// The address; with port 0 in the settings, the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `metrics.bind`, with the port that the system chose.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// A handle that stops it: no new connections; requests in flight finish within the shutdown time-out.
    pub fn handle(&self) -> ServerHandle {
        self.inner.handle()
    }

    /// Runs until it is stopped, then ends the background work.
    ///
    /// # Errors
    /// The listening socket failed.
    pub async fn run(self) -> Result<()> {
        let background = self.cloakroom.start_background()?;
        let metrics = self.metrics.map(|(server, _)| {
            let handle = server.handle();
            actix_web::rt::spawn(server);
            handle
        });
        let served = self.inner.await;
        if let Some(metrics) = metrics {
            metrics.stop(false).await;
        }
        background.stop();
        served.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn settings_made_in_code_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::for_env(Environment::Development).unwrap();
        settings.database.path = folder.path().join("cloakroom.db");
        settings.password.bcrypt_cost = 4;
        for outcome in [
            Cloakroom::open(settings.clone()).map(drop),
            Cloakroom::migrate(&settings),
        ] {
            let refusal = outcome.unwrap_err().to_string();
            assert!(
                refusal.contains("password.bcrypt_cost: must be"),
                "{refusal}"
            );
        }
        assert!(!settings.database.path.exists());
    }
}
