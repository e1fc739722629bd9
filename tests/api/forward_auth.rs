//! `/v1/verify`: what a proxy learns about the caller.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::testing::{Call, Reply, TestApp};
use serde_json::json;

use crate::support::app::*;
use crate::support::credentials::*;

const HEADERS: [&str; 7] = [
    "x-user-id",
    "x-user-email",
    "x-user-email-confirmed",
    "x-user-claims",
    "x-credential",
    "x-session-id",
    "x-scopes",
];

/// The seven, in that order; `None` where one is missing, which an empty one is not.
fn said(reply: &Reply) -> [Option<String>; 7] {
    HEADERS.map(|name| {
        assert!(reply.headers.get_all(name).count() <= 1, "{name} twice");
        reply.header(name).map(str::to_owned)
    })
}

#[track_caller]
fn assert_verified(reply: &Reply, expected: [&str; 7]) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(said(reply), expected.map(|value| Some(value.to_owned())));
    assert_eq!(reply.json(), json!({ "message": "Verified" }));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("set-cookie"), None);
}

/// Asserts that a refusal reveals no user.
#[track_caller]
fn assert_kept_out(reply: &Reply, status: u16, code: &str) {
    assert_refused(reply, status, code);
    assert_eq!(said(reply), [const { None }; 7]);
    assert_eq!(reply.header("set-cookie"), None);
}

fn verify(app: &TestApp) -> Call {
    app.get("/v1/verify")
}

fn session_of(access_token: &str) -> String {
    let sid = claims(access_token)["sid"].clone();
    sid.as_str().unwrap().split('.').next().unwrap().to_owned()
}

#[actix_web::test]
async fn every_credential_reports_user_and_kind() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "projects:read").await;
    let (id, session) = (user.id.0.to_string(), session_of(&access));
    let key = api_key(&app, Some(&user), "orders:read orders:write").await;
    let service = api_key(&app, None, "introspect").await;

    let whole = [
        &*id,
        "",
        "false",
        "",
        "session",
        &*session,
        "projects:read projects:write user:read",
    ];
    assert_verified(&verify(&app).bearer(&token).send().await, whole);
    assert_verified(&verify(&app).cookie(&token).send().await, whole);
    let narrow = [&*id, "", "", "", "access_token", &*session, "projects:read"];
    assert_verified(&verify(&app).bearer(&access).send().await, narrow);
    let by_key = [&*id, "", "", "", "api_key", "", "orders:read orders:write"];
    assert_verified(&verify(&app).header("X-API-Key", &key).send().await, by_key);
    assert_verified(&verify(&app).bearer(&key).send().await, by_key);
    // A key without a user: all seven are there, since some proxies keep the client's own header in place of a missing one.
    let by_service = ["", "", "", "", "api_key", "", "introspect"];
    assert_verified(
        &verify(&app).header("X-API-Key", &service).send().await,
        by_service,
    );
    let without = api_key(&app, None, "").await;
    assert_verified(
        &verify(&app).header("X-API-Key", &without).send().await,
        ["", "", "", "", "api_key", "", ""],
    );
}

#[actix_web::test]
async fn identity_headers_of_the_client_are_ignored() {
    let (app, user, token) = signed_in().await;
    let service = api_key(&app, None, "").await;
    let spoof = |call: Call| {
        HEADERS.iter().fold(call, |call, name| {
            call.header(name, "1 admin:all").header(name, "2")
        })
    };
    let reply = spoof(verify(&app)).bearer(&token).send().await;
    assert_eq!(
        (reply.status, reply.header("x-user-id")),
        (200, Some(&*user.id.0.to_string()))
    );
    assert!(!format!("{:?}", reply.headers).contains("admin:all"));
    let reply = spoof(verify(&app))
        .header("X-API-Key", &service)
        .send()
        .await;
    assert_verified(&reply, ["", "", "", "", "api_key", "", ""]);
    assert_kept_out(&spoof(verify(&app)).send().await, 401, "unauthorized");
}

#[actix_web::test]
async fn every_method_gets_the_same_reply() {
    let (app, _, token) = signed_in().await;
    let expected = said(&verify(&app).bearer(&token).send().await);
    let made_up = Method::from_bytes(b"PROPFIND").unwrap();
    for method in [
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        made_up,
    ] {
        let reply = app
            .call(method.clone(), "/v1/verify")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(
            (reply.status, said(&reply)),
            (200, expected.clone()),
            "{method}"
        );
        assert_kept_out(
            &app.call(method, "/v1/verify").send().await,
            401,
            "unauthorized",
        );
    }
    let traced = app.call(Method::TRACE, "/v1/verify").bearer(&token);
    let traced = traced.send().await;
    assert_refused(&traced, 405, "method_not_allowed");
    let allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    assert_eq!(traced.header("allow"), Some(allowed));
    // The body is not read.
    let reply = app
        .post("/v1/verify")
        .bearer(&token)
        .body("text/plain", "a".repeat(100_000))
        .send()
        .await;
    assert_eq!(reply.status, 200);
}

#[actix_web::test]
async fn a_preflight_needs_a_credential_as_well() {
    let (app, _, token) = signed_in().await;
    let preflight = || {
        app.call(Method::OPTIONS, "/v1/verify")
            .header("Origin", "http://localhost:3001")
            .header("Access-Control-Request-Method", "GET")
    };
    assert_kept_out(&preflight().send().await, 401, "unauthorized");
    assert_eq!(preflight().bearer(&token).send().await.status, 200);
}

#[actix_web::test]
async fn invalid_credentials_are_rejected_without_details() {
    let (app, user, token) = signed_in().await;
    let (access, refresh) = pair(&app, &token, "projects:read").await;
    let soon = app.clock().now() + Duration::from_secs(60);
    let brief = api_key_until(&app, Some(&user), "orders:read", Some(soon)).await;
    let other = app.sign_in_as(&user).await;
    let (ended, _) = pair(&app, &other, "").await;
    assert_eq!(verify(&app).bearer(&ended).send().await.status, 200);
    assert_eq!(
        app.delete("/v1/session").bearer(&other).send().await.status,
        200
    );

    assert_kept_out(&verify(&app).send().await, 401, "unauthorized");
    assert_kept_out(
        &verify(&app).bearer(&other).send().await,
        401,
        "token_invalid",
    );
    assert_kept_out(
        &verify(&app).bearer(&ended).send().await,
        401,
        "token_invalid",
    );
    assert_kept_out(
        &verify(&app).bearer(&refresh).send().await,
        401,
        "token_invalid",
    );
    assert_kept_out(
        &verify(&app).header("X-API-Key", &token).send().await,
        401,
        "invalid_api_key",
    );
    let two = verify(&app)
        .bearer(&token)
        .header("X-API-Key", &brief)
        .send()
        .await;
    assert_kept_out(&two, 400, "invalid_request");
    // A credential in the query is none.
    let path = format!("/v1/verify?access_token={access}&token={token}&api_key={brief}");
    assert_kept_out(&app.get(&path).send().await, 401, "unauthorized");
    assert_kept_out(
        &app.get(&path).bearer(&token).send().await,
        400,
        "invalid_request",
    );

    app.clock().advance(Duration::from_secs(60));
    assert_kept_out(
        &verify(&app).bearer(&brief).send().await,
        401,
        "invalid_api_key",
    );
    app.clock().advance(Duration::from_secs(14 * 60));
    assert_kept_out(
        &verify(&app).bearer(&access).send().await,
        401,
        "token_expired",
    );
    app.clock().advance(14 * Duration::from_secs(24 * 3600));
    assert_kept_out(
        &verify(&app).bearer(&token).send().await,
        401,
        "token_expired",
    );
}

#[actix_web::test]
async fn disabled_users_are_rejected_with_any_credential() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    let key = api_key(&app, Some(&user), "orders:read").await;
    disable(&app, &user).await;
    assert_kept_out(
        &verify(&app).bearer(&token).send().await,
        401,
        "token_invalid",
    );
    assert_kept_out(
        &verify(&app).bearer(&access).send().await,
        401,
        "token_invalid",
    );
    assert_kept_out(
        &verify(&app).bearer(&key).send().await,
        401,
        "invalid_api_key",
    );
}

#[actix_web::test]
async fn the_reply_reports_email_verification() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    let key = api_key(&app, Some(&user), "user:read").await;
    for (address, proved) in [("", "false"), (ONE, "true")] {
        for credential in [&token, &access, &key] {
            let reply = verify(&app).bearer(credential).send().await;
            assert_eq!(reply.header("x-user-email"), Some(address));
            assert_eq!(reply.header("x-user-email-confirmed"), Some(proved));
        }
        execute_sql(
            &app,
            &format!(
                "UPDATE users SET email_confirmed_at = 1 WHERE id = {}",
                user.id.0
            ),
        );
        app.clock().advance(Duration::from_millis(1050));
    }
}

#[actix_web::test]
async fn unverified_addresses_are_reported_if_configured() {
    let app = TestApp::with_settings(|settings| settings.tokens.show_unverified_email = true).await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let reply = verify(&app).bearer(&token).send().await;
    assert_eq!(reply.header("x-user-email"), Some(ONE));
    assert_eq!(reply.header("x-user-email-confirmed"), Some("false"));
    let key = api_key(&app, None, "introspect").await;
    let body = json!({ "token": token });
    let described = app.post("/v1/introspect").bearer(&key).json(&body).send();
    assert_eq!(described.await.json()["username"], ONE);
}

#[actix_web::test]
async fn an_access_tokens_address_is_at_most_a_second_old() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = 1");
    let address = async || {
        verify(&app)
            .bearer(&access)
            .send()
            .await
            .header("x-user-email")
            .map(str::to_owned)
    };
    assert_eq!(address().await.as_deref(), Some(ONE));
    execute_sql(
        &app,
        &format!(
            "UPDATE users SET email_address = 'new@example.com' WHERE id = {}",
            user.id.0
        ),
    );
    app.clock().advance(Duration::from_millis(1050));
    assert_eq!(address().await.as_deref(), Some("new@example.com"));
}

#[actix_web::test]
async fn every_word_of_a_required_scope_is_required() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "projects:read projects:write").await;
    let key = api_key(
        &app,
        Some(&user),
        "orders:read projects:read projects:write",
    )
    .await;
    for path in [
        "/v1/verify?scope=projects:read",
        "/v1/verify?scope=projects:write+projects:read",
        "/v1/verify?scope=projects%3Aread%20projects%3Awrite",
    ] {
        for credential in [&token, &access, &key] {
            assert_eq!(
                app.get(path).bearer(credential).send().await.status,
                200,
                "{path}"
            );
        }
    }
    for (credential, demanded) in [
        (&token, "orders:read"),
        (&token, "projects:read admin:all"),
        (&token, "introspect"),
        (&access, "orders:read"),
        (&access, "projects:read orders:read"),
        (&key, "orders:read orders:write"),
        (&key, "orders:rea"),
        (&key, "introspect"),
    ] {
        let path = format!("/v1/verify?scope={}", demanded.replace(' ', "+"));
        let reply = app.get(&path).bearer(credential).send().await;
        assert_kept_out(&reply, 403, "insufficient_scope");
        let challenge =
            format!(r#"Bearer realm="cloakroom", error="insufficient_scope", scope="{demanded}""#);
        assert_eq!(reply.header("www-authenticate"), Some(&*challenge));
    }
    // Without a credential the reply demands one, not scopes.
    assert_kept_out(
        &app.get("/v1/verify?scope=orders:read").send().await,
        401,
        "unauthorized",
    );
}

#[actix_web::test]
async fn an_invalid_required_scope_is_rejected_without_echo() {
    let (app, user, token) = signed_in().await;
    let key = api_key(&app, Some(&user), "projects:read").await;
    for query in [
        "scope=",
        "scope",
        "scope=+",
        "scope=projects:read+",
        "scope=projects:read,projects:write",
        "scope=Projects:read",
        "scope=projects:*",
        "scope=evil",
        "scope=a:b%0d%0aX-User-Id:%201",
        "scope=a:b%22,%20x=%22",
        "scope=%ff",
        "scope=projects:read&scope=admin:all",
        "scopes=projects:read",
        "Scope=projects:read",
        "required_scope=evil:read",
        "scope=projects:read&other=1",
        "evil",
        "=projects:read",
    ] {
        for credential in [&token, &key] {
            let reply = app
                .get(&format!("/v1/verify?{query}"))
                .bearer(credential)
                .send()
                .await;
            assert_kept_out(&reply, 400, "invalid_request");
            for word in ["evil", "admin", "x=", "Projects", "X-User-Id"] {
                assert!(!reply.text().contains(word), "{query}: {}", reply.text());
            }
            assert_eq!(reply.header("www-authenticate"), None, "{query}");
        }
    }
}

#[actix_web::test]
async fn unsafe_forwarded_methods_need_the_same_origin() {
    let (app, _, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    let told = |method: &str| verify(&app).header("X-Forwarded-Method", method);
    for method in [
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "post",
        "PROPFIND",
        "",
        "GET, POST",
    ] {
        assert_kept_out(
            &told(method).cookie(&token).send().await,
            403,
            "cross_origin",
        );
        let cross = told(method)
            .cookie(&token)
            .header("Sec-Fetch-Site", "cross-site");
        assert_kept_out(&cross.send().await, 403, "cross_origin");
        let foreign = told(method)
            .cookie(&token)
            .header("Origin", "https://evil.example");
        assert_kept_out(&foreign.send().await, 403, "cross_origin");
        assert_eq!(
            told(method)
                .cookie(&token)
                .same_origin()
                .send()
                .await
                .status,
            200,
            "{method}"
        );
        let own = told(method)
            .cookie(&token)
            .header("Origin", "http://localhost:3000");
        assert_eq!(own.send().await.status, 200, "{method}");
        // No page of another origin can add one of these.
        assert_eq!(
            told(method).bearer(&token).send().await.status,
            200,
            "{method}"
        );
        assert_eq!(
            told(method).bearer(&access).send().await.status,
            200,
            "{method}"
        );
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!(
            told(method).cookie(&token).send().await.status,
            200,
            "{method}"
        );
    }
    // A second line cannot make a method harmless that the proxy calls by its name.
    let both = told("POST")
        .header("X-Forwarded-Method", "GET")
        .cookie(&token);
    assert_kept_out(&both.send().await, 403, "cross_origin");
    // A proxy that sends the request's own method needs no header for it.
    assert_kept_out(
        &app.post("/v1/verify").cookie(&token).send().await,
        403,
        "cross_origin",
    );
    let told_harmless = app
        .post("/v1/verify")
        .header("X-Forwarded-Method", "GET")
        .cookie(&token);
    assert_kept_out(&told_harmless.send().await, 403, "cross_origin");
}

#[actix_web::test]
async fn stored_values_cannot_inject_headers() {
    for bad in [
        "one@example.com\r\nX-User-Id: 1",
        "one\n@example.com",
        "öne@example.com",
        "one\t@example.com",
        "\u{7f}",
    ] {
        let (app, user, token) = signed_in().await;
        let (access, _) = pair(&app, &token, "").await;
        let key = api_key(&app, Some(&user), "user:read").await;
        let sql = format!(
            "UPDATE users SET email_address = '{bad}', email_confirmed_at = 1 WHERE id = {}",
            user.id.0
        );
        execute_sql(&app, &sql);
        for credential in [&token, &access, &key] {
            assert_kept_out(
                &verify(&app).bearer(credential).send().await,
                500,
                "internal_error",
            );
        }
        let service = api_key(&app, None, "orders:read").await;
        execute_sql(
            &app,
            &format!("UPDATE api_keys SET scopes = 'orders:read {bad}' WHERE user_id IS NULL"),
        );
        assert_kept_out(
            &verify(&app).bearer(&service).send().await,
            500,
            "internal_error",
        );
    }
}

#[actix_web::test]
async fn forward_auth_records_use_of_session_and_key() {
    let (app, user, token) = signed_in().await;
    let key = api_key(&app, Some(&user), "").await;
    let later = app.clock().now() + Duration::from_secs(90);
    app.clock().set(later);
    verify(&app).bearer(&token).send().await;
    verify(&app).bearer(&key).send().await;
    app.context()
        .activity
        .flush(&app.context().database)
        .await
        .unwrap();
    for sql in [
        "SELECT max(last_active_at) FROM sessions",
        "SELECT max(last_used_at) FROM api_keys",
    ] {
        assert_eq!(count_in(&app, sql), later.as_millis(), "{sql}");
    }
}
