//! Routes of an embedder on the server's own connections: responses that take their time, and other protocols.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpResponse, rt};
use cloakroom::config::{Environment, Settings};
use cloakroom::{Cloakroom, Server};
use futures_util::{StreamExt, stream};

use crate::support::raw_connection::RawConnection;

/// How long the server waits for a client.
const PATIENCE: Duration = Duration::from_millis(1200);
const LARGE: usize = 32 * 1024 * 1024;

/// A server with routes of an embedder, on a thread.
struct Embedder {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Embedder {
    fn start(patience: Duration) -> Self {
        let (started, address) = mpsc::channel();
        let thread = thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let mut settings = Settings::for_env(Environment::Test).unwrap();
            settings.database.path = folder.path().join("cloakroom.db");
            settings.server.bind = "127.0.0.1:0".to_owned();
            settings.server.head_timeout = patience * 5 / 6;
            settings.server.keep_alive = patience / 6;
            rt::System::new().block_on(async {
                let cloakroom = Cloakroom::open(settings).unwrap();
                let server = Server::bind_with(cloakroom, routes).unwrap();
                started.send((server.address(), server.handle())).unwrap();
                server.run().await.unwrap();
            });
        });
        let (address, handle) = address.recv().unwrap();
        Self {
            address,
            handle,
            thread: Some(thread),
        }
    }
}

impl Drop for Embedder {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        // A server that a failed test left busy may not stop.
        if !thread::panicking() {
            self.thread.take().unwrap().join().unwrap();
        }
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/events", web::get().to(events))
        .route("/echo", web::get().to(echo))
        .route("/endless", web::get().to(endless))
        .route("/large", web::post().to(large));
}

/// Ten events within three times what an idle connection has, and one that the system does not take at once.
async fn events() -> HttpResponse {
    let events = stream::iter(0..10).then(|number| async move {
        rt::time::sleep(3 * PATIENCE / 10).await;
        Bytes::from(format!("data: {number}\n\n"))
    });
    let last = stream::iter([Bytes::from(vec![b'x'; LARGE])]);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .streaming(events.chain(last).map(Ok::<_, actix_web::Error>))
}

/// Another protocol, which sends back what it receives. actix-http knows this name alone.
async fn echo(payload: web::Payload) -> HttpResponse {
    HttpResponse::SwitchingProtocols()
        .upgrade("websocket")
        .streaming(payload)
}

async fn endless() -> HttpResponse {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = stream::repeat(piece).then(|piece| async move {
        rt::task::yield_now().await;
        Ok::<_, actix_web::Error>(piece)
    });
    HttpResponse::Ok().streaming(pieces)
}

async fn large(_: Bytes) -> Bytes {
    Bytes::from(vec![b'x'; LARGE])
}

#[test]
fn an_event_stream_outlives_an_idle_connection() {
    let server = Embedder::start(PATIENCE);
    let mut connection = RawConnection::at(server.address);
    connection.send("GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let received = connection.receive_until_closed();
    assert!(received.contains("data: 9\n\n"), "{received}");
    assert!(received.ends_with("0\r\n\r\n"), "{received}");
}

#[test]
fn a_route_may_switch_protocols() {
    let server = Embedder::start(PATIENCE);
    let mut connection = RawConnection::at(server.address);
    connection
        .send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let answer = connection.receive();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("Connection"), Some("upgrade"));
    for text in ["one\n", "two\n"] {
        connection.send(text);
        connection.receive_text(text);
        // Longer than an idle connection of HTTP is kept.
        thread::sleep(2 * PATIENCE);
    }
}

#[test]
fn a_closing_connection_still_delivers_its_response() {
    let server = Embedder::start(Duration::from_secs(20));
    let mut connection = RawConnection::at(server.address);
    connection
        .send("POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    // Longer than the server lingers once the response is sent.
    thread::sleep(Duration::from_millis(1500));
    let received = connection.receive_until_closed();
    assert!(received.contains("connection: close"));
    let (_, body) = received.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), LARGE);
}

#[test]
fn an_endless_response_that_is_not_read_is_cut() {
    let server = Embedder::start(PATIENCE);
    let mut connection = RawConnection::at(server.address);
    connection.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    thread::sleep(4 * PATIENCE);
    assert!(
        connection
            .receive_until_closed()
            .starts_with("HTTP/1.1 200 ")
    );
}
