//! What every reply has, whatever was asked: the one shape of failures, headers, challenges, request ids.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use cloakroom::domain::error::{Error, Result};
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_refused, beside, count_in, execute_sql, reset_token, signed_in,
};
use crate::support::flows::Flows;
use crate::support::process::{Server, TIMEOUT, TestServer};

const CHALLENGE: &str = r#"Bearer realm="cloakroom""#;
const INVALID: &str = r#"Bearer realm="cloakroom", error="invalid_token""#;
const EXPIRED: &str =
    r#"Bearer realm="cloakroom", error="invalid_token", error_description="The token has expired""#;

async fn panicking() -> HttpResponse {
    panic!("a secret of the embedder's")
}

async fn failing() -> Result<HttpResponse> {
    Err(Error::internal("SELECT a secret FROM /etc/passwd"))
}

async fn strange() -> actix_web::Result<HttpResponse> {
    Err(actix_web::error::ErrorBadRequest(
        "a secret of the library's",
    ))
}

fn mine(config: &mut web::ServiceConfig) {
    config
        .route("/panicking", web::get().to(panicking))
        .route("/failing", web::get().to(failing))
        .route("/strange", web::get().to(strange))
        .route(
            "/found",
            web::get().to(async || HttpResponse::Ok().json(json!({ "found": true }))),
        );
}

/// Sends these bytes, and reads one reply to the length that it announces, or until the server hangs up.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let (mut reply, mut buffer) = (String::new(), [0; 4096]);
    while !is_whole(&reply)
        && let Ok(read @ 1..) = stream.read(&mut buffer)
    {
        reply.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    reply
}

fn is_whole(reply: &str) -> bool {
    let Some((head, body)) = reply.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

/// What every reply carries.
#[track_caller]
fn assert_guarded(reply: &Reply) {
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(
        reply.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-request-id").map(str::len), Some(32));
    assert_eq!(reply.header("server"), None);
}

#[actix_web::test]
async fn every_reply_carries_its_headers() {
    let (app, _, token) = signed_in().await;
    let replies = join_all([
        app.get("/up").send(),
        app.get("/ready").send(),
        app.get("/v1/session").bearer(&token).send(),
        app.get("/v1/session").send(),
        app.get("/nowhere").send(),
        app.get("/v1/nowhere").bearer(&token).send(),
        app.post("/up").send(),
        app.post("/v1/session").body("text/plain", "x").send(),
        app.post("/v1/projects")
            .bearer(&token)
            .json(&json!({}))
            .send(),
        app.delete("/v1/projects/1").bearer(&token).send(),
        app.call(Method::OPTIONS, "/v1/session").send(),
        app.call(Method::TRACE, "/v1/session").send(),
    ])
    .await;
    for reply in &replies {
        assert_guarded(reply);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("strict-transport-security"), None);
    }
    let ids: Vec<_> = replies
        .iter()
        .filter_map(|reply| reply.header("x-request-id"))
        .collect();
    assert!(
        ids.iter()
            .all(|id| ids.iter().filter(|other| *other == id).count() == 1),
        "{ids:?}"
    );
}

#[actix_web::test]
async fn hsts_is_sent_only_with_an_https_public_url() {
    let secure = TestApp::with_settings(|settings| {
        settings.server.public_url = "https://auth.example.com".parse().unwrap();
    })
    .await;
    for path in ["/up", "/v1/session", "/nowhere"] {
        let policy = secure.get(path).send().await;
        let policy = policy.header("strict-transport-security").unwrap();
        assert_eq!(policy, "max-age=63072000; includeSubDomains");
    }
    let alone = TestApp::with_settings(|settings| {
        settings.server.public_url = "https://auth.example.com".parse().unwrap();
        settings.server.hsts_subdomains = false;
    })
    .await;
    let reply = alone.get("/up").send().await;
    assert_eq!(
        reply.header("strict-transport-security"),
        Some("max-age=63072000")
    );
}

#[actix_web::test]
async fn unknown_paths_are_404_and_unknown_methods_405() {
    let (app, _, token) = signed_in().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/session/",
        "/v2/session",
        "/v1/passwords/",
        "/V1/session",
        "//v1/session",
    ] {
        assert_refused(&app.get(path).send().await, 404, "not_found");
        assert_refused(
            &app.post(path).bearer(&token).json(&json!({})).send().await,
            404,
            "not_found",
        );
    }
    for (method, path, allowed) in [
        (Method::POST, "/up", "GET, HEAD"),
        (Method::GET, "/v1/registrations", "POST"),
        (Method::PUT, "/v1/session", "POST, GET, HEAD, DELETE"),
        (Method::OPTIONS, "/v1/session", "POST, GET, HEAD, DELETE"),
        (Method::TRACE, "/v1/session", "POST, GET, HEAD, DELETE"),
        (Method::GET, "/v1/passwords", "POST, PUT, PATCH"),
        (Method::GET, "/v1/passwords/check", "POST"),
        (
            Method::DELETE,
            "/v1/passwords/token",
            "GET, HEAD, PUT, PATCH",
        ),
        (Method::DELETE, "/v1/projects", "GET, HEAD, POST"),
        (
            Method::POST,
            "/v1/projects/1",
            "GET, HEAD, PATCH, PUT, DELETE",
        ),
    ] {
        let reply = app.call(method.clone(), path).send().await;
        assert_refused(&reply, 405, "method_not_allowed");
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[actix_web::test]
async fn panics_and_failures_are_opaque_500s() {
    let app = TestApp::with(mine).await;
    for path in ["/panicking", "/failing"] {
        let reply = app.get(path).send().await;
        assert_refused(&reply, 500, "internal_error");
        assert_guarded(&reply);
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    // The house goes on, its counters and connections included.
    assert_eq!(
        app.get("/found").send().await.json(),
        json!({ "found": true })
    );
    let strange = app.get("/strange").send().await;
    assert_refused(&strange, 400, "invalid_request");
    assert!(!strange.text().contains("secret"), "{}", strange.text());
}

#[actix_web::test]
async fn a_failing_database_is_not_reported_as_absence() {
    let (app, _, token) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    execute_sql(&app, "ALTER TABLE users RENAME TO elsewhere");
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    for call in [
        app.get("/v1/session").bearer(&token),
        app.post("/v1/session").json(&body),
        app.post("/v1/registrations").json(&body),
        app.get(&format!("/v1/passwords/{link}")),
        app.put(&format!("/v1/passwords/{link}")).json(&body),
    ] {
        let reply = call.send().await;
        assert_refused(&reply, 500, "internal_error");
        assert!(
            !reply.text().contains("users") && !reply.text().contains("table"),
            "{}",
            reply.text()
        );
    }
}

#[actix_web::test]
async fn a_locked_database_is_503_with_retry_after() {
    let app = TestApp::with_settings(|settings| {
        settings.database.busy_timeout = Duration::from_millis(1);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let store = beside(&app);
    let held = store.hold_writes();
    for call in [
        app.delete("/v1/session").bearer(&token),
        app.post("/v1/projects")
            .bearer(&token)
            .json(&json!({ "title": "A title" })),
        app.post("/v1/session")
            .json(&json!({ "email_address": ONE, "password": PASSWORD })),
        app.post("/v1/passwords")
            .json(&json!({ "email_address": ONE })),
        app.post("/v1/registrations")
            .json(&json!({ "email_address": "two@example.com", "password": PASSWORD })),
    ] {
        let reply = call.send().await;
        assert_refused(&reply, 503, "unavailable");
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert!(!reply.text().contains("database"), "{}", reply.text());
    }
    let ready = app.get("/ready").send().await;
    assert_refused(&ready, 503, "database_busy");
    assert_eq!(ready.header("retry-after"), Some("1"));
    // Reading goes on.
    assert_eq!(
        app.get("/v1/session").bearer(&token).send().await.status,
        200
    );
    drop(held);
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
}

#[actix_web::test]
async fn readiness_writes_at_most_once_a_second() {
    let app = TestApp::new().await;
    let beat = async || {
        assert_eq!(app.get("/ready").send().await.status, 200);
        count_in(&app, "SELECT written_at FROM write_probe")
    };
    let start = app.clock().now();
    assert_eq!(beat().await, start.as_millis());
    app.clock().advance(Duration::from_millis(999));
    assert_eq!(
        beat().await,
        start.as_millis(),
        "a write this soon proves nothing new"
    );
    app.clock().advance(Duration::from_millis(1));
    assert_eq!(beat().await, start.as_millis() + 1000);

    let back = start - Duration::from_secs(3600);
    app.clock().set(back);
    assert_eq!(beat().await, back.as_millis());
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(beat().await, back.as_millis() + 1000);
}

#[actix_web::test]
async fn a_full_hash_queue_is_503_with_retry_after() {
    let app = TestApp::with_settings(|settings| {
        (settings.password.threads, settings.password.queue_limit) = (1, 1);
        settings.password.bcrypt_cost = 6;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    let replies = join_all((0..20).map(|_| app.sign_in(ONE, PASSWORD))).await;
    let (served, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert!(!served.is_empty() && !refused.is_empty());
    for reply in refused {
        assert_refused(reply, 503, "unavailable");
        // As long as the queue is expected to take, which depends on how fast this machine hashes.
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(wait >= 1);
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn each_401_carries_www_authenticate() {
    let app = TestApp::with_settings(|settings| {
        settings.session.idle_timeout = settings.session.lifetime;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let assert_challenged = |reply: Reply, code: &str, challenge: &str| {
        assert_refused(&reply, 401, code);
        assert_eq!(reply.header("www-authenticate"), Some(challenge));
        assert_eq!(reply.headers.get_all("www-authenticate").count(), 1);
    };
    let nobody = app.get("/v1/session").send().await;
    assert_eq!(nobody.json()["error"], "Unauthorized");
    assert_challenged(nobody, "unauthorized", CHALLENGE);
    assert_challenged(
        app.get("/v1/session").bearer("invalid").send().await,
        "token_invalid",
        INVALID,
    );
    assert_challenged(
        app.sign_in(ONE, "wrong").await,
        "invalid_credentials",
        CHALLENGE,
    );
    assert_challenged(
        app.get("/v1/passwords/invalid").send().await,
        "link_invalid",
        CHALLENGE,
    );
    app.clock().advance(Duration::from_secs(30 * 86400));
    assert_challenged(
        app.get("/v1/session").bearer(&token).send().await,
        "token_expired",
        EXPIRED,
    );

    for other in [
        app.get("/up").send().await,
        app.get("/nowhere").send().await,
    ] {
        assert_eq!(other.header("www-authenticate"), None);
    }
}

#[actix_web::test]
async fn request_ids_are_accepted_only_from_trusted_proxies() {
    let app = TestApp::with_settings(|settings| {
        settings.server.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()];
    })
    .await;
    let (proxy, stranger): (SocketAddr, SocketAddr) = (
        "192.0.2.1:4000".parse().unwrap(),
        "198.51.100.1:4000".parse().unwrap(),
    );
    let ask = async |peer, id: &str| {
        app.get("/v1/session")
            .from(peer)
            .header("X-Request-Id", id)
            .send()
            .await
    };

    let believed = ask(proxy, "Trace-1_a.b").await;
    assert_eq!(believed.header("x-request-id"), Some("Trace-1_a.b"));
    assert_refused(&believed, 401, "unauthorized");
    assert_guarded(&ask(stranger, "Trace-1_a.b").await);
    for rubbish in ["", "a b", "a\"b", "é", "{{7*7}}", &"a".repeat(65)] {
        assert_guarded(&ask(proxy, rubbish).await);
    }
}

#[test]
fn get_routes_answer_head_without_a_body() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    for (path, status) in [
        ("/up", 200),
        ("/ready", 200),
        ("/v1/session", 401),
        ("/v1/projects", 401),
        ("/nowhere", 404),
    ] {
        let reply = raw(
            &server,
            &format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        );
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "");
        assert!(head.to_lowercase().contains("\r\nx-request-id: "), "{head}");
    }
}

#[test]
fn a_body_over_64_kib_is_413_with_or_without_length() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let head = "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let announced = raw(&server, &format!("{head}Content-Length: 65537\r\n\r\n"));
    let chunk = "a".repeat(0x1000);
    let chunks = format!("1000\r\n{chunk}\r\n").repeat(17);
    let chunked = raw(
        &server,
        &format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}"),
    );
    for reply in [announced, chunked] {
        assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
        assert!(reply.contains("\"code\":\"payload_too_large\""), "{reply}");
    }
}

#[test]
fn a_late_body_is_408() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__BODY_TIMEOUT", "1s");
    let server = test_server.serve();
    let head = "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let reply = raw(&server, &format!("{head}Content-Length: 10\r\n\r\n{{"));
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    assert!(reply.contains("\"code\":\"request_timeout\""), "{reply}");
}

#[test]
fn truncated_and_doubly_framed_bodies_reach_no_handler() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let body = json!({ "email_address": ONE, "password": PASSWORD }).to_string();
    let length = body.len();
    let head = "POST /v1/registrations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    for framing in [
        format!(
            "Content-Length: {length}\r\nContent-Length: {}\r\n",
            length - 1
        ),
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Content-Length: +{length}\r\n"),
        format!("Transfer-Encoding: chunked, identity\r\nContent-Length: {length}\r\n"),
    ] {
        let reply = raw(&server, &format!("{head}{framing}\r\n{body}"));
        assert!(!reply.starts_with("HTTP/1.1 2"), "{framing}: {reply}");
    }
    let (status, _) = server.request(
        "POST",
        "/v1/registrations",
        None,
        Some(&serde_json::from_str(&body).unwrap()),
    );
    assert_eq!(status, 201, "none of them had signed up");
}
