//! Users who must have a second factor, and until when they may sign in without.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::config::Required;
use cloakroom::domain::{Role, User};
use cloakroom::store::users;
use cloakroom::testing::{Reply, START, TestApp};
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_refused, confirmation_token, count_in, new_token, reset_token,
    session_is_valid, write,
};
use crate::support::credentials::api_key;
use crate::support::flows::Flows;
use crate::support::mail_code::{ask, last_mailed};
use crate::support::passkeys::{add_device, assertion, device_of, sign_in_with};
use crate::support::second_factor::{
    assert_second_factor_due, challenged, enrol, pending_sign_in, present, remove_totp,
};

const HOUR: Duration = Duration::from_secs(3600);
const GRACE: Duration = Duration::from_secs(7 * 24 * 3600);
const NEW: &str = "another password";

/// An app that requires second factors, with one user.
async fn requiring(required: Required) -> (TestApp, User) {
    let app = TestApp::with_settings(|settings| settings.second_factor.required = required).await;
    let user = app.create_user(ONE, PASSWORD).await;
    (app, user)
}

/// When the session of a reply must have a second factor.
#[track_caller]
fn enrol_until(reply: &Reply) -> Value {
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
    reply.json()["session"]["enrol_until"].clone()
}

async fn assert_overdue(app: &TestApp, password: &str) {
    let code = "second_factor_enrolment_required";
    assert_refused(&app.sign_in(ONE, password).await, 403, code);
    let body = json!({ "email_address": ONE, "password": password });
    assert_refused(&app.post("/v1/tokens").json(&body).send().await, 403, code);
}

async fn reset(app: &TestApp) {
    let link = reset_token(app, ONE).await;
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
}

#[actix_web::test]
async fn the_grace_starts_with_the_first_sign_in() {
    let (app, _) = requiring(Required::All).await;
    app.clock().advance(GRACE * 2);
    let first = app.sign_in(ONE, PASSWORD).await;
    let until = json!((START + GRACE * 3).to_string());
    assert_eq!(enrol_until(&first), until);
    app.clock().advance(HOUR);
    let again = app.sign_in(ONE, PASSWORD).await;
    assert_eq!(enrol_until(&again), until);
    let shown = app.get("/v1/session").bearer(&new_token(&again)).send();
    assert_eq!(enrol_until(&shown.await), until);
}

#[actix_web::test]
async fn a_sign_up_starts_the_grace() {
    let (app, _) = requiring(Required::All).await;
    let reply = app.sign_up("two@example.com", PASSWORD).await;
    assert_eq!(enrol_until(&reply), json!((START + GRACE).to_string()));
    assert_eq!(
        reply.json()["expires_at"],
        reply.json()["session"]["enrol_until"]
    );
}

#[actix_web::test]
async fn sessions_of_the_grace_end_with_it() {
    let (app, _) = requiring(Required::All).await;
    let token = new_token(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(GRACE - HOUR);
    let late = new_token(&app.sign_in(ONE, PASSWORD).await);
    assert!(session_is_valid(&app, &token).await && session_is_valid(&app, &late).await);
    app.clock().advance(HOUR);
    assert!(!session_is_valid(&app, &token).await && !session_is_valid(&app, &late).await);
}

#[actix_web::test]
async fn the_password_alone_is_refused_after_the_grace() {
    let (app, _) = requiring(Required::All).await;
    new_token(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(GRACE);
    let before = count_in(&app, "SELECT count(*) FROM sessions");
    assert_overdue(&app, PASSWORD).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), before);
    assert_eq!(count_in(&app, "SELECT count(*) FROM pending_sign_ins"), 0);
    let wrong = app.sign_in(ONE, "wrong").await;
    assert_refused(&wrong, 401, "invalid_credentials");
}

#[actix_web::test]
async fn a_reset_opens_an_hour_to_enrol() {
    let (app, _) = requiring(Required::All).await;
    new_token(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(GRACE * 2);
    reset(&app).await;
    let attacker = app.sign_in(ONE, PASSWORD).await;
    assert_refused(&attacker, 401, "invalid_credentials");
    let reply = app.sign_in(ONE, NEW).await;
    let until = app.clock().now() + HOUR;
    assert_eq!(enrol_until(&reply), json!(until.to_string()));
    app.clock().advance(HOUR);
    assert!(!session_is_valid(&app, &new_token(&reply)).await);
    assert_overdue(&app, NEW).await;
}

#[actix_web::test]
async fn an_enrolled_user_signs_in_as_long_as_others() {
    let (app, _) = requiring(Required::All).await;
    new_token(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(GRACE);
    reset(&app).await;
    // As in other tests, the password is the one that the helpers send.
    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, PASSWORD).await.status, 200);
    let token = new_token(&app.sign_in(ONE, PASSWORD).await);
    let authenticator = enrol(&app, &token).await;
    let shown = app.get("/v1/session").bearer(&token).send().await;
    assert_eq!(enrol_until(&shown), Value::Null);
    app.clock().advance(GRACE * 2);
    let pending = pending_sign_in(&app, ONE).await;
    let reply = present(&app, &pending, "totp_code", &authenticator.code(&app)).await;
    assert_eq!(enrol_until(&reply), Value::Null);
    app.clock().advance(GRACE);
    assert!(session_is_valid(&app, &new_token(&reply)).await);
}

#[actix_web::test]
async fn removing_the_factor_opens_an_hour_only() {
    let (app, user) = requiring(Required::All).await;
    let token = app.sign_in_as(&user).await;
    enrol(&app, &token).await;
    assert_eq!(remove_totp(&app, &token).await.status, 204);
    let until = json!((START + HOUR).to_string());
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), until);
    app.clock().advance(HOUR);
    assert_overdue(&app, PASSWORD).await;
}

#[actix_web::test]
async fn a_user_with_passkeys_presents_one_after_the_password() {
    let (app, user) = requiring(Required::All).await;
    app.sign_in_as(&user).await;
    let (device, _) = device_of(&app, &user).await;
    app.clock().advance(GRACE);
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_second_factor_due(&reply);
    assert_eq!(reply.json()["methods"], json!(["passkey"]));
}

#[actix_web::test]
async fn a_passkey_after_the_password_ends_the_grace() {
    let (app, user) = requiring(Required::All).await;
    app.sign_in_as(&user).await;
    let (device, _) = device_of(&app, &user).await;
    let pending = pending_sign_in(&app, ONE).await;
    let body = json!({ "pending_token": pending, "passkey": assertion(&app, &device).await });
    let call = app.post("/v1/session/second_factor").json(&body);
    assert_eq!(enrol_until(&call.send().await), Value::Null);
}

#[actix_web::test]
async fn adding_a_passkey_ends_the_grace() {
    let (app, user) = requiring(Required::All).await;
    let token = app.sign_in_as(&user).await;
    add_device(&app, &token).await;
    let shown = app.get("/v1/session").bearer(&token).send().await;
    assert_eq!(enrol_until(&shown), Value::Null);
}

#[actix_web::test]
async fn removing_the_last_passkey_opens_an_hour_only() {
    let (app, user) = requiring(Required::All).await;
    let (device, passkey) = device_of(&app, &user).await;
    let token = new_token(&sign_in_with(&app, &device).await);
    let path = format!("/v1/user/passkeys/{}", passkey.id.0);
    let removed = challenged(&app, Method::DELETE, &path, &token).await;
    assert_eq!(removed.status, 204, "{}", removed.text());
    let until = json!((START + HOUR).to_string());
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), until);
}

#[actix_web::test]
async fn a_reset_keeps_the_factor_of_a_verified_user() {
    let (app, user) = requiring(Required::All).await;
    let link = confirmation_token(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    enrol(&app, &app.sign_in_as(&user).await).await;
    reset(&app).await;
    assert_second_factor_due(&app.sign_in(ONE, NEW).await);
}

#[actix_web::test]
async fn operators_alone_can_be_required_to_have_one() {
    let (app, user) = requiring(Required::Operators).await;
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), Value::Null);
    let (id, now) = (user.id, app.clock().now());
    let set_role = |role| write(&app, move |tx| users::set_role(tx, id, role, now));
    set_role(Role::Operator).await;
    let until = json!((START + GRACE).to_string());
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), until);
    app.clock().advance(GRACE);
    assert_overdue(&app, PASSWORD).await;
    set_role(Role::User).await;
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), Value::Null);
    // An operator again, the user has the whole grace again.
    set_role(Role::Operator).await;
    let until = json!((START + GRACE * 2).to_string());
    assert_eq!(enrol_until(&app.sign_in(ONE, PASSWORD).await), until);
}

#[actix_web::test]
async fn api_keys_and_older_sessions_outlive_the_grace() {
    let (app, user) = requiring(Required::All).await;
    let token = app.sign_in_as(&user).await;
    let key = api_key(&app, Some(&user), "user:read").await;
    new_token(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(GRACE);
    assert!(session_is_valid(&app, &token).await);
    let reply = app.get("/v1/user").bearer(&key).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let demanded = app.get("/v1/verify?acr=aal2").bearer(&token).send().await;
    assert_refused(&demanded, 401, "insufficient_user_authentication");
}

#[actix_web::test]
async fn a_mailed_code_alone_is_refused_after_the_grace() {
    let app = TestApp::with_settings(|settings| {
        settings.second_factor.required = Required::All;
        settings.sign_in.mail_code = true;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    let by_mail = || async {
        let asked = ask(&app, ONE).await;
        let code = last_mailed(&app, ONE).await.code;
        let body = json!({ "request_token": asked.token, "code": code });
        app.post("/v1/session").json(&body).send().await
    };
    let until = json!((START + GRACE).to_string());
    assert_eq!(enrol_until(&by_mail().await), until);
    app.clock().advance(GRACE);
    let code = "second_factor_enrolment_required";
    assert_refused(&by_mail().await, 403, code);
}
