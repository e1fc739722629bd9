//! Reauthentication, and how long it lasts.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, new_token, not_text, session_is_valid,
    signed_in,
};
use crate::support::flows::Flows;
use crate::support::second_factor;

const QUARTER: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MILLISECOND: Duration = Duration::from_millis(1);
const NEW: &str = "another password";

async fn confirm(app: &TestApp, token: &str, password: &str) -> Reply {
    second_factor::reauthenticate(app, token, "password", password).await
}

/// Reauthenticates by this body.
async fn confirm_by(app: &TestApp, token: &str, body: Value) -> Reply {
    let call = app.post("/v1/session/reauthenticate").bearer(token);
    call.json(&body).send().await
}

/// Reauthenticates; returns the session's new token.
async fn reauthenticate(app: &TestApp, token: &str, password: &str) -> String {
    let reply = confirm(app, token, password).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// Requests a change without a challenge and with an address that cannot be one: nothing changes, and the faults show
/// whether the challenge was missed.
async fn ask(app: &TestApp, token: &str) -> Reply {
    app.put("/v1/user/email_address")
        .bearer(token)
        .json(&json!({ "email_address": "one" }))
        .send()
        .await
}

async fn is_believed(app: &TestApp, token: &str) -> bool {
    let reply = ask(app, token).await;
    let invalid = ("email_address", "is invalid");
    let believed = reply.json()["fields"].get("password_challenge").is_none();
    match believed {
        true => assert_faults(&reply, &[invalid]),
        false => assert_faults(&reply, &[("password_challenge", "can't be blank"), invalid]),
    }
    believed
}

#[actix_web::test]
async fn reauthentication_lasts_exactly_fifteen_minutes() {
    let (app, _, token) = signed_in().await;
    assert!(!is_believed(&app, &token).await);
    let token = reauthenticate(&app, &token, PASSWORD).await;
    assert!(is_believed(&app, &token).await);
    app.clock().set(START + QUARTER - MILLISECOND);
    assert!(is_believed(&app, &token).await);
    app.clock().set(START + QUARTER);
    assert!(!is_believed(&app, &token).await);
    // Given again it counts from then on; using it does not prolong it.
    let token = reauthenticate(&app, &token, PASSWORD).await;
    app.clock().set(START + QUARTER * 2 - MILLISECOND);
    assert!(is_believed(&app, &token).await);
    app.clock().set(START + QUARTER * 2);
    assert!(!is_believed(&app, &token).await);
}

#[actix_web::test]
async fn signing_in_is_not_reauthentication() {
    let (app, ..) = signed_in().await;
    let token = app.sign_in(ONE, PASSWORD).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!is_believed(&app, &token).await);
}

#[actix_web::test]
async fn a_challenge_in_a_change_covers_only_that_change() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "password_challenge": PASSWORD, "email_address": ONE });
    let change = app.put("/v1/user/email_address").bearer(&token).json(&body);
    let token = new_token(&change.send().await);
    assert!(!is_believed(&app, &token).await);
}

#[actix_web::test]
async fn reauthentication_belongs_to_one_session() {
    let (app, user, token) = signed_in().await;
    let second = app.sign_in_as(&user).await;
    let token = reauthenticate(&app, &token, PASSWORD).await;
    assert!(is_believed(&app, &token).await && !is_believed(&app, &second).await);
}

#[actix_web::test]
async fn a_wrong_or_blank_password_does_not_reauthenticate() {
    let (app, _, token) = signed_in().await;
    for body in [
        json!({}),
        json!({ "password": null }),
        json!({ "password": "" }),
    ] {
        let reply = confirm_by(&app, &token, body).await;
        assert_faults(&reply, &[("password", "can't be blank")]);
    }
    for password in ["wrong", " ", "Password", "pass\0word", &"a".repeat(300)] {
        assert_faults(
            &confirm(&app, &token, password).await,
            &[("password", "is incorrect")],
        );
    }
    for value in not_text() {
        let body = json!({ "password": value });
        let reply = confirm_by(&app, &token, body).await;
        assert_faults(&reply, &[("password", "is invalid")]);
    }
    // The field of the changes is another.
    let body: Value = json!({ "password_challenge": PASSWORD });
    let reply = confirm_by(&app, &token, body).await;
    assert_faults(&reply, &[("password", "can't be blank")]);
    assert!(!is_believed(&app, &token).await);
}

#[actix_web::test]
async fn failed_reauthentication_changes_nothing() {
    let (app, _, token) = signed_in().await;
    let token = reauthenticate(&app, &token, PASSWORD).await;
    app.clock().advance(QUARTER - MILLISECOND);
    assert_faults(
        &confirm(&app, &token, "wrong").await,
        &[("password", "is incorrect")],
    );
    let blank = confirm_by(&app, &token, json!({})).await;
    assert_faults(&blank, &[("password", "can't be blank")]);
    assert!(is_believed(&app, &token).await);
    app.clock().advance(MILLISECOND);
    assert!(!is_believed(&app, &token).await);
}

#[actix_web::test]
async fn a_new_password_keeps_reauthentication() {
    let (app, _, token) = signed_in().await;
    let token = reauthenticate(&app, &token, PASSWORD).await;
    let body = json!({ "password": NEW });
    let change = app.put("/v1/user/password").bearer(&token).json(&body);
    let token = new_token(&change.send().await);
    assert!(session_is_valid(&app, &token).await && is_believed(&app, &token).await);
    assert_faults(
        &confirm(&app, &token, PASSWORD).await,
        &[("password", "is incorrect")],
    );
    app.clock().set(START + QUARTER);
    assert!(!is_believed(&app, &token).await);
    let token = reauthenticate(&app, &token, NEW).await;
    assert!(is_believed(&app, &token).await);
}

#[actix_web::test]
async fn one_reauthentication_covers_several_changes() {
    let (app, _, token) = signed_in().await;
    let mut token = reauthenticate(&app, &token, PASSWORD).await;
    for address in ["two@example.com", "three@example.com"] {
        let body = json!({ "email_address": address });
        let change = app.put("/v1/user/email_address").bearer(&token).json(&body);
        token = new_token(&change.send().await);
    }
    let reply = app
        .delete("/v1/user")
        .bearer(&token)
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[actix_web::test]
async fn a_rewound_clock_ends_reauthentication() {
    let (app, _, token) = signed_in().await;
    let token = reauthenticate(&app, &token, PASSWORD).await;
    for back in [MILLISECOND, DAY] {
        app.clock().set(START - back);
        assert!(!is_believed(&app, &token).await);
    }
    let token = reauthenticate(&app, &token, PASSWORD).await;
    assert!(is_believed(&app, &token).await);
}

#[actix_web::test]
async fn a_racing_password_change_ends_reauthentication() {
    for _ in 0..10 {
        let (app, _, token) = signed_in().await;
        let body = json!({ "password_challenge": PASSWORD, "password": NEW });
        let change = app
            .put("/v1/user/password")
            .bearer(&token)
            .json(&body)
            .send();
        let tries = join_all((0..5).map(|_| confirm(&app, &token, PASSWORD)));
        let (changed, tried) = join(change, tries).await;
        let won: Vec<&Reply> = tried.iter().filter(|reply| reply.status == 200).collect();
        if changed.status == 200 {
            assert!(won.is_empty(), "the old password counted after the change");
            let token = new_token(&changed);
            assert!(session_is_valid(&app, &token).await && !is_believed(&app, &token).await);
        } else {
            // A reauthentication was first and replaced the token.
            assert_refused(&changed, 401, "token_invalid");
            assert_eq!(won.len(), 1);
        }
    }
}

#[actix_web::test]
async fn reauthenticating_replaces_the_token_of_the_session() {
    let (app, _, copied) = signed_in().await;
    let reply = confirm(&app, &copied, PASSWORD).await;
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(reply.json()["user"]["email_address"], ONE);
    assert_eq!(reply.json()["session"]["current"], true);
    assert!(session_is_valid(&app, &token).await && !session_is_valid(&app, &copied).await);
    assert_refused(&ask(&app, &copied).await, 401, "token_invalid");
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
}

#[actix_web::test]
async fn rotating_the_token_ends_reauthentication() {
    let (app, _, token) = signed_in().await;
    let token = reauthenticate(&app, &token, PASSWORD).await;
    assert!(is_believed(&app, &token).await);
    // A copy of the token may be rotated by an attacker.
    let token = new_token(&app.rotate_session(&token).await);
    assert!(session_is_valid(&app, &token).await && !is_believed(&app, &token).await);
}

#[actix_web::test]
async fn of_concurrent_reauthentications_one_wins() {
    let (app, _, token) = signed_in().await;
    let replies = join_all((0..10).map(|_| confirm(&app, &token, PASSWORD))).await;
    let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(won.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
    assert!(is_believed(&app, won[0].json()["token"].as_str().unwrap()).await);
}

#[actix_web::test]
async fn challenges_are_limited_by_session_apart_from_sign_in() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let (token, second) = (app.sign_in_as(&user).await, app.sign_in_as(&user).await);
    let replies = join_all((0..50).map(|_| confirm(&app, &token, "wrong"))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 422).count(),
        20
    );
    for reply in replies.iter().filter(|reply| reply.status != 422) {
        assert_refused(reply, 429, "rate_limited");
    }
    // However the password is given, the right one too.
    assert_refused(&confirm(&app, &token, PASSWORD).await, 429, "rate_limited");
    let challenge = json!({
        "password_challenge": PASSWORD, "password": NEW, "email_address": "moved@example.com"
    });
    for (method, path) in [
        (Method::PUT, "/v1/user/password"),
        (Method::PUT, "/v1/user/email_address"),
        (Method::DELETE, "/v1/user"),
    ] {
        let reply = app
            .call(method, path)
            .bearer(&token)
            .json(&challenge)
            .send()
            .await;
        assert_refused(&reply, 429, "rate_limited");
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert_eq!(confirm(&app, &second, PASSWORD).await.status, 200);
    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(confirm(&app, &token, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn the_right_password_clears_earlier_failures() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let mut token = app.sign_in_as(&user).await;
    for _ in 0..3 {
        for _ in 0..19 {
            assert_eq!(confirm(&app, &token, "wrong").await.status, 422);
        }
        token = reauthenticate(&app, &token, PASSWORD).await;
    }
}

#[actix_web::test]
async fn failed_sign_ins_do_not_limit_challenges() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.sign_in.count = 1000;
    })
    .await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    for _ in 0..20 {
        assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
    }
    assert_refused(&app.sign_in(ONE, PASSWORD).await, 429, "rate_limited");
    assert_eq!(confirm(&app, &token, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn even_right_passwords_are_limited_by_client() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.sign_up.count = 3;
    })
    .await;
    let mut token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    for _ in 0..3 {
        token = reauthenticate(&app, &token, PASSWORD).await;
    }
    assert_refused(&confirm(&app, &token, PASSWORD).await, 429, "rate_limited");
}
