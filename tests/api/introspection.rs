//! `POST /v1/introspect` against RFC 7662, by its sections.

use std::time::Duration;

use actix_web::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::User;
use cloakroom::testing::{Reply, START, TestApp};
use serde_json::{Value, json};

use crate::support::app::*;
use crate::support::credentials::*;

const NOW: i64 = START.as_millis() / 1000;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn introspect(app: &TestApp, key: &str, token: &str) -> Reply {
    app.post("/v1/introspect")
        .header("X-API-Key", key)
        .form(&[("token", token)])
        .send()
        .await
}

/// The reply to a service's key.
async fn ask(app: &TestApp, key: &str, token: &str) -> Value {
    let reply = introspect(app, key, token).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()
}

async fn service(app: &TestApp) -> String {
    api_key(app, None, "introspect").await
}

#[actix_web::test]
async fn rfc_7662_2_1_only_a_key_with_the_scope_may_introspect() {
    let (app, user, token) = signed_in().await;
    let (access, refresh) = pair(&app, &token, "").await;
    let ask = |credential: &str| {
        app.post("/v1/introspect")
            .bearer(credential)
            .json(&json!({ "token": token }))
            .send()
    };
    let nobody = app
        .post("/v1/introspect")
        .json(&json!({ "token": token }))
        .send()
        .await;
    assert_refused(&nobody, 401, "unauthorized");
    assert_refused(&ask(&token).await, 403, "forbidden");
    assert_refused(&ask(&access).await, 403, "forbidden");
    assert_refused(&ask(&refresh).await, 401, "token_invalid");
    let narrow = ask(&api_key(&app, Some(&user), "projects:read orders:introspect").await).await;
    assert_refused(&narrow, 403, "insufficient_scope");
    let challenge = r#"Bearer realm="cloakroom", error="insufficient_scope", scope="introspect""#;
    assert_eq!(narrow.header("www-authenticate"), Some(challenge));
    let key = service(&app).await;
    assert_eq!(ask(&key).await.json()["active"], true);
    assert_eq!(introspect(&app, &key, &token).await.json()["active"], true);
    let by_get = app
        .call(Method::GET, &format!("/v1/introspect?token={token}"))
        .bearer(&key)
        .send()
        .await;
    assert_refused(&by_get, 405, "method_not_allowed");
    // The key in the body, as a client's secret, is no credential here.
    let fields = [("token", &*token), ("client_secret", &*key)];
    assert_refused(
        &app.post("/v1/introspect").form(&fields).send().await,
        401,
        "unauthorized",
    );
}

#[actix_web::test]
async fn rfc_7662_2_1_a_key_may_come_by_http_basic() {
    let (app, user, token) = signed_in().await;
    let key = service(&app).await;
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
    let ask = |line: &str| {
        let call = app.post("/v1/introspect").header("Authorization", line);
        call.form(&[("token", &token)]).send()
    };
    for line in [
        basic(&format!("{key}:")),
        basic(&format!("reports:{key}")),
        basic(&format!(":{key}")).replace("Basic", "bASIC"),
    ] {
        let reply = ask(&line).await;
        assert_eq!((reply.status, &reply.json()["active"]), (200, &json!(true)));
    }
    let bearer = r#"Bearer realm="cloakroom""#;
    let invalid = format!(r#"{bearer}, error="invalid_token""#);
    for (pair, code, challenge) in [
        ("one:two".to_owned(), "unauthorized", bearer),
        (key.to_string(), "unauthorized", bearer),
        (format!("{token}:"), "unauthorized", bearer),
        (format!("{key}x:"), "invalid_api_key", &*invalid),
        ("crk_:".to_owned(), "invalid_api_key", &*invalid),
    ] {
        let reply = ask(&basic(&pair)).await;
        assert_refused(&reply, 401, code);
        let challenges = reply.headers.get_all("www-authenticate");
        let challenges: Vec<_> = challenges.map(|line| line.to_str().unwrap()).collect();
        assert_eq!(
            challenges,
            [challenge, r#"Basic realm="cloakroom""#],
            "{pair}"
        );
    }
    let narrow = api_key(&app, Some(&user), "projects:read").await;
    let narrow = ask(&basic(&format!("{narrow}:"))).await;
    assert_refused(&narrow, 403, "insufficient_scope");
    let twice = app.post("/v1/introspect").header("X-API-Key", &key);
    let twice = twice.header("Authorization", &basic(&format!("{key}:")));
    let twice = twice.form(&[("token", &token)]).send().await;
    assert_refused(&twice, 400, "invalid_request");
}

#[actix_web::test]
async fn other_routes_ignore_http_basic() {
    let (app, user, _) = signed_in().await;
    let key = api_key(&app, Some(&user), "projects:read").await;
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{key}:")));
    for path in ["/v1/projects", "/v1/user", "/v1/verify"] {
        let reply = app.get(path).header("Authorization", &basic).send().await;
        assert_refused(&reply, 401, "unauthorized");
        let challenges = reply.headers.get_all("www-authenticate");
        assert_eq!(challenges.count(), 1, "{path}");
    }
}

#[actix_web::test]
async fn rfc_7662_2_1_forms_and_json_are_read_and_hints_optional() {
    let (app, _, token) = signed_in().await;
    let key = service(&app).await;
    let expected = ask(&app, &key, &token).await;
    assert_eq!(expected["active"], true);
    for hint in ["access_token", "refresh_token", "no_such_kind", ""] {
        let call = || app.post("/v1/introspect").bearer(&key);
        let form = call()
            .form(&[("token", &token), ("token_type_hint", hint), ("other", "1")])
            .send()
            .await;
        assert_eq!(form.json(), expected, "{hint}");
        let json = call()
            .json(&json!({ "token": token, "token_type_hint": hint, "other": 1 }))
            .send()
            .await;
        assert_eq!(json.json(), expected, "{hint}");
    }
}

#[actix_web::test]
async fn rfc_7662_2_2_each_kind_is_active_and_described() {
    let (app, user, token) = signed_in().await;
    let key = service(&app).await;
    let (access, refresh) = pair(&app, &token, "projects:read").await;
    let owned = api_key_until(&app, Some(&user), "orders:read", Some(START + DAY)).await;
    let (sub, jti) = (user.id.0.to_string(), claims(&access)["jti"].clone());
    let sid = claims(&access)["sid"].clone();

    assert_eq!(
        ask(&app, &key, &token).await,
        json!({
            "active": true, "token_type": "Bearer", "credential": "session",
            "scope": "projects:read projects:write user:read", "sub": sub, "metadata": {}, "email_verified": false, "sid": sid,
            "iat": NOW, "exp": NOW + 14 * 24 * 3600, "amr": ["pwd"], "auth_time": NOW,
        })
    );
    assert_eq!(
        ask(&app, &key, &access).await,
        json!({
            "active": true, "token_type": "Bearer", "credential": "access_token", "scope": "projects:read",
            "sub": sub, "metadata": {}, "email_verified": false, "sid": sid, "iss": "http://localhost:3000",
            "aud": "http://localhost:3000", "iat": NOW, "nbf": NOW, "exp": NOW + 900, "jti": jti,
            "amr": ["pwd"], "auth_time": NOW,
        })
    );
    assert_eq!(
        ask(&app, &key, &refresh).await,
        json!({
            "active": true, "credential": "refresh_token", "scope": "projects:read", "sub": sub,
            "metadata": {}, "email_verified": false, "sid": sid, "exp": NOW + 14 * 24 * 3600,
            "amr": ["pwd"], "auth_time": NOW,
        })
    );
    assert_eq!(
        ask(&app, &key, &owned).await,
        json!({
            "active": true, "credential": "api_key", "scope": "orders:read", "sub": sub, "metadata": {}, "email_verified": false,
            "iat": NOW, "exp": NOW + 24 * 3600,
        })
    );
    // Its own, which belongs to no user and does not expire.
    assert_eq!(
        ask(&app, &key, &key).await,
        json!({ "active": true, "credential": "api_key", "scope": "introspect", "iat": NOW })
    );
}

#[actix_web::test]
async fn exp_of_a_session_follows_activity_up_to_its_expiry() {
    let (app, _, token) = signed_in().await;
    let key = service(&app).await;
    let end = async || ask(&app, &key, &token).await["exp"].as_i64().unwrap();
    for (day, expected) in [(10, 24), (20, 30), (29, 30)] {
        app.clock().set(START + day * DAY);
        assert!(session_is_valid(&app, &token).await);
        assert_eq!(end().await, NOW + expected * 24 * 3600, "on day {day}");
    }
}

/// Somebody with a token of each kind: a session's, an access token, a refresh token and a key.
async fn each_kind(app: &TestApp, email_address: &str) -> (User, [String; 4]) {
    let user = app.create_user(email_address, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let (access, refresh) = pair(app, &session, "").await;
    let key = api_key_until(
        app,
        Some(&user),
        "introspect user:read",
        Some(app.clock().now() + 20 * DAY),
    )
    .await;
    (user, [session, access, refresh, key])
}

#[actix_web::test]
async fn rfc_7662_2_2_inactive_tokens_reveal_nothing_else() {
    let app = TestApp::new().await;
    let key = service(&app).await;
    let mut dead: Vec<(&str, String)> = Vec::new();

    let (_, [session, access, refresh, own]) = each_kind(&app, "one@example.com").await;
    for (what, token) in [("typo", &session), ("typo", &refresh), ("typo", &own)] {
        let last = if token.ends_with('2') { '3' } else { '2' };
        dead.push((what, format!("{}{last}", &token[..token.len() - 1])));
    }
    let (signed, signature) = access.rsplit_once('.').unwrap();
    dead.push((
        "another's signature",
        format!("{signed}.{}", signature.chars().rev().collect::<String>()),
    ));
    dead.push(("four parts", format!("{access}.{signature}")));
    for kind in [TokenKind::Session, TokenKind::ApiKey, TokenKind::Refresh] {
        dead.push((
            "unknown",
            PlainToken::generate(kind).unwrap().reveal().to_owned(),
        ));
    }
    for rubbish in [
        "rubbish", "a.b.c", "..", "crs_", " ", "\u{e9}", "null", "Bearer x",
    ] {
        dead.push(("rubbish", format!("x{rubbish}")));
    }
    dead.push(("long", "a".repeat(60_000)));
    dead.push(("long", format!("{}.b.c", "a".repeat(60_000))));
    dead.push(("with white space inside", session.replacen('_', "_ ", 1)));
    dead.push(("reset link", reset_token(&app, "one@example.com").await));
    for token in [&session, &access, &refresh, &own] {
        assert_eq!(ask(&app, &key, token).await["active"], true);
    }

    let refreshed = app
        .post("/v1/tokens/refresh")
        .json(&json!({ "refresh_token": refresh }))
        .send()
        .await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    dead.push(("spent", refresh));

    let (_, [session, access, refresh, _]) = each_kind(&app, "two@example.com").await;
    assert_eq!(
        app.delete("/v1/session")
            .bearer(&session)
            .send()
            .await
            .status,
        200
    );
    dead.extend([session, access, refresh].map(|token| ("ended", token)));

    let (user, tokens) = each_kind(&app, "three@example.com").await;
    disable(&app, &user).await;
    dead.extend(tokens.map(|token| ("disabled", token)));

    let (user, tokens) = each_kind(&app, "four@example.com").await;
    delete(&app, &user).await;
    dead.extend(tokens.map(|token| ("deleted", token)));

    let (_, [_, access, _, own]) = each_kind(&app, "five@example.com").await;
    for token in [access, own] {
        let revoked = app
            .post("/v1/tokens/revoke")
            .form(&[("token", &token)])
            .send()
            .await;
        assert_eq!(revoked.status, 200, "{}", revoked.text());
        dead.push(("revoked", token));
    }

    for (what, token) in &dead {
        let reply = introspect(&app, &key, token).await;
        assert_eq!(
            (reply.status, reply.text()),
            (200, r#"{"active":false}"#),
            "{what}: {token:.50}"
        );
    }

    // And by time: each is active to the last moment.
    let (_, [session, access, refresh, own]) = each_kind(&app, "six@example.com").await;
    let from = app.clock().now();
    for (token, end) in [
        (access, 15 * MINUTE),
        (session, 14 * DAY),
        (refresh, 14 * DAY),
        (own, 20 * DAY),
    ] {
        app.clock().set(from + end - Duration::from_millis(1));
        assert_eq!(ask(&app, &key, &token).await["active"], true, "{token:.8}");
        app.clock().set(from + end);
        assert_eq!(
            introspect(&app, &key, &token).await.text(),
            r#"{"active":false}"#,
            "{token:.8}"
        );
    }
}

#[actix_web::test]
async fn rfc_7662_2_3_only_a_missing_token_is_an_error() {
    let app = TestApp::new().await;
    let key = service(&app).await;
    let ask = |body: Value| app.post("/v1/introspect").bearer(&key).json(&body).send();
    for body in [
        json!({}),
        json!({ "token": null }),
        json!({ "token": "" }),
        json!({ "token": "  " }),
        json!({ "access_token": "x" }),
    ] {
        assert_refused(&ask(body).await, 400, "invalid_request");
    }
    assert_refused(
        &app.post("/v1/introspect").bearer(&key).send().await,
        400,
        "invalid_request",
    );
    for token in not_text() {
        assert_faults(
            &ask(json!({ "token": token })).await,
            &[("token", "is invalid")],
        );
        let hint = ask(json!({ "token": "x", "token_type_hint": token })).await;
        assert_faults(&hint, &[("token_type_hint", "is invalid")]);
    }
    assert_eq!(
        ask(json!({ "token": "x" })).await.json(),
        json!({ "active": false })
    );
    // The key itself is what fails: then it is no answer about the token.
    let dead = PlainToken::generate(TokenKind::ApiKey).unwrap();
    let refused = introspect(&app, dead.reveal(), "x").await;
    assert_refused(&refused, 401, "invalid_api_key");
    let challenge = r#"Bearer realm="cloakroom", error="invalid_token""#;
    assert_eq!(refused.header("www-authenticate"), Some(challenge));
}

#[actix_web::test]
async fn rfc_7662_4_introspection_spends_and_records_nothing() {
    let (app, user, token) = signed_in().await;
    let key = service(&app).await;
    let (_, spent) = pair(&app, &token, "").await;
    let owned = api_key(&app, Some(&user), "orders:read").await;
    let refresh = |token: &str| {
        app.post("/v1/tokens/refresh")
            .json(&json!({ "refresh_token": token }))
            .send()
    };
    let (access, successor) = pair_in(&refresh(&spent).await.json());

    // Long after the seconds in which it returns its successor again; now using it would end the session.
    app.clock().advance(5 * MINUTE);
    for token in [&token, &owned, &access, &successor, &spent, &spent] {
        ask(&app, &key, token).await;
    }
    app.context()
        .activity
        .flush(&app.context().database)
        .await
        .unwrap();
    let used_at = "SELECT max(last_active_at) FROM sessions";
    assert_eq!(count_in(&app, used_at), START.as_millis());
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL"
        ),
        1,
        "the asker's"
    );
    assert_eq!(ask(&app, &key, &spent).await, json!({ "active": false }));
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(app.mails().await.len(), 0);
    assert_eq!(refresh(&successor).await.status, 200);
}

#[actix_web::test]
async fn only_service_keys_introspect_other_users_tokens() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let (_, ones) = each_kind(&app, "one@example.com").await;
    let (_, twos) = each_kind(&app, "two@example.com").await;
    for (asker, own, others) in [(&ones[3], &ones, &twos), (&twos[3], &twos, &ones)] {
        for token in own {
            assert_eq!(ask(&app, asker, token).await["active"], true);
            assert_eq!(
                ask(&app, asker, token).await,
                ask(&app, &service, token).await
            );
        }
        for token in others.iter().chain([&service]) {
            assert_eq!(
                introspect(&app, asker, token).await.text(),
                r#"{"active":false}"#
            );
        }
    }
}

#[actix_web::test]
async fn introspection_reports_the_current_database_state() {
    let (app, user, token) = signed_in().await;
    let key = service(&app).await;
    let (access, _) = pair(&app, &token, "").await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = 1");
    assert_eq!(ask(&app, &key, &access).await["username"], ONE);
    execute_sql(
        &app,
        &format!(
            "UPDATE users SET email_address = 'new@example.com' WHERE id = {}",
            user.id.0
        ),
    );
    assert_eq!(
        ask(&app, &key, &access).await["username"],
        "new@example.com"
    );
    assert_eq!(ask(&app, &key, &access).await["email_verified"], true);
    execute_sql(&app, "UPDATE users SET email_confirmed_at = NULL");
    let unverified = ask(&app, &key, &access).await;
    assert_eq!(unverified["email_verified"], false);
    assert_eq!(unverified["username"], json!(null));
    // Ended by another process a moment ago: the list in memory need not know of it yet.
    execute_sql(
        &app,
        &format!("DELETE FROM sessions WHERE user_id = {}", user.id.0),
    );
    assert_eq!(ask(&app, &key, &access).await, json!({ "active": false }));
}
