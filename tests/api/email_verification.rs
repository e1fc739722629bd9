//! Proving that an address is one's own.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::config::{Confirm, Secret, UnverifiedReset};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::crypto::signed_link;
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::domain::{Account, EmailAddress, JsonObject, PasswordDigest, Role, User, UserId};
use cloakroom::mail;
use cloakroom::store::throttles;
use cloakroom::store::users;
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, address, assert_refused, assert_unusable_addresses_are_refused,
    confirmation_token, count_in, delete, digest_of, disable, execute_sql, last_confirmation,
    make_fail, make_succeed, reset_token, seen, session_is_valid, signed_in, write,
};
use crate::support::flows::Flows;

const DAY: Duration = Duration::from_secs(24 * 3600);
const MILLISECOND: Duration = Duration::from_millis(1);
const NEW: &str = "another password";
const NEXT: &str = "next@example.com";

async fn app_that(confirm: Confirm) -> TestApp {
    TestApp::with_settings(|settings| settings.registration.confirm = confirm).await
}

/// Requests another address for a user, and returns the token of the mailed link.
async fn change_token(app: &TestApp, user: &User, to: &str) -> String {
    ask_for_change(app, user, to).await;
    last_confirmation(app, to).await
}

async fn ask_for_change(app: &TestApp, user: &User, to: &str) {
    let (id, to, now) = (user.id, address(to), app.clock().now());
    write(app, move |tx| {
        users::set_pending_address(tx, id, Some(&to))?;
        mail::enqueue_address_change(tx, id, &to, now, || Ok(true))
    })
    .await;
}

async fn account_of(app: &TestApp, user: &User) -> Account {
    let id = user.id;
    app.context()
        .database
        .read(move |reader| users::find(reader, id))
        .await
        .unwrap()
        .unwrap()
}

#[track_caller]
fn assert_confirmed(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.text()),
        (200, r#"{"message":"Email address has been confirmed."}"#)
    );
}

#[track_caller]
fn assert_dead(reply: &Reply) {
    assert_refused(reply, 401, "link_invalid");
    assert_eq!(
        reply.json()["errors"],
        json!(["Confirmation link is invalid or has expired."])
    );
}

#[track_caller]
fn assert_unconfirmed(reply: &Reply) {
    assert_refused(reply, 403, "email_unconfirmed");
    assert_eq!(
        reply.json()["error"],
        "You have to confirm your email address before continuing"
    );
    assert_eq!(reply.header("www-authenticate"), None);
}

#[actix_web::test]
async fn without_email_verification_sign_up_sends_no_mail() {
    let app = app_that(Confirm::Off).await;
    let reply = app.sign_up(ONE, PASSWORD).await;
    assert_eq!(reply.status, 201);
    assert!(session_is_valid(&app, reply.json()["token"].as_str().unwrap()).await);
    assert_eq!(app.mails().await, []);
    // And the address can still be verified.
    assert_confirmed(&app.verify_email(&confirmation_token(&app, ONE).await).await);
}

#[actix_web::test]
async fn optional_verification_sends_mail_and_starts_a_session() {
    let app = app_that(Confirm::Remind).await;
    let reply = app.sign_up(ONE, PASSWORD).await;
    assert_eq!(
        (reply.status, &reply.json()["user"]["email_confirmed"]),
        (201, &json!(false))
    );
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);

    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, ONE));
    assert_eq!(mails[0].subject, "Confirm your email address");
    assert!(
        mails[0].text.contains("This link will expire in 24 hours."),
        "{}",
        mails[0].text
    );
    app.clock().advance(MILLISECOND);
    assert_confirmed(&app.verify_email(&last_confirmation(&app, ONE).await).await);
    let shown = app.get("/v1/session").bearer(&token).send().await.json();
    assert_eq!(shown["user"]["email_confirmed"], true);
    assert_eq!(
        shown["user"]["updated_at"],
        (START + MILLISECOND).to_string()
    );
    // A taken address is reported as taken, and no mail is sent.
    let again = app.sign_up(ONE, NEW).await;
    assert_refused(&again, 422, "account_not_created");
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn required_verification_starts_no_session() {
    let app = app_that(Confirm::Required).await;
    let reply = app.sign_up(ONE, PASSWORD).await;
    let now = "2026-01-31T09:30:00.000Z";
    let user = json!({
        "id": 1, "email_address": ONE, "email_confirmed": false, "created_at": now, "updated_at": now,
                "name": null, "profile": {}, "metadata": {},
    });
    assert_eq!((reply.status, reply.json()), (201, json!({ "user": user })));
    assert_unconfirmed(&app.sign_in(ONE, PASSWORD).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);

    assert_confirmed(&app.verify_email(&last_confirmation(&app, ONE).await).await);
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM sessions"),
        0,
        "a link verifies and starts no session"
    );
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn account_and_mail_are_written_atomically() {
    let app = app_that(Confirm::Required).await;
    make_fail(&app, "INSERT ON outbox");
    assert_refused(&app.sign_up(ONE, PASSWORD).await, 500, "internal_error");
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 0);
    make_succeed(&app);
    assert_eq!(app.sign_up(ONE, PASSWORD).await.status, 201);
}

#[actix_web::test]
async fn earlier_sessions_continue_under_required_verification() {
    let app = app_that(Confirm::Required).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn only_the_right_password_reveals_an_unverified_address() {
    let app = TestApp::with_settings(|settings| {
        settings.registration.confirm = Confirm::Required;
        settings.throttle.enabled = true;
        settings.password.bcrypt_cost = 5;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let digest = bcrypt::hash(PASSWORD, 4).unwrap();
    execute_sql(&app, &format!("UPDATE passwords SET digest = '{digest}'"));
    let failures =
        "SELECT coalesce(max(count), 0) FROM throttles WHERE name LIKE 'address_failures:%'";

    assert_refused(
        &app.sign_in(ONE, "wrong password").await,
        401,
        "invalid_credentials",
    );
    assert_eq!(count_in(&app, failures), 1);
    assert_unconfirmed(&app.sign_in(ONE, PASSWORD).await);
    assert_eq!(
        count_in(&app, failures),
        0,
        "the right password is no failure"
    );
    assert_eq!(
        digest_of(&app, &user),
        digest,
        "no hash for a refused sign-in"
    );

    disable(&app, &user).await;
    assert_refused(
        &app.sign_in(ONE, PASSWORD).await,
        401,
        "invalid_credentials",
    );
}

#[actix_web::test]
async fn the_second_use_of_a_link_changes_nothing() {
    let (app, user, token) = signed_in().await;
    let link = confirmation_token(&app, ONE).await;
    app.clock().advance(MILLISECOND);
    assert_confirmed(&app.verify_email(&link).await);
    assert_eq!(
        account_of(&app, &user).await.user.email_confirmed_at,
        Some(START + MILLISECOND)
    );
    app.clock().advance(MILLISECOND);
    assert_confirmed(&app.verify_email(&link).await);
    let account = account_of(&app, &user).await;
    assert_eq!(account.user.email_confirmed_at, Some(START + MILLISECOND));
    assert_eq!(account.user.updated_at, START + MILLISECOND);
    assert!(
        session_is_valid(&app, &token).await,
        "confirming ends no session"
    );
}

#[actix_web::test]
async fn concurrent_uses_of_a_link_change_something_once() {
    let (app, user, _) = signed_in().await;
    let own = confirmation_token(&app, ONE).await;
    let replies = join_all((0..50).map(|_| app.verify_email(&own))).await;
    replies.iter().for_each(assert_confirmed);
    let link = change_token(&app, &user, NEXT).await;
    let replies = join_all((0..50).map(|_| app.verify_email(&link))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    won.iter().for_each(assert_confirmed);
    lost.iter().for_each(assert_dead);
    let account = account_of(&app, &user).await;
    assert_eq!(
        (
            account.user.email_address.as_str(),
            account.credentials_version
        ),
        (NEXT, 1)
    );
    let told = app
        .mails()
        .await
        .into_iter()
        .filter(|mail| mail.subject == "Your email address was changed");
    assert_eq!(told.map(|mail| mail.to).collect::<Vec<_>>(), [ONE]);
}

#[actix_web::test]
async fn a_link_expires_after_exactly_a_day() {
    let (app, user, _) = signed_in().await;
    let change = change_token(&app, &user, NEXT).await;
    let own = confirmation_token(&app, ONE).await;
    app.clock().set(START + DAY);
    for link in [&own, &change] {
        assert_dead(&app.verify_email(link).await);
    }
    app.clock().set(START + DAY - MILLISECOND);
    for link in [&own, &change] {
        assert_confirmed(&app.verify_email(link).await);
    }
}

#[actix_web::test]
async fn a_rewound_clock_makes_no_used_link_work_again() {
    let (app, user, _) = signed_in().await;
    let own = confirmation_token(&app, ONE).await;
    assert_confirmed(&app.verify_email(&own).await);
    let change = change_token(&app, &user, NEXT).await;
    assert_confirmed(&app.verify_email(&change).await);
    app.clock().set(START - DAY);
    for link in [&own, &change] {
        assert_dead(&app.verify_email(link).await);
    }
}

#[actix_web::test]
async fn a_verified_new_address_keeps_the_sessions() {
    let (app, user, token) = signed_in().await;
    let link = change_token(&app, &user, NEXT).await;
    let shown = app.get("/v1/session").bearer(&token).send().await.json();
    assert_eq!(
        shown["user"]["email_address"], ONE,
        "nothing changes before"
    );
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);

    app.clock().advance(MILLISECOND);
    assert_confirmed(&app.verify_email(&link).await);
    let account = account_of(&app, &user).await;
    assert_eq!(account.user.email_address.as_str(), NEXT);
    assert_eq!(account.user.email_confirmed_at, Some(START + MILLISECOND));
    assert_eq!(account.user.updated_at, START + MILLISECOND);
    assert_eq!(account.pending_email_address, None);
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert_eq!(app.sign_in(NEXT, PASSWORD).await.status, 200);
    // The old one is free.
    assert_eq!(app.sign_up(ONE, PASSWORD).await.status, 201);
}

#[actix_web::test]
async fn the_old_address_is_notified_of_the_change() {
    for wanted in [true, false] {
        let app = TestApp::with_settings(|settings| {
            settings.notices.set(MailKind::AddressChanged, wanted);
        })
        .await;
        let user = app.create_user(ONE, PASSWORD).await;
        let link = change_token(&app, &user, NEXT).await;
        let sent = app.mails().await.len();
        let call = app
            .put(&format!("/v1/confirmations/{link}"))
            .header("User-Agent", "Browser/1.0");
        assert_confirmed(&call.send().await);
        let mails = app.mails().await;
        let told: Vec<&str> = mails[sent..].iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(told, if wanted { &[ONE] as &[&str] } else { &[] });
        for notice in &mails[sent..] {
            assert_eq!(notice.subject, "Your email address was changed");
            let facts = "When: 31 January 2026, 09:30 UTC\nIP address: 127.0.0.1\nBrowser or app: an unknown program\n";
            assert!(
                notice.text.contains(facts) && !notice.text.contains("://"),
                "{}",
                notice.text
            );
            assert!(!notice.text.contains(NEXT), "{}", notice.text);
        }
    }
}

#[actix_web::test]
async fn address_and_links_change_atomically() {
    let (app, user, _) = signed_in().await;
    let (link, old) = (
        change_token(&app, &user, NEXT).await,
        reset_token(&app, ONE).await,
    );
    make_fail(&app, "INSERT ON outbox");
    assert_refused(&app.verify_email(&link).await, 500, "internal_error");
    let account = account_of(&app, &user).await;
    assert_eq!(
        (
            account.user.email_address.as_str(),
            account.credentials_version
        ),
        (ONE, 0)
    );
    make_succeed(&app);
    assert_confirmed(&app.verify_email(&link).await);
    assert_refused(&app.reset_password(&old, NEW).await, 401, "link_invalid");
}

#[actix_web::test]
async fn a_link_verifies_only_the_address_it_was_sent_to() {
    let (app, user, _) = signed_in().await;
    let own = confirmation_token(&app, ONE).await;
    let change = change_token(&app, &user, NEXT).await;
    assert_confirmed(&app.verify_email(&own).await);
    let account = account_of(&app, &user).await;
    assert_eq!(account.user.email_address.as_str(), ONE);
    assert_eq!(
        account
            .pending_email_address
            .as_ref()
            .map(EmailAddress::as_str),
        Some(NEXT)
    );
    assert_confirmed(&app.verify_email(&change).await);
    assert_eq!(
        account_of(&app, &user).await.user.email_address.as_str(),
        NEXT
    );
}

#[actix_web::test]
async fn links_to_an_old_address_stay_invalid() {
    let (app, user, _) = signed_in().await;
    let (own, old) = (
        confirmation_token(&app, ONE).await,
        reset_token(&app, ONE).await,
    );
    for to in [NEXT, ONE] {
        let link = change_token(&app, &user, to).await;
        assert_confirmed(&app.verify_email(&link).await);
        assert_dead(&app.verify_email(&own).await);
        assert_refused(&app.reset_password(&old, NEW).await, 401, "link_invalid");
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn links_to_a_withdrawn_address_are_invalid() {
    let (app, user, _) = signed_in().await;
    let first = change_token(&app, &user, NEXT).await;
    let second = change_token(&app, &user, "later@example.com").await;
    assert_dead(&app.verify_email(&first).await);
    let id = user.id;
    write(&app, move |tx| users::set_pending_address(tx, id, None)).await;
    assert_dead(&app.verify_email(&second).await);
    assert_eq!(
        account_of(&app, &user).await.user.email_address.as_str(),
        ONE
    );
}

#[actix_web::test]
async fn the_last_of_two_requested_changes_wins() {
    let (app, user, _) = signed_in().await;
    let first = change_token(&app, &user, NEXT).await;
    let second = change_token(&app, &user, "later@example.com").await;
    let (first, second) =
        futures_util::future::join(app.verify_email(&first), app.verify_email(&second)).await;
    assert_dead(&first);
    assert_confirmed(&second);
    assert_eq!(
        account_of(&app, &user).await.user.email_address.as_str(),
        "later@example.com"
    );
}

#[actix_web::test]
async fn an_address_taken_meanwhile_is_refused() {
    let (app, user, _) = signed_in().await;
    let link = change_token(&app, &user, NEXT).await;
    app.create_user(NEXT, NEW).await;
    assert_dead(&app.verify_email(&link).await);
    assert_eq!(
        account_of(&app, &user).await.user.email_address.as_str(),
        ONE
    );
    assert_eq!(app.sign_in(NEXT, NEW).await.status, 200);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn concurrent_claims_of_an_address_have_one_winner() {
    let app = TestApp::new().await;
    let mut links = Vec::new();
    for number in 0..10 {
        let user = app
            .create_user(&format!("user{number}@example.com"), PASSWORD)
            .await;
        links.push(change_token(&app, &user, NEXT).await);
    }
    let replies = join_all(links.iter().map(|link| app.verify_email(link))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    replies
        .iter()
        .filter(|reply| reply.status != 200)
        .for_each(assert_dead);
}

#[actix_web::test]
async fn resending_gets_the_same_reply_for_every_address() {
    let (app, ..) = signed_in().await;
    app.create_user("confirmed@example.com", PASSWORD).await;
    assert_confirmed(
        &app.verify_email(&confirmation_token(&app, "confirmed@example.com").await)
            .await,
    );
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    let before = app.mails().await.len();
    let rows = count_in(&app, "SELECT count(*) FROM outbox");

    let message = json!({ "message": "Confirmation instructions sent" });
    let known = app.request_verification(ONE).await;
    assert_eq!((known.status, known.json()), (200, message));
    for address in [
        "confirmed@example.com",
        "nobody@example.com",
        "disabled@example.com",
    ] {
        assert_eq!(
            seen(&app.request_verification(address).await),
            seen(&known),
            "{address}"
        );
    }
    assert_unusable_addresses_are_refused(&app, "/v1/confirmations").await;
    // The same rows were written for who exists and who does not.
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), rows + 4);
    let mails = app.mails().await;
    assert_eq!(
        mails[before..]
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        [ONE]
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), rows + 1);
}

#[actix_web::test]
async fn resent_mails_are_limited_silently() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.confirmation.count = 1000;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    for asked in 1..=8 {
        for address in [ONE, "nobody@example.com"] {
            let reply = app.request_verification(address).await;
            assert_eq!(
                reply.json(),
                json!({ "message": "Confirmation instructions sent" })
            );
        }
        assert_eq!(app.mails().await.len(), asked.min(5));
    }
    app.clock().advance(Duration::from_secs(3600));
    app.request_verification(ONE).await;
    assert_eq!(app.mails().await.len(), 6);
}

#[actix_web::test]
async fn a_client_requests_at_most_ten_mails_in_three_minutes() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    for number in 0..10 {
        assert_eq!(
            app.request_verification(&format!("user{number}@example.com"))
                .await
                .status,
            200
        );
    }
    let refused = app.request_verification(ONE).await;
    assert_refused(&refused, 429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("180"));
    let counted = "confirmation:127.0.0.1";
    let (window, now) = (Duration::from_secs(180), app.clock().now());
    let count = app
        .context()
        .database
        .read(move |reader| throttles::find(reader, counted, window, now))
        .await
        .unwrap();
    assert_eq!(count.unwrap().count, 10);
}

#[actix_web::test]
async fn a_queued_mail_serves_the_next_request() {
    let app = app_that(Confirm::Remind).await;
    app.sign_up(ONE, PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(app.request_verification(ONE).await.status, 200);
    }
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn a_password_reset_verifies_the_address() {
    let app = app_that(Confirm::Required).await;
    app.sign_up(ONE, PASSWORD).await;
    let link = last_confirmation(&app, ONE).await;
    assert_eq!(
        app.reset_password(&reset_token(&app, ONE).await, NEW)
            .await
            .status,
        200
    );
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
    assert_dead(&app.verify_email(&link).await);
}

#[actix_web::test]
async fn a_reset_by_the_owner_evicts_a_squatter() {
    let app = app_that(Confirm::Remind).await;
    let token = app.sign_up(ONE, "the squatter's").await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let link = last_confirmation(&app, ONE).await;
    assert_eq!(
        app.reset_password(&reset_token(&app, ONE).await, NEW)
            .await
            .status,
        200
    );
    assert!(!session_is_valid(&app, &token).await);
    assert_eq!(app.sign_in(ONE, "the squatter's").await.status, 401);
    assert_dead(&app.verify_email(&link).await);
    assert_eq!(
        app.sign_in(ONE, NEW).await.json()["user"]["email_confirmed"],
        true
    );
}

/// An app in which a reset by mail replaces accounts that were never verified.
async fn app_that_replaces() -> TestApp {
    TestApp::with_settings(|settings| {
        settings.registration.confirm = Confirm::Remind;
        settings.registration.unverified_reset = UnverifiedReset::Replace;
    })
    .await
}

/// Everything that a user can plant: a project, a name, a session, a key and tokens. Returns the credentials.
async fn plant(app: &TestApp) -> (String, String, String, String) {
    let session = new_token_of(&app.sign_up(ONE, PASSWORD).await);
    let post = async |path: &str, body: Value| {
        let reply = app.post(path).bearer(&session).json(&body).send().await;
        assert!(reply.status < 300, "{}", reply.text());
        reply.json()
    };
    post("/v1/projects", json!({ "title": "Planted" })).await;
    let key = json!({
        "name": "Planted", "scopes": ["projects:read"], "password_challenge": PASSWORD,
    });
    let key = post("/v1/api_keys", key).await["key"].clone();
    let name = json!({ "name": "Planted" });
    let named = app.patch("/v1/user").bearer(&session).json(&name);
    assert_eq!(named.send().await.status, 200);
    let pair = post("/v1/tokens", json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        session.clone(),
        text(&key),
        text(&pair["access_token"]),
        text(&pair["refresh_token"]),
    )
}

fn new_token_of(reply: &Reply) -> String {
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_reset_of_an_unverified_account_starts_a_fresh_one() {
    let app = app_that_replaces().await;
    let (session, key, access, refresh) = plant(&app).await;
    let (link, reset) = (
        last_confirmation(&app, ONE).await,
        reset_token(&app, ONE).await,
    );
    app.clock().advance(Duration::from_secs(60));
    assert_eq!(app.reset_password(&reset, NEW).await.status, 200);

    for credential in [&session, &key, &access] {
        let reply = app.get("/v1/projects").bearer(credential).send().await;
        assert_eq!(reply.status, 401, "{}", reply.text());
    }
    assert_refused(&app.refresh(&refresh).await, 400, "invalid_grant");
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert_dead(&app.verify_email(&link).await);
    let again = app.reset_password(&reset, "yet another password").await;
    assert_refused(&again, 401, "link_invalid");

    let signed_in = app.sign_in(ONE, NEW).await;
    let user = &signed_in.json()["user"];
    assert_eq!((&user["id"], &user["name"]), (&json!(2), &json!(null)));
    assert_eq!(user["email_confirmed"], true);
    assert_eq!(user["created_at"], app.clock().now().to_string());
    let token = new_token_of(&signed_in);
    for (path, list) in [("/v1/projects", "projects"), ("/v1/api_keys", "api_keys")] {
        let reply = app.get(path).bearer(&token).send().await;
        assert_eq!(reply.json()[list], json!([]), "{path}");
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
    let mail = app.mails().await.pop().unwrap();
    assert!(
        mail.to == ONE && mail.subject.contains("password"),
        "{}",
        mail.subject
    );

    // Verified by now: a later reset keeps it.
    let reset = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&reset, PASSWORD).await.status, 200);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.json()["user"]["id"], 2);
}

#[actix_web::test]
async fn a_reset_keeps_accounts_by_default() {
    let app = app_that(Confirm::Remind).await;
    plant(&app).await;
    let reset = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&reset, NEW).await.status, 200);
    let signed_in = app.sign_in(ONE, NEW).await;
    assert_eq!(signed_in.json()["user"]["id"], 1);
    let token = new_token_of(&signed_in);
    let listed = app.get("/v1/projects").bearer(&token).send().await;
    assert_eq!(listed.json()["projects"][0]["title"], "Planted");
}

#[actix_web::test]
async fn of_concurrent_resets_one_starts_a_fresh_account() {
    let app = app_that_replaces().await;
    plant(&app).await;
    let reset = reset_token(&app, ONE).await;
    let replies = join_all((0..10).map(|_| app.reset_password(&reset, NEW))).await;
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((done, count_in(&app, "SELECT max(id) FROM users")), (1, 2));
}

#[actix_web::test]
async fn a_failed_replacement_keeps_the_account() {
    let app = app_that_replaces().await;
    let (session, ..) = plant(&app).await;
    let reset = reset_token(&app, ONE).await;
    make_fail(&app, "INSERT ON users");
    assert_eq!(app.reset_password(&reset, NEW).await.status, 500);
    assert!(session_is_valid(&app, &session).await);
    make_succeed(&app);
    assert_eq!(app.reset_password(&reset, NEW).await.status, 200);
    assert!(!session_is_valid(&app, &session).await);
}

#[actix_web::test]
async fn a_reset_withdraws_a_squatters_pending_address() {
    let (app, user, _) = signed_in().await;
    let link = change_token(&app, &user, "squatter@example.com").await;
    assert_eq!(
        app.reset_password(&reset_token(&app, ONE).await, NEW)
            .await
            .status,
        200
    );
    assert_eq!(account_of(&app, &user).await.pending_email_address, None);
    assert_dead(&app.verify_email(&link).await);
    // Nor does it work again when the owner wants the same address.
    ask_for_change(&app, &user, "squatter@example.com").await;
    assert_dead(&app.verify_email(&link).await);
}

#[actix_web::test]
async fn verification_reveals_nothing_about_disabled_accounts() {
    let (app, user, _) = signed_in().await;
    let change = change_token(&app, &user, NEXT).await;
    let own = confirmation_token(&app, ONE).await;
    disable(&app, &user).await;
    for link in [&own, &change] {
        assert_dead(&app.verify_email(link).await);
    }
    let account = account_of(&app, &user).await;
    assert_eq!(
        (
            account.user.email_address.as_str(),
            account.user.email_confirmed_at
        ),
        (ONE, None)
    );
}

#[actix_web::test]
async fn links_of_a_deleted_user_verify_no_later_account() {
    let (app, user, _) = signed_in().await;
    let link = confirmation_token(&app, ONE).await;
    delete(&app, &user).await;
    assert_dead(&app.verify_email(&link).await);
    let next = app.create_user(ONE, PASSWORD).await;
    assert_dead(&app.verify_email(&link).await);
    assert_eq!(account_of(&app, &next).await.user.email_confirmed_at, None);
}

#[actix_web::test]
async fn malformed_links_are_invalid() {
    let (app, _, session) = signed_in().await;
    let link = confirmation_token(&app, ONE).await;
    let (payload, signature) = link.split_once('.').unwrap();
    for token in [
        "invalid".to_owned(),
        "%00".to_owned(),
        payload.to_owned(),
        format!("{payload}."),
        format!(".{signature}"),
        format!("{link}="),
        format!("{payload}.{}", "A".repeat(43)),
        session,
        "a".repeat(5000),
    ] {
        assert_dead(&app.verify_email(&token).await);
    }
    assert_confirmed(&app.verify_email(&link).await);
}

#[actix_web::test]
async fn link_kinds_are_not_interchangeable() {
    let (app, user, _) = signed_in().await;
    let (reset_link, link) = (
        reset_token(&app, ONE).await,
        confirmation_token(&app, ONE).await,
    );
    let account = account_of(&app, &user).await;
    let unlock = signed_link::sign_unlock(&app.context().key_ring, &account, START + DAY);
    assert_dead(&app.verify_email(&reset_link).await);
    assert_dead(&app.verify_email(&unlock).await);
    assert_refused(&app.reset_password(&link, NEW).await, 401, "link_invalid");
    assert_confirmed(&app.verify_email(&link).await);
}

fn account(id: i64) -> Account {
    Account {
        user: User {
            id: UserId(id),
            email_address: address(ONE),
            email_confirmed_at: None,
            disabled_at: None,
            created_at: START,
            updated_at: START,
            role: Role::User,
            second_factor_due_at: None,
            name: None,
            profile: JsonObject::default(),
            metadata: JsonObject::default(),
            locale: None,
        },
        password_digest: Some(PasswordDigest::new("$2b$04$digest".to_owned())),
        pending_email_address: Some(address(NEXT)),
        credentials_version: 3,
        links_by_address: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Of a signed link no bit can be turned.
    #[test]
    fn a_link_with_any_flipped_bit_is_invalid(id in 1_i64.., at in 0_usize..33 + 32, bit in 0_u8..8) {
        let keys = KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let account = account(id);
        let link = signed_link::sign_confirmation(&keys, &account, &address(NEXT), START + DAY);
        let read = signed_link::verify_confirmation(&keys, &link, START).unwrap();
        prop_assert_eq!((read.subject, signed_link::confirmed_address(&read, &account)), (UserId(id), Some(signed_link::ConfirmedAddress::Pending)));

        let (payload, signature) = link.split_once('.').unwrap();
        let mut bytes = [payload, signature].map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
        let (part, offset) = if at < 33 { (0, at) } else { (1, at - 33) };
        bytes[part][offset] ^= 1 << bit;
        let turned = bytes.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert!(signed_link::verify_confirmation(&keys, &turned, START).is_none());
    }
}
