//! The listener of `metrics.bind`, with a thread of its own: a scrape holds no worker.
//!
//! # Threats
//! - clients that reach the figures by the public port: they are not served there
//! - a slow or idle client: heads have a deadline, and connections are few

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use crate::http::routes;
use crate::server::Cloakroom;

/// Connections at once; Prometheus has one.
const CONNECTIONS: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Binds the listener of `metrics.bind`; `None` without the setting.
///
/// # Errors
/// The address is in use or not permitted.
pub(in crate::server) fn bind(cloakroom: &Cloakroom) -> io::Result<Option<(Server, SocketAddr)>> {
    let Some(bind) = &cloakroom.context().settings.metrics.bind else {
        return Ok(None);
    };
    let named =
        |fault: io::Error| io::Error::new(fault.kind(), format!("metrics.bind {bind}: {fault}"));
    let listener = TcpListener::bind(bind).map_err(named)?;
    let address = listener.local_addr()?;
    let cloakroom = cloakroom.clone();
    let app = move || {
        App::new()
            .configure(cloakroom.mount_metrics())
            .default_service(web::to(routes::not_found))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .client_request_timeout(TIMEOUT)
        .keep_alive(TIMEOUT)
        .disable_signals()
        .listen(listener)
        .map_err(named)?
        .run();
    Ok(Some((server, address)))
}
