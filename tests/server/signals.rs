//! How it starts and stops.

#![expect(clippy::disallowed_methods, reason = "measures another process")]

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::RawConnection;
use crate::support::smtp::{Behaviour, Misbehaviour, SmtpServer};

#[test]
fn a_server_prints_its_address_and_stops_on_signals() {
    let test_server = TestServer::new();
    for signal in ["TERM", "INT", "HUP"] {
        let mut server = test_server.serve();
        assert_eq!(server.request("GET", "/up", None, None).0, 200);
        server.signal(signal);
        assert!(server.wait().success(), "{}", server.log());
        assert_eq!(server.rest_of_stdout(), "");
    }
}

/// Only Linux tells the process that it was started so.
#[cfg(target_os = "linux")]
#[test]
fn a_server_under_nohup_ignores_hangups() {
    let test_server = TestServer::new();
    let mut command = test_server.command(&[]);
    let mut nohup = std::process::Command::new("sh");
    let program = command.get_program().to_owned();
    nohup
        .args(["-c", "trap '' HUP; exec \"$0\" serve"])
        .arg(program);
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            nohup.env(name, value);
        }
    }
    command = nohup;
    command
        .current_dir(test_server.path())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut server = test_server.serve_as(command);
    server.signal("HUP");
    assert_eq!(server.request("GET", "/up", None, None).0, 200);
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}

#[test]
fn shutdown_finishes_requests_and_accepts_no_more() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__PASSWORD__BCRYPT_COST", "10");
    for signal in ["TERM", "INT", "HUP"] {
        let mut server = test_server.serve();
        let address = format!("sig{}@example.com", signal.to_lowercase());
        server.sign_up_token(&address, "password");

        let credentials = json!({ "email_address": address, "password": "password" }).to_string();
        let mut connection = RawConnection::to(&server);
        let length = credentials.len();
        connection.send(&format!(
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ));
        // The handler has begun: the request is in flight.
        assert_eq!(connection.receive().status, 100);
        server.signal(signal);
        wait_until_closed(&server);
        connection.send(&credentials);
        let answer = connection.receive();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.json()["token"].is_string());
        assert_eq!(connection.receive_until_closed(), "");
        assert!(server.wait().success(), "{}", server.log());
    }
}

/// On Linux only, which lists the connections of a process.
#[cfg(target_os = "linux")]
#[test]
fn idle_connections_do_not_delay_shutdown() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__KEEP_ALIVE", "1h");
    test_server.set("CLOAKROOM__SERVER__HEAD_TIMEOUT", "1h");
    let mut server = test_server.serve();
    let mut used = RawConnection::to(&server);
    used.ask("GET", "/up", "", "");
    assert_eq!(used.receive().status, 200);
    let mut halfway = RawConnection::to(&server);
    halfway.send("GET /up HT");
    let mut silent = RawConnection::to(&server);
    eventually(|| (connections(&server) == 3).then_some(()));

    let asked = Instant::now();
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    for connection in [&mut used, &mut halfway, &mut silent] {
        connection.receive_until_closed();
    }
}

#[test]
fn an_endless_request_is_cut_after_the_shutdown_timeout() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__SHUTDOWN_TIMEOUT", "1s");
    test_server.set("CLOAKROOM__SERVER__BODY_TIMEOUT", "1h");
    let mut server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    connection.send(
        "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(connection.receive().status, 100);

    let asked = Instant::now();
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_silent_mail_server_does_not_delay_shutdown() {
    let silent = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::Silent),
        ..Behaviour::default()
    });
    let mut test_server = TestServer::new();
    test_server.send_by(&silent);
    let mut server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    server.request_reset_mail("one@example.com");
    eventually(|| (silent.connections() == 1).then_some(()));

    let asked = Instant::now();
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
}

fn wait_until_closed(server: &Server) {
    eventually(|| TcpStream::connect(server.address).is_err().then_some(()));
}

/// How many connections the process holds open, as the system counts them.
#[cfg(target_os = "linux")]
fn connections(server: &Server) -> usize {
    let port = format!(":{:04X} ", server.address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let accepted = |line: &&str| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().unwrap_or_default();
        let (_, state) = (columns.next(), columns.next());
        format!("{local} ").ends_with(&port) && state == Some("01")
    };
    table.lines().filter(accepted).count()
}
