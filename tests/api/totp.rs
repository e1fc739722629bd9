//! Setting up and removing an authenticator app, and recovery codes.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::http::Method;
use cloakroom::accounts::second_factor::seal_again;
use cloakroom::config::Secret;
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::domain::User;
use cloakroom::store::{key_bases, totp_factors};
use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, column_in, count_in, has_mail, new_token,
    reset_token, session_is_valid, signed_in, write,
};
use crate::support::flows::Flows;
use crate::support::second_factor::{
    assert_second_factor_due, challenged, enrol, pending_sign_in, present, prove, reauthenticate,
    recovery_codes_of, remove_totp, secret_of, start_totp,
};

#[actix_web::test]
async fn a_secret_is_shown_as_text_url_and_qr_code() {
    let (app, _, token) = signed_in().await;
    let reply = challenged(&app, Method::POST, "/v1/user/totp", &token).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown = reply.json();
    let secret = shown["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    assert_eq!(
        shown["otpauth_url"],
        format!("otpauth://totp/Cloakroom:one@example.com?secret={secret}&issuer=Cloakroom")
    );
    assert!(shown["qr_svg"].as_str().unwrap().starts_with("<svg "));
}

#[actix_web::test]
async fn an_unproved_secret_is_no_factor() {
    let (app, _, token) = signed_in().await;
    start_totp(&app, &token).await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    let listed = app.get("/v1/user/factors").bearer(&token).send().await;
    assert_eq!(
        listed.json(),
        json!({ "factors": [], "recovery_codes_left": 0, "has_password": true })
    );
}

#[actix_web::test]
async fn enrolment_is_proved_by_a_code_and_reported() {
    let (app, _, token) = signed_in().await;
    let secret = start_totp(&app, &token).await;
    let wrong = prove(&app, &token, "000000").await;
    assert_faults(&wrong, &[("code", "is incorrect")]);
    let reply = prove(&app, &token, &secret.code_at(app.clock().now())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let codes: HashSet<String> = recovery_codes_of(&reply).into_iter().collect();
    assert_eq!(codes.len(), 10);
    let listed = app
        .get("/v1/user/factors")
        .bearer(&token)
        .send()
        .await
        .json();
    assert_eq!(listed["factors"][0]["kind"], "totp");
    assert_eq!(listed["recovery_codes_left"], 10);
    let mails = app.mails().await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.subject == "An authenticator app was set up for your account")
    );
}

#[actix_web::test]
async fn a_session_without_a_proof_changes_no_factor() {
    let (app, _, token) = signed_in().await;
    enrol(&app, &token).await;
    app.clock().advance(Duration::from_secs(15 * 60));
    let [blank, wrong] = [json!({}), json!({ "password_challenge": "wrong" })];
    for (body, fault) in [(&blank, "can't be blank"), (&wrong, "is incorrect")] {
        for call in [
            app.post("/v1/user/totp"),
            app.delete("/v1/user/totp"),
            app.post("/v1/user/recovery_codes"),
        ] {
            let reply = call.bearer(&token).json(body).send().await;
            assert_faults(&reply, &[("password_challenge", fault)]);
        }
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM recovery_codes"), 10);
}

#[actix_web::test]
async fn an_enrolled_app_is_not_replaced_unseen() {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let again = challenged(&app, Method::POST, "/v1/user/totp", &token).await;
    assert_refused(&again, 422, "totp_enrolled");
    let code = authenticator.next_code(&app);
    assert_refused(&prove(&app, &token, &code).await, 422, "totp_enrolled");
}

#[actix_web::test]
async fn a_setup_is_void_after_an_hour() {
    let (app, _, token) = signed_in().await;
    assert_refused(
        &prove(&app, &token, "123456").await,
        422,
        "totp_not_started",
    );
    let secret = start_totp(&app, &token).await;
    app.clock().advance(Duration::from_secs(3600));
    let code = secret.code_at(app.clock().now());
    assert_refused(&prove(&app, &token, &code).await, 422, "totp_not_started");
}

#[actix_web::test]
async fn wrong_codes_of_a_setup_are_limited() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.second_factor = "2 in 15m".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let secret = start_totp(&app, &token).await;
    for _ in 0..2 {
        let reply = prove(&app, &token, "000000").await;
        assert_faults(&reply, &[("code", "is incorrect")]);
    }
    let code = secret.code_at(app.clock().now());
    assert_refused(&prove(&app, &token, &code).await, 429, "rate_limited");
}

#[actix_web::test]
async fn a_removed_app_is_needed_no_more() {
    let (app, _, token) = signed_in().await;
    enrol(&app, &token).await;
    assert_eq!(remove_totp(&app, &token).await.status, 204);
    assert_refused(&remove_totp(&app, &token).await, 404, "not_found");
    assert_eq!(count_in(&app, "SELECT count(*) FROM recovery_codes"), 0);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    let mails = app.mails().await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.subject == "The authenticator app of your account was removed")
    );
}

#[actix_web::test]
async fn new_recovery_codes_void_the_old_ones() {
    let (app, _, token) = signed_in().await;
    let replace = || challenged(&app, Method::POST, "/v1/user/recovery_codes", &token);
    assert_refused(&replace().await, 422, "no_second_factor");
    let authenticator = enrol(&app, &token).await;
    let new = recovery_codes_of(&replace().await);
    let pending = pending_sign_in(&app, ONE).await;
    let old = present(
        &app,
        &pending,
        "recovery_code",
        &authenticator.recovery_codes[0],
    )
    .await;
    assert_refused(&old, 401, "invalid_code");
    new_token(&present(&app, &pending, "recovery_code", &new[0]).await);
}

#[actix_web::test]
async fn a_code_reauthenticates_once() {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let code = authenticator.next_code(&app);
    let wrong = reauthenticate(&app, &token, "totp_code", "000000").await;
    assert_faults(&wrong, &[("totp_code", "is incorrect")]);
    let rotated = new_token(&reauthenticate(&app, &token, "totp_code", &code).await);
    assert!(!session_is_valid(&app, &token).await);
    let again = reauthenticate(&app, &rotated, "totp_code", &code).await;
    assert_faults(&again, &[("totp_code", "is incorrect")]);
    let removed = app
        .delete("/v1/user/totp")
        .bearer(&rotated)
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(removed.status, 204, "{}", removed.text());
}

#[actix_web::test]
async fn a_recovery_code_reauthenticates() {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let code = &authenticator.recovery_codes[3];
    new_token(&reauthenticate(&app, &token, "recovery_code", code).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM recovery_codes"), 9);
}

#[actix_web::test]
async fn a_proof_is_sent_alone() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "password": PASSWORD, "totp_code": "123456" });
    let reply = app
        .post("/v1/session/reauthenticate")
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    assert_faults(&reply, &[("password", "can't be sent with another proof")]);
}

#[actix_web::test]
async fn the_database_holds_no_secret_and_no_code() {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let encode = match app.schema() {
        None => "lower(hex(sealed_secret))",
        Some(_) => "encode(sealed_secret, 'hex')",
    };
    let stored = column_in(&app, &format!("SELECT {encode} FROM totp_factors"));
    let stored = stored[0].clone().unwrap();
    assert!(!stored.contains(&hex(authenticator.secret.as_bytes())));
    let encode = encode.replace("sealed_secret", "code_digest");
    let stored = column_in(&app, &format!("SELECT {encode} FROM recovery_codes"));
    for code in &authenticator.recovery_codes {
        let plain = hex(code.replace('-', "").as_bytes());
        assert!(
            stored
                .iter()
                .flatten()
                .all(|digest| !digest.contains(&plain))
        );
    }
}

#[actix_web::test]
async fn a_deleted_user_leaves_no_factor() {
    let (app, _, token) = signed_in().await;
    enrol(&app, &token).await;
    pending_sign_in(&app, ONE).await;
    let deleted = challenged(&app, Method::DELETE, "/v1/user", &token).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    for table in ["totp_factors", "recovery_codes", "pending_sign_ins"] {
        assert_eq!(
            count_in(&app, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
}

#[actix_web::test]
async fn the_first_reset_removes_a_factor_set_up_before() {
    let (app, _, squatter) = signed_in().await;
    enrol(&app, &squatter).await;
    let reset = app
        .reset_password(&reset_token(&app, ONE).await, "of the owner")
        .await;
    assert_eq!(reset.status, 200, "{}", reset.text());
    assert!(has_mail(&app, "The authenticator app of your account was removed").await);
    let owner = app.sign_in(ONE, "of the owner").await;
    let token = new_token(&owner);
    let body = json!({ "password_challenge": "of the owner" });
    let started = app.post("/v1/user/totp").bearer(&token).json(&body);
    let started = started.send().await;
    let code = secret_of(&started).code_at(app.clock().now());
    let body = json!({ "password_challenge": "of the owner", "code": code });
    let proved = app.put("/v1/user/totp").bearer(&token).json(&body);
    let proved = proved.send().await;
    assert_eq!(proved.status, 200, "{}", proved.text());
    let reset = app
        .reset_password(&reset_token(&app, ONE).await, "another one")
        .await;
    assert_eq!(reset.status, 200, "{}", reset.text());
    assert_second_factor_due(&app.sign_in(ONE, "another one").await);
}

#[actix_web::test]
async fn an_older_session_removes_a_factor_only_with_a_code() {
    let (app, user, old) = signed_in().await;
    let authenticator = enrol(&app, &app.sign_in_as(&user).await).await;
    for (method, path) in [
        (Method::DELETE, "/v1/user/totp"),
        (Method::POST, "/v1/user/recovery_codes"),
    ] {
        let reply = challenged(&app, method, path, &old).await;
        assert_refused(&reply, 401, "insufficient_user_authentication");
    }
    let code = authenticator.next_code(&app);
    let token = new_token(&reauthenticate(&app, &old, "totp_code", &code).await);
    assert_eq!(remove_totp(&app, &token).await.status, 204);
}

#[actix_web::test]
async fn wrong_passwords_in_a_session_use_up_no_codes() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let authenticator = enrol(&app, &token).await;
    let wrong = json!({ "password_challenge": "wrong" });
    for _ in 0..5 {
        for path in ["/v1/user/totp", "/v1/user/recovery_codes"] {
            let reply = app.post(path).bearer(&token).json(&wrong).send().await;
            assert_faults(&reply, &[("password_challenge", "is incorrect")]);
        }
        let reply = reauthenticate(&app, &token, "totp_code", "000000").await;
        assert_faults(&reply, &[("totp_code", "is incorrect")]);
    }
    let code = authenticator.next_code(&app);
    let pending = pending_sign_in(&app, ONE).await;
    new_token(&present(&app, &pending, "totp_code", &code).await);
}

/// An app with a signed-in user, and the keys of a server that has rotated its key base.
async fn rotated() -> (TestApp, User, String, KeyRing) {
    let base = |letter: &str| Secret::from(letter.repeat(64));
    let old = base("o");
    let app = TestApp::with_settings(|settings| settings.secrets.key_base = Some(old)).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let next = KeyRing::new(base("n"), vec![base("o")]);
    (app, user, token, next)
}

#[actix_web::test]
async fn secrets_are_not_sealed_again_after_a_stop() {
    let (app, user, token, next) = rotated().await;
    enrol(&app, &token).await;
    let (database, id) = (&app.context().database, user.id);
    let current = next.names().current;
    let key_base = || async {
        let found = database.read(move |reader| totp_factors::find(reader, id));
        found.await.unwrap().unwrap().secret.key_base
    };
    seal_again(database, &next, || true).await.unwrap();
    assert_ne!(key_base().await, current);
    seal_again(database, &next, || false).await.unwrap();
    assert_eq!(key_base().await, current);
}

#[actix_web::test]
async fn no_app_is_set_up_under_a_retired_key_base() {
    let (app, _, token, next) = rotated().await;
    let (names, now) = (next.names(), app.clock().now());
    write(&app, move |tx| key_bases::record(tx, &names, now).map(drop)).await;
    let reply = challenged(&app, Method::POST, "/v1/user/totp", &token).await;
    assert_refused(&reply, 503, "unavailable");
    assert_eq!(count_in(&app, "SELECT count(*) FROM totp_factors"), 0);
}
