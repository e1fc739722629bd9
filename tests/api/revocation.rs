//! `POST /v1/tokens/revoke` against RFC 7009, by its sections.

use std::time::Duration;

use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::server::sweep;
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::*;
use crate::support::credentials::*;
use crate::support::flows::Flows;

async fn revoke(app: &TestApp, token: &str) -> Reply {
    app.post("/v1/tokens/revoke")
        .form(&[("token", token)])
        .send()
        .await
}

#[track_caller]
fn assert_revoked(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "message": "Token revoked" })),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

/// What a credential gets that is presented.
async fn answer(app: &TestApp, credential: &str) -> (u16, Value) {
    let reply = app.get("/v1/verify").bearer(credential).send().await;
    (reply.status, reply.json()["code"].clone())
}

async fn is_good(app: &TestApp, credential: &str) -> bool {
    match answer(app, credential).await {
        (200, _) => true,
        (401, code) if code == "token_invalid" || code == "invalid_api_key" => false,
        other => panic!("neither yes nor no but {other:?}"),
    }
}

#[actix_web::test]
async fn rfc_7009_2_1_refresh_tokens_end_their_session() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    let (access, first) = pair(&app, &token, "").await;
    let (narrow, second) = pair(&app, &token, "projects:read").await;
    let (others, others_refresh) = pair(&app, &other, "").await;
    assert_revoked(&revoke(&app, &first).await);
    for dead in [&token, &access, &narrow] {
        assert!(!is_good(&app, dead).await);
    }
    for dead in [&first, &second] {
        assert_refused(&app.refresh(dead).await, 400, "invalid_grant");
    }
    assert!(is_good(&app, &other).await && is_good(&app, &others).await);
    assert_eq!(app.refresh(&others_refresh).await.status, 200);
    // Its owner or its own program did it: no theft.
    assert_eq!(app.mails().await.len(), 0);
}

#[actix_web::test]
async fn rfc_7009_2_1_spent_refresh_tokens_revoke_successors() {
    for wait in [0, 9, 11, 3600] {
        let (app, _, token) = signed_in().await;
        let (_, spent) = pair(&app, &token, "").await;
        let (_, successor) = pair_in(&app.refresh(&spent).await.json());
        let (access, last) = pair_in(&app.refresh(&successor).await.json());
        app.clock().advance(Duration::from_secs(wait));
        assert_revoked(&revoke(&app, &spent).await);
        assert_eq!(answer(&app, &token).await, (401, json!("token_invalid")));
        assert_eq!(answer(&app, &access).await.0, 401);
        assert_refused(&app.refresh(&last).await, 400, "invalid_grant");
        assert_eq!(app.mails().await.len(), 0, "that was no theft");
    }
}

#[actix_web::test]
async fn an_unknown_refresh_token_ends_nothing() {
    let (app, _, token) = signed_in().await;
    let (_, spent) = pair(&app, &token, "").await;
    // Made by who knows the family alone.
    let parsed = PlainToken::parse(TokenKind::Refresh, &spent).unwrap();
    let made_up = parsed.successor(&[7; 112]).unwrap();
    let (_, good) = pair_in(&app.refresh(&spent).await.json());
    app.clock().advance(Duration::from_secs(10));
    let context = app.context();
    sweep::run(&context.database, &context.settings, context.clock.now())
        .await
        .unwrap();
    for text in [made_up.reveal(), &spent] {
        assert_revoked(&revoke(&app, text).await);
    }
    assert!(is_good(&app, &token).await);
    assert_revoked(&revoke(&app, &good).await);
    assert!(!is_good(&app, &token).await);
}

#[actix_web::test]
async fn rfc_7009_2_1_a_session_token_ends_its_session() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    let (access, refresh_token) = pair(&app, &token, "").await;
    assert_revoked(&revoke(&app, &token).await);
    assert!(!is_good(&app, &token).await && !is_good(&app, &access).await);
    assert_refused(&app.refresh(&refresh_token).await, 400, "invalid_grant");
    assert!(is_good(&app, &other).await);
}

#[actix_web::test]
async fn rfc_7009_2_1_an_access_token_is_revoked_alone() {
    let (app, _, token) = signed_in().await;
    let (access, first) = pair(&app, &token, "").await;
    let (other, _) = pair(&app, &token, "projects:read").await;
    assert!(is_good(&app, &access).await);
    assert_revoked(&revoke(&app, &access).await);
    assert!(!is_good(&app, &access).await);
    assert!(is_good(&app, &token).await && is_good(&app, &other).await);
    assert_eq!(app.refresh(&first).await.status, 200);
    // For good: a clock that is set back does not wake it.
    app.clock().advance(Duration::from_secs(900));
    assert_eq!(answer(&app, &access).await, (401, json!("token_expired")));
    app.clock()
        .set(app.clock().now() - Duration::from_secs(600));
    assert!(!is_good(&app, &access).await);
}

#[actix_web::test]
async fn rfc_7009_2_1_an_api_key_is_revoked() {
    let (app, user, token) = signed_in().await;
    let (key, service) = (
        api_key(&app, Some(&user), "orders:read").await,
        api_key(&app, None, "a:b").await,
    );
    let kept = api_key(&app, Some(&user), "orders:read").await;
    for dead in [&key, &service] {
        assert!(is_good(&app, dead).await);
        assert_revoked(&revoke(&app, dead).await);
        assert!(!is_good(&app, dead).await);
    }
    assert!(is_good(&app, &token).await && is_good(&app, &kept).await);
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL"
        ),
        2
    );
    let at = count_in(&app, "SELECT min(revoked_at) FROM api_keys");
    app.clock().advance(Duration::from_secs(1));
    assert_revoked(&revoke(&app, &key).await);
    assert_eq!(
        count_in(&app, "SELECT min(revoked_at) FROM api_keys"),
        at,
        "the first time counts"
    );
}

#[actix_web::test]
async fn surrounding_white_space_is_ignored() {
    let (app, user, _) = signed_in().await;
    let session = app.sign_in_as(&user).await;
    let (access, _) = pair(&app, &session, "").await;
    let (_, refresh_token) = pair(&app, &app.sign_in_as(&user).await, "").await;
    let key = api_key(&app, Some(&user), "orders:read").await;
    for token in [&access, &session, &key] {
        // As `curl --data-urlencode token@file` sends it.
        assert_revoked(&revoke(&app, &format!(" {token}\r\n")).await);
        assert!(!is_good(&app, token).await, "{token:.4}");
    }
    assert_revoked(&revoke(&app, &format!("{refresh_token}\n")).await);
    assert_refused(&app.refresh(&refresh_token).await, 400, "invalid_grant");
}

#[actix_web::test]
async fn access_tokens_are_revoked_before_nbf() {
    let (app, _, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    let made = app.clock().now();
    app.clock().set(made - Duration::from_secs(2));
    assert_revoked(&revoke(&app, &access).await);
    app.clock().set(made);
    assert!(is_good(&app, &token).await);
    assert!(!is_good(&app, &access).await);
}

#[actix_web::test]
async fn rfc_7009_2_1_a_wrong_or_unknown_hint_changes_nothing() {
    let (app, user, _) = signed_in().await;
    for hint in ["access_token", "refresh_token", "no_such_kind", ""] {
        let session = app.sign_in_as(&user).await;
        let (access, _) = pair(&app, &session, "").await;
        let key = api_key(&app, Some(&user), "orders:read").await;
        for token in [&access, &session, &key] {
            let fields = [
                ("token", token.as_str()),
                ("token_type_hint", hint),
                ("client_id", "anybody"),
            ];
            assert_revoked(&app.post("/v1/tokens/revoke").form(&fields).send().await);
            assert!(!is_good(&app, token).await, "{hint}");
        }
    }
    let session = app.sign_in_as(&user).await;
    let body = json!({ "token": session, "token_type_hint": "access_token" });
    assert_revoked(&app.post("/v1/tokens/revoke").json(&body).send().await);
    assert!(!is_good(&app, &session).await);
}

#[actix_web::test]
async fn rfc_7009_2_2_an_unknown_token_is_200_without_a_write() {
    let app = TestApp::with_settings(|settings| {
        settings.database.busy_timeout = Duration::from_millis(1);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let (token, ended) = (app.sign_in_as(&user).await, app.sign_in_as(&user).await);
    let (access, _) = pair(&app, &token, "").await;
    let (alone, _) = pair(&app, &token, "").await;
    let (its_access, its_refresh) = pair(&app, &ended, "").await;
    let key = api_key(&app, Some(&user), "orders:read").await;
    for token in [&ended, &alone, &key] {
        assert_revoked(&revoke(&app, token).await);
    }
    app.clock().advance(Duration::from_secs(900));

    let (signed, signature) = access.rsplit_once('.').unwrap();
    let mut unknown = vec![
        "rubbish".to_owned(),
        "a.b.c".to_owned(),
        "a.b".to_owned(),
        "x".repeat(60_000),
        token[..token.len() - 1].to_owned(),
        format!("{signed}.{}", signature.chars().rev().collect::<String>()),
    ];
    for kind in [TokenKind::Session, TokenKind::ApiKey, TokenKind::Refresh] {
        unknown.push(PlainToken::generate(kind).unwrap().reveal().to_owned());
    }
    // What was good once: expired, or revoked before.
    unknown.extend([access, alone, ended, its_access, its_refresh, key]);
    let store = beside(&app);
    let _held = store.hold_writes();
    for token in &unknown {
        assert_revoked(&revoke(&app, token).await);
    }
    assert!(is_good(&app, &token).await);
}

#[actix_web::test]
async fn concurrent_revocations_all_succeed() {
    let (app, _, token) = signed_in().await;
    let (access, refresh_token) = pair(&app, &token, "").await;
    for reply in join_all((0..20).map(|_| revoke(&app, &access))).await {
        assert_revoked(&reply);
    }
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM revoked_access_tokens"),
        1
    );
    for reply in join_all((0..20).map(|_| revoke(&app, &refresh_token))).await {
        assert_revoked(&reply);
    }
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM revoked_access_tokens"),
        2
    );
}

#[actix_web::test]
async fn rfc_7009_2_2_1_a_missing_token_is_an_invalid_request() {
    let app = TestApp::new().await;
    let send = |body: Value| app.post("/v1/tokens/revoke").json(&body).send();
    for body in [
        json!({}),
        json!({ "token": null }),
        json!({ "token": "" }),
        json!({ "token": " " }),
    ] {
        assert_refused(&send(body).await, 400, "invalid_request");
    }
    assert_refused(
        &app.post("/v1/tokens/revoke").send().await,
        400,
        "invalid_request",
    );
    for token in not_text() {
        assert_faults(
            &send(json!({ "token": token })).await,
            &[("token", "is invalid")],
        );
    }
    let by_get = app.get("/v1/tokens/revoke?token=x").send().await;
    assert_refused(&by_get, 405, "method_not_allowed");
}

#[actix_web::test]
async fn rfc_7009_2_2_1_after_503_the_token_is_still_valid() {
    let app = TestApp::with_settings(|settings| {
        settings.database.busy_timeout = Duration::from_millis(1);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let (access, refresh_token) = pair(&app, &token, "").await;
    let key = api_key(&app, Some(&user), "orders:read").await;
    let store = beside(&app);
    let held = store.hold_writes();
    for live in [&access, &key, &refresh_token, &token] {
        let reply = revoke(&app, live).await;
        assert_refused(&reply, 503, "unavailable");
        assert!(reply.header("retry-after").is_some());
    }
    for live in [&access, &key, &token] {
        assert!(is_good(&app, live).await);
    }
    // What is unknown is no less so while nothing can be written.
    assert_revoked(&revoke(&app, "rubbish").await);
    drop(held);
    for dead in [&access, &key, &token] {
        assert_revoked(&revoke(&app, dead).await);
        assert!(!is_good(&app, dead).await);
    }
}

#[actix_web::test]
async fn revocation_needs_and_reads_no_credential() {
    let (app, _, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    let reply = app
        .post("/v1/tokens/revoke")
        .bearer("rubbish")
        .json(&json!({ "token": access }))
        .send()
        .await;
    assert_revoked(&reply);
    assert!(!is_good(&app, &access).await && is_good(&app, &token).await);
    // But a page of another origin does not get the cookie's browser to do it.
    let foreign = app
        .post("/v1/tokens/revoke")
        .cookie(&token)
        .header("Sec-Fetch-Site", "cross-site");
    assert_refused(
        &foreign.json(&json!({ "token": token })).send().await,
        403,
        "cross_origin",
    );
    assert!(is_good(&app, &token).await);
}
