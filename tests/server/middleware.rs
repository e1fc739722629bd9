//! What clients can do to a connection: take their time, send what is no request, send too much, go away.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::flows::Flows;
use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::RawConnection;

const MOMENT: Duration = Duration::from_millis(200);

/// A server that waits for a moment only.
fn impatient() -> (TestServer, Server) {
    let mut test_server = TestServer::new();
    // Long enough that a busy machine gets from a connection to a whole head.
    test_server.set("CLOAKROOM__SERVER__HEAD_TIMEOUT", "3s");
    test_server.set("CLOAKROOM__SERVER__BODY_TIMEOUT", "1s");
    test_server.set("CLOAKROOM__SERVER__KEEP_ALIVE", "200ms");
    let server = test_server.serve();
    (test_server, server)
}

#[test]
fn a_slow_request_head_is_cut_off() {
    let (_house, server) = impatient();
    let mut connection = RawConnection::to(&server);
    connection.send("GET /up HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let (said, took) = connection.trickle("x");
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert!(took >= MOMENT && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_slow_later_head_is_cut_off_too() {
    let (_house, server) = impatient();
    let mut connection = RawConnection::to(&server);
    connection.ask("GET", "/up", "", "");
    assert_eq!(connection.receive().status, 200);
    connection.send("GET /up HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let (_, took) = connection.trickle("x");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_slow_body_is_cut_off_with_a_reply() {
    let (_house, server) = impatient();
    for (length, piece) in [
        ("Content-Length: 60000", "x"),
        ("Transfer-Encoding: chunked", "1\r\nx\r\n"),
    ] {
        let mut connection = RawConnection::to(&server);
        connection.send(&format!(
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        ));
        let (said, took) = connection.trickle(piece);
        assert!(said.starts_with("HTTP/1.1 408 "), "{length}: {said}");
        assert!(
            said.contains("\"code\":\"request_timeout\""),
            "{length}: {said}"
        );
        assert!(
            took >= MOMENT && took < Duration::from_secs(8),
            "{length}: {took:?}"
        );
    }
}

#[test]
fn an_unread_body_does_not_hold_the_connection() {
    let (_house, server) = impatient();
    thread::scope(|scope| {
        for (request, status) in [
            ("POST /nowhere", 404),
            ("POST /v1/projects", 401),
            ("DELETE /v1/registrations", 405),
            ("POST /up", 405),
            ("GET /up", 200),
        ] {
            for (length, piece) in [
                ("Content-Length: 60000", "x"),
                ("Transfer-Encoding: chunked", "1\r\nx\r\n"),
            ] {
                let mut connection = RawConnection::to(&server);
                scope.spawn(move || {
                    connection.send(&format!(
                        "{request} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
                    ));
                    let (said, took) = connection.trickle(piece);
                    let answered = said.starts_with(&format!("HTTP/1.1 {status} "));
                    assert!(answered, "{request}, {length}: {said}");
                    assert!(
                        status == 200 || said.contains("request_id"),
                        "{request}, {length}: {said}"
                    );
                    assert!(
                        took < Duration::from_secs(8),
                        "{request}, {length}: {took:?}"
                    );
                });
            }
        }
    });
}

#[test]
fn the_rest_of_a_body_is_cut_soon_after_the_reply() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    thread::scope(|scope| {
        for (request, status) in [
            ("POST /nowhere", 404),
            ("POST /v1/projects", 401),
            ("POST /up", 405),
            ("GET /up", 200),
            ("POST /v1/session", 413),
        ] {
            for (begin, piece) in [
                ("1;extension=", "x"),
                ("", "1\r\nx\r\n"),
                ("0\r\nX-Trailer: ", "x"),
            ] {
                let mut connection = RawConnection::to(&server);
                let large = match status {
                    413 => format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000)),
                    _ => String::new(),
                };
                scope.spawn(move || {
                    connection.send(&format!(
                        "{request} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{large}{begin}"
                    ));
                    let (said, took) = connection.trickle(piece);
                    assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {said}");
                    assert!(said.contains("connection: close"), "{request}: {said}");
                    assert!(took < Duration::from_secs(8), "{request} {begin}: {took:?}");
                });
            }
        }
    });
}

#[test]
fn an_endless_body_is_not_read_on_after_its_reply() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    for (request, length) in [
        ("POST /nowhere", "Transfer-Encoding: chunked"),
        ("POST /v1/session", "Transfer-Encoding: chunked"),
        ("GET /up", "Transfer-Encoding: chunked"),
        ("POST /nowhere", "Content-Length: 9999999999"),
    ] {
        let mut connection = RawConnection::to(&server);
        connection.send(&format!(
            "{request} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        ));
        let sent = connection.flood(&format!("2000\r\n{}\r\n", "x".repeat(0x2000)));
        // The system's buffers hold more than the server reads.
        assert!(sent < 32 * 1024 * 1024, "{request} {length}: {sent}");
    }
}

#[test]
fn a_request_behind_chunks_is_not_answered() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    connection.send(
        "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\n{}\r\n0\r\n\r\nGET /up HTTP/1.1\nHost: x\n\n",
    );
    let said = connection.receive_until_closed();
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
    assert!(!said.contains("\"status\":\"up\""), "{said}");
}

#[test]
fn a_client_that_reads_no_replies_is_disconnected() {
    let (_house, server) = impatient();
    let token = server.sign_up_token("one@example.com", "password");
    let project = json!({ "title": "Long", "description": "🔑".repeat(4000) });
    for _ in 0..20 {
        let (status, reply) = server.request("POST", "/v1/projects", Some(&token), Some(&project));
        assert_eq!(status, 201, "{reply}");
    }
    // More than the system takes off the server's hands.
    RawConnection::to(&server).flood(&format!(
        "GET /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
}

#[test]
fn an_idle_connection_is_closed() {
    let (_house, server) = impatient();
    let mut connection = RawConnection::to(&server);
    connection.ask("GET", "/up", "", "");
    assert_eq!(connection.receive().status, 200);
    assert_eq!(connection.receive_until_closed(), "");
}

#[test]
fn a_slow_sign_in_is_not_cut_off() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__HEAD_TIMEOUT", "1s");
    test_server.set("CLOAKROOM__SERVER__KEEP_ALIVE", "1ms");
    test_server.set("CLOAKROOM__PASSWORD__BCRYPT_COST", "15");
    let server = test_server.serve();
    assert_eq!(server.sign_in("nobody@example.com", "password").0, 401);
}

#[test]
fn connections_over_the_limit_wait() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__WORKERS", "1");
    test_server.set("CLOAKROOM__SERVER__MAX_CONNECTIONS", "2");
    let server = test_server.serve();
    let mut served = Vec::new();
    for _ in 0..2 {
        let mut connection = RawConnection::to(&server);
        connection.ask("GET", "/up", "", "");
        assert_eq!(connection.receive().status, 200);
        served.push(connection);
    }
    let mut waiting = RawConnection::to(&server);
    waiting.ask("GET", "/up", "", "");
    assert!(waiting.receive_within(MOMENT).is_none());
    served.pop();
    assert_eq!(waiting.receive().status, 200);
}

#[test]
fn a_malformed_request_closes_the_connection() {
    let (_house, mut server) = impatient();
    let headers = "X-Filler: y\r\n".repeat(200);
    let huge = format!("X-Huge: {}\r\n", "y".repeat(200_000));
    for (request, status) in [
        ("GARBAGE\r\n\r\n", 400),
        ("GET /up\r\n\r\n", 400),
        ("GET /up HTTP/3.0\r\nHost: x\r\n\r\n", 400),
        ("GET /up HTTP/1.1\r\n\r\n", 400),
        ("GET /up HTTP/1.1\nHost: x\n\n", 400),
        ("GET /up HTTP/1.1\nHost: x\r\n\r\n", 400),
        (
            "GET /up HTTP/1.1\r\nHost: x\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
            400,
        ),
        ("GET /up HTTP/1.1\r\nHost: x\r\n\n", 400),
        ("GET /up HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        ("GET /up HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", 400),
        ("GET /up HTTP/1.1\r\nHost: x\r\nBad name: y\r\n\r\n", 400),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            400,
        ),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
            400,
        ),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
            400,
        ),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
            400,
        ),
        (
            &format!("GET /up HTTP/1.1\r\nHost: x\r\n{headers}\r\n"),
            431,
        ),
        (&format!("GET /up HTTP/1.1\r\nHost: x\r\n{huge}\r\n"), 431),
    ] {
        let mut connection = RawConnection::to(&server);
        // The server may refuse before all is sent.
        let (said, _) = connection.trickle(request);
        let line = request.lines().next().unwrap();
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} ")),
            "{line}: {said}"
        );
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{line}: {said}");
    }
    assert_eq!(server.request("GET", "/up", None, None).0, 200);
    // A line of this level is an alert for the operator.
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

#[test]
fn corrupt_chunked_bodies_smuggle_no_request() {
    let (_house, server) = impatient();
    for body in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let mut connection = RawConnection::to(&server);
        connection.send(&format!(
            "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /up HTTP/1.1\r\nHost: x\r\n\r\n"
        ));
        let said = connection.receive_until_closed();
        assert!(said.starts_with("HTTP/1.1 400 "), "{body}: {said}");
        assert!(!said.contains("\"status\":\"up\""), "{body}: {said}");
    }
}

#[test]
fn a_pipelined_pair_is_answered_in_order() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    let body = json!({ "email_address": "one@example.com", "password": "password" }).to_string();
    let sign_up = format!(
        "POST /v1/registrations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.send(&format!("{sign_up}GET /up HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(connection.receive().status, 201);
    let second = connection.receive();
    assert_eq!(
        (second.status, second.json()["status"].as_str()),
        (200, Some("up"))
    );
}

#[test]
fn a_half_closed_connection_still_gets_its_reply() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    connection.ask(
        "POST",
        "/v1/session",
        "",
        "{\"email_address\":\"a@b.example\",\"password\":\"password\"}",
    );
    connection.close_write();
    assert_eq!(connection.receive().status, 401);
    assert_eq!(connection.receive_until_closed(), "");
}

#[test]
fn disconnecting_clients_do_no_harm() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__PASSWORD__BCRYPT_COST", "8");
    let server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    let credentials = "{\"email_address\":\"one@example.com\",\"password\":\"password\"}";
    for round in 0..20 {
        let mut connection = RawConnection::to(&server);
        match round % 2 {
            0 => connection.ask("POST", "/v1/session", "", credentials),
            _ => connection
                .send("POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{\"email"),
        }
    }
    assert_eq!(server.sign_in("one@example.com", "password").0, 200);
    eventually(|| (server.request("GET", "/ready", None, None).0 == 200).then_some(()));
    // Each leaves its line, and one signed in besides.
    let lines = || {
        server
            .log()
            .lines()
            .filter(|line| line.contains("/v1/session"))
            .count()
    };
    eventually(|| (lines() >= 21).then_some(()));
    let log = server.log();
    assert!(!log.contains("panic") && !log.contains("ERROR"), "{log}");
}

#[test]
fn a_session_ended_during_its_request_changes_nothing() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token("one@example.com", "password");
    let body = "{\"title\":\"Late\"}";
    let mut connection = RawConnection::to(&server);
    connection.send(&format!(
        "POST /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(connection.receive().status, 100);
    assert_eq!(
        server
            .request("DELETE", "/v1/session", Some(&token), None)
            .0,
        200
    );
    connection.send(body);
    let answer = connection.receive();
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (401, Some("token_invalid"))
    );
}

#[test]
fn a_forwarding_header_of_an_unknown_peer_is_logged_once() {
    let mut test_server = TestServer::new();
    let ask = |server: &Server| {
        let mut connection = RawConnection::to(server);
        for header in [
            "X-Forwarded-For: 192.0.2.1\r\n",
            "Forwarded: for=192.0.2.1\r\n",
        ] {
            connection.ask("GET", "/up", header, "");
            assert_eq!(connection.receive().status, 200);
        }
    };
    let server = test_server.serve();
    ask(&server);
    let log = server.wait_for_log("a forwarding header came from a peer");
    assert!(log.contains("127.0.0.1"), "{log}");
    ask(&server);
    assert_eq!(server.log().matches("a forwarding header came").count(), 1);
    drop(server);

    test_server.set("CLOAKROOM__SERVER__TRUSTED_PROXIES", "127.0.0.1/32");
    let server = test_server.serve();
    ask(&server);
    assert!(!server.log().contains("a forwarding header came"));
}
