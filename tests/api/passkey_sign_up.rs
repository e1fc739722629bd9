//! Accounts without a password.

use std::time::Duration;

use cloakroom::config::Confirm;
use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, assert_unusable_addresses_are_refused, count_in,
    execute_sql, last_confirmation, new_token, seen, session_is_valid,
};
use crate::support::flows::Flows;
use crate::support::passkeys::{
    Device, add, creation_options, sign_in_with, sign_up_options, sign_up_with, signed_up,
};

const INVALID: &[(&str, &str)] = &[("passkey", "could not be verified")];

async fn answer(app: &TestApp, address: &str) -> (Device, serde_json::Value) {
    let mut device = Device::new();
    let options = sign_up_options(app, address).await.json();
    let credential = device.create(&options);
    (device, credential)
}

#[actix_web::test]
async fn a_person_signs_up_and_in_without_a_password() {
    let app = TestApp::new().await;
    let (device, token) = signed_up(&app, ONE).await;
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM passwords"), 0);
    let reply = sign_in_with(&app, &device).await;
    assert_eq!(reply.json()["user"]["email_address"], ONE);
    assert_eq!(
        reply.json()["session"]["auth_methods"],
        json!(["pop", "user", "mfa"])
    );
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
}

#[actix_web::test]
async fn the_options_do_not_tell_whether_an_address_is_taken() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    let shape = |mut options: serde_json::Value| {
        for random in ["challenge", "user"] {
            options[random] = json!(null);
        }
        options
    };
    let [taken, free] = [ONE, "two@example.com"].map(|address| sign_up_options(&app, address));
    let (taken, free) = (taken.await, free.await);
    assert_eq!(shape(taken.json()), shape(free.json()));
    assert_eq!(taken.json()["excludeCredentials"], json!([]));
    assert_unusable_addresses_are_refused(&app, "/v1/registrations/passkey/options").await;
}

#[actix_web::test]
async fn a_taken_address_gets_the_answer_of_a_password() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    let (_, credential) = answer(&app, ONE).await;
    let by_passkey = sign_up_with(&app, ONE, &credential).await;
    assert_refused(&by_passkey, 422, "account_not_created");
    assert_eq!(seen(&by_passkey), seen(&app.sign_up(ONE, PASSWORD).await));
    assert_eq!(count_in(&app, "SELECT count(*) FROM passkeys"), 0);
}

#[actix_web::test]
async fn a_private_sign_up_by_passkey_hides_who_has_an_account() {
    let app = TestApp::with_settings(|settings| {
        settings.registration.confirm = Confirm::Required;
        settings.registration.private = true;
    })
    .await;
    let (device, credential) = answer(&app, ONE).await;
    let free = sign_up_with(&app, ONE, &credential).await;
    assert_eq!(free.status, 202, "{}", free.text());
    let (other, second) = answer(&app, ONE).await;
    let taken = sign_up_with(&app, ONE, &second).await;
    assert_eq!(seen(&free), seen(&taken));
    // A credential that is registered must not tell them apart either.
    let options = sign_up_options(&app, ONE).await.json();
    let again = sign_up_with(&app, ONE, &device.clone().create(&options)).await;
    assert_eq!(seen(&free), seen(&again));
    for device in [&device, &other] {
        assert_refused(&sign_in_with(&app, device).await, 401, "passkey_invalid");
    }
    let mails = app.mails().await;
    let confirmation = mails
        .iter()
        .find(|mail| mail.text.contains("/confirmations#"));
    assert!(confirmation.is_some());
    let link = last_confirmation(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
}

/// An app with private sign-up, where an address is free or has an account.
async fn private_app(is_taken: bool) -> TestApp {
    let app = TestApp::with_settings(|settings| {
        settings.registration.confirm = Confirm::Required;
        settings.registration.private = true;
    })
    .await;
    if is_taken {
        app.create_user(ONE, PASSWORD).await;
    }
    app.create_user("own@example.com", PASSWORD).await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = created_at");
    app
}

/// A client makes up a credential, signs up with it for the address of another person and then for its own.
#[actix_web::test]
async fn a_reused_credential_hides_who_has_an_account() {
    let mut replies = Vec::new();
    for is_taken in [false, true] {
        let app = private_app(is_taken).await;
        let (mut device, credential) = answer(&app, ONE).await;
        assert_eq!(sign_up_with(&app, ONE, &credential).await.status, 202);
        let options = sign_up_options(&app, "two@example.com").await.json();
        let again = sign_up_with(&app, "two@example.com", &device.create(&options)).await;
        assert_eq!(again.status, 202, "{}", again.text());
        let link = last_confirmation(&app, "two@example.com").await;
        assert_eq!(app.verify_email(&link).await.status, 200);
        let signed_in = sign_in_with(&app, &device).await;
        assert_eq!(signed_in.json()["user"]["email_address"], "two@example.com");
        // It is registered for a verified account by now.
        let options = sign_up_options(&app, "three@example.com").await.json();
        let refused = sign_up_with(&app, "three@example.com", &device.create(&options)).await;
        assert_faults(&refused, INVALID);
        replies.push((seen(&again), seen(&refused)));
    }
    assert_eq!(replies[0], replies[1]);
}

/// The same, and then adds it to an account of its own.
#[actix_web::test]
async fn an_added_passkey_hides_who_has_an_account() {
    for is_taken in [false, true] {
        let app = private_app(is_taken).await;
        let session = new_token(&app.sign_in("own@example.com", PASSWORD).await);
        let (mut device, credential) = answer(&app, ONE).await;
        assert_eq!(sign_up_with(&app, ONE, &credential).await.status, 202);
        let credential = device.create(&creation_options(&app, &session).await);
        let added = add(&app, &session, &credential).await;
        assert_eq!(added.status, 201, "{is_taken}: {}", added.text());
        assert_eq!(sign_in_with(&app, &device).await.status, 200);
    }
}

#[actix_web::test]
async fn an_answer_signs_up_one_address_once() {
    let app = TestApp::new().await;
    let (_, credential) = answer(&app, ONE).await;
    let other = sign_up_with(&app, "two@example.com", &credential).await;
    assert_faults(&other, INVALID);
    assert_eq!(sign_up_with(&app, ONE, &credential).await.status, 201);
    assert_faults(&sign_up_with(&app, ONE, &credential).await, INVALID);
    let (_, late) = answer(&app, "two@example.com").await;
    app.clock().advance(Duration::from_secs(300));
    assert_faults(&sign_up_with(&app, "two@example.com", &late).await, INVALID);
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
}

#[actix_web::test]
async fn a_sign_up_has_a_password_or_a_passkey() {
    let app = TestApp::new().await;
    let (_, credential) = answer(&app, ONE).await;
    let sign_up = |body: serde_json::Value| app.post("/v1/registrations").json(&body).send();
    let neither = sign_up(json!({ "email_address": ONE })).await;
    assert_faults(&neither, &[("password", "can't be blank")]);
    let both = json!({
        "email_address": ONE, "password": PASSWORD, "passkey": { "credential": credential },
    });
    let fault = [("passkey", "can't be sent with a password")];
    assert_faults(&sign_up(both).await, &fault);
    let empty = json!({ "email_address": ONE, "passkey": {} });
    assert_faults(&sign_up(empty).await, &[("passkey", "is invalid")]);
    let named = json!({ "credential": credential, "name": "a".repeat(256) });
    let long = sign_up(json!({ "email_address": ONE, "passkey": named })).await;
    assert_faults(
        &long,
        &[("name", "is too long (maximum is 255 characters)")],
    );
}

#[actix_web::test]
async fn closed_registration_offers_no_passkey() {
    let app = TestApp::with_settings(|settings| settings.registration.open = false).await;
    assert_refused(&sign_up_options(&app, ONE).await, 403, "forbidden");
}

#[actix_web::test]
async fn a_sign_up_by_passkey_in_the_cookie_starts_a_session() {
    let app = TestApp::new().await;
    let (_, credential) = answer(&app, ONE).await;
    let body = json!({
        "email_address": ONE, "passkey": { "credential": credential }, "transport": "cookie",
    });
    let call = app.post("/v1/registrations").same_origin();
    let reply = call.json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(reply.header("set-cookie").is_some());
    assert_eq!(reply.json().get("token"), None);
}
