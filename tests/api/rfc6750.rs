//! Bearer tokens against RFC 6750, by its sections, with a session's token, an access token and an API key.

use std::time::Duration;

use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::testing::{Reply, TestApp};
use serde_json::json;

use crate::support::app::*;
use crate::support::credentials::*;

const PATH: &str = "/v1/projects";
const BARE: &str = r#"Bearer realm="cloakroom""#;

/// Somebody's session, access token and key, each good for the projects.
async fn credentials() -> (TestApp, [String; 3]) {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "projects:read projects:write").await;
    let end = app.clock().now() + Duration::from_secs(900);
    let key = api_key_until(&app, Some(&user), "projects:read projects:write", Some(end)).await;
    (app, [token, access, key])
}

#[track_caller]
fn assert_challenged(reply: &Reply, status: u16, code: &str, challenge: Option<&str>) {
    assert_refused(reply, status, code);
    assert_eq!(reply.header("www-authenticate"), challenge, "{code}");
    assert!(reply.headers.get_all("www-authenticate").count() <= 1);
}

#[actix_web::test]
async fn rfc_6750_2_1_the_scheme_is_case_insensitive() {
    let (app, credentials) = credentials().await;
    for credential in &credentials {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let call = app
                .get(PATH)
                .header("Authorization", &format!("{scheme} {credential}"));
            assert_eq!(call.send().await.status, 200, "{scheme}");
        }
        for scheme in ["Bearerer", "Basic", "Bear er", ""] {
            let call = app
                .get(PATH)
                .header("Authorization", &format!("{scheme} {credential}"));
            assert_challenged(&call.send().await, 401, "unauthorized", Some(BARE));
        }
    }
}

#[actix_web::test]
async fn rfc_6750_2_2_a_token_in_a_form_body_is_not_read() {
    let (app, credentials) = credentials().await;
    for credential in &credentials {
        let fields = [("access_token", credential.as_str()), ("title", "A title")];
        assert_challenged(
            &app.post(PATH).form(&fields).send().await,
            401,
            "unauthorized",
            Some(BARE),
        );
        // Nor does it count as a second one beside the header.
        assert_eq!(
            app.post(PATH)
                .bearer(credential)
                .form(&fields)
                .send()
                .await
                .status,
            201
        );
    }
}

#[actix_web::test]
async fn rfc_6750_2_3_a_token_in_the_query_is_not_read() {
    let (app, credentials) = credentials().await;
    for credential in &credentials {
        let path = format!("{PATH}?access_token={credential}");
        assert_challenged(
            &app.get(&path).send().await,
            401,
            "unauthorized",
            Some(BARE),
        );
        assert_eq!(app.get(&path).bearer(credential).send().await.status, 200);
    }
}

#[actix_web::test]
async fn rfc_6750_3_a_request_without_credentials_gets_no_error_code() {
    let app = TestApp::new().await;
    assert_challenged(&app.get(PATH).send().await, 401, "unauthorized", Some(BARE));
    let basic = app
        .get(PATH)
        .header("Authorization", "Basic b25lOnR3bw==")
        .send()
        .await;
    assert_challenged(&basic, 401, "unauthorized", Some(BARE));
}

#[actix_web::test]
async fn rfc_6750_3_1_two_credentials_are_invalid_request() {
    let (app, [token, access, key]) = credentials().await;
    for (one, other) in [
        (&token, &key),
        (&access, &key),
        (&key, &key),
        (&token, &token),
    ] {
        let both = app
            .get(PATH)
            .bearer(one)
            .header("X-API-Key", other)
            .send()
            .await;
        assert_challenged(&both, 400, "invalid_request", None);
        let twice = app.get(PATH).bearer(one).bearer(other).send().await;
        assert_challenged(&twice, 400, "invalid_request", None);
        let keys = app
            .get(PATH)
            .header("X-API-Key", one)
            .header("X-API-Key", other)
            .send()
            .await;
        assert_challenged(&keys, 400, "invalid_request", None);
    }
}

#[actix_web::test]
async fn rfc_6750_3_1_invalid_token_is_401() {
    let (app, [token, access, key]) = credentials().await;
    let invalid = format!("{BARE}, error=\"invalid_token\"");
    let refresh = pair(&app, &token, "").await.1;
    let new = |kind| PlainToken::generate(kind).unwrap().reveal().to_owned();
    let forged = format!("{}A", &access[..access.len() - 2]);
    for (credential, code) in [
        ("malformed", "token_invalid"),
        ("", "token_invalid"),
        ("a.b.c", "token_invalid"),
        (&*forged, "token_invalid"),
        (&*refresh, "token_invalid"),
        (&*new(TokenKind::Session), "token_invalid"),
        (&*new(TokenKind::ApiKey), "invalid_api_key"),
        (&key[..key.len() - 1], "invalid_api_key"),
    ] {
        assert_challenged(
            &app.get(PATH).bearer(credential).send().await,
            401,
            code,
            Some(&invalid),
        );
    }
    let as_key = app.get(PATH).header("X-API-Key", &token).send().await;
    assert_challenged(&as_key, 401, "invalid_api_key", Some(&invalid));

    app.clock().advance(Duration::from_secs(900));
    let expired = format!("{invalid}, error_description=\"The token has expired\"");
    assert_challenged(
        &app.get(PATH).bearer(&access).send().await,
        401,
        "token_expired",
        Some(&expired),
    );
    assert_challenged(
        &app.get(PATH).bearer(&key).send().await,
        401,
        "invalid_api_key",
        Some(&invalid),
    );
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    assert_challenged(
        &app.get(PATH).bearer(&token).send().await,
        401,
        "token_invalid",
        Some(&invalid),
    );
}

#[actix_web::test]
async fn rfc_6750_3_1_insufficient_scope_names_the_scope() {
    let (app, user, token) = signed_in().await;
    let (access, _) = pair(&app, &token, "projects:read").await;
    let key = api_key(&app, Some(&user), "projects:read").await;
    for credential in [&access, &key] {
        assert_eq!(app.get(PATH).bearer(credential).send().await.status, 200);
        let reply = app
            .post(PATH)
            .bearer(credential)
            .json(&json!({ "title": "A title" }))
            .send()
            .await;
        let challenge = format!(r#"{BARE}, error="insufficient_scope", scope="projects:write""#);
        assert_challenged(&reply, 403, "insufficient_scope", Some(&challenge));
    }
}
