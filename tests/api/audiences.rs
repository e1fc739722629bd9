//! Access tokens for other services: this server refuses them, but describes and revokes them.

use cloakroom::config::Settings;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_refused, count_in, execute_sql, session_is_valid};
use crate::support::credentials::{api_key, claims, pair_in};

const ORDERS: &str = "https://orders.example.com";
const REPORTS: &str = "https://reports.example.com";
const OURS: &str = "http://localhost:3000";

fn two_audiences(settings: &mut Settings) {
    settings.tokens.audiences = [ORDERS, REPORTS].map(str::to_owned).to_vec();
}

async fn signed_in() -> (TestApp, String) {
    let app = TestApp::with_settings(two_audiences).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    (app, token)
}

async fn ask(app: &TestApp, session: &str, audience: &Value) -> Reply {
    let body = json!({ "audience": audience });
    let call = app.post("/v1/tokens").bearer(session).json(&body);
    call.send().await
}

async fn pair_for(app: &TestApp, session: &str, audience: &str) -> (String, String) {
    let reply = ask(app, session, &json!(audience)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    pair_in(&reply.json())
}

async fn refresh(app: &TestApp, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    app.post("/v1/tokens/refresh").json(&body).send().await
}

async fn introspect(app: &TestApp, token: &str) -> Value {
    let key = api_key(app, None, "introspect").await;
    let body = json!({ "token": token });
    let call = app.post("/v1/introspect").bearer(&key).json(&body);
    call.send().await.json()
}

#[actix_web::test]
async fn a_token_is_for_this_server_by_default() {
    let (app, session) = signed_in().await;
    for audience in [json!(null), json!(""), json!(OURS)] {
        let reply = ask(&app, &session, &audience).await;
        let (access, _) = pair_in(&reply.json());
        assert_eq!(claims(&access)["aud"], OURS, "{audience}");
        let opened = app.get("/v1/session").bearer(&access).send().await;
        assert_eq!(opened.status, 200);
    }
}

#[actix_web::test]
async fn a_token_for_another_service_is_refused_here() {
    let (app, session) = signed_in().await;
    let (access, _) = pair_for(&app, &session, ORDERS).await;
    assert_eq!(claims(&access)["aud"], ORDERS);
    // Twice: the second time, its claims are cached.
    for path in ["/v1/verify", "/v1/session", "/v1/user", "/v1/projects"].repeat(2) {
        let reply = app.get(path).bearer(&access).send().await;
        assert_refused(&reply, 401, "token_invalid");
    }
    let told = introspect(&app, &access).await;
    assert_eq!(
        (&told["active"], &told["aud"]),
        (&json!(true), &json!(ORDERS))
    );
    let reply = app.get("/v1/verify").bearer(&access).send().await;
    assert_refused(&reply, 401, "token_invalid");
}

#[actix_web::test]
async fn a_password_obtains_a_token_for_another_service() {
    let (app, _) = signed_in().await;
    let body = json!({ "email_address": ONE, "password": PASSWORD, "audience": REPORTS });
    let reply = app.post("/v1/tokens").json(&body).send().await;
    assert_eq!(claims(&pair_in(&reply.json()).0)["aud"], REPORTS);
}

#[actix_web::test]
async fn only_a_configured_audience_can_be_requested() {
    let (app, session) = signed_in().await;
    for audience in [
        "https://other.example.com",
        "https://orders.example.com/",
        " ",
        "*",
    ] {
        let reply = ask(&app, &session, &json!(audience)).await;
        assert_refused(&reply, 400, "invalid_target");
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
}

#[actix_web::test]
async fn a_refresh_keeps_the_audience() {
    let (app, session) = signed_in().await;
    let (_, first) = pair_for(&app, &session, ORDERS).await;
    let reply = refresh(&app, &first).await.json();
    let (access, second) = pair_in(&reply);
    assert_eq!(claims(&access)["aud"], ORDERS);
    // Repeated within the grace, it is the same pair.
    assert_eq!(pair_in(&refresh(&app, &first).await.json()).0, access);
    let (access, _) = pair_in(&refresh(&app, &second).await.json());
    assert_eq!(claims(&access)["aud"], ORDERS);
}

#[actix_web::test]
async fn an_audience_that_was_removed_gets_no_more_tokens() {
    let (app, session) = signed_in().await;
    let (_, token) = pair_for(&app, &session, ORDERS).await;
    execute_sql(
        &app,
        "UPDATE refresh_tokens SET audience = 'https://gone.example.com'",
    );
    assert_refused(&refresh(&app, &token).await, 400, "invalid_grant");
    assert!(session_is_valid(&app, &session).await);
}

#[actix_web::test]
async fn a_token_for_another_service_can_be_revoked() {
    let (app, session) = signed_in().await;
    let (access, _) = pair_for(&app, &session, ORDERS).await;
    let body = json!({ "token": access });
    assert_eq!(
        app.post("/v1/tokens/revoke")
            .json(&body)
            .send()
            .await
            .status,
        200
    );
    assert_eq!(introspect(&app, &access).await, json!({ "active": false }));
}
