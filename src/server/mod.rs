//! Puts the house on a port, or into an app of the embedder's: the routes, the layer around them, what runs in the
//! background, and how it all stops.

pub mod sweep;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use tokio::sync::watch;

use crate::config::Settings;
use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::features;
use crate::http::{Connection, Middleware, routes};

/// How often activity is written, and asked whether it is time to sweep.
const TICK: Duration = Duration::from_secs(20);
/// How long mails under way may take at the end. One that does not make it is sent after the next start.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How long the background work rests after a panic.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// Cloakroom, opened: to be served by itself or mounted in an app.
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
///     App::new().wrap(cloakroom.edge()).configure(cloakroom.mount()).route("/hello", web::get().to(hello))
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
}

impl Cloakroom {
    /// Opens the database and all else that the settings name.
    ///
    /// # Errors
    /// What cannot be opened, and why, for the operator to read.
    pub fn open(settings: Settings) -> Result<Self> {
        Context::open(settings).map(Self::new)
    }

    /// From a context that was put together otherwise, as `testing` does.
    pub fn new(context: Context) -> Self {
        Self {
            context: web::Data::new(context),
        }
    }

    /// What requests reach.
    pub fn context(&self) -> &web::Data<Context> {
        &self.context
    }

    /// Mounts every route, for [`App::configure`]; your own handlers may then take a [`crate::CurrentUser`].
    pub fn mount(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let context = self.context.clone();
        move |config| {
            config.app_data(context);
            features::routes().configure(config);
        }
    }

    /// The layer around everything, for [`App::wrap`]: request ids, logs, headers, CORS, and JSON for every failure.
    pub fn middleware(&self) -> Middleware {
        Middleware::new(self.context.clone())
    }

    /// Starts what runs beside the requests: mails, activity, sweeping, and one check of the whole file.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_background(&self) -> Result<Background> {
        Background::start(Arc::clone(&self.context))
    }
}

/// What runs beside the requests, on a thread of its own. It ends with [`Background::stop`] or when dropped.
pub struct Background {
    context: Arc<Context>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    fn start(context: Arc<Context>) -> Result<Self> {
        context.database.check_in_background();
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::internal)?;
        let shared = Arc::clone(&context);
        let thread = std::thread::Builder::new()
            .name("background".into())
            .spawn(move || {
                // A panic must not end mails for good while requests go on.
                let run = || runtime.block_on(work(&shared, stopped.clone()));
                while catch_unwind(AssertUnwindSafe(run)).is_err() {
                    std::thread::sleep(AFTER_A_PANIC);
                }
            })
            .map_err(Error::internal)?;
        Ok(Self {
            context,
            stop,
            thread: Some(thread),
        })
    }

    /// Ends it: mails under way are finished, if they take no longer than a moment, and activity is written.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.context.mail_worker.stop();
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the background thread had panicked");
        }
    }
}

async fn work(context: &Context, stop: watch::Receiver<bool>) {
    futures_util::future::join(deliver(context, stop.clone()), maintenance(context, stop)).await;
}

async fn deliver(context: &Context, mut stop: watch::Receiver<bool>) {
    let out_of_time = async {
        let _ = stop.wait_for(|asked| *asked).await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    futures_util::future::select(pin!(context.mail_worker.run()), pin!(out_of_time)).await;
}

async fn maintenance(context: &Context, mut stop: watch::Receiver<bool>) {
    // The first round sweeps: otherwise a server that is restarted every day would never do it.
    let rounds_to_sweep = rounds_in(context.settings.sweep.interval);
    for round in 0_u64.. {
        let _ = tokio::time::timeout(TICK, stop.changed()).await;
        if let Err(failure) = context.activity.flush(&context.database).await {
            tracing::warn!(%failure, "activity was not written");
        }
        if *stop.borrow() {
            return;
        }
        if round.is_multiple_of(rounds_to_sweep)
            && let Err(failure) =
                sweep::run(&context.database, &context.settings, context.clock.now()).await
        {
            tracing::warn!(%failure, "the sweep was cut short");
        }
    }
}

/// How many rounds begin in this time.
fn rounds_in(interval: Duration) -> u64 {
    interval.as_secs().div_ceil(TICK.as_secs()).max(1)
}

/// A bound server; it answers once [`Server::run`] is awaited.
pub struct Server {
    cloakroom: Cloakroom,
    inner: actix_web::dev::Server,
    address: std::net::SocketAddr,
}

impl Server {
    /// Binds what `server.bind` says.
    ///
    /// # Errors
    /// The address is taken or not ours to take.
    pub fn bind(cloakroom: Cloakroom) -> io::Result<Self> {
        let settings = &cloakroom.context.settings.server;
        let workers = settings.worker_threads();
        let mounted = cloakroom.clone();
        let patience = settings.keep_alive + settings.head_timeout;
        let server = HttpServer::new(move || {
            App::new()
                .wrap(mounted.middleware())
                .configure(mounted.mount())
                .default_service(web::to(routes::not_found))
        })
        .on_connect(move |io, data| {
            if let Some(connection) = Connection::watch(io, patience) {
                data.insert(connection);
            }
        })
        .workers(workers)
        // actix counts for each worker.
        .max_connections(settings.max_connections.div_ceil(workers))
        .client_request_timeout(settings.head_timeout)
        .client_disconnect_timeout(Duration::from_secs(2))
        .keep_alive(settings.keep_alive)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .bind(&settings.bind)
        .map_err(|fault| {
            io::Error::new(
                fault.kind(),
                format!("server.bind {}: {fault}", settings.bind),
            )
        })?;
        let address = *server
            .addrs()
            .first()
            .ok_or_else(|| io::Error::other("nothing was bound"))?;
        Ok(Self {
            inner: server.run(),
            cloakroom,
            address,
        })
    }

    /// Where it listens; the port is the real one when the settings said 0.
    pub fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// Stops it: no new connections, what is in flight is finished within the shutdown time-out.
    pub fn handle(&self) -> ServerHandle {
        self.inner.handle()
    }

    /// Serves until it is stopped, then ends the background work.
    ///
    /// # Errors
    /// The listening socket failed.
    pub async fn run(self) -> Result<()> {
        let background = self.cloakroom.start_background()?;
        let served = self.inner.await;
        background.stop();
        served.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_sweeps_is_kept_in_whole_rounds() {
        for (seconds, rounds) in [(20, 1), (21, 2), (40, 2), (600, 30), (86_400, 4_320)] {
            assert_eq!(
                rounds_in(Duration::from_secs(seconds)),
                rounds,
                "{seconds}s"
            );
        }
    }
}
