//! A clock that is set back revives nothing.

use std::time::Duration;

use cloakroom::domain::clock::Timestamp;
use cloakroom::testing::{START, TestApp};
use serde_json::json;

use crate::support::app::{
    PASSWORD, assert_refused, last_confirmation, last_unlock, reset_token, session_is_valid,
};
use crate::support::credentials::{pair, pair_in};
use crate::support::flows::Flows;

const DAY: Duration = Duration::from_secs(24 * 3600);
const NEW: &str = "another password";
const MOVED: &str = "moved@example.com";

/// Credentials that were used up, each of an account of its own, so that they are invalid for no other reason.
struct Spent {
    tokens: Vec<String>,
    /// Links that confirm.
    confirmations: Vec<String>,
    /// Links that reset.
    resets: Vec<String>,
    unlock: String,
    /// Addresses and passwords.
    logins: Vec<(&'static str, &'static str)>,
    /// API keys.
    keys: Vec<String>,
    access_tokens: Vec<String>,
    refresh_tokens: Vec<String>,
}

#[actix_web::test]
async fn a_rewound_clock_restores_nothing() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        // So that the limit by address is met, which mails the unlock link.
        settings.throttle.sign_in.count = 1000;
    })
    .await;
    let (rotated, alive) = rotate(&app).await;
    let (changed, changed_link, voided) = change_address(&app).await;
    let (key, revoked) = (revoke_key(&app).await, revoke_tokens(&app).await);
    let (ended, reused) = (end_with_pair(&app).await, reuse(&app).await);
    let spent = Spent {
        tokens: vec![rotated, end(&app).await, delete_account(&app).await],
        confirmations: vec![changed_link],
        resets: vec![reset_password(&app).await, voided],
        unlock: unlock(&app).await,
        logins: vec![
            (changed, PASSWORD),
            ("reset@example.com", PASSWORD),
            ("deleted@example.com", PASSWORD),
        ],
        keys: vec![key],
        access_tokens: [revoked.0, ended.0, reused.0].concat(),
        refresh_tokens: [revoked.1, ended.1, reused.1].concat(),
    };
    let day = i64::try_from(DAY.as_millis()).unwrap();
    for back in [day, 1, 0] {
        app.clock()
            .set(Timestamp::from_millis(START.as_millis() - back));
        assert_all_dead(&app, &spent).await;
        assert!(
            session_is_valid(&app, &alive).await,
            "what was not ended goes on"
        );
        assert_eq!(app.sign_in(MOVED, PASSWORD).await.status, 200);
        assert_eq!(app.sign_in("reset@example.com", NEW).await.status, 200);
    }
}

async fn assert_all_dead(app: &TestApp, spent: &Spent) {
    for token in &spent.tokens {
        assert_refused(
            &app.get("/v1/session").bearer(token).send().await,
            401,
            "token_invalid",
        );
    }
    for link in &spent.confirmations {
        assert_refused(&app.verify_email(link).await, 401, "link_invalid");
    }
    for link in &spent.resets {
        assert_refused(&app.reset_password(link, NEW).await, 401, "link_invalid");
    }
    let unlock = app
        .put(&format!("/v1/unlocks/{}", spent.unlock))
        .send()
        .await;
    assert_refused(&unlock, 401, "link_invalid");
    for key in &spent.keys {
        let reply = app
            .get("/v1/projects")
            .header("X-API-Key", key)
            .send()
            .await;
        assert_refused(&reply, 401, "invalid_api_key");
    }
    for token in &spent.access_tokens {
        assert_refused(
            &app.get("/v1/projects").bearer(token).send().await,
            401,
            "token_invalid",
        );
    }
    for token in &spent.refresh_tokens {
        assert_refused(&app.refresh(token).await, 400, "invalid_grant");
    }
    for (address, password) in &spent.logins {
        assert_refused(
            &app.sign_in(address, password).await,
            401,
            "invalid_credentials",
        );
    }
}

async fn token_of_new(app: &TestApp, address: &str) -> String {
    let reply = app.sign_up(address, PASSWORD).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// The old token and the new one.
async fn rotate(app: &TestApp) -> (String, String) {
    let old = token_of_new(app, "rotated@example.com").await;
    let reply = app.post("/v1/session/rotate").bearer(&old).send().await;
    (old, reply.json()["token"].as_str().unwrap().to_owned())
}

async fn end(app: &TestApp) -> String {
    let token = token_of_new(app, "ended@example.com").await;
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    token
}

async fn delete_account(app: &TestApp) -> String {
    let token = token_of_new(app, "deleted@example.com").await;
    let body = json!({ "password_challenge": PASSWORD });
    assert_eq!(
        app.delete("/v1/user")
            .bearer(&token)
            .json(&body)
            .send()
            .await
            .status,
        200
    );
    token
}

/// The address that was, the link that changed it, and a reset link that was mailed to it before.
async fn change_address(app: &TestApp) -> (&'static str, String, String) {
    let old = "old@example.com";
    let token = token_of_new(app, old).await;
    let voided = reset_token(app, old).await;
    let body = json!({ "password_challenge": PASSWORD, "email_address": MOVED });
    assert_eq!(
        app.put("/v1/user/email_address")
            .bearer(&token)
            .json(&body)
            .send()
            .await
            .status,
        200
    );
    let link = last_confirmation(app, MOVED).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    (old, link, voided)
}

async fn reset_password(app: &TestApp) -> String {
    token_of_new(app, "reset@example.com").await;
    let link = reset_token(app, "reset@example.com").await;
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
    link
}

async fn unlock(app: &TestApp) -> String {
    let address = "shut@example.com";
    token_of_new(app, address).await;
    for _ in 0..20 {
        assert_eq!(app.sign_in(address, "wrong").await.status, 401);
    }
    let link = last_unlock(app).await;
    assert_eq!(
        app.put(&format!("/v1/unlocks/{link}")).send().await.status,
        200
    );
    link
}

async fn revoke_key(app: &TestApp) -> String {
    let token = token_of_new(app, "keyed@example.com").await;
    let body = json!({
        "name": "A key", "scopes": ["projects:read"], "password_challenge": PASSWORD,
    });
    let made = app
        .post("/v1/api_keys")
        .bearer(&token)
        .json(&body)
        .send()
        .await
        .json();
    let path = format!("/v1/api_keys/{}", made["api_key"]["id"]);
    assert_eq!(app.delete(&path).bearer(&token).send().await.status, 204);
    made["key"].as_str().unwrap().to_owned()
}

/// Access and refresh tokens.
type Tokens = (Vec<String>, Vec<String>);

/// An access token ended alone, whose session lives; and one that its refresh token took along.
async fn revoke_tokens(app: &TestApp) -> Tokens {
    let token = token_of_new(app, "alone@example.com").await;
    let (alone, _) = pair(app, &token, "projects:read").await;
    let token = token_of_new(app, "revoked@example.com").await;
    let (access, refresh) = pair(app, &token, "projects:read").await;
    for token in [&alone, &refresh] {
        let reply = app
            .post("/v1/tokens/revoke")
            .json(&json!({ "token": token }))
            .send()
            .await;
        assert_eq!(reply.status, 200);
    }
    (vec![alone, access], vec![refresh])
}

/// Of a session that was signed out.
async fn end_with_pair(app: &TestApp) -> Tokens {
    let token = token_of_new(app, "paired@example.com").await;
    let (access, refresh) = pair(app, &token, "projects:read").await;
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    (vec![access], vec![refresh])
}

/// Of a family that ended when its first token came again.
async fn reuse(app: &TestApp) -> Tokens {
    let token = token_of_new(app, "reused@example.com").await;
    let (first_access, first) = pair(app, &token, "projects:read").await;
    let (access, second) = pair_in(&app.refresh(&first).await.json());
    app.clock().advance(Duration::from_secs(10));
    assert_refused(&app.refresh(&first).await, 400, "invalid_grant");
    (vec![first_access, access], vec![first, second])
}
