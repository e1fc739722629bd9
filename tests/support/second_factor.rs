//! A user's authenticator app.

use actix_web::http::Method;
use cloakroom::crypto::key_ring::Purpose;
use cloakroom::crypto::sealed::seal;
use cloakroom::crypto::totp::TotpSecret;
use cloakroom::domain::User;
use cloakroom::store::totp_factors;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use super::app::{PASSWORD, write};
use super::flows::Flows;

/// An app that was set up, and the recovery codes.
pub struct Authenticator {
    pub secret: TotpSecret,
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// The code that it shows now.
    pub fn code(&self, app: &TestApp) -> String {
        self.secret.code_at(app.clock().now())
    }

    /// The next code, after the one that it shows now.
    pub fn next_code(&self, app: &TestApp) -> String {
        app.clock().advance(std::time::Duration::from_secs(30));
        self.code(app)
    }
}

/// A change that needs the password, with it.
pub async fn challenged(app: &TestApp, method: Method, path: &str, session: &str) -> Reply {
    let body = json!({ "password_challenge": PASSWORD });
    let call = app.call(method, path).bearer(session).json(&body);
    call.send().await
}

/// Starts to set up an app; returns its secret.
pub async fn start_totp(app: &TestApp, session: &str) -> TotpSecret {
    let reply = challenged(app, Method::POST, "/v1/user/totp", session).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    secret_of(&reply)
}

/// Removes the app of the user of a session.
pub async fn remove_totp(app: &TestApp, session: &str) -> Reply {
    challenged(app, Method::DELETE, "/v1/user/totp", session).await
}

/// Proves again who the user of a session is: by `password`, `totp_code` or `recovery_code`.
pub async fn reauthenticate(app: &TestApp, session: &str, field: &str, proof: &str) -> Reply {
    app.post("/v1/session/reauthenticate")
        .bearer(session)
        .json(&json!({ field: proof }))
        .send()
        .await
}

/// The secret of a reply that starts a setup.
pub fn secret_of(reply: &Reply) -> TotpSecret {
    let text = reply.json()["secret"].as_str().unwrap().to_owned();
    TotpSecret::from_base32(&text).unwrap()
}

/// Sets up an app for the user of a session.
pub async fn enrol(app: &TestApp, session: &str) -> Authenticator {
    let secret = start_totp(app, session).await;
    let reply = prove(app, session, &secret.code_at(app.clock().now())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    Authenticator {
        secret,
        recovery_codes: recovery_codes_of(&reply),
    }
}

/// An app of a user who has not used it yet.
pub async fn enrolled(app: &TestApp, user: &User) -> TotpSecret {
    let secret = TotpSecret::generate().unwrap();
    let (id, now) = (user.id, app.clock().now());
    let key_ring = &app.context().key_ring;
    let sealed = seal(key_ring, Purpose::TotpSecret, id, secret.as_bytes()).unwrap();
    write(app, move |tx| {
        totp_factors::insert(tx, id, &sealed, now)?;
        totp_factors::enrol(tx, id, 0, now)
    })
    .await;
    secret
}

/// Sends a code that is to prove the secret.
pub async fn prove(app: &TestApp, session: &str, code: &str) -> Reply {
    let body = json!({ "password_challenge": PASSWORD, "code": code });
    app.put("/v1/user/totp")
        .bearer(session)
        .json(&body)
        .send()
        .await
}

/// The codes that a reply shows.
pub fn recovery_codes_of(reply: &Reply) -> Vec<String> {
    let codes = reply.json()["recovery_codes"].clone();
    serde_json::from_value(codes).unwrap()
}

/// Signs in with the password; returns the token of the pending sign-in.
pub async fn pending_sign_in(app: &TestApp, address: &str) -> String {
    let reply = app.sign_in(address, PASSWORD).await;
    assert_second_factor_due(&reply);
    reply.json()["pending_token"].as_str().unwrap().to_owned()
}

/// Presents a second factor: `totp_code` or `recovery_code`.
pub async fn present(app: &TestApp, pending_token: &str, field: &str, code: &str) -> Reply {
    let mut body = json!({ "pending_token": pending_token });
    body[field] = Value::from(code);
    app.post("/v1/session/second_factor")
        .json(&body)
        .send()
        .await
}

/// Asserts that the first step of a sign-in was right.
#[track_caller]
pub fn assert_second_factor_due(reply: &Reply) {
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert_eq!(reply.json()["code"], "second_factor_required");
}
