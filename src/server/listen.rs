//! Listens, and serves connections by HTTP/1.1. In place of `actix_web::HttpServer`, which hands its connections to
//! actix-http without [`Connection`]'s limits.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, ServiceConfig};

use super::Cloakroom;
use crate::http::{Connection, routes};

/// Connections that wait in the system's queue.
const BACKLOG: i32 = 1024;
/// How long a connection takes to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A server that is bound and starts once it is awaited, and its first address.
pub(super) fn bind(
    cloakroom: &Cloakroom,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<(Server, SocketAddr)> {
    let settings = cloakroom.context().settings.server.clone();
    let workers = settings.worker_threads();
    let mut builder = actix_server::Server::build()
        .workers(workers)
        // actix counts by worker.
        .max_concurrent_connections(settings.max_connections.div_ceil(workers))
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let listeners = listeners(&settings.bind).map_err(|fault| {
        io::Error::new(
            fault.kind(),
            format!("server.bind {}: {fault}", settings.bind),
        )
    })?;
    let address = first_address(&listeners)?;
    for listener in listeners {
        let (cloakroom, configure) = (cloakroom.clone(), configure.clone());
        let (settings, stopping) = (settings.clone(), stopping.clone());
        builder = builder.listen("http", listener, move || {
            let app = App::new()
                .wrap(cloakroom.middleware())
                .configure(cloakroom.mount())
                .configure(configure.clone())
                .default_service(web::to(routes::not_found));
            let app = map_config(app, |()| AppConfig::default());
            let stopping = stopping.clone();
            let http = HttpService::build()
                .keep_alive(settings.keep_alive)
                .client_request_timeout(settings.head_timeout)
                .client_disconnect_timeout(CLOSE_TIMEOUT)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.activity());
                })
                .h1(app);
            let patience = settings.keep_alive + settings.head_timeout;
            fn_service(move |io: TcpStream| async move {
                // Without its address the client would count as this machine.
                let peer = io.peer_addr()?;
                Ok((Connection::new(io, patience), Some(peer)))
            })
            .and_then(http)
        })?;
    }
    Ok((builder.run(), address))
}

/// One listener for each address of a name, as far as they can be bound.
fn listeners(bind: &str) -> io::Result<Vec<TcpListener>> {
    let (mut bound, mut refused) = (Vec::new(), None);
    for address in bind.to_socket_addrs()? {
        match TcpListener::bind(address) {
            Ok(listener) => {
                // The standard library has chosen a shorter queue.
                rustix::net::listen(&listener, BACKLOG)?;
                bound.push(listener);
            }
            Err(fault) => refused = Some(fault),
        }
    }
    match refused {
        Some(fault) if bound.is_empty() => Err(fault),
        _ => Ok(bound),
    }
}

fn first_address(listeners: &[TcpListener]) -> io::Result<SocketAddr> {
    listeners
        .first()
        .ok_or_else(|| io::Error::other("nothing was bound"))?
        .local_addr()
}
