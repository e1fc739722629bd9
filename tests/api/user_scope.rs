//! The scope `user:read`: without it, API keys and access tokens do not learn who their user is beyond the id.

use cloakroom::domain::User;
use cloakroom::testing::{Reply, TestApp};
use serde_json::json;

use crate::support::app::{ONE, PASSWORD, assert_refused, execute_sql};
use crate::support::credentials::{api_key, pair};

/// An app with a user whose address is verified, and a session of theirs.
async fn verified() -> (TestApp, User, String) {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = created_at");
    let token = app.sign_in_as(&user).await;
    (app, user, token)
}

async fn get(app: &TestApp, path: &str, credential: &str) -> Reply {
    app.get(path).bearer(credential).send().await
}

#[actix_web::test]
async fn reading_the_user_requires_its_scope() {
    let (app, user, session) = verified().await;
    let narrow = [
        api_key(&app, Some(&user), "projects:read projects:write").await,
        pair(&app, &session, "projects:read").await.0,
    ];
    let wide = [
        api_key(&app, Some(&user), "user:read").await,
        pair(&app, &session, "user:read").await.0,
        session.clone(),
    ];
    for path in ["/v1/user", "/v1/session"] {
        for credential in &narrow {
            let reply = get(&app, path, credential).await;
            assert_refused(&reply, 403, "insufficient_scope");
            let challenge = reply.header("www-authenticate").unwrap();
            assert!(challenge.contains(r#"scope="user:read""#), "{challenge}");
            assert!(!reply.text().contains(ONE));
        }
        for credential in &wide {
            let reply = get(&app, path, credential).await;
            assert_eq!(reply.json()["user"]["email_address"], ONE, "{path}");
        }
    }
}

#[actix_web::test]
async fn the_default_scopes_of_a_token_include_it() {
    let (app, _, session) = verified().await;
    let reply = app.post("/v1/tokens").bearer(&session).send().await.json();
    let access = reply["access_token"].as_str().unwrap();
    assert_eq!(get(&app, "/v1/user", access).await.status, 200);
}

#[actix_web::test]
async fn forward_auth_reports_the_address_with_the_scope_only() {
    let (app, user, session) = verified().await;
    let id = user.id.0.to_string();
    for (scopes, address, confirmed) in [
        ("projects:read", "", ""),
        ("projects:read user:read", ONE, "true"),
    ] {
        let key = api_key(&app, Some(&user), scopes).await;
        let (access, _) = pair(&app, &session, scopes).await;
        // The second time, the address of a token's user could come from a cache.
        for credential in [&key, &access, &key, &access] {
            let reply = get(&app, "/v1/verify", credential).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("x-user-id"), Some(&*id));
            assert_eq!(reply.header("x-user-email"), Some(address), "{scopes}");
            assert_eq!(reply.header("x-user-email-confirmed"), Some(confirmed));
        }
    }
    let reply = get(&app, "/v1/verify", &session).await;
    assert_eq!(reply.header("x-user-email"), Some(ONE));
}

#[actix_web::test]
async fn a_users_key_introspects_the_address_with_the_scope_only() {
    let (app, user, session) = verified().await;
    let introspect = async |key: &str| {
        let body = json!({ "token": session });
        let call = app.post("/v1/introspect").bearer(key).json(&body);
        call.send().await.json()
    };
    let narrow = introspect(&api_key(&app, Some(&user), "introspect").await).await;
    assert_eq!(narrow["sub"], user.id.0.to_string());
    for member in ["username", "email_verified", "metadata"] {
        assert!(narrow.get(member).is_none(), "{member}");
    }
    for key in [
        api_key(&app, Some(&user), "introspect user:read").await,
        api_key(&app, None, "introspect").await,
    ] {
        let told = introspect(&key).await;
        assert_eq!(
            (&told["username"], &told["email_verified"]),
            (&json!(ONE), &json!(true))
        );
    }
}
