//! How and when a user authenticated: in sessions, tokens and introspection, and what `/v1/verify` demands of it.

use std::time::Duration;

use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{ONE, assert_faults, assert_refused, new_token, signed_in};
use crate::support::credentials::{api_key, claims, pair};
use crate::support::second_factor::{
    Authenticator, enrol, pending_sign_in, present, reauthenticate,
};

/// A session that started with two factors.
async fn signed_in_with_two_factors() -> (TestApp, Authenticator, String) {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let code = authenticator.next_code(&app);
    let pending = pending_sign_in(&app, ONE).await;
    let token = new_token(&present(&app, &pending, "totp_code", &code).await);
    (app, authenticator, token)
}

async fn verify(app: &TestApp, credential: &str, query: &str) -> Reply {
    let path = format!("/v1/verify?{query}");
    app.get(&path).bearer(credential).send().await
}

#[track_caller]
fn assert_challenged(reply: &Reply, parameters: &str) {
    assert_refused(reply, 401, "insufficient_user_authentication");
    let challenge = format!(
        r#"Bearer realm="cloakroom", error="insufficient_user_authentication"{parameters}"#
    );
    assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()));
}

#[actix_web::test]
async fn sessions_say_how_and_when() {
    let (app, _, token) = signed_in_with_two_factors().await;
    let session = app.get("/v1/session").bearer(&token).send().await.json()["session"].clone();
    assert_eq!(session["auth_methods"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(session["authenticated_at"], session["created_at"]);
}

#[actix_web::test]
async fn access_tokens_say_how_and_when() {
    let (app, _, token) = signed_in_with_two_factors().await;
    let stated = claims(&pair(&app, &token, "").await.0);
    assert_eq!(stated["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(stated["acr"], "aal2");
    assert_eq!(stated["auth_time"], stated["iat"]);
}

#[actix_web::test]
async fn a_token_of_one_factor_has_no_context_class() {
    let (app, _, token) = signed_in().await;
    let stated = claims(&pair(&app, &token, "").await.0);
    assert_eq!(stated.get("acr"), None);
}

#[actix_web::test]
async fn introspection_says_how_and_when() {
    let (app, _, token) = signed_in_with_two_factors().await;
    let asker = api_key(&app, None, "introspect").await;
    let (access, refresh) = pair(&app, &token, "").await;
    for credential in [token, access, refresh] {
        let body = json!({ "token": credential });
        let reply = app
            .post("/v1/introspect")
            .bearer(&asker)
            .json(&body)
            .send()
            .await
            .json();
        assert_eq!(reply["amr"], json!(["pwd", "otp", "mfa"]));
        assert_eq!(reply["acr"], "aal2");
        assert!(reply["auth_time"].is_i64());
    }
    let body = json!({ "token": asker });
    let key = app
        .post("/v1/introspect")
        .bearer(&asker)
        .json(&body)
        .send()
        .await
        .json();
    assert_eq!((key.get("amr"), key.get("auth_time")), (None, None));
}

#[actix_web::test]
async fn two_factors_can_be_demanded() {
    let (app, _, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "").await;
    for credential in [&token, &access] {
        let reply = verify(&app, credential, "acr=aal2").await;
        assert_challenged(&reply, r#", acr_values="aal2""#);
    }
    let (app, _, token) = signed_in_with_two_factors().await;
    let (access, _) = pair(&app, &token, "").await;
    for credential in [&token, &access] {
        assert_eq!(verify(&app, credential, "acr=aal2").await.status, 200);
    }
}

#[actix_web::test]
async fn a_recent_authentication_can_be_demanded() {
    let (app, _, token) = signed_in_with_two_factors().await;
    app.clock().advance(Duration::from_secs(60));
    assert_eq!(verify(&app, &token, "max_age=60").await.status, 200);
    app.clock().advance(Duration::from_millis(1));
    assert_challenged(
        &verify(&app, &token, "max_age=60").await,
        r#", max_age="60""#,
    );
    let both = verify(&app, &token, "acr=aal2&max_age=60").await;
    assert_challenged(&both, r#", acr_values="aal2", max_age="60""#);
}

#[actix_web::test]
async fn a_code_raises_a_session_to_two_factors() {
    let (app, user, token) = signed_in().await;
    let authenticator = enrol(&app, &app.sign_in_as(&user).await).await;
    assert_eq!(verify(&app, &token, "acr=aal2").await.status, 401);
    let code = authenticator.next_code(&app);
    let token = new_token(&reauthenticate(&app, &token, "totp_code", &code).await);
    assert_eq!(verify(&app, &token, "acr=aal2&max_age=0").await.status, 200);
    let code = authenticator.next_code(&app);
    let token = new_token(&reauthenticate(&app, &token, "totp_code", &code).await);
    let shown = app.get("/v1/session").bearer(&token).send().await.json();
    let methods: Vec<Value> = shown["session"]["auth_methods"].as_array().unwrap().clone();
    assert_eq!(methods.len(), 3, "each method once: {methods:?}");
}

#[actix_web::test]
async fn an_api_key_proves_no_authentication() {
    let (app, user, _) = signed_in().await;
    let key = api_key(&app, Some(&user), "projects:read").await;
    for query in ["acr=aal2", "max_age=60"] {
        assert_refused(&verify(&app, &key, query).await, 403, "forbidden");
    }
}

#[actix_web::test]
async fn an_unknown_demand_is_refused() {
    let (app, _, token) = signed_in().await;
    for query in ["acr=aal9", "acr="] {
        assert_refused(&verify(&app, &token, query).await, 400, "invalid_request");
    }
    for query in ["max_age=-1", "max_age=soon", "max_age="] {
        let reply = verify(&app, &token, query).await;
        assert_faults(&reply, &[("max_age", "is invalid")]);
    }
}
