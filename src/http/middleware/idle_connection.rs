//! Closes connections that send no request.
//!
//! actix-http limits the time of a connection's first head and of the pause after a reply. It does not limit a later head
//! that trickles, the rest of an unread chunked body, or a reply that the client does not read. Here the time from a reply
//! to the next complete head is limited.

#![expect(
    clippy::disallowed_methods,
    reason = "closes idle connections in real time"
)]

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use actix_web::middleware::Next;
use actix_web::rt::net;
use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::sleep;

use super::outcome::Outcome;

/// Marks the connection as busy while a request is answered.
pub(super) async fn mark<B>(request: ServiceRequest, next: Next<B>) -> Outcome<B> {
    let connection = request.request().conn_data::<Connection>();
    let _answering = connection.map(Connection::answering);
    next.call(request).await
}

/// A connection under watch, until this is dropped. Put it into the connection's data, where
/// [`Middleware`](crate::Middleware) finds it.
pub struct Connection {
    quiet: Quiet,
    watch: JoinHandle<()>,
}

/// Since when no request is being answered; `None` while one is.
type Quiet = Rc<Cell<Option<Instant>>>;

impl Connection {
    /// Watches what actix's `on_connect` shows: it is shut down after `patience` without a request. `None` when it
    /// is no TCP connection. One that cannot be watched, for lack of descriptors, is ended at once.
    pub fn watch(io: &dyn Any, patience: Duration) -> Option<Self> {
        let socket = io.downcast_ref::<net::TcpStream>()?;
        let Ok(watched) = socket.as_fd().try_clone_to_owned() else {
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
            return None;
        };
        let socket = TcpStream::from(watched);
        let quiet = Quiet::new(Cell::new(Some(Instant::now())));
        let watch = actix_web::rt::spawn(end_when_quiet(socket, Rc::clone(&quiet), patience));
        Some(Self { quiet, watch })
    }

    /// A request is being answered until the result is dropped.
    fn answering(&self) -> Answering {
        self.quiet.set(None);
        Answering(Rc::clone(&self.quiet))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// See [`Connection::answering`].
struct Answering(Quiet);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(Some(Instant::now()));
    }
}

async fn end_when_quiet(socket: TcpStream, quiet: Quiet, patience: Duration) {
    loop {
        let passed = quiet.get().map_or(Duration::ZERO, |since| since.elapsed());
        if passed >= patience {
            break;
        }
        sleep(patience - passed).await;
    }
    // The client may have been faster.
    let _ = socket.shutdown(Shutdown::Both);
}
