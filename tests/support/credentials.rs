//! Credentials for machines, as the tests of several routes need them.

use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::User;
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::scope::Scopes;
use cloakroom::store::api_keys::{self, NewKey};
use cloakroom::testing::TestApp;
use serde_json::Value;

use super::app::write;
use super::flows::Flows;

/// An API key with these scopes, of a user or of a service.
pub async fn api_key(app: &TestApp, user: Option<&User>, scopes: &str) -> String {
    api_key_until(app, user, scopes, None).await
}

/// One that expires.
pub async fn api_key_until(
    app: &TestApp,
    user: Option<&User>,
    scopes: &str,
    expires_at: Option<Timestamp>,
) -> String {
    let (key, user_id) = (
        PlainToken::generate(TokenKind::ApiKey).unwrap(),
        user.map(|user| user.id),
    );
    let (digest, last_four) = (key.digest(), key.last_four().to_owned());
    let (scopes, now) = (Scopes::parse(scopes).unwrap(), app.clock().now());
    let made = write(app, move |tx| {
        let (name, last_four) = ("A key", last_four.as_str());
        let new = NewKey {
            user_id,
            name,
            token_digest: digest,
            last_four,
            scopes: &scopes,
            expires_at,
        };
        api_keys::insert(tx, &new, 100, now)
    });
    made.await.expect("room for a key");
    key.reveal().to_owned()
}

/// An access token and a refresh token of a session, with these scopes.
pub async fn pair(app: &TestApp, session: &str, scope: &str) -> (String, String) {
    let reply = app.issue_tokens(session, scope).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    pair_in(&reply.json())
}

/// The pair in a reply.
pub fn pair_in(reply: &Value) -> (String, String) {
    let [access, refresh] =
        ["access_token", "refresh_token"].map(|name| reply[name].as_str().unwrap());
    (access.to_owned(), refresh.to_owned())
}

/// The claims of an access token.
pub fn claims(access_token: &str) -> Value {
    use base64::Engine;
    let part = access_token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(
        &base64::prelude::BASE64_URL_SAFE_NO_PAD
            .decode(part)
            .unwrap(),
    )
    .unwrap()
}
