//! Pairs of tokens: for a password or a session, and for no other credential.

use std::time::Duration;

use cloakroom::config::Confirm;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::User;
use cloakroom::domain::scope::Scopes;
use cloakroom::store::api_keys::{self, NewKey};
use cloakroom::testing::{Call, Reply, START, TestApp};
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, execute_sql, not_text, seen,
    session_is_valid, signed_in, write,
};
use crate::support::flows::Flows;
use crate::support::limits::UNKNOWN;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const SCOPES: &str = "projects:read projects:write user:read";

/// Two tokens as they were handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

#[track_caller]
pub(super) fn pair_of(reply: &Reply) -> Pair {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let [access, refresh] =
        ["access_token", "refresh_token"].map(|name| body[name].as_str().unwrap().to_owned());
    Pair { access, refresh }
}

/// A pair for the session that a token opens.
pub(super) async fn pair_for(app: &TestApp, token: &str) -> Pair {
    pair_of(&app.post("/v1/tokens").bearer(token).send().await)
}

pub(super) fn credentials() -> Value {
    json!({ "email_address": ONE, "password": PASSWORD })
}

async fn ask(app: &TestApp, body: &Value) -> Reply {
    app.post("/v1/tokens").json(body).send().await
}

/// Whether an access token opens a door that is verified without the database.
pub(super) async fn opens(app: &TestApp, access: &str) -> bool {
    let reply = app.get("/v1/projects").bearer(access).send().await;
    match reply.status {
        200 => true,
        401 => false,
        other => panic!("neither yes nor no but {other}: {}", reply.text()),
    }
}

/// What a credential's session is.
pub(super) async fn session_of(app: &TestApp, credential: &str) -> Value {
    let reply = app.get("/v1/session").bearer(credential).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["session"].clone()
}

fn keys(reply: &Reply) -> Vec<String> {
    let mut keys: Vec<String> = reply.json().as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

#[actix_web::test]
async fn signing_in_returns_a_valid_pair() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    let reply = ask(&app, &credentials()).await;
    let pair = pair_of(&reply);
    let body = reply.json();
    assert_eq!(
        keys(&reply),
        [
            "access_token",
            "expires_in",
            "refresh_expires_in",
            "refresh_token",
            "scope",
            "token_type"
        ]
    );
    assert_eq!(
        (&body["token_type"], &body["scope"]),
        (&json!("Bearer"), &json!(SCOPES))
    );
    assert_eq!(
        (&body["expires_in"], &body["refresh_expires_in"]),
        (&json!(900), &json!(14 * 24 * 3600))
    );
    assert!(pair.refresh.starts_with("crr_") && pair.access.split('.').count() == 3);

    assert!(opens(&app, &pair.access).await);
    let session = session_of(&app, &pair.access).await;
    assert_eq!(
        (&session["current"], &session["ip_address"]),
        (&json!(true), &json!("127.0.0.1"))
    );
    app.clock()
        .set(START + 15 * MINUTE - Duration::from_millis(1));
    assert!(opens(&app, &pair.access).await);
    app.clock().set(START + 15 * MINUTE);
    let reply = app.get("/v1/projects").bearer(&pair.access).send().await;
    assert_refused(&reply, 401, "token_expired");

    let remembered = json!({ "email_address": ONE, "password": PASSWORD, "remember": true });
    let lasting = pair_of(&ask(&app, &remembered).await);
    assert_eq!(
        session_of(&app, &lasting.access).await["expires_at"],
        (app.clock().now() + 180 * DAY).to_string()
    );
    let form = [("email_address", ONE), ("password", PASSWORD)];
    pair_of(&app.post("/v1/tokens").form(&form).send().await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 3);
}

#[actix_web::test]
async fn a_presented_session_gets_its_own_pair() {
    let (app, _, token) = signed_in().await;
    app.clock().advance(DAY);
    let [one, two] = [pair_for(&app, &token).await, pair_for(&app, &token).await];
    assert!(one.access != two.access && one.refresh != two.refresh);
    assert_eq!(
        session_of(&app, &one.access).await["id"],
        session_of(&app, &token).await["id"]
    );
    assert!(opens(&app, &two.access).await && session_is_valid(&app, &token).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
    let reply = app
        .post("/v1/tokens")
        .bearer(&token)
        .json(&json!({ "scope": "projects:read" }))
        .send()
        .await;
    assert_eq!(reply.json()["refresh_expires_in"], 14 * 24 * 3600);
}

#[actix_web::test]
async fn a_cookie_gets_an_access_token_without_refresh() {
    let (app, _, token) = signed_in().await;
    let reply = app
        .post("/v1/tokens")
        .cookie(&token)
        .same_origin()
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        keys(&reply),
        ["access_token", "expires_in", "scope", "token_type"]
    );
    assert!(opens(&app, reply.json()["access_token"].as_str().unwrap()).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
    assert!(reply.header("set-cookie").is_none() && session_is_valid(&app, &token).await);
    for call in [
        app.post("/v1/tokens").cookie(&token),
        app.post("/v1/tokens")
            .cookie(&token)
            .header("Sec-Fetch-Site", "cross-site"),
        app.post("/v1/tokens").cookie(&token).json(&credentials()),
    ] {
        assert_refused(&call.send().await, 403, "cross_origin");
    }
}

#[actix_web::test]
async fn a_password_in_the_body_always_starts_a_session() {
    let (app, user, token) = signed_in().await;
    let first = session_of(&app, &token).await["id"].clone();
    for presented in [token.as_str(), "crs_1111", "crk_1111", "a.b.c"] {
        let reply = app
            .post("/v1/tokens")
            .bearer(presented)
            .json(&credentials())
            .send()
            .await;
        assert_ne!(session_of(&app, &pair_of(&reply).access).await["id"], first);
    }
    assert!(session_is_valid(&app, &token).await);

    // The session of a cookie ends, as at a sign-in by the same browser.
    let cookie = app.sign_in_as(&user).await;
    let reply = app
        .post("/v1/tokens")
        .cookie(&cookie)
        .same_origin()
        .json(&credentials())
        .send()
        .await;
    assert!(opens(&app, &pair_of(&reply).access).await && !session_is_valid(&app, &cookie).await);
    // Half a pair of credentials is meant as one.
    for body in [
        json!({ "password": PASSWORD }),
        json!({ "email_address": ONE }),
        json!({ "password": null }),
    ] {
        let reply = app
            .post("/v1/tokens")
            .bearer(&token)
            .json(&body)
            .send()
            .await;
        assert_refused(&reply, 401, "invalid_credentials");
    }
}

#[actix_web::test]
async fn a_wrong_password_counts_as_a_failed_sign_in() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    app.create_user(ONE, PASSWORD).await;
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    for body in [
        json!({ "email_address": ONE, "password": "wrong" }),
        json!({ "email_address": UNKNOWN, "password": PASSWORD }),
        json!({ "email_address": "disabled@example.com", "password": PASSWORD }),
        json!({}),
    ] {
        let [session, tokens] = [sign_in_with(&app, &body).await, ask(&app, &body).await];
        assert_refused(&tokens, 401, "invalid_credentials");
        assert_eq!(seen(&tokens), seen(&session), "{body}");
    }
    // Of ten tries, eight are done; a success takes none.
    assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
    assert_eq!(ask(&app, &credentials()).await.status, 200);
    assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
    assert_refused(&ask(&app, &credentials()).await, 429, "rate_limited");
    assert_refused(&app.sign_in(ONE, PASSWORD).await, 429, "rate_limited");
}

async fn sign_in_with(app: &TestApp, body: &Value) -> Reply {
    app.post("/v1/session").json(body).send().await
}

#[actix_web::test]
async fn unverified_addresses_get_no_tokens_when_required() {
    let app =
        TestApp::with_settings(|settings| settings.registration.confirm = Confirm::Required).await;
    app.create_user(ONE, PASSWORD).await;
    assert_refused(&ask(&app, &credentials()).await, 403, "email_unconfirmed");
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn scope_can_only_be_narrowed() {
    let (app, _, token) = signed_in().await;
    let with = |scope: Value| {
        app.post("/v1/tokens")
            .bearer(&token)
            .json(&json!({ "scope": scope }))
            .send()
    };
    for (asked, given) in [
        (json!("projects:read"), "projects:read"),
        (
            json!("projects:write projects:read projects:write"),
            "projects:write projects:read",
        ),
        (json!(""), SCOPES),
        (json!(null), SCOPES),
    ] {
        let reply = with(asked).await;
        assert_eq!(reply.json()["scope"], given);
    }
    let narrow = pair_of(&with(json!("projects:read")).await).access;
    let post = app
        .post("/v1/projects")
        .bearer(&narrow)
        .json(&json!({ "title": "Ours" }))
        .send()
        .await;
    assert_refused(&post, 403, "insufficient_scope");
    assert!(opens(&app, &narrow).await);

    let rows = count_in(&app, "SELECT count(*) FROM refresh_tokens");
    for scope in [
        "introspect",
        "orders:read",
        "projects:read orders:read",
        "projects:*",
        "Projects:read",
        " ",
        "projects:read ",
        "projects:read,projects:write",
        "projects:read\r\nX: y",
    ] {
        assert_refused(&with(json!(scope)).await, 400, "invalid_scope");
        let body = json!({ "email_address": ONE, "password": PASSWORD, "scope": scope });
        assert_refused(&ask(&app, &body).await, 400, "invalid_scope");
    }
    for value in not_text() {
        assert_faults(&with(value).await, &[("scope", "is invalid")]);
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), rows);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
}

#[actix_web::test]
async fn rfc_6749_5_1_the_reply_is_not_cacheable() {
    let (app, _, token) = signed_in().await;
    let refresh = pair_for(&app, &token).await.refresh;
    let body = json!({ "refresh_token": refresh });
    for reply in [
        ask(&app, &credentials()).await,
        app.post("/v1/tokens").bearer(&token).send().await,
        app.post("/v1/tokens")
            .cookie(&token)
            .same_origin()
            .send()
            .await,
        app.post("/v1/tokens/refresh").json(&body).send().await,
    ] {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("pragma"), Some("no-cache"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[actix_web::test]
async fn keys_and_access_tokens_get_no_tokens() {
    let (app, user, token) = signed_in().await;
    let (pair, key) = (pair_for(&app, &token).await, key(&app, &user).await);
    let refused =
        |call: Call, status, code| async move { assert_refused(&call.send().await, status, code) };
    let rows = count_in(&app, "SELECT count(*) FROM refresh_tokens");
    refused(
        app.post("/v1/tokens").bearer(&pair.access),
        403,
        "forbidden",
    )
    .await;
    refused(app.post("/v1/tokens").bearer(&key), 403, "forbidden").await;
    refused(
        app.post("/v1/tokens").header("X-API-Key", &key),
        403,
        "forbidden",
    )
    .await;
    refused(
        app.post("/v1/tokens").bearer(&pair.refresh),
        401,
        "token_invalid",
    )
    .await;
    refused(
        app.post("/v1/tokens").header("X-API-Key", &token),
        401,
        "invalid_api_key",
    )
    .await;
    refused(
        app.post("/v1/tokens")
            .bearer(&token)
            .header("X-API-Key", &key),
        400,
        "invalid_request",
    )
    .await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), rows);
}

async fn key(app: &TestApp, user: &User) -> String {
    let (key, user_id, now) = (
        PlainToken::generate(TokenKind::ApiKey).unwrap(),
        user.id,
        app.clock().now(),
    );
    let (token_digest, scopes) = (key.digest(), Scopes::parse(SCOPES).unwrap());
    write(app, move |tx| {
        let (name, last_four) = ("A key", "1111");
        let new = NewKey {
            user_id: Some(user_id),
            name,
            token_digest,
            last_four,
            scopes: &scopes,
            expires_at: None,
        };
        api_keys::insert(tx, &new, 10, now)
    })
    .await
    .unwrap();
    key.reveal().to_owned()
}

#[actix_web::test]
async fn ended_sessions_get_no_tokens() {
    let (app, user, ended) = signed_in().await;
    let idle = app.sign_in_as(&user).await;
    assert_eq!(
        app.delete("/v1/session").bearer(&ended).send().await.status,
        200
    );
    assert_refused(
        &app.post("/v1/tokens").bearer(&ended).send().await,
        401,
        "token_invalid",
    );
    app.clock().set(START + 14 * DAY);
    assert_refused(
        &app.post("/v1/tokens").bearer(&idle).send().await,
        401,
        "token_expired",
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM sessions WHERE access_until IS NOT NULL"
        ),
        0
    );
}

#[actix_web::test]
async fn an_access_token_never_outlives_its_session() {
    let app = TestApp::with_settings(|settings| settings.session.idle_timeout = 5 * MINUTE).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let expires_in = |reply: Reply| reply.json()["expires_in"].clone();
    assert_eq!(
        expires_in(app.post("/v1/tokens").bearer(&token).send().await),
        300
    );
    let end = (START + 90_500 * Duration::from_millis(1)).as_millis();
    execute_sql(&app, &format!("UPDATE sessions SET expires_at = {end}"));
    let reply = app.post("/v1/tokens").bearer(&token).send().await;
    let access = pair_of(&reply).access;
    assert_eq!(
        (&reply.json()["refresh_expires_in"], &expires_in(reply)),
        (&json!(90), &json!(90))
    );
    app.clock().set(START + Duration::from_millis(89_999));
    assert!(opens(&app, &access).await);
    app.clock().set(START + Duration::from_millis(90_000));
    assert!(!opens(&app, &access).await);
}

#[actix_web::test]
async fn the_eleventh_family_evicts_the_oldest_without_theft() {
    let (app, _, token) = signed_in().await;
    let mut pairs = Vec::new();
    for _ in 0..10 {
        pairs.push(pair_for(&app, &token).await);
    }
    let refresh = |text: &str| {
        app.post("/v1/tokens/refresh")
            .json(&json!({ "refresh_token": text }))
            .send()
    };
    let first = pair_of(&refresh(&pairs[0].refresh).await);
    pair_for(&app, &token).await;
    assert_refused(&refresh(&pairs[1].refresh).await, 400, "invalid_grant");
    assert!(session_is_valid(&app, &token).await && app.mails().await.is_empty());
    for kept in [&first, &pairs[2], &pairs[9]] {
        pair_of(&refresh(&kept.refresh).await);
    }
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM refresh_tokens WHERE spent_at IS NULL"
        ),
        10
    );
}
