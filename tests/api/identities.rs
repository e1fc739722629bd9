//! Identities at other providers: linked by the user or by the address, listed and unlinked.

use std::time::Duration;

use cloakroom::Hooks;
use cloakroom::config::{Confirm, Settings, UnverifiedReset};
use cloakroom::domain::error::ValidationErrors;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, confirmation_token, count_in, execute_sql,
    has_mail, last_confirmation, reset_token, session_is_valid, text_in,
};
use crate::support::flows::Flows;
use crate::support::passkeys::device_of;
use crate::support::provider::{ACME, Browser, FakeProvider, authorization_url, linked};
use crate::support::second_factor::{assert_second_factor_due, enrol};

const CHALLENGE: &str = r#"{"password_challenge":"password"}"#;
/// The subject of a mail.
const UNLINKED: &str = "Sign-in by another provider was removed from your account";

fn challenge() -> Value {
    serde_json::from_str(CHALLENGE).unwrap()
}

async fn app_where_acme_owns(provider: &FakeProvider, domains: &[&str]) -> TestApp {
    TestApp::with_settings(|settings| own(settings, provider, domains)).await
}

fn own(settings: &mut Settings, provider: &FakeProvider, domains: &[&str]) {
    provider.configure(settings);
    let acme = settings.providers.get_mut(ACME).unwrap();
    acme.authoritative_domains = domains.iter().map(|it| (*it).to_owned()).collect();
}

/// A signed-in user links the provider's user: the reply to the last step.
async fn link(app: &TestApp, provider: &FakeProvider, session: &str) -> Reply {
    verify(app);
    let mut browser = Browser::default();
    let started = browser.link(app, session, &challenge()).await;
    let callback = provider.consent(&authorization_url(&started));
    let fragment = browser.open(app, &callback).await.unwrap();
    browser.finish(app, session, &fragment).await
}

async fn list(app: &TestApp, session: &str) -> Value {
    let reply = app.get("/v1/user/identities").bearer(session).send().await;
    reply.json()["identities"].clone()
}

async fn unlink(app: &TestApp, session: &str, id: &Value) -> Reply {
    let path = format!("/v1/user/identities/{id}");
    app.delete(&path)
        .bearer(session)
        .json(&challenge())
        .send()
        .await
}

fn verify(app: &TestApp) {
    execute_sql(app, "UPDATE users SET email_confirmed_at = 1");
}

#[actix_web::test]
async fn a_linked_identity_signs_in_until_it_is_unlinked() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "email": "elsewhere@example.com" });
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let reply = link(&app, &provider, &session).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let identity = reply.json()["identity"].clone();
    assert_eq!(identity["provider"], ACME);
    assert_eq!(identity["email"], "elsewhere@example.com");
    assert_eq!(list(&app, &session).await, json!([identity]));
    let signed_in = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(signed_in.json()["user"]["id"], user.id.0);
    let other = signed_in.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(unlink(&app, &session, &identity["id"]).await.status, 204);
    assert!(session_is_valid(&app, &session).await);
    assert!(!session_is_valid(&app, &other).await);
    assert_refused(
        &unlink(&app, &session, &identity["id"]).await,
        404,
        "not_found",
    );
    assert_eq!(list(&app, &session).await, json!([]));
    let subjects: Vec<String> = app
        .mails()
        .await
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(
        subjects
            .iter()
            .filter(|it| it.contains("another provider"))
            .count(),
        2,
        "{subjects:?}"
    );
}

#[actix_web::test]
async fn linking_and_unlinking_need_a_reauthentication() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let id = linked(&app, &user, "another").await;
    for (body, message) in [
        (json!({}), "can't be blank"),
        (json!({ "password_challenge": "wrong" }), "is incorrect"),
    ] {
        let started = Browser::default().link(&app, &session, &body).await;
        assert_faults(&started, &[("password_challenge", message)]);
        let path = format!("/v1/user/identities/{id}");
        let removed = app.delete(&path).bearer(&session).json(&body).send().await;
        assert_faults(&removed, &[("password_challenge", message)]);
    }
}

#[actix_web::test]
async fn no_identity_is_linked_before_the_address_is_verified() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let mut browser = Browser::default();
    let started = browser.link(&app, &session, &challenge()).await;
    assert_refused(&started, 403, "email_unconfirmed");
    verify(&app);
    let started = browser.link(&app, &session, &challenge()).await;
    let callback = provider.consent(&authorization_url(&started));
    let fragment = browser.open(&app, &callback).await.unwrap();
    execute_sql(&app, "UPDATE users SET email_confirmed_at = NULL");
    let reply = browser.finish(&app, &session, &fragment).await;
    assert_refused(&reply, 403, "email_unconfirmed");
    verify(&app);
    let reply = browser.finish(&app, &session, &fragment).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[actix_web::test]
async fn rules_about_sign_ups_do_not_hold_where_an_account_is_linked() {
    for (verified, unverified, accepted) in [
        (true, UnverifiedReset::Keep, true),
        (true, UnverifiedReset::Replace, true),
        (false, UnverifiedReset::Keep, true),
        (false, UnverifiedReset::Replace, false),
    ] {
        let provider = FakeProvider::start();
        let refuse = || ValidationErrors::field("email_address", "is not of ours").into();
        let app = TestApp::builder()
            .settings(|settings| {
                own(settings, &provider, &["example.com"]);
                settings.registration.confirm = Confirm::Remind;
                settings.registration.unverified_reset = unverified;
            })
            .hooks(Hooks::new().before_sign_up(move |_, _| Err(refuse())))
            .build()
            .await;
        app.create_user(ONE, PASSWORD).await;
        if verified {
            verify(&app);
        }
        let reply = Browser::default().sign_in(&app, &provider).await;
        match accepted {
            true => assert_eq!(reply.status, 200, "{}", reply.text()),
            false => assert_faults(&reply, &[("email_address", "is not of ours")]),
        }
    }
}

#[actix_web::test]
async fn a_code_for_linking_is_for_its_user_and_browser_alone() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (session, others) = (app.sign_in_as(&user).await, app.sign_in_as(&other).await);
    verify(&app);
    let mut browser = Browser::default();
    let started = browser.link(&app, &session, &challenge()).await;
    let callback = provider.consent(&authorization_url(&started));
    let fragment = browser.open(&app, &callback).await.unwrap();
    for refused in [
        browser.exchange(&app, &fragment).await,
        browser.finish(&app, &others, &fragment).await,
        Browser::default().finish(&app, &session, &fragment).await,
    ] {
        assert_refused(&refused, 401, "exchange_code_invalid");
    }
    assert_eq!(browser.finish(&app, &session, &fragment).await.status, 201);
    let again = browser.finish(&app, &session, &fragment).await;
    assert_refused(&again, 401, "exchange_code_invalid");
    // A code of a sign-in links nothing.
    let fragment = browser.return_from(&app, &provider).await;
    let reply = browser.finish(&app, &session, &fragment).await;
    assert_refused(&reply, 401, "exchange_code_invalid");
}

#[actix_web::test]
async fn an_identity_belongs_to_one_user_only() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    linked(&app, &other, "user-1").await;
    let session = app.sign_in_as(&user).await;
    assert_refused(
        &link(&app, &provider, &session).await,
        409,
        "identity_taken",
    );
    let others = app.sign_in_as(&other).await;
    assert_refused(&link(&app, &provider, &others).await, 409, "identity_taken");
}

#[actix_web::test]
async fn the_last_way_to_sign_in_is_not_unlinked() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let reply = Browser::default().sign_in(&app, &provider).await.json();
    let session = reply["token"].as_str().unwrap();
    let now = app.clock().now().as_millis();
    execute_sql(
        &app,
        &format!("UPDATE sessions SET reauthenticated_at = {now}"),
    );
    let id = list(&app, session).await[0]["id"].clone();
    let remove = || {
        app.delete(&format!("/v1/user/identities/{id}"))
            .bearer(session)
    };
    assert_refused(&remove().send().await, 409, "last_sign_in_method");
    let reset = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&reset, "a new password").await.status,
        200
    );
    let session = app.sign_in(ONE, "a new password").await.json()["token"].clone();
    let body = json!({ "password_challenge": "a new password" });
    let remove = app.delete(&format!("/v1/user/identities/{id}"));
    let remove = remove.bearer(session.as_str().unwrap()).json(&body);
    assert_eq!(remove.send().await.status, 204);
}

#[actix_web::test]
async fn an_address_that_both_sides_verified_links_an_account() {
    let provider = FakeProvider::start();
    let app = app_where_acme_owns(&provider, &["example.com"]).await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["user"]["id"], user.id.0);
    let mails = app.mails().await;
    let notice = mails
        .iter()
        .find(|mail| mail.subject.contains("another provider"));
    assert_eq!(notice.unwrap().to, ONE);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn the_next_owner_of_an_address_does_not_get_the_account() {
    let provider = FakeProvider::start();
    let app = app_where_acme_owns(&provider, &["example.com"]).await;
    let first = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(first.status, 200, "{}", first.text());
    provider.script().claims = json!({ "sub": "user-2" });
    let next = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&next, 409, "account_exists");
    assert_eq!(count_in(&app, "SELECT count(*) FROM identities"), 1);
}

#[actix_web::test]
async fn a_changed_address_links_no_account() {
    let provider = FakeProvider::start();
    let app = app_where_acme_owns(&provider, &["example.com"]).await;
    let user = app.create_user("other@example.org", PASSWORD).await;
    verify(&app);
    let session = app.sign_in_as(&user).await;
    let body = json!({ "password_challenge": PASSWORD, "email_address": ONE });
    let call = app.put("/v1/user/email_address").bearer(&session);
    assert_eq!(call.json(&body).send().await.status, 200);
    let link = last_confirmation(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 409, "account_exists");
}

#[actix_web::test]
async fn a_second_factor_is_due_when_an_address_links() {
    let provider = FakeProvider::start();
    let app = app_where_acme_owns(&provider, &["*"]).await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let session = app.sign_in_as(&user).await;
    enrol(&app, &session).await;
    assert_second_factor_due(&Browser::default().sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn an_address_links_only_where_the_provider_owns_it() {
    for (domains, claims) in [
        (&["other.example"][..], json!({})),
        (&["le.com"], json!({})),
        (&["sub.example.com"], json!({})),
        (&["example.com"], json!({ "email_verified": false })),
        (&["example.com"], json!({ "email_verified": null })),
    ] {
        let provider = FakeProvider::start();
        provider.script().claims = claims;
        let app = app_where_acme_owns(&provider, domains).await;
        app.create_user(ONE, PASSWORD).await;
        verify(&app);
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert!(
            [409, 422].contains(&reply.status),
            "{domains:?}: {}",
            reply.text()
        );
        assert_eq!(count_in(&app, "SELECT count(*) FROM identities"), 0);
    }
}

#[actix_web::test]
async fn a_squatter_loses_the_account_to_the_owner_of_the_address() {
    squatter_is_out(UnverifiedReset::Keep).await;
}

#[actix_web::test]
async fn an_account_of_a_squatter_can_be_replaced_by_a_fresh_one() {
    squatter_is_out(UnverifiedReset::Replace).await;
}

async fn squatter_is_out(unverified: UnverifiedReset) {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        own(settings, &provider, &["example.com"]);
        settings.registration.confirm = Confirm::Remind;
        settings.registration.unverified_reset = unverified;
    })
    .await;
    let squatter = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&squatter).await;
    linked(&app, &squatter, "the squatter").await;
    let key = app.create_api_key(&squatter, "introspect").await;
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let user = reply.json()["user"].clone();
    let is_kept = unverified == UnverifiedReset::Keep;
    assert_eq!(user["id"] == squatter.id.0, is_kept, "{user}");
    assert_eq!(
        (&user["email_address"], &user["email_confirmed"]),
        (&json!(ONE), &json!(true))
    );
    assert!(!session_is_valid(&app, &session).await);
    assert_eq!(
        app.get("/v1/user")
            .header("X-API-Key", &key)
            .send()
            .await
            .status,
        401
    );
    assert_refused(
        &app.sign_in(ONE, PASSWORD).await,
        401,
        "invalid_credentials",
    );
    let subjects = "SELECT count(*) FROM identities WHERE subject = 'the squatter'";
    assert_eq!(count_in(&app, subjects), 0);
    // A fresh account is its own notice.
    let added = "Sign-in by another provider was added to your account";
    assert_eq!(has_mail(&app, added).await, is_kept);
}

#[actix_web::test]
async fn disabled_accounts_and_operators_are_not_replaced() {
    for change in ["disabled_at = 1", "role = 'operator'"] {
        let provider = FakeProvider::start();
        let app = app_where_acme_owns(&provider, &["example.com"]).await;
        app.create_user(ONE, PASSWORD).await;
        execute_sql(&app, &format!("UPDATE users SET {change}"));
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 409, "account_exists");
        assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
    }
}

#[actix_web::test]
async fn a_reset_of_an_unverified_account_unlinks_its_identities() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let squatter = app.create_user(ONE, PASSWORD).await;
    linked(&app, &squatter, "user-1").await;
    let reset = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&reset, "a new password").await.status,
        200
    );
    assert!(has_mail(&app, UNLINKED).await);
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 409, "account_exists");
}

#[actix_web::test]
async fn a_reset_unlinks_identities_from_before_the_verification() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    linked(&app, &user, "the squatter").await;
    app.clock().advance(Duration::from_secs(1));
    let link = confirmation_token(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    linked(&app, &user, "the owner").await;
    let reset = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&reset, "a new one").await.status, 200);
    let left = text_in(&app, "SELECT subject FROM identities");
    assert_eq!(left.as_deref(), Some("the owner"));
    assert!(has_mail(&app, UNLINKED).await);
}

#[actix_web::test]
async fn identities_of_removed_providers_are_no_way_in() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let [kept, gone] = ["kept", "gone"].map(|subject| linked(&app, &user, subject));
    let (kept, _) = (kept.await, gone.await);
    let (_, passkey) = device_of(&app, &user).await;
    let now = app.clock().now().as_millis();
    for sql in [
        "UPDATE identities SET provider = 'removed' WHERE subject = 'gone'",
        "DELETE FROM passwords",
        &format!("UPDATE sessions SET reauthenticated_at = {now}"),
    ] {
        execute_sql(&app, sql);
    }
    let passkey = format!("/v1/user/passkeys/{}", passkey.id.0);
    let identity = format!("/v1/user/identities/{kept}");
    let remove = async |path: &str| {
        let call = app.delete(path).bearer(&session).json(&json!({}));
        call.send().await
    };
    execute_sql(
        &app,
        "UPDATE identities SET provider = 'removed' WHERE subject = 'kept'",
    );
    assert_refused(&remove(&passkey).await, 409, "last_sign_in_method");
    execute_sql(
        &app,
        &format!("UPDATE identities SET provider = '{ACME}' WHERE subject = 'kept'"),
    );
    assert_eq!(remove(&passkey).await.status, 204);
    assert_refused(&remove(&identity).await, 409, "last_sign_in_method");
}

#[actix_web::test]
async fn passkeys_that_are_off_keep_no_identity_removable() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.server.frontend_url = "http://127.0.0.1:3001".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let id = linked(&app, &user, "user-1").await;
    device_of(&app, &user).await;
    let now = app.clock().now().as_millis();
    let lately = format!("UPDATE sessions SET reauthenticated_at = {now}");
    execute_sql(&app, &lately);
    execute_sql(&app, "DELETE FROM passwords");
    let path = format!("/v1/user/identities/{id}");
    let call = app.delete(&path).bearer(&session).json(&json!({}));
    assert_refused(&call.send().await, 409, "last_sign_in_method");
}

#[actix_web::test]
async fn linking_ends_links_and_pending_changes() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let reset = reset_token(&app, ONE).await;
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(link(&app, &provider, &session).await.status, 201);
    let reply = app.reset_password(&reset, "a new password").await;
    assert_refused(&reply, 401, "link_invalid");
    assert!(session_is_valid(&app, &session).await);
}
