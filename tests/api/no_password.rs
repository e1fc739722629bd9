//! A user without a password: everything works, except for what needs one.

use cloakroom::domain::User;
use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, confirmation_token, count_in, execute_sql,
    reset_token, session_is_valid,
};

use crate::support::flows::Flows;

async fn without_password() -> (TestApp, User, String) {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    execute_sql(&app, "DELETE FROM passwords");
    (app, user, token)
}

#[actix_web::test]
async fn no_password_signs_in() {
    let (app, _, token) = without_password().await;
    for password in [PASSWORD, "wrong", ""] {
        let reply = app.sign_in(ONE, password).await;
        assert_refused(&reply, 401, "invalid_credentials");
    }
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn no_password_reauthenticates() {
    let (app, _, token) = without_password().await;
    let reply = app
        .post("/v1/session/reauthenticate")
        .bearer(&token)
        .json(&json!({ "password": PASSWORD }))
        .send()
        .await;
    assert_faults(&reply, &[("password", "is incorrect")]);
    let body = json!({ "password_challenge": PASSWORD });
    let reply = app.delete("/v1/user").bearer(&token).json(&body).send();
    assert_faults(&reply.await, &[("password_challenge", "is incorrect")]);
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
}

#[actix_web::test]
async fn a_reset_link_sets_the_first_password_once() {
    let (app, _, token) = without_password().await;
    let link = reset_token(&app, ONE).await;
    let reset = || {
        app.put(&format!("/v1/passwords/{link}"))
            .json(&json!({ "password": "another password" }))
            .send()
    };
    assert_eq!(reset().await.status, 200);
    assert_refused(&reset().await, 401, "link_invalid");
    assert!(!session_is_valid(&app, &token).await);
    assert_eq!(app.sign_in(ONE, "another password").await.status, 200);
}

#[actix_web::test]
async fn a_verification_link_works_without_a_password() {
    let (app, ..) = without_password().await;
    let link = confirmation_token(&app, ONE).await;
    let path = format!("/v1/confirmations/{link}");
    for _ in 0..2 {
        assert_eq!(app.put(&path).send().await.status, 200);
    }
}
