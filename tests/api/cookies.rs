//! The token in a cookie, and what pages of other sites may not do with it.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use actix_web::{HttpResponse, web};
use cloakroom::config::Settings;
use cloakroom::http::auth::credential::{Carrier, Credential, presented};
use cloakroom::testing::{Call, Reply, TestApp};
use cloakroom::{CurrentSession, CurrentUser, Error};
use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, not_text, session_is_valid, signed_in,
};
use crate::support::credentials::{api_key, pair};

const OWN: &str = "http://localhost:3000";
const LISTED: &str = "http://localhost:3001";
const FOREIGN: &str = "https://evil.example";

/// The headers by which a browser names the origin of a request: `Sec-Fetch-Site` and `Origin`.
type Origin = (Option<&'static str>, Option<&'static str>);

const SAME_ORIGIN: Origin = (Some("same-origin"), Some(OWN));

/// Requests of the application itself, or of a listed origin where the browser sends no more.
const OURS: &[Origin] = &[
    SAME_ORIGIN,
    (Some("same-origin"), None),
    (Some("same-origin"), Some(FOREIGN)),
    (None, Some(OWN)),
    (None, Some(LISTED)),
];

/// Requests whose origin is unknown.
const FOREIGNERS: &[Origin] = &[
    (Some("same-site"), None),
    (Some("same-site"), Some(LISTED)),
    (Some("same-site"), Some(OWN)),
    (Some("cross-site"), None),
    (Some("cross-site"), Some(OWN)),
    (Some("cross-site"), Some(LISTED)),
    (Some("none"), None),
    (Some("Same-Origin"), Some(OWN)),
    (Some(""), Some(OWN)),
    (Some("same-origin, same-origin"), Some(OWN)),
    (None, None),
    (None, Some("null")),
    (None, Some("*")),
    (None, Some("")),
    (None, Some(FOREIGN)),
    (None, Some("http://localhost")),
    (None, Some("https://localhost:3000")),
    (None, Some("http://localhost:3000/")),
    (None, Some("http://localhost:3000.evil.example")),
    (None, Some("http://LOCALHOST:3000")),
];

/// Whether the cookie suffices to read: no page of another origin shows itself.
fn may_read((_, origin): Origin) -> bool {
    matches!(origin, None | Some(OWN | LISTED))
}

/// Whether a public route accepts the request without a cookie.
fn may_visit(from: Origin) -> bool {
    match from {
        (Some("cross-site"), origin) => origin == Some(LISTED),
        _ => may_read(from),
    }
}

fn sent_from(call: Call, (site, origin): Origin) -> Call {
    let call = match site {
        Some(site) => call.header("Sec-Fetch-Site", site),
        None => call,
    };
    match origin {
        Some(origin) => call.header("Origin", origin),
        None => call,
    }
}

fn credentials(transport: &str) -> Value {
    json!({ "email_address": ONE, "password": PASSWORD, "transport": transport })
}

/// Signs in over a cookie, from the application itself.
async fn sign_in(app: &TestApp) -> Reply {
    app.post("/v1/session")
        .same_origin()
        .json(&credentials("cookie"))
        .send()
        .await
}

/// The token that a reply sets as the cookie.
fn token_in_cookie(reply: &Reply) -> String {
    let line = reply
        .header("set-cookie")
        .unwrap_or_else(|| panic!("no cookie: {}", reply.text()));
    let (_, rest) = line.split_once('=').unwrap();
    rest.split_once(';').unwrap().0.to_owned()
}

/// That a reply hands over a token in this way, and in no other.
#[track_caller]
fn assert_handed_over(reply: &Reply, transport: &str) {
    let (in_body, cookies) = (
        reply.json().get("token").is_some(),
        reply.headers.get_all("set-cookie").count(),
    );
    let expected = if transport == "cookie" {
        (false, 1)
    } else {
        (true, 0)
    };
    assert_eq!(
        (in_body, cookies),
        expected,
        "{transport}: {}",
        reply.text()
    );
    assert_eq!(reply.text().contains("crs_"), in_body, "{}", reply.text());
}

fn https(settings: &mut Settings) {
    settings.server.public_url = "https://auth.example.com".parse().unwrap();
}

#[actix_web::test]
async fn cookies_need_the_same_origin_for_unsafe_requests() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 1_000).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let bearers = app.create_user("two@example.com", PASSWORD).await;
    let bearer = app.sign_in_as(&bearers).await;
    let title = json!({ "title": "A title" });
    for (ours, origins) in [(true, OURS), (false, FOREIGNERS)] {
        for origin in origins {
            let get = || sent_from(app.get("/v1/session"), *origin);
            let post = || sent_from(app.post("/v1/projects"), *origin).json(&title);
            let who = |reply: &Reply| reply.json()["user"]["email_address"].clone();

            let shown = get().cookie(&token).send().await;
            match ours || may_read(*origin) {
                true => assert_eq!((shown.status, who(&shown)), (200, json!(ONE)), "{origin:?}"),
                false => assert_refused(&shown, 403, "cross_origin"),
            }
            let made = post().cookie(&token).send().await;
            match ours {
                true => assert_eq!(made.status, 201, "{origin:?}: {}", made.text()),
                false => assert_refused(&made, 403, "cross_origin"),
            }

            for with_cookie in [false, true] {
                let carry = |call: Call| {
                    if with_cookie {
                        call.cookie(&token)
                    } else {
                        call
                    }
                };
                let shown = carry(get()).bearer(&bearer).send().await;
                assert_eq!(
                    (shown.status, who(&shown)),
                    (200, json!("two@example.com")),
                    "{origin:?}"
                );
                assert_eq!(
                    carry(post()).bearer(&bearer).send().await.status,
                    201,
                    "{origin:?}"
                );
            }

            assert_refused(&get().send().await, 401, "unauthorized");
            assert_refused(&post().send().await, 401, "unauthorized");

            for transport in ["bearer", "cookie"] {
                for carried in ["nothing", "cookie", "bearer"] {
                    let call =
                        sent_from(app.post("/v1/session"), *origin).json(&credentials(transport));
                    // A sign-in ends the session of the cookie, so each has its own.
                    let call = match carried {
                        "cookie" => call.cookie(&token_in_cookie(&sign_in(&app).await)),
                        "bearer" => call.bearer(&bearer),
                        _ => call,
                    };
                    let reply = call.send().await;
                    let alone = carried == "bearer" || (carried == "nothing" && may_visit(*origin));
                    if ours || (transport == "bearer" && alone) {
                        assert_eq!(
                            reply.status,
                            200,
                            "{origin:?} {transport} {carried}: {}",
                            reply.text()
                        );
                        assert_handed_over(&reply, transport);
                    } else {
                        assert_refused(&reply, 403, "cross_origin");
                        assert_eq!(reply.header("set-cookie"), None);
                    }
                }
            }
        }
    }
}

#[actix_web::test]
async fn listed_same_site_origins_are_accepted() {
    let app = TestApp::with_settings(|settings| settings.cors.credentials = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    for (origin, may) in [
        ((Some("same-site"), Some(LISTED)), true),
        ((Some("same-site"), Some(OWN)), false),
        ((Some("same-site"), Some(FOREIGN)), false),
        ((Some("same-site"), None), false),
        ((Some("cross-site"), Some(LISTED)), false),
    ] {
        let call = sent_from(app.post("/v1/projects"), origin).cookie(&token);
        let made = call.json(&json!({ "title": "A title" })).send().await;
        let call = sent_from(app.post("/v1/session"), origin).json(&credentials("cookie"));
        let started = call.send().await;
        assert_eq!(
            (made.status, started.status),
            if may { (201, 200) } else { (403, 403) },
            "{origin:?}"
        );
    }
}

#[actix_web::test]
async fn a_wildcard_origin_list_accepts_no_cookie() {
    let app = TestApp::with_settings(|settings| settings.cors.origins = vec!["*".to_owned()]).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    for origin in [FOREIGN, LISTED, "*", "null"] {
        let reply = app
            .delete("/v1/session")
            .cookie(&token)
            .header("Origin", origin)
            .send()
            .await;
        assert_refused(&reply, 403, "cross_origin");
    }
    let reply = app
        .delete("/v1/session")
        .cookie(&token)
        .header("Origin", OWN)
        .send()
        .await;
    assert_eq!(reply.status, 200);
}

#[actix_web::test]
async fn websocket_handshakes_need_the_same_origin() {
    let (app, _, token) = signed_in().await;
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Upgrade", "h2c, WebSocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat"),
        ("Sec-Fetch-Mode", "websocket"),
    ] {
        for path in ["/v1/session", "/v1/verify"] {
            let shake = || app.get(path).header(name, value);
            for origin in [None, Some(FOREIGN), Some("null")] {
                let call = sent_from(shake().cookie(&token), (None, origin));
                assert_refused(&call.send().await, 403, "cross_origin");
            }
            let own = sent_from(shake().cookie(&token), (None, Some(OWN)));
            assert_eq!(own.send().await.status, 200, "{name}");
            let bearer = sent_from(shake().bearer(&token), (None, Some(FOREIGN)));
            assert_eq!(bearer.send().await.status, 200, "{name}");
        }
    }
    // Some HTTP clients offer another version of HTTP with each request.
    let call = app.get("/v1/session").header("Upgrade", "h2c");
    assert_eq!(call.cookie(&token).send().await.status, 200);
}

#[actix_web::test]
async fn duplicate_origin_headers_are_rejected() {
    let (app, _, token) = signed_in().await;
    for (name, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", OWN)] {
        let call = app
            .delete("/v1/session")
            .cookie(&token)
            .header(name, value)
            .header(name, value);
        assert_refused(&call.send().await, 403, "cross_origin");
    }
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn the_forwarded_method_is_checked_too() {
    let (app, _, token) = signed_in().await;
    let ask = |methods: &[&str]| {
        let call = app.get("/v1/user").cookie(&token);
        methods.iter().fold(call, |call, method| {
            call.header("X-Forwarded-Method", method)
        })
    };
    for harmless in [&["GET"][..], &["HEAD"], &["OPTIONS"], &["GET", "HEAD"]] {
        assert_eq!(ask(harmless).send().await.status, 200, "{harmless:?}");
    }
    for unsafe_ in [
        &["POST"][..],
        &["DELETE"],
        &["get"],
        &[""],
        &["GET, POST"],
        &["GET", "POST"],
    ] {
        assert_refused(&ask(unsafe_).send().await, 403, "cross_origin");
        assert_eq!(
            ask(unsafe_).same_origin().send().await.status,
            200,
            "{unsafe_:?}"
        );
        let bearer = app
            .get("/v1/user")
            .bearer(&token)
            .header("X-Forwarded-Method", unsafe_[0]);
        assert_eq!(bearer.send().await.status, 200, "{unsafe_:?}");
    }
    // Its content never makes a request acceptable.
    let call = app
        .delete("/v1/session")
        .cookie(&token)
        .header("X-Forwarded-Method", "GET");
    assert_refused(&call.send().await, 403, "cross_origin");
}

#[actix_web::test]
async fn cross_origin_requests_are_rejected_before_the_body() {
    let (app, _, token) = signed_in().await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in [
            "/v1/projects",
            "/v1/projects/1",
            "/v1/passwords",
            "/v1/passwords/x",
            "/v1/session",
        ] {
            let call = app.call(method.clone(), path).cookie(&token);
            let reply = call
                .header("Sec-Fetch-Site", "cross-site")
                .body("text/plain", "rubbish")
                .send()
                .await;
            match reply.status {
                405 => {}
                _ => assert_refused(&reply, 403, "cross_origin"),
            }
            assert_eq!(reply.header("www-authenticate"), None);
        }
    }
    // The refusal reveals nothing about the cookie: an invalid one is refused alike.
    let reply = app.delete("/v1/session").cookie("rubbish").send().await;
    assert_refused(&reply, 403, "cross_origin");
    let unknown = app
        .sign_in_as(&app.create_user("two@example.com", PASSWORD).await)
        .await;
    let ended = app.delete("/v1/session").bearer(&unknown).send().await;
    assert_eq!(ended.status, 200);
    assert_refused(
        &app.delete("/v1/session").cookie(&unknown).send().await,
        403,
        "cross_origin",
    );
}

#[actix_web::test]
async fn a_reply_never_holds_both_cookie_and_token() {
    let app = TestApp::new().await;
    let newcomer = |number: usize, transport: Value| {
        let address = format!("new-{number}@example.com");
        json!({ "email_address": address, "password": PASSWORD, "transport": transport })
    };
    for (number, transport) in [json!("bearer"), json!(null), json!("cookie")]
        .into_iter()
        .enumerate()
    {
        let expected = transport.as_str().unwrap_or("bearer").to_owned();
        let body = newcomer(number, transport);
        let signed_up = app
            .post("/v1/registrations")
            .same_origin()
            .json(&body)
            .send()
            .await;
        assert_eq!(signed_up.status, 201, "{}", signed_up.text());
        let signed_in = app
            .post("/v1/session")
            .same_origin()
            .json(&body)
            .send()
            .await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        for reply in [signed_up, signed_in] {
            assert_handed_over(&reply, &expected);
            let started = reply.json();
            assert_eq!(started["expires_at"], started["session"]["expires_at"]);
            assert_eq!(started["session"]["current"], true);
        }
    }
    let fields = [
        ("email_address", "form@example.com"),
        ("password", PASSWORD),
        ("transport", "cookie"),
    ];
    let reply = app
        .post("/v1/registrations")
        .same_origin()
        .form(&fields)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_handed_over(&reply, "cookie");
}

#[actix_web::test]
async fn unknown_transports_are_rejected() {
    let (app, ..) = signed_in().await;
    for path in ["/v1/session", "/v1/registrations"] {
        let unknown = ["", "Cookie", "cookie ", "header", "both"].map(|text| json!(text));
        for transport in unknown.into_iter().chain(not_text()) {
            let body =
                json!({ "email_address": ONE, "password": PASSWORD, "transport": transport });
            let reply = app.post(path).same_origin().json(&body).send().await;
            assert_faults(&reply, &[("transport", "is invalid")]);
        }
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
}

#[actix_web::test]
async fn the_cookie_is_host_bound_unless_the_url_is_http() {
    let plain = "cloakroom=TOKEN; Path=/; HttpOnly; SameSite=Lax";
    let bound = "__Host-cloakroom=TOKEN; Path=/; HttpOnly; SameSite=Lax; Secure";
    for (url, expected) in [
        ("http://localhost:3000", plain),
        ("http://127.0.0.1:3000", plain),
        ("http://[::1]:3000", plain),
        ("https://localhost:3000", bound),
        ("https://auth.example.com", bound),
        ("http://auth.localhost:3000", plain),
        ("http://192.168.1.5:3000", plain),
        ("http://auth.example.com", plain),
    ] {
        let app =
            TestApp::with_settings(|settings| settings.server.public_url = url.parse().unwrap())
                .await;
        app.create_user(ONE, PASSWORD).await;
        let reply = sign_in(&app).await;
        let token = token_in_cookie(&reply);
        assert_eq!(
            reply.header("set-cookie"),
            Some(expected.replace("TOKEN", &token).as_str()),
            "{url}"
        );
        assert!(reply.headers.get("set-cookie").unwrap().is_sensitive());
        assert_eq!(
            app.get("/v1/session").cookie(&token).send().await.status,
            200,
            "{url}"
        );
        // Under the other name it is nothing of ours.
        let other = if expected == plain {
            "__Host-cloakroom"
        } else {
            "cloakroom"
        };
        let reply = app
            .get("/v1/session")
            .header("Cookie", &format!("{other}={token}"))
            .send()
            .await;
        assert_refused(&reply, 401, "unauthorized");
    }
}

/// Signs in over a cookie, with `remember` as given.
async fn sign_in_remembered(app: &TestApp, remember: Value) -> Reply {
    let mut body = credentials("cookie");
    body["remember"] = remember;
    let call = app.post("/v1/session").same_origin().json(&body);
    call.send().await
}

/// How long a browser keeps the cookie that a reply sets; `None`: until it is closed.
fn max_age(reply: &Reply) -> Option<u64> {
    let line = reply.header("set-cookie").expect("a cookie");
    let age = line
        .split("; ")
        .find_map(|part| part.strip_prefix("Max-Age="));
    age.map(|age| age.parse().unwrap())
}

#[actix_web::test]
async fn only_a_remembered_sessions_cookie_outlives_the_browser() {
    let (app, ..) = signed_in().await;
    for (remember, seconds) in [
        (json!(true), Some(15_552_000)),
        (json!(false), None),
        (json!(null), None),
    ] {
        let reply = sign_in_remembered(&app, remember).await;
        assert_eq!(max_age(&reply), seconds);
    }
    let body =
        json!({ "email_address": "new@example.com", "password": PASSWORD, "transport": "cookie" });
    let call = app.post("/v1/registrations").same_origin().json(&body);
    assert_eq!(max_age(&call.send().await), None);
}

#[actix_web::test]
async fn a_new_token_keeps_the_cookies_lifetime() {
    let (app, ..) = signed_in().await;
    for (remember, seconds) in [(true, Some(15_551_940)), (false, None)] {
        for (path, body) in [
            ("/v1/session/rotate", json!({})),
            (
                "/v1/session/reauthenticate",
                json!({ "password": PASSWORD }),
            ),
        ] {
            let token = token_in_cookie(&sign_in_remembered(&app, remember.into()).await);
            app.clock().advance(Duration::from_secs(60));
            let call = app.post(path).cookie(&token).same_origin().json(&body);
            assert_eq!(max_age(&call.send().await), seconds, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_shared_cookie_names_the_parent_domain() {
    let app = TestApp::with_settings(|settings| {
        https(settings);
        settings.session.cookie_domain = Some("example.com".to_owned());
    });
    let app = app.await;
    app.create_user(ONE, PASSWORD).await;
    let reply = sign_in(&app).await;
    let token = token_in_cookie(&reply);
    let attributes = "Path=/; Domain=example.com; HttpOnly; SameSite=Lax; Secure";
    assert_eq!(
        reply.header("set-cookie"),
        Some(format!("__Secure-cloakroom={token}; {attributes}").as_str())
    );
    let shown = |name: &str| {
        let line = format!("{name}={token}");
        app.get("/v1/verify").header("Cookie", &line).send()
    };
    assert_eq!(shown("__Secure-cloakroom").await.status, 200);
    assert_refused(&shown("__Host-cloakroom").await, 401, "unauthorized");
    // A browser on another host below the domain.
    let write = || {
        let call = app.get("/v1/verify").cookie(&token);
        call.header("X-Forwarded-Method", "POST")
    };
    let own_page = sent_from(
        write(),
        (Some("same-origin"), Some("https://orders.example.com")),
    );
    assert_eq!(own_page.send().await.status, 200);
    let sibling = sent_from(
        write(),
        (Some("same-site"), Some("https://evil.example.com")),
    );
    assert_refused(&sibling.send().await, 403, "cross_origin");
    let planted = format!("__Secure-cloakroom={token}; __Secure-cloakroom={token}");
    let planted = app
        .get("/v1/verify")
        .header("Cookie", &planted)
        .send()
        .await;
    assert_refused(&planted, 400, "invalid_request");

    let ended = app
        .delete("/v1/session")
        .cookie(&token)
        .same_origin()
        .send();
    assert_eq!(
        ended.await.header("set-cookie"),
        Some(
            "__Secure-cloakroom=; Path=/; Domain=example.com; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
        )
    );
}

#[actix_web::test]
async fn a_refused_cookie_is_cleared_at_sign_out_alone() {
    let cleared = Some("cloakroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    let (app, user, unknown) = signed_in().await;
    app.delete("/v1/session").bearer(&unknown).send().await;
    let sign_out = |token: &str| app.delete("/v1/session").cookie(token);
    for token in [&unknown[..], "rubbish", ""] {
        let reply = sign_out(token).same_origin().send().await;
        assert_refused(&reply, 401, "token_invalid");
        assert_eq!(reply.header("set-cookie"), cleared, "{token}");
        // Another tab may have set a new cookie meanwhile.
        let read = app.get("/v1/session").cookie(token).send().await;
        assert_refused(&read, 401, "token_invalid");
        assert_eq!(read.header("set-cookie"), None, "{token}");
    }
    let foreign = sent_from(sign_out(&unknown), (Some("cross-site"), Some(FOREIGN)));
    let foreign = foreign.send().await;
    assert_refused(&foreign, 403, "cross_origin");
    assert_eq!(foreign.header("set-cookie"), None);

    let expired = app.sign_in_as(&user).await;
    app.clock().advance(Duration::from_secs(15 * 86_400));
    let reply = sign_out(&expired).same_origin().send().await;
    assert_refused(&reply, 401, "token_expired");
    assert_eq!(reply.header("set-cookie"), cleared);
    let reply = sign_out(&expired).bearer(&expired).send().await;
    assert_refused(&reply, 401, "token_expired");
    assert_eq!(reply.header("set-cookie"), None);
    for path in ["/v1/session", "/v1/projects", "/v1/verify"] {
        let reply = app.get(path).cookie(&expired).send().await;
        assert_refused(&reply, 401, "token_expired");
        assert_eq!(reply.header("set-cookie"), None, "{path}");
    }
}

#[actix_web::test]
async fn cookie_sessions_are_ordinary_sessions() {
    let (app, ..) = signed_in().await;
    let started = sign_in(&app).await;
    let token = token_in_cookie(&started);
    let by_cookie = app.get("/v1/session").cookie(&token).send().await;
    let by_bearer = app.get("/v1/session").bearer(&token).send().await;
    assert_eq!(
        (by_cookie.status, by_cookie.json()),
        (200, by_bearer.json())
    );
    assert_eq!(by_cookie.json()["session"], started.json()["session"]);
    let others = format!("theme=dark; cloakroom={token}; a=\"b\"");
    assert_eq!(
        app.get("/v1/session")
            .header("Cookie", &others)
            .send()
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn a_planted_cookie_is_not_adopted() {
    let (app, ..) = signed_in().await;
    let attacker = app.create_user("attacker@example.com", PASSWORD).await;
    let unknown = app.sign_in_as(&attacker).await;
    assert_eq!(
        app.delete("/v1/session")
            .bearer(&unknown)
            .send()
            .await
            .status,
        200
    );
    for planted in [
        app.sign_in_as(&attacker).await,
        unknown,
        "rubbish".to_owned(),
        String::new(),
    ] {
        let call = app
            .post("/v1/session")
            .same_origin()
            .cookie(&planted)
            .json(&credentials("cookie"));
        let reply = call.send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token = token_in_cookie(&reply);
        assert_ne!(token, planted);
        // The planted token is no longer valid for any session.
        assert_ne!(
            app.get("/v1/session").cookie(&planted).send().await.status,
            200
        );
        let shown = app.get("/v1/session").cookie(&token).send().await.json();
        assert_eq!(shown["user"]["email_address"], ONE);
    }
}

#[actix_web::test]
async fn a_sign_in_from_elsewhere_sets_no_cookie() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    app.create_user(ONE, PASSWORD).await;
    for origin in FOREIGNERS {
        let call = sent_from(app.post("/v1/session"), *origin).json(&credentials("cookie"));
        let reply = call.send().await;
        assert_refused(&reply, 403, "cross_origin");
        assert_eq!(reply.header("set-cookie"), None, "{origin:?}");
        let body = json!({ "email_address": "new@example.com", "password": PASSWORD, "transport": "cookie" });
        let reply = sent_from(app.post("/v1/registrations"), *origin)
            .json(&body)
            .send()
            .await;
        assert_refused(&reply, 403, "cross_origin");
        assert_eq!(reply.header("set-cookie"), None, "{origin:?}");
        // As a form, which a page can send without asking.
        let fields = [
            ("email_address", ONE),
            ("password", PASSWORD),
            ("transport", "cookie"),
        ];
        let reply = sent_from(app.post("/v1/session"), *origin)
            .form(&fields)
            .send()
            .await;
        assert_refused(&reply, 403, "cross_origin");
    }
    // Nothing was counted or started for them.
    for table in ["throttles", "sessions"] {
        assert_eq!(
            count_in(&app, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
}

#[actix_web::test]
async fn a_bearer_request_ignores_the_cookie() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    // A bearer that opens nothing is not made up for by the cookie.
    for bearer in ["rubbish", ""] {
        let reply = app
            .get("/v1/session")
            .bearer(bearer)
            .cookie(&token)
            .send()
            .await;
        assert_refused(&reply, 401, "token_invalid");
    }
    let two = app
        .get("/v1/session")
        .bearer(&other)
        .cookie(&token)
        .cookie(&token)
        .send()
        .await;
    assert_eq!(two.status, 200);
    let ended = app
        .delete("/v1/session")
        .bearer(&other)
        .cookie(&token)
        .send()
        .await;
    assert_eq!((ended.status, ended.header("set-cookie")), (200, None));
    assert!(session_is_valid(&app, &token).await && !session_is_valid(&app, &other).await);
    // A sign-in with a bearer leaves the session of the cookie alone.
    let call = app
        .post("/v1/session")
        .bearer(&token)
        .cookie(&token)
        .json(&credentials("bearer"));
    assert_handed_over(&call.send().await, "bearer");
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn only_sessions_are_accepted_in_cookies() {
    let (app, user, token) = signed_in().await;
    let two = app.create_user("two@example.com", PASSWORD).await;
    let (access, refresh) = pair(&app, &app.sign_in_as(&two).await, "projects:write").await;
    let key = api_key(&app, Some(&two), "projects:write").await;
    let post = || {
        let foreign = app
            .post("/v1/projects")
            .cookie(&token)
            .header("Sec-Fetch-Site", "cross-site");
        foreign.json(&json!({ "title": "Theirs" }))
    };
    for call in [
        post().bearer(&access),
        post().bearer(&key),
        post().header("X-API-Key", &key),
    ] {
        assert_eq!(call.send().await.status, 201);
    }
    let owned = |id: i64| {
        count_in(
            &app,
            &format!("SELECT count(*) FROM projects WHERE user_id = {id}"),
        )
    };
    assert_eq!((owned(user.id.0), owned(two.id.0)), (0, 3));
    assert_refused(
        &post().header("X-API-Key", &token).send().await,
        401,
        "invalid_api_key",
    );
    assert_refused(&post().bearer(&refresh).send().await, 401, "token_invalid");
    for credential in [&key, &access, &refresh] {
        let reply = app
            .get("/v1/user")
            .cookie(credential)
            .same_origin()
            .send()
            .await;
        assert_refused(&reply, 401, "token_invalid");
    }
}

#[actix_web::test]
async fn ambient_browser_headers_are_not_bearer_tokens() {
    let (app, _, token) = signed_in().await;
    // As behind a proxy that asks for a password of its own.
    let basic = |call: Call| {
        call.header("Authorization", "Basic b25lOnR3bw==")
            .cookie(&token)
    };
    assert_eq!(basic(app.get("/v1/session")).send().await.status, 200);
    assert_refused(
        &basic(app.delete("/v1/session")).send().await,
        403,
        "cross_origin",
    );
    let call = basic(app.post("/v1/session")).json(&credentials("bearer"));
    assert_refused(&call.send().await, 403, "cross_origin");
    assert_eq!(
        basic(app.delete("/v1/session"))
            .same_origin()
            .send()
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn duplicate_session_cookies_are_rejected() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    for second in [&token, &other, ""] {
        let one_line = format!("cloakroom={token}; cloakroom={second}");
        for (first, next) in [
            (one_line.as_str(), "a=b"),
            (
                &format!("cloakroom={token}"),
                &format!("cloakroom={second}"),
            ),
        ] {
            let carry = |call: Call| {
                call.header("Cookie", first)
                    .header("Cookie", next)
                    .same_origin()
            };
            assert_refused(
                &carry(app.get("/v1/session")).send().await,
                400,
                "invalid_request",
            );
            assert_refused(
                &carry(app.delete("/v1/session")).send().await,
                400,
                "invalid_request",
            );
            let reply = carry(app.post("/v1/session"))
                .json(&credentials("cookie"))
                .send()
                .await;
            assert_refused(&reply, 400, "invalid_request");
        }
    }
    assert!(session_is_valid(&app, &token).await && session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn a_new_sign_in_ends_the_session_of_the_cookie() {
    for transport in ["cookie", "bearer"] {
        let (app, user, other) = signed_in().await;
        let stranger = app.create_user("two@example.com", PASSWORD).await;
        for carried in [app.sign_in_as(&user).await, app.sign_in_as(&stranger).await] {
            let post = |password: &str| {
                let mut body = credentials(transport);
                body["password"] = json!(password);
                app.post("/v1/session")
                    .same_origin()
                    .cookie(&carried)
                    .json(&body)
            };
            assert_refused(&post("wrong").send().await, 401, "invalid_credentials");
            assert!(
                session_is_valid(&app, &carried).await,
                "a failure ends nothing"
            );
            let reply = post(PASSWORD).send().await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_handed_over(&reply, transport);
            assert!(
                !session_is_valid(&app, &carried).await && session_is_valid(&app, &other).await
            );
        }
    }
    let (app, _, carried) = signed_in().await;
    let body =
        json!({ "email_address": "new@example.com", "password": PASSWORD, "transport": "cookie" });
    let reply = app
        .post("/v1/registrations")
        .same_origin()
        .cookie(&carried)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(
        !session_is_valid(&app, &carried).await
            && session_is_valid(&app, &token_in_cookie(&reply)).await
    );
}

#[actix_web::test]
async fn concurrent_sign_ins_with_a_cookie_get_own_sessions() {
    let (app, _, carried) = signed_in().await;
    let replies = join_all((0..10).map(|_| {
        app.post("/v1/session")
            .same_origin()
            .cookie(&carried)
            .json(&credentials("cookie"))
            .send()
    }))
    .await;
    for reply in &replies {
        assert!(session_is_valid(&app, &token_in_cookie(reply)).await);
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 10);
}

#[actix_web::test]
async fn signing_out_clears_the_cookie() {
    let plain = "cloakroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
    let bound = "__Host-cloakroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure";
    for (app, expected) in [
        (TestApp::new().await, plain),
        (TestApp::with_settings(https).await, bound),
    ] {
        let user = app.create_user(ONE, PASSWORD).await;
        let token = app.sign_in_as(&user).await;
        let reply = app
            .delete("/v1/session")
            .cookie(&token)
            .same_origin()
            .send()
            .await;
        assert_eq!(
            (reply.status, reply.header("set-cookie")),
            (200, Some(expected))
        );
        assert!(!session_is_valid(&app, &token).await);
        let token = app.sign_in_as(&user).await;
        let reply = app.delete("/v1/session").bearer(&token).send().await;
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None));
    }
}

#[actix_web::test]
async fn rotating_sets_a_new_cookie() {
    for (app, name, secure) in [
        (TestApp::new().await, "cloakroom", ""),
        (
            TestApp::with_settings(https).await,
            "__Host-cloakroom",
            "; Secure",
        ),
    ] {
        let user = app.create_user(ONE, PASSWORD).await;
        let old = app.sign_in_as(&user).await;
        let rotate = || app.post("/v1/session/rotate").cookie(&old);
        assert_refused(&rotate().send().await, 403, "cross_origin");
        assert!(
            session_is_valid(&app, &old).await,
            "a refusal rotates nothing"
        );

        app.clock().advance(Duration::from_secs(60));
        let reply = rotate().same_origin().send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_handed_over(&reply, "cookie");
        let new = token_in_cookie(&reply);
        assert_ne!(new, old);
        let expected = format!("{name}={new}; Path=/; HttpOnly; SameSite=Lax{secure}");
        assert_eq!(reply.header("set-cookie"), Some(expected.as_str()));
        assert_refused(
            &app.get("/v1/session").cookie(&old).send().await,
            401,
            "token_invalid",
        );
        let shown = app.get("/v1/session").cookie(&new).send().await;
        assert_eq!(
            (shown.status, &shown.json()["session"]["id"]),
            (200, &reply.json()["session"]["id"])
        );

        // Whoever comes with a bearer token is handed the next one as they came, cookie or not.
        let reply = app
            .post("/v1/session/rotate")
            .bearer(&new)
            .cookie(&new)
            .send()
            .await;
        assert_handed_over(&reply, "bearer");
    }
}

#[actix_web::test]
async fn ending_the_current_session_clears_the_cookie() {
    let cleared = "cloakroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
    for (method, path, status) in [
        (Method::DELETE, "/v1/session", 200),
        (Method::DELETE, "/v1/sessions", 200),
        (Method::DELETE, "/v1/sessions/OWN", 204),
        (Method::DELETE, "/v1/user", 200),
    ] {
        let (app, user, other) = signed_in().await;
        let token = app.sign_in_as(&user).await;
        let shown = app.get("/v1/session").cookie(&token).send().await.json();
        let path = path.replace("OWN", &shown["session"]["id"].to_string());
        let body = json!({ "password_challenge": PASSWORD });
        let call = || app.call(method.clone(), &path).json(&body);

        assert_refused(&call().cookie(&token).send().await, 403, "cross_origin");
        let reply = call().cookie(&token).same_origin().send().await;
        assert_eq!(
            (reply.status, reply.header("set-cookie")),
            (status, Some(cleared)),
            "{path}"
        );
        assert_eq!(reply.headers.get_all("set-cookie").count(), 1, "{path}");
        assert_refused(
            &app.get("/v1/session").cookie(&token).send().await,
            401,
            "token_invalid",
        );

        // Who comes with a bearer token has no cookie of ours to forget.
        if session_is_valid(&app, &other).await {
            let reply = call().bearer(&other).cookie(&token).send().await;
            assert_eq!(reply.header("set-cookie"), None, "{path}");
        }
    }
}

#[actix_web::test]
async fn ending_other_sessions_leaves_the_cookie_alone() {
    let (app, user, other) = signed_in().await;
    let token = app.sign_in_as(&user).await;
    let id = app.get("/v1/session").bearer(&other).send().await.json()["session"]["id"].to_string();
    for (path, status) in [
        (format!("/v1/sessions/{id}"), 204),
        ("/v1/sessions?except=current".into(), 200),
    ] {
        let reply = app.delete(&path).cookie(&token).same_origin().send().await;
        assert_eq!(
            (reply.status, reply.header("set-cookie")),
            (status, None),
            "{path}"
        );
    }
    assert!(session_is_valid(&app, &token).await && !session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn other_rejections_clear_no_cookie() {
    let (app, user, token) = signed_in().await;
    let ended = app.sign_in_as(&user).await;
    assert_eq!(
        app.delete("/v1/session").bearer(&ended).send().await.status,
        200
    );
    // It may have got another token meanwhile, in another tab.
    let replies = [
        app.get("/v1/session").cookie(&ended).send().await,
        app.delete("/v1/sessions")
            .cookie(&ended)
            .same_origin()
            .send()
            .await,
        app.delete("/v1/session").cookie(&token).send().await,
        app.get("/v1/session").cookie("rubbish").send().await,
        app.post("/v1/session")
            .cookie(&token)
            .same_origin()
            .json(&json!({ "transport": "cookie" }))
            .send()
            .await,
    ];
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [401, 401, 403, 401, 401]);
    for reply in &replies {
        assert_eq!(reply.header("set-cookie"), None, "{}", reply.text());
    }
}

async fn note(user: CurrentUser, session: CurrentSession) -> HttpResponse {
    let by_cookie = session.carrier() == Carrier::Cookie;
    HttpResponse::Ok().json(json!({ "by": user.email_address.as_str(), "by_cookie": by_cookie }))
}

#[actix_web::test]
async fn an_embedders_own_post_is_guarded() {
    let app = TestApp::with(|config| {
        config.service(
            web::resource("/notes")
                .route(web::get().to(note))
                .route(web::post().to(note)),
        );
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let shown = |by_cookie: bool| (200, json!({ "by": ONE, "by_cookie": by_cookie }));
    for origin in FOREIGNERS {
        let get = sent_from(app.get("/notes"), *origin)
            .cookie(&token)
            .send()
            .await;
        match may_read(*origin) {
            true => assert_eq!((get.status, get.json()), shown(true)),
            false => assert_refused(&get, 403, "cross_origin"),
        }
        let post = sent_from(app.post("/notes"), *origin)
            .cookie(&token)
            .send()
            .await;
        assert_refused(&post, 403, "cross_origin");
        let post = sent_from(app.post("/notes"), *origin)
            .bearer(&token)
            .send()
            .await;
        assert_eq!((post.status, post.json()), shown(false));
    }
    let post = app.post("/notes").cookie(&token).same_origin().send().await;
    assert_eq!((post.status, post.json()), shown(true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever bytes stand in the headers, they are read or refused; and no cookie makes up for a bearer token.
    #[test]
    fn any_cookie_is_read_or_refused(
        bytes in prop::collection::vec(0x20_u8..=0xff, 0..30), name in "(cloakroom=|; ?cloakroom=|)", bearer in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&[name.as_bytes(), bytes.as_slice()].concat()) {
            headers.append(COOKIE, value);
        }
        if bearer {
            headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer rubbish"));
        }
        let read = presented(&headers, "cloakroom");
        if bearer {
            prop_assert!(matches!(read, Err(Error::TokenInvalid)));
        } else {
            prop_assert!(matches!(read, Ok(None) | Err(Error::TokenInvalid | Error::Malformed(_))));
        }
    }

    /// A token of ours is found wherever it stands among other cookies.
    #[test]
    fn a_cookie_is_found_among_others(
        before in "([a-z]{1,5}=[a-z\"]{0,5}; ){0,3}", after in "(; ?[a-z]{1,5}=[a-z\"]{0,5}){0,3}",
    ) {
        use cloakroom::crypto::token::{PlainToken, TokenKind};
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        let line = format!("{before}cloakroom={}{after}", token.reveal());
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_str(&line).unwrap());
        match presented(&headers, "cloakroom") {
            Ok(Some(Credential::Session { token: read, carrier: Carrier::Cookie })) => {
                prop_assert_eq!(read.digest(), token.digest());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
