//! Sign-up that does not reveal which addresses have an account.

use cloakroom::config::{Confirm, Settings};
use cloakroom::testing::TestApp;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, last_confirmation, seen,
};
use crate::support::flows::{Flows, link_token};

const NEW: &str = "another password";
const FREE: &str = "free@example.com";

fn private(settings: &mut Settings) {
    settings.registration.confirm = Confirm::Required;
    settings.registration.private = true;
}

/// Where [`ONE`] has an account with [`PASSWORD`], confirmed.
async fn app_with_one() -> TestApp {
    let app = TestApp::with_settings(private).await;
    app.sign_up(ONE, PASSWORD).await;
    let link = last_confirmation(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    app
}

fn rows(app: &TestApp) -> i64 {
    count_in(app, "SELECT count(*) FROM outbox")
}

#[actix_web::test]
async fn taken_and_free_addresses_get_the_same_reply() {
    let app = app_with_one().await;
    app.sign_up("unconfirmed@example.com", PASSWORD).await;
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    app.mails().await;

    let before = rows(&app);
    let free = app.sign_up(FREE, NEW).await;
    let added = rows(&app) - before;
    let message = json!({ "message": "Confirmation instructions sent" });
    assert_eq!((free.status, free.json(), added), (202, message, 1));
    for taken in [
        ONE,
        " ONE@Example.com",
        "unconfirmed@example.com",
        "disabled@example.com",
        FREE,
    ] {
        app.mails().await;
        let before = rows(&app);
        assert_eq!(seen(&app.sign_up(taken, NEW).await), seen(&free), "{taken}");
        assert_eq!(rows(&app) - before, 1, "{taken}");
    }
    // Faults of form are reported before the account is read.
    for address in [ONE, "free2@example.com"] {
        let faults = [("password", "is too short (minimum is 8 characters)")];
        assert_faults(&app.sign_up(address, "short").await, &faults);
    }
    assert_eq!(
        app.sign_in(ONE, PASSWORD).await.status,
        200,
        "the first password stays"
    );
}

#[actix_web::test]
async fn the_owner_of_a_taken_address_gets_a_mail() {
    let app = app_with_one().await;
    let before = app.mails().await.len();
    app.sign_up(ONE, NEW).await;
    let mails = app.mails().await;
    let mail = &mails[before];
    assert_eq!((mails.len(), mail.to.as_str()), (before + 1, ONE));
    assert_eq!(mail.subject, "You already have an account");
    assert!(!mail.text.contains("/confirmations#"), "{}", mail.text);
    assert_eq!(app.sign_in(ONE, NEW).await.status, 401);
    assert_eq!(
        app.reset_password(&link_token(&mail.text, "/passwords/edit#"), NEW)
            .await
            .status,
        200
    );
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
}

#[actix_web::test]
async fn a_second_sign_up_does_not_verify_a_squatter() {
    let app = TestApp::with_settings(private).await;
    app.sign_up(ONE, "the squatter's").await;
    let squatters = last_confirmation(&app, ONE).await;
    app.sign_up(ONE, "the owner's own").await;
    let mail = app.mails().await.pop().unwrap();
    assert_eq!(mail.subject, "You already have an account");
    assert_eq!(
        app.reset_password(
            &link_token(&mail.text, "/passwords/edit#"),
            "the owner's own"
        )
        .await
        .status,
        200
    );
    assert_eq!(
        app.sign_in(ONE, "the owner's own").await.status,
        200,
        "a reset is a confirmation"
    );
    assert_eq!(app.sign_in(ONE, "the squatter's").await.status, 401);
    assert_refused(&app.verify_email(&squatters).await, 401, "link_invalid");
}

#[actix_web::test]
async fn mails_to_a_taken_address_are_limited_silently() {
    let app = TestApp::with_settings(|settings| {
        private(settings);
        settings.throttle.enabled = true;
        settings.throttle.sign_up.count = 1000;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    for asked in 1..=8 {
        assert_eq!(app.sign_up(ONE, NEW).await.status, 202);
        assert_eq!(app.mails().await.len(), asked.min(5));
    }
}

#[actix_web::test]
async fn sign_in_with_the_chosen_password_reveals_nothing() {
    let app = TestApp::with_settings(|settings| {
        private(settings);
        settings.throttle.enabled = true;
        settings.throttle.sign_in.count = 1000;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    for address in [ONE, FREE] {
        assert_eq!(app.sign_up(address, NEW).await.status, 202);
    }
    // Failures count alike, up to the limit and beyond it.
    for _ in 0..22 {
        let [taken, free, unknown] = [
            app.sign_in(ONE, NEW).await,
            app.sign_in(FREE, NEW).await,
            app.sign_in("nobody@example.com", NEW).await,
        ];
        assert!([401, 429].contains(&free.status));
        assert_eq!(seen(&free), seen(&taken));
        assert_eq!(seen(&free), seen(&unknown));
    }
}

#[actix_web::test]
async fn a_verified_account_signs_in() {
    let app = app_with_one().await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert_refused(&app.sign_in(ONE, NEW).await, 401, "invalid_credentials");
}

#[actix_web::test]
async fn concurrent_private_sign_ups_create_one_account() {
    let app = TestApp::with_settings(private).await;
    let replies = join_all((0..50).map(|number| {
        let app = app.clone();
        async move { app.sign_up(ONE, &format!("password {number}")).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| seen(reply) == seen(&replies[0])));
    assert_eq!(replies[0].status, 202);
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
    let mut subjects: Vec<String> = app
        .mails()
        .await
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    subjects.sort();
    // One of each: a mail that waits serves the next request of its kind.
    assert_eq!(
        subjects,
        ["Confirm your email address", "You already have an account"]
    );
    assert_eq!(
        app.verify_email(&last_confirmation(&app, ONE).await)
            .await
            .status,
        200
    );
    let signed_in = join_all((0..50).map(|number| {
        let app = app.clone();
        async move { app.sign_in(ONE, &format!("password {number}")).await.status }
    }))
    .await;
    assert_eq!(signed_in.iter().filter(|status| **status == 200).count(), 1);
}

#[actix_web::test]
async fn closed_registration_is_reported_in_private_mode() {
    let app = TestApp::with_settings(|settings| {
        private(settings);
        settings.registration.open = false;
    })
    .await;
    assert_refused(&app.sign_up(ONE, PASSWORD).await, 403, "forbidden");
}
