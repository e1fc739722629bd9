//! Requests that pages of other origins make a browser send, over TCP.

use serde_json::json;

use crate::support::flows::Flows;
use crate::support::process::TestServer;
use crate::support::raw_connection::{Answer, RawConnection};

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn foreign_websocket_handshakes_are_refused() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__PUBLIC_URL", "http://auth.localhost");
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    let page = json!({ "email_address": "page@example.com", "password": "password", "transport": "cookie" });
    connection.ask(
        "POST",
        "/v1/registrations",
        "Sec-Fetch-Site: same-origin\r\n",
        &page.to_string(),
    );
    let answer = connection.receive();
    let cookie = answer.header("Set-Cookie").expect("a cookie");
    let (cookie, _) = cookie.split_once(';').unwrap();
    let shake = |origin: &str| -> Answer {
        let mut connection = RawConnection::to(&server);
        let headers = format!("Cookie: {cookie}\r\n{origin}{HANDSHAKE}");
        connection.send(&format!(
            "GET /v1/verify HTTP/1.1\r\nHost: auth.localhost\r\n{headers}\r\n"
        ));
        connection.receive()
    };
    for origin in [
        "",
        "Origin: http://orders.localhost\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        let answer = shake(origin);
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.json()["code"], "cross_origin");
        assert_eq!(answer.header("X-User-Id"), None);
    }
    assert_eq!(shake("Origin: http://auth.localhost\r\n").status, 200);
}

#[test]
fn foreign_pages_use_up_no_limit() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__THROTTLE__ENABLED", "true");
    test_server.set("CLOAKROOM__THROTTLE__SIGN_IN", "3 in 3m");
    let server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    for page in [
        "Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        for path in [
            "/v1/session",
            "/v1/passwords",
            "/v1/registrations",
            "/v1/tokens",
        ] {
            let mut connection = RawConnection::to(&server);
            let form = "email_address=one@example.com&password=password";
            connection.send(&format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n{page}\r\n{form}",
                form.len()
            ));
            let answer = connection.receive();
            assert_eq!(answer.status, 403, "{path} {page}");
            assert_eq!(answer.json()["code"], "cross_origin");
        }
    }
    let counted = "SELECT count(*) FROM throttles WHERE name LIKE 'sign_in%'";
    assert_eq!(test_server.store().count(counted), 0);
    assert_eq!(server.sign_in("one@example.com", "password").0, 200);
    assert!(test_server.mails().is_empty());
    // A page that the operator has listed, and programs without any page.
    for page in [
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost:3001\r\n",
        "",
    ] {
        let mut connection = RawConnection::to(&server);
        let body = "{\"email_address\":\"one@example.com\",\"password\":\"wrong\"}";
        connection.ask("POST", "/v1/session", page, body);
        assert_eq!(connection.receive().status, 401, "{page}");
    }
}

#[test]
fn an_upgrade_is_ignored() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    for upgrade in ["h2c", "websocket", "TLS/1.0"] {
        let mut connection = RawConnection::to(&server);
        let headers = format!(
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n"
        );
        connection.send(&format!("GET /up HTTP/1.1\r\nHost: x\r\n{headers}\r\n"));
        let answer = connection.receive();
        assert_eq!(answer.status, 200, "{upgrade}");
        assert_eq!(answer.header("Connection"), Some("close"), "{upgrade}");
        assert_eq!(connection.receive_until_closed(), "", "{upgrade}");
    }
}

#[test]
fn the_log_tells_why_a_preflight_is_refused() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    connection.ask(
        "OPTIONS",
        "/v1/session",
        "Origin: http://localhost:5173\r\nAccess-Control-Request-Method: GET\r\n",
        "",
    );
    assert_eq!(connection.receive().status, 400);
    let log = server.wait_for_log("refused a CORS preflight");
    assert!(log.contains("http://localhost:5173"), "{log}");
}
