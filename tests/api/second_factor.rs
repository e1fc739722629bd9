//! Signing in while a second factor is due: no session starts.

use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{ONE, PASSWORD, assert_refused, count_in};
use crate::support::flows::Flows;

#[actix_web::test]
async fn a_password_alone_starts_no_session() {
    let app = TestApp::with_second_factor(|_| ()).await;
    app.create_user(ONE, PASSWORD).await;
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_refused(&reply, 403, "forbidden");
    assert_eq!(reply.json()["error"], "A second factor is required");
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn a_password_alone_gets_no_tokens() {
    let app = TestApp::with_second_factor(|_| ()).await;
    app.create_user(ONE, PASSWORD).await;
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let reply = app.post("/v1/tokens").json(&body).send().await;
    assert_refused(&reply, 403, "forbidden");
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
}

#[actix_web::test]
async fn a_wrong_password_reveals_no_second_factor() {
    let app = TestApp::with_second_factor(|_| ()).await;
    app.create_user(ONE, PASSWORD).await;
    for (address, password) in [(ONE, "wrong"), ("nobody@example.com", PASSWORD)] {
        let reply = app.sign_in(address, password).await;
        assert_refused(&reply, 401, "invalid_credentials");
    }
}

#[actix_web::test]
async fn a_due_second_factor_changes_nothing() {
    let app = TestApp::with_second_factor(|settings| settings.throttle.enabled = true).await;
    app.create_user(ONE, PASSWORD).await;
    for _ in 0..3 {
        assert_refused(&app.sign_in(ONE, "wrong").await, 401, "invalid_credentials");
    }
    let counted = "SELECT max(count) FROM throttles WHERE name LIKE 'address_failures:%'";
    assert_eq!(count_in(&app, counted), 3);
    assert_refused(&app.sign_in(ONE, PASSWORD).await, 403, "forbidden");
    assert_eq!(count_in(&app, counted), 4);
    assert_eq!(count_in(&app, "SELECT count(*) FROM known_devices"), 0);
}

#[actix_web::test]
async fn signing_up_with_a_due_second_factor_starts_no_session() {
    let app = TestApp::with_second_factor(|_| ()).await;
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let reply = app.post("/v1/registrations").json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["user"]["email_address"], ONE);
    assert_eq!(reply.json().get("token"), None);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}
