//! Browsers from other origins.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use cloakroom::testing::{Call, Reply, TestApp};
use serde_json::json;

use crate::support::app::{assert_refused, signed_in};
use crate::support::credentials::api_key;
use crate::support::flows::Flows;

const OURS: &str = "http://localhost:3001";

fn preflight(app: &TestApp, path: &str, origin: &str, method: &str, headers: &str) -> Call {
    let call = app.call(Method::OPTIONS, path).header("Origin", origin);
    let call = call.header("Access-Control-Request-Method", method);
    if headers.is_empty() {
        call
    } else {
        call.header("Access-Control-Request-Headers", headers)
    }
}

fn list(reply: &Reply, header: &str) -> Vec<String> {
    let mut names: Vec<String> = reply
        .header(header)
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn assert_shared(reply: &Reply, origin: &str) {
    assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    assert_eq!(
        list(reply, "access-control-expose-headers"),
        [
            "location",
            "retry-after",
            "www-authenticate",
            "x-request-id"
        ]
    );
    assert!(list(reply, "vary").contains(&"origin".to_owned()));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}

#[track_caller]
fn assert_not_shared(reply: &Reply) {
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}

#[actix_web::test]
async fn preflights_need_no_credential() {
    let app = TestApp::new().await;
    for origin in [OURS, "http://127.0.0.1:3001"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
            let reply = preflight(
                &app,
                "/v1/projects/1",
                origin,
                method,
                "authorization, content-type, x-api-key, traceparent, x-requested-with",
            )
            .send()
            .await;
            assert_eq!((reply.status, reply.text()), (200, ""));
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(
                list(&reply, "access-control-allow-methods"),
                ["delete", "get", "head", "patch", "post", "put"]
            );
            assert_eq!(
                list(&reply, "access-control-allow-headers"),
                [
                    "accept",
                    "authorization",
                    "content-type",
                    "traceparent",
                    "tracestate",
                    "x-api-key",
                    "x-request-id",
                    "x-requested-with"
                ]
            );
            assert_eq!(reply.header("access-control-max-age"), Some("7200"));
            assert!(list(&reply, "vary").contains(&"origin".to_owned()));
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            assert!(reply.header("x-request-id").is_some());
        }
    }
}

#[actix_web::test]
async fn disallowed_preflights_get_a_documented_error() {
    let app = TestApp::new().await;
    let (origins, headers, method) = ("cors.origins", "cors.request_headers", "method");
    for (origin, requested, names, reason) in [
        ("http://localhost:3002", "GET", "", origins),
        ("https://localhost:3001", "GET", "", origins),
        ("http://localhost:3001.evil.example", "GET", "", origins),
        ("http://evil.example", "GET", "authorization", origins),
        ("null", "GET", "", origins),
        (OURS, "TRACE", "", method),
        (OURS, "GET", "x-evil", headers),
    ] {
        let (method, headers) = (requested, names);
        let reply = preflight(&app, "/v1/projects", origin, method, headers)
            .send()
            .await;
        assert_refused(&reply, 400, "invalid_request");
        assert!(reply.text().contains(reason), "{}", reply.text());
        assert_not_shared(&reply);
    }
}

#[actix_web::test]
async fn replies_are_shared_only_with_listed_origins() {
    let (app, _, token) = signed_in().await;
    let ask = async |origin: &str| {
        app.get("/v1/session")
            .bearer(&token)
            .header("Origin", origin)
            .send()
            .await
    };
    for origin in [OURS, "http://127.0.0.1:3001"] {
        assert_shared(&ask(origin).await, origin);
    }
    for origin in [
        "http://localhost",
        "http://LOCALHOST:3001",
        "http://localhost:3001/",
        "https://evil.example",
        "null",
        "*",
    ] {
        let reply = ask(origin).await;
        assert_not_shared(&reply);
        assert!(
            list(&reply, "vary").contains(&"origin".to_owned()),
            "{origin}"
        );
    }
    let without = app.get("/v1/session").bearer(&token).send().await;
    assert_not_shared(&without);
    assert!(list(&without, "vary").contains(&"origin".to_owned()));
}

#[actix_web::test]
async fn failures_are_shared_as_well() {
    let app = TestApp::with(|config| {
        config.route(
            "/panicking",
            web::get().to(async || -> HttpResponse { panic!("on purpose") }),
        );
    })
    .await;
    for (path, status) in [("/v1/session", 401), ("/nowhere", 404), ("/panicking", 500)] {
        let reply = app.get(path).header("Origin", OURS).send().await;
        assert_eq!(reply.status, status);
        assert_shared(&reply, OURS);
    }
    let post = |body| {
        app.post("/v1/registrations")
            .header("Origin", OURS)
            .body("application/json", body)
    };
    for (body, status) in [("{}", 422), ("{", 400)] {
        let reply = post(body).send().await;
        assert_eq!(reply.status, status);
        assert_shared(&reply, OURS);
    }
    let reply = app
        .put("/v1/registrations")
        .header("Origin", OURS)
        .send()
        .await;
    assert_eq!(reply.status, 405);
    assert_shared(&reply, OURS);
}

#[actix_web::test]
async fn authentication_headers_and_jwks_are_exposed() {
    let (app, user, _) = signed_in().await;
    let key = api_key(&app, Some(&user), "other:thing").await;
    let reply = app
        .get("/v1/projects")
        .header("X-API-Key", &key)
        .header("Origin", OURS)
        .send()
        .await;
    assert_refused(&reply, 403, "insufficient_scope");
    assert_shared(&reply, OURS);
    let keys = app
        .get("/.well-known/jwks.json")
        .header("Origin", OURS)
        .send()
        .await;
    assert_eq!(keys.status, 200);
    assert_shared(&keys, OURS);
}

#[actix_web::test]
async fn a_throttled_reply_is_shared_as_well() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.sign_in.count = 1;
    })
    .await;
    app.sign_in("one@example.com", "wrong").await;
    let call = app.post("/v1/session").header("Origin", OURS);
    let reply = call
        .json(&json!({ "email_address": "one@example.com" }))
        .send()
        .await;
    assert_refused(&reply, 429, "rate_limited");
    assert_shared(&reply, OURS);
}

#[actix_web::test]
async fn the_settings_decide_on_origins_credentials_and_age() {
    let app = TestApp::with_settings(|settings| {
        settings.cors.origins = vec!["https://app.example.com".to_owned()];
        settings.cors.credentials = true;
        settings.cors.max_age = Duration::from_secs(60);
    })
    .await;
    let reply = preflight(&app, "/v1/session", "https://app.example.com", "GET", "")
        .send()
        .await;
    assert_eq!(
        reply.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(reply.header("access-control-max-age"), Some("60"));
    assert_refused(
        &preflight(&app, "/v1/session", OURS, "GET", "").send().await,
        400,
        "invalid_request",
    );
}

#[actix_web::test]
async fn apps_subdomains_and_headers_can_be_listed() {
    let app = TestApp::with_settings(|settings| {
        settings.cors.origins = ["https://*.example.com", "capacitor://localhost"]
            .map(str::to_owned)
            .to_vec();
        settings.cors.request_headers = vec!["Baggage".to_owned()];
    })
    .await;
    for origin in ["https://app.example.com", "capacitor://localhost"] {
        let reply = preflight(&app, "/v1/session", origin, "POST", "baggage")
            .send()
            .await;
        assert_eq!(reply.status, 200, "{origin}: {}", reply.text());
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["https://example.com", "https://evil.example"] {
        let reply = preflight(&app, "/v1/session", origin, "POST", "")
            .send()
            .await;
        assert_refused(&reply, 400, "invalid_request");
    }
}

#[actix_web::test]
async fn wildcard_lists_exclude_credentials() {
    let any = TestApp::with_settings(|settings| settings.cors.origins = vec!["*".to_owned()]).await;
    let reply = any
        .get("/up")
        .header("Origin", "https://anywhere.example")
        .send()
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("access-control-allow-credentials"), None);

    let none = TestApp::with_settings(|settings| settings.cors.origins.clear()).await;
    let reply = none.get("/up").header("Origin", OURS).send().await;
    assert_eq!(reply.status, 200);
    assert_not_shared(&reply);
    assert_eq!(
        preflight(&none, "/v1/session", OURS, "GET", "")
            .send()
            .await
            .status,
        400
    );
}
