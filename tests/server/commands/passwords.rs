//! `cloakroom passwords build`, and a server that uses the list.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use rustls::{ServerConnection, StreamOwned};

use super::{run, run_with_input};
use crate::support::certificates::{Authority, Certificate};
use crate::support::flows::Flows;
use crate::support::process::TestServer;

const BREACHED: &str = "open sesame 2001";

#[test]
fn a_server_refuses_what_a_built_list_contains() {
    let mut test_server = TestServer::new();
    let build = ["passwords", "build", "-", "--plain", "--output", "list"];
    let built = run_with_input(&test_server, &build, b"open sesame 2001\nanother\n").done();
    assert!(
        built.starts_with("wrote 2 of 2 passwords to list"),
        "{built}"
    );
    test_server.set("CLOAKROOM__PASSWORD__BREACHED_LIST", "list");
    let server = test_server.serve();
    let (status, refused) = server.sign_up("two@example.com", BREACHED);
    assert_eq!(status, 422);
    assert_eq!(
        refused["errors"][0],
        "Password has appeared in a data breach"
    );
    let created = run_with_input(
        &test_server,
        &["users", "create", "one@example.com"],
        b"open sesame 2001",
    );
    assert_eq!(created.refused(), "Password has appeared in a data breach");
}

#[test]
fn a_bad_list_is_named() {
    let mut test_server = TestServer::new();
    let missing = run(&test_server, &["passwords", "build", "none", "-o", "list"]).refused();
    assert!(missing.starts_with("none: "), "{missing}");
    let build = ["passwords", "build", "-", "--output", "list"];
    let malformed = run_with_input(&test_server, &build, b"secret\n").refused();
    assert!(
        malformed.contains("line 1 is not SHA-1:COUNT"),
        "{malformed}"
    );
    test_server.set("CLOAKROOM__PASSWORD__BREACHED_LIST", "list");
    let refused = run(&test_server, &["serve"]).refused();
    assert!(
        refused.contains("password.breached_list: list: "),
        "{refused}"
    );
    let doctor = String::from_utf8(test_server.run(&["doctor"]).stdout).unwrap();
    assert!(
        doctor.contains("password.breached_list: list: "),
        "{doctor}"
    );
}

#[test]
fn a_list_without_passwords_is_not_written() {
    let test_server = TestServer::new();
    let digest: &[u8] = b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n";
    for (arguments, input, words) in [
        (&["--plain"][..], &b""[..], "it is empty"),
        (&["--plain"], b"\n\n", "it is empty"),
        (
            &["--least", "4"],
            digest,
            "none of its 1 lines was seen that often",
        ),
    ] {
        let build = ["passwords", "build", "-", "--output", "list"];
        let command = [&build, arguments].concat();
        let refused = run_with_input(&test_server, &command, input).refused();
        assert!(refused.contains(words), "{refused}");
        assert!(!test_server.path().join("list").exists());
    }
}

#[test]
fn a_service_that_cannot_be_reached_refuses_the_start() {
    let mut test_server = TestServer::new();
    for url in ["http://api.example.com/range", "https://10.0.0.1/range"] {
        test_server.set("CLOAKROOM__PASSWORD__BREACHED_SERVICE", url);
        let refused = run(&test_server, &["serve"]).refused();
        assert!(
            refused.contains("password.breached_service: ")
                && refused.contains("outbound.private_networks"),
            "{refused}"
        );
    }
}

#[test]
fn the_range_service_is_called_over_verified_tls() {
    let authority = Authority::new("Tests");
    for (certificate, status) in [(Certificate::Good, 422), (Certificate::UnknownIssuer, 201)] {
        let mut test_server = TestServer::new();
        let ca_file = test_server.path().join("ca.pem");
        std::fs::write(&ca_file, &authority.pem).unwrap();
        let port = range_service(&authority, certificate);
        test_server
            .set("SSL_CERT_FILE", ca_file.to_str().unwrap())
            .set(
                "CLOAKROOM__PASSWORD__BREACHED_SERVICE",
                format!("https://localhost:{port}/range"),
            )
            .set(
                "CLOAKROOM__OUTBOUND__PRIVATE_NETWORKS",
                "127.0.0.0/8,::1/128",
            );
        let server = test_server.serve();
        let (answered, _) = server.sign_up("two@example.com", BREACHED);
        assert_eq!(answered, status, "{}", server.log());
        let warning = "a password was accepted without it";
        match status {
            201 => drop(server.wait_for_log(warning)),
            _ => assert!(!server.log().contains(warning), "{}", server.log()),
        }
    }
}

/// A service that knows the password of [`BREACHED`]; returns its port.
fn range_service(authority: &Authority, certificate: Certificate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = authority.server_config(certificate);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(session, connection.unwrap()));
            let mut head = String::new();
            // A client that refuses the certificate hangs up.
            while stream.read_line(&mut head).is_ok_and(|read| read > 2) {}
            if head.starts_with("GET /range/") {
                let body = "68D9FC88590766E1AAC69B30CCAFAF72258:7";
                let reply = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.get_mut().write_all(reply.as_bytes()).unwrap();
            }
        }
    });
    port
}
