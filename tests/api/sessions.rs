//! Signing in and out.

use cloakroom::testing::TestApp;
use serde_json::json;

#[actix_web::test]
async fn a_session_is_started_shown_and_ended() {
    let app = TestApp::new().await;
    app.create_user("one@example.com", "password").await;
    let credentials = json!({ "email_address": " ONE@example.com", "password": "password" });
    let signed_in = app.post("/v1/session").json(&credentials).send().await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let token = signed_in.json()["token"].as_str().unwrap().to_owned();

    let shown = app.get("/v1/session").bearer(&token).send().await;
    assert_eq!(
        (shown.status, &shown.json()["session"]["current"]),
        (200, &json!(true))
    );
    let ended = app.delete("/v1/session").bearer(&token).send().await;
    assert_eq!(
        (ended.status, ended.json()),
        (200, json!({ "message": "Logged out" }))
    );
    assert_eq!(app.get("/v1/session").bearer(&token).send().await.status, 401);
}
